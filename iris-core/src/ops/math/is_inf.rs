//! [IsInf](https://onnx.ai/onnx/operators/onnx__IsInf.html), versions 10 and 20.
//!
//! `X` float or double of any shape gives `Y` bool of the same shape: whether it is infinite on a side that
//! `detect_negative` and `detect_positive` ask for. tract's own does not take double.

use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::Built;
use crate::ops::math::predicate::{OfEach, Predicate};

#[derive(Debug)]
struct IsInf {
    detect_negative: bool,
    detect_positive: bool,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let detect_negative = attributes.int("detect_negative")?.unwrap_or(1) != 0;
    let detect_positive = attributes.int("detect_positive")?.unwrap_or(1) != 0;
    let is_inf = IsInf {
        detect_negative,
        detect_positive,
    };
    Ok(Built::operator(OfEach(is_inf)))
}

impl Predicate for IsInf {
    fn holds(&self, x: f64) -> bool {
        (self.detect_negative && x == f64::NEG_INFINITY)
            || (self.detect_positive && x == f64::INFINITY)
    }
}
