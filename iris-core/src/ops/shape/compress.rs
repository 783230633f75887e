//! [Compress](https://onnx.ai/onnx/operators/onnx__Compress.html), versions 9 and 11.
//!
//! `input` of any type and `condition` bool `[n]` give the slices of `input` along `axis` for which `condition` is true;
//! without `axis`, the elements of `input` in row-major order. Slices beyond the end of `condition` are left out, and so,
//! as in onnxruntime, is what of `condition` is beyond the slices. tract's own does not run.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, axes, facts};

#[derive(Debug)]
struct Compress {
    axis: Option<i64>,
    n_selected: Symbol,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let axis = attributes.int("axis")?;
    let n_selected = attributes.new_symbol("n_selected");
    Ok(Built::operator(Compress { axis, n_selected }))
}

/// Where `condition` is true, among `len` slices.
fn selected(condition: &[bool], len: usize) -> Vec<usize> {
    let pairs = condition.iter().take(len).enumerate();
    pairs
        .filter_map(|(index, &wanted)| wanted.then_some(index))
        .collect()
}

impl Compress {
    /// How many slices are selected of `len`, if that is known.
    fn count(&self, condition: &TypedFact, len: &TDim) -> TractResult<TDim> {
        if let (Some(condition), Ok(len)) = (&condition.konst, len.to_usize()) {
            let condition = condition.try_as_plain_ram()?;
            return Ok(selected(condition.as_slice::<bool>()?, len).len().to_dim());
        }
        Ok(self.n_selected.to_dim())
    }
}

impl Operator for Compress {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x, condition] = facts::inputs(inputs)?;
        if condition.datum_type != DatumType::Bool || condition.rank() != 1 {
            return Err(error::invalid(format!(
                "input condition: expected bool with 1 dimension, got {condition:?}"
            )));
        }
        let mut shape: TVec<TDim> = match self.axis {
            Some(_) => x.shape.to_tvec(),
            None => tvec![x.shape.volume()],
        };
        let axis = axes::resolve(self.axis.unwrap_or(0), shape.len())?;
        shape[axis] = self
            .count(condition, &shape[axis])
            .map_err(error::invalid)?;
        Ok(tvec![x.datum_type.fact(shape)])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let condition = inputs[1].try_as_plain_ram()?;
        let condition = condition.as_slice::<bool>()?;
        let x = &inputs[0];
        let output = match self.axis {
            Some(axis) => {
                let axis = axes::resolve(axis, x.rank())?;
                axes::select(x, axis, &selected(condition, x.shape()[axis]))
            }
            None => {
                let flat = x.clone().into_tensor().into_shape(&[x.len()])?;
                axes::select(&flat, 0, &selected(condition, x.len()))
            }
        }?;
        Ok(tvec![output.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selects_indices() {
        let cases: [(&[bool], usize, &[usize]); 5] = [
            (&[], 3, &[]),
            (&[true], 0, &[]),
            (&[true, false, true], 3, &[0, 2]),
            (&[false, true], 3, &[1]),
            (&[false, true, true], 2, &[1]),
        ];
        for (condition, len, expected) in cases {
            assert_eq!(selected(condition, len), expected, "{condition:?} {len}");
        }
    }
}
