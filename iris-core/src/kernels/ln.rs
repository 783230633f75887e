//! The natural logarithm, without branches or calls, so that a loop over it becomes vector code.
#![allow(
    clippy::inline_always,
    reason = "a loop over a call is not vector code"
)]

use std::f64::consts::{LN_2, SQRT_2};

/// `ln x`, to about 1e-15 of its value, or of 1 next to 1.
#[inline(always)]
pub(crate) fn ln(x: f64) -> f64 {
    const EXPONENT_ONE: u64 = 1023 << MANTISSA_BITS;
    const MANTISSA_BITS: u32 = f64::MANTISSA_DIGITS - 1;
    const SCALE_BITS: f64 = 54.0;
    const SCALE: f64 = (1_u64 << 54) as f64;

    let is_small = x < f64::MIN_POSITIVE;
    let bits = if is_small { x * SCALE } else { x }.to_bits();
    // The mantissa from 1 on, and the exponent as the low bits of a number whose mantissa counts in ones.
    let mantissa = f64::from_bits(bits & ((1 << MANTISSA_BITS) - 1) | EXPONENT_ONE);
    let shifted = f64::from_bits((bits >> MANTISSA_BITS) | COUNTER.to_bits()) - COUNTER;
    let exponent = shifted - 1023.0 - if is_small { SCALE_BITS } else { 0.0 };
    let is_large = mantissa > SQRT_2;
    let mantissa = if is_large { mantissa * 0.5 } else { mantissa };
    let exponent = if is_large { exponent + 1.0 } else { exponent };

    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let mut p: f64 = 1.0 / 21.0;
    for denominator in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        p = p.mul_add(square, 1.0 / denominator);
    }
    let ln = exponent.mul_add(LN_2, 2.0 * s * p);
    let ln = if x == f64::INFINITY { x } else { ln };
    let ln = if x == 0.0 { f64::NEG_INFINITY } else { ln };
    if x >= 0.0 { ln } else { f64::NAN }
}

/// The numbers from here on are integers, as far as 2^52 goes, which their low bits count.
const COUNTER: f64 = (1_u64 << 52) as f64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standard_library() {
        for step in -7_450_000..7_090_000_i32 {
            let x = (f64::from(step) * 1e-4).exp();
            let (got, expected) = (ln(x), x.ln());
            let error = (got - expected).abs();
            assert!(
                error <= 1e-15 * expected.abs().max(1.0),
                "{x:e}: {got:e} {expected:e}"
            );
        }
        for step in -1000..1000_i32 {
            let x = 1.0 + f64::from(step) * 1e-4;
            assert!((ln(x) - x.ln()).abs() <= 1e-15, "{x}");
        }
    }

    #[test]
    fn knows_the_ends() {
        assert_eq!(ln(1.0), 0.0);
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert_eq!(ln(-0.0), f64::NEG_INFINITY);
        assert_eq!(ln(f64::INFINITY), f64::INFINITY);
        for x in [-1.0, -f64::MIN_POSITIVE, f64::NEG_INFINITY, f64::NAN] {
            assert!(ln(x).is_nan(), "{x}");
        }
    }
}
