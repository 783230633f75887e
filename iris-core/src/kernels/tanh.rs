//! The hyperbolic tangent, without branches or calls, so that a loop over it becomes vector code.
#![allow(
    clippy::inline_always,
    reason = "a loop over a call is not vector code"
)]

use crate::kernels::exp::exp;

/// `tanh x`, to about 1e-13 of its value.
#[inline(always)]
pub(crate) fn tanh(x: f64) -> f64 {
    /// Below this the difference of exponentials has too few digits.
    const SMALL: f64 = 0.625;

    let magnitude = x.abs();
    let by_exponential = 1.0 - 2.0 / (exp(magnitude + magnitude) + 1.0);
    // Lambert's continued fraction, cut off where it is exact.
    let square = x * x;
    let numerator = square
        .mul_add(1.0, 378.0)
        .mul_add(square, 17325.0)
        .mul_add(square, 135_135.0);
    let denominator = square
        .mul_add(28.0, 3150.0)
        .mul_add(square, 62370.0)
        .mul_add(square, 135_135.0);
    let by_fraction = magnitude * numerator / denominator;
    let tanh = if magnitude < SMALL {
        by_fraction
    } else {
        by_exponential
    };
    tanh.copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standard_library() {
        for step in -400_000..400_000_i32 {
            let x = f64::from(step) * 1e-4;
            let (got, expected) = (tanh(x), x.tanh());
            assert!((got - expected).abs() <= 2e-13 * expected.abs(), "{x}");
        }
        for x in [
            0.0,
            -0.0,
            1e-300,
            -1e-20,
            1e300,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ] {
            assert_eq!(tanh(x).to_bits(), x.tanh().to_bits(), "{x}");
        }
        assert!(tanh(f64::NAN).is_nan());
    }
}
