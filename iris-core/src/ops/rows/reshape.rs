//! Other shapes of tensors that are not for programs, such as labels that are strings.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::value::Shape;
use super::{Part, Value};
use crate::error::{Error, Result};
use crate::ops::operator::Operator;
use crate::ops::tensors;

/// The same elements in another shape.
#[derive(Debug)]
pub(in crate::ops) struct InShape {
    samples: usize,
    shape: Shape,
}

impl InShape {
    /// What `node`, of this version, makes of a tensor with this fact, if that is all it does; `others` are its other inputs.
    pub(in crate::ops) fn of(
        node: &NodeProto,
        version: i64,
        fact: &TypedFact,
        others: &[Option<Value>],
    ) -> Option<Self> {
        // To a program all elements are numbers; where they go does not depend on what they are.
        let mut part = Part::default();
        let x = part.input(&DatumType::F32.fact(fact.shape.dims()))?;
        let inputs: Vec<_> = std::iter::once(Some(x.clone()))
            .chain(others.iter().cloned())
            .collect();
        let mut outputs = part.node(node, version, &inputs)?;
        let y = outputs.pop().filter(|_| outputs.is_empty())?;
        let stays = y.datum_type == x.datum_type && y.elements == x.elements;
        Some(Self {
            samples: x.shape.samples?,
            shape: y.shape,
        })
        .filter(|_| stays)
    }
}

impl Operator for InShape {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = tensors::inputs(inputs)?;
        let n_samples = x.shape.get(self.samples);
        let n_samples = n_samples.ok_or_else(|| tensors::invalid("expected an axis of samples"))?;
        Ok(tvec![
            x.datum_type.fact(self.shape.of_samples(n_samples.clone()))
        ])
    }

    fn maps_rows(&self, _rank: usize) -> bool {
        self.samples == 0 && self.shape.samples == Some(0)
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let n_samples = x.shape().get(self.samples).copied().unwrap_or_default();
        let shape = self.shape.of_samples(n_samples);
        if shape.iter().product::<usize>() != x.len() {
            let message = format!("shape {:?}, expected one like {shape:?}", x.shape());
            return Err(Error::input(message).into());
        }
        Ok(tvec![
            x.clone().into_tensor().into_shape(&shape)?.into_tvalue()
        ])
    }
}
