//! Products of any two factors, one number after the other.

use crate::error::Result;
use crate::guard::interrupt;
use crate::kernels::contraction::pair::{Axis, Number, Pair};

/// How long a line of the product is at least for which others are gone along around it.
const LINE: usize = 8;
/// How many sums are in flight.
const LANES: usize = 16;

/// Adds the product of `pair` to `c`, which is as large as its axes say.
pub(crate) fn add_product<T: Number>(pair: &Pair<'_, T>, c: &mut [T]) -> Result<()> {
    let axes = nested(&pair.axes);
    let Some((outer, inner)) = axes.split_first().filter(|(_, inner)| !inner.is_empty()) else {
        add(pair.factors, &axes, [0; 3], c);
        return Ok(());
    };
    for index in 0..outer.size {
        interrupt::check()?;
        add(pair.factors, inner, outer.strides.map(|s| index * s), c);
    }
    Ok(())
}

/// `axes` in the order that they are best gone along in, and as few as can be.
fn nested(axes: &[Axis]) -> Vec<Axis> {
    let mut nested: Vec<Axis> = vec![];
    for &axis in axes {
        let follows = |last: &&mut Axis| last.strides == axis.strides.map(|s| s * axis.size);
        match nested.last_mut().filter(follows) {
            Some(last) => {
                last.size *= axis.size;
                last.strides = axis.strides;
            }
            None => nested.push(axis),
        }
    }
    let is_summed = |axis: &&Axis| axis.strides[2] == 0;
    let n_kept = nested.iter().filter(|axis| !is_summed(axis)).count();
    if let Some(last) = n_kept.checked_sub(1)
        && nested.len() > n_kept
    {
        let is_line = |axis: &Axis| axis.strides[..2].iter().all(|&stride| stride <= 1);
        let is_long = |axis: &Axis| axis.size >= LINE;
        let line = &nested[last];
        let sum = &nested[nested.len() - 1];
        if is_line(line) && (is_long(line) || !is_line(sum)) {
            nested[last..].rotate_left(1);
        }
    }
    nested
}

/// Adds what lies along `axes`, from these places on.
fn add<T: Number>(factors: [&[T]; 2], axes: &[Axis], at: [usize; 3], c: &mut [T]) {
    match axes {
        [] => c[at[2]] = c[at[2]].plus_product(factors[0][at[0]], factors[1][at[1]]),
        [line] => add_line(factors, line, at, c),
        [outer, inner @ ..] => {
            let mut at = at;
            for _ in 0..outer.size {
                add(factors, inner, at, c);
                for (at, stride) in at.iter_mut().zip(outer.strides) {
                    *at += stride;
                }
            }
        }
    }
}

fn add_line<T: Number>([a, b]: [&[T]; 2], line: &Axis, at: [usize; 3], c: &mut [T]) {
    let n = line.size;
    let [at_a, at_b, at_c] = at;
    match line.strides {
        [0, 1, _] => {
            let (line, at) = (turned(line), [at_b, at_a, at_c]);
            add_line([b, a], &line, at, c);
        }
        [1, 0, 1] => {
            let b = b[at_b];
            for (c, &a) in c[at_c..][..n].iter_mut().zip(&a[at_a..]) {
                *c = c.plus_product(a, b);
            }
        }
        [1, 1, 1] => {
            let factors = a[at_a..].iter().zip(&b[at_b..]);
            for (c, (&a, &b)) in c[at_c..][..n].iter_mut().zip(factors) {
                *c = c.plus_product(a, b);
            }
        }
        [1, 1, 0] => c[at_c] = c[at_c].plus(dot(&a[at_a..][..n], &b[at_b..][..n])),
        [1, 0, 0] => {
            let mut sums = [T::default(); LANES];
            for a in a[at_a..][..n].chunks(LANES) {
                for (sum, &a) in sums.iter_mut().zip(a) {
                    *sum = sum.plus(a);
                }
            }
            c[at_c] = c[at_c].plus_product(total(sums), b[at_b]);
        }
        strides => {
            let mut at = at;
            for _ in 0..n {
                let [at_a, at_b, at_c] = at;
                c[at_c] = c[at_c].plus_product(a[at_a], b[at_b]);
                for (at, stride) in at.iter_mut().zip(strides) {
                    *at += stride;
                }
            }
        }
    }
}

/// The same of the factors the other way round.
fn turned(axis: &Axis) -> Axis {
    let [a, b, c] = axis.strides;
    Axis {
        strides: [b, a, c],
        ..*axis
    }
}

fn dot<T: Number>(a: &[T], b: &[T]) -> T {
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [T::default(); LANES];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum = sum.plus_product(a, b);
        }
    }
    for ((sum, &a), &b) in sums.iter_mut().zip(a_rest).zip(b_rest) {
        *sum = sum.plus_product(a, b);
    }
    total(sums)
}

fn total<T: Number>(sums: [T; LANES]) -> T {
    sums.into_iter().fold(T::default(), T::plus)
}
