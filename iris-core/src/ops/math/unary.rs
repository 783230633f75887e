//! Functions of one number, of each element of a tensor: [Abs](https://onnx.ai/onnx/operators/onnx__Abs.html),
//! [Ceil](https://onnx.ai/onnx/operators/onnx__Ceil.html), [Cos](https://onnx.ai/onnx/operators/onnx__Cos.html),
//! [Elu](https://onnx.ai/onnx/operators/onnx__Elu.html), [Erf](https://onnx.ai/onnx/operators/onnx__Erf.html), [Exp](https://onnx.ai/onnx/operators/onnx__Exp.html),
//! [Floor](https://onnx.ai/onnx/operators/onnx__Floor.html),
//! [Gelu](https://onnx.ai/onnx/operators/onnx__Gelu.html),
//! [HardSigmoid](https://onnx.ai/onnx/operators/onnx__HardSigmoid.html),
//! [LeakyRelu](https://onnx.ai/onnx/operators/onnx__LeakyRelu.html), [Log](https://onnx.ai/onnx/operators/onnx__Log.html),
//! [Mish](https://onnx.ai/onnx/operators/onnx__Mish.html),
//! [Neg](https://onnx.ai/onnx/operators/onnx__Neg.html), [Not](https://onnx.ai/onnx/operators/onnx__Not.html),
//! [Reciprocal](https://onnx.ai/onnx/operators/onnx__Reciprocal.html), [Round](https://onnx.ai/onnx/operators/onnx__Round.html),
//! [Selu](https://onnx.ai/onnx/operators/onnx__Selu.html), [Sigmoid](https://onnx.ai/onnx/operators/onnx__Sigmoid.html),
//! [Sign](https://onnx.ai/onnx/operators/onnx__Sign.html), [Sin](https://onnx.ai/onnx/operators/onnx__Sin.html), [Softplus](https://onnx.ai/onnx/operators/onnx__Softplus.html),
//! [Softsign](https://onnx.ai/onnx/operators/onnx__Softsign.html), [Sqrt](https://onnx.ai/onnx/operators/onnx__Sqrt.html),
//! [Tanh](https://onnx.ai/onnx/operators/onnx__Tanh.html),
//! [ThresholdedRelu](https://onnx.ai/onnx/operators/onnx__ThresholdedRelu.html), in all their versions, and `ScaledTanh`, which
//! was once one of them.
//!
//! Of float16, float and double, computed in double; Abs, Neg and Sign also of whole numbers, which wrap around, and Not of
//! truths.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::kernels::functions;
use crate::kernels::functions::Function;
use crate::kernels::functions::Function::{
    Abs, Ceil, Cos, Elu, Erf, Exp, Floor, Gelu, GeluTanh, HardSigmoid, LeakyRelu, Log, Mish, Neg,
    Not, Reciprocal, Round, ScaledTanh, Selu, Sigmoid, Sign, Sin, Softplus, Softsign, Sqrt, Tanh,
    ThresholdedRelu,
};
use crate::kernels::real::Real;
use crate::onnx::attributes::Attributes;
use crate::operator::node::wire_operator;
use crate::operator::{Built, Operator, facts};
use crate::value::tensors;

impl Function {
    /// What a node computes, if its operator is one of a single number.
    pub(crate) fn of(attributes: &mut Attributes<'_>) -> Result<Option<Self>> {
        let op_type = attributes.op_type();
        if op_type == "Gelu" {
            return Self::gelu(attributes).map(Some);
        }
        let mut number = |name: &str, default: Option<f32>| {
            let number = attributes.float(name)?.or(default);
            number
                .map(f64::from)
                .ok_or_else(|| attributes.missing(name))
        };
        Ok(Some(match op_type {
            "Abs" => Abs,
            "Ceil" => Ceil,
            "Cos" => Cos,
            "Elu" => Elu {
                alpha: number("alpha", Some(1.0))?,
            },
            "Exp" => Exp,
            "Floor" => Floor,
            "HardSigmoid" => HardSigmoid {
                alpha: number("alpha", Some(0.2))?,
                beta: number("beta", Some(0.5))?,
            },
            "LeakyRelu" => LeakyRelu {
                alpha: number("alpha", Some(0.01))?,
            },
            "Log" => Log,
            "Mish" => Mish,
            "Neg" => Neg,
            "Not" => Not,
            "Reciprocal" => Reciprocal,
            "ScaledTanh" => ScaledTanh {
                alpha: number("alpha", None)?,
                beta: number("beta", None)?,
            },
            "Selu" => Selu {
                alpha: number("alpha", Some(1.673_263_2))?,
                gamma: number("gamma", Some(1.050_701))?,
            },
            "Sign" => Sign,
            "Sin" => Sin,
            "Softplus" => Softplus,
            "Softsign" => Softsign,
            "Sqrt" => Sqrt,
            "Tanh" => Tanh,
            "ThresholdedRelu" => ThresholdedRelu {
                alpha: number("alpha", Some(1.0))?,
            },
            "Erf" => Erf,
            "Round" => Round,
            "Sigmoid" => Sigmoid,
            _ => return Ok(None),
        }))
    }

    fn gelu(attributes: &mut Attributes<'_>) -> Result<Self> {
        match attributes.string("approximate")?.unwrap_or("none") {
            "none" => Ok(Gelu),
            "tanh" => Ok(GeluTanh),
            other => {
                let message = format!("{other:?} is not supported");
                Err(attributes.invalid("approximate", message))
            }
        }
    }

    /// Whether it is for elements of this type, and gives such.
    pub(crate) fn takes(self, datum_type: DatumType) -> bool {
        match self {
            Not => datum_type == DatumType::Bool,
            Abs | Sign => datum_type.is_number() || datum_type == DatumType::TDim,
            Neg => {
                let is_number = datum_type.is_number() && !datum_type.is_unsigned();
                is_number || datum_type == DatumType::TDim
            }
            // onnxruntime has no other type, either.
            Erf => datum_type == DatumType::F32,
            _ => datum_type.is_float(),
        }
    }
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let function = Function::of(attributes)?;
    let function = function.ok_or_else(|| error::invalid("no function of one number"))?;
    Ok(Built::operator(Unary(function)))
}

/// Wires `function` of a tensor into a typed graph.
pub(crate) fn wire(
    name: &str,
    model: &mut TypedModel,
    function: Function,
    x: OutletId,
) -> TractResult<OutletId> {
    wire_operator("Function", name, model, Unary(function), &[x])
}

#[derive(Debug)]
struct Unary(Function);

impl Operator for Unary {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        if !self.0.takes(x.datum_type) {
            let (function, got) = (self.0, x.datum_type);
            return Err(error::invalid(format!("{function:?} of {got:?}")));
        }
        Ok(tvec![x.datum_type.fact(x.shape.iter())])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        rank > 0
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        Ok(tvec![computed(self.0, &inputs[0])?.into_tvalue()])
    }
}

fn filled<T: Real + Datum>(function: Function, x: &Tensor) -> TractResult<Tensor> {
    let view = x.try_as_plain_ram()?;
    tensors::filled(x.shape(), |y: &mut [T]| {
        functions::fill(function, view.as_slice::<T>()?, y);
        Ok(())
    })
}

fn computed(function: Function, x: &Tensor) -> TractResult<Tensor> {
    fn each<T: Datum>(x: &Tensor, f: impl Fn(&T) -> T) -> TractResult<Tensor> {
        let view = x.try_as_plain_ram()?;
        tensors::from_vec(x.shape(), view.as_slice::<T>()?.iter().map(f).collect())
    }
    let datum_type = x.datum_type();
    match datum_type {
        DatumType::F32 => filled::<f32>(function, x),
        DatumType::F64 if function.is_for_doubles() => filled::<f64>(function, x),
        DatumType::F64 => each(x, |&x: &f64| function.of_double(x)),
        DatumType::I64 => each(x, |&x: &i64| function.of_integer(x)),
        DatumType::Bool => each(x, |x: &bool| !x),
        DatumType::TDim if function == Neg => each(x, |x: &TDim| -x.clone()),
        _ if datum_type.is_unsigned() && function == Abs => Ok(x.clone()),
        // The sign of a uint64 is 0 or 1; as int64, large numbers would be negative.
        DatumType::U64 => each(x, |&x: &u64| x.min(1)),
        _ => {
            let wide = if datum_type.is_float() {
                DatumType::F32
            } else {
                DatumType::I64
            };
            let y = computed(function, &*x.cast_to_dt(wide)?)?;
            Ok(y.cast_to_dt(datum_type)?.into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::functions::Function::{
        Abs, Ceil, Cos, Elu, Erf, Exp, Floor, HardSigmoid, LeakyRelu, Log, Neg, Not, Reciprocal,
        Round, ScaledTanh, Selu, Sigmoid, Sign, Sin, Softplus, Softsign, Sqrt, Tanh,
        ThresholdedRelu,
    };

    const ALL: [Function; 26] = [
        Abs,
        Ceil,
        Cos,
        Elu { alpha: 0.5 },
        Erf,
        Exp,
        Floor,
        Gelu,
        GeluTanh,
        HardSigmoid {
            alpha: 0.25,
            beta: 0.5,
        },
        LeakyRelu { alpha: 0.25 },
        Log,
        Mish,
        Neg,
        Reciprocal,
        Round,
        ScaledTanh {
            alpha: 2.0,
            beta: 0.5,
        },
        Selu {
            alpha: 1.5,
            gamma: 2.0,
        },
        Sigmoid,
        Sign,
        Sin,
        Softplus,
        Softsign,
        Sqrt,
        Tanh,
        ThresholdedRelu { alpha: 1.0 },
    ];

    #[test]
    fn floats_are_as_doubles() {
        let x: Vec<f32> = (-2000..2000_i16)
            .map(|x| f32::from(x) * 0.0517)
            .chain([
                0.0,
                1e-30,
                -1e-9,
                3e-4,
                1e30,
                -1e30,
                f32::INFINITY,
                f32::NEG_INFINITY,
                f32::NAN,
            ])
            .collect();
        for function in ALL {
            let got = computed(function, &tensor1(&x)).expect("computes");
            let got = got.try_as_plain_ram().expect("is plain");
            for (&x, &got) in x.iter().zip(got.as_slice::<f32>().expect("floats")) {
                let expected = function.of_double(f64::from(x)) as f32;
                let close = (got - expected).abs() <= 1.2e-7 * expected.abs();
                assert!(
                    got == expected || close || got.is_nan() && expected.is_nan(),
                    "{function:?}({x:e}): {got:e} {expected:e}"
                );
            }
            if function == Erf {
                continue;
            }
            let half: Vec<f16> = x.iter().map(|&x| f16::from_f32(x)).collect();
            let half = computed(function, &tensor1(&half)).expect("computes");
            assert_eq!(half.datum_type(), DatumType::F16);
        }
    }

    #[test]
    fn whole_numbers_wrap_around() {
        let of = |function, x: Tensor| computed(function, &x).expect("computes");
        assert_eq!(of(Abs, tensor1(&[i8::MIN, -3])), tensor1(&[i8::MIN, 3]));
        assert_eq!(of(Neg, tensor1(&[i64::MIN, -3])), tensor1(&[i64::MIN, 3]));
        assert_eq!(of(Sign, tensor1(&[-7_i32, 0, 7])), tensor1(&[-1, 0, 1]));
        assert_eq!(of(Sign, tensor1(&[u64::MAX, 0])), tensor1(&[1_u64, 0]));
        assert_eq!(of(Sign, tensor1(&[255_u8, 0])), tensor1(&[1_u8, 0]));
        assert_eq!(of(Abs, tensor1(&[u64::MAX])), tensor1(&[u64::MAX]));
        assert_eq!(of(Not, tensor1(&[true, false])), tensor1(&[false, true]));
        let n = SymbolScope::default().sym("n").to_dim();
        assert_eq!(of(Neg, tensor0(n.clone())), tensor0(-n));
        assert_eq!(of(Abs, tensor0((-3).to_dim())), tensor0(3.to_dim()));
        assert!(
            !Neg.takes(DatumType::U8) && !Sqrt.takes(DatumType::I64) && !Not.takes(DatumType::F32)
        );
    }
}
