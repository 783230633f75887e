//! Functions of two numbers, for tensors whose shapes broadcast.

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::broadcast::multi_broadcast;
use tract_onnx::tract_hir::tract_core::ops::binary::TypedBinOp;

use crate::error::Result;
use crate::ops::operator::Operator;
use crate::ops::tensors;

#[derive(Clone, Copy, Debug)]
enum Function {
    Add,
    Sub,
    Mul,
    Div,
    Equal,
    Greater,
}

#[derive(Debug)]
pub(super) struct Broadcast(Function);

impl Broadcast {
    /// `op`, if it is one of ours, and takes two of the same of our types.
    pub(super) fn new(op: &TypedBinOp, inputs: &[&TypedFact]) -> Option<Self> {
        let [a, b] = inputs else {
            return None;
        };
        let function = match op.0.name() {
            "Add" => Function::Add,
            "Sub" => Function::Sub,
            "Mul" => Function::Mul,
            "Div" => Function::Div,
            "Eq" => Function::Equal,
            "GT" => Function::Greater,
            _ => return None,
        };
        let is_ours = match a.datum_type {
            DatumType::F32 | DatumType::F64 => true,
            DatumType::I32 | DatumType::I64 => {
                matches!(function, Function::Equal | Function::Greater)
            }
            _ => false,
        };
        (is_ours && a.datum_type == b.datum_type && op.1.is_none()).then_some(Self(function))
    }
}

/// The strides of a tensor of `shape` within one of `result`, whose rank is the same: 0 where it broadcasts.
fn strides(shape: &[usize], result: &[usize]) -> TVec<usize> {
    let mut strides = tvec![0; shape.len()];
    let mut stride = 1;
    for axis in (0..shape.len()).rev() {
        if shape[axis] == result[axis] {
            strides[axis] = stride;
        }
        stride *= shape[axis];
    }
    strides
}

/// `f` of each two elements of `a` and `b`, which are as large as their shapes say, which broadcast to `shape`.
fn broadcast<T: Copy, U>(
    [a, b]: [&[T]; 2],
    [a_shape, b_shape]: [&[usize]; 2],
    shape: &[usize],
    f: impl Fn(T, T) -> U,
) -> Vec<U> {
    if a_shape == b_shape {
        return a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect();
    }
    if let &[b] = b {
        return a.iter().map(|&a| f(a, b)).collect();
    }
    if let &[a] = a {
        return b.iter().map(|&b| f(a, b)).collect();
    }
    let volume = shape.iter().product();
    let mut result = Vec::with_capacity(volume);
    let Some((&len, outer)) = shape.split_last().filter(|_| volume > 0) else {
        return result;
    };
    let (a_strides, b_strides) = (strides(a_shape, shape), strides(b_shape, shape));
    let steps = [a_strides[outer.len()], b_strides[outer.len()]];
    let mut index: TVec<usize> = tvec![0; outer.len()];
    let (mut at_a, mut at_b) = (0, 0);
    loop {
        match steps {
            [0, _] => result.extend(b[at_b..][..len].iter().map(|&b| f(a[at_a], b))),
            [_, 0] => result.extend(a[at_a..][..len].iter().map(|&a| f(a, b[at_b]))),
            _ => {
                let pairs = a[at_a..][..len].iter().zip(&b[at_b..][..len]);
                result.extend(pairs.map(|(&a, &b)| f(a, b)));
            }
        }
        let mut axis = outer.len();
        loop {
            let Some(next) = axis.checked_sub(1) else {
                return result;
            };
            axis = next;
            index[axis] += 1;
            at_a += a_strides[axis];
            at_b += b_strides[axis];
            if index[axis] < outer[axis] {
                break;
            }
            index[axis] = 0;
            at_a -= a_strides[axis] * outer[axis];
            at_b -= b_strides[axis] * outer[axis];
        }
    }
}

impl Operator for Broadcast {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [a, b] = tensors::inputs(inputs)?;
        let shape = multi_broadcast(&[a.shape.dims(), b.shape.dims()]).map_err(tensors::invalid)?;
        let datum_type = match self.0 {
            Function::Equal | Function::Greater => DatumType::Bool,
            _ => a.datum_type,
        };
        Ok(tvec![datum_type.fact(shape)])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (a, b) = (&inputs[0], &inputs[1]);
        let shape = multi_broadcast(&[a.shape(), b.shape()])?;
        let shapes = [a.shape(), b.shape()];
        let (a, b) = (a.try_as_plain_ram()?, b.try_as_plain_ram()?);
        macro_rules! compare {
            ($number:ty) => {{
                let operands = [a.as_slice::<$number>()?, b.as_slice::<$number>()?];
                match self.0 {
                    Function::Greater => broadcast(operands, shapes, &shape, |a, b| a > b),
                    _ => broadcast(operands, shapes, &shape, |a, b| a == b),
                }
            }};
        }
        macro_rules! compute {
            ($number:ty) => {{
                let operands = [a.as_slice::<$number>()?, b.as_slice::<$number>()?];
                let numbers = match self.0 {
                    Function::Add => broadcast(operands, shapes, &shape, |a, b| a + b),
                    Function::Sub => broadcast(operands, shapes, &shape, |a, b| a - b),
                    Function::Mul => broadcast(operands, shapes, &shape, |a, b| a * b),
                    _ => broadcast(operands, shapes, &shape, |a, b| a / b),
                };
                tensors::from_vec(&shape, numbers)?
            }};
        }
        let result = match (self.0, a.datum_type()) {
            (Function::Equal | Function::Greater, datum_type) => {
                let truths = match datum_type {
                    DatumType::F32 => compare!(f32),
                    DatumType::F64 => compare!(f64),
                    DatumType::I32 => compare!(i32),
                    _ => compare!(i64),
                };
                tensors::from_vec(&shape, truths)?
            }
            (_, DatumType::F32) => compute!(f32),
            _ => compute!(f64),
        };
        Ok(tvec![result.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasts_as_numpy_does() {
        let shapes: [[&[usize]; 3]; 11] = [
            [&[], &[], &[]],
            [&[2, 3], &[2, 3], &[2, 3]],
            [&[2, 3], &[1, 1], &[2, 3]],
            [&[1, 1], &[2, 3], &[2, 3]],
            [&[2, 3], &[1, 3], &[2, 3]],
            [&[2, 1], &[2, 3], &[2, 3]],
            [&[2, 1], &[1, 3], &[2, 3]],
            [&[2, 1, 4], &[1, 3, 4], &[2, 3, 4]],
            [&[2, 1, 4], &[1, 3, 1], &[2, 3, 4]],
            [&[0, 1, 4], &[1, 3, 4], &[0, 3, 4]],
            [&[2, 3, 1], &[1, 1, 4], &[2, 3, 4]],
        ];
        for [a_shape, b_shape, shape] in shapes {
            let numbers = |shape: &[usize], start: u32| -> Vec<u32> {
                (start..).take(shape.iter().product()).collect()
            };
            let (a, b) = (numbers(a_shape, 0), numbers(b_shape, 100));
            let got = broadcast([&a, &b], [a_shape, b_shape], shape, |a, b| (a, b));
            let view = |shape: &[usize], numbers| {
                tract_ndarray::ArrayD::from_shape_vec(shape, numbers).expect("its size")
            };
            let (a, b) = (view(a_shape, a), view(b_shape, b));
            let a = a.broadcast(shape).expect("broadcasts");
            let b = b.broadcast(shape).expect("broadcasts");
            let expected: Vec<_> = a.iter().copied().zip(b.iter().copied()).collect();
            assert_eq!(got, expected, "{a_shape:?} {b_shape:?}");
        }
    }
}
