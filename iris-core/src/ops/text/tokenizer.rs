//! [Tokenizer](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md) of com.microsoft, version 1.
//!
//! `X` string `[n]` or `[n, m]` gives `Y` string with one dimension more: the tokens of each string, filled up with
//! `pad_value` to the largest number of them, and with `mark` between `\u{2}` and `\u{3}`. No dimension is there for
//! marks where no string has a token.
//!
//! Tokens are single characters (`tokenexp` is `.`, or `separators` is one empty string), what lies between matches of
//! the `separators`, which are applied one after the other, or else the matches of `tokenexp`. All are regular
//! expressions in RE2's syntax of which the longest match counts; see [`pattern`](crate::kernels::text::re2). Tokens
//! of fewer than
//! `mincharnum` characters are left out.
//!
//! onnxruntime gives an input without strings a dimension less (`[0]`, `[n, 0]`); here it has its rank: `[0, 0]`,
//! `[n, m, 0]`.

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::guard::{budget, memory};
use crate::kernels::text::re2::{Finder, LongestMatch};
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, NEVER_FOLDED, Operator, facts};
use crate::value::tensors;

const START_MARK: &str = "\u{2}";
const END_MARK: &str = "\u{3}";

#[derive(Debug)]
struct Tokenizer {
    split: Split,
    has_marks: bool,
    min_chars: usize,
    pad_value: String,
    n_tokens: Symbol,
}

#[derive(Debug)]
enum Split {
    Characters,
    Between(Vec<LongestMatch>),
    Matches(Box<LongestMatch>),
}

/// The tokens of several texts, one after the other.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tokens<'t> {
    tokens: Vec<&'t str>,
    /// Where in `tokens` those of each text end.
    ends: Vec<usize>,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let tokenizer = Tokenizer::from_attributes(attributes)?;
    Ok(Built::operator(tokenizer))
}

impl Tokenizer {
    fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self> {
        let required =
            |name: &str, attributes: &Attributes<'_>| attributes.invalid(name, "missing");
        let has_marks = attributes
            .int("mark")?
            .ok_or_else(|| required("mark", attributes))?
            != 0;
        let pad_value = attributes
            .string("pad_value")?
            .ok_or_else(|| required("pad_value", attributes))?;
        let min_chars = attributes
            .int("mincharnum")?
            .ok_or_else(|| required("mincharnum", attributes))?;
        let min_chars = usize::try_from(min_chars)
            .ok()
            .filter(|&min_chars| min_chars > 0)
            .ok_or_else(|| {
                attributes.invalid("mincharnum", format!("expected 1 or more, got {min_chars}"))
            })?;
        let separators = attributes.strings("separators")?;
        let token = attributes.string("tokenexp")?.unwrap_or("");
        let pattern = |name: &str, pattern: &str| {
            LongestMatch::new(pattern).map_err(|e| attributes.invalid(name, e))
        };
        let split = match &*separators {
            [""] => Split::Characters,
            [] if token == "." => Split::Characters,
            [] if token.is_empty() => {
                return Err(attributes.invalid("tokenexp", "missing, as are separators"));
            }
            [] => Split::Matches(pattern("tokenexp", token)?.into()),
            separators => Split::Between(
                separators
                    .iter()
                    .map(|separator| pattern("separators", separator))
                    .collect::<Result<_>>()?,
            ),
        };
        if min_chars > 1 && matches!(split, Split::Characters) {
            let what = format!("a single character has fewer than {min_chars} characters");
            return Err(attributes.invalid("mincharnum", what));
        }
        Ok(Self {
            split,
            has_marks,
            min_chars,
            pad_value: pad_value.into(),
            n_tokens: attributes.new_symbol("n_tokens"),
        })
    }

    fn tokenize<'t>(&self, texts: &'t [String]) -> Result<Tokens<'t>> {
        let mut all = Tokens::default();
        match &self.split {
            Split::Characters => {
                for text in texts {
                    for character in text.split_inclusive(|_| true) {
                        memory::push(&mut all.tokens, character)?;
                    }
                    all.ends.push(all.tokens.len());
                }
            }
            Split::Matches(pattern) => {
                let mut finder = pattern.finder();
                for text in texts {
                    matches(&mut finder, text, self.min_chars, &mut all.tokens)?;
                    all.ends.push(all.tokens.len());
                }
            }
            Split::Between(separators) => {
                let mut finders: Vec<_> = separators.iter().map(LongestMatch::finder).collect();
                let (mut pieces, mut next) = (vec![], vec![]);
                for text in texts {
                    pieces.clear();
                    pieces.push(text.as_str());
                    for finder in &mut finders {
                        next.clear();
                        for piece in &pieces {
                            between_matches(finder, piece, self.min_chars, &mut next)?;
                        }
                        std::mem::swap(&mut pieces, &mut next);
                    }
                    for piece in &pieces {
                        memory::push(&mut all.tokens, *piece)?;
                    }
                    all.ends.push(all.tokens.len());
                }
            }
        }
        Ok(all)
    }

    /// Lays tokens out as a table with a row for each text, and says how many columns it has.
    fn pad(&self, tokens: &Tokens<'_>) -> Result<(usize, Vec<String>)> {
        let starts = std::iter::once(0).chain(tokens.ends.iter().copied());
        let rows = || {
            let ranges = starts.clone().zip(&tokens.ends);
            ranges.map(|(start, &end)| &tokens.tokens[start..end])
        };
        let mut width = rows().map(<[_]>::len).max().unwrap_or(0);
        if width == 0 {
            return Ok((0, vec![]));
        }
        if self.has_marks {
            width += 2;
        }
        let n_rows = tokens.ends.len();
        budget::check_tensor([n_rows, width], size_of::<String>())?;
        let n_marks = if self.has_marks { 2 * n_rows } else { 0 };
        let n_pads = width * n_rows - tokens.tokens.len() - n_marks;
        let pads = std::iter::repeat_n(self.pad_value.len(), n_pads);
        let lens = tokens.tokens.iter().map(|token| token.len());
        memory::ask_for_texts(lens.chain(pads))?;
        let mut table = memory::vec(width * n_rows)?;
        for (index, row) in rows().enumerate() {
            if self.has_marks {
                table.push(START_MARK.into());
            }
            table.extend(row.iter().map(|&token| token.to_owned()));
            if self.has_marks {
                table.push(END_MARK.into());
            }
            table.resize(width * (index + 1), self.pad_value.clone());
        }
        Ok((width, table))
    }
}

/// Whether `text` has `min_chars` characters or more.
fn is_long(text: &str, min_chars: usize) -> bool {
    text.len() >= min_chars && text.chars().nth(min_chars - 1).is_some()
}

/// Where the character after the one at `at` starts; `None` at the end of `text`.
fn next_char(text: &str, at: usize) -> Option<usize> {
    Some(at + text[at..].chars().next()?.len_utf8())
}

/// Adds the matches in `text`; one that is too short counts only for its first character.
fn matches<'t>(
    finder: &mut Finder<'_>,
    text: &'t str,
    min_chars: usize,
    tokens: &mut Vec<&'t str>,
) -> Result<()> {
    if !is_long(text, min_chars) {
        return Ok(());
    }
    let mut from = 0;
    while let Some(range) = finder.find(text, from) {
        if is_long(&text[range.clone()], min_chars) {
            from = range.end;
            memory::push(tokens, &text[range])?;
        } else if let Some(next) = next_char(text, range.start) {
            from = next;
        } else {
            break;
        }
    }
    Ok(())
}

/// Adds what lies between the matches in `text`; an empty match takes the character after it away.
fn between_matches<'t>(
    finder: &mut Finder<'_>,
    text: &'t str,
    min_chars: usize,
    tokens: &mut Vec<&'t str>,
) -> Result<()> {
    let mut push = |token: &'t str| {
        if is_long(token, min_chars) {
            memory::push(tokens, token)?;
        }
        Ok(())
    };
    let mut from = 0;
    while let Some(range) = finder.find(text, from) {
        push(&text[from..range.start])?;
        from = if !range.is_empty() {
            range.end
        } else if let Some(next) = next_char(text, range.start) {
            next
        } else {
            return Ok(());
        };
    }
    push(&text[from..])
}

impl Operator for Tokenizer {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_string("X", x)?;
        facts::samples("X", &x.shape)?;
        let mut shape: TVec<TDim> = x.shape.to_tvec();
        shape.push(self.n_tokens.to_dim());
        Ok(tvec![DatumType::String.fact(shape)])
    }

    fn work(&self, _inputs: &[TValue]) -> usize {
        NEVER_FOLDED
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = inputs[0].try_as_plain_ram()?;
        let tokens = self.tokenize(x.as_slice::<String>()?)?;
        let (width, table) = self.pad(&tokens)?;
        let mut shape: TVec<usize> = x.shape().into();
        shape.push(width);
        Ok(tvec![tensors::from_vec(&shape, table)?.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokenizer(split: Split, has_marks: bool, min_chars: usize) -> Tokenizer {
        Tokenizer {
            split,
            has_marks,
            min_chars,
            pad_value: "#".into(),
            n_tokens: SymbolScope::default().sym("n"),
        }
    }

    fn pattern(pattern: &str) -> LongestMatch {
        LongestMatch::new(pattern).expect("pattern is valid")
    }

    fn table(tokenizer: &Tokenizer, texts: &[&str]) -> Vec<Vec<String>> {
        let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
        let (width, table) = {
            let tokens = tokenizer.tokenize(&texts).expect("few tokens");
            tokenizer.pad(&tokens).expect("a small table")
        };
        table.chunks(width.max(1)).map(<[_]>::to_vec).collect()
    }

    #[test]
    fn splits_and_pads() {
        let separators = |list: &[&str]| Split::Between(list.iter().map(|s| pattern(s)).collect());
        type Case<'a> = (Tokenizer, &'a [&'a str], &'a [&'a [&'a str]]);
        let cases: [Case<'_>; 13] = [
            (
                tokenizer(Split::Characters, false, 1),
                &["a\né", ""],
                &[&["a", "\n", "é"], &["#", "#", "#"]],
            ),
            (
                tokenizer(Split::Matches(pattern("[a-z]+").into()), false, 1),
                &["ab cd", "x"],
                &[&["ab", "cd"], &["x", "#"]],
            ),
            (
                tokenizer(Split::Matches(pattern("[a-z]+").into()), false, 2),
                &["né 1_2 a bb"],
                &[&["bb"]],
            ),
            (
                tokenizer(Split::Matches(pattern("b*").into()), false, 1),
                &["abbc"],
                &[&["bb"]],
            ),
            (
                tokenizer(Split::Matches(pattern("a").into()), false, 5),
                &["a"],
                &[],
            ),
            (
                tokenizer(separators(&[" ", "[.]"]), false, 1),
                &["a b.c", "x"],
                &[&["a", "b", "c"], &["x", "#", "#"]],
            ),
            (
                tokenizer(separators(&[" ", ","]), true, 1),
                &["a b,c", "x", ""],
                &[
                    &["\u{2}", "a", "b", "c", "\u{3}"],
                    &["\u{2}", "x", "\u{3}", "#", "#"],
                    &["\u{2}", "\u{3}", "#", "#", "#"],
                ],
            ),
            (
                tokenizer(separators(&["a|ab"]), false, 1),
                &["xabyaz"],
                &[&["x", "y", "z"]],
            ),
            (
                tokenizer(separators(&["^a"]), false, 1),
                &["aab"],
                &[&["ab"]],
            ),
            (tokenizer(separators(&["b*"]), false, 1), &["abcd"], &[]),
            (
                tokenizer(separators(&[" "]), false, 2),
                &["a bb é"],
                &[&["bb"]],
            ),
            (tokenizer(separators(&[" "]), true, 1), &["", " "], &[]),
            (tokenizer(separators(&[" "]), true, 1), &[], &[]),
        ];
        for (tokenizer, texts, expected) in cases {
            assert_eq!(
                table(&tokenizer, texts),
                expected,
                "{tokenizer:?} {texts:?}"
            );
        }
    }
}
