//! [Split](https://onnx.ai/onnx/operators/onnx__Split.html), versions 1 to 18.
//!
//! A tensor of any type in parts along `axis`, whose sizes are given, in an attribute before version 13 and then in a
//! constant input, or else as equal as can be, the last being smaller.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, Result};
use crate::guard::memory;
use crate::onnx::attributes::Attributes;
use crate::onnx::graphs::named_outputs;
use crate::operator::axes::{constant_ints, resolve};
use crate::operator::node::wire;
use crate::operator::{Built, Operator, facts};
use crate::value::tensors;

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let axis = attributes.axis("axis")?.unwrap_or(0);
    let n_outputs = attributes.node().output.len();
    if let Some(n) = attributes.int("num_outputs")?
        && n != n_outputs as i64
    {
        let message = format!("{n}, but the node has {n_outputs} outputs");
        return Err(attributes.invalid("num_outputs", message));
    }
    let slots = named_outputs(attributes.node());
    let op_type = attributes.op_type().to_string();
    let of_attribute = match attributes.version() {
        ..13 => attributes.optional_ints("split")?.map(<[i64]>::to_vec),
        _ => None,
    };
    Ok(Built::expansion(move |name, model, inputs| {
        let sizes = match inputs.get(1) {
            Some(&sizes) => Some(constant_ints("split", model, sizes)?),
            None => of_attribute,
        };
        let axis = resolve(axis, model.outlet_fact(inputs[0])?.rank())?;
        let parts =
            match sizes {
                None => Parts::Equal(n_outputs),
                Some(sizes) if sizes.len() == n_outputs => {
                    let known = sizes.iter().map(|&size| usize::try_from(size).ok());
                    Parts::Sizes(known.collect::<Option<_>>().ok_or_else(|| {
                        error::invalid(format!("a part of {sizes:?} is negative"))
                    })?)
                }
                Some(sizes) => {
                    let message = format!("{n_outputs} outputs for parts of {sizes:?}");
                    return Err(error::invalid(message).into());
                }
            };
        let split = Arc::new(Split { axis, parts });
        wire(&op_type, name, model, split, &slots, &inputs[..1])
    }))
}

/// How long the parts are.
#[derive(Debug)]
enum Parts {
    Sizes(Vec<usize>),
    /// So many of them, as equal as can be.
    Equal(usize),
}

#[derive(Debug)]
struct Split {
    axis: usize,
    parts: Parts,
}

impl Split {
    /// Where the parts of `len` elements end.
    fn ends(&self, len: usize) -> Result<Vec<usize>> {
        match &self.parts {
            Parts::Sizes(sizes) => {
                let add = |end: &mut usize, &size: &usize| {
                    *end = end.saturating_add(size);
                    Some(*end)
                };
                let ends: Vec<usize> = sizes.iter().scan(0, add).collect();
                if ends.last() != Some(&len) {
                    let message = format!("{len} elements in parts of {sizes:?}");
                    return Err(Error::input(message));
                }
                Ok(ends)
            }
            &Parts::Equal(n) => {
                let size = len.div_ceil(n);
                Ok((1..=n).map(|end| (end * size).min(len)).collect())
            }
        }
    }
}

impl Operator for Split {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        let len = &x.shape[self.axis];
        let sizes: Vec<TDim> = match (len.to_usize(), &self.parts) {
            (Ok(len), _) => {
                let ends = self.ends(len).map_err(error::invalid)?;
                let starts = std::iter::once(0).chain(ends.clone());
                ends.iter()
                    .zip(starts)
                    .map(|(end, start)| (end - start).to_dim())
                    .collect()
            }
            (Err(_), Parts::Sizes(sizes)) => sizes.iter().map(ToDim::to_dim).collect(),
            (Err(_), &Parts::Equal(n)) => {
                let size = len.clone().divceil(n);
                let last = len.clone() - size.clone() * (n - 1);
                let mut sizes = vec![size; n];
                sizes[n - 1] = last;
                sizes
            }
        };
        let mut facts = tvec![];
        for size in sizes {
            let mut fact = x.without_value();
            fact.shape.set(self.axis, size);
            facts.push(fact);
        }
        Ok(facts)
    }

    fn maps_rows(&self, _rank: usize) -> bool {
        self.axis > 0
    }

    fn eval(&self, inputs: &[TValue], wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let ends = self.ends(x.shape()[self.axis])?;
        memory::ask_for_inputs(inputs)?;
        let part = |&slot: &usize| {
            let start = if slot == 0 { 0 } else { ends[slot - 1] };
            if start == ends[slot] {
                let mut shape: TVec<usize> = x.shape().into();
                shape[self.axis] = 0;
                return Ok(tensors::empty(x.datum_type(), &shape)?.into_tvalue());
            }
            Ok(x.slice(self.axis, start, ends[slot])?.into_tvalue())
        };
        wanted.iter().map(part).collect()
    }
}
