//! What the elements of a line are reduced to.
//!
//! Floats are reduced in double, and whole numbers of all types in 64 bits, which wrap around as onnxruntime's do:
//! conversions are at the edges.

use std::borrow::Cow;

use pulp::Scalar;
use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::kernels::along::Along;
use crate::kernels::exp::exp;
use crate::kernels::ln::ln;
use crate::kernels::real::Real;
use crate::kernels::reduce::{sum_of_squares, sums};
use crate::kernels::softmax::log_sum_exp;
use crate::operator::integers::{in_order, limits, whole_numbers};
use crate::operator::{dimensions, facts};
use crate::ops::math::binary::{Function, dimension};
use crate::value::tensors;
use Reducer::{L1, L2, LogSum, LogSumExp, Max, Mean, Min, Prod, Sum, SumSquare};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reducer {
    L1,
    L2,
    LogSum,
    LogSumExp,
    Max,
    Mean,
    Min,
    Prod,
    Sum,
    SumSquare,
}

impl Reducer {
    /// The reducer of the operator `op_type`.
    pub(crate) fn of(op_type: &str) -> Self {
        match op_type {
            "ReduceL1" => L1,
            "ReduceL2" => L2,
            "ReduceLogSum" => LogSum,
            "ReduceLogSumExp" => LogSumExp,
            "ReduceMax" => Max,
            "ReduceMean" => Mean,
            "ReduceMin" => Min,
            "ReduceProd" => Prod,
            "ReduceSum" => Sum,
            _ => SumSquare,
        }
    }

    pub(crate) fn takes(self, datum_type: DatumType) -> bool {
        match datum_type {
            DatumType::Bool => matches!(self, Max | Min),
            DatumType::TDim => !self.is_real(),
            _ => facts::is_number(datum_type),
        }
    }

    /// Whether it makes no whole numbers of such, but for rounding.
    fn is_real(self) -> bool {
        matches!(self, L2 | LogSum | LogSumExp)
    }

    /// Reduces those dimensions of `x` that `reduced` says. The results are in order, in some shape.
    pub(crate) fn reduce(self, x: &Tensor, reduced: &[bool]) -> TractResult<Tensor> {
        let datum_type = x.datum_type();
        if let (Mean | Sum, Some(along)) = (self, along(x.shape(), reduced)) {
            match datum_type {
                DatumType::F32 => return self.sums::<f32>(x, along),
                DatumType::F64 => return self.sums::<f64>(x, along),
                _ => {}
            }
        }
        let x = in_lines(x, reduced)?;
        let shape = x.shape().iter();
        let n_kept = reduced.iter().filter(|is_reduced| !**is_reduced).count();
        let (n, len) = (
            shape.clone().take(n_kept).product(),
            shape.skip(n_kept).product(),
        );
        match datum_type {
            DatumType::F32 if self == LogSumExp && x.len() > 0 => {
                let x = x.try_as_plain_ram()?;
                tensors::from_vec(&[n], log_sum_exp(x.as_slice()?, len))
            }
            DatumType::F32 => self.reals::<f32>(&x, n, len),
            DatumType::F64 => self.reals::<f64>(&x, n, len),
            DatumType::TDim => self.dims(&x, n, len),
            _ if self.is_real() || datum_type.is_float() => {
                let reals = self.reals::<f64>(&*x.cast_to::<f64>()?, n, len)?;
                Ok(reals.cast_to_dt(datum_type)?.into_owned())
            }
            _ => self.whole_numbers(&x, n, len),
        }
    }

    fn sums<T: Real + Datum>(self, x: &Tensor, along: Along) -> TractResult<Tensor> {
        let divisor = if self == Mean {
            along.len.max(1) as f64
        } else {
            1.0
        };
        let x = x.try_as_plain_ram()?;
        let sums = sums(x.as_slice::<T>()?, along, divisor);
        tensors::from_vec(&[sums.len()], sums)
    }

    fn reals<T: Real + Datum>(self, x: &Tensor, n: usize, len: usize) -> TractResult<Tensor> {
        let x = x.try_as_plain_ram()?;
        let lines = lines(x.as_slice::<T>()?, n, len);
        let reals = lines.map(|line| T::from_f64(self.of_reals(line)));
        tensors::from_vec(&[n], reals.collect())
    }

    fn of_reals<T: Real>(self, line: &[T]) -> f64 {
        let numbers = line.iter().map(|x| x.to_f64());
        match self {
            L1 => numbers.fold(0.0, |sum, x| sum + x.abs()),
            L2 => sum_of_squares(Scalar::new(), line).sqrt(),
            LogSum => ln(Sum.of_reals(line)),
            LogSumExp => {
                let largest = Max.of_reals(line);
                // Infinities are not to be subtracted from themselves.
                let base = if largest.is_infinite() { 0.0 } else { largest };
                ln(numbers.fold(0.0, |sum, x| sum + exp(x - base))) + base
            }
            // What is not a number makes all of them that.
            Max => numbers.fold(f64::NEG_INFINITY, |max, x| {
                if x > max || x.is_nan() { x } else { max }
            }),
            // The mean of nothing is 0, as in onnxruntime.
            Mean => Sum.of_reals(line) / line.len().max(1) as f64,
            Min => numbers.fold(
                f64::INFINITY,
                |min, x| {
                    if x < min || x.is_nan() { x } else { min }
                },
            ),
            Prod => numbers.fold(1.0, |product, x| product * x),
            Sum => numbers.fold(0.0, |sum, x| sum + x),
            SumSquare => sum_of_squares(Scalar::new(), line),
        }
    }

    fn whole_numbers(self, x: &Tensor, n: usize, len: usize) -> TractResult<Tensor> {
        let datum_type = x.datum_type();
        let is_order = matches!(self, Max | Min);
        let x = if is_order {
            in_order(x)?
        } else {
            whole_numbers(x)?
        };
        let results = lines(&x, n, len).map(|line| self.of_whole_numbers(line, datum_type));
        let mut results: Vec<i64> = results.collect::<TractResult<_>>()?;
        if is_order && datum_type == DatumType::U64 {
            results.iter_mut().for_each(|result| *result ^= i64::MIN);
        }
        let results = tensors::from_vec(&[n], results)?;
        Ok(results.cast_to_dt(datum_type)?.into_owned())
    }

    /// In 64 bits, whatever the type is.
    fn of_whole_numbers(self, line: &[i64], datum_type: DatumType) -> TractResult<i64> {
        let [least, greatest] = limits(datum_type);
        let numbers = line.iter().copied();
        Ok(match self {
            L1 if datum_type != DatumType::U64 => {
                numbers.fold(0, |sum, x| sum.wrapping_add(x.wrapping_abs()))
            }
            Max => numbers.fold(least, i64::max),
            Mean => {
                let sum = Sum.of_whole_numbers(line, datum_type)?;
                let n = line.len().max(1);
                match datum_type {
                    DatumType::U64 => (sum as u64 / n as u64) as i64,
                    _ => sum / n as i64,
                }
            }
            Min => numbers.fold(greatest, i64::min),
            Prod => numbers.fold(1, i64::wrapping_mul),
            SumSquare => numbers.fold(0, |sum, x| sum.wrapping_add(x.wrapping_mul(x))),
            _ => numbers.fold(0, i64::wrapping_add),
        })
    }

    fn dims(self, x: &Tensor, n: usize, len: usize) -> TractResult<Tensor> {
        let x = x.try_as_plain_ram()?;
        let x = x.as_slice::<TDim>()?;
        let n_unknown = x.iter().filter(|dim| dim.to_i64().is_err()).count();
        if n_unknown > MOST_UNKNOWN {
            let message = format!("{n_unknown} dimensions that are not known");
            return Err(error::invalid(message).into());
        }
        let dims = lines(x, n, len).map(|line| self.of_dims(line));
        tensors::from_vec(&[n], dims.collect::<TractResult<_>>()?)
    }

    fn of_dims(self, line: &[TDim]) -> TractResult<TDim> {
        let numbers = line.iter().map(|dim| dim.to_i64().ok());
        if let Some(numbers) = numbers.collect::<Option<Vec<i64>>>() {
            if matches!((self, &numbers[..]), (Max | Min, [])) {
                return Err(error::invalid("the largest or smallest of no dimensions").into());
            }
            return Ok(self.of_whole_numbers(&numbers, DatumType::I64)?.to_dim());
        }
        let zero = TDim::default();
        let all = |function, dims: &[TDim]| {
            let (first, others) = dims.split_first().unwrap_or((&zero, &[]));
            others.iter().try_fold(first.clone(), |result, dim| {
                let result = dimension(function, &result, dim)?;
                dimensions::check(&result)?;
                TractResult::Ok(result)
            })
        };
        let sum_of = |f: &dyn Fn(&TDim) -> TractResult<TDim>| {
            let dims: Vec<TDim> = line.iter().map(f).collect::<TractResult<_>>()?;
            all(Function::Add, &dims)
        };
        match self {
            L1 => sum_of(&|dim| Ok(dim.clone().maxi(-dim.clone()))),
            Max => all(Function::Max, line),
            Mean => dimension(
                Function::Div,
                &all(Function::Add, line)?,
                &line.len().to_dim(),
            ),
            Min => all(Function::Min, line),
            Prod => all(Function::Mul, line),
            SumSquare => sum_of(&|dim| dimension(Function::Mul, dim, dim)),
            _ => all(Function::Add, line),
        }
    }
}

/// More dimensions of one tensor than this, which are not known, are not reduced: tract multiplies sums out.
const MOST_UNKNOWN: usize = 8;

/// The dimensions that are reduced as one, if they are side by side.
fn along(shape: &[usize], reduced: &[bool]) -> Option<Along> {
    let first = reduced.iter().position(|&is_reduced| is_reduced)?;
    let len = reduced[first..]
        .iter()
        .take_while(|reduced| **reduced)
        .count();
    let end = first + len;
    let rest = &reduced[end..];
    rest.iter().all(|is_reduced| !is_reduced).then(|| Along {
        outer: shape[..first].iter().product(),
        len: shape[first..end].iter().product(),
        inner: shape[end..].iter().product(),
    })
}

/// `x` with the dimensions that are reduced behind the others.
fn in_lines<'a>(x: &'a Tensor, reduced: &[bool]) -> TractResult<Cow<'a, Tensor>> {
    let axes = |are_reduced| (0..reduced.len()).filter(move |&axis| reduced[axis] == are_reduced);
    let order: Vec<usize> = axes(false).chain(axes(true)).collect();
    if order.is_sorted() {
        return Ok(Cow::Borrowed(x));
    }
    Ok(Cow::Owned(x.clone().permute_axes(&order)?))
}

/// The `n` lines of `x`, each of `len` elements, which may be none.
fn lines<T>(x: &[T], n: usize, len: usize) -> impl Iterator<Item = &[T]> {
    (0..n).map(move |line| &x[line * len..][..len])
}

#[cfg(test)]
mod tests {
    use super::Reducer::{L1, L2, LogSum, LogSumExp, Max, Mean, Min, Prod, Sum, SumSquare};
    use super::*;

    const INFINITY: f64 = f64::INFINITY;

    const NAN: f64 = f64::NAN;

    #[test]
    fn finds_what_is_side_by_side() {
        let cases: [(&[bool], Option<[usize; 3]>); 7] = [
            (&[false, false, false], None),
            (&[true, false, false], Some([1, 2, 12])),
            (&[false, true, false], Some([2, 3, 4])),
            (&[false, true, true], Some([2, 12, 1])),
            (&[true, true, true], Some([1, 24, 1])),
            (&[true, false, true], None),
            (&[], None),
        ];
        for (reduced, expected) in cases {
            let shape = &[2, 3, 4][..reduced.len()];
            let along = along(shape, reduced);
            let got = along.map(|Along { outer, len, inner }| [outer, len, inner]);
            assert_eq!(got, expected, "{reduced:?}");
        }
    }

    #[test]
    fn reduces_reals() {
        let cases: [(Reducer, &[f64], f64); 24] = [
            (L1, &[1.0, -2.0], 3.0),
            (L1, &[], 0.0),
            (L2, &[3.0, -4.0], 5.0),
            (LogSum, &[0.25, 0.75], 0.0),
            (LogSum, &[], -INFINITY),
            (LogSumExp, &[], -INFINITY),
            (LogSumExp, &[1000.0, 2000.0], 2000.0),
            (LogSumExp, &[-1000.0, -2000.0], -1000.0),
            (LogSumExp, &[0.0, 0.0], std::f64::consts::LN_2),
            (LogSumExp, &[INFINITY, 1.0], INFINITY),
            (LogSumExp, &[INFINITY, -INFINITY], INFINITY),
            (LogSumExp, &[-INFINITY, -INFINITY], -INFINITY),
            (LogSumExp, &[NAN, 1.0], NAN),
            (Max, &[-3.0, -2.0], -2.0),
            (Max, &[1.0, NAN, 2.0], NAN),
            (Max, &[], -INFINITY),
            (Mean, &[1.0, 4.0], 2.5),
            (Mean, &[], 0.0),
            (Min, &[3.0, 2.0, NAN], NAN),
            (Min, &[], INFINITY),
            (Prod, &[2.0, -4.0], -8.0),
            (Prod, &[], 1.0),
            (Sum, &[], 0.0),
            (SumSquare, &[1.0, -2.0], 5.0),
        ];
        for (reducer, x, expected) in cases {
            let got = reducer.of_reals(x);
            let is_same = got == expected || got.is_nan() && expected.is_nan();
            assert!(is_same, "{reducer:?} {x:?}: {got}");
        }
        assert!(Sum.of_reals::<f64>(&[]).is_sign_positive());
    }

    fn reduced(reducer: Reducer, x: &Tensor) -> TractResult<Tensor> {
        reducer.reduce(x, &vec![true; x.rank()])
    }

    fn check<T: Datum + Copy>(reducer: Reducer, x: &[T], expected: T) {
        let got = reduced(reducer, &tensor1(x)).expect("takes them");
        assert_eq!(got, tensor1(&[expected]), "{reducer:?} {x:?}");
    }

    #[test]
    fn whole_numbers_wrap_around() {
        check(Sum, &[100_i8, 100], -56);
        check(Sum, &[200_u8, 100], 44);
        check(Sum, &[i64::MAX, 1], i64::MIN);
        check(Sum, &[u64::MAX, 3], 2);
        check(Prod, &[i32::MAX, 2], -2);
        check(Prod, &[u16::MAX, 2], u16::MAX - 1);
        check(SumSquare, &[1_i32 << 16, 3], 9);
        check(L1, &[i8::MIN, 0], i8::MIN);
        check(L1, &[-3_i16, 4], 7);
        check(L1, &[u64::MAX, 0], u64::MAX);
        check(L2, &[3_i32, 4], 5);
        check(LogSum, &[1_i64, 0], 0);
    }

    #[test]
    fn whole_numbers_are_exact() {
        check(Max, &[i64::MAX - 1, i64::MAX], i64::MAX);
        check(Max, &[-3_i8, -2], -2);
        check(Max, &[u64::MAX, 1], u64::MAX);
        check(Min, &[u64::MAX, 1], 1);
        check(Max, &[0_u32; 0], 0);
        check(Min, &[0_u32; 0], u32::MAX);
        check(Max, &[0_i8; 0], i8::MIN);
        check(Min, &[0_u64; 0], u64::MAX);
        check(Max, &[false, true], true);
        check(Min, &[false, true], false);
        check(Mean, &[i32::MAX, i32::MAX], i32::MAX);
        check(Mean, &[-7_i64, 0], -3);
        check(Mean, &[u64::MAX - 1, 0], u64::MAX / 2);
        check(Mean, &[] as &[i64], 0);
    }

    #[test]
    fn half_floats_are_reduced_in_double() {
        let halves = |x: &[f64]| tensor1(x).cast_to::<f16>().expect("floats").into_owned();
        for (reducer, expected) in [(Sum, 2.1), (Mean, 0.7), (Max, 2000.0), (L1, 4002.1)] {
            let x = halves(&[2000.0, 2.1, -2000.0]);
            let y = reduced(reducer, &x).expect("takes them");
            assert_eq!(y.datum_type(), DatumType::F16);
            let y = y.cast_to_scalar::<f64>().expect("a number");
            assert!((y - expected).abs() < 1e-3 * expected, "{reducer:?}: {y}");
        }
    }

    #[test]
    fn dimensions_stay_symbols() {
        let symbols = SymbolScope::default();
        let n = symbols.sym("n").to_dim();
        let x = tensor1(&[n.clone(), 2.to_dim(), 3.to_dim()]);
        let of = |reducer, x: &Tensor| {
            let y = reduced(reducer, x)?;
            TractResult::Ok(y.try_as_plain_ram()?.as_slice::<TDim>()?[0].clone())
        };
        assert_eq!(of(Prod, &x).expect("dims"), n.clone() * 6);
        assert_eq!(of(Sum, &x).expect("dims"), n.clone() + 5);
        assert_eq!(of(Mean, &x).expect("dims"), (n.clone() + 5) / 3);
        let values = SymbolValues::default().with(&symbols.sym("n"), 7);
        for (reducer, expected) in [(Max, 7), (Min, 2), (L1, 12), (SumSquare, 62)] {
            let y = of(reducer, &x).expect("dims").eval(&values);
            assert_eq!(y, expected.to_dim(), "{reducer:?}");
        }
        let numbers = tensor1(&[4.to_dim(), i64::MAX.to_dim()]);
        assert_eq!(of(Prod, &numbers).expect("dims"), (-4).to_dim());
        assert!(of(Max, &tensor1::<TDim>(&[])).is_err());
        assert!(of(Sum, &tensor1(&vec![n; MOST_UNKNOWN + 1])).is_err());
    }

    #[test]
    fn reduces_any_dimensions() {
        let shape = [2, 3, 4];
        let x: Vec<f32> = (0..24).map(|i| ((i * 7) % 11) as f32 - 5.0).collect();
        let tensor = tensors::from_vec(&shape, x.clone()).expect("fits");
        for choice in 0..8 {
            let reduced = [0, 1, 2].map(|axis| choice >> axis & 1 == 1);
            let kept = [0, 1, 2].map(|axis| if reduced[axis] { 1 } else { shape[axis] });
            let n: usize = kept.iter().product();
            let mut groups = vec![vec![]; n];
            for (i, &x) in x.iter().enumerate() {
                let index = [i / 12, i / 4 % 3, i % 4];
                let [a, b, c] = [0, 1, 2].map(|axis| index[axis] % kept[axis]);
                groups[(a * kept[1] + b) * kept[2] + c].push(f64::from(x));
            }
            for reducer in [L1, L2, LogSumExp, Max, Mean, Min, Prod, Sum, SumSquare] {
                let got = reducer.reduce(&tensor, &reduced).expect("floats");
                let got = got.try_as_plain_ram().expect("plain");
                let got = got.as_slice::<f32>().expect("floats");
                for (group, &got) in groups.iter().zip(got) {
                    let expected = reducer.of_reals(&group[..]) as f32;
                    let distance = (got - expected).abs();
                    assert!(distance <= 1e-6 * expected.abs(), "{reducer:?} {reduced:?}");
                }
                assert_eq!(got.len(), n);
            }
        }
    }

    #[test]
    fn what_has_no_elements_has_results() {
        let x = tensors::from_vec::<f32>(&[2, 0, 3], vec![]).expect("fits");
        for (reduced, n) in [
            ([false, true, false], 6),
            ([true, false, true], 0),
            ([true, true, false], 3),
            ([true, true, true], 1),
            ([true, false, false], 0),
        ] {
            for (reducer, value) in [(Sum, 0.0), (Prod, 1.0), (LogSumExp, f32::NEG_INFINITY)] {
                let got = reducer.reduce(&x, &reduced).expect("floats");
                assert_eq!(got, tensor1(&vec![value; n]), "{reducer:?} {reduced:?}");
            }
        }
    }
}
