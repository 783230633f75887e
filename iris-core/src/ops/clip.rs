//! [Clip](https://onnx.ai/onnx/operators/onnx__Clip.html), versions 6 to 13, and
//! [Relu](https://onnx.ai/onnx/operators/onnx__Relu.html), versions 1 to 14.
//!
//! Of numbers of any type, no less than `min`, 0 for Relu, and no more than `max`, each of which may be missing; attributes
//! before version 11, and inputs from then on. What is no number stays that.

use tract_onnx::model::{ParsingContext, optional_inputs};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::ops::cast::cast;

use super::binary::{self, Function};
use super::lowered::lowered;
use super::stock::{Built, built};

/// Where a limit comes from.
#[derive(Clone, Copy)]
enum Limit {
    Number(f32),
    Input(usize),
}

pub(super) fn build(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let [min, max] = match context.onnx_operator_set_version {
        ..6 => bail!("Clip before version 6 is not supported"),
        6..11 => {
            let (min, max) = (node.get_attr_opt("min")?, node.get_attr_opt("max")?);
            [min, max].map(|limit| limit.map(Limit::Number))
        }
        11.. => {
            let mut inputs = optional_inputs(node).skip(1);
            let (min, max) = (inputs.next().flatten(), inputs.next().flatten());
            [min, max].map(|limit| limit.map(Limit::Input))
        }
    };
    within(context, node, min, max)
}

pub(super) fn build_relu(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    within(context, node, Some(Limit::Number(0.0)), None)
}

fn within(
    context: &ParsingContext<'_>,
    node: &NodeProto,
    min: Option<Limit>,
    max: Option<Limit>,
) -> Built {
    let limits = [(min, Function::Max), (max, Function::Min)];
    built(lowered(
        context,
        node,
        usize::MAX,
        move |name, model, inputs| {
            let mut x = inputs[0];
            let datum_type = model.outlet_fact(x)?.datum_type;
            for (limit, function) in limits {
                let Some(limit) = limit else { continue };
                let name = format!("{name}.{function:?}");
                let limit = match limit {
                    Limit::Number(limit) => {
                        let limit = tensor0(limit).cast_to_dt(datum_type)?.into_owned();
                        model.add_const(format!("{name}.limit"), limit)?
                    }
                    Limit::Input(index) => {
                        let cast = cast(datum_type);
                        model.wire_node(format!("{name}.limit"), cast, &[inputs[index]])?[0]
                    }
                };
                x = binary::wire(&name, model, function, [x, limit])?;
            }
            Ok(tvec![x])
        },
    ))
}
