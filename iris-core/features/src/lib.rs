//! Nothing but a list of features, in the manifest: those that iris-lambda or iris-py alone asks for, directly or not, of
//! crates that both depend on. As both ask for all of them, tract and whatever else they share is compiled once for both.
//!
//! A feature that is missing there costs time, and nothing else: `cargo tree` says which crates have other features in the one
//! than in the other.
