//! The level of vector instructions that kernels run at.
//!
//! It is the best one the processor has. The environment variable `IRIS_SIMD`, read once, forces one: `baseline`
//! (what the crate was compiled for), `v3` (AVX2 and FMA) or `v4` (AVX-512). Levels differ in speed only: kernels are
//! written so that the order of operations, and with it every bit of the answers, is the same at all of them.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

#[cfg(target_arch = "x86_64")]
use std::any::Any;
use std::sync::LazyLock;

use pulp::{Arch, Simd, WithSimd};

use crate::error::{Error, ErrorKind, Result};

/// The name of the environment variable.
const VARIABLE: &str = "IRIS_SIMD";

static LEVEL: LazyLock<Result<Arch>> = LazyLock::new(|| match std::env::var_os(VARIABLE) {
    None => Ok(Arch::new()),
    Some(name) => forced(&name.to_string_lossy()),
});

fn forced(name: &str) -> Result<Arch> {
    let level = match name {
        "baseline" => Some(Arch::Scalar),
        #[cfg(target_arch = "x86_64")]
        "v3" => pulp::x86::V3::try_new().map(Arch::V3),
        #[cfg(target_arch = "x86_64")]
        "v4" => pulp::x86::V4::try_new().map(Arch::V4),
        _ => None,
    };
    level.ok_or_else(|| {
        let message = format!("environment variable {VARIABLE}: this processor has no {name:?}");
        Error::new(ErrorKind::Run, message)
    })
}

/// Refuses a level that `IRIS_SIMD` asks for and the processor does not have.
pub(crate) fn check() -> Result<()> {
    LEVEL.as_ref().map(|_| ()).map_err(Error::clone)
}

/// Runs `kernel`, whose code is compiled for each level as far as it is inlined.
pub(crate) fn dispatch<K: WithSimd>(kernel: K) -> K::Output {
    LEVEL
        .as_ref()
        .map_or(Arch::Scalar, |&level| level)
        .dispatch(kernel)
}

/// Whether registers hold more than one number.
pub(crate) const fn has_vectors<S: Simd>() -> bool {
    size_of::<S::f64s>() > size_of::<f64>()
}

/// Runs `kernel`, which gains nothing by AVX-512, at the level below: its code is the same for both.
#[inline(always)]
pub(crate) fn up_to_v3<S: Simd, K: WithSimd>(simd: S, kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(v3) = v3(simd) {
        return Simd::vectorize(v3, kernel);
    }
    kernel.with_simd(simd)
}

/// The instructions of AVX2, where kernels may use them by name: known when the kernel is compiled for its level.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn v3<S: Simd>(simd: S) -> Option<pulp::x86::V3> {
    let known: &dyn Any = &simd;
    v4(simd)
        .map(|v4| *v4)
        .or_else(|| known.downcast_ref::<pulp::x86::V3>().copied())
}

/// The same of AVX-512.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn v4<S: Simd>(simd: S) -> Option<pulp::x86::V4> {
    let simd: &dyn Any = &simd;
    simd.downcast_ref::<pulp::x86::V4>().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_levels_that_are_not_there() {
        assert!(matches!(forced("baseline"), Ok(Arch::Scalar)));
        for name in ["", "v5", "V3"] {
            let error = forced(name).expect_err("no such level");
            assert!(error.to_string().contains(&format!("{name:?}")), "{error}");
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn forces_the_levels_of_this_processor() {
        assert_eq!(forced("v3").is_ok(), pulp::x86::V3::try_new().is_some());
        assert_eq!(forced("v4").is_ok(), pulp::x86::V4::try_new().is_some());
    }
}
