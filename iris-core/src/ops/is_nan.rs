//! [IsNaN](https://onnx.ai/onnx/operators/onnx__IsNaN.html), versions 9 to 20.
//!
//! `X` float or double of any shape gives `Y` bool of the same shape. tract's own does not take double.

use super::attributes::Attributes;
use super::operator::Built;
use super::predicate::{OfEach, Predicate};
use crate::error::Result;

#[derive(Debug)]
struct IsNaN;

pub(super) fn build(_attributes: &mut Attributes<'_>) -> Result<Built> {
    Ok(Built::operator(OfEach(IsNaN)))
}

impl Predicate for IsNaN {
    fn holds(&self, x: f64) -> bool {
        x.is_nan()
    }
}
