//! Functions of floats, computed in double, several at a time.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use std::f64::consts::FRAC_2_SQRT_PI;

use pulp::NullaryFnOnce;

use crate::kernels::exp::exp;
use crate::kernels::ln::ln;
use crate::kernels::simd;
use crate::kernels::tanh::tanh;
use Function::{
    Abs, Ceil, Cos, Elu, Erf, Exp, Floor, HardSigmoid, LeakyRelu, Log, Neg, Not, Reciprocal, Round,
    ScaledTanh, Selu, Sigmoid, Sign, Sin, Softplus, Softsign, Sqrt, Tanh, ThresholdedRelu,
};

/// Fills `y` with `function` of each number of `x`.
pub(crate) fn fill(function: Function, x: &[f32], y: &mut [f32]) {
    simd::dispatch(Fill { function, x, y });
}

struct Fill<'a> {
    function: Function,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Fill<'_> {
    #[inline(always)]
    fn with(self, f: impl Fn(f64) -> f64) {
        for (slot, &x) in self.y.iter_mut().zip(self.x) {
            *slot = f(f64::from(x)) as f32;
        }
    }
}

impl NullaryFnOnce for Fill<'_> {
    type Output = ();

    /// Each function has a loop of its own, since a choice in a loop is no vector code; nor is a closure that holds the choice
    /// of [`Function::of_double`], which is too large to become part of the loop.
    #[inline(always)]
    fn call(self) {
        use Function::{
            Abs, Ceil, Elu, Erf, Exp, Floor, HardSigmoid, LeakyRelu, Log, Neg, Reciprocal, Round,
            ScaledTanh, Selu, Sigmoid, Softplus, Softsign, Sqrt, Tanh, ThresholdedRelu,
        };
        match self.function {
            Elu { alpha } => self.with(|x| if x > 0.0 { x } else { alpha * exp_m1(x) }),
            Erf => self.with(erf),
            Exp => self.with(exp),
            Log => self.with(ln),
            ScaledTanh { alpha, beta } => self.with(|x| alpha * tanh(beta * x)),
            Selu { alpha, gamma } => self.with(|x| {
                let y = if x > 0.0 { x } else { alpha * exp_m1(x) };
                gamma * y
            }),
            Sigmoid => self.with(|x| 1.0 / (1.0 + exp(-x))),
            Softplus => self.with(softplus),
            Tanh => self.with(tanh),
            Abs => self.with(f64::abs),
            Ceil => self.with(f64::ceil),
            Floor => self.with(f64::floor),
            Neg => self.with(|x| -x),
            Reciprocal => self.with(f64::recip),
            Round => self.with(f64::round_ties_even),
            Softsign => self.with(|x| x / (1.0 + x.abs())),
            Sqrt => self.with(f64::sqrt),
            HardSigmoid { alpha, beta } => self.with(|x| (alpha * x + beta).clamp(0.0, 1.0)),
            LeakyRelu { alpha } => self.with(|x| if x < 0.0 { alpha * x } else { x }),
            ThresholdedRelu { alpha } => self.with(|x| if x > alpha { x } else { 0.0 }),
            f => self.with(|x| f.of_double(x)),
        }
    }
}

/// `e^x - 1`, as near as floats are.
#[inline(always)]
fn exp_m1(x: f64) -> f64 {
    const SMALL: f64 = 1e-5;

    let by_series = x.mul_add(x * 0.5, x);
    let by_exponential = exp(x) - 1.0;
    if x.abs() < SMALL {
        by_series
    } else {
        by_exponential
    }
}

/// `ln (1 + e^x)`, as near as floats are.
#[inline(always)]
fn softplus(x: f64) -> f64 {
    const SMALL: f64 = 1e-5;

    let power = exp(-x.abs());
    let by_series = power.mul_add(power * -0.5, power);
    let by_logarithm = ln(1.0 + power);
    let rest = if power < SMALL {
        by_series
    } else {
        by_logarithm
    };
    let above = if x > 0.0 { x } else { 0.0 };
    if x.is_nan() { x } else { above + rest }
}

/// The error function, to about 2e-8 of its value: as near as floats are.
#[inline(always)]
fn erf(x: f64) -> f64 {
    /// Of 1 minus the error function beyond 1: Numerical Recipes, section 6.2, the highest power first.
    const TAIL: [f64; 10] = [
        0.170_872_77,
        -0.822_152_23,
        1.488_515_87,
        -1.135_203_98,
        0.278_868_07,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_68,
        -1.265_512_23,
    ];

    let magnitude = x.abs();
    let square = x * x;
    let mut series = 0.0;
    for coefficient in SERIES {
        series = square.mul_add(series, coefficient);
    }
    let near = FRAC_2_SQRT_PI * magnitude * series;

    let t = 1.0 / magnitude.mul_add(0.5, 1.0);
    let mut tail = 0.0;
    for coefficient in TAIL {
        tail = t.mul_add(tail, coefficient);
    }
    let far = 1.0 - t * exp(tail - square);
    let erf = if magnitude < 1.0 { near } else { far };
    erf.copysign(x)
}

/// Of the error function's Taylor series those terms that count up to 1, the highest first.
const SERIES: [f64; 14] = {
    let mut coefficients = [0.0; 14];
    let (mut n, mut factorial) = (0, 1.0);
    while n < coefficients.len() {
        let sign = if n % 2 == 0 { 1.0 } else { -1.0 };
        coefficients[13 - n] = sign / (factorial * (2 * n + 1) as f64);
        n += 1;
        factorial *= n as f64;
    }
    coefficients
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Function {
    Abs,
    Ceil,
    Cos,
    Elu { alpha: f64 },
    Erf,
    Exp,
    Floor,
    HardSigmoid { alpha: f64, beta: f64 },
    LeakyRelu { alpha: f64 },
    Log,
    Neg,
    Not,
    Reciprocal,
    Round,
    ScaledTanh { alpha: f64, beta: f64 },
    Selu { alpha: f64, gamma: f64 },
    Sigmoid,
    Sign,
    Sin,
    Softplus,
    Softsign,
    Sqrt,
    Tanh,
    ThresholdedRelu { alpha: f64 },
}

impl Function {
    pub(crate) fn of_double(self, x: f64) -> f64 {
        match self {
            Abs => x.abs(),
            Ceil => x.ceil(),
            Cos => x.cos(),
            Elu { alpha } => {
                if x > 0.0 {
                    x
                } else {
                    alpha * x.exp_m1()
                }
            }
            Erf => libm::erf(x),
            Exp => x.exp(),
            Floor => x.floor(),
            HardSigmoid { alpha, beta } => (alpha * x + beta).clamp(0.0, 1.0),
            LeakyRelu { alpha } => {
                if x < 0.0 {
                    alpha * x
                } else {
                    x
                }
            }
            Log => x.ln(),
            Neg => -x,
            Not => f64::from(u8::from(x == 0.0)),
            Reciprocal => 1.0 / x,
            // Halves go to the even one.
            Round => x.round_ties_even(),
            ScaledTanh { alpha, beta } => alpha * (beta * x).tanh(),
            Selu { alpha, gamma } => {
                if x > 0.0 {
                    gamma * x
                } else {
                    gamma * alpha * x.exp_m1()
                }
            }
            // Where the power overflows, it is 0, as it should be.
            Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Sign if x == 0.0 || x.is_nan() => x,
            Sign => x.signum(),
            Sin => x.sin(),
            Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Softsign => x / (1.0 + x.abs()),
            Sqrt => x.sqrt(),
            Tanh => x.tanh(),
            ThresholdedRelu { alpha } => {
                if x > alpha {
                    x
                } else {
                    0.0
                }
            }
        }
    }

    pub(crate) fn of_integer(self, x: i64) -> i64 {
        match self {
            Abs => x.wrapping_abs(),
            Neg => x.wrapping_neg(),
            _ => x.signum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_as_near_as_floats_are() {
        let close = |got: f64, expected: f64| (got - expected).abs() <= 5e-8 * expected.abs();
        for step in -60_000..60_000_i32 {
            let x = f64::from(step) * 1e-4;
            assert!(
                close(erf(x), libm::erf(x)),
                "{x}: {} {}",
                erf(x),
                libm::erf(x)
            );
            assert!(close(exp_m1(x), x.exp_m1()), "{x}");
            let expected = x.max(0.0) + (-x.abs()).exp().ln_1p();
            assert!(close(softplus(x), expected), "{x}");
        }
        for x in [-1e-7, 1e-9, -3e-6, 2e-5] {
            assert!(close(exp_m1(x), x.exp_m1()), "{x}");
            assert!(close(erf(x), libm::erf(x)), "{x}");
        }
        for x in [-80.0, -20.0, 30.0, 500.0] {
            assert!(
                close(softplus(x), x.max(0.0) + (-x.abs()).exp().ln_1p()),
                "{x}"
            );
        }
        assert_eq!(
            [erf(f64::INFINITY), erf(f64::NEG_INFINITY), erf(0.0)],
            [1.0, -1.0, 0.0]
        );
        assert!(erf(f64::NAN).is_nan() && softplus(f64::NAN).is_nan());
    }
}
