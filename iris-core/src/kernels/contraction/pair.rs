//! The numbers that a contraction is of, and the axes of its operands.

use crate::error::Result;
use crate::kernels::contraction::labels::Label;
use crate::kernels::contraction::matrices;

/// What products are computed in.
pub(crate) trait Number: Copy + Default + 'static {
    /// The number 1.
    const ONE: &'static [Self];

    /// `self + a * b`
    fn plus_product(self, a: Self, b: Self) -> Self;

    fn plus(self, other: Self) -> Self;

    /// As [`matrices::multiply`], if there is a kernel for it.
    fn multiply(pair: &Pair<'_, Self>, c: &mut [Self]) -> Result<bool>;
}

macro_rules! float {
    ($float:ty) => {
        impl Number for $float {
            const ONE: &'static [Self] = &[1.0];

            #[inline]
            fn plus_product(self, a: Self, b: Self) -> Self {
                self + a * b
            }

            #[inline]
            fn plus(self, other: Self) -> Self {
                self + other
            }

            fn multiply(pair: &Pair<'_, Self>, c: &mut [Self]) -> Result<bool> {
                matrices::multiply(pair, c)
            }
        }
    };
}
float!(f32);
float!(f64);

impl Number for i64 {
    const ONE: &'static [Self] = &[1];

    #[inline]
    fn plus_product(self, a: Self, b: Self) -> Self {
        self.wrapping_add(a.wrapping_mul(b))
    }

    #[inline]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    fn multiply(_pair: &Pair<'_, Self>, _c: &mut [Self]) -> Result<bool> {
        Ok(false)
    }
}

/// A set of labels.
pub(crate) type Set = u64;

pub(crate) fn set<'a>(labels: impl IntoIterator<Item = &'a Label>) -> Set {
    labels.into_iter().fold(0, |set, label| set | 1 << label)
}

/// An axis of a product of two factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    pub(crate) size: usize,
    /// How far apart the numbers are: in either factor, and in the product, where it is 0 if they are summed.
    pub(crate) strides: [usize; 3],
}

/// Two factors, and the axes of their product, in its order, before those that are summed.
pub(crate) struct Pair<'a, T> {
    pub(crate) factors: [&'a [T]; 2],
    pub(crate) axes: Vec<Axis>,
}
