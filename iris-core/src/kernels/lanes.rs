//! Samples side by side: kernels compute one number of several samples in one vector instruction.
//!
//! A block of samples is `[n_features]` lanes, one lane a sample. Blocks of one sample are computed with the same
//! operations in the same order, so that an answer does not depend on the batch it is in.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::kernels::array::each;
use crate::kernels::simd::{has_vectors, up_to_v3};
use crate::kernels::transpose::{FOUR, SIDE, narrow, transpose, transpose_fours, widen};

/// How many samples are computed at once.
pub(crate) const LANES: usize = 8;

/// From how many samples on a block with idle lanes takes less time than one sample after the other.
const WORTH_A_BLOCK: usize = 3;

/// What is computed of a block of samples.
pub(crate) trait Blocks {
    /// Computes the `n` samples from the `first` on in `L` lanes; the lanes from `n` on are idle.
    fn block<S: Simd, const L: usize>(&mut self, simd: S, first: usize, n: usize);
}

/// Goes through `n_samples` samples, block by block: where there are no vectors, one by one.
#[inline(always)]
pub(crate) fn for_each_block<S: Simd>(simd: S, n_samples: usize, blocks: &mut impl Blocks) {
    let mut first = 0;
    while has_vectors::<S>() && n_samples - first >= WORTH_A_BLOCK {
        let n = LANES.min(n_samples - first);
        blocks.block::<S, LANES>(simd, first, n);
        first += n;
    }
    if first < n_samples {
        let samples = first..n_samples;
        up_to_v3(simd, Single { blocks, samples });
    }
}

/// Samples that are computed one after the other.
struct Single<'a, B> {
    blocks: &'a mut B,
    samples: Range<usize>,
}

impl<B: Blocks> WithSimd for Single<'_, B> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for first in self.samples {
            self.blocks.block::<S, 1>(simd, first, 1);
        }
    }
}

/// How many lanes [`for_each_block`] uses at most.
pub(crate) fn lanes_of(n_samples: usize) -> usize {
    if n_samples >= WORTH_A_BLOCK { LANES } else { 1 }
}

thread_local! {
    /// The memory of the last kernel that ended on this thread, for the next one.
    static IDLE: Cell<Vec<f64>> = const { Cell::new(Vec::new()) };
}

/// More than this is not kept.
const MOST_IDLE: usize = 1 << 16;

/// Memory for the intermediate results of blocks, where vectors do not straddle cache lines.
pub(crate) struct Scratch(Vec<f64>);

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.0.capacity() <= MOST_IDLE {
            // A thread that ends has no need of it.
            let _ = IDLE.try_with(|idle| idle.set(std::mem::take(&mut self.0)));
        }
    }
}

impl Scratch {
    /// Room for `len` numbers of each sample of a block of `n_samples`.
    pub(crate) fn new(len: usize, n_samples: usize) -> Self {
        let lanes = lanes_of(n_samples);
        let padding = if lanes == 1 { 0 } else { LANES };
        let mut numbers = IDLE.try_with(Cell::take).unwrap_or_default();
        numbers.clear();
        numbers.resize(len * lanes + padding, 0.0);
        Self(numbers)
    }

    /// The scratch space as rows of `L` lanes, reused for every block.
    #[inline(always)]
    pub(crate) fn lanes<const L: usize>(&mut self) -> &mut [[f64; L]] {
        let offset = if L == 1 {
            0
        } else {
            self.0.as_ptr().align_offset(L * size_of::<f64>()).min(L)
        };
        self.0[offset..].as_chunks_mut::<L>().0
    }
}

/// The elements of a numeric tensor.
#[derive(Clone, Copy)]
pub(crate) enum Numbers<'a> {
    Float(&'a [f32]),
    Double(&'a [f64]),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
}

impl<'a> Numbers<'a> {
    /// All of them as floats.
    pub(crate) fn floats(self) -> Cow<'a, [f32]> {
        match self {
            Self::Float(x) => x.into(),
            Self::Double(x) => x.iter().map(|&x| x as f32).collect(),
            Self::Int32(x) => x.iter().map(|&x| x as f32).collect(),
            Self::Int64(x) => x.iter().map(|&x| x as f32).collect(),
        }
    }

    /// All of them in double precision.
    pub(crate) fn doubles(self) -> Cow<'a, [f64]> {
        match self {
            Self::Float(x) => x.iter().copied().map(f64::from).collect(),
            Self::Double(x) => x.into(),
            Self::Int32(x) => x.iter().copied().map(f64::from).collect(),
            Self::Int64(x) => x.iter().map(|&x| x as f64).collect(),
        }
    }

    /// Puts the `n` samples from the `first` on, of as many features as there are `columns`, side by side; idle lanes
    /// repeat the last of them.
    #[inline(always)]
    pub(crate) fn load<S: Simd, const L: usize>(
        self,
        simd: S,
        first: usize,
        n: usize,
        columns: &mut [[f64; L]],
    ) {
        match self {
            Self::Float(x) if L == SIDE && columns.len() >= FOUR => {
                load_blocks(simd, x, first, n, columns);
            }
            Self::Float(x) => load(x, f64::from, first, n, columns),
            other => other.load_apart(first, n, columns),
        }
    }

    /// The same of types that models seldom take: not a part of every kernel, for each level of instructions.
    #[inline(never)]
    fn load_apart<const L: usize>(self, first: usize, n: usize, columns: &mut [[f64; L]]) {
        match self {
            Self::Float(x) => load(x, f64::from, first, n, columns),
            Self::Double(x) => load(x, |x| x, first, n, columns),
            Self::Int32(x) => load(x, f64::from, first, n, columns),
            Self::Int64(x) => load(x, |x| x as f64, first, n, columns),
        }
    }
}

#[inline(always)]
fn load<T: Copy + Default, const L: usize>(
    x: &[T],
    to_f64: impl Fn(T) -> f64,
    first: usize,
    n: usize,
    columns: &mut [[f64; L]],
) {
    /// How many features are taken from each sample before those of the next.
    const CHUNK: usize = 4;
    let n_features = columns.len();
    let block = &x[first * n_features..(first + n) * n_features];
    let samples: [&[T]; L] = each(|lane| &block[lane.min(n - 1) * n_features..][..n_features]);
    let (chunks, rest) = columns.as_chunks_mut::<CHUNK>();
    let begin_of_rest = chunks.len() * CHUNK;
    for (index, chunk) in chunks.iter_mut().enumerate() {
        let parts: [[T; CHUNK]; L] = each(|lane| samples[lane].as_chunks::<CHUNK>().0[index]);
        for (feature, column) in chunk.iter_mut().enumerate() {
            *column = each(|lane| to_f64(parts[lane][feature]));
        }
    }
    for (index, column) in rest.iter_mut().enumerate() {
        *column = each(|lane| to_f64(samples[lane][begin_of_rest + index]));
    }
}

/// Loads the features of eight samples as columns, four features at a time.
#[inline(always)]
fn load_blocks<S: Simd, const L: usize>(
    simd: S,
    x: &[f32],
    first: usize,
    n: usize,
    columns: &mut [[f64; L]],
) {
    let n_features = columns.len();
    // `L` is `SIDE` here: this only tells the compiler the width.
    let columns = columns.as_flattened_mut().as_chunks_mut::<SIDE>().0;
    let samples = eight_samples(x, first, n, n_features);
    let mut feature = 0;
    loop {
        let block = four_features(simd, &samples, feature);
        if let Some(columns) = columns[feature..].first_chunk_mut::<FOUR>() {
            for (column, block) in columns.iter_mut().zip(block) {
                *column = widen(simd, block);
            }
        }
        if feature + FOUR >= n_features {
            break;
        }
        // The last block may repeat features of the one before.
        feature = (feature + FOUR).min(n_features - FOUR);
    }
}

/// The `n` samples from the `first` on, of so many features, of which the last is repeated where there are not eight.
#[inline(always)]
pub(crate) fn eight_samples(
    x: &[f32],
    first: usize,
    n: usize,
    n_features: usize,
) -> [&[f32]; SIDE] {
    let block = &x[first * n_features..(first + n) * n_features];
    // All of one length, which is checked once for all of them.
    let mut samples = [&block[..n_features]; SIDE];
    let mut rest = &block[n_features..];
    for lane in 1..SIDE {
        samples[lane] = samples[lane - 1];
        if n == SIDE || lane < n {
            (samples[lane], rest) = rest.split_at(n_features);
        }
    }
    samples
}

/// Four features of eight samples, from `feature` on.
#[inline(always)]
pub(crate) fn four_features<S: Simd>(
    simd: S,
    samples: &[&[f32]; SIDE],
    feature: usize,
) -> [[f32; SIDE]; FOUR] {
    let mut rows = [[0.0; FOUR]; SIDE];
    for (row, sample) in rows.iter_mut().zip(samples) {
        *row = sample[feature..].first_chunk().copied().unwrap_or_default();
    }
    transpose_fours(simd, rows)
}

/// Puts the first `n` lanes of `columns` into the rows from the `first` on of `y` `[n_samples, columns.len()]`.
#[inline(always)]
pub(crate) fn store<S: Simd, const L: usize>(
    simd: S,
    columns: &[[f64; L]],
    y: &mut [f32],
    first: usize,
    n: usize,
) {
    let width = columns.len();
    let rows = &mut y[first * width..(first + n) * width];
    if L == SIDE && n == SIDE && width >= SIDE {
        store_blocks(simd, columns, rows);
        return;
    }
    if let ([column], Some(rows)) = (columns, rows.first_chunk_mut::<L>()) {
        *rows = each(|lane| column[lane] as f32);
        return;
    }
    for (index, column) in columns.iter().enumerate() {
        let column: [f32; L] = each(|lane| column[lane] as f32);
        for (slot, x) in rows[index..].iter_mut().step_by(width).zip(column) {
            *slot = x;
        }
    }
}

/// The same for a whole block, eight columns at a time.
#[inline(always)]
fn store_blocks<S: Simd, const L: usize>(simd: S, columns: &[[f64; L]], rows: &mut [f32]) {
    let width = columns.len();
    let columns = columns.as_flattened().as_chunks::<SIDE>().0;
    let mut index = 0;
    loop {
        if let Some(columns) = columns[index..].first_chunk::<SIDE>() {
            let mut block = [[0.0; SIDE]; SIDE];
            for (block, &column) in block.iter_mut().zip(columns) {
                *block = narrow(simd, column);
            }
            for (row, block) in transpose(simd, block).into_iter().enumerate() {
                if let Some(slots) = rows[row * width + index..].first_chunk_mut() {
                    *slots = block;
                }
            }
        }
        if index + SIDE >= width {
            break;
        }
        // The last block may repeat columns of the one before.
        index = (index + SIDE).min(width - SIDE);
    }
}

/// Numbers of a block of samples that are multiplied by weights.
pub(crate) trait Columns<const L: usize>: Copy {
    fn len(self) -> usize;
    fn column<'a>(self, index: usize) -> &'a [f64; L]
    where
        Self: 'a;
}

impl<const L: usize> Columns<L> for &[[f64; L]] {
    #[inline(always)]
    fn len(self) -> usize {
        self.len()
    }

    #[inline(always)]
    fn column<'a>(self, index: usize) -> &'a [f64; L]
    where
        Self: 'a,
    {
        &self[index]
    }
}

/// The registers at `places`, by their order there.
#[derive(Clone, Copy)]
pub(crate) struct Chosen<'a, const L: usize> {
    pub(crate) places: &'a [u32],
    pub(crate) registers: &'a [[f64; L]],
}

impl<const L: usize> Columns<L> for Chosen<'_, L> {
    #[inline(always)]
    fn len(self) -> usize {
        self.places.len()
    }

    #[inline(always)]
    fn column<'a>(self, index: usize) -> &'a [f64; L]
    where
        Self: 'a,
    {
        &self.registers[self.places[index] as usize]
    }
}

/// How many dot products [`dots`] computes together.
pub(crate) const TOGETHER: usize = 5;

/// The dot products of a few lists of weights and each lane, with the bits of [`dot`].
#[inline(always)]
pub(crate) fn dots<const L: usize, const FUSED: bool>(
    weights: [&[f64]; TOGETHER],
    columns: impl Columns<L>,
) -> [[f64; L]; TOGETHER] {
    let weights = weights.map(|weights| &weights[..columns.len()]);
    let first = two_sums::<L, FUSED>(weights, columns, 0);
    let second = two_sums::<L, FUSED>(weights, columns, 2);
    let [a, b, c, d, e] = weights;
    // A loop over them would be one.
    [
        with_rest::<L, FUSED>(add(first[0], second[0]), a, columns),
        with_rest::<L, FUSED>(add(first[1], second[1]), b, columns),
        with_rest::<L, FUSED>(add(first[2], second[2]), c, columns),
        with_rest::<L, FUSED>(add(first[3], second[3]), d, columns),
        with_rest::<L, FUSED>(add(first[4], second[4]), e, columns),
    ]
}

/// The sum of two of the four sums of [`dot`], for each list of weights: as many at once as processors have products in
/// flight.
#[inline(always)]
fn two_sums<const L: usize, const FUSED: bool>(
    weights: [&[f64]; TOGETHER],
    columns: impl Columns<L>,
    place: usize,
) -> [[f64; L]; TOGETHER] {
    // Compilers keep what is in an array in registers on some days only.
    let [mut a, mut b, mut c, mut d, mut e] = [[0.0; L]; TOGETHER];
    let [mut f, mut g, mut h, mut i, mut j] = [[0.0; L]; TOGETHER];
    for quad in 0..columns.len() / SUMS {
        let feature = quad * SUMS + place;
        let column = columns.column(feature);
        a = add_product::<L, FUSED>(a, weights[0][feature], column);
        b = add_product::<L, FUSED>(b, weights[1][feature], column);
        c = add_product::<L, FUSED>(c, weights[2][feature], column);
        d = add_product::<L, FUSED>(d, weights[3][feature], column);
        e = add_product::<L, FUSED>(e, weights[4][feature], column);
        let feature = feature + 1;
        let column = columns.column(feature);
        f = add_product::<L, FUSED>(f, weights[0][feature], column);
        g = add_product::<L, FUSED>(g, weights[1][feature], column);
        h = add_product::<L, FUSED>(h, weights[2][feature], column);
        i = add_product::<L, FUSED>(i, weights[3][feature], column);
        j = add_product::<L, FUSED>(j, weights[4][feature], column);
    }
    [add(a, f), add(b, g), add(c, h), add(d, i), add(e, j)]
}

/// The dot product of `weights` and each lane, in four sums that do not wait for each other.
///
/// The products are not rounded if they are `FUSED`, which makes no difference to those of numbers that were floats: they
/// are exact.
#[inline(always)]
pub(crate) fn dot<const L: usize, const FUSED: bool>(
    weights: &[f64],
    columns: impl Columns<L>,
) -> [f64; L] {
    let [mut a, mut b, mut c, mut d] = [[0.0; L]; SUMS];
    let weights = &weights[..columns.len()];
    for (quad, weights) in weights.as_chunks::<SUMS>().0.iter().enumerate() {
        let feature = quad * SUMS;
        a = add_product::<L, FUSED>(a, weights[0], columns.column(feature));
        b = add_product::<L, FUSED>(b, weights[1], columns.column(feature + 1));
        c = add_product::<L, FUSED>(c, weights[2], columns.column(feature + 2));
        d = add_product::<L, FUSED>(d, weights[3], columns.column(feature + 3));
    }
    with_rest::<L, FUSED>(add(add(a, b), add(c, d)), weights, columns)
}

/// How many sums a dot product is made in.
pub(crate) const SUMS: usize = 4;

/// The sum, and that of the products of the features after the last four.
#[inline(always)]
fn with_rest<const L: usize, const FUSED: bool>(
    mut sum: [f64; L],
    weights: &[f64],
    columns: impl Columns<L>,
) -> [f64; L] {
    let rest = weights.len() / SUMS * SUMS;
    for (index, &weight) in weights.iter().enumerate().skip(rest) {
        sum = add_product::<L, FUSED>(sum, weight, columns.column(index));
    }
    sum
}

#[inline(always)]
pub(crate) fn add_product<const L: usize, const FUSED: bool>(
    sum: [f64; L],
    factor: f64,
    lanes: &[f64; L],
) -> [f64; L] {
    if FUSED {
        each(|lane| factor.mul_add(lanes[lane], sum[lane]))
    } else {
        each(|lane| sum[lane] + factor * lanes[lane])
    }
}

#[inline(always)]
pub(crate) fn add<const L: usize>(a: [f64; L], b: [f64; L]) -> [f64; L] {
    each(|lane| a[lane] + b[lane])
}

/// In each lane the number of the first of the largest values; 0 if there are none.
#[inline(always)]
pub(crate) fn first_max<const L: usize>(values: &[[f64; L]]) -> [usize; L] {
    let mut best = [0; L];
    let mut largest = values.first().copied().unwrap_or([0.0; L]);
    for (index, values) in values.iter().enumerate() {
        for ((best, largest), &value) in best.iter_mut().zip(&mut largest).zip(values) {
            let is_larger = value > *largest;
            *best = if is_larger { index } else { *best };
            *largest = if is_larger { value } else { *largest };
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;
    use crate::kernels::simd;

    #[test]
    fn blocks_cover_all_samples_once() {
        struct Seen(Vec<usize>);
        impl Blocks for Seen {
            fn block<S: Simd, const L: usize>(&mut self, _simd: S, first: usize, n: usize) {
                assert!(n > 0 && n <= L);
                self.0.extend(first..first + n);
            }
        }
        for n_samples in [0, 1, 2, 3, 7, 8, 9, 10, 11, 16, 17, 100] {
            let mut seen = Seen(vec![]);
            for_each_block(Scalar::new(), n_samples, &mut seen);
            assert!(seen.0.into_iter().eq(0..n_samples), "{n_samples}");
        }
    }

    #[test]
    fn scratch_is_empty_whatever_was_in_it() {
        for (len, n_samples) in [(3, 1), (40, 8), (2, 8), (7, 1)] {
            let mut scratch = Scratch::new(len, n_samples);
            assert!(scratch.0.iter().all(|&number| number == 0.0), "{len}");
            assert!(scratch.lanes::<1>().len() >= len * lanes_of(n_samples));
            scratch.0.fill(f64::NAN);
        }
    }

    #[test]
    fn loads_and_stores_samples() {
        simd::dispatch(LoadsAndStores);
    }

    struct LoadsAndStores;

    impl WithSimd for LoadsAndStores {
        type Output = ();

        fn with_simd<S: Simd>(self, simd: S) {
            loads_and_stores(simd);
            loads_blocks(simd);
        }
    }

    fn loads_and_stores<S: Simd>(simd: S) {
        let x: Vec<i32> = (0..15).collect();
        let mut columns = [[0.0; 4]; 3];
        Numbers::Int32(&x).load(simd, 2, 3, &mut columns);
        let expected = [
            [6.0, 9.0, 12.0, 12.0],
            [7.0, 10.0, 13.0, 13.0],
            [8.0, 11.0, 14.0, 14.0],
        ];
        assert_eq!(columns, expected);
        let mut y = [-1.0; 12];
        store(simd, &columns, &mut y, 1, 2);
        let kept = [-1.0; 3];
        assert_eq!(y[..3], kept);
        assert_eq!(y[3..9], [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]);
        assert_eq!(y[9..], kept);
        for width in [1, 2, 4, 7, 8, 10, 17] {
            let x: Vec<f32> = (0..9 * width).map(|i| i as f32).collect();
            let mut columns = vec![[0.0; LANES]; width];
            Numbers::Float(&x).load(simd, 1, LANES, &mut columns);
            let mut y = vec![0.0; 10 * width];
            store(simd, &columns, &mut y, 2, LANES);
            assert_eq!(y[2 * width..], x[width..], "{width}");
            assert!(y[..2 * width].iter().all(|y| *y == 0.0), "{width}");
        }
    }

    /// As other numbers are.
    fn loads_blocks<S: Simd>(simd: S) {
        for n_features in [1, 3, 4, 7, 8, 9, 16, 21] {
            let x: Vec<f32> = (0..9 * n_features).map(|i| i as f32).collect();
            let doubles: Vec<f64> = x.iter().copied().map(f64::from).collect();
            for (first, n) in [(0, 8), (1, 8), (4, 5), (8, 1)] {
                let mut columns = vec![[-1.0; LANES]; n_features];
                let mut expected = columns.clone();
                Numbers::Float(&x).load(simd, first, n, &mut columns);
                Numbers::Double(&doubles).load(simd, first, n, &mut expected);
                assert_eq!(columns, expected, "{n_features} {first} {n}");
            }
        }
    }

    #[test]
    fn dot_has_the_bits_of_one_lane_in_all() {
        for len in [0_usize, 1, 7, 8, 9, 16, 37] {
            let weights: Vec<f64> = (0..len).map(|i| (i as f64 - 3.0) / 7.0).collect();
            let columns: Vec<[f64; 3]> = (0..len)
                .map(|i| [0.1, 0.7, -1.3].map(|x| x * i as f64 - 2.0))
                .collect();
            let got = dot::<3, false>(&weights, &columns[..]);
            for (lane, got) in got.into_iter().enumerate() {
                let single: Vec<[f64; 1]> = columns.iter().map(|column| [column[lane]]).collect();
                assert_eq!(dot::<1, false>(&weights, &single[..]), [got], "{len}");
                let plain: f64 = weights.iter().zip(&single).map(|(w, [x])| w * x).sum();
                assert!((got - plain).abs() < 1e-12, "{len}: {got} {plain}");
            }
        }
    }

    #[test]
    fn dots_are_the_same_in_any_company() {
        for len in [0_usize, 1, 7, 8, 21] {
            let number = |i: usize| f64::from((i as f32 + 0.3).sin());
            let weights: Vec<f64> = (0..TOGETHER * len).map(number).collect();
            let columns: Vec<[f64; 3]> = (0..len)
                .map(|i| [1, 2, 3].map(|by| number(i * by) * 1e3))
                .map(|column| column.map(|x| f64::from(x as f32)))
                .collect();
            let lists: [&[f64]; TOGETHER] = each(|index| &weights[index * len..][..len]);
            let alone = lists.map(|weights| dot::<3, false>(weights, &columns[..]));
            assert_eq!(dots::<3, false>(lists, &columns[..]), alone);
            // The products of what were floats are exact.
            assert_eq!(dots::<3, true>(lists, &columns[..]), alone);
            assert_eq!(
                lists.map(|weights| dot::<3, true>(weights, &columns[..])),
                alone
            );
        }
    }

    #[test]
    fn first_max_prefers_the_first() {
        let nan = f64::NAN;
        let cases: [(&[f64], usize); 6] = [
            (&[], 0),
            (&[1.0], 0),
            (&[1.0, 3.0, 3.0], 1),
            (&[-1.0, -2.0], 0),
            (&[nan, 1.0], 0),
            (&[0.0, nan, 1.0], 2),
        ];
        for (values, expected) in cases {
            let lanes: Vec<[f64; 2]> = values.iter().map(|&value| [value; 2]).collect();
            assert_eq!(first_max(&lanes), [expected; 2], "{values:?}");
        }
    }
}
