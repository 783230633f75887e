//! Ensembles of decision trees.
//!
//! [`trees`](crate::kernels::trees::tree) holds the trees as flat arrays and walks them, whatever they ask,
//! [`votes`](crate::kernels::trees::votes) what their leaves say; [`nodes`]
//! reads the attributes of versions 1 to 3, [`ensemble`] those of version 5.
//!
//! Where all nodes ask whether a number is less or greater, and votes are summed, a
//! [`forest`](crate::kernels::trees::forest) finds the same leaves
//! faster: by [`walk`](crate::kernels::trees::walk)s in lockstep, or by bit [`masks`](crate::kernels::trees::masks)
//! where there are many rows and the trees are small. Both compare
//! [`key`](crate::kernels::trees::key)s, which stand in [`columns`](crate::kernels::trees::columns).

pub(crate) mod classifier;
pub(crate) mod ensemble;
pub(crate) mod nodes;
pub(crate) mod regressor;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, ErrorKind, Result};
use crate::kernels::lanes::Numbers;
use crate::kernels::trees::forest::Forest;
use crate::kernels::trees::key::Keyed;
use crate::kernels::trees::order::arrange;
use crate::kernels::trees::sets::Feature;
use crate::kernels::trees::tree::Trees;
use crate::kernels::trees::votes::{Vote, Votes};
use crate::kernels::trees::walk::{Narrow, Node, Wide};
use crate::onnx::attributes::Attributes;
use crate::operator::batch::Batch;
use crate::operator::facts;

/// How many rows go through a tree before the next tree's turn.
const BLOCK_ROWS: usize = 64;
/// How many sums a block of rows may have, so that many targets make smaller blocks.
const BLOCK_SUMS: usize = 4096;
/// More targets than this must be justified by as many votes.
const MANY_TARGETS: usize = 1 << 16;

/// Trees and what their leaves vote for.
#[derive(Debug)]
pub(crate) struct Ensemble {
    trees: AnyTrees,
    forest: Option<AnyForest>,
    votes: Votes,
    n_targets: usize,
    aggregate: Aggregate,
    /// Which targets have a vote, if that does not depend on the sample.
    voted: Option<Vec<bool>>,
}

/// A forest by the type of its keys and nodes.
#[derive(Debug)]
enum AnyForest {
    Narrow(Forest<Narrow>),
    Wide(Forest<Wide<u32>>),
    Double(Forest<Wide<u64>>),
}

/// Trees by the type of their thresholds, which is that of the attribute they came from.
#[derive(Debug)]
enum AnyTrees {
    F32(Trees<f32>),
    F64(Trees<f64>),
}

/// Which targets of some samples had any vote.
#[derive(Clone, Copy, Debug)]
enum Voted<'a> {
    /// `[n_targets]`, the same for all samples.
    Same(&'a [bool]),
    /// `[n_samples, n_targets]`
    Each(&'a [bool]),
}

impl<'a> Voted<'a> {
    /// Which targets have votes for one sample, `[n_targets]`.
    fn of(self, sample: usize, n_targets: usize) -> &'a [bool] {
        match self {
            Self::Same(voted) => voted,
            Self::Each(voted) => &voted[sample * n_targets..(sample + 1) * n_targets],
        }
    }

    fn are_all(self) -> bool {
        matches!(self, Self::Same(voted) if voted.iter().all(|&voted| voted))
    }
}

/// Takes the scores of a block of samples: the index of the first, `[n_samples, n_targets]`, and which had any vote. Not
/// generic, so that what goes through the trees is compiled once for all operators.
type Finish<'f> = &'f mut dyn FnMut(usize, &mut [f64], Voted<'_>);

/// How the votes for one target become one score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Average,
    Sum,
    Min,
    Max,
}

impl Ensemble {
    /// Gives the leaves of `trees`, of which there are `n_leaves`, their votes.
    fn new(
        mut trees: AnyTrees,
        mut votes: Vec<(usize, Vote)>,
        n_leaves: usize,
        n_targets: usize,
        aggregate: Aggregate,
    ) -> Self {
        let order = match &mut trees {
            AnyTrees::F32(trees) => arrange(trees, n_leaves),
            AnyTrees::F64(trees) => arrange(trees, n_leaves),
        };
        if let Some(order) = &order {
            for (leaf, _) in &mut votes {
                *leaf = order.numbers[*leaf] as usize;
            }
        }
        let mut ensemble = Self {
            trees,
            forest: None,
            votes: Votes::new(n_leaves, &votes),
            n_targets,
            aggregate,
            voted: None,
        };
        let is_sum = matches!(aggregate, Aggregate::Sum | Aggregate::Average);
        if let Some(order) = order.filter(|_| is_sum) {
            ensemble.voted = ensemble.votes.voted(n_targets, &order.ends);
        }
        if ensemble.voted.is_some() {
            ensemble.votes = ensemble.votes.for_sums(n_leaves, n_targets);
            ensemble.forest = match &ensemble.trees {
                AnyTrees::F32(trees) => Forest::new(trees)
                    .map(AnyForest::Narrow)
                    .or_else(|| Forest::new(trees).map(AnyForest::Wide)),
                AnyTrees::F64(trees) => Forest::new(trees).map(AnyForest::Double),
            };
        }
        ensemble
    }

    /// How many features the trees look at: one more than the largest index.
    fn n_features(&self) -> usize {
        match &self.trees {
            AnyTrees::F32(trees) => trees.n_features(),
            AnyTrees::F64(trees) => trees.n_features(),
        }
    }

    fn n_trees(&self) -> usize {
        match &self.trees {
            AnyTrees::F32(trees) => trees.n_trees(),
            AnyTrees::F64(trees) => trees.n_trees(),
        }
    }

    fn check_features(&self, n_features: usize) -> Result<()> {
        let needed = self.n_features();
        if n_features >= needed {
            return Ok(());
        }
        let message = format!("input X: expected {needed} features or more, got {n_features}");
        Err(Error::new(ErrorKind::InvalidInput, message))
    }

    /// The number of samples in an input with these facts, which the trees can take.
    fn check_input(&self, x: &TypedFact) -> Result<TDim> {
        let (n_samples, n_features) = facts::samples("X", &x.shape)?;
        if let Ok(n_features) = n_features.to_usize() {
            self.check_features(n_features).map_err(error::invalid)?;
        }
        Ok(n_samples)
    }

    /// Calls `finish` with the index of the first of some samples of `x`, their aggregated votes, `[n_samples, n_targets]`,
    /// and which targets had any vote, until all samples have had their turn.
    ///
    /// Float input is compared as float with float thresholds, and as double where either is double; integers become
    /// what the thresholds are. That is what onnxruntime and scikit-learn do.
    fn evaluate(&self, x: Batch<'_>, finish: Finish<'_>) -> TractResult<()> {
        self.check_features(x.n_features)?;
        let shape = [x.n_samples, x.n_features];
        let x = x.numbers;
        match (&self.forest, &self.voted, x) {
            (Some(AnyForest::Double(forest)), Some(voted), _) => {
                self.sum(forest, voted, &x.doubles(), shape, finish);
                return Ok(());
            }
            (_, _, Numbers::Double(_)) => {}
            (Some(AnyForest::Narrow(forest)), Some(voted), _) => {
                self.sum(forest, voted, &x.floats(), shape, finish);
                return Ok(());
            }
            (Some(AnyForest::Wide(forest)), Some(voted), _) => {
                self.sum(forest, voted, &x.floats(), shape, finish);
                return Ok(());
            }
            _ => {}
        }
        match (&self.trees, x) {
            (AnyTrees::F32(trees), Numbers::Double(x)) => self.aggregate(trees, x, shape, finish),
            (AnyTrees::F32(trees), _) => self.aggregate(trees, &x.floats(), shape, finish),
            (AnyTrees::F64(trees), _) => self.aggregate(trees, &x.doubles(), shape, finish),
        }
        Ok(())
    }

    fn sum<N: Node, T: Keyed<Key = N::Key>>(
        &self,
        forest: &Forest<N>,
        voted: &[bool],
        x: &[T],
        shape: [usize; 2],
        finish: Finish<'_>,
    ) {
        let n_targets = self.n_targets;
        forest.sum(&self.votes, x, shape, n_targets, |first, scores| {
            if self.aggregate == Aggregate::Average {
                let n_trees = self.n_trees() as f64;
                scores.iter_mut().for_each(|score| *score /= n_trees);
            }
            finish(first, scores, Voted::Same(voted));
        });
    }

    fn aggregate<T: Copy + PartialOrd, X: Feature<T>>(
        &self,
        trees: &Trees<T>,
        x: &[X],
        shape: [usize; 2],
        finish: Finish<'_>,
    ) {
        match self.aggregate {
            Aggregate::Sum => {
                self.combine(trees, x, shape, |score, _, vote| *score += vote, finish);
            }
            Aggregate::Average => {
                let n_trees = self.n_trees() as f64;
                let mut average = |sample: usize, scores: &mut [f64], voted: Voted<'_>| {
                    scores.iter_mut().for_each(|score| *score /= n_trees);
                    finish(sample, scores, voted);
                };
                let add = |score: &mut f64, _, vote| *score += vote;
                self.combine(trees, x, shape, add, &mut average);
            }
            Aggregate::Min => {
                let min = |score: &mut f64, voted: bool, vote: f64| {
                    if !voted || vote < *score {
                        *score = vote;
                    }
                };
                self.combine(trees, x, shape, min, finish);
            }
            Aggregate::Max => {
                let max = |score: &mut f64, voted: bool, vote: f64| {
                    if !voted || vote > *score {
                        *score = vote;
                    }
                };
                self.combine(trees, x, shape, max, finish);
            }
        }
    }

    fn combine<T: Copy + PartialOrd, X: Feature<T>>(
        &self,
        trees: &Trees<T>,
        x: &[X],
        [n_samples, n_features]: [usize; 2],
        combine: impl Fn(&mut f64, bool, f64),
        finish: Finish<'_>,
    ) {
        let n_targets = self.n_targets;
        let block = (BLOCK_SUMS / n_targets).clamp(1, BLOCK_ROWS).min(n_samples);
        let mut scores = vec![0.0; block * n_targets];
        let mut voted = vec![false; block * n_targets];
        let mut first = 0;
        while first < n_samples {
            let n_rows = block.min(n_samples - first);
            let rows = &x[first * n_features..(first + n_rows) * n_features];
            scores.fill(0.0);
            voted.fill(false);
            trees.for_each_leaf(rows, [n_rows, n_features], |row, leaf| {
                for vote in self.votes.of(leaf) {
                    let slot = row * n_targets + vote.target as usize;
                    combine(&mut scores[slot], voted[slot], vote.weight);
                    voted[slot] = true;
                }
            });
            let n_sums = n_rows * n_targets;
            let voted = match &self.voted {
                Some(voted) => Voted::Same(voted),
                None => Voted::Each(&voted[..n_sums]),
            };
            finish(first, &mut scores[..n_sums], voted);
            first += n_rows;
        }
    }
}

/// The numbers of an attribute, in the type they are stored in; half floats are exact in float.
#[derive(Debug)]
enum Stored<'a> {
    F32(Cow<'a, [f32]>),
    F64(Vec<f64>),
}

impl<'a> Stored<'a> {
    /// Reads a list of floats, or in its place a tensor of another name.
    fn either(attributes: &mut Attributes<'a>, name: &str, as_tensor: &str) -> Result<Self> {
        let floats = attributes.floats(name)?;
        let Some(tensor) = attributes.tensor(as_tensor)? else {
            return Ok(Self::F32(Cow::Borrowed(floats)));
        };
        let numbers = Self::of_tensor(attributes, as_tensor, &tensor)?;
        if !floats.is_empty() && numbers.len() > 0 {
            return Err(attributes.invalid(as_tensor, format!("{name} is there too")));
        }
        Ok(if numbers.len() == 0 {
            Self::F32(Cow::Borrowed(floats))
        } else {
            numbers
        })
    }

    fn of_tensor(attributes: &Attributes<'_>, name: &str, tensor: &Tensor) -> Result<Self> {
        let numbers = || {
            let plain = tensor.try_as_plain_ram()?;
            Ok(match plain.datum_type() {
                DatumType::F64 => Self::F64(plain.as_slice::<f64>()?.to_vec()),
                DatumType::F32 => Self::F32(plain.as_slice::<f32>()?.to_vec().into()),
                DatumType::F16 => {
                    let halves = plain.as_slice::<f16>()?.iter();
                    Self::F32(halves.map(|half| half.to_f32()).collect())
                }
                other => bail!("expected float, double or float16, got {other:?}"),
            })
        };
        numbers().map_err(|error: TractError| attributes.invalid(name, error))
    }

    fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    /// The numbers whose index `keep` says to keep.
    fn keep(self, keep: impl Fn(usize) -> bool) -> Self {
        fn kept<T: Copy>(values: &[T], keep: impl Fn(usize) -> bool) -> Vec<T> {
            let kept = values.iter().enumerate().filter(|&(index, _)| keep(index));
            kept.map(|(_, &value)| value).collect()
        }
        match self {
            Self::F32(values) => Self::F32(kept(&values, keep).into()),
            Self::F64(values) => Self::F64(kept(&values, keep)),
        }
    }

    fn into_f64s(self) -> Vec<f64> {
        match self {
            Self::F32(values) => values.iter().map(|&value| value.into()).collect(),
            Self::F64(values) => values,
        }
    }
}

/// Refuses a number of targets that is not positive, or that would take memory no vote asks for.
fn check_n_targets(attributes: &Attributes<'_>, n_targets: i64, n_votes: usize) -> Result<usize> {
    usize::try_from(n_targets)
        .ok()
        .filter(|&n| n > 0 && n <= n_votes.max(MANY_TARGETS))
        .ok_or_else(|| {
            attributes.invalid("n_targets", format!("{n_targets} targets, {n_votes} votes"))
        })
}

/// The index that `id` is, if it is below `len`.
fn index_below(id: i64, len: usize) -> Option<u32> {
    let id = u32::try_from(id).ok()?;
    (usize::try_from(id).ok()? < len).then_some(id)
}
