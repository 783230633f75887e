//! [FeatureVectorizer](https://onnx.ai/onnx/operators/onnx_aionnxml_FeatureVectorizer.html), version 1.
//!
//! One or more inputs of float, double, int32 or int64 give `Y` float `[n_samples, n_features]`: the features of all
//! inputs beside each other. `inputdimensions` says how many each input has in `Y`; what it has more is left out, what
//! it has less is 0 (up to [`MAX_PADDING`] features). An input of one dimension is one sample, as in onnxruntime (a
//! column in the ONNX reference); the features of one of three dimensions or more are all of its inner dimensions.
//!
//! The inputs may be of different types, which onnxruntime refuses. All must have the same number of samples, which
//! onnxruntime takes for granted.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, ErrorKind, Result};
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, facts};
use crate::value::tensors;
use crate::value::tensors::with_f64s;

/// How many features `inputdimensions` may add to those that there are: a small file must not ask for a large output.
const MAX_PADDING: usize = 1 << 10;

/// The attributes, checked: the sum of all dimensions is `n_features`.
#[derive(Debug)]
struct FeatureVectorizer {
    dimensions: Vec<usize>,
    n_features: usize,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let vectorizer = FeatureVectorizer::from_attributes(attributes)?;
    Ok(Built::operator(vectorizer))
}

impl FeatureVectorizer {
    fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self> {
        const NAME: &str = "inputdimensions";
        let given = attributes.ints(NAME)?;
        attributes.check_len(NAME, given.len(), attributes.node().input.len())?;
        let mut n_features = 0_usize;
        let mut dimensions = Vec::with_capacity(given.len());
        for &dimension in given {
            let size = usize::try_from(dimension).ok();
            let sum = size.and_then(|size| n_features.checked_add(size));
            let (Some(size), Some(sum)) = (size, sum) else {
                return Err(attributes.invalid(NAME, format!("{dimension} features")));
            };
            dimensions.push(size);
            n_features = sum;
        }
        if n_features == 0 {
            return Err(attributes.invalid(NAME, "expected 1 feature or more, got 0"));
        }
        Ok(Self {
            dimensions,
            n_features,
        })
    }

    /// Refuses inputs of different numbers of samples, or with too few features; unknown ones pass.
    fn check(&self, inputs: &[(TDim, TDim)]) -> Result<()> {
        let mut padding = 0_usize;
        let mut n_samples = None;
        for (index, ((samples, features), &dimension)) in
            inputs.iter().zip(&self.dimensions).enumerate()
        {
            if let Ok(features) = features.to_usize() {
                padding = padding.saturating_add(dimension.saturating_sub(features));
            }
            if let Ok(got) = samples.to_usize() {
                let expected = *n_samples.get_or_insert(got);
                if got != expected {
                    return Err(Error::new(
                        ErrorKind::InvalidInput,
                        format!("input {index}: expected {expected} samples, got {got}"),
                    ));
                }
            }
        }
        if padding > MAX_PADDING {
            return Err(error::invalid(format!(
                "attribute inputdimensions: {padding} features more than the inputs have, at most {MAX_PADDING} are supported"
            )));
        }
        Ok(())
    }
}

/// `n_samples` and `n_features` of one input.
fn samples<D: DimLike>(index: usize, shape: &[D]) -> Result<(D, D)> {
    match shape {
        [] => Err(error::invalid(format!(
            "input {index}: expected 1 dimension or more, got a scalar"
        ))),
        [n_features] => Ok((1.into(), n_features.clone())),
        [n_samples, inner @ ..] => Ok((n_samples.clone(), inner.iter().cloned().product())),
    }
}

impl Operator for FeatureVectorizer {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let (got, expected) = (inputs.len(), self.dimensions.len());
        if got != expected {
            return Err(error::invalid(format!(
                "expected {expected} inputs, got {got}"
            )));
        }
        let mut shapes = vec![];
        for (index, x) in inputs.iter().enumerate() {
            facts::check_numeric(&index.to_string(), x)?;
            shapes.push(samples(index, &x.shape)?);
        }
        self.check(&shapes)?;
        // A number that is known says more than a symbol.
        let n_samples = shapes.iter().map(|(n_samples, _)| n_samples);
        let n_samples = n_samples
            .clone()
            .find(|n_samples| n_samples.to_usize().is_ok())
            .or(n_samples.clone().next())
            .cloned()
            .unwrap_or_default();
        let shape = [n_samples, self.n_features.to_dim()];
        Ok(tvec![f32::datum_type().fact(shape)])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let mut shapes = vec![];
        for (index, x) in inputs.iter().enumerate() {
            shapes.push(samples(index, x.shape())?);
        }
        let dims: Vec<_> = shapes
            .iter()
            .map(|(n_samples, n_features)| (n_samples.to_dim(), n_features.to_dim()))
            .collect();
        self.check(&dims)?;
        let n_samples = shapes.first().map_or(0, |(n_samples, _)| *n_samples);
        let y = tensors::filled(&[n_samples, self.n_features], |y: &mut [f32]| {
            let mut start = 0;
            for ((x, (_, n_features)), &dimension) in
                inputs.iter().zip(shapes).zip(&self.dimensions)
            {
                let columns = start..start + dimension;
                with_f64s!(x, x => copy_columns(x, n_features, y, self.n_features, columns));
                start += dimension;
            }
            Ok(())
        })?;
        Ok(tvec![y.into_tvalue()])
    }
}

/// Copies `x` `[n_samples, width]` to `columns` of `y` `[n_samples, y_width]`, as much of it as they take.
fn copy_columns(
    mut x: impl Iterator<Item = f64>,
    width: usize,
    y: &mut [f32],
    y_width: usize,
    columns: std::ops::Range<usize>,
) {
    for row in y.chunks_exact_mut(y_width) {
        let mut slots = row[columns.clone()].iter_mut();
        for value in x.by_ref().take(width) {
            if let Some(slot) = slots.next() {
                *slot = value as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_and_pads() {
        let x = [1.0, 2.0, 3.0, 4.0];
        let cases: [(std::ops::Range<usize>, [f32; 8]); 4] = [
            (0..2, [1.0, 2.0, 0.0, 0.0, 3.0, 4.0, 0.0, 0.0]),
            (1..2, [0.0, 1.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0]),
            (1..4, [0.0, 1.0, 2.0, 0.0, 0.0, 3.0, 4.0, 0.0]),
            (4..4, [0.0; 8]),
        ];
        for (columns, expected) in cases {
            let mut y = [0.0; 8];
            copy_columns(x.into_iter(), 2, &mut y, 4, columns.clone());
            assert_eq!(y, expected, "{columns:?}");
        }
    }

    #[test]
    fn checks_samples_and_padding() {
        let vectorizer = FeatureVectorizer {
            dimensions: vec![2, MAX_PADDING + 1],
            n_features: MAX_PADDING + 3,
        };
        let shapes =
            |second: (usize, usize)| [(3, 2), second].map(|(n, f)| (n.to_dim(), f.to_dim()));
        vectorizer.check(&shapes((3, 1))).expect("fits");
        let error = vectorizer.check(&shapes((3, 0))).expect_err("padding");
        assert!(error.to_string().contains("inputdimensions"), "{error}");
        let error = vectorizer.check(&shapes((2, 1))).expect_err("samples");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
