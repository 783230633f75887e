//! Every way through random trees, against a plain walk of each row through each tree.

use tract_onnx::tract_hir::internal::*;

use crate::kernels::lanes::Numbers;
use crate::kernels::trees::sets::Sets;
use crate::kernels::trees::tree::{Branch, Child, Mode, Trees};
use crate::kernels::trees::votes::Vote;
use crate::operator::batch::Batch;
use crate::ops::ml::tree_ensemble::{Aggregate, AnyForest, AnyTrees, Ensemble};

/// A linear congruential generator: tests must not depend on chance.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % n
    }

    /// Few different numbers, so that values often are a threshold.
    fn number(&mut self) -> f32 {
        match self.below(16) {
            0 => f32::NEG_INFINITY,
            1 => f32::INFINITY,
            2 => -0.0,
            n => (n as f32 - 9.0) / 4.0,
        }
    }
}

/// What random trees are like.
#[derive(Clone, Debug)]
struct Kind {
    modes: &'static [Mode],
    tracks_missing: bool,
    n_trees: usize,
    max_leaves: usize,
    n_features: usize,
    n_targets: usize,
    /// How many votes a leaf has.
    n_votes: usize,
    aggregate: Aggregate,
}

const PLAIN: Kind = Kind {
    modes: &[Mode::Leq],
    tracks_missing: false,
    n_trees: 21,
    max_leaves: 30,
    n_features: 5,
    n_targets: 1,
    n_votes: 1,
    aggregate: Aggregate::Sum,
};

/// Trees as they are listed.
struct Model {
    roots: Vec<Child>,
    branches: Vec<Branch>,
    thresholds: Vec<f32>,
    votes: Vec<(usize, Vote)>,
    n_leaves: usize,
}

impl Model {
    fn random(random: &mut Random, kind: &Kind) -> Self {
        let mut model = Self {
            roots: vec![],
            branches: vec![],
            thresholds: vec![],
            votes: vec![],
            n_leaves: 0,
        };
        for _ in 0..kind.n_trees {
            let n_leaves = 1 + random.below(kind.max_leaves);
            let root = model.grow(random, kind, n_leaves);
            model.roots.push(root);
        }
        // Votes are whole, so that their sums do not depend on the order.
        for leaf in 0..model.n_leaves {
            for vote in 0..kind.n_votes {
                let target = ((leaf + vote) % kind.n_targets) as u32;
                let weight = random.below(1000) as f64 - 300.0;
                let weight = if weight < 0.0 { 0.0 } else { weight };
                model.votes.push((leaf, Vote { target, weight }));
            }
        }
        model
    }

    /// Adds a tree, or a leaf.
    fn grow(&mut self, random: &mut Random, kind: &Kind, n_leaves: usize) -> Child {
        if n_leaves == 1 {
            self.n_leaves += 1;
            return Child::leaf(self.n_leaves - 1);
        }
        let index = self.branches.len();
        self.branches.push(Branch {
            mode: kind.modes[random.below(kind.modes.len())],
            feature: random.below(kind.n_features) as u32,
            missing_is_true: kind.tracks_missing && random.below(2) == 1,
            children: [Child::leaf(0); 2],
        });
        self.thresholds.push(random.number());
        let n_false = 1 + random.below(n_leaves - 1);
        let on_false = self.grow(random, kind, n_false);
        let on_true = self.grow(random, kind, n_leaves - n_false);
        self.branches[index].children = [on_false, on_true];
        Child::node(index)
    }

    fn ensemble(&self, kind: &Kind, is_double: bool) -> Ensemble {
        let roots = self.roots.clone();
        let trees = if is_double {
            let thresholds: Vec<f64> = self.thresholds.iter().copied().map(f64::from).collect();
            let trees = Trees::new(roots, &self.branches, &thresholds, Sets::default());
            AnyTrees::F64(trees.expect("no cycle"))
        } else {
            let trees = Trees::new(roots, &self.branches, &self.thresholds, Sets::default());
            AnyTrees::F32(trees.expect("no cycle"))
        };
        let votes = self.votes.clone();
        Ensemble::new(trees, votes, self.n_leaves, kind.n_targets, kind.aggregate)
    }

    fn leaf(&self, root: Child, sample: &[f32]) -> usize {
        let mut child = root;
        while !child.is_leaf() {
            let (branch, threshold) =
                (self.branches[child.index()], self.thresholds[child.index()]);
            let x = sample[branch.feature as usize];
            let answer = match branch.mode {
                Mode::Leq => x <= threshold,
                Mode::Lt => x < threshold,
                Mode::Gte => x >= threshold,
                Mode::Gt => x > threshold,
                Mode::Eq => x == threshold,
                Mode::Neq => x != threshold,
                Mode::Member => false,
            };
            let is_true = answer || (x.is_nan() && branch.missing_is_true);
            child = branch.children[usize::from(is_true)];
        }
        child.index()
    }

    fn scores(&self, kind: &Kind, sample: &[f32]) -> Vec<f64> {
        let mut scores = vec![None; kind.n_targets];
        for &root in &self.roots {
            let leaf = self.leaf(root, sample);
            for (_, vote) in self.votes.iter().filter(|(of, _)| *of == leaf) {
                let score: &mut Option<f64> = &mut scores[vote.target as usize];
                *score = Some(match (*score, kind.aggregate) {
                    (None, _) => vote.weight,
                    (Some(score), Aggregate::Min) => score.min(vote.weight),
                    (Some(score), Aggregate::Max) => score.max(vote.weight),
                    (Some(score), _) => score + vote.weight,
                });
            }
        }
        let divisor = match kind.aggregate {
            Aggregate::Average => kind.n_trees as f64,
            _ => 1.0,
        };
        let score = |score: Option<f64>| score.unwrap_or(0.0) / divisor;
        scores.into_iter().map(score).collect()
    }
}

/// Scores of all samples, `[n_samples, n_targets]`.
fn evaluate(ensemble: &Ensemble, x: &Tensor) -> Vec<f64> {
    let mut got = vec![];
    ensemble
        .evaluate(
            Batch {
                numbers: Numbers::of(x).expect("numbers"),
                n_samples: x.shape()[0],
                n_features: x.shape()[1],
            },
            &mut |first, scores, _| {
                assert_eq!(first * ensemble.n_targets, got.len());
                got.extend_from_slice(scores);
            },
        )
        .expect("x fits");
    got
}

fn check(random: &mut Random, kind: &Kind, has_forest: bool) {
    let model = Model::random(random, kind);
    let n_samples = 150;
    let x: Vec<f32> = (0..n_samples * kind.n_features)
        .map(|_| match random.below(9) {
            0 => f32::NAN,
            _ => random.number(),
        })
        .collect();
    let samples: Vec<&[f32]> = x.chunks_exact(kind.n_features).collect();
    let expected: Vec<f64> = samples
        .iter()
        .flat_map(|sample| model.scores(kind, sample))
        .collect();
    for is_double in [false, true] {
        let ensemble = model.ensemble(kind, is_double);
        assert_eq!(ensemble.forest.is_some(), has_forest, "{kind:?}");
        for n_samples in [0, 1, 9, 10, 19, 20, 33, 63, 64, 65, 80, 128, 150] {
            let x = tract_ndarray::Array2::from_shape_vec(
                (n_samples, kind.n_features),
                x[..n_samples * kind.n_features].to_vec(),
            )
            .expect("the shape is that of the data");
            let expected = &expected[..n_samples * kind.n_targets];
            let x = x.into_tensor();
            assert_eq!(evaluate(&ensemble, &x), expected, "{n_samples} {kind:?}");
            let x = x.cast_to::<f64>().expect("floats are doubles");
            assert_eq!(evaluate(&ensemble, &x), expected, "{n_samples} {kind:?}");
        }
    }
}

#[test]
fn ordered_questions_find_the_same_leaves() {
    let modes: [&[Mode]; 6] = [
        &[Mode::Leq],
        &[Mode::Lt],
        &[Mode::Gte],
        &[Mode::Gt],
        &[Mode::Leq, Mode::Gt],
        &[Mode::Leq, Mode::Lt, Mode::Gte, Mode::Gt],
    ];
    let mut random = Random(1);
    for modes in modes {
        for tracks_missing in [false, true] {
            for max_leaves in [1, 8, 33, 300] {
                let kind = Kind {
                    modes,
                    tracks_missing,
                    max_leaves,
                    ..PLAIN
                };
                check(&mut random, &kind, true);
            }
        }
    }
}

#[test]
fn other_questions_and_aggregates_are_walked_one_by_one() {
    let mut random = Random(2);
    let modes = &[Mode::Leq, Mode::Eq, Mode::Neq];
    check(&mut random, &Kind { modes, ..PLAIN }, false);
    for aggregate in [Aggregate::Min, Aggregate::Max] {
        check(&mut random, &Kind { aggregate, ..PLAIN }, false);
    }
}

#[test]
fn a_subtree_may_be_in_two_places() {
    let stump = |feature, children| Branch {
        mode: Mode::Leq,
        feature,
        missing_is_true: false,
        children,
    };
    let shared = Child::node(2);
    let model = Model {
        roots: vec![Child::node(0), Child::node(1)],
        branches: vec![
            stump(0, [Child::leaf(0), shared]),
            stump(1, [shared, Child::leaf(1)]),
            stump(2, [Child::leaf(2), Child::leaf(3)]),
        ],
        thresholds: vec![0.0; 3],
        votes: (0..4)
            .map(|leaf| {
                let weight = 10_f64.powi(leaf as i32);
                (leaf, Vote { target: 0, weight })
            })
            .collect(),
        n_leaves: 4,
    };
    let ensemble = model.ensemble(&PLAIN, false);
    assert!(ensemble.forest.is_none());
    let x = tensor2(&[[1.0_f32, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0]]);
    assert_eq!(evaluate(&ensemble, &x), [11.0, 2000.0, 200.0]);
}

#[test]
fn votes_for_several_targets_are_summed() {
    let mut random = Random(3);
    for (n_targets, n_votes, has_forest) in [(3, 3, true), (2, 5, true), (70, 70, true)] {
        for max_leaves in [9, 200] {
            let kind = Kind {
                max_leaves,
                n_targets,
                n_votes,
                ..PLAIN
            };
            check(&mut random, &kind, has_forest);
        }
    }
    // Which targets are voted for depends on the leaves.
    let kind = Kind {
        n_targets: 2,
        ..PLAIN
    };
    check(&mut random, &kind, false);
    let average = Kind {
        aggregate: Aggregate::Average,
        ..PLAIN
    };
    check(&mut random, &average, true);
}

#[test]
fn many_columns_take_wide_nodes() {
    let mut random = Random(4);
    for (n_features, max_leaves, is_narrow) in
        [(250, 20, true), (400, 20, false), (400, 300, false)]
    {
        let kind = Kind {
            n_features,
            max_leaves,
            n_trees: 60,
            ..PLAIN
        };
        check(&mut random, &kind, true);
        let forest = Model::random(&mut random, &kind)
            .ensemble(&kind, false)
            .forest;
        assert_eq!(matches!(forest, Some(AnyForest::Narrow(_))), is_narrow);
    }
}

#[test]
fn a_chain_of_many_nodes_ends_where_it_ends() {
    let n_nodes = 100_000;
    let branches: Vec<Branch> = (1..=n_nodes)
        .map(|next| Branch {
            mode: Mode::Leq,
            feature: 0,
            missing_is_true: false,
            children: [
                if next == n_nodes {
                    Child::leaf(0)
                } else {
                    Child::node(next)
                },
                Child::leaf(next),
            ],
        })
        .collect();
    let model = Model {
        roots: vec![Child::node(0)],
        thresholds: (0..n_nodes).map(|node| node as f32).collect(),
        branches,
        votes: (0..=n_nodes)
            .map(|leaf| {
                let weight = leaf as f64;
                (leaf, Vote { target: 0, weight })
            })
            .collect(),
        n_leaves: n_nodes + 1,
    };
    let ensemble = model.ensemble(&PLAIN, false);
    let x = [-1.0, 0.5, 40.0, 1e5, f32::NAN].repeat(3);
    let expected = [1.0, 2.0, 41.0, 0.0, 0.0].repeat(3);
    for n_samples in [1, 15] {
        let x = tract_ndarray::Array2::from_shape_vec((n_samples, 1), x[..n_samples].to_vec())
            .expect("the shape is that of the data");
        assert_eq!(evaluate(&ensemble, &x.into_tensor()), expected[..n_samples]);
    }
}
