//! [IsNaN](https://onnx.ai/onnx/operators/onnx__IsNaN.html), versions 9 to 20.
//!
//! `X` float or double of any shape gives `Y` bool of the same shape. tract's own does not take double.

use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::Built;
use crate::ops::math::predicate::{OfEach, Predicate};

#[derive(Debug)]
struct IsNaN;

pub(crate) fn build(_attributes: &mut Attributes<'_>) -> Result<Built> {
    Ok(Built::operator(OfEach(IsNaN)))
}

impl Predicate for IsNaN {
    fn holds(&self, x: f64) -> bool {
        x.is_nan()
    }
}
