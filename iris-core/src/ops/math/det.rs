//! [Det](https://onnx.ai/onnx/operators/onnx__Det.html), versions 11 and 22.
//!
//! `X` float or double `[.., m, m]` gives `Y` of the same type `[..]`: the determinant of each matrix, computed in double.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, ErrorKind, Result};
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, facts};
use crate::value::tensors;
use crate::value::tensors::with_f64s;

#[derive(Debug)]
struct Det;

pub(crate) fn build(_attributes: &mut Attributes<'_>) -> Result<Built> {
    Ok(Built::operator(Det))
}

/// The determinant of `matrix` `[m, m]`, which is left in pieces: elimination with the largest pivot of each column.
fn determinant(matrix: &mut [f64], m: usize) -> f64 {
    let mut product = 1.0;
    for column in 0..m {
        let size = |row: usize| matrix[row * m + column].abs();
        let pivot = (column..m).fold(
            column,
            |best, row| if size(row) > size(best) { row } else { best },
        );
        if pivot != column {
            for k in 0..m {
                matrix.swap(pivot * m + k, column * m + k);
            }
            product = -product;
        }
        let head = matrix[column * m + column];
        product *= head;
        if head == 0.0 {
            break;
        }
        for row in column + 1..m {
            let factor = matrix[row * m + column] / head;
            for k in column..m {
                matrix[row * m + k] -= factor * matrix[column * m + k];
            }
        }
    }
    product
}

impl Operator for Det {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_real("X", x)?;
        let shape = x.shape.to_tvec();
        match &shape[..] {
            [batch @ .., rows, columns] => {
                if let (Ok(rows), Ok(columns)) = (rows.to_usize(), columns.to_usize()) {
                    check_square(rows, columns)?;
                }
                Ok(tvec![x.datum_type.fact(batch)])
            }
            _ => Err(error::invalid(format!(
                "input X: expected 2 dimensions or more, got {}",
                shape.len()
            ))),
        }
    }

    /// Each row of a matrix is subtracted from those below it.
    fn work(&self, inputs: &[TValue]) -> usize {
        let x = &inputs[0];
        let n_rows = x.shape().last().copied().unwrap_or(1);
        x.len().saturating_mul(n_rows)
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let [batch @ .., rows, columns] = x.shape() else {
            return Err(error::invalid("input X: expected 2 dimensions or more").into());
        };
        check_square(*rows, *columns)?;
        let m = *rows;
        let dets: Vec<f64> = if m == 0 {
            vec![1.0; batch.iter().product()]
        } else {
            let mut values: Vec<f64> = with_f64s!(x, x => x.collect());
            let matrices = values.chunks_exact_mut(m * m);
            matrices.map(|matrix| determinant(matrix, m)).collect()
        };
        let y = if x.datum_type() == DatumType::F32 {
            tensors::from_vec(batch, dets.iter().map(|&det| det as f32).collect())
        } else {
            tensors::from_vec(batch, dets)
        }?;
        Ok(tvec![y.into_tvalue()])
    }
}

fn check_square(rows: usize, columns: usize) -> Result<()> {
    if rows == columns {
        return Ok(());
    }
    let message = format!("input X: expected square matrices, got {rows} × {columns}");
    Err(Error::new(ErrorKind::InvalidInput, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computes_determinants() {
        let cases: [(&[f64], usize, f64); 6] = [
            (&[], 0, 1.0),
            (&[-3.0], 1, -3.0),
            (&[0.0, 1.0, 1.0, 0.0], 2, -1.0),
            (&[1.0, 2.0, 2.0, 4.0], 2, 0.0),
            (&[0.0, 0.0, 0.0, 4.0], 2, 0.0),
            (&[2.0, 0.0, 1.0, 0.0, 4.0, 0.0, 1.0, 0.0, 2.0], 3, 12.0),
        ];
        for (matrix, m, expected) in cases {
            let got = determinant(&mut matrix.to_vec(), m);
            assert!((got - expected).abs() < 1e-12, "{matrix:?}: {got}");
        }
    }
}
