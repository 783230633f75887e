//! In which versions of ai.onnx its operators changed.
//!
//! Source: `onnx.defs.get_all_schemas_with_history()` of onnx 1.23.2.

/// Each version with the operators that are new or changed in it. Those that do but take further types are left out from
/// version 21 on, where that is all that most changes are.
#[rustfmt::skip]
static CHANGES: &[(i64, &[&str])] = &[
    (2, &["GlobalLpPool", "LpPool", "Pad", "Split"]),
    (3, &["GRU"]),
    (4, &["Concat"]),
    (5, &["Reshape"]),
    (6, &[
        "Abs", "Add", "BatchNormalization", "Cast", "Ceil", "Clip", "Div", "Dropout", "Elu", "Exp", "Floor", "Gemm",
        "HardSigmoid", "InstanceNormalization", "LeakyRelu", "Log", "Max", "Mean", "Min", "Mul", "Neg", "PRelu",
        "Reciprocal", "Relu", "Selu", "Sigmoid", "Sqrt", "Sub", "Sum", "Tanh", "Tile",
    ]),
    (7, &[
        "Acos", "Add", "And", "Asin", "Atan", "AveragePool", "BatchNormalization", "Cos", "Div", "Dropout", "Equal",
        "GRU", "Gemm", "Greater", "LSTM", "Less", "Mul", "Multinomial", "Or", "PRelu", "Pow", "RNN", "Sin", "Sub",
        "Tan", "Upsample", "Xor",
    ]),
    (8, &["Expand", "Max", "MaxPool", "Mean", "Min", "Scan", "Sum"]),
    (9, &[
        "Acosh", "Asinh", "Atanh", "BatchNormalization", "Cast", "Compress", "Constant", "ConstantOfShape", "Cosh",
        "Erf", "EyeLike", "Flatten", "Gemm", "Greater", "IsNaN", "Less", "MatMul", "MaxUnpool",
        "MeanVarianceNormalization", "NonZero", "OneHot", "PRelu", "Scan", "Scatter", "Shrink", "Sign", "Sinh",
        "TfIdfVectorizer", "Upsample", "Where",
    ]),
    (10, &[
        "AveragePool", "ConvInteger", "DequantizeLinear", "Dropout", "IsInf", "MatMulInteger", "MaxPool", "Mod",
        "NonMaxSuppression", "QLinearConv", "QLinearMatMul", "QuantizeLinear", "Resize", "ReverseSequence", "RoiAlign",
        "Slice", "StringNormalizer", "ThresholdedRelu", "TopK", "Upsample",
    ]),
    (11, &[
        "ArgMax", "ArgMin", "AveragePool", "BitShift", "Clip", "Compress", "Concat", "ConcatFromSequence", "Constant",
        "Conv", "ConvTranspose", "CumSum", "DepthToSpace", "Det", "DynamicQuantizeLinear", "Equal", "Flatten", "Gather",
        "GatherElements", "GatherND", "Gemm", "Hardmax", "If", "LogSoftmax", "Loop", "LpPool", "MaxPool", "MaxUnpool",
        "NonMaxSuppression", "OneHot", "Pad", "Range", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp",
        "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "Resize", "Round", "Scan",
        "Scatter", "ScatterElements", "ScatterND", "SequenceAt", "SequenceConstruct", "SequenceEmpty", "SequenceErase",
        "SequenceInsert", "SequenceLength", "Slice", "Softmax", "Split", "SplitToSequence", "Squeeze", "TopK", "Unique",
        "Unsqueeze",
    ]),
    (12, &[
        "ArgMax", "ArgMin", "Celu", "Clip", "Constant", "Dropout", "Einsum", "GatherND", "GreaterOrEqual",
        "LessOrEqual", "Max", "MaxPool", "Min", "NegativeLogLikelihoodLoss", "Pow", "ReduceMax", "ReduceMin",
        "SoftmaxCrossEntropyLoss",
    ]),
    (13, &[
        "Abs", "Add", "ArgMax", "ArgMin", "Cast", "Ceil", "Clip", "Concat", "Constant", "DepthToSpace",
        "DequantizeLinear", "Div", "Dropout", "Equal", "Erf", "Exp", "Expand", "Flatten", "Floor", "Gather",
        "GatherElements", "GatherND", "Gemm", "Greater", "Hardmax", "Identity", "If", "IsNaN", "LRN", "Less", "Log",
        "LogSoftmax", "Loop", "MatMul", "Max", "Mean", "MeanVarianceNormalization", "Min", "Mod", "Mul", "Neg",
        "NegativeLogLikelihoodLoss", "NonZero", "Pad", "Pow", "QuantizeLinear", "Reciprocal", "ReduceL1", "ReduceL2",
        "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum",
        "ReduceSumSquare", "Relu", "Reshape", "Resize", "ScatterElements", "ScatterND", "Shape", "Sigmoid", "Sign",
        "Size", "Slice", "Softmax", "SoftmaxCrossEntropyLoss", "SpaceToDepth", "Split", "Sqrt", "Squeeze", "Sub", "Sum",
        "Tanh", "Tile", "Transpose", "Unsqueeze",
    ]),
    (14, &[
        "Add", "BatchNormalization", "CumSum", "Div", "GRU", "HardSwish", "Identity", "LSTM", "Mul", "RNN", "Relu",
        "Reshape", "Sub", "Trilu",
    ]),
    (15, &[
        "BatchNormalization", "Bernoulli", "CastLike", "Optional", "OptionalGetElement", "OptionalHasElement", "Pow",
        "Shape",
    ]),
    (16, &[
        "GreaterOrEqual", "GridSample", "Identity", "If", "LeakyRelu", "LessOrEqual", "Loop", "PRelu", "RoiAlign",
        "Scan", "ScatterElements", "ScatterND", "Where",
    ]),
    (17, &[
        "BlackmanWindow", "DFT", "HammingWindow", "HannWindow", "LayerNormalization", "MelWeightMatrix", "STFT",
        "SequenceMap",
    ]),
    (18, &[
        "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor", "CenterCropPad", "Col2Im", "GroupNormalization",
        "LpPool", "Mish", "OptionalGetElement", "OptionalHasElement", "Pad", "ReduceL1", "ReduceL2", "ReduceLogSum",
        "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSumSquare", "Resize",
        "ScatterElements", "ScatterND", "Split",
    ]),
    (19, &[
        "AveragePool", "Cast", "CastLike", "Constant", "DeformConv", "DequantizeLinear", "Equal", "Identity", "If",
        "Loop", "Pad", "QuantizeLinear", "Reshape", "Resize", "Scan", "Shape", "Size",
    ]),
    (20, &[
        "AffineGrid", "ConstantOfShape", "DFT", "Gelu", "GridSample", "ImageDecoder", "IsInf", "IsNaN", "ReduceMax",
        "ReduceMin", "RegexFullMatch", "StringConcat", "StringSplit",
    ]),
    (21, &["DequantizeLinear", "GroupNormalization", "QuantizeLinear"]),
    (22, &["AveragePool", "MaxPool"]),
    (23, &["Attention", "DequantizeLinear", "QuantizeLinear", "RMSNormalization", "RotaryEmbedding"]),
    (24, &["Attention", "Cast", "CastLike", "Swish", "TensorScatter"]),
    (25, &["Attention", "QuantizeLinear"]),
];

/// Whether `op_type` is one and the same operator in both versions of ai.onnx.
pub(crate) fn is_same_operator(op_type: &str, versions: [i64; 2]) -> bool {
    let (older, newer) = (versions[0].min(versions[1]), versions[0].max(versions[1]));
    let mut between = CHANGES
        .iter()
        .filter(|(version, _)| (older + 1..=newer).contains(version));
    between.all(|(_, changed)| !changed.contains(&op_type))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::domains::NEWEST_VERSIONS;

    #[test]
    fn tells_versions_apart() {
        for (op_type, versions, is_same) in [
            ("Where", [21, 22], true),
            ("AveragePool", [21, 22], false),
            ("Cast", [24, 22], false),
            ("Round", [11, 25], true),
            ("Add", [13, 14], false),
            ("Add", [14, 25], true),
            ("Constant", [21, 25], true),
            ("Constant", [13, 11], false),
            ("Det", [22, 22], true),
        ] {
            assert_eq!(
                is_same_operator(op_type, versions),
                is_same,
                "{op_type} {versions:?}"
            );
        }
    }

    #[test]
    fn knows_every_version() {
        let versions: Vec<i64> = CHANGES.iter().map(|(version, _)| *version).collect();
        let newest = NEWEST_VERSIONS[0].1;
        assert_eq!(versions, (2..=newest).collect::<Vec<_>>());
    }
}
