//! [ArrayFeatureExtractor](https://onnx.ai/onnx/operators/onnx_aionnxml_ArrayFeatureExtractor.html), version 1.
//!
//! `X` `[.., n_features]` of any type and `Y` int64 of any shape give `Z` `[.., n_indices]`: the columns of `X` whose
//! indices `Y` lists. One-dimensional `X` gives `[1, n_indices]`, as in onnxruntime.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, ErrorKind, Result};
use crate::guard::memory;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, facts};
use crate::value::tensors;

#[derive(Debug)]
struct ArrayFeatureExtractor;

pub(crate) fn build(_attributes: &mut Attributes<'_>) -> Result<Built> {
    Ok(Built::operator(ArrayFeatureExtractor))
}

impl Operator for ArrayFeatureExtractor {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x, y] = facts::inputs(inputs)?;
        if y.datum_type != DatumType::I64 && y.datum_type != DatumType::TDim {
            let got = y.datum_type;
            return Err(error::invalid(format!(
                "input Y: expected int64, got {got:?}"
            )));
        }
        let Some((_, outer)) = x.shape.split_last() else {
            return Err(error::invalid(
                "input X: expected 1 dimension or more, got a scalar",
            ));
        };
        let mut shape: TVec<TDim> = if outer.is_empty() {
            tvec![1.to_dim()]
        } else {
            outer.into()
        };
        shape.push(y.shape.volume());
        Ok(tvec![x.datum_type.fact(shape)])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        rank > 1
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (x, y) = (&inputs[0], inputs[1].cast_to::<i64>()?);
        let n_features = x.shape().last().copied().unwrap_or(0);
        let indices = feature_indices(y.try_as_plain_ram()?.as_slice()?, n_features)?;
        let mut shape: TVec<usize> = match x.shape() {
            [] | [_] => tvec![1],
            [outer @ .., _] => outer.into(),
        };
        shape.push(indices.len());

        fn extract<T: Datum>(
            x: &Tensor,
            indices: &[usize],
            shape: &[usize],
        ) -> TractResult<Tensor> {
            let n_features = x.shape().last().copied().unwrap_or(0).max(1);
            if let Some(texts) = memory::texts(x) {
                let rows = texts.chunks_exact(n_features);
                let chosen = rows.flat_map(|row| indices.iter().map(|&index| row[index].len()));
                memory::ask_for_texts(chosen)?;
            }
            let x = x.try_as_plain_ram()?;
            let z = extract_features(x.as_slice::<T>()?, n_features, indices);
            tensors::from_vec(shape, z)
        }
        Ok(tvec![
            dispatch_datum!(extract(x.datum_type())(x, &indices, &shape))?.into_tvalue()
        ])
    }
}

/// The columns that `indices` name; negative ones count from the last column backwards, as in ONNX's reference
/// implementation, where onnxruntime fails on exports of scikit-learn's radius neighbours.
fn feature_indices(indices: &[i64], n_features: usize) -> Result<Vec<usize>> {
    let check = |&index: &i64| {
        let from_first = if index < 0 {
            index.checked_add_unsigned(n_features as u64)
        } else {
            Some(index)
        };
        from_first
            .and_then(|index| usize::try_from(index).ok())
            .filter(|&index| index < n_features)
            .ok_or_else(|| {
                let message =
                    format!("input Y: index {index} is outside the {n_features} features of X");
                Error::new(ErrorKind::InvalidInput, message)
            })
    };
    indices.iter().map(check).collect()
}

/// Gathers the columns `indices` of `x` `[n_samples, n_features]`, row by row.
fn extract_features<T: Clone>(x: &[T], n_features: usize, indices: &[usize]) -> Vec<T> {
    if x.len() == n_features {
        return indices.iter().map(|&index| x[index].clone()).collect();
    }
    x.chunks_exact(n_features)
        .flat_map(|row| indices.iter().map(|&index| row[index].clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathers_columns() {
        struct Case {
            x: &'static [i32],
            n_features: usize,
            indices: &'static [usize],
            z: &'static [i32],
        }
        let cases = [
            Case {
                x: &[1, 2, 3, 4, 5, 6],
                n_features: 3,
                indices: &[2, 0],
                z: &[3, 1, 6, 4],
            },
            Case {
                x: &[1, 2, 3],
                n_features: 3,
                indices: &[1, 1],
                z: &[2, 2],
            },
            Case {
                x: &[1, 2, 3],
                n_features: 3,
                indices: &[],
                z: &[],
            },
            Case {
                x: &[],
                n_features: 3,
                indices: &[0],
                z: &[],
            },
        ];
        for Case {
            x,
            n_features,
            indices,
            z,
        } in cases
        {
            assert_eq!(
                extract_features(x, n_features, indices),
                z,
                "{x:?} {indices:?}"
            );
        }
    }

    #[test]
    fn refuses_indices_outside() {
        for index in [-4, 3, i64::MIN, i64::MAX] {
            let error = feature_indices(&[0, index], 3).expect_err("index is outside");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(&index.to_string()));
        }
        let indices = feature_indices(&[2, 0, -1, -3], 3).expect("inside");
        assert_eq!(indices, [2, 0, 2, 0]);
    }
}
