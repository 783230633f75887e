//! Sums of products, as Einstein wrote them: each axis of each factor has a label, axes of one label are gone along together,
//! and those whose label the product does not have are summed.
//!
//! Of factors of one type of numbers; sums of float16 are made in float, and integers wrap around. A dimension of 1 is
//! repeated where the product has its axis; dimensions that are summed must be the same.

use std::borrow::Cow;
use std::fmt::Debug;

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Result, invalid};
use crate::guard::budget::check_tensor;
use crate::kernels::contraction::labels::{Labelling, Labels};
use crate::kernels::contraction::pair::Number;
use crate::kernels::contraction::{Factor, contract};
use crate::operator::Operator;
use crate::operator::node::{operator_of, wire_operator};
use crate::value::tensors;

#[derive(Debug)]
pub(crate) struct Product(Box<dyn Labelling>);

impl Product {
    pub(crate) fn new(labelling: impl Labelling) -> Self {
        Self(Box::new(labelling))
    }
}

/// Wires the product of `factors` `[m, k]` and `[k, n]`, of which each may be `transposed`.
pub(crate) fn wire_matrix_product(
    name: &str,
    model: &mut TypedModel,
    factors: &[OutletId],
    transposed: [bool; 2],
) -> TractResult<OutletId> {
    let labels = Labels::of_matrices(transposed);
    wire_operator("MatMul", name, model, Product::new(labels), factors)
}

/// If `node` is the product of two matrices, the first of which is `[m, k]`: whether the second is `[n, k]`.
pub(crate) fn is_transposed(graph: &TypedModel, node: &TypedNode) -> Option<bool> {
    let product = operator_of::<Product>(node)?;
    let ranks = node.inputs.iter().map(|&input| graph.outlet_fact(input));
    let ranks = ranks.map(|fact| fact.map(TypedFact::rank));
    let labels = product
        .0
        .labels(&ranks.collect::<TractResult<Vec<_>>>().ok()?);
    let labels = labels.ok()?;
    [false, true]
        .into_iter()
        .find(|&transposed| labels.are_those_of(&Labels::of_matrices([false, transposed])))
}

/// The type in which products of `datum_type` are computed.
fn wide(datum_type: DatumType) -> Option<DatumType> {
    use DatumType::{F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
    match datum_type {
        F16 | F32 => Some(F32),
        F64 => Some(F64),
        I8 | I16 | I32 | I64 | U8 | U16 | U32 | U64 => Some(I64),
        _ => None,
    }
}

impl Operator for Product {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let ranks: Vec<usize> = inputs.iter().map(|input| input.rank()).collect();
        let labels = self.0.labels(&ranks)?;
        let first = inputs.first().map(|input| input.datum_type);
        let datum_type = first.filter(|&datum_type| wide(datum_type).is_some());
        let datum_type = datum_type
            .ok_or_else(|| error::invalid(format!("a product of {first:?}, not of numbers")))?;
        let mut others = inputs.iter().map(|input| input.datum_type);
        if let Some(other) = others.find(|&other| other != datum_type) {
            let message = format!("a product of {datum_type:?} and {other:?}");
            return Err(error::invalid(message));
        }
        let shapes: Vec<&[TDim]> = inputs.iter().map(|input| input.shape.dims()).collect();
        Ok(tvec![datum_type.fact(labels.dims(&shapes)?)])
    }

    /// One step for each product of one number of each factor.
    fn work(&self, inputs: &[TValue]) -> usize {
        let ranks: Vec<usize> = inputs.iter().map(|input| input.rank()).collect();
        let shapes: Vec<&[usize]> = inputs.iter().map(|input| input.shape()).collect();
        let sizes = self
            .0
            .labels(&ranks)
            .and_then(|labels| labels.sizes(&shapes));
        let Ok(sizes) = sizes else {
            return 0;
        };
        sizes
            .iter()
            .fold(1, |work: usize, &size| work.saturating_mul(size))
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let ranks: Vec<usize> = inputs.iter().map(|input| input.rank()).collect();
        let labels = self.0.labels(&ranks)?;
        let datum_type = inputs.first().context("a product of nothing")?.datum_type();
        let wide = wide(datum_type).context("a product of no numbers")?;
        let factors = inputs.iter().map(|input| input.cast_to_dt(wide));
        let factors: Vec<Cow<'_, Tensor>> = factors.collect::<TractResult<_>>()?;
        let product = match wide {
            DatumType::F32 => product::<f32>(&labels, &factors),
            DatumType::F64 => product::<f64>(&labels, &factors),
            _ => product::<i64>(&labels, &factors),
        }?;
        let product = match product.datum_type() {
            same if same == datum_type => product,
            _ => product.cast_to_dt(datum_type)?.into_owned(),
        };
        Ok(tvec![product.into_tvalue()])
    }
}

fn product<T: Number + Datum>(labels: &Labels, factors: &[Cow<'_, Tensor>]) -> TractResult<Tensor> {
    let shapes: Vec<&[usize]> = factors.iter().map(|factor| factor.shape()).collect();
    let sizes = labels.sizes(&shapes)?;
    let shape: TVec<usize> = labels.output().iter().map(|&label| sizes[label]).collect();
    check_tensor(shape.iter().copied(), size_of::<T>())?;
    let views = factors.iter().map(|factor| factor.try_as_plain_ram());
    let views: Vec<_> = views.collect::<TractResult<_>>()?;
    tensors::filled(&shape, |c: &mut [T]| {
        let factors = views.iter().zip(labels.factors()).zip(&shapes);
        let factors = factors
            .map(|((view, labels), shape)| Ok(Factor::new(view.as_slice::<T>()?, labels, shape)));
        let factors = factors.collect::<TractResult<_>>()?;
        Ok(contract(factors, labels.output(), &sizes, c)?)
    })
}

impl Labels {
    /// The dimensions of the product of factors of `shapes`; refuses what is known not to fit.
    pub(crate) fn dims(&self, shapes: &[&[TDim]]) -> Result<TVec<TDim>> {
        let mut dims: TVec<TDim> = tvec![1.to_dim(); self.output.len()];
        for label in self.all() {
            let mut kept = self.output.iter().position(|other| *other == label);
            let mut known = None;
            for (factor, axis) in self.places(label) {
                let dim = &shapes[factor][axis];
                if kept.is_some() && dim.is_one() {
                    continue;
                }
                if let Ok(size) = dim.to_usize() {
                    if let Some(expected) = known
                        && size != expected
                    {
                        let message =
                            format!("factor {factor}: expected {expected} numbers, got {size}");
                        return Err(invalid(message));
                    }
                    known = Some(size);
                }
                if let Some(place) = kept {
                    let all = std::mem::take(&mut dims[place]);
                    dims[place] = all.broadcast(dim.clone()).map_err(invalid)?;
                }
            }
            // What is repeated is 1, whatever its name.
            if let (Some(place), Some(size)) = (kept.take(), known) {
                dims[place] = size.to_dim();
            }
        }
        Ok(dims)
    }
}
