//! Products of any number of factors, of two at a time.

use std::borrow::Cow;

use tract_onnx::tract_hir::internal::*;

use super::labels::{Label, Sizes};
use super::{loops, matrices};
use crate::model::limits::check_tensor;

/// What products are computed in.
pub(super) trait Number: Datum + Copy + Default {
    /// The number 1.
    const ONE: &'static [Self];

    /// `self + a * b`
    fn plus_product(self, a: Self, b: Self) -> Self;

    fn plus(self, other: Self) -> Self;

    /// As [`matrices::multiply`], if there is a kernel for it.
    fn multiply(pair: &Pair<'_, Self>, c: &mut [Self]) -> TractResult<bool>;
}

macro_rules! float {
    ($float:ty) => {
        impl Number for $float {
            const ONE: &'static [Self] = &[1.0];

            #[inline]
            fn plus_product(self, a: Self, b: Self) -> Self {
                self + a * b
            }

            #[inline]
            fn plus(self, other: Self) -> Self {
                self + other
            }

            fn multiply(pair: &Pair<'_, Self>, c: &mut [Self]) -> TractResult<bool> {
                matrices::multiply(pair, c)
            }
        }
    };
}

float!(f32);
float!(f64);

impl Number for i64 {
    const ONE: &'static [Self] = &[1];

    #[inline]
    fn plus_product(self, a: Self, b: Self) -> Self {
        self.wrapping_add(a.wrapping_mul(b))
    }

    #[inline]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    fn multiply(_pair: &Pair<'_, Self>, _c: &mut [Self]) -> TractResult<bool> {
        Ok(false)
    }
}

/// A set of labels.
pub(super) type Set = u64;

pub(super) fn set<'a>(labels: impl IntoIterator<Item = &'a Label>) -> Set {
    labels.into_iter().fold(0, |set, label| set | 1 << label)
}

fn contains(set: Set, label: Label) -> bool {
    set >> label & 1 != 0
}

/// Numbers, and how far apart they are along the axes that are longer than 1. Each label is there once.
pub(super) struct Factor<'a, T: Clone> {
    pub(super) numbers: Cow<'a, [T]>,
    pub(super) strides: TVec<(Label, usize)>,
}

impl<'a, T: Number> Factor<'a, T> {
    /// A tensor of `shape`, whose axes have these labels.
    pub(super) fn new(numbers: &'a [T], labels: &[Label], shape: &[usize]) -> Self {
        Self {
            numbers: numbers.into(),
            strides: strides(labels, shape),
        }
    }

    fn labels(&self) -> Set {
        set(self.strides.iter().map(|(label, _)| label))
    }

    /// How far apart the numbers are along the axis of `label`, which are the same if it has none.
    pub(super) fn stride(&self, label: Label) -> usize {
        let mut strides = self.strides.iter();
        let found = strides.find(|(other, _)| *other == label);
        found.map_or(0, |&(_, stride)| stride)
    }
}

fn strides(labels: &[Label], shape: &[usize]) -> TVec<(Label, usize)> {
    let mut strides: TVec<(Label, usize)> = tvec![];
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

/// An axis of a product of two factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) size: usize,
    /// How far apart the numbers are: in either factor, and in the product, where it is 0 if they are summed.
    pub(super) strides: [usize; 3],
}

/// Two factors, and the axes of their product, in its order, before those that are summed.
pub(super) struct Pair<'a, T> {
    pub(super) factors: [&'a [T]; 2],
    pub(super) axes: Vec<Axis>,
}

/// Adds the product of `factors`, with the axes `output`, to zeros.
pub(super) fn contract<T: Number>(
    mut factors: Vec<Factor<'_, T>>,
    output: &[Label],
    sizes: &Sizes,
    c: &mut [T],
) -> TractResult<()> {
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
            bail!("a product of nothing");
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
) -> TractResult<Factor<'static, T>> {
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
) -> TractResult<()> {
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
