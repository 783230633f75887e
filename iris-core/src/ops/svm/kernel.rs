//! Kernel functions between a sample and the support vectors.
//!
//! Everything here is inlined into one caller, which compiles it for each level of the processor's vector instructions.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level only where it is inlined"
)]

use super::exp::exp;
use crate::error::Result;
use crate::ops::attributes::Attributes;

/// A kernel function, by its ONNX name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kernel {
    /// `x·y`
    Linear,
    /// `(gamma x·y + coef0)^degree`
    Poly { gamma: f64, coef0: f64, degree: f64 },
    /// `exp(-gamma |x - y|²)`
    Rbf { gamma: f64 },
    /// `tanh(gamma x·y + coef0)`
    Sigmoid { gamma: f64, coef0: f64 },
}

impl Kernel {
    /// Reads `kernel_type`, whose default is `LINEAR`, and `kernel_params`, which are gamma, coef0 and degree, or none.
    pub(super) fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self> {
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

    /// Turns dot products (for RBF: squared distances) into kernel values.
    #[inline(always)]
    fn finish(self, values: &mut [f64]) {
        match self {
            Self::Linear => {}
            Self::Poly {
                gamma,
                coef0,
                degree,
            } if degree == degree.trunc() && degree.abs() < 1e6 => {
                values
                    .iter_mut()
                    .for_each(|v| *v = (gamma * *v + coef0).powi(degree as i32));
            }
            Self::Poly {
                gamma,
                coef0,
                degree,
            } => {
                values
                    .iter_mut()
                    .for_each(|v| *v = (gamma * *v + coef0).powf(degree));
            }
            Self::Rbf { gamma } => values.iter_mut().for_each(|v| *v = exp(-gamma * *v)),
            Self::Sigmoid { gamma, coef0 } => {
                values
                    .iter_mut()
                    .for_each(|v| *v = (gamma * *v + coef0).tanh());
            }
        }
    }
}

/// The support vectors of a machine and the kernel between them and a sample.
#[derive(Debug)]
pub(super) struct SupportVectors {
    kernel: Kernel,
    n_vectors: usize,
    /// `[n_features, n_vectors]`: one feature of all vectors lies together, for the loop over vectors to be the inner one.
    by_feature: Vec<f32>,
}

impl SupportVectors {
    /// Takes vectors as ONNX stores them, `[n_vectors, n_features]`.
    pub(super) fn new(kernel: Kernel, vectors: &[f32], n_vectors: usize) -> Self {
        let n_features = vectors.len() / n_vectors;
        let by_feature = (0..n_features)
            .flat_map(|feature| vectors[feature..].iter().step_by(n_features))
            .copied()
            .collect();
        Self {
            kernel,
            n_vectors,
            by_feature,
        }
    }

    pub(super) fn n_vectors(&self) -> usize {
        self.n_vectors
    }

    /// Computes the kernel of `x`, `[n_features]`, and every support vector, into `values`, `[n_vectors]`.
    #[inline(always)]
    pub(super) fn kernel_row(&self, x: &[f64], values: &mut [f64]) {
        values.fill(0.0);
        let columns = self.by_feature.chunks_exact(self.n_vectors);
        if let Kernel::Rbf { .. } = self.kernel {
            for (&x, column) in x.iter().zip(columns) {
                for (value, &y) in values.iter_mut().zip(column) {
                    let difference = x - f64::from(y);
                    *value += difference * difference;
                }
            }
        } else {
            for (&x, column) in x.iter().zip(columns) {
                for (value, &y) in values.iter_mut().zip(column) {
                    *value += x * f64::from(y);
                }
            }
        }
        self.kernel.finish(values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_follow_their_formulas() {
        let vectors = [1.0, 2.0, 3.0, -1.0, 0.5, 0.0];
        let x = [0.5, -2.0, 1.5];
        let (dots, distances) = ([1.0, -1.5], [0.25 + 16.0 + 2.25, 2.25 + 6.25 + 2.25]);
        let (gamma, coef0): (f64, f64) = (0.25, 1.5);
        let cases: [(Kernel, [f64; 2]); 5] = [
            (Kernel::Linear, dots),
            (Kernel::Rbf { gamma }, distances.map(|d| (-gamma * d).exp())),
            (
                Kernel::Sigmoid { gamma, coef0 },
                dots.map(|d| (gamma * d + coef0).tanh()),
            ),
            (
                Kernel::Poly {
                    gamma,
                    coef0,
                    degree: 3.0,
                },
                dots.map(|d| (gamma * d + coef0).powi(3)),
            ),
            (
                Kernel::Poly {
                    gamma,
                    coef0,
                    degree: 2.5,
                },
                dots.map(|d| (gamma * d + coef0).powf(2.5)),
            ),
        ];
        for (kernel, expected) in cases {
            let mut values = [f64::NAN; 2];
            SupportVectors::new(kernel, &vectors, 2).kernel_row(&x, &mut values);
            for (value, expected) in values.iter().zip(expected) {
                assert!(
                    (value - expected).abs() < 1e-14,
                    "{kernel:?}: {value} {expected}"
                );
            }
        }
    }
}
