//! [ArgMax](https://onnx.ai/onnx/operators/onnx__ArgMax.html) and
//! [ArgMin](https://onnx.ai/onnx/operators/onnx__ArgMin.html), versions 1 to 13.
//!
//! `data` of any numbers gives `reduced` int64: where the largest or the smallest is along dimension `axis`, which is left
//! out or, if `keepdims` is set, has 1 in its place. Of several that are equal it is the first or, if `select_last_index` is
//! set, the last. Numbers are compared one after the other with the best so far, as in onnxruntime: NaN in the first place is
//! the answer, and elsewhere it is passed over. An axis of length 0 is refused, as nothing is the largest of nothing.

use tract_onnx::tract_hir::internal::*;

use crate::error::{Error, Result};
use crate::kernels::along::Along;
use crate::kernels::reduce::best;
use crate::onnx::attributes::Attributes;
use crate::operator::integers::in_order;
use crate::operator::{Built, Operator, axes, facts};
use crate::value::tensors;

#[derive(Debug)]
struct ArgMax {
    axis: i64,
    keep_dims: bool,
    is_smallest: bool,
    is_last: bool,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let arg_max = ArgMax {
        axis: attributes.int("axis")?.unwrap_or(0),
        keep_dims: attributes.int("keepdims")?.unwrap_or(1) != 0,
        is_smallest: attributes.node().op_type == "ArgMin",
        is_last: attributes.int("select_last_index")?.unwrap_or(0) != 0,
    };
    Ok(Built::operator(arg_max))
}

impl ArgMax {
    /// The index of the largest or smallest number of each line.
    fn places<T: Copy + PartialOrd>(&self, x: &[T], along: Along) -> Vec<i64> {
        match (self.is_smallest, self.is_last) {
            (false, false) => best(x, along, |x, best| x > best),
            (false, true) => best(x, along, |x, best| x >= best),
            (true, false) => best(x, along, |x, best| x < best),
            (true, true) => best(x, along, |x, best| x <= best),
        }
    }

    fn result_shape<D: Clone + From<usize>>(&self, shape: &[D]) -> Result<TVec<D>> {
        let axis = axes::resolve(self.axis, shape.len())?;
        let mut shape: TVec<D> = shape.into();
        if self.keep_dims {
            shape[axis] = D::from(1);
        } else {
            shape.remove(axis);
        }
        Ok(shape)
    }
}

impl Operator for ArgMax {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_number("data", x)?;
        let shape = self.result_shape::<TDim>(&x.shape.to_tvec())?;
        Ok(tvec![DatumType::I64.fact(shape)])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        axes::resolve(self.axis, rank).is_ok_and(|axis| axis > 0)
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let along = Along::new(x.shape(), axes::resolve(self.axis, x.rank())?);
        if along.len == 0 && along.outer * along.inner > 0 {
            let (axis, shape) = (self.axis, x.shape());
            let message = format!("input data: axis {axis} of shape {shape:?} has no elements");
            return Err(Error::input(message).into());
        }
        let plain = x.try_as_plain_ram()?;
        let places = match x.datum_type() {
            DatumType::F16 => {
                let x = x.cast_to::<f64>()?;
                self.places(x.try_as_plain_ram()?.as_slice::<f64>()?, along)
            }
            DatumType::F32 => self.places(plain.as_slice::<f32>()?, along),
            DatumType::F64 => self.places(plain.as_slice::<f64>()?, along),
            _ => self.places(&in_order(x)?, along),
        };
        let places = tensors::from_vec(&self.result_shape(x.shape())?, places)?;
        Ok(tvec![places.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f64 = f64::NAN;

    const INFINITY: f64 = f64::INFINITY;

    fn arg_max(axis: i64, is_smallest: bool, is_last: bool) -> ArgMax {
        ArgMax {
            axis,
            keep_dims: true,
            is_smallest,
            is_last,
        }
    }

    /// The first and the last of the largest, and of the smallest.
    fn all(x: &Tensor) -> [i64; 4] {
        let choices = [(false, false), (false, true), (true, false), (true, true)];
        choices.map(|(is_smallest, is_last)| {
            let arg_max = arg_max(0, is_smallest, is_last);
            let places = arg_max.eval(&[x.clone().into_tvalue()], &[0]);
            let places = places.expect("takes them");
            places[0].cast_to_scalar::<i64>().expect("one place")
        })
    }

    #[test]
    fn finds_the_first_or_the_last() {
        let cases: [(&[f64], [i64; 4]); 7] = [
            (&[2.0, 3.0, 3.0, 2.0], [1, 2, 0, 3]),
            (&[NAN, 3.0, NAN, 3.0], [0; 4]),
            (&[3.0, NAN, 4.0, NAN, 4.0], [2, 4, 0, 0]),
            (&[NAN, NAN], [0; 4]),
            (&[-INFINITY, -INFINITY], [0, 1, 0, 1]),
            (&[INFINITY, INFINITY], [0, 1, 0, 1]),
            (&[1.0], [0; 4]),
        ];
        for (x, expected) in cases {
            for datum_type in [DatumType::F16, DatumType::F32, DatumType::F64] {
                let x = tensor1(x)
                    .cast_to_dt(datum_type)
                    .expect("floats")
                    .into_owned();
                assert_eq!(all(&x), expected, "{x:?}");
            }
        }
    }

    #[test]
    fn nothing_has_no_largest_number() {
        let of = |shape: &[usize]| {
            let x = tensors::from_vec::<f32>(shape, vec![]).expect("no elements");
            arg_max(1, false, false).eval(&[x.into_tvalue()], &[0])
        };
        assert!(of(&[2, 0]).is_err());
        let no_lines = of(&[0, 2]).expect("no lines have no answers");
        assert_eq!(no_lines[0].shape(), [0, 1]);
    }

    #[test]
    fn whole_numbers_are_exact() {
        assert_eq!(all(&tensor1(&[i64::MAX - 1, i64::MAX])), [1, 1, 0, 0]);
        assert_eq!(all(&tensor1(&[1, u64::MAX, u64::MAX])), [1, 2, 0, 0]);
        assert_eq!(all(&tensor1(&[i64::MIN, i64::MIN])), [0, 1, 0, 1]);
        assert_eq!(all(&tensor1(&[3_u8, 250, 1])), [1, 1, 2, 2]);
        assert_eq!(all(&tensor1(&[-3_i16, -250, 1])), [2, 2, 1, 1]);
        assert_eq!(all(&tensor1(&[4.to_dim(), 7.to_dim()])), [1, 1, 0, 0]);
    }

    #[test]
    fn goes_along_the_axis() {
        let x = [3_i32, 1, 2, 0, 5, 4];
        let x = tensors::from_vec(&[2, 3], x.to_vec()).expect("fits");
        for (axis, keep_dims, shape, expected) in [
            (0, true, &[1, 3][..], &[0_i64, 1, 1][..]),
            (0, false, &[3], &[0, 1, 1]),
            (-1, true, &[2, 1], &[0, 1]),
            (1, false, &[2], &[0, 1]),
        ] {
            let arg_max = ArgMax {
                keep_dims,
                ..arg_max(axis, false, false)
            };
            let fact = TypedFact::shape_and_dt_of(&x);
            let facts = arg_max.output_facts(&[&fact]).expect("takes it");
            assert_eq!(facts[0], DatumType::I64.fact(shape));
            let got = arg_max.eval(&[x.clone().into_tvalue()], &[0]);
            let expected = tensors::from_vec(shape, expected.to_vec()).expect("fits");
            assert_eq!(*got.expect("takes it")[0], expected);
        }
        assert!(arg_max(-1, false, false).maps_rows(2));
        assert!(!arg_max(-2, false, false).maps_rows(2));
    }

    #[test]
    fn axes_are_checked() {
        for (axis, rank) in [(0, 0), (2, 2), (-3, 2), (i64::MIN, 2)] {
            let fact = DatumType::F32.fact(vec![2; rank]);
            let refused = arg_max(axis, false, false).output_facts(&[&fact]);
            assert!(refused.is_err(), "{axis} of {rank}");
        }
        let strings = DatumType::String.fact([2]);
        assert!(arg_max(0, false, false).output_facts(&[&strings]).is_err());
    }
}
