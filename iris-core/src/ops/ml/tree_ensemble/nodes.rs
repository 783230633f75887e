//! The attributes that describe trees and votes in versions 1 to 3, checked.

use std::collections::HashMap;
use std::ops::Range;

use crate::error::Result;
use crate::kernels::trees::sets::Sets;
use crate::kernels::trees::tree::{Branch, Child, Mode, Trees};
use crate::kernels::trees::votes::Vote;
use crate::onnx::attributes::Attributes;
use crate::onnx::node_modes::{LEAF, NODES_MODES};
use crate::ops::ml::tree_ensemble::{Aggregate, AnyTrees, Ensemble, Stored, index_below};

/// What an operator calls the attributes of its votes.
pub(crate) struct VoteNames {
    pub(crate) targets: &'static str,
    pub(crate) trees: &'static str,
    pub(crate) nodes: &'static str,
    pub(crate) weights: &'static str,
    pub(crate) weights_as_tensor: &'static str,
}

/// The votes as they are listed.
pub(crate) struct VoteList<'a> {
    names: &'static VoteNames,
    targets: &'a [i64],
    trees: &'a [i64],
    nodes: &'a [i64],
    weights: Vec<f64>,
}

impl<'a> VoteList<'a> {
    pub(crate) fn from_attributes(
        attributes: &mut Attributes<'a>,
        names: &'static VoteNames,
    ) -> Result<Self> {
        let targets = attributes.ints(names.targets)?;
        let trees = attributes.ints(names.trees)?;
        let nodes = attributes.ints(names.nodes)?;
        let weights = Stored::either(attributes, names.weights, names.weights_as_tensor)?;
        attributes.check_len(names.trees, trees.len(), targets.len())?;
        attributes.check_len(names.nodes, nodes.len(), targets.len())?;
        attributes.check_len(names.weights, weights.len(), targets.len())?;
        check_count(attributes, names.targets, targets.len())?;
        Ok(Self {
            names,
            targets,
            trees,
            nodes,
            weights: weights.into_f64s(),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.targets.len()
    }

    /// The target of all votes, if they are for the same.
    pub(crate) fn only_target(&self) -> Option<i64> {
        let first = *self.targets.first()?;
        self.targets
            .iter()
            .all(|&target| target == first)
            .then_some(first)
    }

    pub(crate) fn has_negative_weight(&self) -> bool {
        self.weights.iter().any(|&weight| weight < 0.0)
    }
}

/// Reads the trees, and gives their leaves the votes for `n_targets` targets in `list`.
pub(crate) fn ensemble(
    attributes: &mut Attributes<'_>,
    list: &VoteList<'_>,
    n_targets: usize,
    aggregate: Aggregate,
) -> Result<Ensemble> {
    let nodes = Nodes::from_attributes(attributes)?;
    let votes = nodes.votes(attributes, list, n_targets)?;
    let n_leaves = nodes.n_leaves;
    let trees = nodes.into_trees(attributes)?;
    Ok(Ensemble::new(trees, votes, n_leaves, n_targets, aggregate))
}

/// The nodes of one tree, which are listed together.
struct Tree<'a> {
    listed: Range<usize>,
    ids: &'a [i64],
    /// Where each id is listed, if ids do not just count up.
    index: Option<HashMap<i64, usize>>,
}

impl<'a> Tree<'a> {
    /// Gives back an id that is there twice, if there is one.
    fn new(listed: Range<usize>, ids: &'a [i64]) -> std::result::Result<Self, i64> {
        let count_up = ids
            .windows(2)
            .all(|pair| pair[0].checked_add(1) == Some(pair[1]));
        let index = if count_up {
            None
        } else {
            let mut index = HashMap::with_capacity(ids.len());
            for (&id, at) in ids.iter().zip(listed.clone()) {
                if index.insert(id, at).is_some() {
                    return Err(id);
                }
            }
            Some(index)
        };
        Ok(Self { listed, ids, index })
    }

    /// Where the node `id` is listed.
    fn find(&self, id: i64) -> Option<usize> {
        if let Some(index) = &self.index {
            return index.get(&id).copied();
        }
        let offset = usize::try_from(id.checked_sub(*self.ids.first()?)?).ok()?;
        (offset < self.ids.len()).then(|| self.listed.start + offset)
    }
}

/// The nodes as they are listed.
struct Nodes<'a> {
    trees: Vec<Tree<'a>>,
    /// The place of each tree id in `trees`.
    tree_ids: HashMap<i64, usize>,
    /// Which branch or leaf each listed node is.
    places: Vec<Child>,
    n_leaves: usize,
    branches: Vec<Branch>,
    thresholds: Stored<'a>,
}

impl<'a> Nodes<'a> {
    fn from_attributes(attributes: &mut Attributes<'a>) -> Result<Self> {
        let tree_ids = attributes.ints("nodes_treeids")?;
        let ids = attributes.ints("nodes_nodeids")?;
        let features = attributes.ints("nodes_featureids")?;
        let modes = attributes.modes()?;
        let on_true = attributes.ints("nodes_truenodeids")?;
        let on_false = attributes.ints("nodes_falsenodeids")?;
        let missing = attributes.ints("nodes_missing_value_tracks_true")?;
        let values = Stored::either(attributes, "nodes_values", "nodes_values_as_tensor")?;
        Stored::either(attributes, "nodes_hitrates", "nodes_hitrates_as_tensor")?;
        let n_nodes = tree_ids.len();
        if n_nodes == 0 {
            return Err(attributes.invalid("nodes_treeids", "there are no nodes"));
        }
        check_count(attributes, "nodes_treeids", n_nodes)?;
        for (name, len) in [
            ("nodes_nodeids", ids.len()),
            ("nodes_featureids", features.len()),
            (NODES_MODES, modes.len()),
            ("nodes_truenodeids", on_true.len()),
            ("nodes_falsenodeids", on_false.len()),
            ("nodes_values", values.len()),
        ] {
            attributes.check_len(name, len, n_nodes)?;
        }
        if !missing.is_empty() {
            attributes.check_len("nodes_missing_value_tracks_true", missing.len(), n_nodes)?;
        }

        let question = |&code: &u8| match code {
            LEAF => Ok(None),
            // Sets of members are version 5's.
            code => match read_mode(attributes, code)? {
                Mode::Member => Err(attributes.invalid(NODES_MODES, "unknown value 6")),
                mode => Ok(Some(mode)),
            },
        };
        let modes: Vec<Option<Mode>> = modes.iter().map(question).collect::<Result<_>>()?;
        let (mut n_branches, mut n_leaves) = (0, 0);
        let places: Vec<Child> = modes
            .iter()
            .map(|mode| {
                let (count, place): (&mut usize, fn(usize) -> Child) = match mode {
                    Some(_) => (&mut n_branches, Child::node),
                    None => (&mut n_leaves, Child::leaf),
                };
                *count += 1;
                place(*count - 1)
            })
            .collect();

        let mut nodes = Self {
            trees: vec![],
            tree_ids: HashMap::new(),
            places,
            n_leaves,
            branches: Vec::with_capacity(n_branches),
            thresholds: values.keep(|at| modes[at].is_some()),
        };
        nodes.find_trees(attributes, tree_ids, ids)?;
        let mut is_child = vec![false; n_nodes];
        for tree in &nodes.trees {
            for at in tree.listed.clone() {
                let Some(mode) = modes[at] else { continue };
                let mut child = |name: &str, id: i64| {
                    let child = tree.find(id).ok_or_else(|| {
                        let (tree, node) = (tree_ids[at], ids[at]);
                        let what = format!("node {node} of tree {tree}: no node {id} in that tree");
                        attributes.invalid(name, what)
                    })?;
                    is_child[child] = true;
                    Ok(nodes.places[child])
                };
                let children = [
                    child("nodes_falsenodeids", on_false[at])?,
                    child("nodes_truenodeids", on_true[at])?,
                ];
                let feature = read_feature(attributes, features[at])?;
                let missing_is_true = missing.get(at).map_or(Ok(false), |&flag| {
                    read_flag(attributes, "nodes_missing_value_tracks_true", flag)
                })?;
                nodes.branches.push(Branch {
                    mode,
                    feature,
                    missing_is_true,
                    children,
                });
            }
            let root = tree.listed.start;
            if is_child[root] {
                let what = format!(
                    "tree {}: its first node, {}, is a child and so not the root",
                    tree_ids[root], ids[root]
                );
                return Err(attributes.invalid("nodes_nodeids", what));
            }
        }
        Ok(nodes)
    }

    /// Groups the nodes by tree.
    fn find_trees(
        &mut self,
        attributes: &Attributes<'_>,
        tree_ids: &[i64],
        ids: &'a [i64],
    ) -> Result<()> {
        let mut start = 0;
        for group in tree_ids.chunk_by(|a, b| a == b) {
            let listed = start..start + group.len();
            start = listed.end;
            let tree = Tree::new(listed.clone(), &ids[listed]).map_err(|id| {
                let what = format!("node {id} of tree {} is there twice", group[0]);
                attributes.invalid("nodes_nodeids", what)
            })?;
            if self.tree_ids.insert(group[0], self.trees.len()).is_some() {
                let what = format!("the nodes of tree {} are not together", group[0]);
                return Err(attributes.invalid("nodes_treeids", what));
            }
            self.trees.push(tree);
        }
        Ok(())
    }

    /// Hands the votes to the leaves. Votes for other nodes are dropped, as in onnxruntime: old converters wrote some.
    ///
    /// Of several votes of one leaf for the only target the first counts, as in onnxruntime. The specification adds them
    /// up, but skl2onnx's options `decision_leaf` and `decision_path` write the number of a leaf once for each class.
    fn votes(
        &self,
        attributes: &Attributes<'_>,
        list: &VoteList<'_>,
        n_targets: usize,
    ) -> Result<Vec<(usize, Vote)>> {
        let mut votes = Vec::with_capacity(list.len());
        let mut has_voted = vec![false; if n_targets == 1 { self.n_leaves } else { 0 }];
        // The votes of a tree are usually listed together.
        let mut last = None;
        for (index, &weight) in list.weights.iter().enumerate() {
            let (tree, node, target) = (list.trees[index], list.nodes[index], list.targets[index]);
            let names = list.names;
            let target = index_below(target, n_targets).ok_or_else(|| {
                attributes.invalid(names.targets, format!("{target} is not one of {n_targets}"))
            })?;
            let found = match last {
                Some((id, found)) if id == tree => found,
                _ => *self.tree_ids.get(&tree).ok_or_else(|| {
                    attributes.invalid(names.trees, format!("there is no tree {tree}"))
                })?,
            };
            last = Some((tree, found));
            let at = self.trees[found].find(node).ok_or_else(|| {
                attributes.invalid(names.nodes, format!("no node {node} in tree {tree}"))
            })?;
            let place = self.places[at];
            if !place.is_leaf() {
                continue;
            }
            let leaf = place.index();
            let counts = has_voted
                .get_mut(leaf)
                .is_none_or(|has_voted| !std::mem::replace(has_voted, true));
            if counts {
                votes.push((leaf, Vote { target, weight }));
            }
        }
        Ok(votes)
    }

    fn into_trees(self, attributes: &Attributes<'_>) -> Result<AnyTrees> {
        let roots = self
            .trees
            .iter()
            .map(|tree| self.places[tree.listed.start])
            .collect();
        let trees = match &self.thresholds {
            Stored::F32(values) => {
                Trees::new(roots, &self.branches, values, Sets::default()).map(AnyTrees::F32)
            }
            Stored::F64(values) => {
                Trees::new(roots, &self.branches, values, Sets::default()).map(AnyTrees::F64)
            }
        };
        trees.map_err(|branch| {
            let at = self
                .places
                .iter()
                .position(|&place| place == Child::node(branch));
            let tree = self
                .trees
                .iter()
                .find(|tree| at.is_some_and(|at| tree.listed.contains(&at)));
            let what = match (tree, at) {
                (Some(tree), Some(at)) => {
                    let id = tree.ids[at - tree.listed.start];
                    format!("node {id} is among its own descendants")
                }
                _ => "a node is among its own descendants".into(),
            };
            attributes.invalid("nodes_truenodeids", what)
        })
    }
}

/// The question that `mode` is the number of.
pub(crate) fn read_mode(attributes: &Attributes<'_>, mode: u8) -> Result<Mode> {
    Ok(match mode {
        0 => Mode::Leq,
        1 => Mode::Lt,
        2 => Mode::Gte,
        3 => Mode::Gt,
        4 => Mode::Eq,
        5 => Mode::Neq,
        6 => Mode::Member,
        other => return Err(attributes.invalid(NODES_MODES, format!("unknown value {other}"))),
    })
}

/// Refuses a feature that no input could have.
pub(crate) fn read_feature(attributes: &Attributes<'_>, feature: i64) -> Result<u32> {
    index_below(feature, Branch::MAX_FEATURES)
        .ok_or_else(|| attributes.invalid("nodes_featureids", format!("no feature {feature}")))
}

pub(crate) fn read_flag(attributes: &Attributes<'_>, name: &str, flag: i64) -> Result<bool> {
    match flag {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(attributes.invalid(name, format!("expected 0 or 1, got {other}"))),
    }
}

/// Refuses more nodes, leaves or votes than can be counted in what they are packed into.
pub(crate) fn check_count(attributes: &Attributes<'_>, name: &str, count: usize) -> Result<()> {
    if count < Child::LIMIT {
        return Ok(());
    }
    Err(attributes.invalid(name, format!("{count} are too many")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_nodes_by_id() {
        let cases: [(&[i64], i64, Option<usize>); 10] = [
            (&[0, 1, 2], 0, Some(10)),
            (&[0, 1, 2], 2, Some(12)),
            (&[0, 1, 2], 3, None),
            (&[0, 1, 2], -1, None),
            (&[5, 6, 7], 6, Some(11)),
            (&[5, 6, 7], 1, None),
            (&[i64::MIN, 3, i64::MAX], i64::MAX, Some(12)),
            (&[i64::MAX], i64::MIN, None),
            (&[4, 2, 9], 9, Some(12)),
            (&[4, 2, 9], 5, None),
        ];
        for (ids, id, expected) in cases {
            let tree = Tree::new(10..10 + ids.len(), ids).expect("no id is there twice");
            assert_eq!(tree.find(id), expected, "{ids:?} {id}");
        }
        assert_eq!(Tree::new(0..3, &[4, 2, 4]).err(), Some(4));
    }
}
