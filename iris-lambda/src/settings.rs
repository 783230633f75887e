//! Settings of the whole function: environment variables, and the limit on the size of an event or answer.

/// The largest event, body or answer, in bytes: the limit that Lambda itself has on the payload of an invocation.
pub(crate) const MAX_BYTES: usize = 6 * 1024 * 1024;

/// The value of an environment variable; an empty one counts as none.
pub(crate) fn get(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?;
    let value = value.to_string_lossy();
    (!value.is_empty()).then(|| value.into_owned())
}
