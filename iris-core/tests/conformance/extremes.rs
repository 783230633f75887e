use crate::runner::{Differences, run};

const DIFFERENCES: Differences = Differences {
    accepted: &[("ArrayFeatureExtractor/-", FROM_THE_END)],
    refused: &[],
    refused_in_part: &[
        ("EyeLike/", LARGE_ATTRIBUTE),
        ("Shape/", LARGE_ATTRIBUTE),
        ("Pad/begin/-1", NEGATIVE_PADS),
        ("Pad/end/-1", NEGATIVE_PADS),
        ("Range/", RANGE),
        ("Slice/", UNKNOWN),
        ("TopK/", OUTSIDE),
        ("Softmax/axis/", OUTSIDE),
        ("LogSoftmax/axis/", OUTSIDE),
    ],
    otherwise: &[
        ("Gather/string/", ONE_TEXT),
        ("ReduceMax/nan/1/", NAN),
        ("ReduceMax/nan/2/", NAN),
        ("ReduceMin/nan/1/", NAN),
        ("ReduceMin/nan/2/", NAN),
    ],
};

const FROM_THE_END: &str =
    "negative indices count from the last column, as in ONNX's reference implementation";
const LARGE_ATTRIBUTE: &str = "no attribute counts more than 2^24";
const NEGATIVE_PADS: &str = "pads that take elements away are not supported";
const RANGE: &str = "tract counts ranges in 32 bits";
const UNKNOWN: &str = "constant limits beyond a dimension that is not known are refused";
const OUTSIDE: &str = "onnxruntime cuts the number off to 32 bits";
const ONE_TEXT: &str = "onnxruntime copies the first text of each row only";
const NAN: &str = "a line with NaN has no largest number, wherever it is; onnxruntime passes it over behind the first place";

#[test]
fn extremes() {
    run("extremes", &DIFFERENCES);
}
