//! [OneHotEncoder](https://onnx.ai/onnx/operators/onnx_aionnxml_OneHotEncoder.html), version 1.
//!
//! `X` of any shape `[..]` gives `Y` float `[.., n_cats]`: 1 in the place of the element's category, 0 elsewhere.
//! Strings are looked up in `cats_strings`; int64, int32, float and double in `cats_int64s`, floats cut to whole numbers
//! before. An element of no category gives zeros, or with `zeros` = 0 an error; NaN and what exceeds int64 are of none. Of a
//! repeated category the last place counts, as in onnxruntime.
//!
//! Not supported: categories of another kind than the input, in which onnxruntime finds nothing.

use tract_onnx::tract_hir::internal::*;

use crate::error::{Error, Result};
use crate::onnx::attributes::Attributes;
use crate::operator::lookup::{List, Places, Repeated};
use crate::operator::{Built, Operator, facts};
use crate::value::tensors;

#[derive(Debug)]
struct OneHotEncoder {
    categories: Places,
    /// Whether elements of no category are an error.
    strict: bool,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let ints = attributes.ints("cats_int64s")?;
    let strings = attributes.strings("cats_strings")?;
    let categories = match (ints, strings.as_slice()) {
        ([], []) => return Err(attributes.invalid("cats_*", "no categories")),
        (ints, []) => List::Int64(ints.to_vec()),
        ([], strings) => List::strings(strings),
        _ => return Err(attributes.invalid("cats_*", "expected one list, got 2")),
    };
    let encoder = OneHotEncoder {
        categories: Places::new(categories, Repeated::Last),
        strict: attributes.int("zeros")? == Some(0),
    };
    Ok(Built::operator(encoder))
}

impl Operator for OneHotEncoder {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        let whole = match x.datum_type {
            DatumType::F32 | DatumType::F64 | DatumType::I32 => DatumType::I64,
            other => other,
        };
        self.categories.check_input("X", whole)?;
        let mut shape: TVec<TDim> = x.shape.iter().cloned().collect();
        shape.push(self.categories.n_keys().to_dim());
        Ok(tvec![f32::fact(shape)])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        rank > 1
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let mut places = Vec::with_capacity(x.len());
        let see = |place| places.push(place);
        match x.datum_type() {
            DatumType::F32 | DatumType::F64 | DatumType::I32 => {
                let (whole, unknown) = tensors::with_f64s!(x, values => whole_numbers(values));
                let whole = tensors::from_vec(&[whole.len()], whole)?;
                self.categories.find(&whole, see)?;
                unknown.into_iter().for_each(|index| places[index] = None);
            }
            _ => self.categories.find(x, see)?,
        }
        if self.strict
            && let Some(index) = places.iter().position(Option::is_none)
        {
            let message = format!("input X: element {index} is of no category");
            return Err(Error::input(message).into());
        }
        let mut shape: TVec<usize> = x.shape().into();
        shape.push(self.categories.n_keys());
        let y = one_hot(&places, self.categories.n_keys())?;
        Ok(tvec![tensors::from_vec(&shape, y)?.into_tvalue()])
    }
}

/// The numbers without their fractions, and the indices of those that are no int64 even so.
fn whole_numbers(values: impl Iterator<Item = f64>) -> (Vec<i64>, Vec<usize>) {
    // 2^63, which is no int64 itself.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let mut unknown = Vec::new();
    let whole = values
        .enumerate()
        .map(|(index, value)| {
            if !(-LIMIT..LIMIT).contains(&value) {
                unknown.push(index);
            }
            value as i64
        })
        .collect();
    (whole, unknown)
}

/// One row of `n_categories` for each place, 1 there and 0 elsewhere.
fn one_hot(places: &[Option<usize>], n_categories: usize) -> Result<Vec<f32>> {
    let size = places.len().checked_mul(n_categories).ok_or_else(|| {
        Error::input(format!(
            "{} elements of {n_categories} categories are too many",
            places.len()
        ))
    })?;
    let mut y = vec![0.0; size];
    for (row, place) in y.chunks_exact_mut(n_categories).zip(places) {
        if let Some(slot) = place.and_then(|place| row.get_mut(place)) {
            *slot = 1.0;
        }
    }
    Ok(y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_places() {
        let rows = one_hot(&[Some(1), None, Some(0)], 2).expect("few rows");
        assert_eq!(rows, [0.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
        assert!(one_hot(&[], 3).expect("no rows").is_empty());
        assert!(one_hot(&[None; 4], usize::MAX / 2).is_err());
    }

    #[test]
    fn cuts_fractions_and_finds_what_is_no_integer() {
        let values = [1.9, -1.9, -0.5, f64::NAN, 1e300, -1e300, 9.3e18, -9.3e18];
        let (whole, unknown) = whole_numbers(values.into_iter());
        assert_eq!(whole[..3], [1, -1, 0]);
        assert_eq!(unknown, [3, 4, 5, 6, 7]);
        let (_, unknown) = whole_numbers([i64::MIN as f64].into_iter());
        assert!(unknown.is_empty());
    }
}
