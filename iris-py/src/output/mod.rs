//! Makes Python's values of iris-core's answers: NumPy's arrays, and lists of dictionaries.

pub(crate) mod arrays;
pub(crate) mod labels;
pub(crate) mod run_output;
