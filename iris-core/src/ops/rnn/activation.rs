//! The functions that a recurrent network applies to its state.
//!
//! Defaults are those of the operators of the same names. Affine and `ScaledTanh` have no such operator today: their
//! values must be given.

use crate::error::Result;
use crate::onnx::attributes::Attributes;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Activation {
    Affine { alpha: f64, beta: f64 },
    Elu { alpha: f64 },
    HardSigmoid { alpha: f64, beta: f64 },
    LeakyRelu { alpha: f64 },
    Relu,
    ScaledTanh { alpha: f64, beta: f64 },
    Sigmoid,
    Softplus,
    Softsign,
    Tanh,
    ThresholdedRelu { alpha: f64 },
}

impl Activation {
    /// Reads the activations of `n_directions` directions.
    pub(crate) fn from_attributes(
        attributes: &mut Attributes<'_>,
        n_directions: usize,
    ) -> Result<Vec<Self>> {
        let given = attributes.strings("activations")?;
        let names = match given.as_slice() {
            [] => vec!["Tanh"; n_directions],
            // The specification's default is a pair, which exporters write out for one direction, too.
            [name, _] if n_directions == 1 => vec![*name],
            _ => {
                attributes.check_len("activations", given.len(), n_directions)?;
                given
            }
        };
        let alphas = parameters(attributes, "activation_alpha", &names, takes_alpha)?;
        let betas = parameters(attributes, "activation_beta", &names, takes_beta)?;
        let activations = names.iter().zip(alphas.into_iter().zip(betas));
        activations
            .map(|(name, (alpha, beta))| Self::new(attributes, name, alpha, beta))
            .collect()
    }

    fn new(
        attributes: &Attributes<'_>,
        name: &str,
        alpha: Option<f64>,
        beta: Option<f64>,
    ) -> Result<Self> {
        let needed = |attribute: &str, value: Option<f64>| {
            value.ok_or_else(|| {
                attributes.invalid(attribute, format!("missing, {name} has no default"))
            })
        };
        let default = |value: Option<f64>, default: f32| value.unwrap_or(default.into());
        Ok(match name {
            "Affine" => Self::Affine {
                alpha: needed("activation_alpha", alpha)?,
                beta: needed("activation_beta", beta)?,
            },
            "Elu" => Self::Elu {
                alpha: default(alpha, 1.0),
            },
            "HardSigmoid" => Self::HardSigmoid {
                alpha: default(alpha, 0.2),
                beta: default(beta, 0.5),
            },
            "LeakyRelu" => Self::LeakyRelu {
                alpha: default(alpha, 0.01),
            },
            "Relu" => Self::Relu,
            "ScaledTanh" => Self::ScaledTanh {
                alpha: needed("activation_alpha", alpha)?,
                beta: needed("activation_beta", beta)?,
            },
            "Sigmoid" => Self::Sigmoid,
            "Softplus" => Self::Softplus,
            "Softsign" => Self::Softsign,
            "Tanh" => Self::Tanh,
            "ThresholdedRelu" => Self::ThresholdedRelu {
                alpha: default(alpha, 1.0),
            },
            other => {
                return Err(
                    attributes.invalid("activations", format!("{other:?} is not supported"))
                );
            }
        })
    }

    pub(crate) fn apply(self, x: f64) -> f64 {
        match self {
            Self::Affine { alpha, beta } => alpha * x + beta,
            Self::Elu { alpha } if x < 0.0 => alpha * x.exp_m1(),
            Self::HardSigmoid { alpha, beta } => (alpha * x + beta).clamp(0.0, 1.0),
            Self::LeakyRelu { alpha } if x < 0.0 => alpha * x,
            Self::Relu if x < 0.0 => 0.0,
            Self::ScaledTanh { alpha, beta } => alpha * (beta * x).tanh(),
            Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            // The logarithm of 1 + exp(x), without its overflow.
            Self::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Self::Softsign => x / (1.0 + x.abs()),
            Self::Tanh => x.tanh(),
            Self::ThresholdedRelu { alpha } if x <= alpha => 0.0,
            Self::Elu { .. }
            | Self::LeakyRelu { .. }
            | Self::Relu
            | Self::ThresholdedRelu { .. } => x,
        }
    }
}

fn takes_alpha(name: &str) -> bool {
    takes_beta(name) || matches!(name, "Elu" | "LeakyRelu" | "ThresholdedRelu")
}

fn takes_beta(name: &str) -> bool {
    matches!(name, "Affine" | "HardSigmoid" | "ScaledTanh")
}

/// The values of list attribute `attribute`, which go to those of the activations `names` that take one, in order.
fn parameters(
    attributes: &mut Attributes<'_>,
    attribute: &str,
    names: &[&str],
    takes: fn(&str) -> bool,
) -> Result<Vec<Option<f64>>> {
    let values = attributes.floats(attribute)?;
    if !values.is_empty() {
        let n_takers = names.iter().filter(|name| takes(name)).count();
        attributes.check_len(attribute, values.len(), n_takers)?;
    }
    let mut values = values.iter().map(|&value| f64::from(value));
    let mut next = |name: &str| takes(name).then(|| values.next()).flatten();
    Ok(names.iter().map(|name| next(name)).collect())
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::attribute_proto::AttributeType;
    use tract_onnx::pb::{AttributeProto, NodeProto};

    use super::*;

    fn read(names: &[&str], alphas: &[f32], betas: &[f32], n: usize) -> Result<Vec<Activation>> {
        let floats = |name: &str, floats: &[f32]| AttributeProto {
            name: name.into(),
            r#type: AttributeType::Floats.into(),
            floats: floats.to_vec(),
            ..AttributeProto::default()
        };
        let node = NodeProto {
            attribute: vec![
                AttributeProto {
                    name: "activations".into(),
                    r#type: AttributeType::Strings.into(),
                    strings: names.iter().map(|name| name.as_bytes().to_vec()).collect(),
                    ..AttributeProto::default()
                },
                floats("activation_alpha", alphas),
                floats("activation_beta", betas),
            ],
            ..NodeProto::default()
        };
        Activation::from_attributes(&mut Attributes::new(&node), n)
    }

    #[test]
    fn values_go_to_the_activations_that_take_them() {
        let affine = |alpha: f64, beta: f64| Activation::Affine { alpha, beta };
        let given = read(&["Tanh", "Affine"], &[2.0], &[3.0], 2).expect("one taker");
        assert_eq!(given, [Activation::Tanh, affine(2.0, 3.0)]);
        let given = read(&[], &[], &[], 2).expect("defaults");
        assert_eq!(given, [Activation::Tanh; 2]);
        let given = read(&["Elu", "Tanh"], &[], &[], 1).expect("the first of the default pair");
        assert_eq!(given, [Activation::Elu { alpha: 1.0 }]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (names, alphas, n) in [
            (&["Affine"][..], &[][..], 1),
            (&["tanh"], &[], 1),
            (&["Tanh"], &[], 2),
            (&["Elu"], &[1.0, 2.0], 1),
            (&["Tanh", "Elu"], &[1.0, 2.0], 2),
            (&["Tanh", "Relu", "Relu"], &[], 1),
        ] {
            assert!(read(names, alphas, &[], n).is_err(), "{names:?}");
        }
    }

    #[test]
    fn large_arguments_do_not_overflow() {
        for (activation, expected) in [
            (Activation::Softplus, [0.0, 1e3]),
            (Activation::Sigmoid, [0.0, 1.0]),
            (Activation::Elu { alpha: 2.0 }, [-2.0, 1e3]),
        ] {
            assert_eq!([-1e3, 1e3].map(|x| activation.apply(x)), expected);
        }
    }
}
