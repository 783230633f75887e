//! Small nodes, and walks in lockstep: several at a time, all of them as long as the longest.
//!
//! A walk waits for each node it reads, so several walks take little longer than one. A leaf is a node that leads to
//! itself: none of the walks has to ask whether it is done, and no branch is there to be mispredicted.

use crate::kernels::trees::columns::{Column, Columns};
use crate::kernels::trees::key::{Key, Keyed, Question};
use crate::kernels::trees::tree::Trees;

/// How many rows go through a tree together.
pub(crate) const ROWS: usize = 16;
/// How many trees one row goes through together.
const TREES: usize = 8;
/// How many steps walks take before they ask whether all have reached a leaf.
const STEPS: u32 = 16;

/// A node of a tree: where to go if a column's key is at most a threshold, and next to it where to go otherwise.
pub(crate) trait Node: Copy + Sized {
    type Key: Key;

    /// Packs a node, if it fits.
    fn new(threshold: Self::Key, column: usize, first: usize) -> Option<Self>;
    fn threshold(self) -> Self::Key;
    fn column(self) -> usize;
    fn first(self) -> usize;

    /// The columns of a row, at least as many as [`column`](Self::column) can ask for if the type says how many.
    fn columns<T>(row: &[T]) -> &[T] {
        row
    }
    /// How many columns a row must have.
    fn n_columns(used: usize) -> usize {
        used
    }
}

/// A node of eight bytes, for up to 256 columns and 2^24 nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Narrow {
    threshold: u32,
    /// The column in the low byte.
    packed: u32,
}

impl Narrow {
    const COLUMNS: usize = 1 << 8;
    const NODES: usize = 1 << 24;
}

impl Node for Narrow {
    type Key = u32;

    fn new(threshold: u32, column: usize, first: usize) -> Option<Self> {
        (column < Self::COLUMNS && first < Self::NODES).then_some(Self {
            threshold,
            packed: (first as u32) << 8 | column as u32,
        })
    }

    fn threshold(self) -> u32 {
        self.threshold
    }

    fn column(self) -> usize {
        (self.packed & 0xff) as usize
    }

    fn first(self) -> usize {
        (self.packed >> 8) as usize
    }

    fn columns<T>(row: &[T]) -> &[T] {
        // So that the compiler need not check columns against the length.
        &row[..Self::COLUMNS]
    }

    fn n_columns(_used: usize) -> usize {
        Self::COLUMNS
    }
}

/// A node for any tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wide<K> {
    threshold: K,
    column: u32,
    first: u32,
}

impl<K: Key> Node for Wide<K> {
    type Key = K;

    fn new(threshold: K, column: usize, first: usize) -> Option<Self> {
        Some(Self {
            threshold,
            column: u32::try_from(column).ok()?,
            first: u32::try_from(first).ok()?,
        })
    }

    fn threshold(self) -> K {
        self.threshold
    }

    fn column(self) -> usize {
        self.column as usize
    }

    fn first(self) -> usize {
        self.first as usize
    }
}

/// Where a tree's walks begin, how long they may be, and the first of its leaves.
#[derive(Clone, Copy, Debug)]
struct Tree {
    root: u32,
    depth: u32,
    first_leaf: u32,
}

/// Trees, in the order of their depth, whose leaves are in order.
#[derive(Debug)]
pub(crate) struct Walk<N> {
    nodes: Vec<N>,
    trees: Vec<Tree>,
}

impl<N: Node> Walk<N> {
    /// Packs trees that [`arrange`](crate::kernels::trees::order::arrange) has put in order; none if some node does
    /// not fit.
    pub(crate) fn new<T: Keyed<Key = N::Key>>(
        trees: &Trees<T>,
        columns: &mut Columns,
    ) -> Option<Self> {
        // No leaf is the first node, as it leads to the node before itself or the next.
        let blank = N::new(N::Key::default(), 0, 0)?;
        let mut nodes = vec![blank];
        let mut packed = vec![];
        let mut first_leaf = 0;
        for &root in trees.roots() {
            let start = nodes.len();
            nodes.push(blank);
            let mut n_leaves = 0;
            let mut depth = 0;
            let mut path = vec![(root, start, 0)];
            while let Some((child, at, level)) = path.pop() {
                depth = depth.max(level);
                if child.is_leaf() {
                    let leaf = N::Key::from_leaf(child.index() as u32 - first_leaf);
                    if leaf >= N::Key::LEAVES {
                        return None;
                    }
                    nodes[at] = N::new(leaf, 0, at - 1)?;
                    n_leaves += 1;
                    continue;
                }
                let (branch, threshold) = trees.branch(child.index());
                let question = Question::new(branch.mode, branch.missing_is_true, threshold)?;
                let column = columns.index(Column {
                    feature: branch.feature,
                    is_negated: question.is_negated,
                });
                let next = nodes.len();
                nodes[at] = N::new(question.threshold, column, next)?;
                nodes.extend([blank; 2]);
                let [first, second] = branch.in_order();
                path.push((second, next + 1, level + 1));
                path.push((first, next, level + 1));
            }
            packed.push(Tree {
                root: u32::try_from(start).ok()?,
                depth,
                first_leaf,
            });
            first_leaf += n_leaves;
        }
        nodes.shrink_to_fit();
        Some(Self {
            nodes,
            trees: packed,
        })
    }

    pub(crate) fn n_trees(&self) -> usize {
        self.trees.len()
    }

    /// Calls `visit` with the leaf in each tree that one row, `[n_columns]`, reaches, tree by tree.
    #[inline]
    pub(crate) fn each_leaf(&self, row: &[N::Key], mut visit: impl FnMut(usize)) {
        let row = N::columns(row);
        let (groups, rest) = self.trees.as_chunks::<TREES>();
        for trees in groups {
            let mut at = trees.map(|tree| tree.root as usize);
            let depth = trees[TREES - 1].depth;
            self.walk(&mut at, depth, |column, _| row[column]);
            for (tree, at) in trees.iter().zip(at) {
                visit((tree.first_leaf + self.nodes[at].threshold().leaf()) as usize);
            }
        }
        for tree in rest {
            let mut at = [tree.root as usize];
            self.walk(&mut at, tree.depth, |column, _| row[column]);
            visit((tree.first_leaf + self.nodes[at[0]].threshold().leaf()) as usize);
        }
    }

    /// Finds the leaves in tree `tree` that rows `[n_columns, ROWS]` reach.
    pub(crate) fn leaves(&self, tree: usize, rows: &[[N::Key; ROWS]], leaves: &mut [u32; ROWS]) {
        let rows = N::columns(rows);
        let tree = self.trees[tree];
        let mut at = [tree.root as usize; ROWS];
        self.walk(&mut at, tree.depth, |column, row| rows[column][row]);
        for (leaf, at) in leaves.iter_mut().zip(at) {
            *leaf = tree.first_leaf + self.nodes[at].threshold().leaf();
        }
    }

    #[inline]
    fn walk<const WALKS: usize>(
        &self,
        at: &mut [usize; WALKS],
        depth: u32,
        key: impl Fn(usize, usize) -> N::Key,
    ) {
        let nodes = &self.nodes[..];
        let mut left = depth;
        while left > 0 {
            let steps = left.min(STEPS);
            for _ in 0..steps {
                for (walk, at) in at.iter_mut().enumerate() {
                    let node = nodes[*at];
                    let key = key(node.column(), walk);
                    *at = node.first() + usize::from(node.threshold() < key);
                }
            }
            left -= steps;
            if left > 0 && at.iter().all(|&at| nodes[at].threshold() < N::Key::LEAVES) {
                return;
            }
        }
    }
}
