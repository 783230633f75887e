//! [Shape](https://onnx.ai/onnx/operators/onnx__Shape.html), versions 1 to 25, and
//! [Size](https://onnx.ai/onnx/operators/onnx__Size.html), versions 1 to 25, both int64, of tensors of any type. Sizes that
//! depend on the inputs of the graph are counted in symbols, so that what is computed of them is known before a run.

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::Built;
use crate::operator::node::constant;

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let start = attributes.int("start")?.unwrap_or(0);
    let end = attributes.int("end")?.unwrap_or(i64::MAX);
    Ok(Built::expansion(move |name, model, inputs| {
        let shape = model.outlet_fact(inputs[0])?.shape.to_tvec();
        let [start, end] = [start, end].map(|at| clamped(at, shape.len() as i64) as usize);
        let dims = &shape[start..end.max(start)];
        Ok(tvec![constant(name, model, tensor1(dims))?])
    }))
}

/// Index `at` of `len`, counted from the end if it is negative, or the nearest that there is.
fn clamped(at: i64, len: i64) -> i64 {
    let from_start = if at < 0 { at.saturating_add(len) } else { at };
    from_start.clamp(0, len)
}

pub(crate) fn build_size(_attributes: &mut Attributes<'_>) -> Result<Built> {
    Ok(Built::expansion(|name, model, inputs| {
        let size = model.outlet_fact(inputs[0])?.shape.volume();
        Ok(tvec![constant(name, model, tensor0(size))?])
    }))
}
