//! Small trees by bit masks: every node is asked about many rows at once, and none has to wait for another.
//!
//! A tree's leaves, from left to right, are the bits of a word, the first the highest. A node where a row goes right
//! clears the bits of the leaves to its left; the first bit that is left is the leaf that a walk would reach. Trees of
//! more leaves than a word has bits take several words.
//!
//! Source: C. Lucchese et al., "`QuickScorer`: a fast algorithm to rank documents with additive ensembles of regression
//! trees", SIGIR 2015, and of the form for several documents at once, "Exploiting CPU SIMD extensions to speed-up
//! document scoring with tree ensembles", SIGIR 2016. Here nodes stay with their tree, and rows are the lanes.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level only where it is inlined"
)]

use pulp::{Simd, WithSimd};

use crate::kernels::simd;
use crate::kernels::trees::columns::{Column, Columns};
use crate::kernels::trees::key::{Key, Keyed, Question};
use crate::kernels::trees::tree::{Child, Trees};

/// How many rows are a table of columns.
pub(crate) const ROWS: usize = 64;
/// How many vectors of rows ask a node at a time.
const VECTORS: usize = 4;
/// The most leaves that a tree may have.
const MAX_LEAVES: usize = 256;
const WORD: usize = u32::BITS as usize;

#[derive(Clone, Copy, Debug)]
struct Node {
    threshold: i32,
    column: u32,
    /// What is left of the word where the row goes right.
    mask: u32,
}

/// Up to 32 leaves of a tree.
#[derive(Clone, Copy, Debug)]
struct Word {
    /// Where the nodes that clear bits of this word end; they begin where those of the word before end.
    end: u32,
    first_leaf: u32,
}

/// Trees whose leaves are in order.
#[derive(Debug)]
pub(crate) struct Masks {
    nodes: Vec<Node>,
    /// Of each tree the last word first.
    words: Vec<Word>,
    /// Where the words of each tree end.
    trees: Vec<u32>,
}

impl Masks {
    /// Packs trees that [`arrange`](crate::kernels::trees::order::arrange) has put in order; none if walks are faster.
    pub(crate) fn new<T: Keyed>(trees: &Trees<T>, columns: &mut Columns) -> Option<Self> {
        let mut masks = Self {
            nodes: vec![],
            words: vec![],
            trees: vec![],
        };
        let max_nodes = trees.n_trees() * nodes_worth_a_walk();
        let mut first_leaf = 0;
        for &root in trees.roots() {
            let tree = Spans::new(trees, root)?;
            for word in (0..tree.n_leaves.div_ceil(WORD)).rev() {
                let first = word * WORD;
                for &(node, start, end) in &tree.lefts {
                    let (start, end) = (start.max(first), end.min(first + WORD));
                    if start >= end {
                        continue;
                    }
                    let (branch, threshold) = trees.branch(node);
                    let question = Question::new(branch.mode, branch.missing_is_true, threshold)?;
                    let column = columns.index(Column {
                        feature: branch.feature,
                        is_negated: question.is_negated,
                    });
                    let bits = u32::MAX >> (WORD - (end - start)) << (first + WORD - end);
                    masks.nodes.push(Node {
                        threshold: question.threshold.signed()?,
                        column: u32::try_from(column).ok()?,
                        mask: !bits,
                    });
                }
                masks.words.push(Word {
                    end: u32::try_from(masks.nodes.len()).ok()?,
                    first_leaf: u32::try_from(first_leaf + first).ok()?,
                });
                if masks.nodes.len() > max_nodes {
                    return None;
                }
            }
            masks.trees.push(u32::try_from(masks.words.len()).ok()?);
            first_leaf += tree.n_leaves;
        }
        masks.nodes.shrink_to_fit();
        Some(masks)
    }

    /// Finds the leaves that the first `n_rows` of `rows`, `[n_columns, ROWS]`, reach in the trees from `first` on: as
    /// many as `leaves` has room for.
    pub(crate) fn leaves(
        &self,
        first: usize,
        rows: &[[i32; ROWS]],
        n_rows: usize,
        leaves: &mut [[u32; ROWS]],
    ) {
        simd::dispatch(FindLeaves {
            masks: self,
            first,
            rows: rows.as_flattened(),
            n_rows,
            leaves,
        });
    }

    fn words(&self, tree: usize) -> std::ops::Range<usize> {
        start(&self.trees, tree)..self.trees[tree] as usize
    }

    fn nodes(&self, word: usize) -> &[Node] {
        let start = word
            .checked_sub(1)
            .map_or(0, |before| self.words[before].end as usize);
        &self.nodes[start..self.words[word].end as usize]
    }
}

/// Where the part `index` begins of parts that end where `ends` says.
fn start(ends: &[u32], index: usize) -> usize {
    index
        .checked_sub(1)
        .map_or(0, |before| ends[before] as usize)
}

/// How many nodes are asked in the time that a walk takes.
fn nodes_worth_a_walk() -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _simd: S) -> usize {
            S::I32_LANES
        }
    }
    match simd::dispatch(Lanes) {
        8.. => 96,
        4.. => 40,
        _ => 0,
    }
}

/// The leaves to the left of each node of a tree.
struct Spans {
    /// Node, first leaf, and the leaf after the last.
    lefts: Vec<(usize, usize, usize)>,
    n_leaves: usize,
}

impl Spans {
    /// None if there are too many leaves.
    fn new<T: Copy>(trees: &Trees<T>, root: Child) -> Option<Self> {
        let mut spans = Self {
            lefts: vec![],
            n_leaves: 0,
        };
        // A child to visit, or, after a node's left side, the node's place in `lefts`.
        let mut path = vec![Ok(root)];
        while let Some(step) = path.pop() {
            match step {
                Ok(child) if child.is_leaf() => {
                    spans.n_leaves += 1;
                    if spans.n_leaves > MAX_LEAVES {
                        return None;
                    }
                }
                Ok(child) => {
                    let (branch, _) = trees.branch(child.index());
                    let [left, right] = branch.in_order();
                    path.extend([Ok(right), Err(spans.lefts.len()), Ok(left)]);
                    spans.lefts.push((child.index(), spans.n_leaves, 0));
                }
                Err(place) => spans.lefts[place].2 = spans.n_leaves,
            }
        }
        Some(spans)
    }
}

/// What [`Arch::dispatch`](pulp::Arch::dispatch) compiles for each level of vector instructions.
struct FindLeaves<'a> {
    masks: &'a Masks,
    first: usize,
    rows: &'a [i32],
    n_rows: usize,
    leaves: &'a mut [[u32; ROWS]],
}

impl WithSimd for FindLeaves<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (rows, _) = S::as_simd_i32s(self.rows);
        let (rows, _) = rows.as_chunks::<VECTORS>();
        let pass_rows = VECTORS * S::I32_LANES;
        let n_passes = ROWS / pass_rows;
        for (tree, leaves) in (self.first..).zip(self.leaves) {
            for (pass, leaves) in leaves.chunks_exact_mut(pass_rows).enumerate() {
                if pass * pass_rows >= self.n_rows {
                    break;
                }
                for word in self.masks.words(tree) {
                    let mut states = [simd.splat_u32s(u32::MAX); VECTORS];
                    for node in self.masks.nodes(word) {
                        let keys = &rows[node.column as usize * n_passes + pass];
                        let threshold = simd.splat_i32s(node.threshold);
                        let mask = simd.splat_u32s(node.mask);
                        for (state, &keys) in states.iter_mut().zip(keys) {
                            let is_right = simd.greater_than_i32s(keys, threshold);
                            *state =
                                simd.select_u32s(is_right, simd.and_u32s(*state, mask), *state);
                        }
                    }
                    let first_leaf = self.masks.words[word].first_leaf;
                    let states: &[u32] = pulp::bytemuck::cast_slice(&states);
                    for (leaf, state) in leaves.iter_mut().zip(states) {
                        if *state != 0 {
                            *leaf = first_leaf + state.leading_zeros();
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::Arch;

    use super::*;
    use crate::kernels::trees::order::arrange;
    use crate::kernels::trees::sets::Sets;
    use crate::kernels::trees::tree::{Branch, Mode};

    /// A chain of `n_leaves` leaves, to the left or to the right, that asks whether the feature is at most 0, 1, 2, ...
    fn chain(n_leaves: usize, is_left: bool) -> Trees<f32> {
        let n_nodes = n_leaves - 1;
        let branches: Vec<Branch> = (0..n_nodes)
            .map(|node| {
                let next = if node + 1 == n_nodes {
                    Child::leaf(n_nodes)
                } else {
                    Child::node(node + 1)
                };
                Branch {
                    mode: if is_left { Mode::Gt } else { Mode::Leq },
                    feature: 0,
                    missing_is_true: false,
                    children: [
                        if is_left { Child::leaf(node) } else { next },
                        if is_left { next } else { Child::leaf(node) },
                    ],
                }
            })
            .collect();
        let thresholds: Vec<f32> = (0..n_nodes).map(|node| node as f32).collect();
        let root = vec![Child::node(0)];
        let trees = Trees::new(root, &branches, &thresholds, Sets::default());
        let mut trees = trees.expect("no cycle");
        arrange(&mut trees, n_leaves).expect("no leaf is in two places");
        trees
    }

    fn check(level: &str, run: impl Fn(FindLeaves<'_>)) {
        for n_leaves in [2, 31, 32, 33, 64, 90] {
            for is_left in [false, true] {
                let trees = chain(n_leaves, is_left);
                let mut columns = Columns::default();
                let Some(masks) = Masks::new(&trees, &mut columns) else {
                    assert!(n_leaves > 32 || nodes_worth_a_walk() == 0, "{level}");
                    continue;
                };
                let is_negated = columns.into_vec()[0].is_negated;
                let mut rows = [[0; ROWS]; 1];
                for (row, slot) in rows[0].iter_mut().enumerate() {
                    let key = crate::kernels::trees::key::column_key(
                        (row as f32 * 1.5).key(),
                        is_negated,
                    );
                    *slot = key.signed().expect("keys of floats have 32 bits");
                }
                for n_rows in [1, 17, ROWS] {
                    let mut leaves = [[u32::MAX; ROWS]; 1];
                    run(FindLeaves {
                        masks: &masks,
                        first: 0,
                        rows: rows.as_flattened(),
                        n_rows,
                        leaves: &mut leaves,
                    });
                    for (row, &leaf) in leaves[0][..n_rows].iter().enumerate() {
                        let passed = (row as f32 * 1.5).ceil() as usize;
                        let passed = passed.min(n_leaves - 1) as u32;
                        let expected = if is_left {
                            n_leaves as u32 - 1 - passed
                        } else {
                            passed
                        };
                        assert_eq!(leaf, expected, "{level}: {n_leaves} {is_left} {row}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_level_of_vector_instructions_finds_the_same_leaves() {
        check("default", |find| simd::dispatch(find));
        check("scalar", |find| Arch::Scalar.dispatch(find));
        #[cfg(target_arch = "x86_64")]
        {
            use pulp::x86::{V2, V3, V4};
            if let Some(simd) = V2::try_new() {
                check("V2", |find| Simd::vectorize(simd, find));
            }
            if let Some(simd) = V3::try_new() {
                check("V3", |find| Simd::vectorize(simd, find));
            }
            if let Some(simd) = V4::try_new() {
                check("V4", |find| Simd::vectorize(simd, find));
            }
        }
    }
}
