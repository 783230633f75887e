//! Kernel functions between a sample and the support vectors.
//!
//! Compiled for each level of the processor's vector instructions, once for all machines.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level only where it is inlined"
)]

use std::f64::consts::LOG2_E;

use pulp::{Simd, WithSimd};

use crate::kernels::exp::exp2;
use crate::kernels::simd;

/// A kernel function, by its ONNX name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kernel {
    /// `x·y`
    Linear,
    /// `(gamma x·y + coef0)^degree`
    Poly { gamma: f64, coef0: f64, degree: f64 },
    /// `exp(-gamma |x - y|²)`
    Rbf { gamma: f64 },
    /// `tanh(gamma x·y + coef0)`
    Sigmoid { gamma: f64, coef0: f64 },
}

impl Kernel {
    /// Turns dot products into kernel values, of any kernel but RBF.
    #[inline(always)]
    fn finish(self, values: &mut [f64]) {
        match self {
            Self::Linear | Self::Rbf { .. } => {}
            Self::Poly {
                gamma,
                coef0,
                degree: 3.0,
            } => values.iter_mut().for_each(|v| {
                let x = gamma * *v + coef0;
                *v = x * x * x;
            }),
            Self::Poly {
                gamma,
                coef0,
                degree,
            } if degree == degree.trunc() && degree.abs() < 1e6 => {
                values
                    .iter_mut()
                    .for_each(|v| *v = (gamma * *v + coef0).powi(degree as i32));
            }
            Self::Poly {
                gamma,
                coef0,
                degree,
            } => {
                values
                    .iter_mut()
                    .for_each(|v| *v = (gamma * *v + coef0).powf(degree));
            }
            Self::Sigmoid { gamma, coef0 } => {
                values
                    .iter_mut()
                    .for_each(|v| *v = (gamma * *v + coef0).tanh());
            }
        }
    }
}

/// How many support vectors lie side by side, and are compared with a block of samples at once.
const TILE: usize = 8;

/// How many tiles one sample is compared with at once, as many as it takes to not wait for sums.
const TILES: usize = 4;

/// One feature of the support vectors of a tile.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Tile([f64; TILE]);

/// The support vectors of a machine and the kernel between them and a sample.
#[derive(Debug)]
pub(crate) struct SupportVectors {
    kernel: Kernel,
    n_vectors: usize,
    n_features: usize,
    /// `[n_tiles, n_features]`; the last tile is filled up with zeros.
    tiles: Vec<Tile>,
}

impl SupportVectors {
    /// Takes vectors as ONNX stores them, `[n_vectors, n_features]`.
    pub(crate) fn new(kernel: Kernel, vectors: &[f32], n_vectors: usize) -> Self {
        let n_features = vectors.len() / n_vectors;
        let mut tiles = vec![Tile([0.0; TILE]); n_vectors.div_ceil(TILE) * n_features];
        for (index, vector) in vectors.chunks_exact(n_features).enumerate() {
            let tile = &mut tiles[index / TILE * n_features..];
            for (tile, &value) in tile.iter_mut().zip(vector) {
                tile.0[index % TILE] = value.into();
            }
        }
        Self {
            kernel,
            n_vectors,
            n_features,
            tiles,
        }
    }

    pub(crate) fn n_vectors(&self) -> usize {
        self.n_vectors
    }

    /// Computes the kernel of every support vector and each sample of `columns` `[n_features]`, into `values`
    /// `[n_vectors]`.
    #[inline(always)]
    pub(crate) fn kernel_rows<S: Simd, const L: usize>(
        &self,
        simd: S,
        columns: &[[f64; L]],
        values: &mut [[f64; L]],
    ) {
        let rows = KernelRows {
            vectors: self,
            columns,
            values: &mut values[..self.n_vectors],
        };
        if L == 1 {
            // The caller may be at a lower level than the processor.
            simd::dispatch(rows);
        } else {
            simd.vectorize(rows);
        }
    }

    /// The dot product of every support vector and each sample; or, where the kernel is `RBF`, its value, `gamma` being that
    /// of a power of two.
    #[inline(always)]
    fn rows<S: Simd, const L: usize, const RBF: bool>(
        &self,
        simd: S,
        columns: &[[f64; L]],
        values: &mut [[f64; L]],
        gamma: f64,
    ) {
        let tiles = self.tiles.as_slice();
        if L > 1 {
            let tiles = tiles.chunks_exact(self.n_features);
            for (tile, values) in tiles.zip(values.chunks_mut(TILE)) {
                if let Some(values) = values.first_chunk_mut::<TILE>() {
                    block_values::<S, L, RBF>(simd, columns, tile, gamma, values);
                } else {
                    let mut all = [[0.0; L]; TILE];
                    block_values::<S, L, RBF>(simd, columns, tile, gamma, &mut all);
                    values.copy_from_slice(&all[..values.len()]);
                }
            }
            return;
        }
        // One sample: a vector instruction takes several support vectors.
        let (x, values) = (columns.as_flattened(), values.as_flattened_mut());
        let several = tiles.chunks(TILES * self.n_features);
        for (several, values) in several.zip(values.chunks_mut(TILES * TILE)) {
            if let Some(values) = values.first_chunk_mut::<{ TILES * TILE }>() {
                let (first, last) = several.split_at(2 * self.n_features);
                let ((a, b), (c, d)) = (
                    first.split_at(self.n_features),
                    last.split_at(self.n_features),
                );
                let values = values.as_chunks_mut::<TILE>().0;
                sample_values::<S, TILES, RBF>(simd, x, [a, b, c, d], gamma, values);
                continue;
            }
            let tiles = several.chunks_exact(self.n_features);
            for (tile, values) in tiles.zip(values.chunks_mut(TILE)) {
                let mut all = [[0.0; TILE]];
                sample_values::<S, 1, RBF>(simd, x, [tile], gamma, &mut all);
                for (value, of_tile) in values.iter_mut().zip(all[0]) {
                    *value = of_tile;
                }
            }
        }
    }
}

/// The kernel of every support vector and each sample of a block.
struct KernelRows<'a, const L: usize> {
    vectors: &'a SupportVectors,
    columns: &'a [[f64; L]],
    values: &'a mut [[f64; L]],
}

impl<const L: usize> WithSimd for KernelRows<'_, L> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            vectors,
            columns,
            values,
        } = self;
        match vectors.kernel {
            Kernel::Rbf { gamma } => {
                let gamma = -gamma * LOG2_E;
                vectors.rows::<S, L, true>(simd, columns, values, gamma);
            }
            kernel => {
                vectors.rows::<S, L, false>(simd, columns, values, 0.0);
                kernel.finish(values.as_flattened_mut());
            }
        }
    }
}

/// The values of one sample and each support vector of a few tiles.
#[inline(always)]
fn sample_values<S: Simd, const N: usize, const RBF: bool>(
    simd: S,
    x: &[f64],
    tiles: [&[Tile]; N],
    gamma: f64,
    values: &mut [[f64; TILE]],
) {
    let tiles = tiles.map(|tile| &tile[..x.len()]);
    for part in 0..TILE / S::F64_LANES {
        let mut sums = [simd.splat_f64s(0.0); N];
        for (feature, &x) in x.iter().enumerate() {
            let x = simd.splat_f64s(x);
            for (sum, tile) in sums.iter_mut().zip(tiles) {
                let y = S::as_simd_f64s(&tile[feature].0).0[part];
                *sum = add::<S, RBF>(simd, *sum, x, y);
            }
        }
        for (values, sum) in values.iter_mut().zip(sums) {
            S::as_mut_simd_f64s(values).0[part] = finished::<S, RBF>(simd, sum, gamma);
        }
    }
}

/// The values of each lane and each support vector of a tile.
#[inline(always)]
fn block_values<S: Simd, const L: usize, const RBF: bool>(
    simd: S,
    columns: &[[f64; L]],
    tile: &[Tile],
    gamma: f64,
    values: &mut [[f64; L]; TILE],
) {
    // How many vectors the lanes take.
    let parts = L / S::F64_LANES;
    let columns = S::as_simd_f64s(columns.as_flattened()).0;
    let values = S::as_mut_simd_f64s(values.as_flattened_mut()).0;
    for part in 0..parts {
        let mut sums = [simd.splat_f64s(0.0); TILE];
        for (x, y) in columns.chunks_exact(parts).zip(tile) {
            for (sum, y) in sums.iter_mut().zip(y.0) {
                *sum = add::<S, RBF>(simd, *sum, x[part], simd.splat_f64s(y));
            }
        }
        for (values, sum) in values.chunks_exact_mut(parts).zip(sums) {
            values[part] = finished::<S, RBF>(simd, sum, gamma);
        }
    }
}

/// The sum with what a feature adds to the dot product, or to the square of the distance.
#[inline(always)]
fn add<S: Simd, const RBF: bool>(simd: S, sum: S::f64s, x: S::f64s, y: S::f64s) -> S::f64s {
    if RBF {
        let difference = simd.sub_f64s(x, y);
        simd.mul_add_f64s(difference, difference, sum)
    } else {
        simd.mul_add_f64s(x, y, sum)
    }
}

#[inline(always)]
fn finished<S: Simd, const RBF: bool>(simd: S, sum: S::f64s, gamma: f64) -> S::f64s {
    if RBF {
        exp2(simd, simd.mul_f64s(simd.splat_f64s(gamma), sum))
    } else {
        sum
    }
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;

    #[derive(Clone, Copy)]
    struct Values<'a, const L: usize> {
        vectors: &'a SupportVectors,
        columns: &'a [[f64; L]],
    }

    impl<const L: usize> WithSimd for Values<'_, L> {
        type Output = Vec<[f64; L]>;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let mut values = vec![[f64::NAN; L]; self.vectors.n_vectors()];
            let rows = KernelRows {
                vectors: self.vectors,
                columns: self.columns,
                values: &mut values,
            };
            rows.with_simd(simd);
            values
        }
    }

    #[test]
    fn kernels_follow_their_formulas() {
        let vectors = [1.0, 2.0, 3.0, -1.0, 0.5, 0.0];
        let x = [0.5, -2.0, 1.5];
        let (dots, distances) = ([1.0, -1.5], [0.25 + 16.0 + 2.25, 2.25 + 6.25 + 2.25]);
        let (gamma, coef0): (f64, f64) = (0.25, 1.5);
        let cases: [(Kernel, [f64; 2]); 5] = [
            (Kernel::Linear, dots),
            (Kernel::Rbf { gamma }, distances.map(|d| (-gamma * d).exp())),
            (
                Kernel::Sigmoid { gamma, coef0 },
                dots.map(|d| (gamma * d + coef0).tanh()),
            ),
            (
                Kernel::Poly {
                    gamma,
                    coef0,
                    degree: 3.0,
                },
                dots.map(|d| (gamma * d + coef0).powi(3)),
            ),
            (
                Kernel::Poly {
                    gamma,
                    coef0,
                    degree: 2.5,
                },
                dots.map(|d| (gamma * d + coef0).powf(2.5)),
            ),
        ];
        for (kernel, expected) in cases {
            let vectors = SupportVectors::new(kernel, &vectors, 2);
            let values = simd::dispatch(Values {
                vectors: &vectors,
                columns: x.as_chunks::<1>().0,
            });
            for ([value], expected) in values.iter().zip(expected) {
                assert!(
                    (value - expected).abs() < 1e-14,
                    "{kernel:?}: {value} {expected}"
                );
            }
        }
    }

    #[test]
    fn lanes_have_the_bits_of_one_sample() {
        let number = |i: usize| (i * 37 % 101) as f32 / 7.0 - 6.0;
        let (gamma, coef0) = (0.031, 0.5);
        let kernels = [
            Kernel::Linear,
            Kernel::Rbf { gamma },
            Kernel::Sigmoid { gamma, coef0 },
            Kernel::Poly {
                gamma,
                coef0,
                degree: 3.0,
            },
        ];
        for (kernel, n_vectors) in kernels
            .into_iter()
            .flat_map(|kernel| [1, 5, 32, 71].map(|n| (kernel, n)))
        {
            let vectors: Vec<f32> = (0..n_vectors * 3).map(number).collect();
            let vectors = SupportVectors::new(kernel, &vectors, n_vectors);
            let columns: [[f64; 8]; 3] = std::array::from_fn(|f| {
                std::array::from_fn(|lane| number(f * 8 + lane + 5).into())
            });
            let of_lanes = Values {
                vectors: &vectors,
                columns: &columns,
            };
            let plain = of_lanes.with_simd(Scalar::new());
            let values = simd::dispatch(of_lanes);
            assert_eq!(values, plain, "{kernel:?}");
            for lane in 0..8 {
                let single = simd::dispatch(Values {
                    vectors: &vectors,
                    columns: &columns.map(|column| [column[lane]]),
                });
                for (single, lanes) in single.iter().zip(&values) {
                    assert_eq!(single[0].to_bits(), lanes[lane].to_bits(), "{kernel:?}");
                }
            }
        }
    }
}
