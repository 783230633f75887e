//! Distances between samples, and the nearest of them: what [`model::neighbors`](crate::model) puts in the place of the
//! graphs that skl2onnx makes of them. No file can name these operators.
//!
//! `PairwiseDistances` of `X` `[n_samples, n_features]` and `Y` `[n_others, n_features]`, both float or both double, gives
//! `[n_samples, n_others]`. `NearestNeighbors` of `X` has `Y` as an attribute, and gives the `k` smallest distances of each
//! sample, `[n_samples, k]`, the smallest first, and where in `Y` they are; with `negate` the distances are negative.

#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::NullaryFnOnce;
use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, Result};
use crate::kernels::neighbors::metric::{Distance, Metric};
use crate::kernels::neighbors::nearest::{Nearest, Query, Samples};
use crate::kernels::real::Real;
use crate::kernels::simd;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, NEVER_FOLDED, Operator, facts};
use crate::value::tensors;

fn check_type(fact: &TypedFact, expected: Option<DatumType>) -> Result<()> {
    let got = fact.datum_type;
    let is_expected = match expected {
        Some(expected) => got == expected,
        None => matches!(got, DatumType::F32 | DatumType::F64),
    };
    if is_expected {
        return Ok(());
    }
    let expected = expected.map_or("F32 or F64".into(), |expected| format!("{expected:?}"));
    Err(error::invalid(format!("expected {expected}, got {got:?}")))
}

fn matrix<D: Clone + std::fmt::Debug>(shape: &[D]) -> Result<[D; 2]> {
    match shape {
        [rows, columns] => Ok([rows.clone(), columns.clone()]),
        _ => Err(error::invalid(format!(
            "expected 2 dimensions, got {}",
            shape.len()
        ))),
    }
}

fn check_features(got: usize, expected: usize) -> Result<()> {
    if got == expected {
        return Ok(());
    }
    let message = format!("expected {expected} features, got {got}");
    Err(Error::input(message))
}

#[derive(Debug)]
struct PairwiseDistances(Distance);

pub(crate) fn build_distances(attributes: &mut Attributes<'_>) -> Result<Built> {
    let distance = Distance {
        metric: Metric::from_attributes(attributes)?,
        root: false,
        wide: false,
    };
    Ok(Built::operator(PairwiseDistances(distance)))
}

/// The distances of each of the rows `x` from each of the rows `y`.
struct Pairs<'a, T> {
    distance: Distance,
    x: &'a [T],
    y: &'a [T],
    n_features: usize,
}

impl<T: Real> NullaryFnOnce for Pairs<'_, T> {
    type Output = Vec<T>;

    #[inline(always)]
    fn call(self) -> Vec<T> {
        let mut distances =
            Vec::with_capacity(self.x.len() / self.n_features * (self.y.len() / self.n_features));
        for x in self.x.chunks_exact(self.n_features) {
            for y in self.y.chunks_exact(self.n_features) {
                distances.push(self.distance.between(x, y));
            }
        }
        distances
    }
}

impl Operator for PairwiseDistances {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x, y] = facts::inputs(inputs)?;
        check_type(x, None)?;
        check_type(y, Some(x.datum_type))?;
        let ([n_samples, n_features], [n_others, other_features]) =
            (matrix(&x.shape)?, matrix(&y.shape)?);
        if let (Ok(got), Ok(expected)) = (n_features.to_usize(), other_features.to_usize()) {
            check_features(got, expected)?;
        }
        Ok(tvec![x.datum_type.fact([n_samples, n_others])])
    }

    fn work(&self, _inputs: &[TValue]) -> usize {
        NEVER_FOLDED
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        fn distances<T: Real + Datum>(
            distance: Distance,
            x: &Tensor,
            y: &Tensor,
        ) -> TractResult<Tensor> {
            let ([n_samples, got], [n_others, n_features]) =
                (matrix(x.shape())?, matrix(y.shape())?);
            check_features(got, n_features)?;
            let shape = [n_samples, n_others];
            if n_features == 0 {
                return tensors::filled::<T>(&shape, |_| Ok(()));
            }
            let (x, y) = (x.try_as_plain_ram()?, y.try_as_plain_ram()?);
            let distances = simd::dispatch(Pairs {
                distance,
                x: x.as_slice::<T>()?,
                y: y.as_slice::<T>()?,
                n_features,
            });
            tensors::from_vec(&shape, distances)
        }
        let distances = if inputs[0].datum_type() == DatumType::F32 {
            distances::<f32>(self.0, &inputs[0], &inputs[1])
        } else {
            distances::<f64>(self.0, &inputs[0], &inputs[1])
        }?;
        Ok(tvec![distances.into_tvalue()])
    }
}

#[derive(Debug)]
struct NearestNeighbors<T> {
    samples: Samples<T>,
    query: Query,
    negate: bool,
}

pub(crate) fn build_nearest(attributes: &mut Attributes<'_>) -> Result<Built> {
    let y = attributes
        .tensor("Y")?
        .ok_or_else(|| attributes.invalid("Y", "missing"))?;
    if y.datum_type() == DatumType::F32 {
        NearestNeighbors::<f32>::build(attributes, &y)
    } else {
        NearestNeighbors::<f64>::build(attributes, &y)
    }
}

impl<T: Real + Datum> NearestNeighbors<T> {
    fn build(attributes: &mut Attributes<'_>, y: &Tensor) -> Result<Built> {
        let flag = |attributes: &mut Attributes<'_>, name| {
            Result::Ok(attributes.int(name)?.unwrap_or(0) != 0)
        };
        let distance = Distance {
            metric: Metric::from_attributes(attributes)?,
            root: flag(attributes, "root")?,
            wide: flag(attributes, "wide")?,
        };
        let negate = flag(attributes, "negate")?;
        let [n_samples, n_features] = matrix(y.shape())?;
        let k = attributes.int("k")?.and_then(|k| usize::try_from(k).ok());
        let k = k
            .filter(|k| (1..=n_samples).contains(k) && n_features > 0)
            .ok_or_else(|| attributes.invalid("k", "not that many samples"))?;
        let rows = y
            .try_as_plain_ram()
            .and_then(|y| Ok(y.as_slice::<T>()?.to_vec()))
            .map_err(|error| attributes.invalid("Y", error))?;
        let operator = Self {
            samples: Samples::new(rows, n_features, distance.metric),
            query: Query {
                distance,
                k,
                nan_first: negate,
            },
            negate,
        };
        Ok(Built::operator(operator))
    }
}

impl<T: Real + Datum> Operator for NearestNeighbors<T> {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        check_type(x, Some(T::datum_type()))?;
        let [n_samples, n_features] = matrix(&x.shape)?;
        if let Ok(got) = n_features.to_usize() {
            check_features(got, self.samples.n_features())?;
        }
        let shape = [n_samples, self.query.k.to_dim()];
        Ok(tvec![
            T::datum_type().fact(shape.clone()),
            DatumType::I64.fact(shape)
        ])
    }

    fn work(&self, _inputs: &[TValue]) -> usize {
        NEVER_FOLDED
    }

    fn eval(&self, inputs: &[TValue], wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let [n_samples, n_features] = matrix(inputs[0].shape())?;
        check_features(n_features, self.samples.n_features())?;
        let x = inputs[0].try_as_plain_ram()?;
        let shape = [n_samples, self.query.k];
        let mut values = vec![T::default(); n_samples * self.query.k];
        let indices = tensors::filled(&shape, |indices| {
            simd::dispatch(Nearest {
                samples: &self.samples,
                query: self.query,
                x: x.as_slice::<T>()?,
                values: &mut values,
                indices,
            });
            Ok(())
        })?;
        if self.negate {
            values.iter_mut().for_each(|value| *value = -*value);
        }
        let outputs = [
            tensors::from_vec(&shape, values)?.into_tvalue(),
            indices.into_tvalue(),
        ];
        Ok(wanted.iter().map(|&slot| outputs[slot].clone()).collect())
    }
}

impl Metric {
    pub(crate) fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self> {
        let name = attributes.string("metric")?.unwrap_or_default();
        [Self::SqEuclidean, Self::Manhattan]
            .into_iter()
            .find(|metric| metric.name() == name)
            .ok_or_else(|| attributes.invalid("metric", format!("unknown value {name:?}")))
    }
}
