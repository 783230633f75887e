//! The operators of ai.onnx that are tract's own, or are made of such: those that exports of scikit-learn's models have, and
//! some of their kind. A linker keeps all of tract that a registry names, which is why tract's registry of every operator it
//! knows, convolutions and transformers among them, is not in use.

use tract_onnx::model::ParsingContext;
use tract_onnx::ops::cumsum::CumSum;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::activations::{
    Clip, Elu, HardSigmoid, LeakyRelu, ScaledTanh, Selu, Softplus, Softsign, ThresholdRelu,
};
use tract_onnx::tract_hir::ops::array::{
    Concat, EyeLike, Gather, GatherElements, MultiBroadcastTo, PermuteAxes, Range, Reshape,
    ScatterElements, ScatterNd, ScatterReduction, Size, Tile,
};
use tract_onnx::tract_hir::ops::binary::{BinIntoHir, Nary};
use tract_onnx::tract_hir::ops::identity::Identity;
use tract_onnx::tract_hir::ops::konst::Const;
use tract_onnx::tract_hir::ops::logic::{
    And, CompEq, CompGT, CompGTE, CompLT, CompLTE, Iff, Or, not,
};
use tract_onnx::tract_hir::ops::math;
use tract_onnx::tract_hir::ops::math::{Add, Div, Max, Min, Mul, Sub};
use tract_onnx::tract_hir::ops::nn::{LayerLogSoftmax, LayerSoftmax, Reduce, Reducer, Softmax};
use tract_onnx::tract_hir::tract_core::ops::element_wise::ElementWiseOp;

use super::einsum::einsum;
use super::{batch_normalization, lowering, pad, scan};

pub(super) type Built = TractResult<(Box<dyn InferenceOp>, Vec<String>)>;
type Builder = fn(&ParsingContext<'_>, &NodeProto) -> Built;

/// Sorted by name.
#[rustfmt::skip]
static BUILDERS: &[(&str, Builder)] = &[
    ("Abs", |_, _| function(math::abs())),
    ("Add", |_, _| built(Add.into_hir())),
    ("And", |_, _| built(And.into_hir())),
    ("ArgMax", arg_max_min),
    ("ArgMin", arg_max_min),
    ("BatchNormalization", batch_normalization::build),
    ("Ceil", |_, _| function(math::ceil())),
    ("Clip", clip),
    ("Concat", |_, node| built(expand(Concat::new(node.get_attr("axis")?)))),
    ("Constant", constant),
    ("Cos", |_, _| function(math::cos())),
    ("CumSum", cum_sum),
    ("Div", |_, _| built(Div.into_hir())),
    ("Einsum", einsum),
    ("Elu", |_, node| built(expand(Elu(node.get_attr_opt("alpha")?.unwrap_or(1.0))))),
    ("Equal", |_, _| built(CompEq.into_hir())),
    ("Exp", |_, _| function(math::exp())),
    ("Expand", |_, _| built(expand(MultiBroadcastTo))),
    ("EyeLike", eye_like),
    ("Floor", |_, _| function(math::floor())),
    ("Gather", |_, node| built(expand(Gather::new(axis(node)?)))),
    ("GatherElements", |_, node| built(expand(GatherElements::new(axis(node)?)))),
    ("GatherND", lowering::gather_nd),
    ("Greater", |_, _| built(CompGT.into_hir())),
    ("GreaterOrEqual", |_, _| built(CompGTE.into_hir())),
    ("HardSigmoid", hard_sigmoid),
    ("Identity", |_, _| built(Box::<Identity>::default())),
    ("LeakyRelu", |_, node| built(expand(LeakyRelu(node.get_attr_opt("alpha")?.unwrap_or(0.01))))),
    ("Less", |_, _| built(CompLT.into_hir())),
    ("LessOrEqual", |_, _| built(CompLTE.into_hir())),
    ("Log", |_, _| function(math::ln())),
    ("LogSoftmax", log_softmax),
    ("LpNormalization", lowering::lp_normalization),
    ("Max", |_, _| built(Box::new(Nary(Box::new(Max), false)))),
    ("Mean", |_, _| built(Box::new(Nary(Box::new(Add), true)))),
    ("Min", |_, _| built(Box::new(Nary(Box::new(Min), false)))),
    ("Mod", lowering::modulo),
    ("Mul", |_, _| built(Mul.into_hir())),
    ("Neg", |_, _| function(math::neg())),
    ("Not", |_, _| function(not())),
    ("Or", |_, _| built(Or.into_hir())),
    ("Pad", pad::build),
    ("Range", |_, _| built(expand(Range))),
    ("Reciprocal", |_, _| function(math::recip())),
    ("ReduceL1", |context, node| lowering::reduce(context, node, Reducer::L1)),
    ("ReduceMax", |context, node| lowering::reduce(context, node, Reducer::Max)),
    ("ReduceMean", |context, node| lowering::reduce(context, node, Reducer::Mean)),
    ("ReduceMin", |context, node| lowering::reduce(context, node, Reducer::Min)),
    ("ReduceProd", |context, node| lowering::reduce(context, node, Reducer::Prod)),
    ("ReduceSum", |context, node| lowering::reduce(context, node, Reducer::Sum)),
    ("Relu", |_, _| built(expand(Clip::new(Some(0.0), None)))),
    ("Reshape", reshape),
    ("ScaledTanh", scaled_tanh),
    ("Scan", scan::build),
    ("Scatter", scatter_elements),
    ("ScatterElements", scatter_elements),
    ("ScatterND", scatter_nd),
    ("Selu", selu),
    ("Shape", lowering::shape),
    ("Sign", |_, _| function(math::sign())),
    ("Sin", |_, _| function(math::sin())),
    ("Size", |_, _| built(expand(Size::new(DatumType::TDim)))),
    ("Slice", lowering::slice),
    ("Softmax", softmax),
    ("Softplus", |_, _| built(expand(Softplus))),
    ("Softsign", |_, _| built(expand(Softsign))),
    ("Split", lowering::split),
    ("Sqrt", |_, _| function(math::sqrt())),
    ("Squeeze", lowering::squeeze),
    ("Sub", |_, _| built(Sub.into_hir())),
    ("Sum", |_, _| built(Box::new(Nary(Box::new(Add), false)))),
    ("Tanh", |_, _| function(math::tanh())),
    ("ThresholdedRelu", thresholded_relu),
    ("Tile", |_, _| built(expand(Tile))),
    ("Transpose", transpose),
    ("Unsqueeze", lowering::unsqueeze),
    ("Where", |_, _| built(expand(Iff))),
];

/// What builds a node of operator `op_type`.
pub(super) fn find(op_type: &str) -> Option<Builder> {
    let at = BUILDERS.binary_search_by_key(&op_type, |(name, _)| name);
    Some(BUILDERS[at.ok()?].1)
}

/// Their names, sorted.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    BUILDERS.iter().map(|(name, _)| *name)
}

/// What a builder gives of an operator that reads no more than its inputs.
pub(super) fn built(op: Box<dyn InferenceOp>) -> Built {
    Ok((op, vec![]))
}

/// A function of each element.
fn function(op: ElementWiseOp) -> Built {
    built(op.into_hir())
}

/// Attribute `axis` of an operator whose default is 0.
fn axis(node: &NodeProto) -> TractResult<i64> {
    Ok(node.get_attr_opt("axis")?.unwrap_or(0))
}

fn arg_max_min(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let keep_dims = node.get_attr_opt("keepdims")?.unwrap_or(true);
    let last = node.get_attr_opt("select_last_index")?.unwrap_or(false);
    let reducer = match node.op_type.as_str() {
        "ArgMax" => Reducer::ArgMax(last),
        _ => Reducer::ArgMin(last),
    };
    let axes = vec![axis(node)?];
    built(expand(Reduce::new(Some(axes), keep_dims, reducer)))
}

fn clip(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    match context.onnx_operator_set_version {
        ..6 => bail!("Clip before version 6 is not supported"),
        6..11 => {
            let (min, max) = (node.get_attr_opt("min")?, node.get_attr_opt("max")?);
            built(expand(Clip::new(min, max)))
        }
        11.. => lowering::clip(context, node),
    }
}

fn constant(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let value = if let Some(value) = node.get_attr_opt("value")? {
        context.load_tensor(value)?
    } else if let Some(int) = node.get_attr_opt::<i64>("value_int")? {
        tensor0(int)
    } else if let Some(float) = node.get_attr_opt::<f32>("value_float")? {
        tensor0(float)
    } else if let Some(ints) = node.get_attr_opt_slice::<i64>("value_ints")? {
        tensor1(ints)
    } else if let Some(floats) = node.get_attr_opt_slice::<f32>("value_floats")? {
        tensor1(floats)
    } else if let Some(string) = node.get_attr_opt::<String>("value_string")? {
        tensor0(string)
    } else if let Some(strings) = node.get_attr_opt_tvec::<String>("value_strings")? {
        tensor1(&strings)
    } else {
        bail!("Constant without a value that is supported")
    };
    built(Box::new(Const::new(value.into_arc_tensor())?))
}

fn cum_sum(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    built(expand(CumSum {
        reverse: node.get_attr_opt::<i64>("reverse")? == Some(1),
        exclusive: node.get_attr_opt::<i64>("exclusive")? == Some(1),
    }))
}

fn eye_like(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let datum_type = node.get_attr_opt("dtype")?;
    let k = node.get_attr_opt("k")?.unwrap_or(0);
    built(Box::new(EyeLike::new(datum_type, k)))
}

fn hard_sigmoid(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let alpha = node.get_attr_opt("alpha")?.unwrap_or(0.2);
    let beta = node.get_attr_opt("beta")?.unwrap_or(0.5);
    built(expand(HardSigmoid(alpha, beta)))
}

fn log_softmax(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let axis = node.get_attr_opt("axis")?;
    built(if context.onnx_operator_set_version < 13 {
        expand(LayerLogSoftmax::new(axis.unwrap_or(1), true))
    } else {
        expand(LayerLogSoftmax::new(axis.unwrap_or(-1), false))
    })
}

fn reshape(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let allow_zero = node.get_attr_opt::<i64>("allowzero")?.unwrap_or(0) != 0;
    built(expand(Reshape::new(allow_zero)))
}

fn scaled_tanh(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let (alpha, beta) = (node.get_attr("alpha")?, node.get_attr("beta")?);
    built(expand(ScaledTanh(alpha, beta)))
}

fn reduction(node: &NodeProto) -> TractResult<ScatterReduction> {
    ScatterReduction::parse(node.get_attr_opt("reduction")?.unwrap_or("none"))
}

fn scatter_elements(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    built(expand(ScatterElements::new(axis(node)?, reduction(node)?)))
}

fn scatter_nd(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    built(expand(ScatterNd::new(reduction(node)?)))
}

fn selu(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let alpha = node.get_attr_opt("alpha")?.unwrap_or(1.67326);
    let gamma = node.get_attr_opt("gamma")?.unwrap_or(1.0507);
    built(expand(Selu(alpha, gamma)))
}

fn softmax(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let axis = node.get_attr_opt("axis")?;
    built(if context.onnx_operator_set_version < 13 {
        expand(LayerSoftmax::new(axis.unwrap_or(1), true))
    } else {
        expand(Softmax::new(axis.unwrap_or(-1)))
    })
}

fn thresholded_relu(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let alpha = node.get_attr_opt("alpha")?.unwrap_or(1.0);
    built(expand(ThresholdRelu(alpha)))
}

fn transpose(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let perm: Option<Vec<usize>> = node.get_attr_opt_vec("perm")?;
    built(expand(PermuteAxes::new(perm.map(Into::into))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted_and_unique() {
        let names: Vec<_> = names().collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
