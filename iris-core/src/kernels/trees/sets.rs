//! The sets of the nodes that ask whether a feature is in one.

use crate::kernels::ranks;

/// The sets of the nodes that ask for membership.
#[derive(Debug, Default)]
pub(crate) struct Sets<T> {
    /// For each node the number of its set; empty if there are no sets.
    of_node: Vec<u32>,
    /// Where the members of each set begin, and where those of the last one end.
    starts: Vec<usize>,
    /// Sorted within each set.
    members: Vec<T>,
}

impl<T: Copy + PartialOrd> Sets<T> {
    /// Gives each node that `asks` for membership the next of the sets in `values`, which NaNs separate; `None` if
    /// there are more or fewer sets than such nodes.
    pub(crate) fn new(values: &[T], asks: impl Iterator<Item = bool>) -> Option<Self>
    where
        T: Into<f64>,
    {
        let is_nan = |value: &T| value.partial_cmp(value).is_none();
        let mut sets: Vec<&[T]> = values.split(is_nan).collect();
        // The last set may end in a NaN, or without one.
        sets.pop_if(|last| last.is_empty());
        let mut members = Vec::with_capacity(values.len());
        let mut starts = vec![0];
        for set in &sets {
            let order = ranks::order(set.iter().map(|&member| ranks::of_float(member.into())));
            members.extend(order.map(|place| set[place]));
            starts.push(members.len());
        }
        let mut next = 0_u32;
        let of_node: Vec<u32> = asks
            .map(|asks| {
                let set = next;
                next += u32::from(asks);
                set
            })
            .collect();
        (next as usize == sets.len()).then_some(Self {
            of_node: if sets.is_empty() { vec![] } else { of_node },
            starts,
            members,
        })
    }

    pub(crate) fn contains<X: Feature<T>>(&self, node: usize, x: X) -> bool {
        let Some(&set) = self.of_node.get(node) else {
            return false;
        };
        let set = set as usize;
        self.members[self.starts[set]..self.starts[set + 1]]
            .binary_search_by(|&member| {
                X::widen(member)
                    .partial_cmp(&x)
                    .unwrap_or(std::cmp::Ordering::Less)
            })
            .is_ok()
    }
}

/// A number that can be compared with a threshold of type `T`.
pub(crate) trait Feature<T>: Copy + PartialOrd {
    fn widen(threshold: T) -> Self;
    fn is_nan(self) -> bool;
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f32 = f32::NAN;

    #[test]
    fn sets_are_as_many_as_ask_for_them() {
        let cases: [(&[f32], &[bool], bool); 8] = [
            (&[], &[false], true),
            (&[1.0, NAN], &[true], true),
            (&[1.0], &[true], true),
            (&[1.0, NAN, 2.0], &[true, false, true], true),
            (&[NAN], &[true], true),
            (&[], &[true], false),
            (&[1.0, NAN, 2.0], &[true], false),
            (&[1.0, NAN], &[true, true], false),
        ];
        for (values, asks, fits) in cases {
            let sets = Sets::new(values, asks.iter().copied());
            assert_eq!(sets.is_some(), fits, "{values:?} {asks:?}");
        }
        let sets = Sets::new(&[3.0, 1.0, NAN, 2.0], [true, false, true].into_iter()).expect("fits");
        for (node, x, is_member) in [
            (0, 1.0, true),
            (0, 2.0, false),
            (2, 2.0, true),
            (2, NAN, false),
        ] {
            assert_eq!(sets.contains(node, x), is_member, "{node} {x}");
        }
    }
}
