//! Vectors of either float type, in the registers of any processor.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use std::ops::{Neg, Sub};

use pulp::Simd;
use pulp::bytemuck::cast;

use crate::kernels::array::each;
use crate::kernels::transpose::{SIDE, transpose, widen};

/// `f32` or `f64`, and what its vectors can do.
pub(crate) trait Real:
    Copy + PartialOrd + Default + Send + Sync + 'static + Neg<Output = Self> + Sub<Output = Self>
{
    /// As many of them as a register holds.
    type Vector<S: Simd>: Copy;

    const EPSILON: f64;
    const MIN_POSITIVE: f64;
    const MAX: f64;

    fn from_f64(x: f64) -> Self;
    fn to_f64(self) -> f64;

    /// Eight of them in double precision.
    fn doubles<S: Simd>(simd: S, numbers: [Self; SIDE]) -> [f64; SIDE];

    /// Rows as columns.
    fn turned<S: Simd>(simd: S, block: [[Self; SIDE]; SIDE]) -> [[Self; SIDE]; SIDE];

    /// All of `values` in vectors; what does not fill one is left out.
    fn vectors<S: Simd>(values: &[Self]) -> &[Self::Vector<S>];
    fn vectors_mut<S: Simd>(values: &mut [Self]) -> &mut [Self::Vector<S>];
    fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S>;
    fn sum<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn difference<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn abs<S: Simd>(simd: S, a: Self::Vector<S>) -> Self::Vector<S>;
    /// `a * b + c`, rounded once.
    fn mul_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;
    /// No lane less than 0; what is not a number stays so.
    fn relu<S: Simd>(simd: S, a: Self::Vector<S>) -> Self::Vector<S>;
    /// Puts as many lanes into `values` as it has room for.
    fn store<S: Simd>(simd: S, values: &mut [Self], a: Self::Vector<S>);
}

macro_rules! real {
    ($real:ty, $doubles:expr, $turned:expr, $fused:expr, $vector:ident, $as_simd:ident, $as_mut_simd:ident, $splat:ident, $add:ident, $sub:ident, $abs:ident, $mul_add:ident, $less_than:ident, $select:ident, $partial_store:ident) => {
        impl Real for $real {
            type Vector<S: Simd> = S::$vector;

            const EPSILON: f64 = <$real>::EPSILON as f64;
            const MIN_POSITIVE: f64 = <$real>::MIN_POSITIVE as f64;
            const MAX: f64 = <$real>::MAX as f64;

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $real
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }

            #[inline(always)]
            fn doubles<S: Simd>(simd: S, numbers: [Self; SIDE]) -> [f64; SIDE] {
                ($doubles)(simd, numbers)
            }

            #[inline(always)]
            fn turned<S: Simd>(simd: S, block: [[Self; SIDE]; SIDE]) -> [[Self; SIDE]; SIDE] {
                ($turned)(simd, block)
            }

            #[inline(always)]
            fn vectors<S: Simd>(values: &[Self]) -> &[Self::Vector<S>] {
                S::$as_simd(values).0
            }

            #[inline(always)]
            fn vectors_mut<S: Simd>(values: &mut [Self]) -> &mut [Self::Vector<S>] {
                S::$as_mut_simd(values).0
            }

            #[inline(always)]
            fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S> {
                simd.$splat(x)
            }

            #[inline(always)]
            fn sum<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S> {
                simd.$add(a, b)
            }

            #[inline(always)]
            fn difference<S: Simd>(
                simd: S,
                a: Self::Vector<S>,
                b: Self::Vector<S>,
            ) -> Self::Vector<S> {
                simd.$sub(a, b)
            }

            #[inline(always)]
            fn abs<S: Simd>(simd: S, a: Self::Vector<S>) -> Self::Vector<S> {
                simd.$abs(a)
            }

            #[inline(always)]
            fn mul_add<S: Simd>(
                simd: S,
                a: Self::Vector<S>,
                b: Self::Vector<S>,
                c: Self::Vector<S>,
            ) -> Self::Vector<S> {
                if size_of::<Self::Vector<S>>() > size_of::<Self>() {
                    return simd.$mul_add(a, b, c);
                }
                // A vector of one is rounded twice by pulp.
                let fused: fn(Self, Self, Self) -> Self = $fused;
                cast(fused(cast(a), cast(b), cast(c)))
            }

            #[inline(always)]
            fn relu<S: Simd>(simd: S, a: Self::Vector<S>) -> Self::Vector<S> {
                let zero = simd.$splat(0.0);
                simd.$select(simd.$less_than(a, zero), zero, a)
            }

            #[inline(always)]
            fn store<S: Simd>(simd: S, values: &mut [Self], a: Self::Vector<S>) {
                match Self::vectors_mut::<S>(values) {
                    [slot, ..] => *slot = a,
                    [] => simd.$partial_store(values, a),
                }
            }
        }
    };
}
real!(
    f32,
    widen,
    transpose,
    // The product is exact in double precision.
    |a, b, c| (f64::from(a) * f64::from(b) + f64::from(c)) as f32,
    f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    splat_f32s,
    add_f32s,
    sub_f32s,
    abs_f32s,
    mul_add_e_f32s,
    less_than_f32s,
    select_f32s,
    partial_store_f32s
);
real!(
    f64,
    |_, numbers| numbers,
    |_, block: [[f64; SIDE]; SIDE]| each(|row| each(|column| block[column][row])),
    f64::mul_add,
    f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    splat_f64s,
    add_f64s,
    sub_f64s,
    abs_f64s,
    mul_add_e_f64s,
    less_than_f64s,
    select_f64s,
    partial_store_f64s
);
