//! Linear functions from the attributes of the operators that have them.

use crate::error::Result;
use crate::kernels::linear::LinearFunctions;
use crate::onnx::attributes::Attributes;

impl LinearFunctions {
    /// Reads `coefficients`. `intercepts` are the attribute of that name: none stands for 0. `n_functions` must not
    /// be 0.
    pub(crate) fn from_attributes(
        attributes: &mut Attributes<'_>,
        n_functions: usize,
        intercepts: &[f32],
    ) -> Result<Self> {
        let coefficients = attributes.floats("coefficients")?;
        let n_features = coefficients.len() / n_functions;
        if n_features == 0 || coefficients.len() % n_functions != 0 {
            let got = coefficients.len();
            let what = format!("expected a multiple of {n_functions} values, got {got}");
            return Err(attributes.invalid("coefficients", what));
        }
        let intercepts = if intercepts.is_empty() {
            vec![0.0; n_functions]
        } else {
            attributes.check_len("intercepts", intercepts.len(), n_functions)?;
            intercepts.to_vec()
        };
        Ok(Self {
            coefficients: coefficients.iter().copied().map(f64::from).collect(),
            intercepts,
            n_features,
            factors: vec![],
        })
    }
}
