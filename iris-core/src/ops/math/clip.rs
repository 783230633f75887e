//! [Clip](https://onnx.ai/onnx/operators/onnx__Clip.html), versions 6 to 13, and
//! [Relu](https://onnx.ai/onnx/operators/onnx__Relu.html), versions 1 to 14.
//!
//! Of numbers of any type, no less than `min`, 0 for Relu, and no more than `max`, each of which may be missing; attributes
//! before version 11, and inputs from then on. What is no number stays that.

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::node::constant;
use crate::operator::{Built, facts};
use crate::ops::math::binary;
use crate::ops::math::binary::Function;
use crate::ops::shape::cast;

/// Where a limit comes from.
#[derive(Clone, Copy)]
enum Limit {
    Number(f32),
    Input(usize),
}

/// From version 11 on.
pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let [min, max] = [1, 2].map(|index| attributes.input(index).map(Limit::Input));
    Ok(within(min, max))
}

/// Before version 11.
pub(crate) fn build_6(attributes: &mut Attributes<'_>) -> Result<Built> {
    let (min, max) = (attributes.float("min")?, attributes.float("max")?);
    Ok(within(min.map(Limit::Number), max.map(Limit::Number)))
}

pub(crate) fn build_relu(_attributes: &mut Attributes<'_>) -> Result<Built> {
    Ok(within(Some(Limit::Number(0.0)), None))
}

fn within(min: Option<Limit>, max: Option<Limit>) -> Built {
    let limits = [("min", min, Function::Max), ("max", max, Function::Min)];
    Built::expansion(move |name, model, inputs| {
        let mut x = inputs[0];
        let datum_type = model.outlet_fact(x)?.datum_type;
        for (input, limit, function) in limits {
            let Some(limit) = limit else { continue };
            let name = format!("{name}.{function:?}");
            let of_limit = format!("{name}.limit");
            let limit = match limit {
                Limit::Number(limit) => {
                    let limit = tensor0(limit).cast_to_dt(datum_type)?.into_owned();
                    constant(&of_limit, model, limit)?
                }
                Limit::Input(index) => {
                    facts::check_value(input, model.outlet_fact(inputs[index])?)?;
                    cast::wire(&of_limit, model, datum_type, inputs[index])?
                }
            };
            x = binary::wire(&name, model, function, [x, limit])?;
        }
        Ok(tvec![x])
    })
}
