//! Sums, and where the largest is, along one dimension.

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::ops::nn::{Reduce as TractReduce, Reducer};

use crate::error::Result;
use crate::ops::axes::Along;
use crate::ops::operator::Operator;
use crate::ops::real::Real;
use crate::ops::tensors;

#[derive(Debug)]
pub(super) struct Reduce {
    axis: usize,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Sum,
    ArgMax,
}

impl Reduce {
    /// `op`, if it is one of ours.
    pub(super) fn new(op: &TractReduce, inputs: &[&TypedFact]) -> Option<Self> {
        let (&[axis], [x]) = (&op.axes[..], inputs) else {
            return None;
        };
        let kind = match op.reducer {
            Reducer::Sum => Kind::Sum,
            Reducer::ArgMax(false) => Kind::ArgMax,
            _ => return None,
        };
        let is_ours = matches!(x.datum_type, DatumType::F32 | DatumType::F64);
        (is_ours && axis < x.rank()).then_some(Self { axis, kind })
    }
}

/// The sums along the middle of three dimensions, made in double.
fn sums<T: Real>(x: &[T], along: Along) -> Vec<T> {
    let Along { outer, len, inner } = along;
    if inner == 1 && len > 0 {
        let lines = x.chunks_exact(len);
        return lines
            .map(|line| T::from_f64(line.iter().map(|x| x.to_f64()).sum()))
            .collect();
    }
    let sum = |o: usize, i: usize| {
        let line = (0..len).map(|at| x[(o * len + at) * inner + i].to_f64());
        T::from_f64(line.sum())
    };
    (0..outer)
        .flat_map(|o| (0..inner).map(move |i| sum(o, i)))
        .collect()
}

/// Where the first of the largest is along the middle of three dimensions; what is not a number is not large.
fn largest<T: Real>(x: &[T], along: Along) -> Vec<i64> {
    let Along { outer, len, inner } = along;
    let largest = |o: usize, i: usize| {
        let mut best = (T::from_f64(f64::NEG_INFINITY), 0);
        for at in 0..len {
            let x = x[(o * len + at) * inner + i];
            if x > best.0 {
                best = (x, at as i64);
            }
        }
        best.1
    };
    (0..outer)
        .flat_map(|o| (0..inner).map(move |i| largest(o, i)))
        .collect()
}

impl Operator for Reduce {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = tensors::inputs(inputs)?;
        let mut shape: TVec<TDim> = x.shape.to_tvec();
        shape[self.axis] = 1.to_dim();
        let datum_type = match self.kind {
            Kind::Sum => x.datum_type,
            Kind::ArgMax => DatumType::I64,
        };
        Ok(tvec![datum_type.fact(shape)])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        fn reduced<T: Real>(kind: Kind, x: &Tensor, axis: usize) -> TractResult<Tensor> {
            let along = Along::new(x.shape(), axis);
            let mut shape: TVec<usize> = x.shape().into();
            shape[axis] = 1;
            let x = x.try_as_plain_ram()?;
            match kind {
                Kind::Sum => tensors::from_vec(&shape, sums(x.as_slice::<T>()?, along)),
                Kind::ArgMax => tensors::from_vec(&shape, largest(x.as_slice::<T>()?, along)),
            }
        }
        let x = &inputs[0];
        let result = if x.datum_type() == DatumType::F32 {
            reduced::<f32>(self.kind, x, self.axis)
        } else {
            reduced::<f64>(self.kind, x, self.axis)
        }?;
        Ok(tvec![result.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reduces_along_any_dimension() {
        let x = [1.0, 5.0, -2.0, 5.0, f64::NEG_INFINITY, f64::NAN];
        let along = |outer, len, inner| Along { outer, len, inner };
        assert_eq!(sums(&x[..4], along(2, 2, 1)), [6.0, 3.0]);
        assert_eq!(sums(&x[..4], along(1, 2, 2)), [-1.0, 10.0]);
        assert_eq!(sums(&x[..0], along(2, 0, 1)), [0.0, 0.0]);
        assert_eq!(largest(&x[..4], along(2, 2, 1)), [1, 1]);
        assert_eq!(largest(&x[..4], along(1, 2, 2)), [0, 0]);
        assert_eq!(largest(&x[..4], along(1, 4, 1)), [1]);
        assert_eq!(largest(&x[3..], along(1, 3, 1)), [0]);
        assert_eq!(largest(&x[4..], along(1, 2, 1)), [0]);
    }
}
