//! What `predict` takes: a 2-D batch, however the caller holds it.

use ndarray::{ArrayBase, Data, Ix2};

use crate::value::view::Elements;

mod sealed {
    pub trait Sealed {}
}

/// A number a batch may be made of: `f32`, `f64`, `i32` or `i64`.
pub trait Element: Copy + sealed::Sealed + 'static {
    /// The number as `f32`, rounded to nearest.
    fn to_f32(self) -> f32;
    /// The number as `f64`.
    fn to_f64(self) -> f64;
    /// The number as `i64`, if it is a whole number in range.
    fn to_i64(self) -> Option<i64>;
    /// Numbers as the elements of a tensor.
    fn elements(numbers: &[Self]) -> Elements<'_>;
}

macro_rules! element {
    ($($number:ty: $to_i64:expr),*) => {$(
        impl sealed::Sealed for $number {}
        impl Element for $number {
            fn to_f32(self) -> f32 {
                self as f32
            }
            fn to_f64(self) -> f64 {
                self as f64
            }
            fn to_i64(self) -> Option<i64> {
                let to_i64: fn($number) -> Option<i64> = $to_i64;
                to_i64(self)
            }
            fn elements(numbers: &[Self]) -> Elements<'_> {
                numbers.into()
            }
        }
    )*};
}
element!(f32: |x| whole(x.into()), f64: whole, i32: |x| Some(x.into()), i64: Some);

fn whole(x: f64) -> Option<i64> {
    // 2^63 is the first whole number out of range, and a float.
    let in_range = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x);
    (in_range && x == x.trunc()).then_some(x as i64)
}

/// One row of a batch held as a list of rows.
pub trait Row {
    /// The type of its numbers.
    type Element: Element;
    /// The numbers, `[n_features]`.
    fn values(&self) -> &[Self::Element];
    /// The numbers of all rows, where they lie one after the other in memory.
    fn flat(_rows: &[Self]) -> Option<&[Self::Element]>
    where
        Self: Sized,
    {
        None
    }
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
    fn flat(rows: &[Self]) -> Option<&[E]> {
        Some(rows.as_flattened())
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
    fn contiguous(&self) -> Option<&[R::Element]> {
        R::flat(self)
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
            fn contiguous(&self) -> Option<&[R::Element]> {
                R::flat(self)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_kept_and_others_refused() {
        let cases = [
            (2.0_f64.to_i64(), Some(2)),
            ((-0.0_f32).to_i64(), Some(0)),
            (i64::MAX.to_i64(), Some(i64::MAX)),
            (i32::MIN.to_i64(), Some(i32::MIN.into())),
            ((-9_223_372_036_854_775_808.0_f64).to_i64(), Some(i64::MIN)),
            (9_223_372_036_854_775_808.0_f64.to_i64(), None),
            (1.5_f64.to_i64(), None),
            (f32::NAN.to_i64(), None),
            (f64::INFINITY.to_i64(), None),
        ];
        for (got, expected) in cases {
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn arrays_of_a_list_lie_one_after_the_other() {
        let rows = [[1.0_f32, 2.0], [3.0, 4.0]];
        let all: &[f32] = &[1.0, 2.0, 3.0, 4.0];
        assert_eq!(rows.contiguous(), Some(all));
        assert_eq!(rows[..].contiguous(), Some(all));
        assert_eq!(rows.to_vec().contiguous(), Some(all));
        assert_eq!(rows.map(Vec::from).contiguous(), None);
        assert_eq!([[0_i64; 0]; 3].contiguous(), Some(&[][..]));
    }
}
