//! [BatchNormalization](https://onnx.ai/onnx/operators/onnx__BatchNormalization.html), versions 1 to 15, of which one output is
//! used: `(X - mean) / sqrt(var + epsilon) * scale + B`, each of them `[C]`, for `X` `[N, C, ...]`.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::kernels::functions;
use crate::onnx::attributes::Attributes;
use crate::operator::Built;
use crate::operator::node::constant;
use crate::ops::math::binary::Function::{Add, Div, Mul, Sub};
use crate::ops::math::{binary, unary};
use crate::ops::shape::squeeze::wire_unsqueeze;

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let epsilon = attributes.float("epsilon")?.unwrap_or(1e-5);
    // How much of the mean and the variance training would take over.
    attributes.float("momentum")?;
    for (name, expected) in [("training_mode", 0), ("spatial", 1), ("is_test", 1)] {
        if attributes.int(name)?.is_some_and(|value| value != expected) {
            return Err(attributes.invalid(name, format!("only {expected} is supported")));
        }
    }
    let outputs = attributes.node().output.iter();
    if outputs.filter(|name| !name.is_empty()).count() != 1 {
        return Err(error::invalid("only the first output is supported"));
    }
    Ok(Built::expansion(move |name, model, inputs| {
        let fact = model.outlet_fact(inputs[0])?.clone();
        // One number for each channel, which is the second dimension.
        let behind: Vec<usize> = (1..fact.rank().saturating_sub(1)).collect();
        let mut along = |what: &str, input: usize| {
            wire_unsqueeze(&format!("{name}.{what}"), model, &behind, inputs[input])
        };
        let (scale, bias) = (along("scale", 1)?, along("bias", 2)?);
        let (mean, var) = (along("mean", 3)?, along("var", 4)?);
        let epsilon = tensor0(epsilon).cast_to_dt(fact.datum_type)?.into_owned();
        let epsilon = constant(&format!("{name}.epsilon"), model, epsilon)?;
        let wire = |model: &mut TypedModel, what: &str, function, a, b| {
            binary::wire(&format!("{name}{what}"), model, function, [a, b])
        };
        let var = wire(model, ".var_epsilon", Add, var, epsilon)?;
        let deviation = format!("{name}.deviation");
        let deviation = unary::wire(&deviation, model, functions::Function::Sqrt, var)?;
        let factor = wire(model, ".factor", Div, scale, deviation)?;
        let centred = wire(model, ".centred", Sub, inputs[0], mean)?;
        let scaled = wire(model, ".scaled", Mul, centred, factor)?;
        Ok(tvec![wire(model, "", Add, scaled, bias)?])
    }))
}
