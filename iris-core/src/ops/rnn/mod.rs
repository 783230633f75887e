//! [RNN](https://onnx.ai/onnx/operators/onnx__RNN.html), versions 1 to 22.
//!
//! `X` `[seq_length, batch_size, input_size]`, `W` `[num_directions, hidden_size, input_size]` and `R`
//! `[num_directions, hidden_size, hidden_size]`, all float or all double, and, where they are there, `B`
//! `[num_directions, 2 · hidden_size]`, `sequence_lens` int32 `[batch_size]` and `initial_h`
//! `[num_directions, batch_size, hidden_size]` give `Y` `[seq_length, num_directions, batch_size, hidden_size]` and `Y_h`
//! `[num_directions, batch_size, hidden_size]`. With `layout` 1, `batch_size` is the first dimension of `X`, `initial_h`,
//! `Y` and `Y_h`. What `Y` has beyond the length of a sequence is 0.
//!
//! tract's own reads neither `activations` nor `clip` nor `direction` in full.

pub(crate) mod activation;

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, ErrorKind, Result};
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, NEVER_FOLDED, Operator, facts};
use crate::ops::rnn::activation::Activation;
use crate::value::tensors;

#[derive(Debug)]
struct RNN {
    /// The activation of each direction, and whether it goes from the end to the start.
    directions: Vec<(Activation, bool)>,
    hidden_size: Option<usize>,
    /// The largest magnitude of what an activation is applied to.
    clip: f64,
    batch_first: bool,
    /// Which of its six inputs the node has, and where.
    slots: [Option<usize>; 6],
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let is_reverse: &[bool] = match attributes.string("direction")?.unwrap_or("forward") {
        "forward" => &[false],
        "reverse" => &[true],
        "bidirectional" => &[false, true],
        other => {
            return Err(attributes.invalid("direction", format!("{other:?} is not supported")));
        }
    };
    let activations = Activation::from_attributes(attributes, is_reverse.len())?;
    let hidden_size = attributes.int("hidden_size")?;
    let hidden_size = hidden_size
        .map(|size| usize::try_from(size).map_err(|_| attributes.invalid("hidden_size", size)))
        .transpose()?;
    let clip = attributes.float("clip")?.filter(|&clip| clip >= 0.0);
    // Whether Y is wanted, in version 1; it is if it has a name.
    attributes.int("output_sequence")?;
    let batch_first = match attributes.int("layout")?.unwrap_or(0) {
        0 => false,
        1 => true,
        other => return Err(attributes.invalid("layout", format!("{other} is not supported"))),
    };
    let rnn = RNN {
        directions: activations.into_iter().zip(is_reverse.to_vec()).collect(),
        hidden_size,
        clip: clip.map_or(f64::INFINITY, f64::from),
        batch_first,
        slots: slots(&attributes.node().input)?,
    };
    Ok(Built::operator(rnn))
}

/// Where the inputs are that have a name; tract leaves out the others.
fn slots(names: &[String]) -> Result<[Option<usize>; 6]> {
    let mut slots = [None; 6];
    let given = names
        .iter()
        .enumerate()
        .filter(|(_, name)| !name.is_empty());
    for (nth, (index, _)) in given.enumerate() {
        let slot = slots
            .get_mut(index)
            .ok_or_else(|| error::invalid(format!("expected 3 to 6 inputs, got {}", index + 1)))?;
        *slot = Some(nth);
    }
    Ok(slots)
}

/// How many elements `Y` may have.
const MAX_VOLUME: usize = 1 << 31;

const INPUTS: [&str; 6] = ["X", "W", "R", "B", "sequence_lens", "initial_h"];

trait Float: Datum + Copy + Into<f64> {
    fn round(x: f64) -> Self;
}

impl Float for f32 {
    fn round(x: f64) -> Self {
        x as Self
    }
}

impl Float for f64 {
    fn round(x: f64) -> Self {
        x
    }
}

/// The sizes of a network that runs.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    seq_length: usize,
    batch_size: usize,
    input_size: usize,
    hidden_size: usize,
    num_directions: usize,
    batch_first: bool,
}

impl Sizes {
    /// Where step `t` of sequence `batch` starts in `X`.
    fn x(&self, t: usize, batch: usize) -> usize {
        self.input_size
            * if self.batch_first {
                batch * self.seq_length + t
            } else {
                t * self.batch_size + batch
            }
    }

    /// Where step `t` of sequence `batch` starts in `Y`.
    fn y(&self, t: usize, direction: usize, batch: usize) -> usize {
        self.hidden_size
            * if self.batch_first {
                (batch * self.seq_length + t) * self.num_directions + direction
            } else {
                (t * self.num_directions + direction) * self.batch_size + batch
            }
    }

    /// Where the state of sequence `batch` starts in `initial_h` and `Y_h`.
    fn h(&self, direction: usize, batch: usize) -> usize {
        self.hidden_size
            * if self.batch_first {
                batch * self.num_directions + direction
            } else {
                direction * self.batch_size + batch
            }
    }
}

/// The inputs of a network that runs, whose lengths are those of the sizes.
struct Inputs<'a, T> {
    x: &'a [T],
    w: &'a [T],
    r: &'a [T],
    b: Option<&'a [T]>,
    lens: Vec<usize>,
    initial_h: Option<&'a [T]>,
}

/// The sum of the products of `a` and `b`, and `sum`.
fn add_dot<T: Float>(sum: f64, a: &[T], b: &[T]) -> f64 {
    let products = a.iter().zip(b).map(|(&a, &b)| a.into() * b.into());
    products.fold(sum, |sum, product: f64| sum + product)
}

impl RNN {
    /// `Y` and `Y_h`.
    fn recur<T: Float>(&self, sizes: Sizes, inputs: &Inputs<'_, T>) -> (Vec<T>, Vec<T>) {
        let Sizes {
            seq_length,
            batch_size,
            input_size,
            hidden_size,
            num_directions,
            ..
        } = sizes;
        let zero = T::round(0.0);
        let mut y = vec![zero; seq_length * num_directions * batch_size * hidden_size];
        let mut y_h = vec![zero; num_directions * batch_size * hidden_size];
        let mut h = vec![zero; hidden_size];
        let mut next = h.clone();
        for (direction, &(activation, is_reverse)) in self.directions.iter().enumerate() {
            let w = &inputs.w[direction * hidden_size * input_size..][..hidden_size * input_size];
            let r = &inputs.r[direction * hidden_size * hidden_size..][..hidden_size * hidden_size];
            let b = inputs
                .b
                .map(|b| b[direction * 2 * hidden_size..][..2 * hidden_size].split_at(hidden_size));
            for (batch, &len) in inputs.lens.iter().enumerate() {
                match inputs.initial_h {
                    Some(initial) => {
                        h.copy_from_slice(&initial[sizes.h(direction, batch)..][..hidden_size]);
                    }
                    None => h.fill(zero),
                }
                for step in 0..len {
                    let t = if is_reverse { len - 1 - step } else { step };
                    let x = &inputs.x[sizes.x(t, batch)..][..input_size];
                    for (unit, next) in next.iter_mut().enumerate() {
                        let bias = b.map_or(0.0, |(w, r)| w[unit].into() + r[unit].into());
                        let sum = add_dot(bias, x, &w[unit * input_size..][..input_size]);
                        let sum = add_dot(sum, &h, &r[unit * hidden_size..][..hidden_size]);
                        *next = T::round(activation.apply(sum.clamp(-self.clip, self.clip)));
                    }
                    std::mem::swap(&mut h, &mut next);
                    y[sizes.y(t, direction, batch)..][..hidden_size].copy_from_slice(&h);
                }
                y_h[sizes.h(direction, batch)..][..hidden_size].copy_from_slice(&h);
            }
        }
        (y, y_h)
    }

    fn input<'a, F>(&self, index: usize, inputs: &'a [F]) -> Option<&'a F> {
        inputs.get(self.slots[index]?)
    }

    /// An input that no node goes without.
    fn needed<'a, F>(&self, index: usize, inputs: &'a [F]) -> Result<&'a F> {
        self.input(index, inputs)
            .ok_or_else(|| error::invalid(format!("input {}: missing", INPUTS[index])))
    }

    /// `[seq_length, batch_size, input_size]` of `X` and `hidden_size` of `R`.
    fn dims<D: Clone>(&self, x: &[D], r: &[D]) -> Result<[D; 4]> {
        let rank = |name: &str, got: usize| {
            error::invalid(format!("input {name}: expected 3 dimensions, got {got}"))
        };
        let [first, second, input_size] = x else {
            return Err(rank("X", x.len()));
        };
        let [_, _, hidden_size] = r else {
            return Err(rank("R", r.len()));
        };
        let (seq_length, batch_size) = if self.batch_first {
            (second, first)
        } else {
            (first, second)
        };
        Ok([seq_length, batch_size, input_size, hidden_size].map(Clone::clone))
    }

    /// The shapes that the inputs must have.
    fn expected<D: Clone + From<usize>>(
        &self,
        dims: [D; 4],
        twice: impl Fn(&D) -> D,
    ) -> [Vec<D>; 6] {
        let [seq_length, batch_size, input_size, hidden_size] = dims;
        let n: D = self.directions.len().into();
        let x = self.batch_second([seq_length, batch_size.clone(), input_size.clone()]);
        let initial_h = self.batch_second([n.clone(), batch_size.clone(), hidden_size.clone()]);
        [
            x.to_vec(),
            vec![n.clone(), hidden_size.clone(), input_size],
            vec![n.clone(), hidden_size.clone(), hidden_size.clone()],
            vec![n, twice(&hidden_size)],
            vec![batch_size],
            initial_h.to_vec(),
        ]
    }

    /// The dimensions of a tensor whose second one is the batch, in the order of the layout.
    fn batch_second<D>(&self, [first, batch_size, last]: [D; 3]) -> [D; 3] {
        if self.batch_first {
            [batch_size, first, last]
        } else {
            [first, batch_size, last]
        }
    }

    /// The dimensions of `Y`.
    fn y_dims<D>(&self, [seq_length, batch_size, _, hidden_size]: [D; 4], n: D) -> [D; 4] {
        if self.batch_first {
            [batch_size, seq_length, n, hidden_size]
        } else {
            [seq_length, n, batch_size, hidden_size]
        }
    }
}

impl Operator for RNN {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let (x, r) = (self.needed(0, inputs)?, self.needed(2, inputs)?);
        self.needed(1, inputs)?;
        facts::check_real("X", x)?;
        let datum_type = x.datum_type;
        let dims = self.dims::<TDim>(&x.shape, &r.shape)?;
        if let (Some(expected), Ok(got)) = (self.hidden_size, dims[3].to_usize())
            && expected != got
        {
            let message = format!("input R: attribute hidden_size is {expected}, got {got}");
            return Err(error::invalid(message));
        }
        let expected = self.expected(dims.clone(), |size| size.clone() * 2);
        for (index, expected) in expected.iter().enumerate() {
            let Some(fact) = self.input(index, inputs) else {
                continue;
            };
            let name = INPUTS[index];
            let wanted = if index == 4 {
                DatumType::I32
            } else {
                datum_type
            };
            if fact.datum_type != wanted {
                let got = fact.datum_type;
                let message = format!("input {name}: expected {wanted:?}, got {got:?}");
                return Err(error::invalid(message));
            }
            let is_other = |(expected, got): (&TDim, &TDim)| matches!((expected.to_usize(), got.to_usize()), (Ok(a), Ok(b)) if a != b);
            if fact.rank() != expected.len() || expected.iter().zip(fact.shape.iter()).any(is_other)
            {
                let message = format!(
                    "input {name}: expected shape {expected:?}, got {:?}",
                    fact.shape
                );
                return Err(error::invalid(message));
            }
        }
        let n = self.directions.len().to_dim();
        let y_h = self.batch_second([n.clone(), dims[1].clone(), dims[3].clone()]);
        let y = self.y_dims(dims, n);
        Ok(tvec![datum_type.fact(y), datum_type.fact(y_h)])
    }

    /// A step for each product of a number of an input or state with a weight.
    fn work(&self, inputs: &[TValue]) -> usize {
        let shape = |index: usize| self.input(index, inputs).map_or(&[][..], |x| x.shape());
        let Ok([seq_length, batch_size, input_size, hidden_size]) =
            self.dims::<usize>(shape(0), shape(2))
        else {
            return NEVER_FOLDED;
        };
        let factors = [
            self.directions.len(),
            seq_length,
            batch_size,
            hidden_size,
            input_size.saturating_add(hidden_size),
        ];
        factors.into_iter().fold(1, usize::saturating_mul)
    }

    fn eval(&self, inputs: &[TValue], wanted: &[usize]) -> TractResult<TVec<TValue>> {
        if inputs[0].datum_type() == DatumType::F32 {
            self.run::<f32>(inputs, wanted)
        } else {
            self.run::<f64>(inputs, wanted)
        }
    }
}

impl RNN {
    fn run<T: Float>(&self, inputs: &[TValue], wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let refused = |message: String| Error::new(ErrorKind::InvalidInput, message);
        let dims = self.dims(
            self.needed(0, inputs)?.shape(),
            self.needed(2, inputs)?.shape(),
        )?;
        for (index, expected) in self.expected(dims, |size| size * 2).iter().enumerate() {
            if let Some(got) = self.input(index, inputs).map(|input| input.shape())
                && got != expected
            {
                let name = INPUTS[index];
                let message = format!("input {name}: expected shape {expected:?}, got {got:?}");
                return Err(refused(message).into());
            }
        }
        let [seq_length, batch_size, input_size, hidden_size] = dims;
        let n = self.directions.len();
        let y_shape = self.y_dims(dims, n);
        y_shape
            .iter()
            .try_fold(1_usize, |volume, &dim| volume.checked_mul(dim.max(1)))
            .filter(|&volume| volume <= MAX_VOLUME)
            .ok_or_else(|| {
                refused(format!(
                    "output Y: a tensor of shape {y_shape:?} is too large"
                ))
            })?;
        let sizes = Sizes {
            seq_length,
            batch_size,
            input_size,
            hidden_size,
            num_directions: n,
            batch_first: self.batch_first,
        };
        let lens = match self.input(4, inputs) {
            None => vec![seq_length; batch_size],
            Some(lens) => lens
                .try_as_plain_ram()?
                .as_slice::<i32>()?
                .iter()
                .map(|&len| usize::try_from(len).ok().filter(|&len| len <= seq_length))
                .collect::<Option<_>>()
                .ok_or_else(|| {
                    refused(format!(
                        "input sequence_lens: a length is not in 0 to {seq_length}"
                    ))
                })?,
        };
        let elements = |index: usize| {
            let input = self.input(index, inputs);
            input
                .map(|input| input.try_as_plain_ram()?.as_slice::<T>())
                .transpose()
        };
        let inputs = Inputs::<T> {
            x: elements(0)?.unwrap_or_default(),
            w: elements(1)?.unwrap_or_default(),
            r: elements(2)?.unwrap_or_default(),
            b: elements(3)?,
            lens,
            initial_h: elements(5)?,
        };
        let (y, y_h) = self.recur(sizes, &inputs);
        let y = tensors::from_vec(&y_shape, y)?.into_tvalue();
        let y_h_shape = self.batch_second([n, batch_size, hidden_size]);
        let y_h = tensors::from_vec(&y_h_shape, y_h)?.into_tvalue();
        Ok(wanted
            .iter()
            .map(|&slot| if slot == 0 { y.clone() } else { y_h.clone() })
            .collect())
    }
}
