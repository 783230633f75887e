//! The `post_transform` attribute of the ai.onnx.ml operators.

use crate::error::Result;
use crate::kernels::post_transform::PostTransform;
use crate::onnx::attributes::Attributes;

impl PostTransform {
    /// Reads `post_transform`, whose default is `NONE`.
    pub(crate) fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self> {
        match attributes.string("post_transform")?.unwrap_or("NONE") {
            "NONE" => Ok(Self::None),
            "LOGISTIC" => Ok(Self::Logistic),
            "SOFTMAX" => Ok(Self::Softmax),
            "SOFTMAX_ZERO" => Ok(Self::SoftmaxZero),
            "PROBIT" => Ok(Self::Probit),
            other => Err(attributes.invalid("post_transform", format!("unknown value {other:?}"))),
        }
    }
}
