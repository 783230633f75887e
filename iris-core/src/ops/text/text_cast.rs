//! The casts from strings and to strings of [`Cast`](crate::ops::shape::cast) and
//! [`CastLike`](crate::ops::shape::cast_like).
//!
//! The spelling is onnxruntime's: see [`number_text`](crate::kernels::text::numbers). An integer that its type cannot
//! hold wraps
//! around, and a truth value is whether an integer is other than zero.

use tract_onnx::tract_hir::internal::*;

use crate::error::{Error, ErrorKind, Result};
use crate::kernels::text::numbers::{format_float, parse_float, parse_signed, parse_unsigned};
use crate::operator::{Operator, facts};
use crate::value::tensors;

/// A cast to `to` of which one side is made of strings.
#[derive(Clone, Debug)]
pub(crate) struct TextCast {
    pub(crate) to: DatumType,
}

impl Operator for TextCast {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        Ok(tvec![self.to.fact(x.shape.clone())])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let input = &inputs[0];
        let output = match (input.datum_type(), self.to) {
            (DatumType::String, DatumType::F32) => read(input, |s| Some(parse_float(s)? as f32)),
            (DatumType::String, DatumType::F64) => read(input, parse_float),
            (DatumType::String, DatumType::F16) => {
                read(input, |s| Some(f16::from_f32(parse_float(s)? as f32)))
            }
            (DatumType::String, DatumType::I8) => read(input, |s| Some(parse_signed(s)? as i8)),
            (DatumType::String, DatumType::I16) => read(input, |s| Some(parse_signed(s)? as i16)),
            (DatumType::String, DatumType::I32) => read(input, |s| Some(parse_signed(s)? as i32)),
            (DatumType::String, DatumType::I64) => read(input, parse_signed),
            (DatumType::String, DatumType::U8) => read(input, |s| Some(parse_unsigned(s)? as u8)),
            (DatumType::String, DatumType::U16) => read(input, |s| Some(parse_unsigned(s)? as u16)),
            (DatumType::String, DatumType::U32) => read(input, |s| Some(parse_unsigned(s)? as u32)),
            (DatumType::String, DatumType::U64) => read(input, parse_unsigned),
            (DatumType::String, DatumType::Bool) => read(input, |s| Some(parse_unsigned(s)? != 0)),
            (DatumType::F32, _) => write::<f32>(input, |&x| format_float(x.into())),
            (DatumType::F64, _) => write::<f64>(input, |&x| format_float(x)),
            (DatumType::F16, _) => write::<f16>(input, |&x| format_float(x.to_f64())),
            (DatumType::Bool, _) => write::<bool>(input, |&x| u8::from(x).to_string()),
            (DatumType::I8, _) => write::<i8>(input, i8::to_string),
            (DatumType::I16, _) => write::<i16>(input, i16::to_string),
            (DatumType::I32, _) => write::<i32>(input, i32::to_string),
            (DatumType::I64, _) => write::<i64>(input, i64::to_string),
            (DatumType::U8, _) => write::<u8>(input, u8::to_string),
            (DatumType::U16, _) => write::<u16>(input, u16::to_string),
            (DatumType::U32, _) => write::<u32>(input, u32::to_string),
            (DatumType::U64, _) => write::<u64>(input, u64::to_string),
            (from, to) => bail!("Cast from {from:?} to {to:?} is not supported"),
        };
        Ok(tvec![output?.into_tvalue()])
    }
}

fn read<T: Datum>(input: &Tensor, parse: impl Fn(&str) -> Option<T>) -> TractResult<Tensor> {
    let texts = input.try_as_plain_ram()?;
    let values = texts
        .as_slice::<String>()?
        .iter()
        .map(|text| {
            parse(text).ok_or_else(|| {
                let message = format!("cannot cast {text:?} to {:?}", T::datum_type());
                Error::new(ErrorKind::InvalidInput, message)
            })
        })
        .collect::<Result<Vec<T>>>()?;
    tensors::from_vec(input.shape(), values)
}

fn write<T: Datum>(input: &Tensor, format: impl Fn(&T) -> String) -> TractResult<Tensor> {
    let values = input.try_as_plain_ram()?;
    let texts: Vec<String> = values.as_slice::<T>()?.iter().map(format).collect();
    tensors::from_vec(input.shape(), texts)
}
