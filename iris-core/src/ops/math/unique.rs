//! [Unique](https://onnx.ai/onnx/operators/onnx__Unique.html), version 11.
//!
//! `X` of float, double, int32, int64, bool or string gives `Y`, the different elements of `X` (without `axis`) or the
//! different slices along `axis`, sorted or, if `sorted` is 0, in the order in which they first are seen; and, int64,
//! `indices` of where each first is, `inverse_indices` of which each element or slice is, and `counts`. NaN is equal to
//! itself and above all numbers; onnxruntime's answers for it depend on the order of the elements.

use std::cmp::Ordering;

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::kernels::along::Along;
use crate::kernels::ranks;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, axes, facts};
use crate::value::tensors;

#[derive(Debug)]
struct Unique {
    axis: Option<i64>,
    sorted: bool,
    n_kept: Symbol,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let unique = Unique {
        axis: attributes.int("axis")?,
        sorted: attributes.int("sorted")?.unwrap_or(1) != 0,
        n_kept: attributes.new_symbol("n_kept"),
    };
    Ok(Built::operator(unique))
}

/// Which slices are the same.
#[derive(Debug, PartialEq, Eq)]
struct Groups {
    first: Vec<usize>,
    inverse: Vec<usize>,
    counts: Vec<usize>,
}

/// Groups `len` slices that `compare` orders.
fn group(len: usize, sorted: bool, compare: &dyn Fn(usize, usize) -> Ordering) -> Groups {
    let order = order(len, compare);
    let mut runs: Vec<&[usize]> = order
        .chunk_by(|&a, &b| compare(a, b) == Ordering::Equal)
        .collect();
    if !sorted {
        let first_seen = ranks::order(runs.iter().map(|run| run[0] as u64));
        runs = first_seen.map(|run| runs[run]).collect();
    }
    let mut inverse = vec![0; len];
    for (index, run) in runs.iter().enumerate() {
        for &slice in *run {
            inverse[slice] = index;
        }
    }
    Groups {
        first: runs.iter().map(|run| run[0]).collect(),
        inverse,
        counts: runs.iter().map(|run| run.len()).collect(),
    }
}

/// The numbers below `len` in the order that `compare` gives them, by merging: the standard library's sort, which is a little
/// faster, takes ten times the code. The first of equal ones comes first.
fn order(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    let mut merged = Vec::with_capacity(len);
    let mut width = 1;
    while width < len {
        for pair in order.chunks(2 * width) {
            let (mut left, mut right) = pair.split_at(width.min(pair.len()));
            while let ([a, left_rest @ ..], [b, right_rest @ ..]) = (left, right) {
                if compare(*b, *a).is_lt() {
                    merged.push(*b);
                    right = right_rest;
                } else {
                    merged.push(*a);
                    left = left_rest;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        std::mem::swap(&mut order, &mut merged);
        merged.clear();
        width *= 2;
    }
    order
}

/// Groups the slices of `x`, which are ordered by their first elements that differ.
fn group_slices<T: PartialOrd>(x: &[T], along: Along, sorted: bool) -> Groups {
    let Along { outer, len, inner } = along;
    let is_nan = |x: &T| x.partial_cmp(x).is_none();
    let compare = |a: usize, b: usize| {
        for o in 0..outer {
            for i in 0..inner {
                let at = |slice: usize| &x[(o * len + slice) * inner + i];
                let (a, b) = (at(a), at(b));
                let order = a
                    .partial_cmp(b)
                    .unwrap_or_else(|| is_nan(a).cmp(&is_nan(b)));
                if order.is_ne() {
                    return order;
                }
            }
        }
        Ordering::Equal
    };
    group(len, sorted, &compare)
}

impl Operator for Unique {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        if !matches!(x.datum_type, DatumType::Bool | DatumType::String) {
            facts::check_numeric("X", x)?;
        }
        let (mut shape, axis) = match self.axis {
            Some(axis) => (x.shape.to_tvec(), axes::resolve(axis, x.rank())?),
            None => (tvec![x.shape.volume()], 0),
        };
        let len = shape[axis].clone();
        let n_kept = self.n_kept.to_dim();
        shape[axis] = n_kept.clone();
        Ok(tvec![
            x.datum_type.fact(shape),
            DatumType::I64.fact([n_kept.clone()]),
            DatumType::I64.fact([len]),
            DatumType::I64.fact([n_kept]),
        ])
    }

    fn eval(&self, inputs: &[TValue], wanted: &[usize]) -> TractResult<TVec<TValue>> {
        fn groups<T: Datum + PartialOrd>(
            x: &Tensor,
            axis: usize,
            sorted: bool,
        ) -> TractResult<Groups> {
            let view = x.try_as_plain_ram()?;
            let along = Along::new(x.shape(), axis);
            Ok(group_slices(view.as_slice::<T>()?, along, sorted))
        }
        let x = &inputs[0];
        let (x, axis) = match self.axis {
            Some(axis) => (x.clone().into_tensor(), axes::resolve(axis, x.rank())?),
            None => (x.clone().into_tensor().into_shape(&[x.len()])?, 0),
        };
        let groups = match x.datum_type() {
            DatumType::F32 => groups::<f32>(&x, axis, self.sorted),
            DatumType::F64 => groups::<f64>(&x, axis, self.sorted),
            DatumType::I32 => groups::<i32>(&x, axis, self.sorted),
            DatumType::I64 => groups::<i64>(&x, axis, self.sorted),
            DatumType::Bool => groups::<bool>(&x, axis, self.sorted),
            _ => groups::<String>(&x, axis, self.sorted),
        }?;
        let numbers = |values: &[usize]| {
            tensors::from_vec(
                &[values.len()],
                values.iter().map(|&value| value as i64).collect(),
            )
        };
        let outputs = wanted.iter().map(|&slot| {
            let output = match slot {
                0 => axes::select(&x, axis, &groups.first),
                1 => numbers(&groups.first),
                2 => numbers(&groups.inverse),
                _ => numbers(&groups.counts),
            }?;
            Ok(output.into_tvalue())
        });
        outputs.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_as_a_stable_sort() {
        for len in 0..70 {
            let key = |i: usize| i * 37 % 101 / 5;
            let mut expected: Vec<usize> = (0..len).collect();
            expected.sort_by_key(|&i| key(i));
            assert_eq!(order(len, &|a, b| key(a).cmp(&key(b))), expected);
        }
    }

    #[test]
    fn groups_what_is_equal() {
        struct Case {
            x: &'static [f64],
            sorted: bool,
            first: &'static [usize],
            inverse: &'static [usize],
            counts: &'static [usize],
        }
        const NAN: f64 = f64::NAN;
        let cases = [
            Case {
                x: &[],
                sorted: true,
                first: &[],
                inverse: &[],
                counts: &[],
            },
            Case {
                x: &[2.0, 1.0, 2.0, 0.5],
                sorted: true,
                first: &[3, 1, 0],
                inverse: &[2, 1, 2, 0],
                counts: &[1, 1, 2],
            },
            Case {
                x: &[2.0, 1.0, 2.0, 0.5],
                sorted: false,
                first: &[0, 1, 3],
                inverse: &[0, 1, 0, 2],
                counts: &[2, 1, 1],
            },
            Case {
                x: &[NAN, 1.0, NAN],
                sorted: true,
                first: &[1, 0],
                inverse: &[1, 0, 1],
                counts: &[1, 2],
            },
        ];
        for case in cases {
            let along = Along {
                outer: 1,
                len: case.x.len(),
                inner: 1,
            };
            let expected = Groups {
                first: case.first.into(),
                inverse: case.inverse.into(),
                counts: case.counts.into(),
            };
            assert_eq!(
                group_slices(case.x, along, case.sorted),
                expected,
                "{:?}",
                case.x
            );
        }
    }
}
