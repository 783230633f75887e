//! Trees that all ask one question of a number's key, and the fastest way through them for a number of rows.

use crate::kernels::trees::columns::{Column, Columns, fill_row, fill_table};
use crate::kernels::trees::key::{Key, Keyed};
use crate::kernels::trees::masks::Masks;
use crate::kernels::trees::tree::Trees;
use crate::kernels::trees::votes::{Leaves, Votes};
use crate::kernels::trees::walk::{Node, Walk};
use crate::kernels::trees::{masks, walk};

/// How many rows are taken at a time.
const TILE: usize = masks::ROWS;
/// Fewer rows than this are taken one by one where the others walk together, and where masks find their leaves.
const FEW_ROWS: [usize; 2] = [10, 20];
/// How many trees a tile goes through before their votes are added.
const TREES: usize = 16;
/// How many scores a tile may have.
const MAX_SCORES: usize = 1 << 16;
/// How many keys of a row are on the stack.
const STACK_KEYS: usize = 256;

/// Trees in the order in which their votes are added, which is the same for any number of rows.
#[derive(Debug)]
pub(crate) struct Forest<N> {
    columns: Vec<Column>,
    walk: Walk<N>,
    masks: Option<Masks>,
}

/// One row's walks through all trees.
struct RowLeaves<'a, N: Node> {
    walk: &'a Walk<N>,
    row: &'a [N::Key],
}

impl<N: Node> Leaves for RowLeaves<'_, N> {
    #[inline]
    fn each(self, visit: impl FnMut(usize)) {
        self.walk.each_leaf(self.row, visit);
    }
}

impl<N: Node> Forest<N> {
    /// Packs trees that [`arrange`](crate::kernels::trees::order::arrange) has put in order; none if there is a
    /// question of another kind,
    /// or a node that does not fit.
    pub(crate) fn new<T: Keyed<Key = N::Key>>(trees: &Trees<T>) -> Option<Self> {
        let mut columns = Columns::default();
        let walk = Walk::new(trees, &mut columns)?;
        let masks = Masks::new(trees, &mut columns);
        Some(Self {
            columns: columns.into_vec(),
            walk,
            masks,
        })
    }

    /// Calls `visit` with the index of the first of some rows of `x`, `[n_samples, n_features]`, and the sums of the votes
    /// for them, `[n_rows, n_targets]`.
    pub(crate) fn sum<T: Keyed<Key = N::Key>>(
        &self,
        votes: &Votes,
        x: &[T],
        [n_samples, n_features]: [usize; 2],
        n_targets: usize,
        mut visit: impl FnMut(usize, &mut [f64]),
    ) {
        let rows = |first: usize, n_rows: usize| &x[first * n_features..][..n_rows * n_features];
        let tile = TILE.min(MAX_SCORES / n_targets);
        let few_rows = FEW_ROWS[usize::from(self.masks.is_some())];
        let mut first = 0;
        if n_samples >= few_rows && tile >= few_rows {
            let mut tables = Tables::new(self, tile * n_targets);
            while n_samples - first >= few_rows {
                let n_rows = tile.min(n_samples - first);
                let scores = &mut tables.scores[..n_rows * n_targets];
                scores.fill(0.0);
                tables.keys.clear();
                let keys = rows(first, n_rows).iter().map(|&x| x.key());
                tables.keys.extend(keys);
                self.add_tile(votes, &mut tables, [n_rows, n_features], n_targets);
                visit(first, &mut tables.scores[..n_rows * n_targets]);
                first += n_rows;
            }
        }
        if first == n_samples {
            return;
        }
        let mut stack = [N::Key::NAN; STACK_KEYS];
        let mut heap = vec![];
        let n_keys = N::n_columns(self.columns.len());
        let row = if n_keys <= STACK_KEYS {
            &mut stack[..n_keys]
        } else {
            heap.resize(n_keys, N::Key::NAN);
            &mut heap[..]
        };
        let mut scores = vec![0.0; n_targets];
        for sample in first..n_samples {
            fill_row(&self.columns, rows(sample, 1), row);
            scores.fill(0.0);
            let walk = &self.walk;
            votes.add_all(RowLeaves { walk, row }, &mut scores);
            visit(sample, &mut scores);
        }
    }

    /// Adds the votes for the rows whose keys are in `tables` to the scores there.
    fn add_tile(
        &self,
        votes: &Votes,
        tables: &mut Tables<N::Key>,
        [n_rows, n_features]: [usize; 2],
        n_targets: usize,
    ) {
        let Tables {
            keys,
            of_masks,
            of_walk,
            leaves,
            scores,
        } = tables;
        let (columns, n_columns) = (&self.columns, self.columns.len());
        if self.masks.is_some() {
            let signed = |key: N::Key| key.signed().unwrap_or_default();
            fill_table(columns, keys, n_features, of_masks, signed);
        } else {
            let groups = keys.chunks((walk::ROWS * n_features).max(1));
            for (keys, table) in groups.zip(of_walk.chunks_exact_mut(n_columns.max(1))) {
                fill_table(columns, keys, n_features, table, |key| key);
            }
        }
        for first in (0..self.walk.n_trees()).step_by(TREES) {
            let n_trees = TREES.min(self.walk.n_trees() - first);
            let leaves = &mut leaves[..n_trees];
            if let Some(masks) = &self.masks {
                masks.leaves(first, of_masks, n_rows, leaves);
            } else {
                for (tree, leaves) in (first..).zip(leaves.iter_mut()) {
                    let (leaves, _) = leaves.as_chunks_mut::<{ walk::ROWS }>();
                    let groups = leaves.iter_mut().take(n_rows.div_ceil(walk::ROWS));
                    for (group, leaves) in groups.enumerate() {
                        let table = &of_walk[group * n_columns..][..N::n_columns(n_columns)];
                        self.walk.leaves(tree, table, leaves);
                    }
                }
            }
            votes.add_tile(leaves, &mut scores[..n_rows * n_targets], n_targets);
        }
    }
}

/// The memory that a tile of rows works in.
struct Tables<K> {
    keys: Vec<K>,
    /// `[n_columns, n_rows]`
    of_masks: Vec<[i32; masks::ROWS]>,
    /// `[n_groups, n_columns, walk::ROWS]`, and what nodes of the last group could ask for besides. Walks only end for
    /// keys that numbers or NaN have, so rows that are not there must have them too.
    of_walk: Vec<[K; walk::ROWS]>,
    leaves: [[u32; TILE]; TREES],
    /// `[n_rows, n_targets]`
    scores: Vec<f64>,
}

impl<K: Key> Tables<K> {
    fn new<N: Node<Key = K>>(forest: &Forest<N>, n_scores: usize) -> Self {
        let n_columns = forest.columns.len();
        let (n_of_masks, n_of_walk) = if forest.masks.is_some() {
            (n_columns, 0)
        } else {
            let n_groups = TILE / walk::ROWS;
            (0, (n_groups - 1) * n_columns + N::n_columns(n_columns))
        };
        Self {
            keys: vec![],
            of_masks: vec![[0; masks::ROWS]; n_of_masks],
            of_walk: vec![[K::NAN; walk::ROWS]; n_of_walk],
            leaves: [[0; TILE]; TREES],
            scores: vec![0.0; n_scores],
        }
    }
}
