//! The exponential function, without branches or calls, so that a loop over it becomes vector code.
//!
//! Here as in other kernels products are not rounded before they are added, so that processors that can do that in one
//! instruction give the bits that others give, for which it is slow.
#![allow(
    clippy::inline_always,
    reason = "a loop over a call is not vector code"
)]

use std::f64::consts::{LN_2, LOG2_E};

use pulp::Simd;
#[cfg(target_arch = "x86_64")]
use pulp::bytemuck::cast;
use pulp::bytemuck::cast_slice_mut;

#[cfg(target_arch = "x86_64")]
use crate::kernels::simd::{v3, v4};

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
///
/// Of vectors by name: what compilers make of a loop over several of them mixes their lanes.
#[inline(always)]
pub(crate) fn exp2<S: Simd>(simd: S, x: S::f64s) -> S::f64s {
    let x = bounded(simd, x);
    let round = simd.splat_f64s(ROUND);
    let shifted = simd.add_f64s(x, round);
    let r = simd.sub_f64s(x, simd.sub_f64s(shifted, round));
    let mut p = simd.splat_f64s(HIGHEST);
    for coefficient in COEFFICIENTS {
        p = simd.mul_add_f64s(p, r, simd.splat_f64s(coefficient));
    }
    simd.mul_f64s(p, powers_of_two(simd, shifted))
}

/// `x` in the bounds of `exp2`; what is not a number stays that.
#[inline(always)]
fn bounded<S: Simd>(simd: S, x: S::f64s) -> S::f64s {
    const BOUND: f64 = 1020.0;

    // Of these instructions the second operand is the result if they cannot be compared.
    #[cfg(target_arch = "x86_64")]
    if v3(simd).is_some() {
        let x = simd.max_f64s(simd.splat_f64s(-BOUND), x);
        return simd.min_f64s(simd.splat_f64s(BOUND), x);
    }
    let _ = simd;
    let mut x = [x];
    for x in cast_slice_mut::<S::f64s, f64>(&mut x) {
        let above = if *x < -BOUND { -BOUND } else { *x };
        *x = if above > BOUND { BOUND } else { above };
    }
    x[0]
}

/// [`two_to`] of each lane.
#[inline(always)]
fn powers_of_two<S: Simd>(simd: S, shifted: S::f64s) -> S::f64s {
    #[cfg(target_arch = "x86_64")]
    if let Some(v4) = v4(simd) {
        let biased = v4.wrapping_add_u64x8(cast(shifted), v4.splat_u64x8(BIAS));
        return cast(v4.shl_const_u64x8::<52>(biased));
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(v3) = v3(simd) {
        let biased = v3.wrapping_add_u64x4(cast(shifted), v3.splat_u64x4(BIAS));
        return cast(v3.shl_const_u64x4::<52>(biased));
    }
    let _ = simd;
    let mut powers = [shifted];
    for power in cast_slice_mut::<S::f64s, f64>(&mut powers) {
        *power = two_to(*power);
    }
    powers[0]
}

/// Adding this rounds to an integer, and leaves the integer in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// `2^n`, given `n + ROUND`.
#[inline(always)]
fn two_to(shifted: f64) -> f64 {
    f64::from_bits(shifted.to_bits().wrapping_add(BIAS) << 52)
}

/// What the bits of an exponent are above it.
const BIAS: u64 = 1023;

/// `2^r` for `|r| <= 1/2`, to 4e-14 of its value: `(2^r - 1) / r` interpolated at nine Chebyshev nodes.
#[inline(always)]
fn small_exp2(r: f64) -> f64 {
    let mut p = HIGHEST;
    for coefficient in COEFFICIENTS {
        p = p.mul_add(r, coefficient);
    }
    p
}

/// The polynomial's coefficients, that of the highest power first.
const HIGHEST: f64 = 1.020_312_106_339_172_9e-7;
const COEFFICIENTS: [f64; 9] = [
    1.325_522_487_866_881_7e-6,
    1.525_268_684_626_772e-5,
    0.000_154_034_558_524_538_38,
    0.001_333_355_817_904_311_2,
    0.009_618_129_159_402_558,
    0.055_504_108_664_760_424,
    0.240_226_506_958_129_9,
    LN_2,
    1.0,
];

#[cfg(test)]
mod tests {
    use pulp::{Scalar, WithSimd};

    use super::*;
    use crate::kernels::simd;

    #[derive(Clone, Copy, Debug)]
    struct Exp2([f64; 8]);

    impl WithSimd for Exp2 {
        type Output = [f64; 8];

        #[inline(always)]
        fn with_simd<S: Simd>(mut self, simd: S) -> [f64; 8] {
            for x in S::as_mut_simd_f64s(&mut self.0).0 {
                *x = super::exp2(simd, *x);
            }
            self.0
        }
    }

    /// The same bits at every level of instructions.
    fn exp2(x: f64) -> f64 {
        let x = Exp2([x; 8]);
        let [plain, ..] = x.with_simd(Scalar::new());
        for got in simd::dispatch(x) {
            assert_eq!(got.to_bits(), plain.to_bits(), "{x:?}");
        }
        plain
    }

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
