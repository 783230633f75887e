//! Functions of two numbers, of tensors whose shapes broadcast as numpy's do:
//! [Add](https://onnx.ai/onnx/operators/onnx__Add.html), [And](https://onnx.ai/onnx/operators/onnx__And.html),
//! [Div](https://onnx.ai/onnx/operators/onnx__Div.html), [Equal](https://onnx.ai/onnx/operators/onnx__Equal.html),
//! [Greater](https://onnx.ai/onnx/operators/onnx__Greater.html), [Max](https://onnx.ai/onnx/operators/onnx__Max.html),
//! [Mean](https://onnx.ai/onnx/operators/onnx__Mean.html), [Mod](https://onnx.ai/onnx/operators/onnx__Mod.html),
//! [Mul](https://onnx.ai/onnx/operators/onnx__Mul.html), [Or](https://onnx.ai/onnx/operators/onnx__Or.html),
//! [Sub](https://onnx.ai/onnx/operators/onnx__Sub.html) and their kin, in all their versions.
//!
//! Of all types of numbers; whole numbers wrap around, and a division of such by 0 is an error. Of what is no number the larger
//! and the smaller are that. Operands of two types are computed in one that holds both.

use std::cell::RefCell;
use std::cmp::Ordering;

use tract_onnx::tract_core::num_traits::{
    CheckedRem, Float, PrimInt, WrappingAdd, WrappingMul, WrappingSub,
};
use tract_onnx::tract_core::tract_data::TooEarly;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::broadcast::multi_broadcast;

use crate::error;
use crate::error::{Error, Result};
use crate::kernels::broadcast::Lines;
use crate::onnx::attributes::Attributes;
use crate::operator::node::{constant, operator_of, wire_operator};
use crate::operator::{Built, Operator, dimensions, facts};
use crate::ops::shape::cast;
use crate::value::tensors;
use Function::{
    Add, And, Div, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Max, Min, Mod, Mul, Or, Rem,
    Sub, Xor,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Add,
    And,
    Div,
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Max,
    Min,
    /// The remainder has the sign of the divisor.
    Mod,
    Mul,
    Or,
    /// The remainder has the sign of the dividend.
    Rem,
    Sub,
    Xor,
}

impl Function {
    fn name(self) -> &'static str {
        match self {
            Add => "Add",
            And => "And",
            Div => "Div",
            Equal => "Equal",
            Greater => "Greater",
            GreaterOrEqual => "GreaterOrEqual",
            Less => "Less",
            LessOrEqual => "LessOrEqual",
            Max => "Max",
            Min => "Min",
            Mod | Rem => "Mod",
            Mul => "Mul",
            Or => "Or",
            Sub => "Sub",
            Xor => "Xor",
        }
    }

    fn compares(self) -> bool {
        matches!(self, Equal | Greater | GreaterOrEqual | Less | LessOrEqual)
    }

    fn divides(self) -> bool {
        matches!(self, Div | Mod | Rem)
    }

    /// The type of what it gives of two of `operand`, if it is for those.
    fn output_type(self, operand: DatumType) -> Option<DatumType> {
        let is_number = operand.is_number() || operand == DatumType::TDim;
        let is_for_it = match self {
            And | Or | Xor => operand == DatumType::Bool,
            Equal => is_number || matches!(operand, DatumType::Bool | DatumType::String),
            _ => is_number,
        };
        let output = if self.compares() {
            DatumType::Bool
        } else {
            operand
        };
        is_for_it.then_some(output)
    }
}

/// An operator of two inputs.
pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let function = match attributes.op_type() {
        "Add" => Add,
        "And" => And,
        "Div" => Div,
        "Equal" => Equal,
        "Greater" => Greater,
        "GreaterOrEqual" => GreaterOrEqual,
        "Less" => Less,
        "LessOrEqual" => LessOrEqual,
        "Mod" if attributes.flag("fmod")? => Rem,
        "Mod" => Mod,
        "Mul" => Mul,
        "Or" => Or,
        "Xor" => Xor,
        _ => Sub,
    };
    check_broadcast(attributes)?;
    Ok(Built::expansion(move |name, model, inputs| {
        Ok(tvec![wire(name, model, function, [inputs[0], inputs[1]])?])
    }))
}

/// Before version 7 an input that is to broadcast is marked, and from which axis on, which is not supported.
pub(crate) fn check_broadcast(attributes: &mut Attributes<'_>) -> Result<()> {
    if attributes.version() < 7 {
        attributes.int("broadcast")?;
        if attributes.int("axis")?.is_some() {
            return Err(attributes.invalid("axis", "only the last dimensions broadcast"));
        }
    }
    Ok(())
}

/// An operator of one input or more.
pub(crate) fn build_of_several(attributes: &mut Attributes<'_>) -> Result<Built> {
    let (function, is_mean) = match attributes.op_type() {
        "Max" => (Max, false),
        "Min" => (Min, false),
        "Mean" => (Add, true),
        _ => (Add, false),
    };
    Ok(Built::expansion(move |name, model, inputs| {
        let inputs = cast::wire_in_one_type(name, model, inputs)?;
        let datum_type = model.outlet_fact(inputs[0])?.datum_type;
        // Several floats are added in double, and rounded once.
        let is_wide = function == Add && inputs.len() > 2 - usize::from(is_mean);
        let wide = match datum_type {
            DatumType::F16 | DatumType::F32 if is_wide => DatumType::F64,
            other => other,
        };
        // A name for each step would be as many copies of the node's, which a file may make long.
        let mut result = cast::wire("", model, wide, inputs[0])?;
        for &other in &inputs[1..] {
            let other = cast::wire("", model, wide, other)?;
            result = wire("", model, function, [result, other])?;
        }
        if is_mean {
            let n = tensor0(inputs.len() as i64).cast_to_dt(wide)?.into_owned();
            let n = constant(&format!("{name}.n"), model, n)?;
            result = wire(name, model, Div, [result, n])?;
        }
        Ok(tvec![cast::wire(name, model, datum_type, result)?])
    }))
}

/// Wires `function` of two tensors into a typed graph.
pub(crate) fn wire(
    name: &str,
    model: &mut TypedModel,
    function: Function,
    operands: [OutletId; 2],
) -> TractResult<OutletId> {
    let operands = cast::wire_in_one_type(name, model, &operands)?;
    wire_operator(function.name(), name, model, Binary(function), &operands)
}

/// What `node` computes of its two inputs, if it is such a function.
pub(crate) fn function_of(node: &TypedNode) -> Option<Function> {
    Some(operator_of::<Binary>(node)?.0)
}

#[derive(Debug)]
struct Binary(Function);

impl Operator for Binary {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [a, b] = facts::inputs(inputs)?;
        let shape = multi_broadcast(&[a.shape.dims(), b.shape.dims()]).map_err(error::invalid)?;
        let output = self.0.output_type(a.datum_type);
        match output.filter(|_| a.datum_type == b.datum_type) {
            Some(output) => Ok(tvec![output.fact(shape)]),
            None => {
                let (name, a, b) = (self.0.name(), a.datum_type, b.datum_type);
                Err(error::invalid(format!("{name} of {a:?} and {b:?}")))
            }
        }
    }

    /// Where the second operand has nothing of its own for any row of the first.
    fn maps_rows_of(&self, inputs: &[&TypedFact]) -> bool {
        let [a, b] = inputs else {
            return false;
        };
        a.rank() > b.rank() || a.rank() == b.rank() && b.shape.first().is_some_and(TDim::is_one)
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let operands = [&*inputs[0], &*inputs[1]];
        Ok(tvec![computed(self.0, operands)?.into_tvalue()])
    }
}

/// `function` of two tensors of one type.
fn computed(function: Function, operands: [&Tensor; 2]) -> TractResult<Tensor> {
    let datum_type = operands[0].datum_type();
    match datum_type {
        DatumType::F32 => floats::<f32>(function, operands),
        DatumType::F64 => floats::<f64>(function, operands),
        DatumType::I32 => integers::<i32>(function, operands),
        DatumType::I64 => integers::<i64>(function, operands),
        DatumType::U64 => integers::<u64>(function, operands),
        DatumType::Bool => truths(function, operands),
        DatumType::String => each::<String, bool>(operands, |a, b| a == b),
        DatumType::TDim => of_dimensions(function, operands),
        _ => {
            let wide = if datum_type.is_float() {
                DatumType::F32
            } else {
                DatumType::I64
            };
            let [a, b] = [operands[0].cast_to_dt(wide)?, operands[1].cast_to_dt(wide)?];
            let result = computed(function, [&a, &b])?;
            if result.datum_type() == wide {
                return Ok(result.cast_to_dt(datum_type)?.into_owned());
            }
            Ok(result)
        }
    }
}

/// `f` of each two elements.
fn each<T: Datum, U: Datum>(
    operands: [&Tensor; 2],
    f: impl Fn(&T, &T) -> U,
) -> TractResult<Tensor> {
    let [a, b] = operands;
    let shapes = [a.shape(), b.shape()];
    let lines = Lines::new(shapes).with_context(|| format!("{shapes:?} do not broadcast"))?;
    let (a, b) = (a.try_as_plain_ram()?, b.try_as_plain_ram()?);
    let (a, b) = (a.as_slice::<T>()?, b.as_slice::<T>()?);
    let mut result = tensors::empty(U::datum_type(), &lines.shape)?;
    let mut view = result.try_as_plain_ram_mut()?;
    lines.for_each(
        view.as_slice_mut::<U>()?,
        |[at_a, at_b], line| match lines.steps {
            [0, 0] => line.fill(f(&a[at_a], &b[at_b])),
            [0, _] => {
                let (a, b) = (&a[at_a], &b[at_b..][..line.len()]);
                line.iter_mut().zip(b).for_each(|(slot, b)| *slot = f(a, b));
            }
            [_, 0] => {
                let (a, b) = (&a[at_a..][..line.len()], &b[at_b]);
                line.iter_mut().zip(a).for_each(|(slot, a)| *slot = f(a, b));
            }
            _ => {
                let pairs = a[at_a..][..line.len()].iter().zip(&b[at_b..][..line.len()]);
                line.iter_mut()
                    .zip(pairs)
                    .for_each(|(slot, (a, b))| *slot = f(a, b));
            }
        },
    );
    Ok(result)
}

/// What compares two numbers.
fn compared<T: Datum + PartialOrd>(
    function: Function,
    [a, b]: [&Tensor; 2],
) -> TractResult<Tensor> {
    match function {
        Equal => each([a, b], |a: &T, b: &T| a == b),
        Greater => each([a, b], |a: &T, b: &T| a > b),
        Less => each([b, a], |b: &T, a: &T| b > a),
        GreaterOrEqual => each([a, b], |a: &T, b: &T| a >= b),
        _ => each([b, a], |b: &T, a: &T| b >= a),
    }
}

fn floats<T: Datum + Float>(function: Function, operands: [&Tensor; 2]) -> TractResult<Tensor> {
    let is_opposite = |a: T, b: T| a < T::zero() && b > T::zero() || a > T::zero() && b < T::zero();
    match function {
        Add => each(operands, |&a: &T, &b: &T| a + b),
        Sub => each(operands, |&a: &T, &b: &T| a - b),
        Mul => each(operands, |&a: &T, &b: &T| a * b),
        Div => each(operands, |&a: &T, &b: &T| a / b),
        Max => each(
            operands,
            |&a: &T, &b: &T| if a > b || a.is_nan() { a } else { b },
        ),
        Min => each(
            operands,
            |&a: &T, &b: &T| if a < b || a.is_nan() { a } else { b },
        ),
        Rem => each(operands, |&a: &T, &b: &T| a % b),
        Mod => each(operands, |&a: &T, &b: &T| {
            let rest = a % b;
            if is_opposite(rest, b) { rest + b } else { rest }
        }),
        _ => compared::<T>(function, operands),
    }
}

fn integers<T>(function: Function, operands: [&Tensor; 2]) -> TractResult<Tensor>
where
    T: Datum + PrimInt + CheckedRem + WrappingAdd + WrappingSub + WrappingMul,
{
    if function.divides() {
        let divisors = operands[1].try_as_plain_ram()?;
        if divisors.as_slice::<T>()?.contains(&T::zero()) {
            return Err(Error::input(format!("{}: division by zero", function.name())).into());
        }
    }
    // The smallest number divided by -1 is itself.
    let rest = |a: T, b: T| a.checked_rem(&b).unwrap_or_else(T::zero);
    match function {
        Add => each(operands, |a: &T, b: &T| a.wrapping_add(b)),
        Sub => each(operands, |a: &T, b: &T| a.wrapping_sub(b)),
        Mul => each(operands, |a: &T, b: &T| a.wrapping_mul(b)),
        Div => each(operands, |&a: &T, b: &T| a.checked_div(b).unwrap_or(a)),
        Max => each(operands, |&a: &T, &b: &T| a.max(b)),
        Min => each(operands, |&a: &T, &b: &T| a.min(b)),
        Rem => each(operands, |&a: &T, &b: &T| rest(a, b)),
        Mod => each(operands, |&a: &T, b: &T| {
            let rest = rest(a, *b);
            let is_opposite = !rest.is_zero() && (rest < T::zero()) != (*b < T::zero());
            if is_opposite {
                rest.wrapping_add(b)
            } else {
                rest
            }
        }),
        _ => compared::<T>(function, operands),
    }
}

fn truths(function: Function, operands: [&Tensor; 2]) -> TractResult<Tensor> {
    match function {
        And => each(operands, |&a: &bool, &b: &bool| a && b),
        Or => each(operands, |&a: &bool, &b: &bool| a || b),
        Xor => each(operands, |&a: &bool, &b: &bool| a != b),
        _ => each(operands, |a: &bool, b: &bool| a == b),
    }
}

/// Of dimensions, some of which are no numbers yet.
fn of_dimensions(function: Function, [a, b]: [&Tensor; 2]) -> TractResult<Tensor> {
    if let (Ok(a), Ok(b)) = (a.cast_to::<i64>(), b.cast_to::<i64>()) {
        let result = integers::<i64>(function, [&a, &b])?;
        return Ok(match result.datum_type() {
            DatumType::I64 => dimensions::of_tensor(&result)?,
            _ => result,
        });
    }
    let failure = RefCell::new(None);
    let keep = |error| {
        failure.replace(Some(error));
    };
    let result = if function.compares() {
        each([a, b], |a: &TDim, b: &TDim| {
            compared_dimensions(function, a, b)
                .map_err(keep)
                .unwrap_or_default()
        })
    } else {
        each([a, b], |a: &TDim, b: &TDim| {
            dimension(function, a, b).map_err(keep).unwrap_or_default()
        })
    };
    failure.into_inner().map_or(result, Err)
}

/// The most symbols and numbers in a sum, and in a product, whose simplification takes time that grows by their power.
const MOST_TERMS: usize = 32;
const MOST_FACTORS: usize = 8;

/// How many symbols and numbers `dim` is made of.
fn n_terms(dim: &TDim) -> usize {
    let all = |terms: &[TDim]| terms.iter().map(n_terms).sum();
    match dim {
        TDim::Add(terms)
        | TDim::Mul(terms)
        | TDim::Broadcast(terms)
        | TDim::Min(terms)
        | TDim::Max(terms) => all(terms),
        TDim::MulInt(_, dim) | TDim::Div(dim, _) => 1 + n_terms(dim),
        _ => 1,
    }
}

pub(crate) fn dimension(function: Function, a: &TDim, b: &TDim) -> TractResult<TDim> {
    dimensions::check_numbers(matches!(function, Add | Sub | Max | Min), a, b)?;
    let most = if function == Mul {
        MOST_FACTORS
    } else {
        MOST_TERMS
    };
    let n_terms = n_terms(a) + n_terms(b);
    if n_terms > most {
        let name = function.name();
        let message = format!("{name} of dimensions that {n_terms} others make, more than {most}");
        return Err(error::invalid(message).into());
    }
    Ok(match function {
        Add => a.clone() + b,
        Sub => a.clone() - b,
        Mul => a.clone() * b,
        Max => a.clone().maxi(b.clone()),
        Min => a.clone().mini(b.clone()),
        other => {
            let divisor = b.to_i64()?;
            let Some(divisor) = u64::try_from(divisor).ok().filter(|divisor| *divisor > 0) else {
                let message = format!("{}: {a} divided by {divisor}", other.name());
                return Err(error::invalid(message).into());
            };
            if other == Div {
                a.clone() / divisor
            } else {
                a.clone() % divisor
            }
        }
    })
}

/// How `a` compares with `b`, if that is so whatever they will be.
fn compared_dimensions(function: Function, a: &TDim, b: &TDim) -> TractResult<bool> {
    // No dimension is negative, and none is as large as a number that is far from 0.
    let of_sign = |number: i64| number.cmp(&0);
    let far = match (a.to_i64(), b.to_i64()) {
        (Ok(a), Ok(b)) => Some(a.cmp(&b)),
        (Ok(number), Err(_)) if dimensions::is_far(a) => Some(of_sign(number)),
        (Err(_), Ok(number)) if dimensions::is_far(b) => Some(of_sign(number).reverse()),
        _ => None,
    };
    let difference = match far {
        Some(_) => TDim::default(),
        None => a.clone() - b,
    };
    let is_negative = |dim: &TDim| dim.to_i64().is_ok_and(|size| size < 0);
    let is_less = difference.prove_strict_negative() || is_negative(a);
    let is_greater = difference.prove_strict_positive() || is_negative(b);
    let known = match function {
        _ if far.is_some() => far,
        _ if a == b => Some(Ordering::Equal),
        _ if is_less => Some(Ordering::Less),
        _ if is_greater => Some(Ordering::Greater),
        _ => None,
    };
    match (function, known) {
        (Equal, Some(known)) => Ok(known.is_eq()),
        (Greater, Some(known)) => Ok(known.is_gt()),
        (GreaterOrEqual, Some(known)) => Ok(known.is_ge()),
        (Less, Some(known)) => Ok(known.is_lt()),
        (_, Some(known)) => Ok(known.is_le()),
        (GreaterOrEqual, None) if difference.prove_positive_or_zero() => Ok(true),
        (Less, None) if difference.prove_positive_or_zero() => Ok(false),
        (Greater, None) if difference.prove_negative_or_zero() => Ok(false),
        (LessOrEqual, None) if difference.prove_negative_or_zero() => Ok(true),
        (_, None) => bail!(TooEarly::UndeterminedSymbol(difference.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::Function::{
        Add, And, Div, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Max, Min, Mod, Mul, Or,
        Rem, Sub,
    };
    use super::*;

    fn of<T: Datum + Copy>(function: Function, a: &[T], b: &[T]) -> TractResult<Tensor> {
        let operands = [tensor1(a), tensor1(b)];
        computed(function, [&operands[0], &operands[1]])
    }

    #[test]
    fn computes_floats() {
        let (a, b) = ([5.5_f32, -5.5, 5.5, -5.5, 0.0], [2.0, 2.0, -2.0, -2.0, 3.0]);
        let expected = [
            (Add, [7.5, -3.5, 3.5, -7.5, 3.0]),
            (Sub, [3.5, -7.5, 7.5, -3.5, -3.0]),
            (Mul, [11.0, -11.0, -11.0, 11.0, 0.0]),
            (Div, [2.75, -2.75, -2.75, 2.75, 0.0]),
            (Max, [5.5, 2.0, 5.5, -2.0, 3.0]),
            (Min, [2.0, -5.5, -2.0, -5.5, 0.0]),
            (Rem, [1.5, -1.5, 1.5, -1.5, 0.0]),
            (Mod, [1.5, 0.5, -0.5, -1.5, 0.0]),
        ];
        for (function, expected) in expected {
            assert_eq!(
                of(function, &a, &b).expect("computes"),
                tensor1(&expected),
                "{function:?}"
            );
            let wide = of(function, &a.map(f64::from), &b.map(f64::from)).expect("computes");
            assert_eq!(wide, tensor1(&expected.map(f64::from)), "{function:?}");
            let half =
                of(function, &a.map(f16::from_f32), &b.map(f16::from_f32)).expect("computes");
            assert_eq!(half, tensor1(&expected.map(f16::from_f32)), "{function:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_neither_larger_nor_smaller() {
        for (a, b) in [(f32::NAN, 1.0), (1.0, f32::NAN)] {
            for function in [Max, Min] {
                let got = of(function, &[a], &[b]).expect("computes");
                assert!(
                    got.cast_to_scalar::<f32>().expect("a number").is_nan(),
                    "{function:?}"
                );
            }
            for function in [Equal, Greater, GreaterOrEqual, Less, LessOrEqual] {
                assert_eq!(
                    of(function, &[a], &[b]).expect("compares"),
                    tensor1(&[false])
                );
            }
        }
    }

    #[test]
    fn compares() {
        let (a, b) = ([1, 2, 3], [2, 2, 2]);
        let expected = [
            (Equal, [false, true, false]),
            (Greater, [false, false, true]),
            (GreaterOrEqual, [false, true, true]),
            (Less, [true, false, false]),
            (LessOrEqual, [true, true, false]),
        ];
        for (function, expected) in expected {
            let expected = tensor1(&expected);
            assert_eq!(
                of(function, &a.map(|x| x as u8), &b.map(|x| x as u8)).expect("compares"),
                expected
            );
            assert_eq!(
                of(function, &a.map(i64::from), &b.map(i64::from)).expect("compares"),
                expected
            );
            assert_eq!(
                of(function, &a.map(f64::from), &b.map(f64::from)).expect("compares"),
                expected
            );
        }
        let largest = of(Greater, &[u64::MAX], &[1]).expect("compares");
        assert_eq!(largest, tensor1(&[true]));
    }

    #[test]
    fn whole_numbers_wrap_around() {
        assert_eq!(
            of(Add, &[127_i8], &[1]).expect("computes"),
            tensor1(&[-128_i8])
        );
        assert_eq!(
            of(Sub, &[0_u16], &[1]).expect("computes"),
            tensor1(&[u16::MAX])
        );
        assert_eq!(
            of(Mul, &[i64::MAX], &[2]).expect("computes"),
            tensor1(&[-2_i64])
        );
        assert_eq!(
            of(Div, &[i32::MIN, 7], &[-1, -2]).expect("computes"),
            tensor1(&[i32::MIN, -3])
        );
        assert_eq!(
            of(Div, &[i64::MIN], &[-1]).expect("computes"),
            tensor1(&[i64::MIN])
        );
        assert_eq!(
            of(Rem, &[i64::MIN, -7, 7], &[-1, 4, -4]).expect("computes"),
            tensor1(&[0_i64, -3, 3])
        );
        assert_eq!(
            of(Mod, &[i64::MIN, -7, 7], &[-1, 4, -4]).expect("computes"),
            tensor1(&[0_i64, 1, -1])
        );
        assert_eq!(
            of(Div, &[u64::MAX], &[2]).expect("computes"),
            tensor1(&[u64::MAX / 2])
        );
        for function in [Div, Mod, Rem] {
            let error = of(function, &[1_i32, 2], &[1, 0]).expect_err("no number");
            assert!(error.to_string().contains("division by zero"), "{error}");
        }
    }

    #[test]
    fn knows_what_is_so_of_any_dimension() {
        let symbols = SymbolScope::default();
        let n = symbols.sym("n").to_dim();
        let of = |function, a: TDim, b: TDim| {
            let operands = [tensor0(a), tensor0(b)];
            computed(function, [&operands[0], &operands[1]])
        };
        let sum = of(Add, n.clone(), 2.to_dim()).expect("computes");
        assert_eq!(sum, tensor0(n.clone() + 2));
        assert_eq!(
            of(Mul, 3.to_dim(), 2.to_dim()).expect("computes"),
            tensor0(6.to_dim())
        );
        assert_eq!(
            of(Div, n.clone() * 4, 2.to_dim()).expect("computes"),
            tensor0(n.clone() * 2)
        );
        assert_eq!(
            of(Equal, n.clone(), n.clone()).expect("is so"),
            tensor0(true)
        );
        assert_eq!(
            of(Equal, n.clone(), (-1).to_dim()).expect("is not so"),
            tensor0(false)
        );
        assert_eq!(
            of(Greater, n.clone() + 1, n.clone()).expect("is so"),
            tensor0(true)
        );
        let error = of(Equal, n.clone(), 3.to_dim()).expect_err("may be so");
        assert!(error.root_cause().is::<TooEarly>());
        assert!(of(Div, n.clone(), 0.to_dim()).is_err());
        assert!(of(Div, 3.to_dim(), 0.to_dim()).is_err());
        assert!(of(Mod, n.clone(), (-2).to_dim()).is_err());
        for function in [Mul, Max] {
            let mut product = n.clone() + 1;
            let mut grown = || {
                product = dimension(function, &product, &(product.clone() + &n))?;
                TractResult::Ok(())
            };
            assert!((0..100).any(|_| grown().is_err()), "{function:?}");
        }
    }

    #[test]
    fn truths_and_texts() {
        let (a, b) = ([true, true, false, false], [true, false, true, false]);
        assert_eq!(
            of(And, &a, &b).expect("computes"),
            tensor1(&[true, false, false, false])
        );
        assert_eq!(
            of(Or, &a, &b).expect("computes"),
            tensor1(&[true, true, true, false])
        );
        assert_eq!(
            of(Equal, &a, &b).expect("computes"),
            tensor1(&[true, false, false, true])
        );
        let texts = [
            tensor1(&["a".to_string(), "b".into()]),
            tensor1(&["a".to_string()]),
        ];
        let same = computed(Equal, [&texts[0], &texts[1]]).expect("compares");
        assert_eq!(same, tensor1(&[true, false]));
        assert_eq!(Add.output_type(DatumType::String), None);
        assert_eq!(And.output_type(DatumType::I64), None);
    }
}
