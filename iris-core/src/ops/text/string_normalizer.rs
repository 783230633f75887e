//! [StringNormalizer](https://onnx.ai/onnx/operators/onnx__StringNormalizer.html), version 10.
//!
//! `X` string `[n_strings]` or `[1, n_strings]` gives `Y` of the same rank: the strings that are no stop words, in the
//! case asked for. Where none is left, `Y` is one empty string.
//!
//! Case is Unicode's, whatever `locale` says and the machine has: `İ` becomes two characters, `ß` in upper case `SS`, and
//! a sigma that ends a word stays one that does, as in Python and so in scikit-learn and ONNX's reference. onnxruntime
//! maps each character to one character. An input of no strings, which onnxruntime refuses, gives no strings.

use std::borrow::Cow;
use std::collections::HashSet;

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, ErrorKind, Result};
use crate::guard::memory;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, facts};
use crate::value::tensors;

#[derive(Debug)]
struct StringNormalizer {
    filter: Option<StopWords>,
    case: Case,
    /// The number of strings that are left, where stop words are taken out.
    n_left: Symbol,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Kept,
    Lower,
    Upper,
}

#[derive(Debug)]
struct StopWords {
    /// In the case `compared`.
    words: HashSet<String>,
    compared: Case,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let normalizer = StringNormalizer::from_attributes(attributes)?;
    Ok(Built::operator(normalizer))
}

impl StringNormalizer {
    fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self> {
        let name = "case_change_action";
        let case = match attributes.string(name)?.unwrap_or("NONE") {
            "NONE" => Case::Kept,
            "LOWER" => Case::Lower,
            "UPPER" => Case::Upper,
            other => return Err(attributes.invalid(name, format!("unknown value {other:?}"))),
        };
        let is_case_sensitive = attributes.int("is_case_sensitive")?.unwrap_or(0) != 0;
        attributes.string("locale")?;
        let compared = match (is_case_sensitive, case) {
            (true, _) => Case::Kept,
            (false, Case::Upper) => Case::Upper,
            (false, _) => Case::Lower,
        };
        let words: HashSet<String> = attributes
            .strings("stopwords")?
            .into_iter()
            .map(|word| compared.of(word).into_owned())
            .collect();
        Ok(Self {
            filter: (!words.is_empty()).then_some(StopWords { words, compared }),
            case,
            n_left: attributes.new_symbol("n_strings"),
        })
    }

    fn normalize(&self, strings: &[String]) -> Vec<String> {
        let is_left = |string: &&String| {
            self.filter
                .as_ref()
                .is_none_or(|filter| !filter.words.contains(&*filter.compared.of(string)))
        };
        let mut left: Vec<String> = strings
            .iter()
            .filter(is_left)
            .map(|string| self.case.of(string).into_owned())
            .collect();
        if left.is_empty() && !strings.is_empty() {
            left.push(String::new());
        }
        left
    }
}

impl Case {
    fn of(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Kept => text.into(),
            Self::Lower => text.to_lowercase().into(),
            Self::Upper => text.to_uppercase().into(),
        }
    }
}

impl Operator for StringNormalizer {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_string("X", x)?;
        let mut shape: TVec<TDim> = x.shape.to_tvec();
        match &*shape {
            [_] => {}
            [outer, _] if outer.to_usize().is_ok_and(|outer| outer != 1) => {
                return Err(error::invalid(format!(
                    "input X: expected the shape [n_strings] or [1, n_strings], got {shape:?}"
                )));
            }
            [_, _] => shape[0] = 1.to_dim(),
            _ => {
                return Err(error::invalid(format!(
                    "input X: expected 1 or 2 dimensions, got {}",
                    shape.len()
                )));
            }
        }
        if let (Some(_), Some(n_strings)) = (&self.filter, shape.last_mut()) {
            *n_strings = self.n_left.to_dim();
        }
        Ok(tvec![DatumType::String.fact(shape)])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = inputs[0].try_as_plain_ram()?;
        let mut shape: TVec<usize> = x.shape().into();
        if shape.len() == 2 && shape[0] != 1 {
            let message = format!("input X: expected the shape [1, n_strings], got {shape:?}");
            return Err(Error::new(ErrorKind::InvalidInput, message).into());
        }
        memory::ask_for_copies(x.as_slice()?)?;
        let strings = self.normalize(x.as_slice()?);
        if let Some(n_strings) = shape.last_mut() {
            *n_strings = strings.len();
        }
        Ok(tvec![tensors::from_vec(&shape, strings)?.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalizes() {
        struct Row {
            case: Case,
            stop_words: &'static [&'static str],
            compared: Case,
            strings: &'static [&'static str],
            expected: &'static [&'static str],
        }
        let rows = [
            Row {
                case: Case::Kept,
                stop_words: &[],
                compared: Case::Lower,
                strings: &["É", "é"],
                expected: &["É", "é"],
            },
            Row {
                case: Case::Lower,
                stop_words: &["B"],
                compared: Case::Kept,
                strings: &["A", "B", "b"],
                expected: &["a", "b"],
            },
            Row {
                case: Case::Kept,
                stop_words: &["b"],
                compared: Case::Lower,
                strings: &["A", "B", "b"],
                expected: &["A"],
            },
            Row {
                case: Case::Upper,
                stop_words: &["A"],
                compared: Case::Upper,
                strings: &["a", "straße"],
                expected: &["STRASSE"],
            },
            Row {
                case: Case::Lower,
                stop_words: &[],
                compared: Case::Lower,
                strings: &["İ", "ΑΣ"],
                expected: &["i\u{307}", "ας"],
            },
            Row {
                case: Case::Lower,
                stop_words: &["a"],
                compared: Case::Lower,
                strings: &["A", "a"],
                expected: &[""],
            },
            Row {
                case: Case::Lower,
                stop_words: &["a"],
                compared: Case::Lower,
                strings: &[],
                expected: &[],
            },
        ];
        for row in rows {
            let words: HashSet<String> = row.stop_words.iter().map(ToString::to_string).collect();
            let normalizer = StringNormalizer {
                filter: (!words.is_empty()).then_some(StopWords {
                    words,
                    compared: row.compared,
                }),
                case: row.case,
                n_left: SymbolScope::default().sym("n"),
            };
            let strings: Vec<String> = row.strings.iter().map(ToString::to_string).collect();
            assert_eq!(normalizer.normalize(&strings), row.expected);
        }
    }
}
