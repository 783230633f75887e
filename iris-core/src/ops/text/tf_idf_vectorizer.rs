//! [TfIdfVectorizer](https://onnx.ai/onnx/operators/onnx__TfIdfVectorizer.html), version 9.
//!
//! `X` int32, int64 or string `[n_items]` gives `Y` float `[n_columns]`, and `[n_samples, n_items]` gives
//! `[n_samples, n_columns]`: how often each n-gram of the pool is in a sample (`TF`), its weight if it is there (`IDF`),
//! and the one times the other (`TFIDF`). Items of an n-gram may have up to `max_skip_count` items between them, all
//! equally many; single items are counted once.
//!
//! The weights are those of the n-grams, as in the specification and in onnxruntime; ONNX's reference takes them for those
//! of the columns. Where n-grams share a column, counts add up, and of several weights of `IDF` the last n-gram's stays.
//! Samples without items have no n-grams. A batch without samples, which onnxruntime refuses, gives none.
//!
//! Not supported: columns far beyond the number of n-grams, and integers as items where the pool has strings and the other
//! way round.

use std::collections::HashMap;
use std::hash::Hash;

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, NEVER_FOLDED, Operator, facts};

#[derive(Debug)]
struct TfIdfVectorizer {
    weighting: Weighting,
    items: Items,
    ngrams: Ngrams,
    n_columns: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weighting {
    Count,
    Presence,
}

/// The items of the pool, numbered.
#[derive(Debug)]
enum Items {
    Int(HashMap<i64, u32>),
    String(HashMap<String, u32>),
}

/// The n-grams of the pool, as a tree whose edges are items.
#[derive(Debug)]
struct Ngrams {
    min_len: usize,
    max_len: usize,
    max_distance: usize,
    /// From a node and an item to the node of the n-gram that is longer by that item; the root is node 0.
    edges: HashMap<(u32, u32), u32>,
    /// The n-gram that ends at a node, if it is in the pool and has a length that counts.
    ends: Vec<Option<Ngram>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Ngram {
    column: u32,
    weight: f32,
}

/// Each item more that may be skipped is one more pass over all items.
const MAX_SKIP: usize = 255;

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let vectorizer = TfIdfVectorizer::from_attributes(attributes)?;
    Ok(Built::operator(vectorizer))
}

/// A required integer of at least `min`.
fn required(attributes: &mut Attributes<'_>, name: &str, min: usize) -> Result<usize> {
    let value = attributes
        .int(name)?
        .ok_or_else(|| attributes.invalid(name, "missing"))?;
    usize::try_from(value)
        .ok()
        .filter(|&value| value >= min)
        .ok_or_else(|| attributes.invalid(name, format!("expected {min} or more, got {value}")))
}

impl TfIdfVectorizer {
    fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self> {
        let (weighting, is_weighted) = match attributes.string("mode")? {
            Some("TF") => (Weighting::Count, false),
            Some("IDF") => (Weighting::Presence, true),
            Some("TFIDF") => (Weighting::Count, true),
            Some(other) => {
                return Err(attributes.invalid("mode", format!("unknown value {other:?}")));
            }
            None => return Err(attributes.invalid("mode", "missing")),
        };
        let min_len = required(attributes, "min_gram_length", 1)?;
        let max_len = required(attributes, "max_gram_length", min_len)?;
        let max_skip = required(attributes, "max_skip_count", 0)?;
        if max_skip > MAX_SKIP {
            let what = format!("expected {MAX_SKIP} or less, got {max_skip}");
            return Err(attributes.invalid("max_skip_count", what));
        }

        let indexes = attributes.ints("ngram_indexes")?;
        // Room for a vocabulary of which the pool has a part, but not for any number that a file can spell.
        let limit = indexes.len().saturating_mul(16).saturating_add(1 << 20);
        let columns: Vec<u32> = indexes
            .iter()
            .map(|&index| {
                u32::try_from(index)
                    .ok()
                    .filter(|&column| (column as usize) < limit)
                    .ok_or_else(|| {
                        let what = format!("index {index} is outside of 0 to {limit}");
                        attributes.invalid("ngram_indexes", what)
                    })
            })
            .collect::<Result<_>>()?;
        let Some(&last) = columns.iter().max() else {
            return Err(attributes.invalid("ngram_indexes", "expected 1 value or more, got 0"));
        };
        let n_columns = last as usize + 1;

        let weights = attributes.floats("weights")?;
        if !weights.is_empty() {
            attributes.check_len("weights", weights.len(), columns.len())?;
        }
        let weights = if is_weighted { weights } else { &[] };
        let weights = weights.iter().copied().chain(std::iter::repeat(1.0));

        let strings = attributes.strings("pool_strings")?;
        let integers = attributes.ints("pool_int64s")?;
        let (items, pool) = if !strings.is_empty() {
            let (items, pool) = number_items(strings.into_iter().map(String::from));
            (Items::String(items), pool)
        } else if !integers.is_empty() {
            let (items, pool) = number_items(integers.iter().copied());
            (Items::Int(items), pool)
        } else {
            return Err(attributes.invalid("pool_strings", "missing, as is pool_int64s"));
        };
        let counts = attributes.ints("ngram_counts")?;
        if max_len > counts.len() {
            let what = format!(
                "{} values for n-grams of up to {max_len} items",
                counts.len()
            );
            return Err(attributes.invalid("ngram_counts", what));
        }
        let lengths = sections(counts, pool.len())
            .map_err(|what| attributes.invalid("ngram_counts", what))?;
        let n_ngrams: usize = lengths.iter().map(|(len, range)| range.len() / len).sum();
        if n_ngrams > columns.len() {
            let what = format!("{} values for {n_ngrams} n-grams", columns.len());
            return Err(attributes.invalid("ngram_indexes", what));
        }
        let mut ngrams = Ngrams::new(min_len, max_len, max_skip);
        let mut ends = columns.into_iter().zip(weights);
        for (len, range) in lengths {
            let is_used = (min_len..=max_len).contains(&len);
            for (ngram, (column, weight)) in pool[range].chunks_exact(len).zip(&mut ends) {
                if is_used && !ngrams.insert(ngram, Ngram { column, weight }) {
                    let what = format!("two {len}-grams are the same");
                    let name = if matches!(items, Items::Int(_)) {
                        "pool_int64s"
                    } else {
                        "pool_strings"
                    };
                    return Err(attributes.invalid(name, what));
                }
            }
        }
        Ok(Self {
            weighting,
            items,
            ngrams,
            n_columns,
        })
    }

    /// Fills `y` `[n_samples, n_columns]` from items `[n_samples, n_items]`, which are `None` where the pool has them not.
    fn vectorize(&self, items: &[Option<u32>], n_items: usize, y: &mut [f32]) {
        let mut sums = vec![0.0; self.n_columns];
        for (index, row) in y.chunks_exact_mut(self.n_columns).enumerate() {
            sums.fill(0.0);
            let sample = items
                .get(index * n_items..(index + 1) * n_items)
                .unwrap_or_default();
            self.ngrams.visit(sample, |ngram| {
                let sum = &mut sums[ngram.column as usize];
                let weight = f64::from(ngram.weight);
                *sum = match self.weighting {
                    Weighting::Count => *sum + weight,
                    Weighting::Presence => weight,
                };
            });
            row.iter_mut()
                .zip(&sums)
                .for_each(|(y, &sum)| *y = sum as f32);
        }
    }
}

/// Numbers the different items of the pool, and spells the pool in these numbers.
fn number_items<T: Eq + Hash>(
    pool: impl ExactSizeIterator<Item = T>,
) -> (HashMap<T, u32>, Vec<u32>) {
    let mut numbers = HashMap::with_capacity(pool.len());
    let pool = pool
        .map(|item| {
            let next = numbers.len() as u32;
            *numbers.entry(item).or_insert(next)
        })
        .collect();
    (numbers, pool)
}

/// The part of the pool that holds the n-grams of each length, given where each part starts.
fn sections(
    starts: &[i64],
    pool_len: usize,
) -> std::result::Result<Vec<(usize, std::ops::Range<usize>)>, String> {
    let mut sections = Vec::with_capacity(starts.len());
    for (index, &start) in starts.iter().enumerate() {
        let end = match starts.get(index + 1) {
            Some(&end) => usize::try_from(end).ok(),
            None => Some(pool_len),
        };
        let len = index + 1;
        let range = usize::try_from(start)
            .ok()
            .zip(end)
            .map(|(start, end)| start..end)
            .filter(|range| range.start <= range.end && range.end <= pool_len)
            .ok_or_else(|| format!("{len}-grams do not lie within the pool's {pool_len} items"))?;
        if range.len() % len != 0 {
            return Err(format!(
                "{} items do not make whole {len}-grams",
                range.len()
            ));
        }
        sections.push((len, range));
    }
    Ok(sections)
}

impl Ngrams {
    fn new(min_len: usize, max_len: usize, max_skip: usize) -> Self {
        Self {
            min_len,
            max_len,
            max_distance: max_skip.saturating_add(1),
            edges: HashMap::new(),
            ends: vec![None],
        }
    }

    /// Adds an n-gram; `false` if it was there already.
    fn insert(&mut self, items: &[u32], ngram: Ngram) -> bool {
        let mut node = 0;
        for &item in items {
            let next = self.ends.len() as u32;
            node = *self.edges.entry((node, item)).or_insert(next);
            if node == next {
                self.ends.push(None);
            }
        }
        self.ends[node as usize].replace(ngram).is_none()
    }

    /// Calls `found` with each n-gram of one sample, as often as it is there.
    fn visit(&self, sample: &[Option<u32>], mut found: impl FnMut(Ngram)) {
        let mut min_len = self.min_len;
        if min_len == 1 {
            self.visit_at_distance(sample, 1, 1, 1, &mut found);
            min_len = 2;
        }
        if min_len > self.max_len {
            return;
        }
        let n_distances = sample.len().saturating_sub(1) / (min_len - 1);
        for distance in 1..=self.max_distance.min(n_distances) {
            self.visit_at_distance(sample, distance, min_len, self.max_len, &mut found);
        }
    }

    fn visit_at_distance(
        &self,
        sample: &[Option<u32>],
        distance: usize,
        min_len: usize,
        max_len: usize,
        found: &mut impl FnMut(Ngram),
    ) {
        for start in 0..sample.len() {
            let mut node = 0;
            let items = sample[start..].iter().step_by(distance).take(max_len);
            for (index, item) in items.enumerate() {
                let next = item.and_then(|item| self.edges.get(&(node, item)));
                let Some(&next) = next else { break };
                node = next;
                if index + 1 < min_len {
                    continue;
                }
                if let Some(ngram) = self.ends[node as usize] {
                    found(ngram);
                }
            }
        }
    }
}

impl Operator for TfIdfVectorizer {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        let (is_right, expected) = match self.items {
            Items::Int(_) => (
                matches!(x.datum_type, DatumType::I32 | DatumType::I64),
                "int32 or int64",
            ),
            Items::String(_) => (x.datum_type == DatumType::String, "strings"),
        };
        if !is_right {
            let got = x.datum_type;
            return Err(error::invalid(format!(
                "input X: expected {expected}, as in the pool, got {got:?}"
            )));
        }
        let mut shape: TVec<TDim> = x.shape.to_tvec();
        facts::samples("X", &shape)?;
        shape.pop();
        shape.push(self.n_columns.to_dim());
        Ok(tvec![f32::datum_type().fact(shape)])
    }

    fn work(&self, _inputs: &[TValue]) -> usize {
        NEVER_FOLDED
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (_, n_items) = facts::samples("X", inputs[0].shape())?;
        let x = inputs[0].try_as_plain_ram()?;
        let items: Vec<Option<u32>> = match &self.items {
            Items::Int(numbers) if x.datum_type() == DatumType::I32 => {
                let x = x.as_slice::<i32>()?.iter();
                x.map(|&item| numbers.get(&item.into()).copied()).collect()
            }
            Items::Int(numbers) => {
                let x = x.as_slice::<i64>()?.iter();
                x.map(|item| numbers.get(item).copied()).collect()
            }
            Items::String(numbers) => {
                let x = x.as_slice::<String>()?.iter();
                x.map(|item| numbers.get(item).copied()).collect()
            }
        };
        let mut shape: TVec<usize> = x.shape().into();
        shape.pop();
        shape.push(self.n_columns);
        let mut y = Tensor::zero::<f32>(&shape)?;
        self.vectorize(
            &items,
            n_items,
            y.try_as_plain_ram_mut()?.as_slice_mut::<f32>()?,
        );
        Ok(tvec![y.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_ngrams() {
        struct Case {
            min_len: usize,
            max_len: usize,
            max_skip: usize,
            sample: &'static [u32],
            counts: &'static [u32],
        }
        // The columns of [0], [1], [0, 1], [1, 0] and [0, 1, 1].
        let pool: [&[u32]; 5] = [&[0], &[1], &[0, 1], &[1, 0], &[0, 1, 1]];
        let cases = [
            Case {
                min_len: 1,
                max_len: 1,
                max_skip: 5,
                sample: &[0, 1, 1, 9],
                counts: &[1, 2, 0, 0, 0],
            },
            Case {
                min_len: 1,
                max_len: 3,
                max_skip: 0,
                sample: &[0, 1, 1, 0],
                counts: &[2, 2, 1, 1, 1],
            },
            Case {
                min_len: 2,
                max_len: 2,
                max_skip: 1,
                sample: &[0, 1, 1, 0],
                counts: &[0, 0, 2, 2, 0],
            },
            Case {
                min_len: 3,
                max_len: 3,
                max_skip: usize::MAX,
                sample: &[0, 9, 1, 9, 1],
                counts: &[0, 0, 0, 0, 1],
            },
            Case {
                min_len: 1,
                max_len: 3,
                max_skip: usize::MAX,
                sample: &[],
                counts: &[0, 0, 0, 0, 0],
            },
        ];
        for case in cases {
            let mut ngrams = Ngrams::new(case.min_len, case.max_len, case.max_skip);
            for (column, ngram) in pool.iter().enumerate() {
                if (case.min_len..=case.max_len).contains(&ngram.len()) {
                    let column = column as u32;
                    let weight = 1.0;
                    assert!(ngrams.insert(ngram, Ngram { column, weight }));
                }
            }
            let sample: Vec<_> = case.sample.iter().map(|&item| Some(item)).collect();
            let mut counts = vec![0; pool.len()];
            ngrams.visit(&sample, |ngram| counts[ngram.column as usize] += 1);
            assert_eq!(counts, case.counts, "{:?}", case.sample);
        }
    }

    #[test]
    fn refuses_bad_sections() {
        for (starts, pool_len) in [
            (&[0, 3][..], 4),
            (&[0, 5], 4),
            (&[-1], 4),
            (&[2, 0], 4),
            (&[5], 4),
            (&[0, i64::MAX], 4),
        ] {
            assert!(sections(starts, pool_len).is_err(), "{starts:?}");
        }
        let expected = vec![(1, 0..2), (2, 2..4)];
        assert_eq!(sections(&[0, 2], 4), Ok(expected));
    }
}
