//! How far one sample is from another.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use crate::kernels::real::Real;

/// What is summed over the features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metric {
    SqEuclidean,
    Manhattan,
}

impl Metric {
    /// The name by which an attribute tells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SqEuclidean => "sqeuclidean",
            Self::Manhattan => "manhattan",
        }
    }
}

/// A distance as a graph computes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Distance {
    pub(crate) metric: Metric,
    /// Whether its square root is taken.
    pub(crate) root: bool,
    /// Whether nothing is rounded to the type of the samples on the way, as in `CDist`.
    pub(crate) wide: bool,
}

/// Sums in as many lanes, so that the compiler can use vectors.
const LANES: usize = 8;

impl Distance {
    /// The distance of `x` from `y`, both `[n_features]`, summed in double.
    #[inline(always)]
    pub(crate) fn between<T: Real>(self, x: &[T], y: &[T]) -> T {
        let difference = |x: T, y: T| {
            if self.wide {
                x.to_f64() - y.to_f64()
            } else {
                (x - y).to_f64()
            }
        };
        let sum = match self.metric {
            Metric::SqEuclidean => sum(x, y, |x, y| {
                let difference = difference(x, y);
                difference * difference
            }),
            Metric::Manhattan => sum(x, y, |x, y| difference(x, y).abs()),
        };
        match (self.root, self.wide) {
            (false, _) => T::from_f64(sum),
            (true, true) => T::from_f64(sum.sqrt()),
            // The root of a float, taken in double and rounded, is the correctly rounded root.
            (true, false) => T::from_f64(T::from_f64(sum).to_f64().sqrt()),
        }
    }
}

#[inline(always)]
fn sum<T: Copy>(x: &[T], y: &[T], term: impl Fn(T, T) -> f64) -> f64 {
    let (x_lanes, x_rest) = x.as_chunks::<LANES>();
    let (y_lanes, y_rest) = y.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (x, y) in x_lanes.iter().zip(y_lanes) {
        for lane in 0..LANES {
            sums[lane] += term(x[lane], y[lane]);
        }
    }
    let rest = x_rest.iter().zip(y_rest).map(|(&x, &y)| term(x, y));
    rest.chain(sums).sum()
}
