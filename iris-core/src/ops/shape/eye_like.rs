//! [EyeLike](https://onnx.ai/onnx/operators/onnx__EyeLike.html), versions 9 and 22.
//!
//! `input` of two dimensions gives a tensor of its shape, of type `dtype` or else its own, with ones on the diagonal that is
//! `k` columns to the right of the main one, and zeros elsewhere.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::guard::budget;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, facts};
use crate::value::tensors;

#[derive(Debug)]
struct EyeLike {
    datum_type: Option<DatumType>,
    k: i64,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    Ok(Built::operator(EyeLike {
        datum_type: attributes.datum_type("dtype")?,
        k: attributes.int("k")?.unwrap_or(0),
    }))
}

impl Operator for EyeLike {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        if x.rank() != 2 {
            let message = format!("input input: expected 2 dimensions, got {}", x.rank());
            return Err(error::invalid(message));
        }
        let datum_type = self.datum_type.unwrap_or(match x.datum_type {
            DatumType::TDim => DatumType::I64,
            other => other,
        });
        if !facts::is_number(datum_type) && datum_type != DatumType::Bool {
            let message = format!("a matrix of {datum_type:?} has no ones");
            return Err(error::invalid(message));
        }
        Ok(tvec![datum_type.fact(x.shape.iter())])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let &[n_rows, n_columns] = x.shape() else {
            bail!("expected 2 dimensions, got {}", x.rank());
        };
        let datum_type = self.datum_type.unwrap_or(match x.datum_type() {
            DatumType::TDim => DatumType::I64,
            other => other,
        });
        budget::check_tensor(
            [n_rows, n_columns],
            datum_type.size_of().max(size_of::<i64>()),
        )?;
        let eye = tensors::filled(&[n_rows, n_columns], |slots: &mut [i64]| {
            for row in 0..n_rows {
                let column = (row as i64).checked_add(self.k);
                let column = column.and_then(|column| usize::try_from(column).ok());
                if let Some(column) = column.filter(|&column| column < n_columns) {
                    slots[row * n_columns + column] = 1;
                }
            }
            Ok(())
        })?;
        Ok(tvec![
            eye.cast_to_dt(datum_type)?.into_owned().into_tvalue()
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ones_are_on_a_diagonal() {
        for (k, expected) in [
            (0, [[1_i64, 0, 0], [0, 1, 0]]),
            (1, [[0, 1, 0], [0, 0, 1]]),
            (-1, [[0, 0, 0], [1, 0, 0]]),
            (i64::MAX, [[0; 3]; 2]),
            (i64::MIN, [[0; 3]; 2]),
        ] {
            let eye = EyeLike {
                datum_type: Some(DatumType::I64),
                k,
            };
            let x = tensor2(&[[0.0_f32; 3]; 2]).into_tvalue();
            let y = eye.eval(&[x], &[0]).expect("a matrix");
            assert_eq!(*y[0], tensor2(&expected), "{k}");
        }
    }
}
