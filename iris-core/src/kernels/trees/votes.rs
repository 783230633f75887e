//! What the leaves of trees say: weights for targets.

/// To add a weight for each of so many targets is no slower than to add some of them.
const FEW_TARGETS: usize = 16;

/// A leaf's weight for one target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Vote {
    pub(crate) target: u32,
    pub(crate) weight: f64,
}

/// The votes of all leaves.
#[derive(Debug)]
pub(crate) enum Votes {
    /// One for each leaf, all for the same target.
    Same { target: usize, weights: Vec<f64> },
    /// One for each leaf.
    Single {
        targets: Vec<u32>,
        weights: Vec<f64>,
    },
    /// A weight for each leaf and target, `[n_leaves, n_targets]`.
    Dense { n_targets: usize, weights: Vec<f64> },
    /// Any number for each leaf, those of one leaf together.
    Several {
        /// Where the votes of each leaf begin, and where those of the last one end.
        starts: Vec<u32>,
        targets: Vec<u32>,
        weights: Vec<f64>,
    },
}

impl Votes {
    /// Sorts votes by leaf; those of one leaf keep their order. All leaves must be below `n_leaves`, and all lengths
    /// below 2^32.
    pub(crate) fn new(n_leaves: usize, votes: &[(usize, Vote)]) -> Self {
        let mut starts = vec![0_u32; n_leaves + 1];
        for &(leaf, _) in votes {
            starts[leaf + 1] += 1;
        }
        let is_one_each = starts[1..].iter().all(|&count| count == 1);
        for leaf in 0..n_leaves {
            starts[leaf + 1] += starts[leaf];
        }
        let mut next = starts.clone();
        let mut targets = vec![0; votes.len()];
        let mut weights = vec![0.0; votes.len()];
        for &(leaf, vote) in votes {
            let slot = next[leaf] as usize;
            targets[slot] = vote.target;
            weights[slot] = vote.weight;
            next[leaf] += 1;
        }
        if !is_one_each {
            return Self::Several {
                starts,
                targets,
                weights,
            };
        }
        let first = targets.first().copied().unwrap_or(0);
        if targets.iter().all(|&target| target == first) {
            Self::Same {
                target: first as usize,
                weights,
            }
        } else {
            Self::Single { targets, weights }
        }
    }

    /// The votes of one leaf.
    pub(crate) fn of(&self, leaf: usize) -> impl Iterator<Item = Vote> {
        let range = match self {
            Self::Same { .. } | Self::Single { .. } => leaf..leaf + 1,
            Self::Dense { n_targets, .. } => leaf * n_targets..(leaf + 1) * n_targets,
            Self::Several { starts, .. } => starts[leaf] as usize..starts[leaf + 1] as usize,
        };
        range.map(move |index| match self {
            Self::Same { target, weights } => Vote {
                target: *target as u32,
                weight: weights[index],
            },
            Self::Dense { n_targets, weights } => Vote {
                target: (index - leaf * n_targets) as u32,
                weight: weights[index],
            },
            Self::Single { targets, weights }
            | Self::Several {
                targets, weights, ..
            } => Vote {
                target: targets[index],
                weight: weights[index],
            },
        })
    }

    /// Which targets have a vote whatever leaves are reached in trees whose leaves end where `ends` says; none if that
    /// depends on the leaves.
    pub(crate) fn voted(&self, n_targets: usize, ends: &[usize]) -> Option<Vec<bool>> {
        let mut sometimes = vec![false; n_targets];
        let mut always = vec![false; n_targets];
        // How many leaves of a tree vote for each target, and the last of them.
        let mut counts = vec![(0, usize::MAX); n_targets];
        let mut start = 0;
        for &end in ends {
            let mut targets = vec![];
            for leaf in start..end {
                for vote in self.of(leaf) {
                    let target = vote.target as usize;
                    let (count, last) = &mut counts[target];
                    if *count == 0 {
                        targets.push(target);
                    }
                    *count += usize::from(*count == 0 || *last != leaf);
                    *last = leaf;
                }
            }
            for target in targets {
                sometimes[target] = true;
                always[target] |= counts[target].0 == end - start;
                counts[target].0 = 0;
            }
            start = end;
        }
        (sometimes == always).then_some(always)
    }

    /// These votes, as they are added up fastest. Votes of zero may be left out, or come in where there are none.
    pub(crate) fn for_sums(self, n_leaves: usize, n_targets: usize) -> Self {
        let Self::Several { targets, .. } = &self else {
            return self;
        };
        let n_given = targets.len();
        // One of the votes of a leaf that only has zeros, so that there may be one each.
        let kept: Vec<(usize, Vote)> = (0..n_leaves)
            .flat_map(|leaf| {
                let has_others = self.of(leaf).any(|vote| vote.weight != 0.0);
                let others = self.of(leaf).filter(|vote| vote.weight != 0.0);
                let first = self.of(leaf).take(usize::from(!has_others));
                others.chain(first).map(move |vote| (leaf, vote))
            })
            .collect();
        let votes = Self::new(n_leaves, &kept);
        let n_sums = n_leaves * n_targets;
        let is_small = n_sums <= 2 * n_given;
        let is_fast = n_targets <= FEW_TARGETS || n_sums <= 4 * kept.len();
        if is_small && is_fast && matches!(votes, Self::Several { .. }) {
            return votes.dense(n_leaves, n_targets).unwrap_or(votes);
        }
        votes
    }

    /// None if a leaf has two votes for one target.
    fn dense(&self, n_leaves: usize, n_targets: usize) -> Option<Self> {
        let mut weights = vec![0.0; n_leaves * n_targets];
        for (leaf, weights) in weights.chunks_exact_mut(n_targets).enumerate() {
            for vote in self.of(leaf) {
                let weight = &mut weights[vote.target as usize];
                if *weight != 0.0 {
                    return None;
                }
                *weight = vote.weight;
            }
        }
        Some(Self::Dense { n_targets, weights })
    }

    /// Adds the votes of `leaves` to `scores`, `[n_targets]`, one leaf after the other.
    #[inline]
    pub(crate) fn add_all(&self, leaves: impl Leaves, scores: &mut [f64]) {
        match self {
            Self::Same { target, weights } => {
                let score = &mut scores[*target];
                let mut sum = *score;
                leaves.each(|leaf| sum += weights[leaf]);
                *score = sum;
            }
            Self::Single { targets, weights } => {
                leaves.each(|leaf| scores[targets[leaf] as usize] += weights[leaf]);
            }
            Self::Dense { n_targets, weights } => {
                leaves.each(|leaf| add(scores, &weights[leaf * n_targets..][..*n_targets]));
            }
            Self::Several { .. } => leaves.each(|leaf| {
                for vote in self.of(leaf) {
                    scores[vote.target as usize] += vote.weight;
                }
            }),
        }
    }

    /// Adds to `scores`, `[n_rows, n_targets]`, the votes of a leaf of each tree for each row, tree by tree: `leaves` has
    /// those of one tree together, and room for more rows.
    pub(crate) fn add_tile<const ROWS: usize>(
        &self,
        leaves: &[[u32; ROWS]],
        scores: &mut [f64],
        n_targets: usize,
    ) {
        match self {
            // Row by row, so that sums need not go to memory and back.
            Self::Same { target, weights } => {
                for (row, scores) in scores.chunks_exact_mut(n_targets).enumerate() {
                    let of_row = leaves.iter().map(|leaves| weights[leaves[row] as usize]);
                    scores[*target] = of_row.fold(scores[*target], |sum, weight| sum + weight);
                }
            }
            Self::Single { targets, weights } => {
                each_row(leaves, scores, n_targets, |scores, leaf| {
                    scores[targets[leaf] as usize] += weights[leaf];
                });
            }
            Self::Dense { weights, .. } => {
                each_row(leaves, scores, n_targets, |scores, leaf| {
                    add(scores, &weights[leaf * n_targets..][..n_targets]);
                });
            }
            Self::Several { .. } => {
                each_row(leaves, scores, n_targets, |scores, leaf| {
                    for vote in self.of(leaf) {
                        scores[vote.target as usize] += vote.weight;
                    }
                });
            }
        }
    }
}

/// Calls `add` with the scores of each row and its leaf, tree by tree.
fn each_row<const ROWS: usize>(
    leaves: &[[u32; ROWS]],
    scores: &mut [f64],
    n_targets: usize,
    add: impl Fn(&mut [f64], usize),
) {
    for leaves in leaves {
        for (scores, &leaf) in scores.chunks_exact_mut(n_targets).zip(leaves) {
            add(scores, leaf as usize);
        }
    }
}

fn add(scores: &mut [f64], weights: &[f64]) {
    for (score, weight) in scores.iter_mut().zip(weights) {
        *score += weight;
    }
}

/// Leaves that are met one after the other.
pub(crate) trait Leaves {
    fn each(self, visit: impl FnMut(usize));
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Leaves for &[usize] {
        fn each(self, visit: impl FnMut(usize)) {
            self.iter().copied().for_each(visit);
        }
    }

    #[test]
    fn votes_are_sorted_by_leaf_and_added() {
        let vote = |target| Vote {
            target,
            weight: f64::from(target) + 0.5,
        };
        let cases: [(usize, &[(usize, u32)]); 5] = [
            (0, &[]),
            (3, &[(2, 0), (0, 1), (1, 2)]),
            (3, &[(2, 0), (0, 1), (2, 2)]),
            (2, &[(0, 5), (0, 4), (1, 3), (0, 2)]),
            (2, &[(1, 3), (0, 3)]),
        ];
        for (n_leaves, given) in cases {
            let pairs: Vec<_> = given
                .iter()
                .map(|&(leaf, target)| (leaf, vote(target)))
                .collect();
            let votes = Votes::new(n_leaves, &pairs);
            let (mut one, mut each, mut expected_sums) = ([0.0; 6], [0.0; 6 * 3], [0.0; 6]);
            for leaf in 0..n_leaves {
                let expected: Vec<Vote> = pairs
                    .iter()
                    .filter(|pair| pair.0 == leaf)
                    .map(|pair| pair.1)
                    .collect();
                let got: Vec<Vote> = votes.of(leaf).collect();
                assert_eq!(got, expected, "{given:?} {leaf}");
                for vote in expected {
                    expected_sums[vote.target as usize] += vote.weight;
                    each[6 * leaf + vote.target as usize] -= vote.weight;
                }
            }
            let leaves: Vec<usize> = (0..n_leaves).collect();
            votes.add_all(&leaves[..], &mut one);
            assert_eq!(one, expected_sums, "{given:?}");
            let mut leaves = [[0, 1, 2, 9]];
            votes.add_tile(&leaves, &mut each[..6 * n_leaves], 6);
            assert_eq!(each, [0.0; 18], "{given:?}");
            if n_leaves == 2 {
                leaves[0].swap(0, 1);
                let mut both = [0.0; 12];
                votes.add_tile(&[leaves[0], [0, 1, 9, 9]], &mut both, 6);
                assert_eq!(both[..6], one, "{given:?}");
                assert_eq!(both[6..], one, "{given:?}");
            }
        }
    }
}
