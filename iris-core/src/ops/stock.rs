//! The operators of ai.onnx that take tract's inference: those that exports of scikit-learn's models have, and some of their
//! kind. What computes is ours; what only moves elements is tract's own, or made of such. A linker keeps all of tract that a
//! registry names, which is why tract's registry of every operator it knows, convolutions and transformers among them, is not
//! in use, and all that its operators for numbers reach, which is why these are not.

use tract_onnx::model::ParsingContext;
use tract_onnx::ops::cumsum::CumSum;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::array::{
    Concat, EyeLike, MultiBroadcastTo, PermuteAxes, Range, Reshape, Size, Tile,
};
use tract_onnx::tract_hir::ops::identity::Identity;
use tract_onnx::tract_hir::ops::konst::Const;

use super::einsum::einsum;
use super::{batch_normalization, binary, clip, lowering, pad, scan, select, slice, unary};

pub(super) type Built = TractResult<(Box<dyn InferenceOp>, Vec<String>)>;
type Builder = fn(&ParsingContext<'_>, &NodeProto) -> Built;

/// Sorted by name.
#[rustfmt::skip]
static BUILDERS: &[(&str, Builder)] = &[
    ("Abs", unary::build),
    ("Add", binary::build),
    ("And", binary::build),
    ("BatchNormalization", batch_normalization::build),
    ("Ceil", unary::build),
    ("Clip", clip::build),
    ("Concat", |_, node| built(expand(Concat::new(node.get_attr("axis")?)))),
    ("Constant", constant),
    ("Cos", unary::build),
    ("CumSum", cum_sum),
    ("Div", binary::build),
    ("Einsum", einsum),
    ("Elu", unary::build),
    ("Equal", binary::build),
    ("Exp", unary::build),
    ("Expand", |_, _| built(expand(MultiBroadcastTo))),
    ("EyeLike", eye_like),
    ("Floor", unary::build),
    ("Greater", binary::build),
    ("GreaterOrEqual", binary::build),
    ("HardSigmoid", unary::build),
    ("Identity", |_, _| built(Box::<Identity>::default())),
    ("LeakyRelu", unary::build),
    ("Less", binary::build),
    ("LessOrEqual", binary::build),
    ("Log", unary::build),
    ("Max", binary::build_of_several),
    ("Mean", binary::build_of_several),
    ("Min", binary::build_of_several),
    ("Mod", binary::build),
    ("Mul", binary::build),
    ("Neg", unary::build),
    ("Not", unary::build),
    ("Or", binary::build),
    ("Pad", pad::build),
    ("Range", |_, _| built(expand(Range))),
    ("Reciprocal", unary::build),
    ("Relu", clip::build_relu),
    ("Reshape", reshape),
    ("ScaledTanh", unary::build),
    ("Scan", scan::build),
    ("Selu", unary::build),
    ("Shape", lowering::shape),
    ("Sign", unary::build),
    ("Sin", unary::build),
    ("Size", |_, _| built(expand(Size::new(DatumType::TDim)))),
    ("Slice", slice::build),
    ("Softplus", unary::build),
    ("Softsign", unary::build),
    ("Split", lowering::split),
    ("Sqrt", unary::build),
    ("Squeeze", lowering::squeeze),
    ("Sub", binary::build),
    ("Sum", binary::build_of_several),
    ("Tanh", unary::build),
    ("ThresholdedRelu", unary::build),
    ("Tile", |_, _| built(expand(Tile))),
    ("Transpose", transpose),
    ("Unsqueeze", lowering::unsqueeze),
    ("Where", select::build),
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

fn reshape(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let allow_zero = node.get_attr_opt::<i64>("allowzero")?.unwrap_or(0) != 0;
    built(expand(Reshape::new(allow_zero)))
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
