//! What `SVMClassifier` and `SVMRegressor` share: the attributes of their kernel functions.

use crate::error::Result;
use crate::kernels::svm::kernel::Kernel;
use crate::onnx::attributes::Attributes;

impl Kernel {
    /// Reads `kernel_type`, whose default is `LINEAR`, and `kernel_params`, which are gamma, coef0 and degree, or none.
    pub(crate) fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self> {
        let params = attributes.floats("kernel_params")?;
        let [gamma, coef0, degree] = match params {
            [] => [0.0; 3],
            &[gamma, coef0, degree] => [gamma, coef0, degree].map(f64::from),
            _ => {
                let what = format!(
                    "expected gamma, coef0 and degree, got {} values",
                    params.len()
                );
                return Err(attributes.invalid("kernel_params", what));
            }
        };
        match attributes.string("kernel_type")?.unwrap_or("LINEAR") {
            "LINEAR" => Ok(Self::Linear),
            "POLY" => Ok(Self::Poly {
                gamma,
                coef0,
                degree,
            }),
            "RBF" => Ok(Self::Rbf { gamma }),
            "SIGMOID" => Ok(Self::Sigmoid { gamma, coef0 }),
            other => Err(attributes.invalid("kernel_type", format!("unknown value {other:?}"))),
        }
    }
}
