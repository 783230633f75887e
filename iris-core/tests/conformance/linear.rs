use crate::runner::{Differences, run};

const DOUBLE: &str =
    "onnxruntime rounds to float before it computes; scikit-learn computes in double";
const TOO_MANY: &str = "onnxruntime leaves out what does not fit, without a word";

#[test]
fn linear() {
    let differences = Differences {
        accepted: &[
            (
                "LinearClassifier/edge/intercepts_absent",
                "the specification makes intercepts optional",
            ),
            (
                "FeatureVectorizer/edge/mixed_types",
                "the specification names no reason why all inputs should be of one type",
            ),
        ],
        refused: &[
            ("LinearClassifier/edge/classlabels_ints_4", TOO_MANY),
            ("LinearClassifier/edge/too_few_features", TOO_MANY),
            ("LinearRegressor/edge/coefficients_8", TOO_MANY),
            ("LinearRegressor/edge/intercepts_1", TOO_MANY),
            ("LinearRegressor/edge/too_few_features", TOO_MANY),
            ("Imputer/edge/two_for_three", TOO_MANY),
            (
                "Scaler/edge/three_dimensions_features",
                "onnxruntime takes the middle dimension for the features, ONNX's reference the last",
            ),
            (
                "FeatureVectorizer/edge/padded_1025",
                "a small file must not ask for a large output",
            ),
            (
                "FeatureVectorizer/edge/inputdimensions_zero",
                "an output without features is a mistake",
            ),
        ],
        refused_in_part: &[],
        otherwise: &[
            ("LinearClassifier/beyond_f32/", DOUBLE),
            ("Scaler/edge/beyond_f32_", DOUBLE),
            ("Normalizer/small/L2", DOUBLE),
            ("Normalizer/large/L2", DOUBLE),
        ],
    };
    run("linear", &differences);
}
