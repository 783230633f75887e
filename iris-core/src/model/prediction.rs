//! What a model predicts, one entry for each row of a batch.

use crate::value::Value;
use crate::value::labels::Labels;

/// What `predict` answers: labels where the estimator has them, and else numbers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Prediction {
    /// One label a row: a classifier's class, a clusterer's cluster, an outlier detector's 1 or −1.
    Labels(Labels),
    /// A regressor's targets `[n_samples]`, or what an estimator of several outputs answers, `[n_samples, n_outputs]`.
    Values(Value),
}

impl Prediction {
    /// How many rows were answered.
    pub fn len(&self) -> usize {
        match self {
            Self::Labels(labels) => labels.len(),
            Self::Values(values) => values.shape().first().copied().unwrap_or_default(),
        }
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The labels, if there is one integer a row.
    pub fn as_ints(&self) -> Option<&[i64]> {
        self.as_labels()?.as_ints()
    }

    /// The labels, if there is one string a row.
    pub fn as_strings(&self) -> Option<&[String]> {
        self.as_labels()?.as_strings()
    }

    /// The labels, if there is one a row.
    pub fn as_labels(&self) -> Option<&Labels> {
        match self {
            Self::Labels(labels) => Some(labels),
            Self::Values(_) => None,
        }
    }

    /// The values, unless there is one label a row.
    pub fn as_values(&self) -> Option<&Value> {
        match self {
            Self::Labels(_) => None,
            Self::Values(values) => Some(values),
        }
    }
}

/// A prediction equals what its labels equal.
impl<T: ?Sized> PartialEq<T> for Prediction
where
    Labels: PartialEq<T>,
{
    fn eq(&self, other: &T) -> bool {
        self.as_labels().is_some_and(|labels| labels == other)
    }
}
