//! Numbers as integers in the same order, so that walks compare integers.

use std::fmt::Debug;
use std::ops::Not;

use crate::kernels::trees::tree::Mode;

/// An unsigned integer that stands for a float: keys are ordered as the floats are, and NaN is above all.
pub(crate) trait Key: Copy + Default + Debug + Ord + Not<Output = Self> {
    /// What NaN becomes, whatever the column.
    const NAN: Self;
    /// Keys below this one are no number's and no threshold's: they can say which leaf a node is.
    const LEAVES: Self;

    fn from_leaf(leaf: u32) -> Self;
    fn leaf(self) -> u32;
    /// The next smaller key. There must be one.
    fn before(self) -> Self;
    /// The key in the order of signed integers, if it has no more than 32 bits.
    fn signed(self) -> Option<i32>;
}

impl Key for u32 {
    const NAN: Self = Self::MAX;
    // Two below minus infinity's key, so that a number can be less than minus infinity and be none of these.
    const LEAVES: Self = 0x007f_fffe;

    fn from_leaf(leaf: u32) -> Self {
        leaf
    }

    fn leaf(self) -> u32 {
        self
    }

    fn before(self) -> Self {
        self - 1
    }

    fn signed(self) -> Option<i32> {
        Some((self ^ 1 << 31) as i32)
    }
}

impl Key for u64 {
    const NAN: Self = Self::MAX;
    const LEAVES: Self = 0x000f_ffff_ffff_fffe;

    fn from_leaf(leaf: u32) -> Self {
        leaf.into()
    }

    fn leaf(self) -> u32 {
        self as u32
    }

    fn before(self) -> Self {
        self - 1
    }

    fn signed(self) -> Option<i32> {
        None
    }
}

/// A float that has a key.
pub(crate) trait Keyed: Copy {
    type Key: Key;

    fn key(self) -> Self::Key;
}

macro_rules! keyed {
    ($float:ty, $key:ty, $signed:ty) => {
        impl Keyed for $float {
            type Key = $key;

            fn key(self) -> $key {
                // Adding zero makes one zero of the two.
                let bits = (self + 0.0).to_bits();
                let is_negative = (bits as $signed >> (<$key>::BITS - 1)) as $key;
                let key = bits ^ (is_negative | 1 << (<$key>::BITS - 1));
                if self.is_nan() { <$key>::NAN } else { key }
            }
        }
    };
}
keyed!(f32, u32, i32);
keyed!(f64, u64, i64);

/// The key of a number, or of its negative, which for NaN is the same.
pub(crate) fn column_key<K: Key>(key: K, is_negated: bool) -> K {
    if is_negated && key != K::NAN {
        !key
    } else {
        key
    }
}

/// The one question of all nodes: whether the key of a feature, or of its negative, is at most `threshold`. NaN never is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Question<K> {
    pub(crate) is_negated: bool,
    pub(crate) threshold: K,
}

impl<K: Key> Question<K> {
    /// The question that is answered yes where `mode` and `threshold` say true, or, if NaN is to count as true, where
    /// they say false; none if there is no such question.
    pub(crate) fn new(
        mode: Mode,
        missing_is_true: bool,
        threshold: impl Keyed<Key = K>,
    ) -> Option<Self> {
        let (is_greater, is_strict) = match mode {
            Mode::Leq => (false, false),
            Mode::Lt => (false, true),
            Mode::Gte => (true, false),
            Mode::Gt => (true, true),
            Mode::Eq | Mode::Neq | Mode::Member => return None,
        };
        let key = threshold.key();
        if key == K::NAN {
            return None;
        }
        let is_negated = is_greater != missing_is_true;
        let key = column_key(key, is_negated);
        Some(Self {
            is_negated,
            threshold: if is_strict == missing_is_true {
                key
            } else {
                key.before()
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [f64; 11] = [
        f64::NEG_INFINITY,
        -1e30,
        -1.0,
        -1e-42,
        -0.0,
        0.0,
        1e-42,
        1.0,
        1.000_000_1,
        1e30,
        f64::INFINITY,
    ];

    fn check<F: Keyed + PartialOrd>(numbers: &[F], nan: F) {
        for (a, b) in numbers
            .iter()
            .flat_map(|a| numbers.iter().map(move |b| (a, b)))
        {
            assert_eq!(a.partial_cmp(b), Some(a.key().cmp(&b.key())));
        }
        let thresholds = numbers.iter().chain([&nan]);
        let all: Vec<F> = numbers.iter().copied().chain([nan]).collect();
        for (mode, &threshold) in [Mode::Leq, Mode::Lt, Mode::Gte, Mode::Gt]
            .iter()
            .flat_map(|mode| thresholds.clone().map(move |t| (*mode, t)))
        {
            for missing_is_true in [false, true] {
                let Some(question) = Question::new(mode, missing_is_true, threshold) else {
                    assert!(threshold.key() == F::Key::NAN);
                    continue;
                };
                assert!(question.threshold >= F::Key::LEAVES);
                for &x in &all {
                    let expected = match mode {
                        Mode::Leq => x <= threshold,
                        Mode::Lt => x < threshold,
                        Mode::Gte => x >= threshold,
                        _ => x > threshold,
                    };
                    let is_true = expected || (missing_is_true && x.key() == F::Key::NAN);
                    let key = column_key(x.key(), question.is_negated);
                    let yes = key <= question.threshold;
                    assert_eq!(yes, is_true != missing_is_true, "{mode:?} {question:?}");
                }
            }
        }
    }

    #[test]
    fn keys_are_ordered_and_answer_as_floats_do() {
        check(&NUMBERS, f64::NAN);
        check(&NUMBERS.map(|x| x as f32), f32::NAN);
        check(&NUMBERS.map(|x| x as f32), -f32::NAN);
    }
}
