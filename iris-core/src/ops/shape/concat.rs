//! [Concat](https://onnx.ai/onnx/operators/onnx__Concat.html), versions 1 to 13.
//!
//! Tensors of one number of dimensions, any type and the same sizes but along `axis`, one behind the other along `axis`.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, Result};
use crate::guard::{budget, memory};
use crate::onnx::attributes::Attributes;
use crate::operator::axes::resolve;
use crate::operator::node::wire_operator;
use crate::operator::{Built, Operator};
use crate::ops::shape::cast;

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let axis = match attributes.axis("axis")? {
        Some(axis) => axis,
        None if attributes.version() < 4 => 1,
        None => return Err(attributes.missing("axis")),
    };
    Ok(Built::expansion(move |name, model, inputs| {
        let axis = resolve(axis, model.outlet_fact(inputs[0])?.rank())?;
        let inputs = cast::wire_in_one_type(name, model, inputs)?;
        Ok(tvec![wire_operator(
            "Concat",
            name,
            model,
            Concat { axis },
            &inputs
        )?])
    }))
}

#[derive(Debug)]
struct Concat {
    axis: usize,
}

impl Operator for Concat {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let mut fact = inputs[0].without_value();
        let mut len = fact.shape[self.axis].clone();
        for (index, other) in inputs.iter().enumerate().skip(1) {
            if other.rank() != fact.rank() {
                let (rank, expected) = (other.rank(), fact.rank());
                let message = format!("input {index}: {rank} dimensions, expected {expected}");
                return Err(error::invalid(message));
            }
            len += &other.shape[self.axis];
            for axis in (0..fact.rank()).filter(|&axis| axis != self.axis) {
                let (known, dim) = (&fact.shape[axis], &other.shape[axis]);
                match (known.to_i64(), dim.to_i64()) {
                    (Ok(known), Ok(dim)) if known != dim => {
                        return Err(error::invalid(unlike(index, dim, axis, known)));
                    }
                    (Err(_), Ok(_)) => fact.shape.set(axis, dim.clone()),
                    _ => {}
                }
            }
        }
        fact.shape.set(self.axis, len);
        Ok(tvec![fact])
    }

    fn maps_rows(&self, _rank: usize) -> bool {
        self.axis > 0
    }

    fn maps_several(&self) -> bool {
        true
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let mut shape: TVec<usize> = inputs[0].shape().into();
        for (index, input) in inputs.iter().enumerate().skip(1) {
            for (axis, (size, &dim)) in shape.iter_mut().zip(input.shape()).enumerate() {
                if axis == self.axis {
                    *size = size.saturating_add(dim);
                } else if *size != dim {
                    return Err(Error::input(unlike(index, dim, axis, *size)).into());
                }
            }
        }
        budget::check_tensor(shape.iter().copied(), inputs[0].datum_type().size_of())?;
        memory::ask_for_inputs(inputs)?;
        let all = inputs.iter().map(|input| &**input);
        let all: TVec<&Tensor> = all.collect();
        Ok(tvec![Tensor::stack_tensors(self.axis, &all)?.into_tvalue()])
    }
}

fn unlike(
    index: usize,
    got: impl std::fmt::Display,
    axis: usize,
    expected: impl std::fmt::Display,
) -> String {
    format!("input {index}: {got} elements along axis {axis}, expected {expected}")
}
