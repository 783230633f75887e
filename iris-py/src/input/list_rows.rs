//! Reads a batch that is a list or tuple of rows, each a list or tuple of numbers, without NumPy.

use iris_core::Rows;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::input::number_types::NumberTypes;

/// A batch read from lists, row by row.
#[derive(Default)]
pub(crate) struct ListRows {
    values: Vec<f64>,
    n_samples: usize,
    /// How many numbers the first row has.
    width: usize,
    /// How many numbers each row has, once one has more or fewer than the first.
    ragged: Option<Vec<usize>>,
}

impl ListRows {
    /// Reads `x` if it is a list or tuple of at least one list or tuple of numbers, and of nothing else.
    pub(crate) fn from_python(x: &Bound<'_, PyAny>) -> Option<Self> {
        let mut rows = Self::default();
        let mut types = NumberTypes::default();
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

    /// Ends a row, which has the values from index `start` on.
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

/// Whether `x` is a list or tuple, and `holds` is true of each item; later items are not asked after the first failure.
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
