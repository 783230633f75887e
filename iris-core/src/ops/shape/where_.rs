//! [Where](https://onnx.ai/onnx/operators/onnx__Where.html), versions 9 and 16.
//!
//! `condition` bool, and `X` and `Y` of one type, any, whose shapes broadcast as numpy's do, give of each two elements that of
//! `X` where the condition holds, and else that of `Y`.

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::broadcast::multi_broadcast;

use crate::error;
use crate::error::Result;
use crate::guard::memory;
use crate::kernels::broadcast::Lines;
use crate::onnx::attributes::Attributes;
use crate::operator::node::wire_operator;
use crate::operator::{Built, Operator, facts};
use crate::ops::shape::cast;
use crate::value::tensors;

pub(crate) fn build(_attributes: &mut Attributes<'_>) -> Result<Built> {
    Ok(Built::expansion(|name, model, inputs| {
        let choices = cast::wire_in_one_type(name, model, &inputs[1..])?;
        let inputs = [inputs[0], choices[0], choices[1]];
        Ok(tvec![wire_operator("Where", name, model, Where, &inputs)?])
    }))
}

#[derive(Debug)]
struct Where;

impl Operator for Where {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [condition, x, y] = facts::inputs(inputs)?;
        if condition.datum_type != DatumType::Bool {
            let got = condition.datum_type;
            return Err(error::invalid(format!(
                "input condition: expected bool, got {got:?}"
            )));
        }
        let shapes = [condition.shape.dims(), x.shape.dims(), y.shape.dims()];
        let shape = multi_broadcast(&shapes).map_err(error::invalid)?;
        Ok(tvec![x.datum_type.fact(shape)])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let datum_type = inputs[1].datum_type();
        let selected = dispatch_datum!(selected(datum_type)(&inputs[0], &inputs[1], &inputs[2]))?;
        Ok(tvec![selected.into_tvalue()])
    }
}

fn selected<T: Datum>(condition: &Tensor, x: &Tensor, y: &Tensor) -> TractResult<Tensor> {
    let shapes = [condition.shape(), x.shape(), y.shape()];
    let lines = Lines::new(shapes).with_context(|| format!("{shapes:?} do not broadcast"))?;
    for texts in [x, y].into_iter().filter_map(memory::texts) {
        memory::ask_for_broadcast(texts, lines.shape.iter().product())?;
    }
    let (condition, x, y) = (
        condition.try_as_plain_ram()?,
        x.try_as_plain_ram()?,
        y.try_as_plain_ram()?,
    );
    let mut result = tensors::empty(T::datum_type(), &lines.shape)?;
    let (condition, x, y) = (
        condition.as_slice::<bool>()?,
        x.as_slice::<T>()?,
        y.as_slice::<T>()?,
    );
    let mut view = result.try_as_plain_ram_mut()?;
    let [condition_step, x_step, y_step] = lines.steps;
    lines.for_each(
        view.as_slice_mut::<T>()?,
        |[condition_at, x_at, y_at], line| {
            for (at, slot) in line.iter_mut().enumerate() {
                let chosen = if condition[condition_at + at * condition_step] {
                    &x[x_at + at * x_step]
                } else {
                    &y[y_at + at * y_step]
                };
                slot.clone_from(chosen);
            }
        },
    );
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_of_what_broadcasts() {
        let eval = |condition: Tensor, x: Tensor, y: Tensor| {
            let inputs = [condition, x, y].map(IntoTValue::into_tvalue);
            let outputs = Where.eval(&inputs, &[0]).expect("chooses");
            outputs[0].clone().into_tensor()
        };
        let condition = tensor2(&[[true], [false]]);
        let got = eval(
            condition.clone(),
            tensor1(&[1.0_f32, 2.0]),
            tensor0(7.0_f32),
        );
        assert_eq!(got, tensor2(&[[1.0_f32, 2.0], [7.0, 7.0]]));
        let got = eval(
            condition,
            tensor0("a".to_string()),
            tensor1(&["b".to_string()]),
        );
        assert_eq!(got, tensor2(&[["a".to_string()], ["b".to_string()]]));
        let none = tensors::empty(DatumType::Bool, &[0, 1]).expect("a tensor");
        assert_eq!(
            eval(none, tensor1(&[1_i8, 2]), tensor0(3_i8)).shape(),
            [0, 2]
        );
    }
}
