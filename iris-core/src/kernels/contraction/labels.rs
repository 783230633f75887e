//! Which axes of the factors of a product belong together.

use std::fmt::Debug;

use crate::error::{Error, Result, invalid};

/// A small number.
pub(crate) type Label = usize;

/// More than any label is, so that a set of labels is the bits of a number.
pub(crate) const MAX_LABELS: usize = 64;
const MAX_FACTORS: usize = 64;

/// The labels of the axes of each factor, and of the product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Labels {
    factors: Vec<Vec<Label>>,
    pub(crate) output: Vec<Label>,
}

/// The sizes of the axes, by label; 1 of those that are not there.
pub(crate) type Sizes = [usize; MAX_LABELS];

impl Labelling for Labels {
    fn labels(&self, ranks: &[usize]) -> Result<Labels> {
        let expected: Vec<usize> = self.factors.iter().map(Vec::len).collect();
        if ranks == expected {
            return Ok(self.clone());
        }
        let message = format!("expected factors of {expected:?} dimensions, got {ranks:?}");
        Err(invalid(message))
    }
}

impl Labels {
    pub(crate) fn new(factors: Vec<Vec<Label>>, output: Vec<Label>) -> Result<Self> {
        if !(1..=MAX_FACTORS).contains(&factors.len()) {
            let message = format!(
                "a product of {} factors: expected 1 to {MAX_FACTORS}",
                factors.len()
            );
            return Err(invalid(message));
        }
        let all = || factors.iter().flatten().chain(&output);
        if all().any(|&label| label >= MAX_LABELS) {
            let message = format!("a product with more than {MAX_LABELS} axes");
            return Err(invalid(message));
        }
        for (index, label) in output.iter().enumerate() {
            if output[..index].contains(label) {
                return Err(invalid("a product that has one axis twice"));
            }
            if !factors.iter().any(|factor| factor.contains(label)) {
                return Err(invalid("a product with an axis that no factor has"));
            }
        }
        Ok(Self { factors, output })
    }

    /// The labels of a product of `[m, k]` and `[k, n]`, of which each may be `transposed`.
    pub(crate) fn of_matrices(transposed: [bool; 2]) -> Self {
        let [a, b] = [vec![0, 1], vec![1, 2]];
        let turned = |matrix: Vec<Label>, is_turned: bool| {
            if is_turned {
                matrix.into_iter().rev().collect()
            } else {
                matrix
            }
        };
        Self {
            factors: vec![turned(a, transposed[0]), turned(b, transposed[1])],
            output: vec![0, 2],
        }
    }

    pub(crate) fn factors(&self) -> &[Vec<Label>] {
        &self.factors
    }

    pub(crate) fn output(&self) -> &[Label] {
        &self.output
    }

    /// Whether `other` says the same, be it with other labels.
    pub(crate) fn are_those_of(&self, other: &Self) -> bool {
        let lens = |labels: &Self| labels.factors.iter().map(Vec::len).collect::<Vec<_>>();
        let all = |labels: &Self| -> Vec<Label> {
            let all = labels.factors.iter().flatten().chain(&labels.output);
            all.copied().collect()
        };
        let firsts = |labels: &[Label]| -> Vec<Option<usize>> {
            let first = |label| labels.iter().position(|other| other == label);
            labels.iter().map(first).collect()
        };
        lens(self) == lens(other) && firsts(&all(self)) == firsts(&all(other))
    }

    /// The places of each label: a factor, and an axis of it.
    pub(crate) fn places(&self, label: Label) -> impl Iterator<Item = (usize, usize)> {
        self.factors
            .iter()
            .enumerate()
            .flat_map(move |(factor, labels)| {
                let axes = labels.iter().enumerate();
                axes.filter(move |(_, other)| **other == label)
                    .map(move |(axis, _)| (factor, axis))
            })
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Label> {
        (0..MAX_LABELS).filter(|&label| self.places(label).next().is_some())
    }

    /// The sizes of the axes of factors of `shapes`; refuses what does not fit.
    pub(crate) fn sizes(&self, shapes: &[&[usize]]) -> Result<Sizes> {
        let mut sizes = [1; MAX_LABELS];
        for label in self.all() {
            let is_kept = self.output.contains(&label);
            let mut first = None;
            for (factor, axis) in self.places(label) {
                let got = shapes[factor][axis];
                if is_kept && got == 1 {
                    continue;
                }
                let &mut (expected, other) = first.get_or_insert((got, axis));
                if got != expected {
                    let message = format!(
                        "dimension {axis} of factor {factor}: expected {expected}, as dimension {other} of another, got {got}"
                    );
                    return Err(Error::input(message));
                }
                sizes[label] = got;
            }
        }
        Ok(sizes)
    }
}

/// What knows the labels of a product once it knows how many dimensions its factors have.
pub(crate) trait Labelling: Debug + Send + Sync + 'static {
    fn labels(&self, ranks: &[usize]) -> Result<Labels>;
}
