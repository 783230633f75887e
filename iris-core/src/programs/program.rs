//! A program for the rows of a batch.

use tract_onnx::tract_hir::internal::*;

use crate::error::{Error, Result};
use crate::kernels::lanes::Numbers;
use crate::operator::{Filling, Layout};
use crate::programs::operation::Operation;
use crate::programs::tensor::{Shape, Value};
use crate::value::slots::Slots;
use crate::value::view::TensorView;
use crate::{error, operator};

/// What a program is given.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) datum_type: DatumType,
    pub(crate) shape: Shape,
}

/// A compiled part of a graph.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) inputs: Vec<Input>,
    pub(crate) n_registers: usize,
    /// The operations in their order, each with a bit for each output that needs it.
    pub(crate) steps: Vec<(u64, Operation)>,
    pub(crate) outputs: Vec<Value>,
}

impl Program {
    /// Whether no tensor of it has an axis before that of the samples.
    fn samples_come_first(&self) -> bool {
        let inputs = self.inputs.iter().map(|input| &input.shape);
        let outputs = self.outputs.iter().map(|output| &output.shape);
        inputs.chain(outputs).all(|shape| shape.samples == Some(0))
    }
}

impl Filling for Program {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let first = self.inputs.first().zip(inputs.first());
        let n_samples = first
            .and_then(|(input, fact)| fact.shape.get(input.shape.samples?))
            .ok_or_else(|| error::invalid("expected an axis of samples"))?;
        let facts = self.outputs.iter().map(|output| {
            let shape = output.shape.of_samples(n_samples.clone());
            output.datum_type.fact(shape)
        });
        Ok(facts.collect())
    }

    fn maps_rows(&self, _rank: usize) -> bool {
        self.samples_come_first()
    }

    fn maps_several(&self) -> bool {
        true
    }

    fn n_outputs(&self) -> usize {
        self.outputs.len()
    }

    fn layout(&self, inputs: &[TensorView<'_>], output: usize) -> TractResult<Layout> {
        let value = self.outputs.get(output);
        let value = value.ok_or_else(|| operator::missing(output))?;
        Ok(Layout {
            datum_type: value.datum_type,
            shape: value.shape.of_samples(self.n_samples(inputs)?),
        })
    }

    fn fill(
        &self,
        inputs: &[TensorView<'_>],
        outputs: &mut [Option<Slots<'_>>],
    ) -> TractResult<()> {
        let n_samples = self.n_samples(inputs)?;
        let numbers = inputs
            .iter()
            .map(|x| Numbers::of_view(x).ok_or_else(|| Error::input("expected numbers")));
        self.run(n_samples, numbers.collect::<Result<_>>()?, outputs)
    }
}

impl Program {
    /// How many samples all of `inputs` have, which have to be as the program was told.
    fn n_samples(&self, inputs: &[TensorView<'_>]) -> Result<usize> {
        let mut n_samples = None;
        for (input, x) in self.inputs.iter().zip(inputs) {
            let n = input.n_samples(x)?;
            if *n_samples.get_or_insert(n) != n {
                let message = "inputs of different numbers of samples";
                return Err(Error::input(message));
            }
        }
        Ok(n_samples.unwrap_or_default())
    }
}

impl Input {
    /// How many samples a tensor has, which has to be as the program was told.
    fn n_samples(&self, x: &TensorView<'_>) -> Result<usize> {
        let shape = x.shape;
        let datum_type = Numbers::of_view(x).map(Numbers::datum_type);
        let first_dim = self.shape.first_dim();
        let n = self.shape.samples.and_then(|axis| shape.get(axis));
        match n {
            Some(&n)
                if datum_type == Some(self.datum_type)
                    && shape[first_dim..] == self.shape.dims[..] =>
            {
                Ok(n)
            }
            _ => {
                let expected = &self.shape.dims;
                let message = format!("shape {shape:?}, expected samples of {expected:?}");
                Err(Error::input(message))
            }
        }
    }
}
