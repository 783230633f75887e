//! What a map is to an operator: two tensors `[n_keys]`, its keys and its values. `rewrite/maps.rs` makes graphs so.

use tract_onnx::tract_hir::internal::*;

use crate::error::{Error, Result, invalid};

/// The facts of a map's keys and values, for an operator whose only input is a map.
pub(crate) fn facts<'a>(inputs: &[&'a TypedFact]) -> Result<[&'a TypedFact; 2]> {
    let Ok([keys, values]) = <[&TypedFact; 2]>::try_from(inputs) else {
        return Err(invalid("input X: expected a map"));
    };
    if keys.rank() != 1 || values.rank() != 1 {
        return Err(invalid("input X: a map's keys and values have 1 dimension"));
    }
    Ok([keys, values])
}

/// The keys and values themselves, which are equally many.
pub(crate) fn tensors(inputs: &[TValue]) -> TractResult<(&Tensor, &Tensor)> {
    let [keys, values] = inputs else {
        return Err(Error::input("input X: expected a map").into());
    };
    if keys.len() != values.len() {
        let message = format!("input X: {} keys for {} values", keys.len(), values.len());
        return Err(Error::input(message).into());
    }
    Ok((keys, values))
}
