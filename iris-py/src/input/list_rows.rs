//! Rows given as lists or tuples of numbers.

use iris_core::Rows;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::Types;

/// The numbers of a list of rows.
#[derive(Default)]
pub(crate) struct ListRows {
    values: Vec<f64>,
    n_samples: usize,
    /// The width of the first row.
    width: usize,
    /// The width of every row, once one differs from the first.
    ragged: Option<Vec<usize>>,
}

impl ListRows {
    /// Reads `x` if it is a list or tuple of at least one list or tuple of numbers, and of nothing else.
    pub(crate) fn from_python(x: &Bound<'_, PyAny>) -> Option<Self> {
        let mut rows = Self::default();
        let mut types = Types::default();
        let is_batch = for_all(x, |row| {
            let start = rows.values.len();
            let is_row = for_all(row, |number| {
                let value = types.is_number(number).then(|| number.extract());
                match value {
                    Some(Ok(value)) => {
                        rows.values.push(value);
                        true
                    }
                    _ => false,
                }
            });
            rows.end_row(start);
            is_row
        });
        (is_batch && rows.n_samples > 0).then_some(rows)
    }

    /// Makes a row of the values since `start`.
    fn end_row(&mut self, start: usize) {
        let width = self.values.len() - start;
        if self.n_samples == 0 {
            self.width = width;
        } else if width != self.width && self.ragged.is_none() {
            self.ragged = Some(vec![self.width; self.n_samples]);
        }
        if let Some(widths) = &mut self.ragged {
            widths.push(width);
        }
        self.n_samples += 1;
    }
}

/// Whether `x` is a list or tuple and `holds` for each of its items; asks no further than the first for which it does not.
fn for_all<'py>(x: &Bound<'py, PyAny>, mut holds: impl FnMut(&Bound<'py, PyAny>) -> bool) -> bool {
    if let Ok(list) = x.cast::<PyList>() {
        list.iter().all(|item| holds(&item))
    } else if let Ok(tuple) = x.cast::<PyTuple>() {
        tuple.iter_borrowed().all(|item| holds(&item))
    } else {
        false
    }
}

impl Rows for ListRows {
    type Element = f64;

    fn n_samples(&self) -> usize {
        self.n_samples
    }

    fn n_features(&self, row: usize) -> usize {
        self.ragged
            .as_ref()
            .map_or(self.width, |widths| widths[row])
    }

    fn fixed_width(&self) -> Option<usize> {
        self.ragged.is_none().then_some(self.width)
    }

    /// The number at `row`, `column` of a batch whose rows have one width; others are refused before they are read.
    fn get(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.width + column]
    }

    fn contiguous(&self) -> Option<&[f64]> {
        self.ragged.is_none().then_some(&self.values)
    }
}
