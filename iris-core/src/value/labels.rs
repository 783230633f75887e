//! Class labels, as a classifier answers them.

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;

/// Class labels: one for each row of a batch, or one for each class of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Labels {
    /// Integer labels.
    Int(Vec<i64>),
    /// String labels.
    String(Vec<String>),
}

impl Labels {
    /// How many labels there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Int(labels) => labels.len(),
            Self::String(labels) => labels.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first label that has been in the list before, as messages show it.
    pub(crate) fn first_repeated(&self) -> Option<String> {
        fn repeated<T: Hash + Eq + fmt::Debug>(labels: &[T]) -> Option<String> {
            let mut seen = HashSet::with_capacity(labels.len());
            let repeated = labels.iter().find(|&label| !seen.insert(label))?;
            Some(format!("{repeated:?}"))
        }
        match self {
            Self::Int(labels) => repeated(labels),
            Self::String(labels) => repeated(labels),
        }
    }

    /// The labels if they are integers.
    pub fn as_ints(&self) -> Option<&[i64]> {
        match self {
            Self::Int(labels) => Some(labels),
            Self::String(_) => None,
        }
    }

    /// The labels if they are strings.
    pub fn as_strings(&self) -> Option<&[String]> {
        match self {
            Self::Int(_) => None,
            Self::String(labels) => Some(labels),
        }
    }
}

impl PartialEq<[i64]> for Labels {
    fn eq(&self, other: &[i64]) -> bool {
        self.as_ints() == Some(other)
    }
}

impl<const N: usize> PartialEq<[i64; N]> for Labels {
    fn eq(&self, other: &[i64; N]) -> bool {
        self == other.as_slice()
    }
}

impl PartialEq<Vec<i64>> for Labels {
    fn eq(&self, other: &Vec<i64>) -> bool {
        self == other.as_slice()
    }
}

impl PartialEq<[&str]> for Labels {
    fn eq(&self, other: &[&str]) -> bool {
        self.as_strings()
            .is_some_and(|labels| labels.iter().eq(other))
    }
}

impl<const N: usize> PartialEq<[&str; N]> for Labels {
    fn eq(&self, other: &[&str; N]) -> bool {
        self == other.as_slice()
    }
}

impl PartialEq<Vec<&str>> for Labels {
    fn eq(&self, other: &Vec<&str>) -> bool {
        self == other.as_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_with_plain_lists() {
        assert_eq!(Labels::Int(vec![0, 2]), [0, 2]);
        assert_eq!(Labels::String(vec!["a".into()]), ["a"]);
        assert_ne!(Labels::Int(vec![0]), ["a"]);
        assert_ne!(Labels::String(vec!["0".into()]), [0]);
    }

    #[test]
    fn finds_repeated_labels() {
        assert_eq!(Labels::Int(vec![1, 2]).first_repeated(), None);
        let labels = Labels::String(["a", "b", "b", "a"].map(String::from).to_vec());
        assert_eq!(labels.first_repeated().as_deref(), Some(r#""b""#));
    }
}
