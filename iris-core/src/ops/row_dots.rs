//! The dot products of weights and the rows of a matrix, as they lie: one linear function of a batch.
//!
//! The products of a row are added up in [`SIDE`] sums, and these in a tree, so that all levels of instructions, and one row
//! and many, give the same bits.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::__m512d;

use pulp::Simd;
#[cfg(target_arch = "x86_64")]
use pulp::core_arch::x86::Avx512f;

use super::lanes::each;
use super::simd;
use super::transpose::{SIDE, widen};

/// Weights of [`SIDE`] features or more.
#[derive(Debug)]
pub(crate) struct Weights {
    chunks: Vec<[f64; SIDE]>,
    /// The weights of the last features of a row, with zeros for those that are in the chunks already.
    last: [f64; SIDE],
    /// All bits of a feature that is not, none of one that is.
    mask: [u32; SIDE],
}

impl Weights {
    /// `None` if there are fewer weights.
    pub(crate) fn new(weights: &[f64]) -> Option<Self> {
        let last = weights.last_chunk::<SIDE>()?;
        let (chunks, rest) = weights.as_chunks::<SIDE>();
        let is_new = |index: usize| index >= SIDE - rest.len();
        Some(Self {
            chunks: chunks.to_vec(),
            last: each(|index| if is_new(index) { last[index] } else { 0.0 }),
            mask: each(|index| if is_new(index) { u32::MAX } else { 0 }),
        })
    }

    /// The dot product with each of eight rows, which are as long as there are weights. Products are not rounded if they are
    /// `FUSED`, which makes no difference: those of what were floats are exact.
    #[inline(always)]
    pub(crate) fn dots<S: Simd, const FUSED: bool>(
        &self,
        simd: S,
        rows: [&[f32]; SIDE],
    ) -> [f64; SIDE] {
        let n_chunks = self.chunks.len();
        let chunks: [&[[f32; SIDE]]; SIDE] =
            each(|row| &rows[row].as_chunks::<SIDE>().0[..n_chunks]);
        // Compilers keep what is in an array in registers on some days only.
        let [mut a, mut b, mut c, mut d] = [[0.0; SIDE]; 4];
        let [mut e, mut f, mut g, mut h] = [[0.0; SIDE]; 4];
        for (at, weights) in self.chunks.iter().enumerate() {
            a = add_products::<S, FUSED>(simd, a, chunks[0][at], weights);
            b = add_products::<S, FUSED>(simd, b, chunks[1][at], weights);
            c = add_products::<S, FUSED>(simd, c, chunks[2][at], weights);
            d = add_products::<S, FUSED>(simd, d, chunks[3][at], weights);
            e = add_products::<S, FUSED>(simd, e, chunks[4][at], weights);
            f = add_products::<S, FUSED>(simd, f, chunks[5][at], weights);
            g = add_products::<S, FUSED>(simd, g, chunks[6][at], weights);
            h = add_products::<S, FUSED>(simd, h, chunks[7][at], weights);
        }
        let last: [[f32; SIDE]; SIDE] = each(|row| self.last_of(rows[row]));
        let weights = &self.last;
        totals(
            simd,
            [
                add_products::<S, FUSED>(simd, a, last[0], weights),
                add_products::<S, FUSED>(simd, b, last[1], weights),
                add_products::<S, FUSED>(simd, c, last[2], weights),
                add_products::<S, FUSED>(simd, d, last[3], weights),
                add_products::<S, FUSED>(simd, e, last[4], weights),
                add_products::<S, FUSED>(simd, f, last[5], weights),
                add_products::<S, FUSED>(simd, g, last[6], weights),
                add_products::<S, FUSED>(simd, h, last[7], weights),
            ],
        )
    }

    /// The same with one row.
    #[inline(always)]
    pub(crate) fn dot<S: Simd, const FUSED: bool>(&self, simd: S, row: &[f32]) -> f64 {
        let mut sums = [0.0; SIDE];
        for (&chunk, weights) in row.as_chunks::<SIDE>().0.iter().zip(&self.chunks) {
            sums = add_products::<S, FUSED>(simd, sums, chunk, weights);
        }
        total(add_products::<S, FUSED>(
            simd,
            sums,
            self.last_of(row),
            &self.last,
        ))
    }

    /// The last features, those that are in the chunks left out: infinity times 0 would be no number.
    #[inline(always)]
    fn last_of(&self, row: &[f32]) -> [f32; SIDE] {
        let last = row.last_chunk::<SIDE>().copied().unwrap_or_default();
        each(|index| f32::from_bits(last[index].to_bits() & self.mask[index]))
    }
}

#[inline(always)]
fn add_products<S: Simd, const FUSED: bool>(
    simd: S,
    sums: [f64; SIDE],
    x: [f32; SIDE],
    weights: &[f64; SIDE],
) -> [f64; SIDE] {
    let x = widen(simd, x);
    if FUSED {
        each(|index| weights[index].mul_add(x[index], sums[index]))
    } else {
        each(|index| sums[index] + weights[index] * x[index])
    }
}

/// The sum of each row.
#[inline(always)]
fn totals<S: Simd>(simd: S, sums: [[f64; SIDE]; SIDE]) -> [f64; SIDE] {
    #[cfg(target_arch = "x86_64")]
    if let Some(v4) = simd::v4(simd) {
        return totals_of_eight(v4, sums);
    }
    let _ = simd;
    each(|row| total(sums[row]))
}

#[inline(always)]
fn total([a, b, c, d, e, f, g, h]: [f64; SIDE]) -> f64 {
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

/// The same by shuffles of vectors.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn totals_of_eight(v4: pulp::x86::V4, sums: [[f64; SIDE]; SIDE]) -> [f64; SIDE] {
    let avx = v4.avx512f;
    let [a, b, c, d, e, f, g, h]: [__m512d; SIDE] = pulp::cast(sums);
    let (ab, cd) = (neighbours(avx, a, b), neighbours(avx, c, d));
    let (ef, gh) = (neighbours(avx, e, f), neighbours(avx, g, h));
    let (above, below) = (pairs(avx, ab, cd), pairs(avx, ef, gh));
    pulp::cast(pairs(avx, above, below))
}

/// The sums of the neighbours in `a` and in `b`, by turns. A closure would not be compiled for the level of its caller.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn neighbours(avx: Avx512f, a: __m512d, b: __m512d) -> __m512d {
    avx._mm512_add_pd(avx._mm512_unpacklo_pd(a, b), avx._mm512_unpackhi_pd(a, b))
}

/// The sums of neighbouring pairs, those of `a` first.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn pairs(avx: Avx512f, a: __m512d, b: __m512d) -> __m512d {
    let first = avx._mm512_shuffle_f64x2::<0b10_00_10_00>(a, b);
    let second = avx._mm512_shuffle_f64x2::<0b11_01_11_01>(a, b);
    avx._mm512_add_pd(first, second)
}

#[cfg(test)]
mod tests {
    use pulp::{Scalar, WithSimd};

    use super::*;

    struct Dots<'a>(&'a Weights, [&'a [f32]; SIDE]);

    impl WithSimd for Dots<'_> {
        type Output = [f64; SIDE];

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            self.0.dots::<S, true>(simd, self.1)
        }
    }

    #[test]
    fn one_row_and_eight_have_the_same_bits_at_all_levels() {
        for n_features in [8, 9, 10, 15, 16, 29] {
            let number = |i: usize| (i as f32 * 0.37).sin();
            let weights: Vec<f64> = (0..n_features).map(|i| f64::from(number(i + 5))).collect();
            let x: Vec<f32> = (0..SIDE * n_features).map(number).collect();
            let rows: [&[f32]; SIDE] = each(|row| &x[row * n_features..][..n_features]);
            let chunks = Weights::new(&weights).expect("enough of them");
            let got = simd::dispatch(Dots(&chunks, rows));
            for (row, got) in rows.into_iter().zip(got) {
                let alone = chunks.dot::<_, false>(Scalar::new(), row);
                assert_eq!(got.to_bits(), alone.to_bits(), "{n_features}");
                let products = row.iter().zip(&weights).map(|(&x, w)| f64::from(x) * w);
                let plain: f64 = products.sum();
                assert!((got - plain).abs() < 1e-14, "{n_features}: {got} {plain}");
            }
        }
        assert!(Weights::new(&[1.0; 7]).is_none());
    }

    #[test]
    fn every_feature_is_taken_once() {
        let weights = Weights::new(&[1.0; 10]).expect("enough of them");
        let mut x = [1.0; 10];
        x[3] = f32::INFINITY;
        assert_eq!(weights.dot::<_, false>(Scalar::new(), &x), f64::INFINITY);
    }
}
