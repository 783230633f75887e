//! [TreeEnsemble](https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html), version 5.
//!
//! `X` `[n_samples, n_features]` (or `[n_features]`, one sample) of float, double or float16, which must be the type of
//! `nodes_splits`, gives `Y` `[n_samples, n_targets]` of the same type.
//!
//! As in onnxruntime, a single target is changed by no transform but PROBIT, and transform 1 is LOGISTIC and 2 SOFTMAX;
//! the specification has these two the other way round. Beyond what onnxruntime takes, subtrees may be shared, and sets
//! may have any members.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::kernels::lanes::Numbers;
use crate::kernels::post_transform::PostTransform;
use crate::kernels::trees::sets::Sets;
use crate::kernels::trees::tree::{Branch, Child, Mode, Trees};
use crate::kernels::trees::votes::Vote;
use crate::onnx::attributes::Attributes;
use crate::operator::batch::Batch;
use crate::operator::{Built, NEVER_FOLDED, Operator, facts};
use crate::ops::ml::tree_ensemble::nodes::{check_count, read_feature, read_flag, read_mode};
use crate::ops::ml::tree_ensemble::{
    Aggregate, AnyTrees, Ensemble, Stored, check_n_targets, index_below,
};
use crate::value::tensors;

/// The attributes, checked: every length and index in them fits the others.
#[derive(Debug)]
struct TreeEnsemble {
    ensemble: Ensemble,
    /// The type of the input and of the output.
    datum_type: DatumType,
    post_transform: PostTransform,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let ensemble = TreeEnsemble::from_attributes(attributes)?;
    Ok(Built::operator(ensemble))
}

impl TreeEnsemble {
    fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self> {
        let aggregate = match attributes.int("aggregate_function")?.unwrap_or(1) {
            0 => Aggregate::Average,
            1 => Aggregate::Sum,
            2 => Aggregate::Min,
            3 => Aggregate::Max,
            other => {
                let what = format!("unknown value {other}");
                return Err(attributes.invalid("aggregate_function", what));
            }
        };
        let post_transform = match attributes.int("post_transform")?.unwrap_or(0) {
            0 => PostTransform::None,
            1 => PostTransform::Logistic,
            2 => PostTransform::Softmax,
            3 => PostTransform::SoftmaxZero,
            4 => PostTransform::Probit,
            other => {
                let what = format!("unknown value {other}");
                return Err(attributes.invalid("post_transform", what));
            }
        };
        let splits = required(attributes, "nodes_splits")?;
        let datum_type = splits.datum_type();
        let splits = Stored::of_tensor(attributes, "nodes_splits", &splits)?;

        let targets = attributes.ints("leaf_targetids")?;
        let weights = same_type(attributes, "leaf_weights", datum_type)?;
        attributes.check_len("leaf_weights", weights.len(), targets.len())?;
        check_count(attributes, "leaf_targetids", targets.len())?;
        let n_targets = attributes.int("n_targets")?.unwrap_or(0);
        let n_targets = check_n_targets(attributes, n_targets, targets.len())?;
        let votes = targets
            .iter()
            .zip(weights.into_f64s())
            .enumerate()
            .map(|(leaf, (&target, weight))| {
                let target = index_below(target, n_targets).ok_or_else(|| {
                    let what = format!("{target} is not one of {n_targets}");
                    attributes.invalid("leaf_targetids", what)
                })?;
                Ok((leaf, Vote { target, weight }))
            })
            .collect::<Result<Vec<_>>>()?;

        let branches = branches(attributes, splits.len(), targets.len())?;
        let roots = roots(attributes, branches.len())?;
        let members = attributes
            .tensor("membership_values")?
            .map(|tensor| {
                check_type(attributes, "membership_values", &tensor, datum_type)?;
                Stored::of_tensor(attributes, "membership_values", &tensor)
            })
            .transpose()?;
        if let Some(hitrates) = attributes.tensor("nodes_hitrates")? {
            check_type(attributes, "nodes_hitrates", &hitrates, datum_type)?;
        }
        let trees = match (splits, members) {
            (Stored::F32(splits), Some(Stored::F32(members))) => {
                AnyTrees::F32(trees(attributes, roots, &branches, &splits, &members)?)
            }
            (Stored::F32(splits), _) => {
                AnyTrees::F32(trees(attributes, roots, &branches, &splits, &[])?)
            }
            (Stored::F64(splits), Some(Stored::F64(members))) => {
                AnyTrees::F64(trees(attributes, roots, &branches, &splits, &members)?)
            }
            (Stored::F64(splits), _) => {
                AnyTrees::F64(trees(attributes, roots, &branches, &splits, &[])?)
            }
        };
        Ok(Self {
            ensemble: Ensemble::new(trees, votes, targets.len(), n_targets, aggregate),
            datum_type,
            post_transform,
        })
    }
}

fn required(attributes: &mut Attributes<'_>, name: &str) -> Result<Tensor> {
    let tensor = attributes.tensor(name)?;
    tensor.ok_or_else(|| attributes.invalid(name, "missing"))
}

fn same_type<'a>(
    attributes: &mut Attributes<'a>,
    name: &str,
    expected: DatumType,
) -> Result<Stored<'a>> {
    let tensor = required(attributes, name)?;
    check_type(attributes, name, &tensor, expected)?;
    Stored::of_tensor(attributes, name, &tensor)
}

fn check_type(
    attributes: &Attributes<'_>,
    name: &str,
    tensor: &Tensor,
    expected: DatumType,
) -> Result<()> {
    let got = tensor.datum_type();
    if got == expected {
        return Ok(());
    }
    let what = format!("expected {expected:?}, as nodes_splits has, got {got:?}");
    Err(attributes.invalid(name, what))
}

fn branches(
    attributes: &mut Attributes<'_>,
    n_nodes: usize,
    n_leaves: usize,
) -> Result<Vec<Branch>> {
    let modes = required(attributes, "nodes_modes")?;
    let modes = modes
        .try_as_plain_ram()
        .and_then(|modes| Ok(modes.as_slice::<u8>()?.to_vec()))
        .map_err(|error| attributes.invalid("nodes_modes", error))?;
    let features = attributes.ints("nodes_featureids")?;
    let missing = attributes.ints("nodes_missing_value_tracks_true")?;
    let on_false = attributes.ints("nodes_falsenodeids")?;
    let on_true = attributes.ints("nodes_truenodeids")?;
    let false_is_leaf = attributes.ints("nodes_falseleafs")?;
    let true_is_leaf = attributes.ints("nodes_trueleafs")?;
    check_count(attributes, "nodes_splits", n_nodes)?;
    for (name, len) in [
        ("nodes_modes", modes.len()),
        ("nodes_featureids", features.len()),
        ("nodes_falsenodeids", on_false.len()),
        ("nodes_truenodeids", on_true.len()),
        ("nodes_falseleafs", false_is_leaf.len()),
        ("nodes_trueleafs", true_is_leaf.len()),
    ] {
        attributes.check_len(name, len, n_nodes)?;
    }
    if !missing.is_empty() {
        attributes.check_len("nodes_missing_value_tracks_true", missing.len(), n_nodes)?;
    }
    let child = |name: &str, id: i64, leaf_name: &str, is_leaf: i64| {
        let is_leaf = read_flag(attributes, leaf_name, is_leaf)?;
        let (len, what) = if is_leaf {
            (n_leaves, "leaves")
        } else {
            (n_nodes, "nodes")
        };
        let index = index_below(id, len)
            .ok_or_else(|| attributes.invalid(name, format!("{id} is not one of {len} {what}")))?;
        Ok(if is_leaf {
            Child::leaf(index as usize)
        } else {
            Child::node(index as usize)
        })
    };
    (0..n_nodes)
        .map(|at| {
            let on_false = child(
                "nodes_falsenodeids",
                on_false[at],
                "nodes_falseleafs",
                false_is_leaf[at],
            )?;
            let on_true = child(
                "nodes_truenodeids",
                on_true[at],
                "nodes_trueleafs",
                true_is_leaf[at],
            )?;
            let missing_is_true = missing.get(at).map_or(Ok(false), |&flag| {
                read_flag(attributes, "nodes_missing_value_tracks_true", flag)
            })?;
            Ok(Branch {
                mode: read_mode(attributes, modes[at])?,
                feature: read_feature(attributes, features[at])?,
                missing_is_true,
                children: [on_false, on_true],
            })
        })
        .collect()
}

fn roots(attributes: &mut Attributes<'_>, n_nodes: usize) -> Result<Vec<Child>> {
    let roots = attributes.ints("tree_roots")?;
    if roots.is_empty() {
        return Err(attributes.invalid("tree_roots", "there are no trees"));
    }
    let mut is_root = vec![false; n_nodes];
    roots
        .iter()
        .map(|&root| {
            let index = index_below(root, n_nodes).ok_or_else(|| {
                attributes.invalid(
                    "tree_roots",
                    format!("{root} is not one of {n_nodes} nodes"),
                )
            })?;
            if std::mem::replace(&mut is_root[index as usize], true) {
                return Err(attributes.invalid("tree_roots", format!("{root} is there twice")));
            }
            Ok(Child::node(index as usize))
        })
        .collect()
}

fn trees<T: Copy + PartialOrd + Into<f64>>(
    attributes: &Attributes<'_>,
    roots: Vec<Child>,
    branches: &[Branch],
    splits: &[T],
    members: &[T],
) -> Result<Trees<T>> {
    let asks = || branches.iter().map(|branch| branch.mode == Mode::Member);
    let sets = Sets::new(members, asks()).ok_or_else(|| {
        let n_nodes = asks().filter(|&asks| asks).count();
        let what = format!("not one set for each of the {n_nodes} nodes that ask for membership");
        attributes.invalid("membership_values", what)
    })?;
    Trees::new(roots, branches, splits, sets).map_err(|node| {
        let what = format!("node {node} is among its own descendants");
        attributes.invalid("nodes_truenodeids", what)
    })
}

impl Operator for TreeEnsemble {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        if x.datum_type != self.datum_type {
            return Err(error::invalid(format!(
                "input X: expected {:?}, as nodes_splits has, got {:?}",
                self.datum_type, x.datum_type
            )));
        }
        let n_samples = self.ensemble.check_input(x)?;
        let shape = [n_samples, self.ensemble.n_targets.to_dim()];
        Ok(tvec![self.datum_type.fact(shape)])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        rank > 1
    }

    fn work(&self, _inputs: &[TValue]) -> usize {
        NEVER_FOLDED
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let y = match self.datum_type {
            DatumType::F64 => self.scores::<f64>(&inputs[0], |score| score)?,
            DatumType::F32 => self.scores::<f32>(&inputs[0], |score| score as f32)?,
            _ => self.scores::<f16>(&inputs[0], f16::from_f64)?,
        };
        Ok(tvec![y.into_tvalue()])
    }
}

impl TreeEnsemble {
    fn scores<T: Datum>(&self, x: &Tensor, round: impl Fn(f64) -> T) -> TractResult<Tensor> {
        let n_targets = self.ensemble.n_targets;
        let (n_samples, n_features) = facts::samples("X", x.shape())?;
        let is_half = x.datum_type() == DatumType::F16;
        let numbers = if is_half {
            x.cast_to::<f32>()?
        } else {
            Cow::Borrowed(x)
        };
        let batch = Batch {
            numbers: Numbers::of(&numbers)?,
            n_samples,
            n_features,
        };
        tensors::filled::<T>(&[n_samples, n_targets], |y| {
            self.ensemble.evaluate(batch, &mut |first, scores, _| {
                for scores in scores.chunks_exact_mut(n_targets) {
                    self.post_transform.apply_to_several(scores);
                }
                let slots = y[first * n_targets..].iter_mut();
                slots
                    .zip(scores)
                    .for_each(|(slot, score)| *slot = round(*score));
            })
        })
    }
}
