//! [BatchNormalization](https://onnx.ai/onnx/operators/onnx__BatchNormalization.html), versions 1 to 15, of which one output is
//! used: `(X - mean) / sqrt(var + epsilon) * scale + B`, each of them `[C]`, for `X` `[N, C, ...]`.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::binary::Function::{Add, Div, Mul, Sub};
use super::lowered::lowered;
use super::stock::{Built, built};
use super::{binary, unary};

pub(super) fn build(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let epsilon: f32 = node.get_attr_opt("epsilon")?.unwrap_or(1e-5);
    if node.get_attr_opt::<i64>("training_mode")?.unwrap_or(0) != 0 {
        bail!("attribute training_mode: only 0 is supported");
    }
    if node.get_attr_opt::<i64>("spatial")?.unwrap_or(1) != 1 {
        bail!("attribute spatial: only 1 is supported");
    }
    if node.output.iter().filter(|name| !name.is_empty()).count() != 1 {
        bail!("only the first output is supported");
    }
    built(lowered(
        context,
        node,
        usize::MAX,
        move |name, model, inputs| {
            let &[x, scale, bias, mean, var] = inputs else {
                bail!("expected 5 inputs, got {}", inputs.len());
            };
            let fact = model.outlet_fact(x)?.clone();
            // One number for each channel, which is the second dimension.
            let mut along = |what: &str, mut wire: OutletId| {
                for axis in 1..fact.rank().saturating_sub(1) {
                    let name = format!("{name}.{what}.{axis}");
                    wire = model.wire_node(name, AxisOp::Add(axis), &[wire])?[0];
                }
                TractResult::Ok(wire)
            };
            let (scale, bias) = (along("scale", scale)?, along("bias", bias)?);
            let (mean, var) = (along("mean", mean)?, along("var", var)?);
            let epsilon = tensor0(epsilon).cast_to_dt(fact.datum_type)?.into_owned();
            let epsilon = model.add_const(format!("{name}.epsilon"), epsilon)?;
            let wire = |model: &mut TypedModel, what: &str, function, a, b| {
                binary::wire(&format!("{name}{what}"), model, function, [a, b])
            };
            let var = wire(model, ".var_epsilon", Add, var, epsilon)?;
            let deviation = format!("{name}.deviation");
            let deviation = unary::wire(&deviation, model, unary::Function::Sqrt, var)?;
            let factor = wire(model, ".factor", Div, scale, deviation)?;
            let centred = wire(model, ".centred", Sub, x, mean)?;
            let scaled = wire(model, ".scaled", Mul, centred, factor)?;
            Ok(tvec![wire(model, "", Add, scaled, bias)?])
        },
    ))
}
