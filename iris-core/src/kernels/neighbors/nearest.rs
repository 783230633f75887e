//! The nearest of many samples, without the matrix of all distances.
//!
//! A first pass measures in the samples' own type, in blocks that stay in registers, and keeps every sample whose distance
//! is not, for certain, too large. A second pass measures those few as the graph would, and puts them in order. Where there
//! are no vectors it measures all.
//!
//! Of Euclidean distances the first pass knows `|x - y|² - |x|² = |y|² - 2 x · y`, one product a feature, of samples and rows
//! from which the centre of the samples is subtracted, so that little cancels. The error of that is bounded as in Higham,
//! Accuracy and Stability of Numerical Algorithms, section 3.1: see [`Shortlist::lower_limit`].
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]
#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    clippy::needless_bitwise_bool,
    reason = "what is not a number passes, and a loop over comparisons is vector code"
)]

use pulp::{Simd, WithSimd};

use crate::kernels::array::each;
use crate::kernels::neighbors::metric::{Distance, Metric};
use crate::kernels::ranks::{Lowest, of_float};
use crate::kernels::real::Real;
use crate::kernels::simd::has_vectors;

/// How many samples lie side by side, one feature after the other: a multiple of any register's size.
const PANEL: usize = 32;
/// How many rows are measured at once.
const ROWS: usize = 4;
/// How many panels are measured before the shortlists are made longer.
const GROUP: usize = 16;
/// How many rows see a group of panels before the next one is taken.
const BATCH: usize = 64;

/// The samples to choose from.
#[derive(Debug)]
#[allow(
    clippy::struct_field_names,
    reason = "`n_samples` is its name everywhere"
)]
pub(crate) struct Samples<T> {
    n_samples: usize,
    n_features: usize,
    /// `[n_samples, n_features]`.
    rows: Vec<T>,
    /// What is subtracted from rows and samples before the first pass: zeros if it measures Manhattan distances.
    centre: Vec<T>,
    /// Samples without it, `[n_samples / PANEL, n_features, PANEL]`, rounded up; what is at the end is no sample.
    panels: Vec<T>,
    /// With what the sums of the first pass begin, for each sample of the panels: the squares of their lengths, less what the
    /// sums may be too large by, or zeros.
    starts: Vec<T>,
}

/// What to find.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query {
    pub(crate) distance: Distance,
    /// No more than there are samples, and not 0.
    pub(crate) k: usize,
    /// Whether what is not a number comes first, and not last.
    pub(crate) nan_first: bool,
}

impl Query {
    /// The place of a distance among others.
    fn rank(&self, distance: f64) -> u64 {
        if self.nan_first && distance.is_nan() {
            0
        } else {
            of_float(distance)
        }
    }
}

impl<T: Real> Samples<T> {
    /// `rows` is `[n_samples, n_features]`, of which neither is 0.
    pub(crate) fn new(rows: Vec<T>, n_features: usize, metric: Metric) -> Self {
        let n_samples = rows.len() / n_features;
        let centre: Vec<T> = match metric {
            Metric::SqEuclidean => means(&rows, n_features),
            Metric::Manhattan => vec![T::default(); n_features],
        };
        let n_places = n_samples.next_multiple_of(PANEL);
        let mut panels = vec![T::default(); n_places * n_features];
        let mut starts = vec![T::default(); n_places];
        for (index, row) in rows.chunks_exact(n_features).enumerate() {
            let panel = &mut panels[index / PANEL * PANEL * n_features..];
            let mut square = 0.0;
            for (feature, (&y, &centre)) in row.iter().zip(&centre).enumerate() {
                let y = y - centre;
                panel[feature * PANEL + index % PANEL] = y;
                square += y.to_f64() * y.to_f64();
            }
            if metric == Metric::SqEuclidean {
                starts[index] = T::from_f64(square * (1.0 - error::<T>(n_features)));
            }
        }
        Self {
            n_samples,
            n_features,
            rows,
            centre,
            panels,
            starts,
        }
    }

    pub(crate) fn n_features(&self) -> usize {
        self.n_features
    }

    fn row(&self, index: usize) -> &[T] {
        &self.rows[index * self.n_features..][..self.n_features]
    }
}

/// The means of the features, or 0 where one is not a number.
fn means<T: Real>(rows: &[T], n_features: usize) -> Vec<T> {
    let mut sums = vec![0.0; n_features];
    for row in rows.chunks_exact(n_features) {
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += x.to_f64();
        }
    }
    let n_samples = (rows.len() / n_features) as f64;
    let means = sums.into_iter().map(|sum| sum / n_samples);
    let means = means.map(|mean| if mean.is_finite() { mean } else { 0.0 });
    means.map(T::from_f64).collect()
}

/// More, in proportion, than the terms of a sum of the first pass may be wrong by, and twice as much as a distance that is
/// measured as the graph would.
fn error<T: Real>(n_features: usize) -> f64 {
    4.0 * (n_features + 8) as f64 * T::EPSILON
}

/// Finds the nearest samples of each row of `x` `[n_rows, n_features]`: their distances and their indices, `[n_rows, k]`,
/// the nearest first, and the first of those that are equally near.
pub(crate) struct Nearest<'a, T> {
    pub(crate) samples: &'a Samples<T>,
    pub(crate) query: Query,
    pub(crate) x: &'a [T],
    pub(crate) values: &'a mut [T],
    pub(crate) indices: &'a mut [i64],
}

/// What the first pass knows of a row.
struct Shortlist<T> {
    /// The distances of all samples that may be among the nearest.
    candidates: Vec<(T, usize)>,
    /// The smallest of them, `k`, in order; infinite where there are fewer.
    smallest: Vec<T>,
    /// Above this a distance is too large.
    limit: T,
    /// What the distances of the first pass are less than what they stand for: `|x|²`, or 0.
    square: f64,
}

impl<T: Real> Shortlist<T> {
    fn new(k: usize) -> Self {
        Self {
            candidates: Vec::new(),
            smallest: vec![T::from_f64(f64::INFINITY); k],
            limit: T::from_f64(f64::INFINITY),
            square: 0.0,
        }
    }

    /// Begins with another row.
    fn clear(&mut self) {
        self.candidates.clear();
        self.smallest.fill(T::from_f64(f64::INFINITY));
        self.limit = T::from_f64(f64::INFINITY);
    }

    /// Lowers the limit to what the candidates from the `first` on allow.
    fn count(&mut self, first: usize, error: f64) {
        let mut kth = None;
        for &(distance, _) in &self.candidates[first..] {
            kth = insert(&mut self.smallest, distance).or(kth);
        }
        if let Some(kth) = kth {
            self.lower_limit(kth, error);
        }
    }

    /// There are `k` samples whose distances are `kth` or less, by the first pass.
    ///
    /// With `e` for the error, and `|y|²` in the sums too small by `e |y|²`: a sum is no more than `e |x|²` above
    /// `d - |x|²`, where `d` is the distance, and no more than `2 e |y|² + e |x|²` below it. The `k` samples are no further
    /// from the centre than `|y|² <= 2 |x|² + 2 d`, hence none of their `d` is above `(kth + |x|²) (1 + 5 e) + 12 e |x|²`.
    /// What remains up to the limit is for the errors of the distances that are measured in the end.
    #[inline(always)]
    fn lower_limit(&mut self, kth: T, error: f64) {
        const LARGEST_ERROR: f64 = 0.02;

        let square = self.square;
        let distance = (kth.to_f64() + square).max(0.0) * (1.0 + 8.0 * error);
        // Where terms underflow the error is no longer relative.
        let limit = distance + 16.0 * error * square - square + 2.0 * T::MIN_POSITIVE;
        // Nor is it where sums may overflow.
        let is_sure = error < LARGEST_ERROR && square <= T::MAX / 64.0 && limit <= T::MAX / 4.0;
        if is_sure && limit < self.limit.to_f64() {
            self.limit = T::from_f64(limit);
        }
    }
}

/// Puts `x` among `smallest`, which are in order, if it is smaller than the last, and gives the new last.
#[inline(always)]
fn insert<T: PartialOrd + Copy>(smallest: &mut [T], x: T) -> Option<T> {
    let last = smallest.last_mut().filter(|last| x < **last)?;
    *last = x;
    let mut at = smallest.len() - 1;
    while at > 0 && smallest[at - 1] > x {
        smallest.swap(at - 1, at);
        at -= 1;
    }
    smallest.last().copied()
}

impl<T: Real> WithSimd for Nearest<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            samples,
            query,
            x,
            values,
            indices,
        } = self;
        let (n_features, k) = (samples.n_features, query.k);
        let n_rows = BATCH.min(x.len() / n_features);
        let mut packed = vec![T::default(); n_rows.next_multiple_of(ROWS) * n_features];
        let mut shortlists: Vec<Shortlist<T>> = (0..n_rows).map(|_| Shortlist::new(k)).collect();
        let mut near: Vec<(T, usize)> = Vec::new();
        let mut nearest = Lowest::new(k);
        let batches = x
            .chunks(BATCH * n_features)
            .zip(values.chunks_mut(BATCH * k))
            .zip(indices.chunks_mut(BATCH * k));
        for ((x, values), indices) in batches {
            let n_rows = x.len() / n_features;
            let shortlists = &mut shortlists[..n_rows];
            shortlists.iter_mut().for_each(Shortlist::clear);
            if has_vectors::<S>() {
                pack(x, samples, query.distance.metric, &mut packed, shortlists);
                measure(simd, samples, query, &packed, shortlists);
            }
            let rows = x
                .chunks_exact(n_features)
                .zip(shortlists)
                .zip(values.chunks_exact_mut(k).zip(indices.chunks_exact_mut(k)));
            for ((x, shortlist), (values, indices)) in rows {
                let limit = shortlist.limit;
                let candidates = shortlist.candidates.iter();
                near.clear();
                let measured =
                    |index: usize| (query.distance.between(x, samples.row(index)), index);
                if has_vectors::<S>() {
                    let candidates = candidates.filter(|(d, _)| !(*d > limit));
                    near.extend(candidates.map(|&(_, index)| measured(index)));
                } else {
                    near.extend((0..samples.n_samples).map(measured));
                }
                for (place, (distance, _)) in near.iter().enumerate() {
                    nearest.see(query.rank(distance.to_f64()), place);
                }
                for ((place, value), index) in nearest.take().zip(values).zip(indices) {
                    *value = near[place].0;
                    *index = near[place].1 as i64;
                }
            }
        }
    }
}

/// Puts the rows of `x`, as the first pass takes them, into `packed` as `[n_rows / ROWS, n_features, ROWS]`; what is left there
/// of other rows is harmless.
fn pack<T: Real>(
    x: &[T],
    samples: &Samples<T>,
    metric: Metric,
    packed: &mut [T],
    shortlists: &mut [Shortlist<T>],
) {
    let n_features = samples.n_features;
    let rows = x.chunks_exact(n_features).zip(shortlists);
    for (index, (row, shortlist)) in rows.enumerate() {
        let block = &mut packed[index / ROWS * ROWS * n_features..];
        let places = block.iter_mut().skip(index % ROWS).step_by(ROWS);
        let mut square = 0.0;
        for (place, (&x, &centre)) in places.zip(row.iter().zip(&samples.centre)) {
            let x = x - centre;
            square += x.to_f64() * x.to_f64();
            *place = match metric {
                Metric::SqEuclidean => T::from_f64(-2.0 * x.to_f64()),
                Metric::Manhattan => x,
            };
        }
        if metric == Metric::SqEuclidean {
            shortlist.square = square;
        }
    }
}

/// The first pass over all samples.
#[inline(always)]
fn measure<T: Real, S: Simd>(
    simd: S,
    samples: &Samples<T>,
    query: Query,
    packed: &[T],
    shortlists: &mut [Shortlist<T>],
) {
    let n_features = samples.n_features;
    let error = error::<T>(n_features);
    let infinity = T::from_f64(f64::INFINITY);
    let mut distances = [[[infinity; PANEL]; ROWS]; GROUP];
    let groups = samples.panels.chunks(GROUP * PANEL * n_features);
    let groups = groups.zip(samples.starts.chunks(GROUP * PANEL));
    for ((group, starts), first) in groups.zip((0..).step_by(GROUP * PANEL)) {
        let n_here = (GROUP * PANEL).min(samples.n_samples - first);
        let blocks = packed.chunks_exact(ROWS * n_features);
        for (x, shortlists) in blocks.zip(shortlists.chunks_mut(ROWS)) {
            let panels = group.chunks_exact(PANEL * n_features);
            let panels = panels.zip(starts.chunks_exact(PANEL));
            for (panel, distances) in panels.zip(&mut distances) {
                match (query.distance.metric, shortlists.len()) {
                    (Metric::SqEuclidean, 1) => {
                        block::<T, S, 1, true>(simd, panel, x, distances);
                    }
                    (Metric::SqEuclidean, _) => {
                        block::<T, S, ROWS, true>(simd, panel, x, distances);
                    }
                    (Metric::Manhattan, 1) => {
                        block::<T, S, 1, false>(simd, panel, x, distances);
                    }
                    (Metric::Manhattan, _) => {
                        block::<T, S, ROWS, false>(simd, panel, x, distances);
                    }
                }
            }
            for (row, shortlist) in shortlists.iter_mut().enumerate() {
                let lines = || {
                    let lengths = (0..n_here).step_by(PANEL).map(|at| PANEL.min(n_here - at));
                    let lines = distances.iter().map(|distances| &distances[row]);
                    lines.zip(lengths).map(|(line, len)| &line[..len])
                };
                let has_bound = query.k <= PANEL && n_here > PANEL;
                if has_bound {
                    shortlist.lower_limit(kth_of_minima(lines(), query.k), error);
                }
                for (line, first) in lines().zip((first..).step_by(PANEL)) {
                    let limit = shortlist.limit;
                    let n_before = shortlist.candidates.len();
                    let mut near = within(line, limit);
                    while near != 0 {
                        let place = near.trailing_zeros() as usize;
                        let candidate = (line[place], first + place);
                        shortlist.candidates.push(candidate);
                        near &= near - 1;
                    }
                    // The bound is nearly as low as counting makes it, until another group is measured.
                    if !has_bound || n_here < samples.n_samples {
                        shortlist.count(n_before, error);
                    }
                }
            }
        }
    }
}

/// A bit for each place of a distance that is not above `limit`. What is not a number is no reason to leave a sample out.
#[inline(always)]
fn within<T: PartialOrd + Copy>(line: &[T], limit: T) -> u32 {
    // A line whose length is known becomes vector code.
    match line.first_chunk::<PANEL>() {
        Some(line) => bits(line, limit),
        None => bits(line, limit),
    }
}

#[inline(always)]
fn bits<T: PartialOrd + Copy>(line: &[T], limit: T) -> u32 {
    let places = line.iter().enumerate();
    places.fold(0, |all, (place, distance)| {
        all | u32::from(!(*distance > limit)) << place
    })
}

/// A distance that `k` of them do not exceed, cheaply: of the smallest at each place of the lines, the `k`th.
#[inline(always)]
fn kth_of_minima<'a, T: Real>(lines: impl Iterator<Item = &'a [T]>, k: usize) -> T {
    let mut minima = [T::from_f64(f64::INFINITY); PANEL];
    for line in lines {
        if let Some(line) = line.first_chunk::<PANEL>() {
            for (minimum, &distance) in minima.iter_mut().zip(line) {
                *minimum = smaller(distance, *minimum);
            }
        }
    }
    let (halves, _) = minima.as_chunks::<{ PANEL / 2 }>();
    match *halves {
        // Half as many minima are nearly as good where they are still many.
        [first, second] if k <= PANEL / 4 => {
            let minima: [T; PANEL / 2] = each(|place| smaller(first[place], second[place]));
            kth_smallest(minima, k)
        }
        _ => kth_smallest(minima, k),
    }
}

/// `a`, unless `b` is smaller or `a` is not a number.
#[inline(always)]
fn smaller<T: PartialOrd>(a: T, b: T) -> T {
    if a < b { a } else { b }
}

/// The `k`th of `numbers`, which is the largest of those that fewer than `k` are smaller than.
#[inline(always)]
fn kth_smallest<T: Real, const N: usize>(numbers: [T; N], k: usize) -> T {
    let mut n_smaller = [0_u32; N];
    for other in numbers {
        for (n_smaller, &number) in n_smaller.iter_mut().zip(&numbers) {
            *n_smaller += u32::from(other < number);
        }
    }
    let mut kth = T::from_f64(f64::NEG_INFINITY);
    for (number, n_smaller) in numbers.into_iter().zip(n_smaller) {
        let is_larger = (n_smaller as usize) < k && number > kth;
        kth = if is_larger { number } else { kth };
    }
    kth
}

/// The distances of the first `R` rows of the block `x` from the samples of a panel, whose sums begin with `starts`: products
/// if they are `EUCLIDEAN`.
#[inline(always)]
fn block<T: Real, S: Simd, const R: usize, const EUCLIDEAN: bool>(
    simd: S,
    (panel, starts): (&[T], &[T]),
    x: &[T],
    distances: &mut [[T; PANEL]; ROWS],
) {
    /// How many vectors of samples are measured at once.
    const VECTORS: usize = 2;
    let (x, _) = x.as_chunks::<ROWS>();
    let (starts, _) = T::vectors::<S>(starts).as_chunks::<VECTORS>();
    for (first, &starts) in (0..).step_by(VECTORS).zip(starts) {
        let mut sums = [starts; R];
        for (x, panel) in x.iter().zip(panel.as_chunks::<PANEL>().0) {
            let Some(y) = T::vectors::<S>(panel)
                .get(first..)
                .and_then(<[_]>::first_chunk::<VECTORS>)
            else {
                continue;
            };
            for (sums, &x) in sums.iter_mut().zip(x) {
                let x = T::splat(simd, x);
                for (sum, &y) in sums.iter_mut().zip(y) {
                    *sum = if EUCLIDEAN {
                        T::mul_add(simd, x, y, *sum)
                    } else {
                        let difference = T::difference(simd, x, y);
                        T::sum(simd, *sum, T::abs(simd, difference))
                    };
                }
            }
        }
        for (distances, sums) in distances.iter_mut().zip(&sums) {
            let distances = T::vectors_mut::<S>(distances).get_mut(first..).into_iter();
            for (distance, &sum) in distances.flatten().zip(sums) {
                *distance = sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;
    use crate::kernels::simd;

    const NAN: f64 = f64::NAN;

    /// Numbers that look random, on a grid that makes for ties.
    fn numbers(n: usize, seed: u64) -> Vec<f64> {
        let mut state = seed;
        let next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            ((state >> 33) % 23) as f64 / 7.0 - 1.5
        };
        std::iter::repeat_with(next).take(n).collect()
    }

    fn nearest<T: Real>(samples: &[T], x: &[T], n_features: usize, query: Query) -> [Vec<f64>; 2] {
        let samples = Samples::new(samples.to_vec(), n_features, query.distance.metric);
        let n = x.len() / n_features * query.k;
        let (mut values, mut indices) = (vec![T::default(); n], vec![0; n]);
        simd::dispatch(Nearest {
            samples: &samples,
            query,
            x,
            values: &mut values,
            indices: &mut indices,
        });
        [
            values.iter().map(|value| value.to_f64()).collect(),
            indices.iter().map(|&index| index as f64).collect(),
        ]
    }

    fn compare<T: PartialOrd + Copy>(a: T, b: T, nan_first: bool) -> Ordering {
        let is_nan = |x: T| x.partial_cmp(&x).is_none();
        a.partial_cmp(&b).unwrap_or_else(|| {
            let order = is_nan(a).cmp(&is_nan(b));
            if nan_first { order.reverse() } else { order }
        })
    }

    fn naive<T: Real>(samples: &[T], x: &[T], n_features: usize, query: Query) -> [Vec<f64>; 2] {
        let (mut values, mut indices) = (vec![], vec![]);
        for x in x.chunks_exact(n_features) {
            let mut all: Vec<(T, usize)> = samples
                .chunks_exact(n_features)
                .zip(0..)
                .map(|(y, index)| (query.distance.between(x, y), index))
                .collect();
            all.sort_by(|a, b| compare(a.0, b.0, query.nan_first));
            values.extend(all[..query.k].iter().map(|(value, _)| value.to_f64()));
            indices.extend(all[..query.k].iter().map(|&(_, index)| index as f64));
        }
        [values, indices]
    }

    fn queries(n_samples: usize) -> impl Iterator<Item = Query> {
        let metrics = [Metric::SqEuclidean, Metric::Manhattan];
        let ks = [1, 2, 5, 40, n_samples];
        metrics.into_iter().flat_map(move |metric| {
            let ks = ks.into_iter().filter(move |&k| k <= n_samples);
            ks.flat_map(move |k| {
                [false, true].map(|flag| Query {
                    distance: Distance {
                        metric,
                        root: flag,
                        wide: k % 2 == 0,
                    },
                    k,
                    nan_first: flag,
                })
            })
        })
    }

    fn check<T: Real>(samples: &[f64], x: &[f64], n_features: usize) {
        let of_type = |values: &[f64]| values.iter().map(|&x| T::from_f64(x)).collect::<Vec<T>>();
        let (samples, x) = (of_type(samples), of_type(x));
        for query in queries(samples.len() / n_features) {
            let got = nearest(&samples, &x, n_features, query);
            let expected = naive(&samples, &x, n_features, query);
            assert_eq!(got[1], expected[1], "{query:?}");
            let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&got[0]), bits(&expected[0]), "{query:?}");
        }
    }

    #[test]
    fn finds_what_sorting_all_distances_finds() {
        for (n_samples, n_rows, n_features) in [
            (1, 1, 1),
            (7, 5, 2),
            (33, 1, 3),
            (150, 67, 4),
            (90, 131, 17),
        ] {
            let samples = numbers(n_samples * n_features, 1);
            let x = numbers(n_rows * n_features, 2);
            check::<f32>(&samples, &x, n_features);
            check::<f64>(&samples, &x, n_features);
        }
        check::<f32>(&numbers(40, 3), &[], 4);
    }

    #[test]
    fn is_not_misled_by_cancellation_or_by_what_no_type_holds() {
        let large: Vec<f64> = numbers(300, 4).iter().map(|x| 1e6 + x * 1e-3).collect();
        check::<f32>(&large, &large[..60], 3);
        for scale in [1e-23, 1e-44, 1e18, 1e30, 1e38] {
            let scaled: Vec<f64> = numbers(300, 5).iter().map(|x| x * scale).collect();
            check::<f32>(&scaled, &scaled[..60], 3);
        }
        // Clusters far from their centre, rows far from all samples, and one sample far from all others.
        for (far, near) in [(1e4, 1e-2), (3.0, 1e-6), (1e19, 1e17), (1e12, 1.0)] {
            let mut clusters: Vec<f64> = numbers(3000, 7).iter().map(|x| x * near).collect();
            let (_, second) = clusters.split_at_mut(1500);
            second.iter_mut().for_each(|x| *x += far);
            check::<f32>(&clusters[..2000], &clusters[1000..], 10);
            check::<f64>(&clusters[..2000], &clusters[1000..], 10);
            let mut samples = clusters[..1500].to_vec();
            check::<f32>(&samples, &clusters[1400..1600], 10);
            samples[15] = far;
            check::<f32>(&samples, &clusters[1400..1600], 10);
        }
        let wide = numbers(40_000, 8);
        check::<f32>(&wide[..30_000], &wide[29_000..], 500);
        let mut odd = numbers(300, 6);
        for (at, x) in [
            (3, NAN),
            (40, f64::INFINITY),
            (77, -f64::INFINITY),
            (200, NAN),
        ] {
            odd[at] = x;
        }
        check::<f32>(&odd, &odd[..120], 3);
        check::<f64>(&odd, &odd[..120], 3);
    }
}
