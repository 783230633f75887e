//! Environment variables, where an empty one is as good as none.

/// The value of an environment variable, if it has one.
pub(crate) fn get(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?;
    let value = value.to_string_lossy();
    (!value.is_empty()).then(|| value.into_owned())
}
