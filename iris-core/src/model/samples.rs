//! What `predict` and its like take: a batch of rows, or named values.

use smallvec::smallvec;

use crate::error::Result;
use crate::model::loaded::Loaded;
use crate::model::rows::Rows;
use crate::onnx::signature::Feeds;
use crate::value::Value;
use crate::value::feed::Feed;

/// What an estimator is asked about: a 2-D batch (anything that is [`Rows`]), or, for models that take several inputs, a
/// vector of named values such as the columns `[n_samples, 1]` of a data frame.
///
/// ```
/// use iris_core::{Model, Value};
/// use ndarray::array;
///
/// let model = Model::iris()?;
/// let value = Value::from(array![[5.9_f32, 3.0, 5.1, 2.3]]);
/// assert_eq!(model.predict(vec![("X", value)])?, model.predict(&[[5.9, 3.0, 5.1, 2.3]])?);
/// # Ok::<(), iris_core::Error>(())
/// ```
pub trait Samples: Bind {}

impl<S: Bind> Samples for S {}

/// How samples become the inputs of a graph.
pub trait Bind {
    /// Gives the graph's inputs, in order, checked against its signature, to `answer`.
    fn bind<T>(self, loaded: &Loaded, answer: impl FnOnce(Bound<'_>) -> Result<T>) -> Result<T>;
}

/// The inputs of a graph, and how many rows they hold.
pub struct Bound<'a> {
    pub(crate) feeds: Feeds<'a>,
    pub(crate) n_samples: usize,
}

impl<R: Rows> Bind for R {
    fn bind<T>(self, loaded: &Loaded, answer: impl FnOnce(Bound<'_>) -> Result<T>) -> Result<T> {
        let numbers = loaded.batch()?.numbers(&self)?;
        answer(Bound {
            feeds: smallvec![Feed::View(numbers.view())],
            n_samples: self.n_samples(),
        })
    }
}

impl<N: AsRef<str>> Bind for Vec<(N, Value)> {
    fn bind<T>(self, loaded: &Loaded, answer: impl FnOnce(Bound<'_>) -> Result<T>) -> Result<T> {
        let n_samples = self
            .first()
            .and_then(|(_, value)| value.shape().first().copied())
            .unwrap_or_default();
        let feeds = self
            .into_iter()
            .map(|(name, value)| (name, Feed::Value(value)));
        answer(Bound {
            feeds: loaded.in_order(feeds)?,
            n_samples,
        })
    }
}
