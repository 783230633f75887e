//! Functions of floats that are seldom alone, computed in double, several at a time.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::NullaryFnOnce;

use crate::ops::exp::exp;
use crate::ops::logarithm::ln;
use crate::ops::simd;
use crate::ops::unary::Function;

/// Fills `y` with `function` of each number of `x`, or gives `false` if it is none of ours.
pub(in crate::ops) fn fill(function: Function, x: &[f32], y: &mut [f32]) -> bool {
    simd::dispatch(Fill { function, x, y })
}

struct Fill<'a> {
    function: Function,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Fill<'_> {
    #[inline(always)]
    fn with(self, f: impl Fn(f64) -> f64) -> bool {
        for (slot, &x) in self.y.iter_mut().zip(self.x) {
            *slot = f(f64::from(x)) as f32;
        }
        true
    }
}

impl NullaryFnOnce for Fill<'_> {
    type Output = bool;

    #[inline(always)]
    fn call(self) -> bool {
        match self.function {
            Function::Exp => self.with(exp),
            Function::Log => self.with(ln),
            Function::Tanh => self.with(tanh),
            Function::Sqrt => self.with(f64::sqrt),
            Function::Abs => self.with(f64::abs),
            Function::Neg => self.with(|x| -x),
            Function::Reciprocal => self.with(|x| 1.0 / x),
            _ => false,
        }
    }
}

/// `tanh x`, to about 1e-10 of its value: as near as floats are.
#[inline(always)]
fn tanh(x: f64) -> f64 {
    /// Below this the next term of the series is nothing to a float.
    const SMALL: f64 = 1e-3;

    let magnitude = x.abs();
    let of_exponential = 1.0 - 2.0 / (exp(magnitude + magnitude) + 1.0);
    let of_series = magnitude * (1.0 - magnitude * magnitude / 3.0);
    let tanh = if magnitude < SMALL {
        of_series
    } else {
        of_exponential
    };
    if x < 0.0 { -tanh } else { tanh }
}
