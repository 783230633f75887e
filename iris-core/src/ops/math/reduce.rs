//! [ReduceL1](https://onnx.ai/onnx/operators/onnx__ReduceL1.html),
//! [ReduceL2](https://onnx.ai/onnx/operators/onnx__ReduceL2.html),
//! [ReduceLogSum](https://onnx.ai/onnx/operators/onnx__ReduceLogSum.html),
//! [ReduceLogSumExp](https://onnx.ai/onnx/operators/onnx__ReduceLogSumExp.html),
//! [ReduceMax](https://onnx.ai/onnx/operators/onnx__ReduceMax.html),
//! [ReduceMean](https://onnx.ai/onnx/operators/onnx__ReduceMean.html),
//! [ReduceMin](https://onnx.ai/onnx/operators/onnx__ReduceMin.html),
//! [ReduceProd](https://onnx.ai/onnx/operators/onnx__ReduceProd.html),
//! [ReduceSum](https://onnx.ai/onnx/operators/onnx__ReduceSum.html) and
//! [ReduceSumSquare](https://onnx.ai/onnx/operators/onnx__ReduceSumSquare.html), versions 1 to 20.
//!
//! `data` of any numbers, or of truths for `ReduceMax` and `ReduceMin`, gives `reduced` of the same type, without the
//! dimensions `axes` or, if `keepdims` is set, with 1 in their places. `axes` is an attribute before version 18, of
//! `ReduceSum` before version 13, and then an optional input, which must be constant; without them all dimensions are
//! reduced, or none if `noop_with_empty_axes` is set.
//!
//! What is not a number is both the largest and the smallest, as in the ONNX reference. The mean of whole numbers is one,
//! too: it is rounded towards 0.

use std::borrow::Cow;

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::integers::whole_numbers;
use crate::operator::node::operator_of;
use crate::operator::{Built, Operator, axes, facts};
use crate::ops::math::reducer::Reducer;

#[derive(Debug)]
struct Reduce {
    reducer: Reducer,
    /// The `axes` attribute; an empty list means that it is not given.
    axes: Vec<i64>,
    has_axes_input: bool,
    keep_dims: bool,
    noop_with_empty_axes: bool,
}

/// With the axes as an attribute.
pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let axes = attributes.ints("axes")?.to_vec();
    build_with(attributes, axes, false, false)
}

/// With the axes as an input.
pub(crate) fn build_with_input(attributes: &mut Attributes<'_>) -> Result<Built> {
    let noop = attributes.int("noop_with_empty_axes")?.unwrap_or(0) != 0;
    let has_axes_input = attributes
        .node()
        .input
        .get(1)
        .is_some_and(|i| !i.is_empty());
    build_with(attributes, vec![], has_axes_input, noop)
}

fn build_with(
    attributes: &mut Attributes<'_>,
    axes: Vec<i64>,
    has_axes_input: bool,
    noop_with_empty_axes: bool,
) -> Result<Built> {
    let reducer = Reducer::of(&attributes.node().op_type);
    let keep_dims = attributes.int("keepdims")?.unwrap_or(1) != 0;
    let reduce = Reduce {
        reducer,
        axes,
        has_axes_input,
        keep_dims,
        noop_with_empty_axes,
    };
    Ok(Built::operator(reduce))
}

/// Over which dimensions `node` is a sum, in order, and whether it keeps them.
pub(crate) fn summed_axes(graph: &TypedModel, node: &TypedNode) -> Option<(TVec<usize>, bool)> {
    let reduce = operator_of::<Reduce>(node)?;
    if reduce.reducer != Reducer::Sum {
        return None;
    }
    let facts = graph.node_input_facts(node.id).ok()?;
    let reduced = reduce.reduced_of(&facts).ok()?;
    let axes = (0..reduced.len()).filter(|&axis| reduced[axis]);
    Some((axes.collect(), reduce.keep_dims))
}

impl Reduce {
    /// Which of the `rank` dimensions are reduced; `input` is the second one.
    fn reduced(&self, rank: usize, input: Option<&Tensor>) -> Result<Vec<bool>> {
        let axes = match input.filter(|_| self.has_axes_input) {
            Some(input) => Cow::Owned(whole_numbers(input).map_err(error::invalid)?),
            None => Cow::Borrowed(&self.axes[..]),
        };
        if axes.is_empty() {
            return Ok(vec![!self.noop_with_empty_axes; rank]);
        }
        let mut reduced = vec![false; rank];
        for &axis in &axes[..] {
            reduced[axes::resolve(axis, rank)?] = true;
        }
        Ok(reduced)
    }

    /// The same of inputs with these facts.
    fn reduced_of(&self, inputs: &[&TypedFact]) -> Result<Vec<bool>> {
        if !self.has_axes_input {
            let [x] = facts::inputs(inputs)?;
            return self.reduced(x.rank(), None);
        }
        let [x, axes] = facts::inputs(inputs)?;
        let axes = axes
            .konst
            .as_ref()
            .ok_or_else(|| error::invalid("input axes: not a constant"))?;
        self.reduced(x.rank(), Some(axes))
    }

    fn result_shape<D: Clone + From<usize>>(&self, shape: &[D], reduced: &[bool]) -> TVec<D> {
        let dims = shape.iter().zip(reduced);
        dims.filter_map(|(dim, &is_reduced)| match (is_reduced, self.keep_dims) {
            (false, _) => Some(dim.clone()),
            (true, true) => Some(D::from(1)),
            (true, false) => None,
        })
        .collect()
    }
}

impl Operator for Reduce {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let reduced = self.reduced_of(inputs)?;
        let x = inputs[0];
        if !self.reducer.takes(x.datum_type) {
            let message = format!("input data: expected numbers, got {:?}", x.datum_type);
            return Err(error::invalid(message));
        }
        let shape = self.result_shape::<TDim>(&x.shape.to_tvec(), &reduced);
        Ok(tvec![x.datum_type.fact(shape)])
    }

    fn maps_rows_of(&self, inputs: &[&TypedFact]) -> bool {
        let reduced = self.reduced_of(inputs).ok();
        reduced.is_some_and(|reduced| reduced.first() == Some(&false))
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let reduced = self.reduced(x.rank(), inputs.get(1).map(|axes| &**axes))?;
        let shape = self.result_shape(x.shape(), &reduced);
        let result = self.reducer.reduce(x, &reduced)?.into_shape(&shape)?;
        Ok(tvec![result.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::node::{constant, wire_operator};
    use crate::value::tensors;

    fn reduce(axes: &[i64], keep_dims: bool) -> Reduce {
        Reduce {
            reducer: Reducer::Sum,
            axes: axes.to_vec(),
            has_axes_input: false,
            keep_dims,
            noop_with_empty_axes: false,
        }
    }

    #[test]
    fn sums_along_axes() {
        type Case = (&'static [i64], bool, &'static [usize], &'static [f32]);
        let x = tensors::from_vec(&[2, 1, 2], vec![1.0_f32, 2.0, 3.0, 4.0]).expect("fits");
        let cases: [Case; 7] = [
            (&[0], true, &[1, 1, 2], &[4.0, 6.0]),
            (&[-1], false, &[2, 1], &[3.0, 7.0]),
            (&[-1, 1, 2], true, &[2, 1, 1], &[3.0, 7.0]),
            (&[2, 0], false, &[1], &[10.0]),
            (&[], false, &[], &[10.0]),
            (&[], true, &[1, 1, 1], &[10.0]),
            (&[1], false, &[2, 2], &[1.0, 2.0, 3.0, 4.0]),
        ];
        for (axes, keep_dims, shape, expected) in cases {
            let reduce = reduce(axes, keep_dims);
            let fact = TypedFact::shape_and_dt_of(&x);
            let facts = reduce.output_facts(&[&fact]).expect("takes it");
            assert_eq!(facts[0], DatumType::F32.fact(shape), "{axes:?} {keep_dims}");
            let got = reduce.eval(&[x.clone().into_tvalue()], &[0]).expect("sums");
            let expected = tensors::from_vec(shape, expected.to_vec()).expect("fits");
            assert_eq!(*got[0], expected, "{axes:?} {keep_dims}");
        }
    }

    #[test]
    fn axes_are_checked() {
        let fact = |rank| DatumType::F32.fact(vec![2; rank]);
        for (axes, rank) in [
            (&[0_i64][..], 0),
            (&[1, 2], 2),
            (&[-3], 2),
            (&[i64::MIN], 2),
        ] {
            let refused = reduce(axes, true).output_facts(&[&fact(rank)]);
            assert!(refused.is_err(), "{axes:?} of {rank}");
        }
        let with_input = Reduce {
            has_axes_input: true,
            ..reduce(&[], true)
        };
        let unknown = DatumType::I64.fact([1]);
        assert!(with_input.output_facts(&[&fact(2), &unknown]).is_err());
        assert!(with_input.output_facts(&[&fact(2)]).is_err());
        let strings = DatumType::String.fact([2]);
        assert!(reduce(&[], true).output_facts(&[&strings]).is_err());
    }

    #[test]
    fn knows_whether_rows_stay_apart() {
        let x = DatumType::F32.fact([2, 3]);
        let axes = |axes: &[i64]| TypedFact::try_from(tensor1(axes)).expect("a constant");
        let of_input = |noop_with_empty_axes| Reduce {
            has_axes_input: true,
            noop_with_empty_axes,
            ..reduce(&[], false)
        };
        for (on, maps_rows) in [
            (&[1][..], true),
            (&[-1], true),
            (&[0], false),
            (&[1, 0], false),
        ] {
            assert_eq!(reduce(on, true).maps_rows_of(&[&x]), maps_rows, "{on:?}");
            let got = of_input(false).maps_rows_of(&[&x, &axes(on)]);
            assert_eq!(got, maps_rows, "{on:?}");
        }
        assert!(!of_input(false).maps_rows_of(&[&x, &axes(&[])]));
        assert!(of_input(true).maps_rows_of(&[&x, &axes(&[])]));
        assert!(!reduce(&[], true).maps_rows_of(&[&DatumType::F32.scalar_fact()]));
    }

    #[test]
    fn axes_of_sums_are_known() {
        let wired = |reduce: Reduce, axes: &[i64]| {
            let mut graph = TypedModel::default();
            let x = DatumType::F32.fact([2, 3, 4]);
            let x = graph.add_source("x", x).expect("is new");
            let mut inputs = vec![x];
            if reduce.has_axes_input {
                inputs.push(constant("axes", &mut graph, tensor1(axes)).expect("is new"));
            }
            let sum = wire_operator("ReduceSum", "y", &mut graph, reduce, &inputs);
            let node = sum.expect("takes them").node;
            summed_axes(&graph, graph.node(node))
        };
        assert_eq!(wired(reduce(&[-1], true), &[]), Some((tvec![2], true)));
        assert_eq!(
            wired(reduce(&[2, -3], false), &[]),
            Some((tvec![0, 2], false))
        );
        let has_axes_input = true;
        let of_input = Reduce {
            has_axes_input,
            ..reduce(&[], true)
        };
        assert_eq!(wired(of_input, &[-1]), Some((tvec![2], true)));
        let mean = Reduce {
            reducer: Reducer::Mean,
            ..reduce(&[], true)
        };
        assert_eq!(wired(mean, &[]), None);
    }
}
