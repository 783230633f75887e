//! Pairs of operators that are computed as one: the second takes what the first makes of a block of samples while it is at
//! hand, with the bits of both.

use std::any::Any;
use std::sync::Arc;

use crate::operator::Operator;
use crate::ops::ml::linear_classifier::LinearClassifier;
use crate::ops::ml::linear_regressor::LinearRegressor;
use crate::ops::ml::normalizer::Normalizer;
use crate::ops::ml::scaler::Scaler;

/// `first` and then `second`, which gives the outputs.
pub(crate) fn before(first: &dyn Operator, second: &dyn Operator) -> Option<Arc<dyn Operator>> {
    let (first, second): (&dyn Any, &dyn Any) = (first, second);
    let factors = first.downcast_ref::<Scaler>()?.factors();
    if let Some(classifier) = second.downcast_ref::<LinearClassifier>() {
        return Some(Arc::new(classifier.of_scaled(factors)?));
    }
    let regressor = second.downcast_ref::<LinearRegressor>()?;
    Some(Arc::new(regressor.of_scaled(factors)?))
}

/// `first`, with what `second` makes of its output at `place` in the place of that.
pub(crate) fn after(
    first: &dyn Operator,
    place: usize,
    second: &dyn Operator,
) -> Option<Arc<dyn Operator>> {
    const SCORES: usize = 1;

    let (first, second): (&dyn Any, &dyn Any) = (first, second);
    let norm = second.downcast_ref::<Normalizer>()?.norm;
    let classifier = first
        .downcast_ref::<LinearClassifier>()
        .filter(|_| place == SCORES)?;
    Some(Arc::new(classifier.normalized(norm)?))
}
