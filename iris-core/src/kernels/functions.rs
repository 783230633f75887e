//! Functions of floats, computed in double, several at a time.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use pulp::NullaryFnOnce;

pub(crate) use crate::kernels::exp::exp;
pub(crate) use crate::kernels::ln::ln;
use crate::kernels::real::Real;
use crate::kernels::simd;
pub(crate) use crate::kernels::tanh::tanh;
use Function::{
    Abs, Ceil, Cos, Elu, Erf, Exp, Floor, Gelu, GeluTanh, HardSigmoid, LeakyRelu, Log, Mish, Neg,
    Not, Reciprocal, Round, ScaledTanh, Selu, Sigmoid, Sign, Sin, Softplus, Softsign, Sqrt, Tanh,
    ThresholdedRelu,
};

/// Calls `$body` with `$f` bound to a closure of doubles that is `$function`, to as many digits as floats have.
macro_rules! with_function {
    ($function:expr, $f:ident => $body:expr) => {
        $crate::kernels::functions::with_functions!($function, $f => $body, {
            Abs => f64::abs,
            Ceil => f64::ceil,
            Cos => f64::cos,
            Elu { alpha } => move |x: f64| if x > 0.0 { x } else { alpha * exp_m1(x) },
            Erf => erf,
            Exp => exp,
            Floor => f64::floor,
            Gelu => |x: f64| 0.5 * x * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2),
            GeluTanh => |x: f64| x / (1.0 + exp(-2.0 * of_gelu(x))),
            HardSigmoid { alpha, beta } => move |x: f64| (alpha * x + beta).clamp(0.0, 1.0),
            LeakyRelu { alpha } => move |x: f64| if x < 0.0 { alpha * x } else { x },
            Log => ln,
            Mish => |x: f64| x * tanh(softplus(x)),
            Neg => |x: f64| -x,
            Not => |x: f64| if x == 0.0 { 1.0 } else { 0.0 },
            Reciprocal => f64::recip,
            Round => f64::round_ties_even,
            ScaledTanh { alpha, beta } => move |x: f64| alpha * tanh(beta * x),
            Selu { alpha, gamma } => move |x: f64| {
                let y = if x > 0.0 { x } else { alpha * exp_m1(x) };
                gamma * y
            },
            Sigmoid => |x: f64| 1.0 / (1.0 + exp(-x)),
            Sign => |x: f64| if x == 0.0 || x.is_nan() { x } else { x.signum() },
            Sin => f64::sin,
            Softplus => softplus,
            Softsign => |x: f64| x / (1.0 + x.abs()),
            Sqrt => f64::sqrt,
            Tanh => tanh,
            ThresholdedRelu { alpha } => move |x: f64| if x > alpha { x } else { 0.0 },
        })
    };
}

/// One arm for each function; see [`with_function`].
macro_rules! with_functions {
    (
        $function:expr, $f:ident => $body:expr,
        { $($name:ident $({ $($parameter:ident),* })? => $closure:expr,)* }
    ) => {{
        #[allow(unused_imports, reason = "what one function needs, another does not")]
        use $crate::kernels::functions::{Function, erf, exp, exp_m1, ln, of_gelu, softplus, tanh};
        match $function {
            $(Function::$name $({ $($parameter),* })? => {
                let $f = $closure;
                $body
            })*
        }
    }};
}
pub(crate) use {with_function, with_functions};

/// Fills `y` with `function` of each number of `x`.
pub(crate) fn fill<T: Real>(function: Function, x: &[T], y: &mut [T]) {
    simd::dispatch(Fill { function, x, y });
}

struct Fill<'a, T> {
    function: Function,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> Fill<'_, T> {
    #[inline(always)]
    fn with(self, f: impl Fn(f64) -> f64) {
        for (slot, &x) in self.y.iter_mut().zip(self.x) {
            *slot = T::from_f64(f(x.to_f64()));
        }
    }
}

impl<T: Real> NullaryFnOnce for Fill<'_, T> {
    type Output = ();

    /// Each function has a loop of its own, since a choice in a loop is no vector code; nor is a closure that holds the choice
    /// of [`Function::of_double`], which is too large to become part of the loop.
    #[inline(always)]
    fn call(self) {
        with_function!(self.function, f => self.with(f));
    }
}

/// The approximation of Gelu is `x / 2 * (1 + tanh(y))`, which is `x / (1 + exp(-2 * y))`: this is `y`.
#[inline(always)]
pub(crate) fn of_gelu(x: f64) -> f64 {
    FRAC_1_SQRT_2 * FRAC_2_SQRT_PI * 0.044_715_f64.mul_add(x * x * x, x)
}

/// `e^x - 1`, as near as floats are.
#[inline(always)]
pub(crate) fn exp_m1(x: f64) -> f64 {
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
pub(crate) fn softplus(x: f64) -> f64 {
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
pub(crate) fn erf(x: f64) -> f64 {
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
    Elu {
        alpha: f64,
    },
    Erf,
    Exp,
    Floor,
    Gelu,
    /// Gelu with the error function approximated by a hyperbolic tangent.
    GeluTanh,
    HardSigmoid {
        alpha: f64,
        beta: f64,
    },
    LeakyRelu {
        alpha: f64,
    },
    Log,
    Mish,
    Neg,
    Not,
    Reciprocal,
    Round,
    ScaledTanh {
        alpha: f64,
        beta: f64,
    },
    Selu {
        alpha: f64,
        gamma: f64,
    },
    Sigmoid,
    Sign,
    Sin,
    Softplus,
    Softsign,
    Sqrt,
    Tanh,
    ThresholdedRelu {
        alpha: f64,
    },
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
            Gelu => 0.5 * x * libm::erfc(-x * FRAC_1_SQRT_2),
            GeluTanh => x / (1.0 + (-2.0 * of_gelu(x)).exp()),
            Log => x.ln(),
            Mish => x * Softplus.of_double(x).tanh(),
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

    /// Whether what vectors compute of it has as many digits as doubles have, not only floats.
    pub(crate) fn is_for_doubles(self) -> bool {
        !matches!(self, Elu { .. } | Erf | Mish | Selu { .. } | Softplus)
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
