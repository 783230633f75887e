//! Products of two factors as products of matrices, of many of them if both have an axis that is not summed.

use crate::error::Result;
use crate::guard::interrupt;
use crate::kernels::contraction::pair::{Axis, Number, Pair};
use crate::kernels::matmul::panels::Packed;
use crate::kernels::real::Real;

/// Of fewer rows or columns, or of fewer products of numbers, loops make the sums as soon.
const FEWEST: usize = 4;
const FEWEST_PRODUCTS: usize = 1024;
/// How many rows are computed at once, of so many products each: copies of them stay in a cache.
const ROWS: usize = 480;
const SUMMED: usize = 1024;

/// Puts the product of `pair` into `c`, which is zeros, or says that it is none for matrices.
pub(crate) fn multiply<T: Real + Number>(pair: &Pair<'_, T>, c: &mut [T]) -> Result<bool> {
    let [mut a, mut b] = pair.factors;
    let mut axes = pair.axes.clone();
    // What lies side by side in the product are columns.
    let last = axes.iter().rfind(|axis| axis.strides[2] != 0);
    if last.is_some_and(|axis| axis.strides[1] == 0) {
        std::mem::swap(&mut a, &mut b);
        axes.iter_mut().for_each(|axis| axis.strides.swap(0, 1));
    }
    let [mut batch, mut rows, mut columns, mut summed] = [const { Vec::new() }; 4];
    for axis in axes {
        let group = match axis.strides.map(|stride| stride > 0) {
            [true, true, true] => &mut batch,
            [true, false, true] => &mut rows,
            [false, true, true] => &mut columns,
            [true, true, false] => &mut summed,
            // What only one factor has is summed.
            _ => return Ok(false),
        };
        group.push(axis);
    }
    let [m, k, n] = [&rows, &summed, &columns].map(|axes| volume(axes));
    if m.min(n) < FEWEST || m.saturating_mul(n).saturating_mul(k) < FEWEST_PRODUCTS {
        return Ok(false);
    }
    let mut matrices = Matrices {
        a,
        b,
        c,
        a_places: [places(&rows, 0), places(&summed, 0)],
        b_places: [places(&summed, 1), places(&columns, 1)],
        c_places: [places(&rows, 2), places(&columns, 2)],
        packed: Packed::new(n),
        a_copy: vec![],
        c_copy: vec![],
    };
    let [a_places, b_places, c_places] = [0, 1, 2].map(|tensor| places(&batch, tensor));
    for ((a, b), c) in a_places.into_iter().zip(b_places).zip(c_places) {
        matrices.multiply([a, b, c])?;
    }
    Ok(true)
}

fn volume(axes: &[Axis]) -> usize {
    axes.iter().map(|axis| axis.size).product()
}

/// Where the numbers along `axes` are in one of the factors or in the product.
fn places(axes: &[Axis], tensor: usize) -> Vec<usize> {
    let mut places = vec![0];
    for axis in axes {
        let along = (0..axis.size).map(|index| index * axis.strides[tensor]);
        let all = places
            .iter()
            .flat_map(|place| along.clone().map(move |along| place + along));
        places = all.collect();
    }
    places
}

/// Whether what is at `rows` and `columns` lies side by side, row after row.
fn is_matrix([rows, columns]: &[Vec<usize>; 2]) -> bool {
    let is_in_steps =
        |places: &[usize], step| places.iter().enumerate().all(|(i, &at)| at == i * step);
    is_in_steps(columns, 1) && is_in_steps(rows, columns.len())
}

/// Matrices that are multiplied, and where their rows and columns are.
struct Matrices<'a, T> {
    a: &'a [T],
    b: &'a [T],
    c: &'a mut [T],
    a_places: [Vec<usize>; 2],
    b_places: [Vec<usize>; 2],
    c_places: [Vec<usize>; 2],
    packed: Packed<T>,
    a_copy: Vec<T>,
    c_copy: Vec<T>,
}

impl<T: Real + Number> Matrices<'_, T> {
    /// Multiplies the matrices that begin at these places.
    fn multiply(&mut self, [a_first, b_first, c_first]: [usize; 3]) -> Result<()> {
        let (a, b) = (&self.a[a_first..], &self.b[b_first..]);
        let c = &mut self.c[c_first..];
        let [a_rows, a_summed] = &self.a_places;
        let [b_summed, b_columns] = &self.b_places;
        let [c_rows, c_columns] = &self.c_places;
        let n = c_columns.len();
        let is_whole = a_summed.len() <= SUMMED;
        let a_is_matrix = is_whole && is_matrix(&self.a_places);
        let c_is_matrix = is_whole && is_matrix(&self.c_places);
        for (a_summed, b_summed) in a_summed.chunks(SUMMED).zip(b_summed.chunks(SUMMED)) {
            self.packed.pack(b, b_summed, b_columns);
            for (a_rows, c_rows) in a_rows.chunks(ROWS).zip(c_rows.chunks(ROWS)) {
                interrupt::check()?;
                let (m, k) = (a_rows.len(), a_summed.len());
                let a = if a_is_matrix {
                    &a[a_rows[0]..][..m * k]
                } else {
                    self.a_copy.clear();
                    for &row in a_rows {
                        let row = &a[row..];
                        self.a_copy.extend(a_summed.iter().map(|&at| row[at]));
                    }
                    &self.a_copy
                };
                if c_is_matrix {
                    self.packed.multiply(a, &mut c[c_rows[0]..][..m * n]);
                    continue;
                }
                self.c_copy.resize(m * n, T::default());
                self.packed.multiply(a, &mut self.c_copy[..m * n]);
                for (&row, sums) in c_rows.iter().zip(self.c_copy.chunks_exact(n)) {
                    let row = &mut c[row..];
                    for (&column, &sum) in c_columns.iter().zip(sums) {
                        row[column] = row[column].plus(sum);
                    }
                }
            }
        }
        Ok(())
    }
}
