//! Arrays of as many lanes as a register has.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

/// The array of `f(0)`, `f(1)` and so on. The standard library's functions that make arrays of arrays are not always
/// inlined, and then not compiled for the level of their caller.
#[inline(always)]
pub(crate) fn each<T: Copy + Default, const N: usize>(f: impl Fn(usize) -> T) -> [T; N] {
    let mut all = [T::default(); N];
    for (index, slot) in all.iter_mut().enumerate() {
        *slot = f(index);
    }
    all
}

/// Puts `f` of each of `values` in its place.
///
/// Several at a time, or else compilers put the same lane of several values into a vector, and not the lanes of one.
#[inline(always)]
pub(crate) fn map_lanes<const L: usize>(values: &mut [[f64; L]], f: impl Fn([f64; L]) -> [f64; L]) {
    let (chunks, rest) = values.as_chunks_mut::<4>();
    for chunk in chunks {
        for value in chunk {
            *value = f(*value);
        }
    }
    for value in rest {
        *value = f(*value);
    }
}
