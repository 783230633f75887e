//! [MurmurHash3](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md) of com.microsoft, version 1.
//!
//! `X` of any shape, int32, uint32, int64, uint64, float, double or string, gives `Y` of the same shape: the 32-bit hash of
//! each element's bytes, uint32 with `positive` (the default) and int32 without. Of `seed` the lower 32 bits count.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, facts};
use crate::value::tensors;

#[derive(Debug)]
struct MurmurHash3 {
    seed: u32,
    is_positive: bool,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let seed = attributes.int("seed")?.unwrap_or(0) as u32;
    let is_positive = match attributes.int("positive")?.unwrap_or(1) {
        0 => false,
        1 => true,
        other => {
            return Err(attributes.invalid("positive", format!("expected 0 or 1, got {other}")));
        }
    };
    Ok(Built::operator(MurmurHash3 { seed, is_positive }))
}

impl Operator for MurmurHash3 {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        if !matches!(
            x.datum_type,
            DatumType::I32
                | DatumType::U32
                | DatumType::I64
                | DatumType::U64
                | DatumType::F32
                | DatumType::F64
                | DatumType::String
        ) {
            let got = x.datum_type;
            return Err(error::invalid(format!(
                "input X: expected integers or floats of 32 or 64 bits, or strings, got {got:?}"
            )));
        }
        let datum_type = if self.is_positive {
            DatumType::U32
        } else {
            DatumType::I32
        };
        Ok(tvec![datum_type.fact(x.shape.clone())])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = inputs[0].try_as_plain_ram()?;
        let hash = |bytes: &[u8]| hash(bytes, self.seed);
        macro_rules! hash_numbers {
            ($number:ty) => {
                x.as_slice::<$number>()?
                    .iter()
                    .map(|x| hash(&x.to_le_bytes()))
                    .collect()
            };
        }
        let hashes: Vec<u32> = match x.datum_type() {
            DatumType::I32 => hash_numbers!(i32),
            DatumType::U32 => hash_numbers!(u32),
            DatumType::I64 => hash_numbers!(i64),
            DatumType::U64 => hash_numbers!(u64),
            DatumType::F32 => hash_numbers!(f32),
            DatumType::F64 => hash_numbers!(f64),
            _ => {
                let texts = x.as_slice::<String>()?.iter();
                texts.map(|text| hash(text.as_bytes())).collect()
            }
        };
        let hashes = if self.is_positive {
            tensors::from_vec(x.shape(), hashes)?
        } else {
            let signed = hashes.into_iter().map(u32::cast_signed).collect();
            tensors::from_vec::<i32>(x.shape(), signed)?
        };
        Ok(tvec![hashes.into_tvalue()])
    }
}

/// Austin Appleby's `MurmurHash3` for 32-bit machines.
fn hash(bytes: &[u8], seed: u32) -> u32 {
    fn scramble(word: u32) -> u32 {
        word.wrapping_mul(0xcc9e_2d51)
            .rotate_left(15)
            .wrapping_mul(0x1b87_3593)
    }
    let (words, tail) = bytes.as_chunks::<4>();
    let mut state = seed;
    for &word in words {
        state = (state ^ scramble(u32::from_le_bytes(word))).rotate_left(13);
        state = state.wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let last = tail
        .iter()
        .rev()
        .fold(0, |word, &byte| word << 8 | u32::from(byte));
    state ^= scramble(last);
    state ^= bytes.len() as u32;
    state = (state ^ state >> 16).wrapping_mul(0x85eb_ca6b);
    state = (state ^ state >> 13).wrapping_mul(0xc2b2_ae35);
    state ^ state >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_bytes() {
        let cases = [
            ("", 0, 0),
            ("a", 0, 1_009_084_850),
            ("ab", 0, 2_613_040_991),
            ("abc", 0, 3_017_643_002),
            ("abcd", 0, 1_139_631_978),
            ("hello world é", 0, 2_577_167_134),
            ("", u32::MAX, 2_180_083_513),
            ("a", u32::MAX, 711_476_519),
        ];
        for (text, seed, expected) in cases {
            assert_eq!(hash(text.as_bytes(), seed), expected, "{text:?}");
        }
    }
}
