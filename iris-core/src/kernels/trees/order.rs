//! The order in which the fast walks want trees and leaves.

use crate::kernels::ranks;
use crate::kernels::trees::tree::Trees;

/// The new numbers of leaves.
#[derive(Debug)]
pub(crate) struct Order {
    /// For each leaf its number.
    pub(crate) numbers: Vec<u32>,
    /// For each tree the number after that of its last leaf.
    pub(crate) ends: Vec<usize>,
}

/// Puts the trees in the order of their depth and numbers all leaves in the order in which they are met, so that those
/// of one tree are together. None if some node or leaf is in two places.
pub(crate) fn arrange<T: Copy>(trees: &mut Trees<T>, n_leaves: usize) -> Option<Order> {
    let mut is_met = vec![false; n_leaves];
    let mut is_met_node = vec![false; trees.n_nodes()];
    let mut found = Vec::with_capacity(n_leaves);
    let mut walked = Vec::with_capacity(trees.n_trees());
    let mut path = vec![];
    for &root in trees.roots() {
        let first = found.len();
        let mut depth = 0;
        path.push((root, 0_usize));
        while let Some((child, level)) = path.pop() {
            let index = child.index();
            let is_met = if child.is_leaf() {
                &mut is_met
            } else {
                &mut is_met_node
            };
            if std::mem::replace(&mut is_met[index], true) {
                return None;
            }
            if child.is_leaf() {
                depth = depth.max(level);
                found.push(index);
            } else {
                let (branch, _) = trees.branch(index);
                let [first, second] = branch.in_order();
                path.extend([(second, level + 1), (first, level + 1)]);
            }
        }
        walked.push((depth, root, first..found.len()));
    }
    let by_depth: Vec<usize> =
        ranks::order(walked.iter().map(|&(depth, ..)| depth as u64)).collect();
    trees.set_roots(by_depth.iter().map(|&tree| walked[tree].1).collect());

    let mut order = Vec::with_capacity(n_leaves);
    let mut ends = Vec::with_capacity(trees.n_trees());
    for tree in by_depth {
        order.extend_from_slice(&found[walked[tree].2.clone()]);
        ends.push(order.len());
    }
    order.extend((0..n_leaves).filter(|&leaf| !is_met[leaf]));
    let mut numbers = vec![0; n_leaves];
    for (number, leaf) in (0..).zip(order) {
        numbers[leaf] = number;
    }
    trees.renumber_leaves(&numbers);
    Some(Order { numbers, ends })
}
