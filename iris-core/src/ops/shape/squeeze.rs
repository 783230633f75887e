//! [Squeeze](https://onnx.ai/onnx/operators/onnx__Squeeze.html) and
//! [Unsqueeze](https://onnx.ai/onnx/operators/onnx__Unsqueeze.html), versions 1 to 25, of tensors of any type: without, and with
//! further, dimensions of 1. The axes are an attribute before version 13, and then a constant input.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, Result};
use crate::onnx::attributes::Attributes;
use crate::operator::axes::{constant_ints, resolve};
use crate::operator::node::wire_operator;
use crate::operator::{Built, Operator, facts};

/// Without axes all dimensions of 1 go.
pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let of_attribute = axes(attributes)?;
    Ok(Built::expansion(move |name, model, inputs| {
        let given = match inputs.get(1) {
            Some(&axes) => Some(constant_ints("axes", model, axes)?),
            None => of_attribute,
        };
        let fact = model.outlet_fact(inputs[0])?;
        let axes = match given {
            Some(axes) => resolved(&axes, fact.rank())?,
            None => ones(&fact.shape)?,
        };
        let squeeze = Squeeze { axes };
        Ok(tvec![wire_operator(
            "Squeeze",
            name,
            model,
            squeeze,
            &inputs[..1]
        )?])
    }))
}

pub(crate) fn build_unsqueeze(attributes: &mut Attributes<'_>) -> Result<Built> {
    let of_attribute = axes(attributes)?;
    Ok(Built::expansion(move |name, model, inputs| {
        let given = match (of_attribute, inputs.get(1)) {
            (Some(axes), _) => axes,
            (None, Some(&axes)) => constant_ints("axes", model, axes)?,
            (None, None) => return Err(error::invalid("axes: missing").into()),
        };
        let rank = model.outlet_fact(inputs[0])?.rank() + given.len();
        let axes = resolved(&given, rank)?;
        if axes.len() < given.len() {
            return Err(error::invalid(format!("axes {given:?}: one comes twice")).into());
        }
        Ok(tvec![wire_unsqueeze(name, model, &axes, inputs[0])?])
    }))
}

/// Which dimensions are 1.
///
/// # Errors
/// If one of them is not known: then neither is how many dimensions there are without them.
fn ones(dims: &[TDim]) -> Result<Vec<usize>> {
    if let Some(dim) = dims.iter().find(|dim| dim.to_i64().is_err()) {
        return Err(error::invalid(format!("whether {dim} is 1 is not known")));
    }
    Ok((0..dims.len())
        .filter(|&axis| dims[axis].is_one())
        .collect())
}

/// The axes of an attribute, before version 13.
fn axes(attributes: &mut Attributes<'_>) -> Result<Option<Vec<i64>>> {
    if attributes.version() >= 13 {
        return Ok(None);
    }
    Ok(attributes.optional_ints("axes")?.map(<[i64]>::to_vec))
}

/// Which dimensions of `rank` the axes are, each once, in ascending order.
fn resolved(axes: &[i64], rank: usize) -> Result<Vec<usize>> {
    let axes = axes.iter().map(|&axis| resolve(axis, rank));
    let mut axes: Vec<usize> = axes.collect::<Result<_>>()?;
    axes.sort_unstable();
    axes.dedup();
    Ok(axes)
}

/// Wires a tensor with further dimensions of 1 at `axes`, which ascend.
pub(crate) fn wire_unsqueeze(
    name: &str,
    model: &mut TypedModel,
    axes: &[usize],
    x: OutletId,
) -> TractResult<OutletId> {
    if axes.is_empty() {
        return Ok(x);
    }
    let axes = axes.to_vec();
    wire_operator("Unsqueeze", name, model, Unsqueeze { axes }, &[x])
}

#[derive(Debug)]
struct Squeeze {
    /// In ascending order.
    axes: Vec<usize>,
}

impl Operator for Squeeze {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        if let Some(&axis) = self.axes.iter().find(|&&axis| !x.shape[axis].is_one()) {
            let message = format!("axis {axis} has dimension {}, not 1", x.shape[axis]);
            return Err(error::invalid(message));
        }
        let mut dims = x.shape.to_tvec();
        self.axes
            .iter()
            .rev()
            .for_each(|&axis| drop(dims.remove(axis)));
        Ok(tvec![x.datum_type.fact(dims)])
    }

    fn maps_rows(&self, _rank: usize) -> bool {
        self.axes.first() != Some(&0)
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let mut x = inputs[0].clone().into_tensor();
        for &axis in self.axes.iter().rev() {
            if x.shape()[axis] != 1 {
                let message = format!("axis {axis} has dimension {}, not 1", x.shape()[axis]);
                return Err(Error::input(message).into());
            }
            x.remove_axis(axis)?;
        }
        Ok(tvec![x.into_tvalue()])
    }
}

#[derive(Debug)]
pub(crate) struct Unsqueeze {
    /// In ascending order, among the dimensions that there are in the end.
    pub(crate) axes: Vec<usize>,
}

impl Operator for Unsqueeze {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        let mut dims = x.shape.to_tvec();
        self.axes
            .iter()
            .for_each(|&axis| dims.insert(axis, 1.to_dim()));
        Ok(tvec![x.datum_type.fact(dims)])
    }

    fn maps_rows(&self, _rank: usize) -> bool {
        self.axes.first() != Some(&0)
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let mut x = inputs[0].clone().into_tensor();
        for &axis in &self.axes {
            x.insert_axis(axis)?;
        }
        Ok(tvec![x.into_tvalue()])
    }
}
