//! [StringSplit](https://onnx.ai/onnx/operators/onnx__StringSplit.html), version 20.
//!
//! `X` string of any shape gives `Y` string with one dimension more, the parts of each string and then empty strings, and
//! `Z` int64 of the shape of `X`, how many parts there are. The text between the parts is `delimiter`; without one it is
//! any number of spaces (of no other white space, as in onnxruntime), which do not count at the ends. Of a string of which
//! `maxsplit` parts are off, what is left is one part. An empty string has no parts.

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::guard::{budget, memory};
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, NEVER_FOLDED, Operator, facts};
use crate::value::tensors;

#[derive(Debug)]
struct StringSplit {
    delimiter: String,
    /// How many parts a string may have.
    max_parts: usize,
    n_parts: Symbol,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let delimiter = attributes.string("delimiter")?.unwrap_or_default().into();
    // A negative number is no limit.
    let max_parts = attributes
        .int("maxsplit")?
        .and_then(|max| usize::try_from(max).ok())
        .map_or(usize::MAX, |max| max.saturating_add(1));
    let n_parts = attributes.new_symbol("n_parts");
    let split = StringSplit {
        delimiter,
        max_parts,
        n_parts,
    };
    Ok(Built::operator(split))
}

/// Adds the parts of `text`; an empty `delimiter` stands for spaces.
fn split<'t>(
    text: &'t str,
    delimiter: &str,
    max_parts: usize,
    parts: &mut Vec<&'t str>,
) -> Result<()> {
    if !delimiter.is_empty() {
        if text.is_empty() {
            return Ok(());
        }
        let mut of_text = text.splitn(max_parts, delimiter);
        return of_text.try_for_each(|part| memory::push(parts, part));
    }
    let mut rest = text.trim_matches(' ');
    for n_parts in 1.. {
        if rest.is_empty() {
            break;
        }
        let end = match rest.find(' ') {
            Some(end) if n_parts < max_parts => end,
            _ => rest.len(),
        };
        memory::push(parts, &rest[..end])?;
        rest = rest[end..].trim_start_matches(' ');
    }
    Ok(())
}

impl Operator for StringSplit {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_string("X", x)?;
        let mut shape: TVec<TDim> = x.shape.to_tvec();
        shape.push(self.n_parts.to_dim());
        Ok(tvec![
            DatumType::String.fact(shape),
            i64::datum_type().fact(x.shape.clone())
        ])
    }

    fn work(&self, _inputs: &[TValue]) -> usize {
        NEVER_FOLDED
    }

    fn eval(&self, inputs: &[TValue], wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = inputs[0].try_as_plain_ram()?;
        let texts = x.as_slice::<String>()?;
        let mut parts = vec![];
        let mut counts = Vec::with_capacity(texts.len());
        for text in texts {
            let before = parts.len();
            split(text, &self.delimiter, self.max_parts, &mut parts)?;
            counts.push(parts.len() - before);
        }
        let outputs = wanted.iter().map(|&slot| {
            let output = if slot == 0 {
                let width = counts.iter().copied().max().unwrap_or(0);
                budget::check_tensor([counts.len(), width], size_of::<String>())?;
                memory::ask_for_texts(parts.iter().map(|part| part.len()))?;
                let mut table = memory::vec(width * counts.len())?;
                let mut rest = parts.iter();
                for (index, &count) in counts.iter().enumerate() {
                    table.extend(rest.by_ref().take(count).map(ToString::to_string));
                    table.resize(width * (index + 1), String::new());
                }
                let mut shape: TVec<usize> = x.shape().into();
                shape.push(width);
                tensors::from_vec(&shape, table)?
            } else {
                tensors::from_vec(x.shape(), counts.iter().map(|&n| n as i64).collect())?
            };
            Ok(output.into_tvalue())
        });
        outputs.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_strings() {
        let no_limit = usize::MAX;
        let cases: [(&str, &str, usize, &[&str]); 13] = [
            (" a  b ", "", no_limit, &["a", "b"]),
            ("", "", no_limit, &[]),
            ("  ", "", no_limit, &[]),
            (" a b  c ", "", 2, &["a", "b  c"]),
            (" a b  c ", "", 1, &["a b  c"]),
            ("a b ", "", 2, &["a", "b"]),
            ("a\tb", "", no_limit, &["a\tb"]),
            ("a,,b", ",", no_limit, &["a", "", "b"]),
            (",", ",", no_limit, &["", ""]),
            ("", ",", no_limit, &[]),
            ("a,b,c", ",", 2, &["a", "b,c"]),
            ("a,b", ",", 1, &["a,b"]),
            ("xaby", "ab", no_limit, &["x", "y"]),
        ];
        for (text, delimiter, max_parts, expected) in cases {
            let mut parts = vec![];
            split(text, delimiter, max_parts, &mut parts).expect("few parts");
            assert_eq!(parts, expected, "{text:?} {delimiter:?} {max_parts}");
        }
    }
}
