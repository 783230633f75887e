//! A matrix packed into panels, and the layers that multiply by it.

use crate::error;
use crate::error::Result;
use crate::kernels::real::Real;

/// How many columns of `B` lie side by side: a multiple of any register's size.
pub(crate) const PANEL: usize = 32;

/// `A` `[m, k]` times `B` `[k, n]`, plus `bias` `[n]`, and no less than 0 if `relu` is set.
#[derive(Debug)]
pub(crate) struct Product<T> {
    pub(crate) k: usize,
    pub(crate) n: usize,
    /// `[n / PANEL, k, PANEL]`, rounded up, with zeros at the end.
    pub(crate) panels: Vec<T>,
    /// As long as the panels are wide; zeros if there is none.
    pub(crate) bias: Vec<T>,
    /// Whether to each row the sum of the squares of the row of `A` is added, before the bias.
    pub(crate) adds_squares: bool,
    pub(crate) relu: bool,
}

/// Products of which each takes what the one before it gives.
#[derive(Debug)]
pub(crate) struct Layers<T> {
    /// What is subtracted from each row before the first one, if anything is.
    pub(crate) mean: Option<Vec<T>>,
    pub(crate) products: Vec<Product<T>>,
}

/// The first `n` multiples of `step`.
pub(crate) fn places(n: usize, step: usize) -> Vec<usize> {
    (0..n).map(|i| i * step).collect()
}

impl<T: Real> Product<T> {
    /// The product with a matrix of `n` columns and no rows.
    pub(crate) fn of_nothing(n: usize) -> Self {
        Self {
            k: 0,
            n,
            panels: vec![],
            bias: vec![T::default(); n.next_multiple_of(PANEL)],
            adds_squares: false,
            relu: false,
        }
    }

    /// Puts a matrix `[k, n]` into the panels, of which what is in a row and a column is in `b` at the sum of their places.
    pub(crate) fn pack(&mut self, b: &[T], rows: &[usize], columns: &[usize]) {
        self.k = rows.len();
        // What is beyond the last column may be anything.
        self.panels.resize(self.bias.len() * self.k, T::default());
        let panels = self.panels.chunks_exact_mut(PANEL * self.k.max(1));
        for (panel, columns) in panels.zip(columns.chunks(PANEL)) {
            let (first, len) = (columns[0], columns.len());
            let is_line = columns.iter().zip(first..).all(|(&at, next)| at == next);
            let (lines, _) = panel.as_chunks_mut::<PANEL>();
            for (line, &row) in lines.iter_mut().zip(rows) {
                let b = &b[row..];
                match b.get(first..).and_then(|b| b.first_chunk::<PANEL>()) {
                    Some(all) if is_line && len == PANEL => *line = *all,
                    _ if is_line => line[..len].copy_from_slice(&b[first..][..len]),
                    _ => {
                        for (slot, &column) in line.iter_mut().zip(columns) {
                            *slot = b[column];
                        }
                    }
                }
            }
        }
    }

    /// Multiplies `B` by `factor`.
    pub(crate) fn scale(&mut self, factor: f64) {
        for number in &mut self.panels {
            *number = T::from_f64(number.to_f64() * factor);
        }
    }
}

impl<T: Real> Layers<T> {
    pub(crate) fn ends(&self) -> Result<(&Product<T>, &Product<T>)> {
        let ends = self.products.first().zip(self.products.last());
        ends.ok_or_else(|| error::invalid("no layers"))
    }
}
