//! What the leaves of trees say: weights for targets.

/// A leaf's weight for one target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Vote {
    pub(super) target: u32,
    pub(super) weight: f64,
}

/// The votes of all leaves, those of one leaf together.
#[derive(Debug)]
pub(super) struct Votes {
    /// Where the votes of each leaf begin, and where those of the last one end; none if each leaf has one vote.
    starts: Option<Vec<u32>>,
    targets: Targets,
    weights: Vec<f64>,
}

/// The targets of all votes.
#[derive(Debug)]
enum Targets {
    Same(u32),
    Each(Vec<u32>),
}

impl Votes {
    /// Sorts votes by leaf; those of one leaf keep their order. All leaves must be below `n_leaves`, and all lengths
    /// below 2^32.
    pub(super) fn new(n_leaves: usize, votes: &[(usize, Vote)]) -> Self {
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
        let first = targets.first().copied().unwrap_or(0);
        Self {
            starts: (!is_one_each).then_some(starts),
            targets: if targets.iter().all(|&target| target == first) {
                Targets::Same(first)
            } else {
                Targets::Each(targets)
            },
            weights,
        }
    }

    /// The votes of one leaf.
    pub(super) fn of(&self, leaf: usize) -> impl Iterator<Item = Vote> {
        let range = match &self.starts {
            None => leaf..leaf + 1,
            Some(starts) => starts[leaf] as usize..starts[leaf + 1] as usize,
        };
        range.map(|index| Vote {
            target: match &self.targets {
                Targets::Same(target) => *target,
                Targets::Each(targets) => targets[index],
            },
            weight: self.weights[index],
        })
    }

    /// Which targets have a vote whatever leaves are reached in trees whose leaves end where `ends` says; none if that
    /// depends on the leaves.
    pub(super) fn voted(&self, n_targets: usize, ends: &[usize]) -> Option<Vec<bool>> {
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

    /// The votes that make a difference to sums; one of those of a leaf that has only others.
    pub(super) fn without_zeros(&self, n_leaves: usize) -> Self {
        let votes: Vec<(usize, Vote)> = (0..n_leaves)
            .flat_map(|leaf| {
                let none = self.of(leaf).all(|vote| vote.weight == 0.0);
                let kept = self.of(leaf).filter(|vote| vote.weight != 0.0);
                let first = self.of(leaf).take(usize::from(none));
                kept.chain(first).map(move |vote| (leaf, vote))
            })
            .collect();
        Self::new(n_leaves, &votes)
    }

    /// Adds the votes of `leaves` to `scores`, `[n_targets]`, one leaf after the other.
    #[inline]
    pub(super) fn add_all(&self, leaves: impl Leaves, scores: &mut [f64]) {
        match (&self.starts, &self.targets) {
            (None, Targets::Same(target)) => {
                let score = &mut scores[*target as usize];
                let mut sum = *score;
                leaves.each(|leaf| sum += self.weights[leaf]);
                *score = sum;
            }
            (None, Targets::Each(targets)) => {
                leaves.each(|leaf| scores[targets[leaf] as usize] += self.weights[leaf]);
            }
            _ => leaves.each(|leaf| {
                for vote in self.of(leaf) {
                    scores[vote.target as usize] += vote.weight;
                }
            }),
        }
    }

    /// Adds the votes of one leaf for each row to `scores`, `[n_rows, n_targets]`.
    pub(super) fn add_each(&self, leaves: &[u32], scores: &mut [f64], n_targets: usize) {
        let rows = leaves.iter().map(|&leaf| leaf as usize);
        match (&self.starts, &self.targets) {
            (None, Targets::Same(target)) => {
                let slots = scores[*target as usize..].iter_mut().step_by(n_targets);
                rows.zip(slots)
                    .for_each(|(leaf, score)| *score += self.weights[leaf]);
            }
            (None, Targets::Each(targets)) => {
                for (leaf, row) in rows.zip(scores.chunks_exact_mut(n_targets)) {
                    row[targets[leaf] as usize] += self.weights[leaf];
                }
            }
            _ => {
                for (leaf, row) in rows.zip(scores.chunks_exact_mut(n_targets)) {
                    for vote in self.of(leaf) {
                        row[vote.target as usize] += vote.weight;
                    }
                }
            }
        }
    }
}

/// Leaves that are met one after the other.
pub(super) trait Leaves {
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
            let leaves: Vec<u32> = (0..n_leaves as u32).collect();
            votes.add_each(&leaves, &mut each, 6);
            assert_eq!(each, [0.0; 18], "{given:?}");
        }
    }
}
