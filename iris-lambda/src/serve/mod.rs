//! How events come to the handler and answers go back: by Lambda's Runtime API, or over HTTP.

pub(crate) mod http;
pub(crate) mod lambda;
mod processors;
mod shutdown;
