//! Numbers of any type as integers in the same order: one sort, compiled once, is enough for all of them.
//!
//! Sorting is stable: of equal numbers the first comes first.

/// The rank of `x` among integers.
pub(crate) fn of_int(x: i64) -> u64 {
    x.cast_unsigned() ^ SIGN
}

/// The rank of `x` among floats: -0 is equal to 0, and NaN above all numbers. No rank is 0.
pub(crate) fn of_float(x: f64) -> u64 {
    // Makes 0 of -0.
    let bits = (x + 0.0).to_bits();
    let all_if_negative = (bits.cast_signed() >> 63).cast_unsigned();
    let rank = bits ^ (all_if_negative | SIGN);
    if x.is_nan() { u64::MAX } else { rank }
}

const SIGN: u64 = 1 << 63;

/// The places of `ranks` in the order of these.
pub(crate) fn order(ranks: impl Iterator<Item = u64>) -> impl Iterator<Item = usize> {
    let mut entries: Vec<u128> = (0..)
        .zip(ranks)
        .map(|(place, rank)| entry(rank, place))
        .collect();
    sort(&mut entries);
    entries.into_iter().map(place)
}

/// In the order of the ranks, and of the places where these are equal.
fn entry(rank: u64, place: usize) -> u128 {
    u128::from(rank) << 64 | place as u128
}

fn place(entry: u128) -> usize {
    entry as u64 as usize
}

#[inline(never)]
fn sort(entries: &mut [u128]) {
    entries.sort_unstable();
}

/// Keeps the places of the lowest of many ranks.
pub(crate) struct Lowest {
    /// How many of them, not 0.
    n: usize,
    /// The lowest so far: in order if they are few, or else, from when there are more than `n`, a heap, the highest first.
    entries: Vec<u128>,
    /// What is not below this is not kept.
    limit: u128,
}

impl Lowest {
    /// As many are kept in order.
    const FEW: usize = 16;

    pub(crate) fn new(n: usize) -> Self {
        Self {
            n,
            entries: Vec::new(),
            limit: u128::MAX,
        }
    }

    #[inline]
    pub(crate) fn see(&mut self, rank: u64, place: usize) {
        let entry = entry(rank, place);
        if entry < self.limit {
            self.keep(entry);
        }
    }

    #[inline(never)]
    fn keep(&mut self, entry: u128) {
        let is_full = self.entries.len() == self.n;
        if self.n <= Self::FEW {
            if is_full {
                self.entries.pop();
            }
            self.insert(entry);
        } else if !is_full {
            self.entries.push(entry);
        } else {
            if self.limit == u128::MAX {
                sort(&mut self.entries);
                self.entries.reverse();
                self.limit = self.entries[0];
            }
            if entry < self.limit {
                self.replace_first(entry);
                self.limit = self.entries[0];
            }
        }
    }

    /// Puts the entry among the others, which are in order.
    fn insert(&mut self, entry: u128) {
        let mut at = self.entries.len();
        self.entries.push(entry);
        while at > 0 && self.entries[at - 1] > entry {
            self.entries[at] = self.entries[at - 1];
            at -= 1;
        }
        self.entries[at] = entry;
        if self.entries.len() == self.n {
            self.limit = self.entries[self.n - 1];
        }
    }

    /// Puts the entry in the place of the first of the heap, and then where it belongs.
    fn replace_first(&mut self, entry: u128) {
        let mut at = 0;
        while let Some(&left) = self.entries.get(2 * at + 1) {
            let right = self.entries.get(2 * at + 2).copied().unwrap_or(0);
            let (child, place) = if left < right {
                (right, 2 * at + 2)
            } else {
                (left, 2 * at + 1)
            };
            if child < entry {
                break;
            }
            self.entries[at] = child;
            at = place;
        }
        self.entries[at] = entry;
    }

    /// The places in order; what was seen is forgotten.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = usize> {
        sort(&mut self.entries);
        self.limit = u128::MAX;
        self.entries.drain(..).map(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_in_the_order_of_the_numbers() {
        let floats = [
            f64::NEG_INFINITY,
            -1e300,
            -1.5,
            -1e-320,
            0.0,
            1e-320,
            2.0,
            f64::INFINITY,
            f64::NAN,
        ];
        assert!(floats.map(of_float).is_sorted_by(|a, b| a < b));
        assert!(of_float(f64::NEG_INFINITY) > 0);
        assert_eq!(of_float(-0.0), of_float(0.0));
        assert_eq!(of_float(-f64::NAN), of_float(f64::NAN));
        let ints = [i64::MIN, -7, -1, 0, 1, i64::MAX];
        assert!(ints.map(of_int).is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn the_lowest_are_the_first_in_order() {
        let ranks = |n: usize| (0..n).map(|i| (i * 37 % 101 / 3) as u64);
        let mut expected: Vec<usize> = (0..500).collect();
        expected.sort_by_key(|&place| ranks(500).nth(place));
        assert!(order(ranks(500)).eq(expected.iter().copied()));
        for n in [1, 2, 5, 16, 17, 40, 499, 500, 600] {
            let mut lowest = Lowest::new(n);
            for _ in 0..2 {
                ranks(500)
                    .zip(0..)
                    .for_each(|(rank, at)| lowest.see(rank, at));
                assert!(lowest.take().eq(expected.iter().copied().take(n)), "{n}");
            }
        }
    }
}
