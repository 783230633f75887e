//! Runs a program on a batch.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::{Simd, WithSimd};
use tract_onnx::tract_hir::internal::*;

use crate::kernels::lanes::{Blocks, Numbers, Scratch, for_each_block};
use crate::kernels::{lanes, simd};
use crate::operator::Few;
use crate::programs::operation::{Operation, lanes_of};
use crate::programs::program::Program;
use crate::programs::tensor::{Element, Value};
use crate::value::slots::Slots;

impl Program {
    /// Computes the outputs for which there are slots, for so many samples.
    pub(crate) fn run<'a>(
        &'a self,
        n_samples: usize,
        inputs: TVec<Numbers<'a>>,
        outputs: &mut [Option<Slots<'_>>],
    ) -> TractResult<()> {
        let mut wanted = 0;
        let mut answers = Few::new();
        for (index, (value, slots)) in self.outputs.iter().zip(outputs).enumerate() {
            let Some(slots) = slots.take() else {
                continue;
            };
            if slots.len() != n_samples * value.elements.len() {
                bail!("output {index}: {} slots", slots.len());
            }
            wanted |= 1 << index;
            answers.push((value, side_by_side(&value.elements), slots));
        }
        simd::dispatch(&mut Run {
            program: self,
            wanted,
            n_samples,
            inputs,
            scratch: Scratch::new(self.n_registers, n_samples),
            outputs: answers,
        });
        Ok(())
    }
}

/// A batch to run a program on, as what is compiled for each level of vector instructions.
struct Run<'a, 'y> {
    program: &'a Program,
    /// A bit for each output.
    wanted: u64,
    n_samples: usize,
    inputs: TVec<Numbers<'a>>,
    scratch: Scratch,
    /// With where the registers of all elements begin, if they lie side by side.
    outputs: Few<(&'a Value, Option<u32>, Slots<'y>)>,
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
        for (output, side_by_side, slots) in &mut self.outputs {
            let elements = &output.elements;
            if let (Slots::Float(y), Some(begin)) = (&mut *slots, *side_by_side) {
                let registers = &registers[begin as usize..][..elements.len()];
                lanes::store(simd, registers, y, first, n);
                continue;
            }
            match slots {
                Slots::Float(y) => store(elements, registers, y, first, n, |x| x as f32),
                Slots::Double(y) => store(elements, registers, y, first, n, |x| x),
                Slots::Int32(y) => store(elements, registers, y, first, n, |x| x as i32),
                Slots::Int64(y) => store(elements, registers, y, first, n, |x| x as i64),
                Slots::Bool(y) => store(elements, registers, y, first, n, |x| x != 0.0),
                // No program has outputs of other types.
                Slots::Int16(_) | Slots::UInt32(_) | Slots::String(_) => {}
            }
        }
    }
}

/// The first of the registers that `elements` are, if each one's is the next.
fn side_by_side(elements: &[Element]) -> Option<u32> {
    let &Element::Register(begin) = elements.first()? else {
        return None;
    };
    let mut pairs = elements.iter().zip(begin..);
    pairs
        .all(|(&element, register)| element == Element::Register(register))
        .then_some(begin)
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
        let column = lanes_of(*element, registers);
        for (slot, x) in rows[index..].iter_mut().step_by(width).zip(column) {
            *slot = convert(x);
        }
    }
}
