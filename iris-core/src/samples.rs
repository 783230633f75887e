//! What `predict` and its like take: a batch of rows, or named values.

use tract_onnx::prelude::{IntoTValue, TValue, TVec, tvec};

use crate::error::Result;
use crate::model::Model;
use crate::{Rows, Value};

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
    /// The graph's inputs, in order, checked against its signature, and how many rows they hold.
    fn bind(self, model: &Model) -> Result<Bound>;
}

/// The inputs of a graph.
pub struct Bound {
    pub(crate) inputs: TVec<TValue>,
    pub(crate) n_samples: usize,
}

impl<R: Rows> Bind for R {
    fn bind(self, model: &Model) -> Result<Bound> {
        Ok(Bound {
            inputs: tvec![model.batch()?.tensor(&self)?.into_tvalue()],
            n_samples: self.n_samples(),
        })
    }
}

impl<N: AsRef<str>> Bind for Vec<(N, Value)> {
    fn bind(self, model: &Model) -> Result<Bound> {
        let n_samples = self
            .first()
            .and_then(|(_, value)| value.shape().first().copied())
            .unwrap_or_default();
        Ok(Bound {
            inputs: model.bind(self)?,
            n_samples,
        })
    }
}
