//! [Reshape](https://onnx.ai/onnx/operators/onnx__Reshape.html) and
//! [Flatten](https://onnx.ai/onnx/operators/onnx__Flatten.html), versions 1 to 25: the elements of a tensor of any type in
//! another shape.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, Result};
use crate::onnx::attributes::Attributes;
use crate::operator::node::wire_operator;
use crate::operator::{Built, Operator, axes, dimensions, facts};

/// A size in `shape` of 0 is that of the input, unless `allowzero` is set, and one of -1 is what is left. Before version 5
/// the shape is an attribute.
pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let allows_zero = attributes.flag("allowzero")?;
    let of_attribute = match attributes.version() {
        ..5 => attributes.optional_ints("shape")?.map(<[i64]>::to_vec),
        _ => None,
    };
    Ok(Built::expansion(move |name, model, inputs| {
        let target = match (&of_attribute, inputs.get(1)) {
            (Some(shape), _) => Some(tensor1(shape).into_arc_tensor()),
            (None, Some(&shape)) => {
                let fact = model.outlet_fact(shape)?;
                if fact.rank() != 1 {
                    let message = format!("input shape: expected 1 dimension, got {}", fact.rank());
                    return Err(error::invalid(message).into());
                }
                fact.konst.clone()
            }
            (None, None) => return Err(error::invalid("input shape: missing").into()),
        };
        let Some(target) = target else {
            let dims = axes::dimensions("shape", model, inputs[1])?;
            let reshape = ToShape { dims, allows_zero };
            return Ok(tvec![wire_operator(
                "Reshape", name, model, reshape, inputs
            )?]);
        };
        let target = dimensions::of_tensor(&target)?;
        let target = target.try_as_plain_ram()?;
        let dims = &model.outlet_fact(inputs[0])?.shape;
        let dims = resolved(dims, target.as_slice::<TDim>()?, allows_zero)?;
        wire(name, model, dims, inputs[0])
    }))
}

/// A tensor becomes `[n_outer, n_inner]`: what is before `axis`, and what is not.
pub(crate) fn build_flatten(attributes: &mut Attributes<'_>) -> Result<Built> {
    let axis = attributes.axis("axis")?.unwrap_or(1);
    Ok(Built::expansion(move |name, model, inputs| {
        let shape = model.outlet_fact(inputs[0])?.shape.to_tvec();
        let rank = shape.len();
        let n_outer = if axis == rank as i64 {
            rank
        } else {
            axes::resolve(axis, rank)?
        };
        let (outer, inner) = shape.split_at(n_outer);
        let volume = |dims: &[TDim]| dims.iter().product::<TDim>();
        let dims = tvec![volume(outer), volume(inner)];
        wire(name, model, dims, inputs[0])
    }))
}

fn wire(
    name: &str,
    model: &mut TypedModel,
    dims: TVec<TDim>,
    x: OutletId,
) -> TractResult<TVec<OutletId>> {
    if *model.outlet_fact(x)?.shape.dims() == *dims {
        return Ok(tvec![x]);
    }
    Ok(tvec![wire_operator(
        "Reshape",
        name,
        model,
        Reshape { dims },
        &[x]
    )?])
}

/// The shape that a tensor of dimensions `x` gets by `target`.
fn resolved(x: &[TDim], target: &[TDim], allows_zero: bool) -> Result<TVec<TDim>> {
    let wrong = || {
        error::invalid(format!(
            "input shape: {target:?} for a tensor of shape {x:?}"
        ))
    };
    let (zero, rest) = (TDim::from(0), TDim::from(-1));
    let mut dims: TVec<TDim> = target.into();
    let mut place_of_rest = None;
    for (place, dim) in dims.iter_mut().enumerate() {
        if *dim == rest {
            if place_of_rest.replace(place).is_some() {
                return Err(wrong());
            }
        } else if *dim == zero && !allows_zero {
            *dim = x.get(place).ok_or_else(wrong)?.clone();
        } else if dim.to_i64().is_ok_and(|dim| dim < 0) {
            return Err(wrong());
        }
        dimensions::check(dim)?;
    }
    // Dimensions that are on both sides say nothing; what is left is multiplied.
    let mut ours: Vec<&TDim> = x.iter().collect();
    let mut theirs: Vec<&TDim> = vec![];
    for (place, dim) in dims.iter().enumerate() {
        if Some(place) == place_of_rest {
            continue;
        }
        match ours.iter().position(|&own| own == dim && *dim != zero) {
            Some(same) => drop(ours.swap_remove(same)),
            None => theirs.push(dim),
        }
    }
    let [ours, theirs] = [product(&ours)?, product(&theirs)?];
    let Some(place) = place_of_rest else {
        return (ours == theirs).then_some(dims).ok_or_else(wrong);
    };
    dims[place] = match (ours.to_i64(), theirs.to_i64()) {
        (_, Ok(0)) => return Err(wrong()),
        (Ok(ours), Ok(theirs)) if ours % theirs != 0 => return Err(wrong()),
        (Ok(ours), Ok(theirs)) => (ours / theirs).to_dim(),
        _ => match ours.maybe_div(&theirs) {
            Ok((quotient, 1)) => quotient,
            _ => return Err(wrong()),
        },
    };
    dimensions::check(&dims[place])?;
    Ok(dims)
}

/// The product of dimensions, each of which has been checked.
fn product(dims: &[&TDim]) -> Result<TDim> {
    let mut numbers: i64 = 1;
    let mut others = TDim::from(1);
    for dim in dims {
        if let Ok(number) = dim.to_i64() {
            numbers = numbers.checked_mul(number).ok_or_else(|| {
                error::invalid("a tensor has more elements than 64 bits can count")
            })?;
        } else {
            others *= *dim;
            dimensions::check(&others)?;
        }
    }
    let product = others * numbers;
    dimensions::check(&product)?;
    Ok(product)
}

/// The elements in the shape `dims`, of which all but one are known, or all.
#[derive(Debug)]
struct Reshape {
    dims: TVec<TDim>,
}

impl Operator for Reshape {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        Ok(tvec![x.datum_type.fact(self.dims.iter())])
    }

    /// Where the first dimension stays what it is, whatever that is.
    fn maps_rows_of(&self, inputs: &[&TypedFact]) -> bool {
        let rest_is_known = |dims: &[TDim]| dims.iter().skip(1).all(|dim| dim.to_i64().is_ok());
        inputs.first().is_some_and(|x| {
            let first = x.shape.first();
            first.is_some_and(|first| first.to_i64().is_err() && self.dims.first() == Some(first))
                && rest_is_known(&x.shape)
                && rest_is_known(&self.dims)
        })
    }

    fn reads_symbols(&self) -> bool {
        self.dims.iter().filter(|dim| dim.to_i64().is_err()).count() > 1
    }

    fn eval(&self, inputs: &[TValue], wanted: &[usize]) -> TractResult<TVec<TValue>> {
        self.eval_within(&SymbolValues::default(), inputs, wanted)
    }

    fn eval_within(
        &self,
        symbols: &SymbolValues,
        inputs: &[TValue],
        _wanted: &[usize],
    ) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let mut shape: TVec<usize> = tvec![];
        let mut place_of_rest = None;
        for (place, dim) in self.dims.iter().enumerate() {
            let size = dimensions::size(dim, symbols)?;
            if size.is_none() && place_of_rest.replace(place).is_some() {
                return Err(Error::input(format!("shape {:?} is not known", self.dims)).into());
            }
            let size = size.unwrap_or(1);
            shape.push(usize::try_from(size).map_err(|_| {
                Error::input(format!(
                    "a tensor would have {size} elements along a dimension"
                ))
            })?);
        }
        let known: usize = shape
            .iter()
            .fold(1, |all: usize, &size| all.saturating_mul(size));
        if let Some(place) = place_of_rest {
            shape[place] = x.len().checked_div(known).unwrap_or_default();
        }
        Ok(tvec![in_shape(x, &shape)?])
    }
}

fn in_shape(x: &TValue, shape: &[usize]) -> TractResult<TValue> {
    let volume = shape
        .iter()
        .fold(1, |all: usize, &size| all.saturating_mul(size));
    if volume != x.len() {
        let message = format!(
            "a tensor of shape {:?} cannot have shape {shape:?}",
            x.shape()
        );
        return Err(Error::input(message).into());
    }
    Ok(x.clone().into_tensor().into_shape(shape)?.into_tvalue())
}

/// The elements in the shape that the second input says, which only a run knows.
#[derive(Debug)]
struct ToShape {
    /// What the shape will be.
    dims: TVec<TDim>,
    allows_zero: bool,
}

impl Operator for ToShape {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x, _] = facts::inputs(inputs)?;
        Ok(tvec![x.datum_type.fact(self.dims.iter())])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let dims: TVec<TDim> = x.shape().iter().map(ToDim::to_dim).collect();
        let target = dimensions::of_tensor(&inputs[1])?;
        let target = target.try_as_plain_ram()?;
        let shape = resolved(&dims, target.as_slice::<TDim>()?, self.allows_zero);
        let shape = shape?;
        let shape = dimensions::shape(&shape, &SymbolValues::default(), 1)?;
        Ok(tvec![in_shape(x, &shape)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_computed() {
        let scope = SymbolScope::default();
        let (n, m) = (scope.sym("n").to_dim(), scope.sym("m").to_dim());
        let d = |size: i64| size.to_dim();
        let of = |x: &[TDim], target: &[TDim]| resolved(x, target, false).ok();
        for (x, target, expected) in [
            (
                &[d(2), d(6)][..],
                &[d(-1), d(4)][..],
                Some(vec![d(3), d(4)]),
            ),
            (
                &[d(2), d(6)],
                &[d(0), d(2), d(-1)],
                Some(vec![d(2), d(2), d(3)]),
            ),
            (
                &[n.clone(), d(6)],
                &[d(-1), d(3)],
                Some(vec![n.clone() * 2, d(3)]),
            ),
            (
                &[n.clone(), d(6)],
                &[d(0), d(-1)],
                Some(vec![n.clone(), d(6)]),
            ),
            (
                &[n.clone(), m.clone()],
                &[d(-1)],
                Some(vec![n.clone() * &m]),
            ),
            (
                &[n.clone(), m.clone()],
                &[n.clone(), d(-1), d(1)],
                Some(vec![n.clone(), m.clone(), d(1)]),
            ),
            (&[d(2), d(3)], &[d(4), d(-1)], None),
            (&[d(2), d(3)], &[d(-1), d(-1)], None),
            (&[d(2), d(3)], &[d(5)], None),
            (&[d(2), d(3)], &[d(-2), d(-3)], None),
            (&[d(2)], &[d(2), d(0)], None),
            (&[d(0), d(3)], &[d(0), d(-1)], None),
        ] {
            assert_eq!(
                of(x, target).map(|dims| dims.to_vec()),
                expected,
                "{x:?} {target:?}"
            );
        }
        assert_eq!(
            resolved(&[d(0), d(3)], &[d(7), d(0)], true)
                .expect("none")
                .to_vec(),
            [d(7), d(0)]
        );
    }
}
