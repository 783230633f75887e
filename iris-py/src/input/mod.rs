//! Reads the values that Python gives: from lists, NumPy's arrays and data frames, to what iris-core takes.
//!
//! | what reads | for |
//! |---|---|
//! | `batch` | a table of numbers, which most models take |
//! | `samples` | whatever a method of `Model` takes: a batch, or a column for each input of the model |
//! | `feed` | the values by name that `InferenceSession.run` takes |

pub(crate) mod batch;
mod column;
pub(crate) mod feed;
mod held;
mod list_rows;
mod number_types;
mod numpy_cast;
pub(crate) mod samples;
mod value;
