//! [TopK](https://onnx.ai/onnx/operators/onnx__TopK.html), versions 1 to 24.
//!
//! `X` float, double, int32 or int64 gives `Values`, of the same type, and `Indices`, int64: the `k` largest elements along
//! `axis`, or the smallest, and where they are. `k` is an attribute before version 10 and then input `K` int64 `[1]`. Of
//! equal elements the first comes first, and NaN is above all numbers, as in onnxruntime; what `sorted` leaves open is
//! sorted too.

use tract_onnx::tract_hir::internal::*;

use crate::error::{Error, ErrorKind, Result};
use crate::kernels::along::Along;
use crate::kernels::ranks::{Lowest, of_float, of_int};
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, axes, facts};
use crate::value::tensors;

#[derive(Debug)]
struct TopK {
    axis: i64,
    largest: bool,
    k: K,
}

/// Where `k` comes from.
#[derive(Debug)]
enum K {
    Attribute(usize),
    /// The second input; the symbol stands for it where it is not constant.
    Input(Symbol),
}

/// Versions 1 to 9.
pub(crate) fn build_1(attributes: &mut Attributes<'_>) -> Result<Built> {
    let k = attributes
        .int("k")?
        .ok_or_else(|| attributes.invalid("k", "missing"))?;
    let k = usize::try_from(k).map_err(|_| attributes.invalid("k", format!("{k}")))?;
    let axis = attributes.int("axis")?.unwrap_or(-1);
    let largest = true;
    let k = K::Attribute(k);
    Ok(Built::operator(TopK { axis, largest, k }))
}

/// Versions 10 to 24.
pub(crate) fn build_10(attributes: &mut Attributes<'_>) -> Result<Built> {
    let axis = attributes.int("axis")?.unwrap_or(-1);
    let largest = attributes.int("largest")?.unwrap_or(1) != 0;
    attributes.int("sorted")?;
    let k = K::Input(attributes.new_symbol("k"));
    Ok(Built::operator(TopK { axis, largest, k }))
}

trait Number: Datum + Copy {
    fn rank(self) -> u64;
}

macro_rules! number {
    ($($number:ty, $rank:ident);*) => {$(
        impl Number for $number {
            fn rank(self) -> u64 {
                $rank(self.into())
            }
        }
    )*};
}
number!(f32, of_float; f64, of_float; i32, of_int; i64, of_int);

/// Of every line of `x` the `k` first in order, at most as many as there are, and their indices.
fn top_k<T: Number>(x: &[T], along: Along, k: usize, largest: bool) -> (Vec<T>, Vec<i64>) {
    let Along { outer, len, inner } = along;
    let volume = outer * k * inner;
    let Some(&first) = x.first().filter(|_| volume > 0) else {
        return (vec![], vec![]);
    };
    let (mut values, mut indices) = (vec![first; volume], vec![0; volume]);
    let mut lowest = Lowest::new(k);
    for start in (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))) {
        let (o, i) = start;
        let line = x[o * len * inner + i..].iter().step_by(inner);
        for (place, x) in line.take(len).enumerate() {
            let rank = x.rank();
            lowest.see(if largest { !rank } else { rank }, place);
        }
        for (at, place) in lowest.take().enumerate() {
            values[(o * k + at) * inner + i] = x[(o * len + place) * inner + i];
            indices[(o * k + at) * inner + i] = place as i64;
        }
    }
    (values, indices)
}

impl TopK {
    fn input_k(k: &Tensor) -> TractResult<usize> {
        let k = k.cast_to::<i64>()?;
        let k = k.try_as_plain_ram()?;
        match k.as_slice::<i64>()? {
            &[k] => Ok(usize::try_from(k)
                .map_err(|_| Error::new(ErrorKind::InvalidInput, format!("input K: {k}")))?),
            ks => Err(Error::new(
                ErrorKind::InvalidInput,
                format!("input K: expected 1 value, got {}", ks.len()),
            )
            .into()),
        }
    }
}

impl Operator for TopK {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let (x, k) = match &self.k {
            K::Attribute(k) => {
                let [x] = facts::inputs(inputs)?;
                (x, k.to_dim())
            }
            K::Input(symbol) => {
                let [x, k] = facts::inputs(inputs)?;
                let known = k.konst.as_ref().and_then(|k| Self::input_k(k).ok());
                (x, known.map_or_else(|| symbol.to_dim(), |k| k.to_dim()))
            }
        };
        facts::check_numeric("X", x)?;
        let mut shape: TVec<TDim> = x.shape.to_tvec();
        let axis = axes::resolve(self.axis, shape.len())?;
        if let (Ok(len), Ok(k)) = (shape[axis].to_usize(), k.to_usize()) {
            check_k(k, len)?;
        }
        shape[axis] = k;
        Ok(tvec![
            x.datum_type.fact(shape.clone()),
            DatumType::I64.fact(shape)
        ])
    }

    fn eval(&self, inputs: &[TValue], wanted: &[usize]) -> TractResult<TVec<TValue>> {
        fn tops<T: Number>(
            x: &Tensor,
            axis: usize,
            k: usize,
            largest: bool,
        ) -> TractResult<[Tensor; 2]> {
            let view = x.try_as_plain_ram()?;
            let along = Along::new(x.shape(), axis);
            let (values, indices) = top_k(view.as_slice::<T>()?, along, k, largest);
            let mut shape: TVec<usize> = x.shape().into();
            shape[axis] = k;
            Ok([
                tensors::from_vec(&shape, values)?,
                tensors::from_vec(&shape, indices)?,
            ])
        }
        let x = &inputs[0];
        let k = match self.k {
            K::Attribute(k) => k,
            K::Input(_) => Self::input_k(&inputs[1])?,
        };
        let axis = axes::resolve(self.axis, x.rank())?;
        check_k(k, x.shape()[axis])?;
        let outputs = match x.datum_type() {
            DatumType::F32 => tops::<f32>(x, axis, k, self.largest),
            DatumType::F64 => tops::<f64>(x, axis, k, self.largest),
            DatumType::I32 => tops::<i32>(x, axis, k, self.largest),
            _ => tops::<i64>(x, axis, k, self.largest),
        }?
        .map(IntoTValue::into_tvalue);
        Ok(wanted.iter().map(|&slot| outputs[slot].clone()).collect())
    }
}

fn check_k(k: usize, len: usize) -> Result<()> {
    if k <= len {
        return Ok(());
    }
    let message = format!("k is {k}, but the dimension has {len} elements");
    Err(Error::new(ErrorKind::InvalidInput, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f64 = f64::NAN;

    #[test]
    fn finds_the_first_in_order() {
        let x = [1.0, NAN, 3.0, 3.0, -1.0, NAN];
        let along = Along {
            outer: 1,
            len: 6,
            inner: 1,
        };
        let cases: [(usize, bool, &[i64]); 6] = [
            (0, true, &[]),
            (1, true, &[1]),
            (3, true, &[1, 5, 2]),
            (6, true, &[1, 5, 2, 3, 0, 4]),
            (3, false, &[4, 0, 2]),
            (6, false, &[4, 0, 2, 3, 1, 5]),
        ];
        for (k, largest, expected) in cases {
            let (values, indices) = top_k(&x, along, k, largest);
            assert_eq!(indices, expected, "{k} {largest}");
            let of_indices = indices.iter().map(|&index| x[index as usize]);
            assert!(
                values
                    .iter()
                    .map(|x| x.to_bits())
                    .eq(of_indices.map(f64::to_bits))
            );
        }
    }

    #[test]
    fn goes_along_the_middle() {
        let along = Along {
            outer: 2,
            len: 2,
            inner: 2,
        };
        let (values, indices) = top_k(&[1, 2, 3, 0, 5, 6, 5, 7], along, 1, true);
        assert_eq!(values, [3, 2, 5, 7]);
        assert_eq!(indices, [1, 0, 0, 1]);
    }
}
