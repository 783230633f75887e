//! Binary trees in flat arrays, and the walk from a root to a leaf.

use crate::kernels::trees::sets::{Feature, Sets};

/// Where a branch leads: to another node, or to a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Child(u32);

impl Child {
    const LEAF: u32 = 1 << 31;
    /// How many nodes, and how many leaves, can be told apart.
    pub(crate) const LIMIT: usize = Self::LEAF as usize;

    /// `index` must be below [`LIMIT`](Self::LIMIT).
    pub(crate) fn node(index: usize) -> Self {
        Self(index as u32)
    }

    /// `index` must be below [`LIMIT`](Self::LIMIT).
    pub(crate) fn leaf(index: usize) -> Self {
        Self(index as u32 | Self::LEAF)
    }

    pub(crate) fn is_leaf(self) -> bool {
        self.0 & Self::LEAF != 0
    }

    /// The index of the node, or of the leaf.
    pub(crate) fn index(self) -> usize {
        (self.0 & !Self::LEAF) as usize
    }
}

/// The question a node asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Leq,
    Lt,
    Gte,
    Gt,
    Eq,
    Neq,
    /// Whether the feature is in the node's set.
    Member,
}

/// A node as it is before it is packed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Branch {
    pub(crate) mode: Mode,
    /// Below [`Branch::MAX_FEATURES`].
    pub(crate) feature: u32,
    /// Whether NaN takes the true branch whatever the question.
    pub(crate) missing_is_true: bool,
    /// Where false and true lead.
    pub(crate) children: [Child; 2],
}

impl Branch {
    pub(crate) const MAX_FEATURES: usize = 1 << 31;

    /// The children as the fast walks order them: NaN goes to the second.
    pub(crate) fn in_order(&self) -> [Child; 2] {
        let [on_false, on_true] = self.children;
        if self.missing_is_true {
            [on_false, on_true]
        } else {
            [on_true, on_false]
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Node<T> {
    threshold: T,
    /// The high bit is set if NaN takes the true branch.
    feature: u32,
    /// Where false and true lead.
    children: [Child; 2],
}

impl<T> Node<T> {
    const MISSING_IS_TRUE: u32 = 1 << 31;

    fn feature(&self) -> usize {
        (self.feature & !Self::MISSING_IS_TRUE) as usize
    }

    fn missing_is_true(&self) -> bool {
        self.feature & Self::MISSING_IS_TRUE != 0
    }
}

/// The questions of all nodes.
#[derive(Debug)]
enum Modes {
    Uniform(Mode),
    /// One for each node.
    Mixed(Vec<Mode>),
}

macro_rules! feature {
    ($($feature:ty, $threshold:ty);*) => {$(
        impl Feature<$threshold> for $feature {
            fn widen(threshold: $threshold) -> Self {
                threshold.into()
            }
            fn is_nan(self) -> bool {
                <$feature>::is_nan(self)
            }
        }
    )*};
}
feature!(f32, f32; f64, f32; f64, f64);

/// Trees whose walks end, with thresholds of type `T`.
#[derive(Debug)]
pub(crate) struct Trees<T> {
    roots: Vec<Child>,
    nodes: Vec<Node<T>>,
    modes: Modes,
    sets: Sets<T>,
    tracks_missing: bool,
    n_features: usize,
}

impl<T: Copy + PartialOrd> Trees<T> {
    /// Packs nodes, one for each of `thresholds`. All children must exist.
    ///
    /// # Errors
    /// The index of a node from which a walk may come back to it.
    pub(crate) fn new(
        roots: Vec<Child>,
        branches: &[Branch],
        thresholds: &[T],
        sets: Sets<T>,
    ) -> Result<Self, usize> {
        if let Some(node) = find_cycle(branches) {
            return Err(node);
        }
        let nodes: Vec<Node<T>> = branches
            .iter()
            .zip(thresholds)
            .map(|(branch, &threshold)| Node {
                threshold,
                feature: branch.feature
                    | if branch.missing_is_true {
                        Node::<T>::MISSING_IS_TRUE
                    } else {
                        0
                    },
                children: branch.children,
            })
            .collect();
        let first = branches.first().map_or(Mode::Leq, |branch| branch.mode);
        let is_uniform = first != Mode::Member && branches.iter().all(|b| b.mode == first);
        Ok(Self {
            roots,
            modes: if is_uniform {
                Modes::Uniform(first)
            } else {
                Modes::Mixed(branches.iter().map(|b| b.mode).collect())
            },
            sets,
            tracks_missing: branches.iter().any(|b| b.missing_is_true),
            n_features: nodes
                .iter()
                .map(|node| node.feature() + 1)
                .max()
                .unwrap_or(0),
            nodes,
        })
    }
}

impl<T: Copy> Trees<T> {
    pub(crate) fn n_trees(&self) -> usize {
        self.roots.len()
    }

    pub(crate) fn n_nodes(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn roots(&self) -> &[Child] {
        &self.roots
    }

    /// Puts the trees, whose roots these are, in another order.
    pub(crate) fn set_roots(&mut self, roots: Vec<Child>) {
        self.roots = roots;
    }

    /// Gives each leaf the number that `numbers` has for it.
    pub(crate) fn renumber_leaves(&mut self, numbers: &[u32]) {
        let children = self.nodes.iter_mut().flat_map(|node| &mut node.children);
        for child in children.chain(&mut self.roots) {
            if child.is_leaf() {
                *child = Child::leaf(numbers[child.index()] as usize);
            }
        }
    }

    /// A node as it was before it was packed, and its threshold.
    pub(crate) fn branch(&self, index: usize) -> (Branch, T) {
        let node = &self.nodes[index];
        let branch = Branch {
            mode: match &self.modes {
                Modes::Uniform(mode) => *mode,
                Modes::Mixed(modes) => modes[index],
            },
            feature: node.feature() as u32,
            missing_is_true: node.missing_is_true(),
            children: node.children,
        };
        (branch, node.threshold)
    }

    /// How many features a sample must have: one more than the largest index.
    pub(crate) fn n_features(&self) -> usize {
        self.n_features
    }
}

impl<T: Copy + PartialOrd> Trees<T> {
    /// Calls `visit` with the index of each row of `x` `[n_rows, n_features]` and of the leaf it reaches, tree by tree.
    pub(crate) fn for_each_leaf<X: Feature<T>>(
        &self,
        x: &[X],
        shape: [usize; 2],
        visit: impl FnMut(usize, usize),
    ) {
        // One loop for each question, with and without NaN, so that none of them branches on what is the same for all.
        macro_rules! walk_all {
            ($compare:tt) => {
                if self.tracks_missing {
                    let is_true = |node: &Node<T>, _, x: X| {
                        x $compare X::widen(node.threshold) || (node.missing_is_true() && x.is_nan())
                    };
                    self.walk_all(x, shape, is_true, visit)
                } else {
                    self.walk_all(x, shape, |node, _, x| x $compare X::widen(node.threshold), visit)
                }
            };
        }
        match &self.modes {
            Modes::Uniform(Mode::Lt) => walk_all!(<),
            Modes::Uniform(Mode::Gte) => walk_all!(>=),
            Modes::Uniform(Mode::Gt) => walk_all!(>),
            Modes::Uniform(Mode::Eq) => walk_all!(==),
            Modes::Uniform(Mode::Neq) => walk_all!(!=),
            Modes::Uniform(Mode::Leq | Mode::Member) => walk_all!(<=),
            Modes::Mixed(modes) => {
                let is_true = |node: &Node<T>, index: usize, x: X| {
                    let threshold = X::widen(node.threshold);
                    let answer = match modes[index] {
                        Mode::Leq => x <= threshold,
                        Mode::Lt => x < threshold,
                        Mode::Gte => x >= threshold,
                        Mode::Gt => x > threshold,
                        Mode::Eq => x == threshold,
                        Mode::Neq => x != threshold,
                        Mode::Member => self.sets.contains(index, x),
                    };
                    answer || (node.missing_is_true() && x.is_nan())
                };
                self.walk_all(x, shape, is_true, visit);
            }
        }
    }

    fn walk_all<X: Copy>(
        &self,
        x: &[X],
        [n_rows, n_features]: [usize; 2],
        is_true: impl Fn(&Node<T>, usize, X) -> bool,
        mut visit: impl FnMut(usize, usize),
    ) {
        for &root in &self.roots {
            for row in 0..n_rows {
                let sample = &x[row * n_features..(row + 1) * n_features];
                let mut child = root;
                while !child.is_leaf() {
                    let index = child.index();
                    let node = &self.nodes[index];
                    let goes = is_true(node, index, sample[node.feature()]);
                    child = node.children[usize::from(goes)];
                }
                visit(row, child.index());
            }
        }
    }
}

/// A node on a cycle, if there is one. Subtrees may be shared.
fn find_cycle(branches: &[Branch]) -> Option<usize> {
    // Exporters list every node before its children.
    let is_after = |at: usize, child: Child| child.is_leaf() || child.index() > at;
    let mut listed = branches.iter().enumerate();
    if listed.all(|(at, branch)| branch.children.iter().all(|&child| is_after(at, child))) {
        return None;
    }
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut states = vec![State::New; branches.len()];
    let mut path: Vec<(usize, usize)> = vec![];
    for start in 0..branches.len() {
        if states[start] != State::New {
            continue;
        }
        states[start] = State::Open;
        path.push((start, 0));
        while let Some((node, side)) = path.pop() {
            let Some(&child) = branches[node].children.get(side) else {
                states[node] = State::Done;
                continue;
            };
            path.push((node, side + 1));
            if child.is_leaf() {
                continue;
            }
            match states[child.index()] {
                State::New => {
                    states[child.index()] = State::Open;
                    path.push((child.index(), 0));
                }
                State::Open => return Some(child.index()),
                State::Done => {}
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f32 = f32::NAN;

    fn stump(mode: Mode, feature: u32, missing_is_true: bool) -> Branch {
        Branch {
            mode,
            feature,
            missing_is_true,
            children: [Child::leaf(0), Child::leaf(1)],
        }
    }

    fn leaves(trees: &Trees<f32>, x: &[f32], n_features: usize) -> Vec<(usize, usize)> {
        let mut reached = vec![];
        let shape = [x.len() / n_features, n_features];
        trees.for_each_leaf(x, shape, |row, leaf| reached.push((row, leaf)));
        reached
    }

    #[test]
    fn asks_every_question() {
        let x = [0.5, 1.0, 2.0, NAN, f32::INFINITY];
        let cases = [
            (Mode::Leq, [1, 1, 0, 0, 0]),
            (Mode::Lt, [1, 0, 0, 0, 0]),
            (Mode::Gte, [0, 1, 1, 0, 1]),
            (Mode::Gt, [0, 0, 1, 0, 1]),
            (Mode::Eq, [0, 1, 0, 0, 0]),
            (Mode::Neq, [1, 0, 1, 1, 1]),
            (Mode::Member, [1, 0, 1, 0, 0]),
        ];
        for (mode, mut expected) in cases {
            for missing_is_true in [false, true] {
                let branches = [stump(mode, 0, missing_is_true)];
                let values: &[f32] = if mode == Mode::Member {
                    &[2.0, 0.5]
                } else {
                    &[]
                };
                let asks = branches.iter().map(|b| b.mode == Mode::Member);
                let sets = Sets::new(values, asks).expect("as many sets as nodes");
                let root = vec![Child::node(0)];
                let trees = Trees::new(root, &branches, &[1.0], sets).expect("no cycle");
                expected[3] |= usize::from(missing_is_true);
                let got: Vec<usize> = leaves(&trees, &x, 1).into_iter().map(|(_, l)| l).collect();
                assert_eq!(got, expected, "{mode:?} {missing_is_true}");
            }
        }
    }

    #[test]
    fn walks_each_row_through_each_tree() {
        // Tree 0 is a leaf; tree 1 asks for feature 1, then, by another question, for feature 0.
        let branches = [
            Branch {
                children: [Child::node(1), Child::leaf(1)],
                ..stump(Mode::Leq, 1, false)
            },
            Branch {
                children: [Child::leaf(2), Child::leaf(3)],
                ..stump(Mode::Gt, 0, false)
            },
        ];
        let roots = vec![Child::leaf(0), Child::node(0)];
        let sets = Sets::new(&[], [false, false].into_iter()).expect("no sets");
        let trees = Trees::new(roots, &branches, &[0.0, 5.0], sets).expect("no cycle");
        assert_eq!((trees.n_trees(), trees.n_features()), (2, 2));
        let x = [9.0, -1.0, 9.0, 1.0, 1.0, 1.0];
        let expected = [(0, 0), (1, 0), (2, 0), (0, 1), (1, 3), (2, 2)];
        assert_eq!(leaves(&trees, &x, 2), expected);
        assert_eq!(leaves(&trees, &[], 2), []);
    }

    #[test]
    fn float_input_and_double_threshold_compare_as_double() {
        // 0.1 as float is above 0.1 as double.
        let branches = [stump(Mode::Leq, 0, false)];
        let doubles = Trees::new(vec![Child::node(0)], &branches, &[0.1_f64], Sets::default());
        let floats = Trees::new(vec![Child::node(0)], &branches, &[0.1_f32], Sets::default());
        let mut got = vec![];
        let (doubles, floats) = (doubles.expect("no cycle"), floats.expect("no cycle"));
        doubles.for_each_leaf(&[f64::from(0.1_f32)], [1, 1], |_, leaf| got.push(leaf));
        floats.for_each_leaf(&[0.1_f32], [1, 1], |_, leaf| got.push(leaf));
        floats.for_each_leaf(&[0.1_f64], [1, 1], |_, leaf| got.push(leaf));
        assert_eq!(got, [0, 1, 1]);
    }

    #[test]
    fn finds_cycles_and_allows_shared_subtrees() {
        let to = |children| Branch {
            children,
            ..stump(Mode::Leq, 0, false)
        };
        let (node, leaf) = (Child::node, Child::leaf(0));
        let cases: [(&[Branch], bool); 5] = [
            (&[to([node(1), node(1)]), to([leaf, leaf])], false),
            (&[to([leaf, node(0)])], true),
            (&[to([node(1), leaf]), to([leaf, node(0)])], true),
            (
                &[to([leaf, leaf]), to([node(2), leaf]), to([node(1), leaf])],
                true,
            ),
            (
                &[
                    to([node(1), node(2)]),
                    to([node(2), leaf]),
                    to([leaf, leaf]),
                ],
                false,
            ),
        ];
        for (index, (branches, has_cycle)) in cases.into_iter().enumerate() {
            assert_eq!(find_cycle(branches).is_some(), has_cycle, "case {index}");
        }
        // As deep as it gets: every node leads to the next.
        let deep: Vec<Branch> = (1..1_000_000)
            .map(|i| to([node(i), leaf]))
            .chain([to([leaf, leaf])])
            .collect();
        assert_eq!(find_cycle(&deep), None);
    }
}
