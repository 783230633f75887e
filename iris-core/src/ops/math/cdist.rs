//! [CDist](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md) of com.microsoft, version 1.
//!
//! `A` `[n_samples, n_features]` and `B` `[n_others, n_features]`, both float or both double, give `C`
//! `[n_samples, n_others]` of their type: the distance of each row of `A` from each row of `B`, with `metric` `euclidean`,
//! `sqeuclidean` (the default) or `minkowski`, of the power `p`, which skl2onnx emits and onnxruntime does not have.
//!
//! The differences are summed in double, as scipy does. onnxruntime expands the square, which loses digits where rows are
//! far from the origin and near to each other, and is NaN where a row is infinite.
//!
//! Not supported: other metrics.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, NEVER_FOLDED, Operator, facts};
use crate::value::tensors;

#[derive(Clone, Copy, Debug, PartialEq)]
enum CDist {
    Euclidean,
    Minkowski(f64),
    SqEuclidean,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let metric = match attributes.string("metric")?.unwrap_or("sqeuclidean") {
        "euclidean" => CDist::Euclidean,
        "sqeuclidean" => CDist::SqEuclidean,
        "minkowski" => {
            // scikit-learn's p is an int or a float, and skl2onnx writes either.
            let p = match attributes.int("p") {
                Ok(p) => p.map(|p| p as f64),
                Err(_) => attributes.float("p")?.map(f64::from),
            };
            let p = p.ok_or_else(|| attributes.invalid("p", "missing"))?;
            if !p.is_finite() || p <= 0.0 {
                return Err(attributes.invalid("p", format!("expected more than 0, got {p}")));
            }
            CDist::Minkowski(p)
        }
        other => {
            return Err(attributes.invalid("metric", format!("{other:?} is not supported")));
        }
    };
    Ok(Built::operator(metric))
}

fn sum_squares(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum()
}

impl CDist {
    /// The distances of each of the rows `a` from each of the rows `b`, which have `n_features` numbers.
    fn distances<T: Copy + Into<f64>>(
        self,
        a: &[T],
        b: &[T],
        n_features: usize,
    ) -> impl Iterator<Item = f64> {
        a.chunks_exact(n_features).flat_map(move |x| {
            b.chunks_exact(n_features).map(move |y| {
                let differences = x.iter().zip(y).map(|(&x, &y)| x.into() - y.into());
                match self {
                    Self::Euclidean => sum_squares(differences).sqrt(),
                    Self::Minkowski(p) => {
                        let powers = differences.map(|difference| difference.abs().powf(p));
                        powers.sum::<f64>().powf(p.recip())
                    }
                    Self::SqEuclidean => sum_squares(differences),
                }
            })
        })
    }
}

impl Operator for CDist {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [a, b] = facts::inputs(inputs)?;
        let types = (a.datum_type, b.datum_type);
        if !matches!(
            types,
            (DatumType::F32, DatumType::F32) | (DatumType::F64, DatumType::F64)
        ) {
            return Err(error::invalid(format!(
                "inputs A and B: expected both float or both double, got {types:?}"
            )));
        }
        let ([n_samples, n_features], [n_others, other_features]) =
            (a.shape.dims(), b.shape.dims())
        else {
            return Err(error::invalid(format!(
                "inputs A and B: expected 2 dimensions each, got {} and {}",
                a.rank(),
                b.rank()
            )));
        };
        if n_features.to_usize().is_ok_and(|n| n == 0) {
            return Err(error::invalid("input A: expected 1 feature or more, got 0"));
        }
        if let (Ok(expected), Ok(got)) = (n_features.to_usize(), other_features.to_usize())
            && expected != got
        {
            return Err(error::invalid(format!(
                "input B: expected {expected} features, as A has, got {got}"
            )));
        }
        Ok(tvec![
            a.datum_type.fact([n_samples.clone(), n_others.clone()])
        ])
    }

    fn work(&self, _inputs: &[TValue]) -> usize {
        NEVER_FOLDED
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (a, b) = (&inputs[0], &inputs[1]);
        let (&[n_samples, n_features], &[n_others, other_features]) = (a.shape(), b.shape()) else {
            bail!("CDist takes two tensors of 2 dimensions");
        };
        if n_features != other_features || n_features == 0 {
            let message =
                format!("input B: expected {n_features} features, as A has, got {other_features}");
            return Err(crate::error::Error::input(message).into());
        }
        let shape = [n_samples, n_others];
        let (a, b) = (a.try_as_plain_ram()?, b.try_as_plain_ram()?);
        let distances = if a.datum_type() == DatumType::F32 {
            let distances = self.distances(a.as_slice::<f32>()?, b.as_slice()?, n_features);
            tensors::from_vec(&shape, distances.map(|d| d as f32).collect())?
        } else {
            let distances = self.distances(a.as_slice::<f64>()?, b.as_slice()?, n_features);
            tensors::from_vec(&shape, distances.collect())?
        };
        Ok(tvec![distances.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_rows() {
        let (a, b) = ([1.0_f32, 2.0, 3.0, 4.0], [0.0, 0.0, 1.0, 2.0]);
        for (metric, expected) in [
            (CDist::SqEuclidean, [5.0, 0.0, 25.0, 8.0]),
            (CDist::Euclidean, [5.0_f64.sqrt(), 0.0, 5.0, 8.0_f64.sqrt()]),
            (CDist::Minkowski(1.0), [3.0, 0.0, 7.0, 4.0]),
            (
                CDist::Minkowski(2.0),
                [5.0_f64.sqrt(), 0.0, 5.0, 8.0_f64.sqrt()],
            ),
        ] {
            let got: Vec<f64> = metric.distances(&a, &b, 2).collect();
            assert_eq!(got, expected);
            assert_eq!(metric.distances(&a[..0], &b, 2).count(), 0);
        }
    }

    #[test]
    fn power_is_an_int_or_a_float_above_0() {
        use tract_onnx::pb::attribute_proto::AttributeType;
        use tract_onnx::pb::{AttributeProto, NodeProto};
        let int = |i| AttributeProto {
            name: "p".into(),
            r#type: AttributeType::Int.into(),
            i,
            ..AttributeProto::default()
        };
        let float = |f| AttributeProto {
            name: "p".into(),
            r#type: AttributeType::Float.into(),
            f,
            ..AttributeProto::default()
        };
        let metric = AttributeProto {
            name: "metric".into(),
            r#type: AttributeType::String.into(),
            s: "minkowski".into(),
            ..AttributeProto::default()
        };
        let is_taken = |p: Option<AttributeProto>| {
            let node = NodeProto {
                attribute: p.into_iter().chain([metric.clone()]).collect(),
                ..NodeProto::default()
            };
            build(&mut Attributes::new(&node)).is_ok()
        };
        for p in [int(3), float(1.5), float(0.5)] {
            assert!(is_taken(Some(p.clone())), "{p:?}");
        }
        for p in [int(0), float(-1.0), float(f32::NAN), float(f32::INFINITY)] {
            assert!(!is_taken(Some(p.clone())), "{p:?}");
        }
        assert!(!is_taken(None));
    }

    #[test]
    fn keeps_small_differences_of_large_numbers() {
        let (a, b) = ([1e8_f32], [1e8_f32 + 8.0]);
        let got: Vec<f64> = CDist::SqEuclidean.distances(&a, &b, 1).collect();
        assert_eq!(got, [64.0]);
    }
}
