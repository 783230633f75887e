//! What `predict` takes: a 2-D batch, however the caller holds it.

use ndarray::{ArrayBase, Data, Ix2};

mod sealed {
    pub trait Sealed {}
}

/// A number a batch may be made of: `f32`, `f64`, `i32` or `i64`.
pub trait Element: Copy + sealed::Sealed + 'static {
    /// The number as `f32`, rounded to nearest.
    fn to_f32(self) -> f32;
    /// The number as `f64`.
    fn to_f64(self) -> f64;
}

macro_rules! element {
    ($($number:ty),*) => {$(
        impl sealed::Sealed for $number {}
        impl Element for $number {
            fn to_f32(self) -> f32 {
                self as f32
            }
            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    )*};
}
element!(f32, f64, i32, i64);

/// One row of a batch held as a list of rows.
pub trait Row {
    /// The type of its numbers.
    type Element: Element;
    /// The numbers, `[n_features]`.
    fn values(&self) -> &[Self::Element];
}

impl<E: Element> Row for [E] {
    type Element = E;
    fn values(&self) -> &[E] {
        self
    }
}

impl<E: Element, const N: usize> Row for [E; N] {
    type Element = E;
    fn values(&self) -> &[E] {
        self
    }
}

impl<E: Element> Row for Vec<E> {
    type Element = E;
    fn values(&self) -> &[E] {
        self
    }
}

impl<R: Row + ?Sized> Row for &R {
    type Element = R::Element;
    fn values(&self) -> &[R::Element] {
        (**self).values()
    }
}

/// A batch `[n_samples, n_features]`: an array, slice or vector of rows, or a 2-D `ndarray` of any layout.
///
/// Rows of a list may turn out to have different lengths; that is an error where the batch is used.
pub trait Rows {
    /// The type of its numbers.
    type Element: Element;
    /// How many rows there are.
    fn n_samples(&self) -> usize;
    /// How many numbers row `row` has.
    fn n_features(&self, row: usize) -> usize;
    /// The width of every row where the type fixes it, even for a batch of no rows.
    fn fixed_width(&self) -> Option<usize> {
        None
    }
    /// The number at `row`, `column`.
    fn get(&self, row: usize, column: usize) -> Self::Element;
    /// All numbers row by row, where they lie so in memory.
    fn contiguous(&self) -> Option<&[Self::Element]> {
        None
    }
}

impl<R: Row> Rows for [R] {
    type Element = R::Element;
    fn n_samples(&self) -> usize {
        self.len()
    }
    fn n_features(&self, row: usize) -> usize {
        self[row].values().len()
    }
    fn get(&self, row: usize, column: usize) -> R::Element {
        self[row].values()[column]
    }
}

macro_rules! delegate_to_slice {
    ($([$($generics:tt)*] $rows:ty),*) => {$(
        impl<$($generics)*> Rows for $rows {
            type Element = R::Element;
            fn n_samples(&self) -> usize {
                self.as_slice().n_samples()
            }
            fn n_features(&self, row: usize) -> usize {
                self.as_slice().n_features(row)
            }
            fn get(&self, row: usize, column: usize) -> R::Element {
                self[row].values()[column]
            }
        }
    )*};
}
delegate_to_slice!([R: Row, const M: usize] [R; M], [R: Row] Vec<R>);

impl<S: Data> Rows for ArrayBase<S, Ix2>
where
    S::Elem: Element,
{
    type Element = S::Elem;
    fn n_samples(&self) -> usize {
        self.nrows()
    }
    fn n_features(&self, _row: usize) -> usize {
        self.ncols()
    }
    fn fixed_width(&self) -> Option<usize> {
        Some(self.ncols())
    }
    fn get(&self, row: usize, column: usize) -> S::Elem {
        self[[row, column]]
    }
    fn contiguous(&self) -> Option<&[S::Elem]> {
        self.as_slice()
    }
}

impl<R: Rows + ?Sized> Rows for &R {
    type Element = R::Element;
    fn n_samples(&self) -> usize {
        (**self).n_samples()
    }
    fn n_features(&self, row: usize) -> usize {
        (**self).n_features(row)
    }
    fn fixed_width(&self) -> Option<usize> {
        (**self).fixed_width()
    }
    fn get(&self, row: usize, column: usize) -> R::Element {
        (**self).get(row, column)
    }
    fn contiguous(&self) -> Option<&[R::Element]> {
        (**self).contiguous()
    }
}
