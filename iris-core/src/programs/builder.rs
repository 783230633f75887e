//! Makes a program of values, operation after operation; what is the same in all samples is computed at once.

use std::collections::HashSet;

use tract_onnx::tract_hir::internal::*;

use crate::kernels::functions::Function;
use crate::programs::operation::{Binary, Operation, Reducer, Unary};
use crate::programs::program::{Input, Program};
use crate::programs::tensor::{Element, Shape, Value, broadcast, groups, shape_volume};

/// More numbers of a sample than this are not worth being kept side by side with those of other samples.
const MOST_REGISTERS: usize = 4096;
/// More elements of all values than this are not worth their memory: a value of few registers may have many.
const MOST_ELEMENTS_OF_ALL: usize = 1 << 20;
/// As many outputs can be told from each other in [`Program::wanted`].
const MOST_OUTPUTS: usize = 64;

/// A program as far as it has been made.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    n_registers: u32,
    inputs: Vec<Input>,
    operations: Vec<Operation>,
    /// The registers of indices, and what these are less than.
    indices: HashMap<u32, usize>,
    /// The registers of 0 or 1.
    truths: HashSet<u32>,
    /// How many elements all values have had.
    n_elements: usize,
    /// The registers of inputs of int64, the first and the one after the last.
    wide: Vec<[u32; 2]>,
}

/// How far a program had been made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    registers: u32,
    inputs: usize,
    operations: usize,
}

impl Builder {
    /// A tensor that is given to the program, of which `shape` is known.
    pub(crate) fn input(&mut self, datum_type: DatumType, shape: Shape) -> Option<Value> {
        let is_readable = matches!(
            datum_type,
            DatumType::F32 | DatumType::F64 | DatumType::I32 | DatumType::I64
        );
        let len = shape_volume(&shape.dims)?;
        if !is_readable || len == 0 {
            return None;
        }
        let first = self.registers(len)?;
        self.operations.push(Operation::Load {
            input: self.inputs.len(),
            first,
            len: u32::try_from(len).ok()?,
        });
        if datum_type == DatumType::I64 {
            self.wide.push([first, self.n_registers]);
        }
        self.inputs.push(Input {
            datum_type,
            shape: shape.clone(),
        });
        Some(value(datum_type, shape, first))
    }

    /// Whether `x` is an input of int64, whose numbers need not be what they are in double precision.
    pub(crate) fn may_be_rounded(&self, x: &Value) -> bool {
        let is_wide = |register: u32| {
            let mut wide = self.wide.iter();
            wide.any(|&[first, end]| (first..end).contains(&register))
        };
        let mut elements = x.elements.iter();
        x.datum_type == DatumType::I64
            && elements.any(|element| matches!(element, Element::Register(x) if is_wide(*x)))
    }

    /// Whether one more value is not too many.
    pub(crate) fn has_room_for(&mut self, value: &Value) -> bool {
        self.n_elements += value.elements.len().max(1);
        self.n_elements <= MOST_ELEMENTS_OF_ALL
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            registers: self.n_registers,
            inputs: self.inputs.len(),
            operations: self.operations.len(),
        }
    }

    pub(crate) fn go_back(&mut self, mark: Mark) {
        self.n_registers = mark.registers;
        self.inputs.truncate(mark.inputs);
        self.operations.truncate(mark.operations);
        self.wide.retain(|[first, _]| *first < mark.registers);
        self.indices
            .retain(|&register, _| register < mark.registers);
        self.truths.retain(|&register| register < mark.registers);
    }

    fn registers(&mut self, n: usize) -> Option<u32> {
        let first = self.n_registers;
        let end = (first as usize).checked_add(n)?;
        if end > MOST_REGISTERS {
            return None;
        }
        self.n_registers = u32::try_from(end).ok()?;
        Some(first)
    }

    pub(crate) fn unary(&mut self, function: Unary, x: &Value, y: DatumType) -> Option<Value> {
        let mut items = vec![];
        let mut elements = Vec::with_capacity(x.elements.len());
        for element in x.elements.iter() {
            elements.push(match *element {
                Element::Constant(x) => Element::Constant(function.of(x)),
                Element::Register(x) => {
                    let y = self.registers(1)?;
                    items.push([y, x]);
                    Element::Register(y)
                }
            });
        }
        self.push(items, |items| Operation::Unary { function, items });
        Some(Value {
            datum_type: y,
            shape: x.shape.clone(),
            elements: elements.into(),
        })
    }

    /// `e` to the power of `x`; where `x` is what numbers are above the logarithm of the sum of their exponentials, that is
    /// their softmax.
    pub(crate) fn exp(&mut self, x: &Value) -> Option<Value> {
        let Some(sums) = self.above_log_sums(x) else {
            return self.unary(Unary::Of(Function::Exp), x, x.datum_type);
        };
        let mut softmax = HashMap::new();
        let mut groups = vec![];
        for group in sums {
            let first = self.registers(group.len())?;
            softmax.extend(group.iter().copied().zip(first..));
            groups.push((first, group));
        }
        let minuends = self.minuends(x)?;
        let elements = minuends.iter().map(|(minuend, _)| softmax.get(minuend));
        let elements = elements.map(|y| y.copied().map(Element::Register));
        let elements = elements.collect::<Option<Vec<Element>>>()?;
        self.operations.push(Operation::Softmax {
            logarithm: false,
            groups,
        });
        Some(Value {
            elements: elements.into(),
            ..x.clone()
        })
    }

    /// For each number of `x` the registers of what it is the difference of, if all are differences.
    fn minuends(&self, x: &Value) -> Option<Vec<(u32, u32)>> {
        let mut differences = HashMap::new();
        for operation in &self.operations {
            if let Operation::Binary {
                function: Binary::Sub,
                items,
            } = operation
            {
                for (y, [a, b]) in items {
                    if let (Some(a), Some(b)) = (a.register(), b.register()) {
                        differences.insert(*y, (a, b));
                    }
                }
            }
        }
        let minuends = x.elements.iter().map(|element| match element {
            Element::Register(register) => differences.get(register).copied(),
            Element::Constant(_) => None,
        });
        minuends.collect()
    }

    /// The groups that the logarithms were taken of, if all numbers of `x` are what the numbers of a group are above that.
    fn above_log_sums(&self, x: &Value) -> Option<Vec<Vec<u32>>> {
        let mut log_sums = HashMap::new();
        for operation in &self.operations {
            if let Operation::Reduce {
                reducer: Reducer::LogSumExp,
                first,
                groups,
            } = operation
            {
                log_sums.extend((*first..).zip(groups));
            }
        }
        let mut found: Vec<u32> = vec![];
        for (minuend, subtrahend) in self.minuends(x)? {
            if !log_sums.get(&subtrahend)?.contains(&minuend) {
                return None;
            }
            if !found.contains(&subtrahend) {
                found.push(subtrahend);
            }
        }
        let groups = found.iter().map(|register| log_sums.get(register));
        groups
            .map(|group| group.map(|group| (*group).clone()))
            .collect()
    }

    pub(crate) fn binary(
        &mut self,
        function: Binary,
        a: &Value,
        b: &Value,
        y: DatumType,
    ) -> Option<Value> {
        let (shape, operands) = broadcast(&[a, b])?;
        let mut items = vec![];
        let mut elements = Vec::with_capacity(shape.volume());
        for (&a, &b) in operands[0].iter().zip(&operands[1]) {
            if let (Element::Constant(a), Element::Constant(b)) = (a, b) {
                elements.push(Element::Constant(function.of(a, b)));
                continue;
            }
            if function == Binary::Add
                && let (Element::Register(x), Element::Constant(0.0))
                | (Element::Constant(0.0), Element::Register(x)) = (a, b)
                && self.truths.contains(&x)
            {
                // -0 would become 0.
                elements.push(Element::Register(x));
                continue;
            }
            let y = self.registers(1)?;
            elements.push(Element::Register(y));
            if function.is_truth() {
                self.truths.insert(y);
            }
            items.push((y, [a, b]));
        }
        self.push(items, |items| Operation::Binary { function, items });
        Some(Value {
            datum_type: y,
            shape,
            elements: elements.into(),
        })
    }

    /// `a` where `condition` holds, `b` where it does not.
    pub(crate) fn select(&mut self, condition: &Value, a: &Value, b: &Value) -> Option<Value> {
        let (shape, operands) = broadcast(&[condition, a, b])?;
        let mut items = vec![];
        let mut elements = Vec::with_capacity(shape.volume());
        for ((&condition, &a), &b) in operands[0].iter().zip(&operands[1]).zip(&operands[2]) {
            elements.push(match condition {
                Element::Constant(0.0) => b,
                Element::Constant(_) => a,
                Element::Register(condition) => {
                    let (a, b) = (self.register(a)?, self.register(b)?);
                    let y = self.registers(1)?;
                    items.push([y, condition, a, b]);
                    Element::Register(y)
                }
            });
        }
        self.push(items, |items| Operation::Select { items });
        Some(Value {
            datum_type: a.datum_type,
            shape,
            elements: elements.into(),
        })
    }

    /// What becomes of the numbers along the `chosen` dimensions, which stay with length 1 or go.
    pub(crate) fn reduce(
        &mut self,
        reducer: Reducer,
        x: &Value,
        chosen: &[bool],
        keep_dims: bool,
    ) -> Option<Value> {
        let mut shape = x.shape.clone();
        shape.dims = x
            .shape
            .dims
            .iter()
            .zip(chosen)
            .filter(|(_, chosen)| keep_dims || !**chosen)
            .map(|(&len, &chosen)| if chosen { 1 } else { len })
            .collect();
        let is_index = matches!(reducer, Reducer::ArgMax | Reducer::ArgMin);
        let datum_type = if is_index {
            DatumType::I64
        } else {
            x.datum_type
        };
        let groups = groups(&x.shape.dims, chosen);
        if groups.iter().any(Vec::is_empty) {
            return None;
        }
        if let Some(numbers) = x.constants() {
            let reduced = groups.iter().map(|group| {
                let group: Vec<f64> = group.iter().map(|&place| numbers[place]).collect();
                Element::Constant(reducer.of(&group))
            });
            return Some(Value {
                datum_type,
                shape,
                elements: reduced.collect(),
            });
        }
        let mut reduced = vec![];
        for group in groups {
            let group = group
                .into_iter()
                .map(|place| self.register(x.elements[place]));
            reduced.push(group.collect::<Option<Vec<u32>>>()?);
        }
        let first = self.registers(reduced.len())?;
        if is_index {
            let bounds = reduced.iter().map(Vec::len);
            self.indices.extend((first..).zip(bounds));
        }
        self.operations.push(Operation::Reduce {
            reducer,
            first,
            groups: reduced,
        });
        Some(value(datum_type, shape, first))
    }

    /// Softmax along the `chosen` dimensions, or its logarithm.
    pub(crate) fn softmax(&mut self, logarithm: bool, x: &Value, chosen: &[bool]) -> Option<Value> {
        let mut elements = x.elements.to_vec();
        let mut softmax = vec![];
        for group in groups(&x.shape.dims, chosen) {
            let first = self.registers(group.len())?;
            for (&place, y) in group.iter().zip(first..) {
                elements[place] = Element::Register(y);
            }
            let group = group
                .into_iter()
                .map(|place| self.register(x.elements[place]));
            softmax.push((first, group.collect::<Option<Vec<u32>>>()?));
        }
        self.operations.push(Operation::Softmax {
            logarithm,
            groups: softmax,
        });
        Some(Value {
            elements: elements.into(),
            ..x.clone()
        })
    }

    /// `x` `[k]` of each sample times the rows of `weights` `[n, k]`.
    pub(crate) fn product(&mut self, x: &Value, weights: Vec<f64>, n: usize) -> Option<Value> {
        let registers = x.elements.iter().map(|&element| self.register(element));
        let registers = registers.collect::<Option<Vec<u32>>>()?;
        let first = self.registers(n)?;
        self.operations.push(Operation::Product {
            x: registers,
            weights,
            first,
            n,
        });
        let shape = Shape {
            samples: x.shape.samples,
            dims: tvec![n],
        };
        Some(value(x.datum_type, shape, first))
    }

    /// Which of the numbers of `table` the indices of `x` are the places of, if all of them have to be in it.
    pub(crate) fn lookup(&mut self, table: &Value, x: &Value, shape: Shape) -> Option<Value> {
        let numbers = table.constants()?;
        let mut items = vec![];
        let mut elements = Vec::with_capacity(x.elements.len());
        for element in x.elements.iter() {
            let Element::Register(x) = *element else {
                return None;
            };
            if *self.indices.get(&x)? > numbers.len() {
                return None;
            }
            let y = self.registers(1)?;
            items.push([y, x]);
            elements.push(Element::Register(y));
        }
        self.operations.push(Operation::Lookup {
            items,
            table: numbers,
        });
        Some(Value {
            datum_type: table.datum_type,
            shape,
            elements: elements.into(),
        })
    }

    /// Where `element` is, be it a constant.
    fn register(&mut self, element: Element) -> Option<u32> {
        match element {
            Element::Register(register) => Some(register),
            Element::Constant(constant) => {
                let y = self.registers(1)?;
                self.operations.push(Operation::Fill {
                    items: vec![(y, constant)],
                });
                Some(y)
            }
        }
    }

    fn push<T>(&mut self, items: Vec<T>, operation: impl FnOnce(Vec<T>) -> Operation) {
        if !items.is_empty() {
            self.operations.push(operation(items));
        }
    }

    /// The program that gives `outputs`, and which of the inputs it reads.
    pub(crate) fn finish(&self, outputs: &[Value]) -> Option<(Program, Vec<usize>)> {
        let is_written = |output: &Value| {
            matches!(
                output.datum_type,
                DatumType::F32 | DatumType::F64 | DatumType::I32 | DatumType::I64 | DatumType::Bool
            ) && !self.may_be_rounded(output)
        };
        if outputs.len() > MOST_OUTPUTS || !outputs.iter().all(is_written) {
            return None;
        }
        let mut wanted_by = vec![0_u64; self.n_registers as usize];
        for (index, output) in outputs.iter().enumerate() {
            for element in output.elements.iter() {
                if let Element::Register(register) = *element {
                    wanted_by[register as usize] |= 1 << index;
                }
            }
        }
        let mut steps = vec![];
        let mut is_read = vec![false; self.inputs.len()];
        for operation in self.operations.iter().rev() {
            let results = operation.writes();
            let wanted = results
                .iter()
                .fold(0, |wanted, &y| wanted | wanted_by[y as usize]);
            if wanted == 0 {
                continue;
            }
            for x in operation.reads() {
                wanted_by[x as usize] |= wanted;
            }
            if let Operation::Load { input, .. } = operation {
                is_read[*input] = true;
            }
            steps.push((wanted, operation.clone()));
        }
        steps.reverse();
        let read: Vec<usize> = (0..is_read.len()).filter(|&input| is_read[input]).collect();
        for (_, operation) in &mut steps {
            if let Operation::Load { input, .. } = operation {
                *input = read.binary_search(input).ok()?;
            }
        }
        let inputs = read.iter().map(|&input| self.inputs[input].clone());
        let program = Program {
            inputs: inputs.collect(),
            n_registers: self.n_registers as usize,
            steps,
            outputs: outputs.to_vec(),
        };
        // What no sample has to do with is a constant.
        (!read.is_empty()).then_some((program, read))
    }
}

fn value(datum_type: DatumType, shape: Shape, first: u32) -> Value {
    let elements = (first..).take(shape.volume()).map(Element::Register);
    Value {
        datum_type,
        elements: elements.collect(),
        shape,
    }
}
