//! Runs a program on a batch.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::{Simd, WithSimd};
use tract_onnx::tract_hir::internal::*;

use super::Program;
use super::operation::Operation;
use super::value::{Element, Value};
use crate::ops::lanes::{Blocks, Numbers, Scratch, for_each_block};
use crate::ops::simd;

impl Program {
    /// The outputs `wanted` for so many samples.
    pub(super) fn run<'a>(
        &'a self,
        n_samples: usize,
        inputs: TVec<Numbers<'a>>,
        wanted: &[usize],
    ) -> TractResult<TVec<TValue>> {
        let outputs = wanted.iter().map(|&slot| {
            let output = self.outputs.get(slot);
            output.ok_or_else(|| format_err!("output {slot}: there is none"))
        });
        let outputs: TVec<&Value> = outputs.collect::<TractResult<_>>()?;
        let tensors = outputs.iter().map(|output| {
            let shape = output.shape.of_samples(n_samples);
            Tensor::zero_dt(output.datum_type, &shape)
        });
        let mut tensors: TVec<Tensor> = tensors.collect::<TractResult<_>>()?;
        let views = tensors.iter_mut().map(Tensor::try_as_plain_ram_mut);
        let mut views: Vec<_> = views.collect::<TractResult<_>>()?;
        let answers = views.iter_mut().map(|view| {
            Ok(match view.datum_type() {
                DatumType::F32 => Answers::Float(view.as_slice_mut()?),
                DatumType::F64 => Answers::Double(view.as_slice_mut()?),
                DatumType::I32 => Answers::Int32(view.as_slice_mut()?),
                DatumType::I64 => Answers::Int64(view.as_slice_mut()?),
                _ => Answers::Bool(view.as_slice_mut()?),
            })
        });
        let answers: Vec<Answers<'_>> = answers.collect::<TractResult<_>>()?;
        simd::dispatch(&mut Run {
            program: self,
            wanted: wanted.iter().fold(0, |wanted, slot| wanted | 1 << slot),
            n_samples,
            inputs,
            scratch: Scratch::new(self.n_registers, n_samples),
            outputs: outputs.into_iter().zip(answers).collect(),
        });
        Ok(tensors.into_iter().map(TValue::from).collect())
    }
}

/// The numbers of an output.
enum Answers<'y> {
    Float(&'y mut [f32]),
    Double(&'y mut [f64]),
    Int32(&'y mut [i32]),
    Int64(&'y mut [i64]),
    Bool(&'y mut [bool]),
}

/// A batch to run a program on, as what is compiled for each level of vector instructions.
struct Run<'a, 'y> {
    program: &'a Program,
    /// A bit for each output.
    wanted: u64,
    n_samples: usize,
    inputs: TVec<Numbers<'a>>,
    scratch: Scratch,
    outputs: TVec<(&'a Value, Answers<'y>)>,
}

impl WithSimd for &mut Run<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for_each_block(simd, self.n_samples, self);
    }
}

impl Blocks for Run<'_, '_> {
    #[inline(always)]
    fn block<S: Simd, const L: usize>(&mut self, simd: S, first: usize, n: usize) {
        let registers = self.scratch.lanes::<L>();
        for (wanted, operation) in &self.program.steps {
            if wanted & self.wanted == 0 {
                continue;
            }
            if let Operation::Load {
                input,
                first: register,
                len,
            } = *operation
            {
                let columns = &mut registers[register as usize..][..len as usize];
                self.inputs[input].load(simd, first, n, columns);
            } else {
                operation.compute(registers);
            }
        }
        for (output, answers) in &mut self.outputs {
            let elements = &output.elements;
            match answers {
                Answers::Float(y) => store(elements, registers, y, first, n, |x| x as f32),
                Answers::Double(y) => store(elements, registers, y, first, n, |x| x),
                Answers::Int32(y) => store(elements, registers, y, first, n, |x| x as i32),
                Answers::Int64(y) => store(elements, registers, y, first, n, |x| x as i64),
                Answers::Bool(y) => store(elements, registers, y, first, n, |x| x != 0.0),
            }
        }
    }
}

/// Puts the first `n` lanes into the samples from the `first` on of `y` `[n_samples, elements.len()]`.
#[inline(always)]
fn store<T, const L: usize>(
    elements: &[Element],
    registers: &[[f64; L]],
    y: &mut [T],
    first: usize,
    n: usize,
    convert: impl Fn(f64) -> T,
) {
    let width = elements.len();
    let rows = &mut y[first * width..(first + n) * width];
    for (index, element) in elements.iter().enumerate() {
        let column = match *element {
            Element::Constant(x) => [x; L],
            Element::Register(register) => registers[register as usize],
        };
        for (slot, x) in rows[index..].iter_mut().step_by(width).zip(column) {
            *slot = convert(x);
        }
    }
}
