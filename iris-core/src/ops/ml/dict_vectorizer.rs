//! [DictVectorizer](https://onnx.ai/onnx/operators/onnx_aionnxml_DictVectorizer.html), version 1.
//!
//! A map from string to int64, float or double, or from int64 to string, float or double, gives `Y` `[1, n_words]` of
//! the values' type: for each word of the vocabulary its value in the map, or 0 (or the empty string). Keys that are no
//! words are ignored; a word may be in the vocabulary twice.
//!
//! The map comes as two tensors, `[n_keys]` each: its keys and its values (see `rewrite/maps.rs`).
//!
//! Not supported: both vocabularies in one node, of which onnxruntime takes the one that the map's keys fit.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::lookup::{List, Places, Repeated};
use crate::operator::{Built, Operator, maps};
use crate::value::tensors;

#[derive(Debug)]
struct DictVectorizer {
    words: Places,
    /// Words that are in the vocabulary again, as the first place and this one.
    repeats: Vec<(usize, usize)>,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let given = ["string_vocabulary", "int64_vocabulary"].map(|name| attributes.is_given(name));
    let vocabulary = match given {
        [true, false] => {
            let words = attributes.strings("string_vocabulary")?;
            vector(words.into_iter().map(String::from).collect())
        }
        [false, true] => vector(attributes.ints("int64_vocabulary")?.to_vec()),
        [false, false] => return Err(attributes.invalid("*_vocabulary", "missing")),
        [true, true] => return Err(attributes.invalid("*_vocabulary", "expected one list, got 2")),
    };
    let vectorizer = vocabulary
        .and_then(|vocabulary| DictVectorizer::new(&vocabulary))
        .map_err(|error| attributes.invalid("*_vocabulary", error))?;
    Ok(Built::operator(vectorizer))
}

fn vector<T: Datum>(elements: Vec<T>) -> TractResult<Tensor> {
    tensors::from_vec(&[elements.len()], elements)
}

impl DictVectorizer {
    fn new(vocabulary: &Tensor) -> TractResult<Self> {
        let words = List::from_tensor(vocabulary).context("expected a list")?;
        let words = Places::new(words, Repeated::First);
        let mut repeats = Vec::new();
        let mut place = 0;
        words.find(vocabulary, |first| {
            repeats.extend(
                first
                    .filter(|&first| first != place)
                    .map(|first| (first, place)),
            );
            place += 1;
        })?;
        Ok(Self { words, repeats })
    }
}

impl Operator for DictVectorizer {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [keys, values] = maps::facts(inputs)?;
        self.words.check_input("X", keys.datum_type)?;
        let got = values.datum_type;
        let fits = match got {
            DatumType::F32 | DatumType::F64 => true,
            DatumType::I64 => keys.datum_type == DatumType::String,
            DatumType::String => keys.datum_type != DatumType::String,
            _ => false,
        };
        if !fits {
            let message = format!(
                "input X: maps from {:?} to {got:?} are not taken",
                keys.datum_type
            );
            return Err(error::invalid(message));
        }
        Ok(tvec![got.fact([1, self.words.n_keys()])])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (keys, values) = maps::tensors(inputs)?;
        let mut places = Vec::with_capacity(keys.len());
        self.words.find(keys, |place| places.push(place))?;

        fn fill<T: Datum + Default>(
            operator: &DictVectorizer,
            places: &[Option<usize>],
            values: &Tensor,
        ) -> TractResult<Tensor> {
            let view = values.try_as_plain_ram()?;
            let n_words = operator.words.n_keys();
            let y = vectorize(places, view.as_slice::<T>()?, n_words, &operator.repeats);
            tensors::from_vec(&[1, n_words], y)
        }
        let y = match values.datum_type() {
            DatumType::F32 => fill::<f32>(self, &places, values)?,
            DatumType::F64 => fill::<f64>(self, &places, values)?,
            DatumType::I64 => fill::<i64>(self, &places, values)?,
            _ => fill::<String>(self, &places, values)?,
        };
        Ok(tvec![y.into_tvalue()])
    }
}

/// Puts each value into its place among `n_words`, then copies those of `repeats` from the first place to the second.
fn vectorize<T: Clone + Default>(
    places: &[Option<usize>],
    values: &[T],
    n_words: usize,
    repeats: &[(usize, usize)],
) -> Vec<T> {
    let mut y = vec![T::default(); n_words];
    for (place, value) in places.iter().zip(values) {
        if let Some(slot) = place.and_then(|place| y.get_mut(place)) {
            *slot = value.clone();
        }
    }
    for &(first, again) in repeats {
        y[again] = y[first].clone();
    }
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_values_into_their_places() {
        struct Case {
            places: &'static [Option<usize>],
            values: &'static [i64],
            repeats: &'static [(usize, usize)],
            y: &'static [i64],
        }
        let cases = [
            Case {
                places: &[Some(2), None, Some(0)],
                values: &[5, 6, 7],
                repeats: &[],
                y: &[7, 0, 5],
            },
            Case {
                places: &[Some(0)],
                values: &[5],
                repeats: &[(0, 2), (1, 1)],
                y: &[5, 0, 5],
            },
            Case {
                places: &[],
                values: &[],
                repeats: &[],
                y: &[0, 0, 0],
            },
        ];
        for case in cases {
            let y = vectorize(case.places, case.values, 3, case.repeats);
            assert_eq!(y, case.y, "{:?}", case.places);
        }
    }

    #[test]
    fn finds_repeated_words() {
        let operator = DictVectorizer::new(&tensor1(&["b", "a", "b", "b"].map(String::from)))
            .expect("strings are words");
        assert_eq!(operator.repeats, [(0, 2), (0, 3)]);
    }
}
