//! The exponential function, without branches or calls, so that a loop over it becomes vector code.
//!
//! Here as in other kernels products are not rounded before they are added, so that processors that can do that in one
//! instruction give the bits that others give, for which it is slow.
#![allow(
    clippy::inline_always,
    reason = "a loop over a call is not vector code"
)]

use std::f64::consts::{LN_2, LOG2_E};

/// `e^x`, to about 1e-13 of its value; smaller than 1e-307 becomes 0, larger than 1e307 becomes infinite.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    const BOUND: f64 = 707.0;
    const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN_2_LOW: f64 = LN_2 - LN_2_HIGH;

    let shifted = x.mul_add(LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN_2_LOW, n.mul_add(-LN_2_HIGH, x));
    let e = small_exp2(r * LOG2_E) * two_to(shifted);
    let e = if x < -BOUND { 0.0 } else { e };
    if x > BOUND { f64::INFINITY } else { e }
}

/// `2^x`, to about 1e-13 of its value; smaller than 2^-1020 becomes that, larger than 2^1020 becomes that.
#[inline(always)]
pub(crate) fn exp2(x: f64) -> f64 {
    const BOUND: f64 = 1020.0;

    // Comparisons in this order let NaN pass.
    let x = if x < -BOUND { -BOUND } else { x };
    let x = if x > BOUND { BOUND } else { x };
    let shifted = x + ROUND;
    small_exp2(x - (shifted - ROUND)) * two_to(shifted)
}

/// Adding this rounds to an integer, and leaves the integer in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// `2^n`, given `n + ROUND`.
#[inline(always)]
fn two_to(shifted: f64) -> f64 {
    f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
}

/// `2^r` for `|r| <= 1/2`, to 4e-14 of its value: `(2^r - 1) / r` interpolated at nine Chebyshev nodes.
#[inline(always)]
fn small_exp2(r: f64) -> f64 {
    let mut p: f64 = 1.020_312_106_339_172_9e-7;
    for coefficient in [
        1.325_522_487_866_881_7e-6,
        1.525_268_684_626_772e-5,
        0.000_154_034_558_524_538_38,
        0.001_333_355_817_904_311_2,
        0.009_618_129_159_402_558,
        0.055_504_108_664_760_424,
        0.240_226_506_958_129_9,
        LN_2,
        1.0,
    ] {
        p = p.mul_add(r, coefficient);
    }
    p
}

#[cfg(test)]
mod tests {
    use super::{exp, exp2};

    #[test]
    fn agrees_with_the_standard_library() {
        for step in -7_000_000..7_000_000 {
            let x = f64::from(step) * 1e-4;
            let (got, expected) = (exp(x), x.exp());
            assert!(
                (got / expected - 1.0).abs() < 1e-13,
                "{x}: {got:e} {expected:e}"
            );
        }
    }

    #[test]
    fn powers_of_two_agree_too() {
        for step in -1_020_000..1_020_000 {
            let x = f64::from(step) * 1e-3;
            let (got, expected) = (exp2(x), x.exp2());
            assert!(
                (got / expected - 1.0).abs() < 1e-13,
                "{x}: {got:e} {expected:e}"
            );
        }
    }

    #[test]
    fn stays_sane_outside() {
        assert!(exp(f64::NAN).is_nan() && exp2(f64::NAN).is_nan());
        for x in [-1021.0, -1e300, f64::NEG_INFINITY] {
            assert_eq!(exp(x), 0.0);
            assert!(exp2(x) < 1e-307);
            assert_eq!(exp(-x), f64::INFINITY);
            assert!(exp2(-x) > 1e307);
        }
        assert_eq!((exp(0.0), exp2(0.0)), (1.0, 1.0));
    }
}
