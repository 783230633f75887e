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
    votes: Vec<Vote>,
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
        let blank = Vote {
            target: 0,
            weight: 0.0,
        };
        let mut sorted = vec![blank; votes.len()];
        for &(leaf, vote) in votes {
            sorted[next[leaf] as usize] = vote;
            next[leaf] += 1;
        }
        Self {
            starts: (!is_one_each).then_some(starts),
            votes: sorted,
        }
    }

    /// The votes of one leaf.
    pub(super) fn of(&self, leaf: usize) -> &[Vote] {
        match &self.starts {
            None => std::slice::from_ref(&self.votes[leaf]),
            Some(starts) => &self.votes[starts[leaf] as usize..starts[leaf + 1] as usize],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes_are_sorted_by_leaf() {
        let vote = |target| Vote {
            target,
            weight: f64::from(target),
        };
        let cases: [(usize, &[(usize, u32)]); 4] = [
            (0, &[]),
            (3, &[(2, 0), (0, 1), (1, 2)]),
            (3, &[(2, 0), (0, 1), (2, 2)]),
            (2, &[(0, 5), (0, 4), (1, 3), (0, 2)]),
        ];
        for (n_leaves, given) in cases {
            let pairs: Vec<_> = given
                .iter()
                .map(|&(leaf, target)| (leaf, vote(target)))
                .collect();
            let votes = Votes::new(n_leaves, &pairs);
            for leaf in 0..n_leaves {
                let expected: Vec<Vote> = pairs
                    .iter()
                    .filter(|pair| pair.0 == leaf)
                    .map(|pair| pair.1)
                    .collect();
                assert_eq!(votes.of(leaf), expected, "{given:?} {leaf}");
            }
        }
    }
}
