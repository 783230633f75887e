//! Products of any number of factors, of two at a time.

pub(crate) mod labels;
pub(crate) mod loops;
pub(crate) mod matrices;
pub(crate) mod pair;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::error::{Error, ErrorKind, Result};
use crate::guard::budget::check_tensor;
use crate::kernels::contraction::labels::{Label, Sizes};
use crate::kernels::contraction::pair::{Axis, Number, Pair, Set, set};

fn contains(set: Set, label: Label) -> bool {
    set >> label & 1 != 0
}

/// How far apart numbers are along the axis of each label.
type Strides = SmallVec<[(Label, usize); 4]>;

/// Numbers, and how far apart they are along the axes that are longer than 1. Each label is there once.
pub(crate) struct Factor<'a, T: Clone> {
    pub(crate) numbers: Cow<'a, [T]>,
    pub(crate) strides: Strides,
}

impl<'a, T: Number> Factor<'a, T> {
    /// A tensor of `shape`, whose axes have these labels.
    pub(crate) fn new(numbers: &'a [T], labels: &[Label], shape: &[usize]) -> Self {
        Self {
            numbers: numbers.into(),
            strides: strides(labels, shape),
        }
    }

    fn labels(&self) -> Set {
        set(self.strides.iter().map(|(label, _)| label))
    }

    /// How far apart the numbers are along the axis of `label`, which are the same if it has none.
    pub(crate) fn stride(&self, label: Label) -> usize {
        let mut strides = self.strides.iter();
        let found = strides.find(|(other, _)| *other == label);
        found.map_or(0, |&(_, stride)| stride)
    }
}

fn strides(labels: &[Label], shape: &[usize]) -> Strides {
    let mut strides: Strides = SmallVec::new();
    let mut next = 1;
    for (&label, &size) in labels.iter().zip(shape).rev() {
        let stride = next;
        next *= size;
        if size == 1 {
            continue;
        }
        match strides.iter_mut().find(|(other, _)| *other == label) {
            // Along a diagonal one goes along both axes.
            Some((_, diagonal)) => *diagonal += stride,
            None => strides.push((label, stride)),
        }
    }
    strides.reverse();
    strides
}

/// Adds the product of `factors`, with the axes `output`, to zeros.
pub(crate) fn contract<T: Number>(
    mut factors: Vec<Factor<'_, T>>,
    output: &[Label],
    sizes: &Sizes,
    c: &mut [T],
) -> Result<()> {
    let labels = factors.iter().fold(0, |all, factor| all | factor.labels());
    let mut sizes_in_use = sizes
        .iter()
        .enumerate()
        .filter(|(label, _)| contains(labels, *label));
    if sizes_in_use.any(|(_, &size)| size == 0) {
        return Ok(());
    }
    let mut first = factors.remove(0);
    let kept = set(output);
    while factors.len() > 1 {
        // What stays smallest comes first.
        let mut best: Option<(f64, usize, Set)> = None;
        for (index, factor) in factors.iter().enumerate() {
            let others = factors
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index);
            let needed = others.fold(kept, |all, (_, other)| all | other.labels());
            let made = (first.labels() | factor.labels()) & needed;
            let volume = sizes.iter().enumerate();
            let volume = volume.filter(|(label, _)| contains(made, *label));
            let volume = volume.map(|(_, &size)| size as f64).product();
            if best.is_none_or(|(least, ..)| volume < least) {
                best = Some((volume, index, made));
            }
        }
        let Some((_, index, made)) = best else {
            return Err(Error::new(ErrorKind::Run, "a product of nothing"));
        };
        first = multiplied(&first, &factors.remove(index), made, sizes)?;
    }
    let one = Factor::new(T::ONE, &[], &[]);
    let second = factors.pop().unwrap_or(one);
    add_product(&first, &second, output, sizes, c)
}

/// The product of two factors, of which the axes `made` are left.
fn multiplied<T: Number>(
    a: &Factor<'_, T>,
    b: &Factor<'_, T>,
    made: Set,
    sizes: &Sizes,
) -> Result<Factor<'static, T>> {
    let labels = a.strides.iter().chain(&b.strides).map(|(label, _)| *label);
    let mut left: Vec<Label> = vec![];
    for label in labels {
        if contains(made, label) && !left.contains(&label) {
            left.push(label);
        }
    }
    let shape: Vec<usize> = left.iter().map(|&label| sizes[label]).collect();
    check_tensor(shape.iter().copied(), size_of::<T>())?;
    let mut numbers = vec![T::default(); shape.iter().product()];
    add_product(a, b, &left, sizes, &mut numbers)?;
    Ok(Factor {
        numbers: numbers.into(),
        strides: strides(&left, &shape),
    })
}

/// Adds the product of two factors, with the axes `output`, to zeros.
fn add_product<T: Number>(
    a: &Factor<'_, T>,
    b: &Factor<'_, T>,
    output: &[Label],
    sizes: &Sizes,
    c: &mut [T],
) -> Result<()> {
    let one = Factor::new(T::ONE, &[], &[]);
    for (factor, other, is_first) in [(a, b, true), (b, a, false)] {
        // What only one factor has is summed before it meets what only the other has.
        let summed = factor.labels() & !other.labels() & !set(output);
        if summed != 0 && other.labels() & !factor.labels() != 0 {
            let sum = multiplied(factor, &one, factor.labels() & !summed, sizes)?;
            let [a, b] = if is_first { [&sum, b] } else { [a, &sum] };
            return add_product(a, b, output, sizes, c);
        }
    }
    let mut axes = vec![];
    let shape: Vec<usize> = output.iter().map(|&label| sizes[label]).collect();
    for (label, stride) in strides(output, &shape) {
        axes.push(Axis {
            size: sizes[label],
            strides: [a.stride(label), b.stride(label), stride],
        });
    }
    let all = a.strides.iter().chain(&b.strides).map(|(label, _)| *label);
    let mut seen = set(output);
    for label in all {
        if !contains(seen, label) {
            seen |= 1 << label;
            axes.push(Axis {
                size: sizes[label],
                strides: [a.stride(label), b.stride(label), 0],
            });
        }
    }
    let pair = Pair {
        factors: [&a.numbers, &b.numbers],
        axes,
    };
    if !T::multiply(&pair, c)? {
        loops::add_product(&pair, c)?;
    }
    Ok(())
}
