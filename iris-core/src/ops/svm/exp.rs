//! The exponential function, without branches or calls, so that a loop over it becomes vector code.
#![allow(
    clippy::inline_always,
    reason = "a loop over a call is not vector code"
)]

use std::f64::consts::{LN_2, LOG2_E};

/// `e^x`, to about 1e-13 of its value; smaller than 1e-307 becomes 1e-307, larger than 1e307 becomes 1e307.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    const BOUND: f64 = 707.0;
    // Adding this rounds to an integer, and leaves the integer in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN_2_LOW: f64 = LN_2 - LN_2_HIGH;

    // Comparisons in this order let NaN pass.
    let x = if x < -BOUND { -BOUND } else { x };
    let x = if x > BOUND { BOUND } else { x };
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    // |r| <= ln(2) / 2: Taylor's polynomial of degree 11 is off by less than 1e-14.
    let mut p = 1.0 / 39_916_800.0;
    for factorial in [
        3_628_800.0,
        362_880.0,
        40_320.0,
        5_040.0,
        720.0,
        120.0,
        24.0,
        6.0,
        2.0,
        1.0,
        1.0,
    ] {
        p = p * r + 1.0 / factorial;
    }
    let two_to_n = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    p * two_to_n
}

#[cfg(test)]
mod tests {
    use super::exp;

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
    fn stays_sane_outside() {
        assert!(exp(f64::NAN).is_nan());
        assert!(exp(f64::NEG_INFINITY) < 1e-306);
        assert!(exp(f64::INFINITY) > 1e306);
        assert!((exp(0.0) - 1.0).abs() < 1e-15);
    }
}
