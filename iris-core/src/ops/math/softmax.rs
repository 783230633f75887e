//! [Softmax](https://onnx.ai/onnx/operators/onnx__Softmax.html) and
//! [LogSoftmax](https://onnx.ai/onnx/operators/onnx__LogSoftmax.html), versions 1 to 13.
//!
//! `input` float16, float or double gives `output` of the same type and shape, computed in double: along dimension `axis`
//! or, before version 13, along all dimensions from `axis` on as if they were one.

use pulp::NullaryFnOnce;
use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::kernels::along::Along;
use crate::kernels::exp::exp;
use crate::kernels::post_transform::PostTransform;
use crate::kernels::simd;
use crate::kernels::softmax::softmax;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, axes, facts};
use crate::value::tensors;

#[derive(Debug)]
struct Softmax {
    axis: i64,
    /// Whether the dimensions behind that of the axis belong to it.
    takes_rest: bool,
    is_logarithm: bool,
}

/// Before version 13.
pub(crate) fn build_1(attributes: &mut Attributes<'_>) -> Result<Built> {
    build(attributes, 1, true)
}

/// Version 13.
pub(crate) fn build_13(attributes: &mut Attributes<'_>) -> Result<Built> {
    build(attributes, -1, false)
}

fn build(attributes: &mut Attributes<'_>, default_axis: i64, takes_rest: bool) -> Result<Built> {
    let softmax = Softmax {
        axis: attributes.int("axis")?.unwrap_or(default_axis),
        takes_rest,
        is_logarithm: attributes.node().op_type == "LogSoftmax",
    };
    Ok(Built::operator(softmax))
}

/// The numbers of one line, in whose places the results are put.
struct Line<'a> {
    numbers: &'a mut [f64],
    is_logarithm: bool,
}

impl NullaryFnOnce for Line<'_> {
    type Output = ();

    #[allow(
        clippy::inline_always,
        reason = "code is compiled for a level of instructions only where it is inlined"
    )]
    #[inline(always)]
    fn call(self) {
        if self.is_logarithm {
            // What is not a number makes all of them that, whether it is the largest or not.
            let largest = |max, &x: &f64| if x > max { x } else { max };
            let base = self.numbers.iter().fold(f64::NEG_INFINITY, largest);
            let powers = self.numbers.iter().map(|x| exp(x - base));
            let shift = powers.sum::<f64>().ln();
            self.numbers.iter_mut().for_each(|x| *x = *x - base - shift);
        } else {
            let lanes = self.numbers.as_chunks_mut::<1>().0;
            PostTransform::Softmax.apply_to_lanes(lanes);
        }
    }
}

impl Softmax {
    fn axis(&self, rank: usize) -> Result<usize> {
        if self.takes_rest && usize::try_from(self.axis) == Ok(rank) {
            // Each number is a line.
            return Ok(rank);
        }
        axes::resolve(self.axis, rank)
    }

    fn along(&self, shape: &[usize]) -> Result<Along> {
        let axis = self.axis(shape.len())?;
        if !self.takes_rest {
            return Ok(Along::new(shape, axis));
        }
        let (outer, rest) = shape.split_at(axis);
        Ok(Along {
            outer: outer.iter().product(),
            len: rest.iter().product(),
            inner: 1,
        })
    }
}

impl Operator for Softmax {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_float("input", x)?;
        self.axis(x.rank())?;
        Ok(tvec![x.datum_type.fact(x.shape.iter())])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        self.axis(rank).is_ok_and(|axis| axis > 0)
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let along = self.along(x.shape())?;
        let is_of_kernel = x.datum_type() == DatumType::F32 && along.inner == 1 && x.len() > 0;
        let y = if is_of_kernel && !self.is_logarithm {
            let plain = x.try_as_plain_ram()?;
            tensors::filled(x.shape(), |y| {
                softmax(plain.as_slice::<f32>()?, along.len, y);
                Ok(())
            })
        } else {
            let is_logarithm = self.is_logarithm;
            axes::map_lines(x, along, &|numbers| {
                simd::dispatch(Line {
                    numbers,
                    is_logarithm,
                });
            })
        }?;
        Ok(tvec![y.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of the numbers of each line, by the definition.
    fn lines(softmax: &Softmax, shape: [usize; 3]) -> Vec<Vec<usize>> {
        let axis = softmax.axis(3).expect("is one of them");
        let is_along = |at: usize| at == axis || at > axis && softmax.takes_rest;
        let mut lines: HashMap<[usize; 3], Vec<usize>> = HashMap::new();
        for place in 0..shape.iter().product() {
            let index = [
                place / (shape[1] * shape[2]),
                place / shape[2] % shape[1],
                place % shape[2],
            ];
            let line = [0, 1, 2].map(|at| if is_along(at) { 0 } else { index[at] });
            lines.entry(line).or_default().push(place);
        }
        lines.into_values().collect()
    }

    fn eval(softmax: &Softmax, x: &Tensor) -> Tensor {
        let y = softmax.eval(&[x.clone().into_tvalue()], &[0]);
        y.expect("takes it").remove(0).into_tensor()
    }

    #[test]
    fn agrees_with_the_definition() {
        let shape = [3, 4, 2];
        let x: Vec<f64> = (0..24).map(|i| f64::from(i * 7 % 11) * 0.5 - 3.0).collect();
        let tensor = tensors::from_vec(&shape, x.clone()).expect("fits");
        for (axis, takes_rest) in (-3..3).flat_map(|axis| [(axis, false), (axis, true)]) {
            for is_logarithm in [false, true] {
                let softmax = Softmax {
                    axis,
                    takes_rest,
                    is_logarithm,
                };
                let mut expected = vec![0.0; 24];
                for line in lines(&softmax, shape) {
                    let sum: f64 = line.iter().map(|&place| x[place].exp()).sum();
                    for place in line {
                        let y = x[place].exp() / sum;
                        expected[place] = if is_logarithm { y.ln() } else { y };
                    }
                }
                for (datum_type, tolerance) in [
                    (DatumType::F64, 1e-12),
                    (DatumType::F32, 1e-6),
                    (DatumType::F16, 4e-3),
                ] {
                    let x = tensor.cast_to_dt(datum_type).expect("floats");
                    let y = eval(&softmax, &x);
                    assert_eq!((y.datum_type(), y.shape()), (datum_type, &shape[..]));
                    let y = y.cast_to::<f64>().expect("floats");
                    let y = y.try_as_plain_ram().expect("plain");
                    let y = y.as_slice::<f64>().expect("doubles");
                    for (y, expected) in y.iter().zip(&expected) {
                        let distance = (y - expected).abs();
                        assert!(
                            distance < tolerance,
                            "{softmax:?} {datum_type:?}: {y} {expected}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn does_not_overflow() {
        let of = |is_logarithm, x: [f32; 2]| {
            let softmax = Softmax {
                axis: 0,
                takes_rest: false,
                is_logarithm,
            };
            let y = eval(&softmax, &tensor1(&x));
            let y = y.try_as_plain_ram().expect("plain");
            [0, 1].map(|at| y.as_slice::<f32>().expect("floats")[at])
        };
        assert_eq!(of(false, [1000.0, 0.0]), [1.0, 0.0]);
        assert_eq!(of(true, [1000.0, 0.0]), [0.0, -1000.0]);
        assert_eq!(of(true, [f32::NEG_INFINITY, 3.0]), [f32::NEG_INFINITY, 0.0]);
        for x in [[f32::NAN, 3.0], [f32::NEG_INFINITY; 2]] {
            for is_logarithm in [false, true] {
                assert!(of(is_logarithm, x).iter().all(|y| y.is_nan()), "{x:?}");
            }
        }
    }

    #[test]
    fn takes_any_shape() {
        for takes_rest in [false, true] {
            let softmax = |axis| Softmax {
                axis,
                takes_rest,
                is_logarithm: false,
            };
            for (shape, axis) in [(&[0, 3][..], 1), (&[3, 0], 1), (&[3, 0], 0), (&[0], 0)] {
                for datum_type in [DatumType::F32, DatumType::F64] {
                    let x = Tensor::zero_dt(datum_type, shape).expect("is small");
                    assert_eq!(eval(&softmax(axis), &x), x);
                }
            }
            for (axis, rank) in [(-1, 0), (3, 2), (-3, 2), (i64::MIN, 2), (i64::MAX, 2)] {
                let fact = DatumType::F32.fact(vec![2; rank]);
                assert!(softmax(axis).output_facts(&[&fact]).is_err());
                assert!(!softmax(axis).maps_rows(rank));
            }
            let ints = DatumType::I64.fact([2]);
            assert!(softmax(0).output_facts(&[&ints]).is_err());
            assert!(softmax(-1).maps_rows(2) && !softmax(-2).maps_rows(2));
        }
        let each = Softmax {
            axis: 1,
            takes_rest: true,
            is_logarithm: false,
        };
        assert_eq!(
            eval(&each, &tensor1(&[5.0_f32, 7.0])),
            tensor1(&[1.0_f32, 1.0])
        );
    }
}
