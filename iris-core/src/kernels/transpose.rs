//! Blocks of eight by eight floats, turned around their diagonal, and their rows as doubles.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::__m256;

use pulp::Simd;
#[cfg(target_arch = "x86_64")]
use pulp::core_arch::x86::Avx;

use crate::kernels::array::each;

/// How many rows and columns a block has.
pub(crate) const SIDE: usize = 8;

/// How many numbers are in the rows of half a block.
pub(crate) const FOUR: usize = 4;

/// Turns rows into columns.
#[inline(always)]
pub(crate) fn transpose<S: Simd>(simd: S, rows: [[f32; SIDE]; SIDE]) -> [[f32; SIDE]; SIDE] {
    #[cfg(target_arch = "x86_64")]
    if let Some(v3) = crate::kernels::simd::v3(simd) {
        return in_registers(v3.avx, rows);
    }
    let _ = simd;
    each(|row| each(|column| rows[column][row]))
}

/// The same by shuffles of vectors, which compilers do not find by themselves. There is no closure in it: that would not be
/// compiled for the level of its caller.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn in_registers(avx: Avx, rows: [[f32; SIDE]; SIDE]) -> [[f32; SIDE]; SIDE] {
    let [a, b, c, d, e, f, g, h]: [__m256; SIDE] = pulp::cast(rows);
    let (above, below) = (fours(avx, [a, b, c, d]), fours(avx, [e, f, g, h]));
    pulp::cast([
        avx._mm256_permute2f128_ps::<0x20>(above[0], below[0]),
        avx._mm256_permute2f128_ps::<0x20>(above[1], below[1]),
        avx._mm256_permute2f128_ps::<0x20>(above[2], below[2]),
        avx._mm256_permute2f128_ps::<0x20>(above[3], below[3]),
        avx._mm256_permute2f128_ps::<0x31>(above[0], below[0]),
        avx._mm256_permute2f128_ps::<0x31>(above[1], below[1]),
        avx._mm256_permute2f128_ps::<0x31>(above[2], below[2]),
        avx._mm256_permute2f128_ps::<0x31>(above[3], below[3]),
    ])
}

/// Columns of four rows: the first four in the lower halves, the last four in the upper halves.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn fours(avx: Avx, [a, b, c, d]: [__m256; 4]) -> [__m256; 4] {
    let (ab, cd) = (avx._mm256_unpacklo_ps(a, b), avx._mm256_unpacklo_ps(c, d));
    let (last_ab, last_cd) = (avx._mm256_unpackhi_ps(a, b), avx._mm256_unpackhi_ps(c, d));
    [
        avx._mm256_shuffle_ps::<0b01_00_01_00>(ab, cd),
        avx._mm256_shuffle_ps::<0b11_10_11_10>(ab, cd),
        avx._mm256_shuffle_ps::<0b01_00_01_00>(last_ab, last_cd),
        avx._mm256_shuffle_ps::<0b11_10_11_10>(last_ab, last_cd),
    ]
}

/// The same of rows of four numbers, which takes fewer shuffles: halves of registers are loaded where they belong.
#[inline(always)]
pub(crate) fn transpose_fours<S: Simd>(simd: S, rows: [[f32; FOUR]; SIDE]) -> [[f32; SIDE]; FOUR] {
    #[cfg(target_arch = "x86_64")]
    if let Some(v3) = crate::kernels::simd::v3(simd) {
        let [a, b, c, d, e, f, g, h] = rows;
        let pairs: [__m256; FOUR] = pulp::cast([[a, e], [b, f], [c, g], [d, h]]);
        return pulp::cast(fours(v3.avx, pairs));
    }
    let _ = simd;
    each(|column| each(|row| rows[row][column]))
}

/// The numbers as doubles. Compilers by themselves mix those of several rows in a vector.
#[inline(always)]
pub(crate) fn widen<S: Simd>(simd: S, numbers: [f32; SIDE]) -> [f64; SIDE] {
    #[cfg(target_arch = "x86_64")]
    if let Some(v4) = crate::kernels::simd::v4(simd) {
        return pulp::cast(v4.convert_f32x8_to_f64x8(pulp::cast(numbers)));
    }
    let _ = simd;
    each(|index| numbers[index].into())
}

/// The floats nearest to the numbers.
#[inline(always)]
pub(crate) fn narrow<S: Simd>(simd: S, numbers: [f64; SIDE]) -> [f32; SIDE] {
    #[cfg(target_arch = "x86_64")]
    if let Some(v4) = crate::kernels::simd::v4(simd) {
        return pulp::cast(v4.convert_f64x8_to_f32x8(pulp::cast(numbers)));
    }
    let _ = simd;
    each(|index| numbers[index] as f32)
}

#[cfg(test)]
mod tests {
    use pulp::WithSimd;

    use super::*;
    use crate::kernels::simd;

    #[test]
    fn rows_become_columns() {
        struct Transposed([[f32; SIDE]; SIDE]);
        impl WithSimd for Transposed {
            type Output = [[f32; SIDE]; SIDE];
            fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
                transpose(simd, self.0)
            }
        }
        let rows = each(|row| each(|column| (row * SIDE + column) as f32));
        let columns = simd::dispatch(Transposed(rows));
        struct Fours([[f32; FOUR]; SIDE]);
        impl WithSimd for Fours {
            type Output = [[f32; SIDE]; FOUR];
            fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
                transpose_fours(simd, self.0)
            }
        }
        let of_four = simd::dispatch(Fours(each(|row| each(|column| rows[row][column]))));
        assert_eq!(of_four[..], columns[..FOUR]);
        for row in 0..SIDE {
            for column in 0..SIDE {
                assert_eq!(columns[column][row], rows[row][column]);
            }
        }
    }
}
