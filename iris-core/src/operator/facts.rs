//! What operators ask of the tensors they are given, and how they say no.

use tract_onnx::tract_hir::internal::*;

use crate::error::{Error, Result, invalid};
use crate::guard::memory;

/// The facts of exactly `N` inputs.
pub(crate) fn inputs<'a, const N: usize>(facts: &[&'a TypedFact]) -> Result<[&'a TypedFact; N]> {
    <[&TypedFact; N]>::try_from(facts).map_err(|_| {
        let plural = if N == 1 { "" } else { "s" };
        invalid(format!("expected {N} input{plural}, got {}", facts.len()))
    })
}

/// Refuses an input that is not made of float, double, int32 or int64, which is what ai.onnx.ml operators take.
pub(crate) fn check_numeric(name: &str, fact: &TypedFact) -> Result<()> {
    if is_numeric(fact.datum_type) {
        return Ok(());
    }
    let got = fact.datum_type;
    Err(invalid(format!(
        "input {name}: expected float, double, int32 or int64, got {got:?}"
    )))
}

/// Refuses an input that is not made of float16, float or double.
pub(crate) fn check_float(name: &str, fact: &TypedFact) -> Result<()> {
    if fact.datum_type.is_float() {
        return Ok(());
    }
    let got = fact.datum_type;
    Err(invalid(format!(
        "input {name}: expected float16, float or double, got {got:?}"
    )))
}

/// Refuses an input that is not made of float or double.
pub(crate) fn check_real(name: &str, fact: &TypedFact) -> Result<()> {
    if matches!(fact.datum_type, DatumType::F32 | DatumType::F64) {
        return Ok(());
    }
    let got = fact.datum_type;
    Err(invalid(format!(
        "input {name}: expected float or double, got {got:?}"
    )))
}

/// Refuses an input that is not made of numbers of any type.
pub(crate) fn check_number(name: &str, fact: &TypedFact) -> Result<()> {
    if is_number(fact.datum_type) || fact.datum_type == DatumType::TDim {
        return Ok(());
    }
    let got = fact.datum_type;
    Err(invalid(format!(
        "input {name}: expected numbers, got {got:?}"
    )))
}

pub(crate) fn is_number(datum_type: DatumType) -> bool {
    datum_type.is_number() && !datum_type.is_quantized()
}

/// Refuses an input that is not made of strings.
pub(crate) fn check_string(name: &str, fact: &TypedFact) -> Result<()> {
    if fact.datum_type == DatumType::String {
        return Ok(());
    }
    let got = fact.datum_type;
    Err(invalid(format!(
        "input {name}: expected strings, got {got:?}"
    )))
}

fn is_numeric(datum_type: DatumType) -> bool {
    matches!(
        datum_type,
        DatumType::F32 | DatumType::F64 | DatumType::I32 | DatumType::I64
    )
}

/// `n_samples` and `n_features` of an input `[n_samples, n_features]`, or `[n_features]`, which is one sample.
pub(crate) fn samples<D: Clone + From<usize>>(name: &str, shape: &[D]) -> Result<(D, D)> {
    match shape {
        [n_features] => Ok((D::from(1), n_features.clone())),
        [n_samples, n_features] => Ok((n_samples.clone(), n_features.clone())),
        _ => Err(invalid(format!(
            "input {name}: expected 1 or 2 dimensions, got {}",
            shape.len()
        ))),
    }
}

/// Refuses a number of features that is known to be another than `expected`.
pub(crate) fn check_features(name: &str, n_features: &TDim, expected: usize) -> Result<()> {
    match n_features.to_usize() {
        Ok(got) if got != expected => Err(invalid(format!(
            "input {name}: expected {expected} features, got {got}"
        ))),
        _ => Ok(()),
    }
}

/// Refuses an input whose features are not those of the `len` values of list attribute `attribute`: it has one value
/// for each feature of `[n_samples, n_features]` or `[n_features]`, or one for all values of any tensor but a scalar.
pub(crate) fn check_per_feature(
    name: &str,
    shape: &[TDim],
    attribute: &str,
    len: usize,
) -> Result<()> {
    match shape {
        [] => Err(invalid(format!(
            "input {name}: expected 1 dimension or more, got a scalar"
        ))),
        _ if len == 1 => Ok(()),
        [n_features] | [_, n_features] => check_features(name, n_features, len),
        _ => Err(invalid(format!(
            "input {name}: {} dimensions, attribute {attribute} has {len} values, which is for 1 or 2",
            shape.len()
        ))),
    }
}

/// Refuses an input that is not one single value, in any number of dimensions.
pub(crate) fn check_value(name: &str, fact: &TypedFact) -> Result<()> {
    if fact.shape.iter().all(TDim::is_one) {
        return Ok(());
    }
    let shape = &fact.shape;
    Err(invalid(format!(
        "input {name}: expected one value, got {shape:?}"
    )))
}

/// The sizes that a tensor of integers, an input called `what`, lists.
pub(crate) fn sizes(what: &str, numbers: &Tensor) -> TractResult<TVec<usize>> {
    let numbers = numbers.cast_to::<i64>()?;
    let numbers = numbers.try_as_plain_ram()?;
    let sizes = numbers.as_slice::<i64>()?.iter().map(|&size| {
        usize::try_from(size)
            .map_err(|_| Error::input(format!("input {what}: {size} is no size")).into())
    });
    sizes.collect()
}

/// How many bytes a tensor takes, with the text of its strings.
pub(crate) fn n_bytes(tensor: &Tensor) -> usize {
    let elements = tensor.len() * tensor.datum_type().size_of();
    let texts = memory::texts(tensor).unwrap_or_default();
    elements + texts.iter().map(String::len).sum::<usize>()
}
