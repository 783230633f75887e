//! The operations of a program: each computes some numbers of a sample from others, for several samples side by side.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use crate::kernels::array::{each, map_lanes};
use crate::kernels::exp::exp;
use crate::kernels::functions::{Function, with_function};
use crate::kernels::lanes::{Chosen, TOGETHER, dot, dots};
use crate::kernels::ln::ln;
use crate::programs::tensor::Element;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Unary {
    /// What an operator of one number computes.
    Of(Function),
    Relu,
    /// To the nearest float.
    ToFloat,
    /// Towards 0, within the bounds of the type.
    ToInt32,
    ToInt64,
    ToBool,
}

/// Calls `$body` with `$f` bound to what `$function` computes.
macro_rules! with_unary {
    ($function:expr, $f:ident => $body:expr) => {
        match $function {
            Unary::Of(function) => with_function!(*function, $f => $body),
            Unary::Relu => {
                let $f = |x: f64| if x < 0.0 { 0.0 } else { x };
                $body
            }
            Unary::ToFloat => {
                let $f = |x: f64| f64::from(x as f32);
                $body
            }
            Unary::ToInt32 => {
                let $f = |x: f64| f64::from(x as i32);
                $body
            }
            Unary::ToInt64 => {
                let $f = |x: f64| x as i64 as f64;
                $body
            }
            Unary::ToBool => {
                let $f = |x: f64| number(x != 0.0);
                $body
            }
        }
    };
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Binary {
    Add,
    And,
    Div,
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Max,
    Min,
    Mul,
    Or,
    Pow,
    Sub,
    Xor,
}

macro_rules! with_binary {
    ($function:expr, $f:ident => $body:expr) => {
        with_functions!($function, $f => $body, Binary {
            Add: |a: f64, b: f64| a + b,
            And: |a: f64, b: f64| number(a != 0.0 && b != 0.0),
            Div: |a: f64, b: f64| a / b,
            Equal: |a: f64, b: f64| number(a == b),
            Greater: |a: f64, b: f64| number(a > b),
            GreaterOrEqual: |a: f64, b: f64| number(a >= b),
            Less: |a: f64, b: f64| number(a < b),
            LessOrEqual: |a: f64, b: f64| number(a <= b),
            Max: |a: f64, b: f64| if a > b || a.is_nan() { a } else { b },
            Min: |a: f64, b: f64| if a < b || a.is_nan() { a } else { b },
            Mul: |a: f64, b: f64| a * b,
            Or: |a: f64, b: f64| number(a != 0.0 || b != 0.0),
            Pow: |a: f64, b: f64| a.powf(b),
            Sub: |a: f64, b: f64| a - b,
            Xor: |a: f64, b: f64| number((a != 0.0) != (b != 0.0)),
        })
    };
}

macro_rules! with_functions {
    ($function:expr, $f:ident => $body:expr, $functions:ident { $($name:ident: $closure:expr,)* }) => {
        match $function {
            $($functions::$name => {
                let $f = $closure;
                $body
            })*
        }
    };
}

#[inline(always)]
fn number(truth: bool) -> f64 {
    if truth { 1.0 } else { 0.0 }
}

impl Unary {
    pub(crate) fn of(self, x: f64) -> f64 {
        with_unary!(&self, f => f(x))
    }
}

impl Binary {
    pub(crate) fn of(self, a: f64, b: f64) -> f64 {
        with_binary!(self, f => f(a, b))
    }

    /// Whether what it gives is 0 or 1.
    pub(crate) fn is_truth(self) -> bool {
        matches!(
            self,
            Self::And
                | Self::Equal
                | Self::Greater
                | Self::GreaterOrEqual
                | Self::Less
                | Self::LessOrEqual
                | Self::Or
                | Self::Xor
        )
    }
}

/// What becomes of a group of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reducer {
    ArgMax,
    ArgMin,
    LogSumExp,
    Max,
    Min,
    Prod,
    Sum,
}

/// What is computed, and the registers of what it is computed from.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// The numbers of a sample of an input.
    Load { input: usize, first: u32, len: u32 },
    /// Result, number.
    Unary {
        function: Unary,
        items: Vec<[u32; 2]>,
    },
    /// Result, both numbers.
    Binary {
        function: Binary,
        items: Vec<(u32, [Element; 2])>,
    },
    /// Result, condition, number if it holds, number if it does not.
    Select { items: Vec<[u32; 4]> },
    /// Result, number.
    Fill { items: Vec<(u32, f64)> },
    /// Results from the first on, one of each group.
    Reduce {
        reducer: Reducer,
        first: u32,
        groups: Vec<Vec<u32>>,
    },
    /// For each group the first of its results; or their logarithms.
    Softmax {
        logarithm: bool,
        groups: Vec<(u32, Vec<u32>)>,
    },
    /// Results from the first on: `x` times the rows of `weights` `[n, x.len()]`.
    Product {
        x: Vec<u32>,
        weights: Vec<f64>,
        first: u32,
        n: usize,
    },
    /// Result, index.
    Lookup {
        items: Vec<[u32; 2]>,
        table: Vec<f64>,
    },
}

impl Reducer {
    pub(crate) fn of(self, group: &[f64]) -> f64 {
        let registers: Vec<[f64; 1]> = group.iter().map(|&x| [x]).collect();
        let places: Vec<u32> = (0..).take(group.len()).collect();
        let [result] = reduced(self, &places, &registers);
        result
    }
}

impl Operation {
    /// The registers it reads.
    pub(crate) fn reads(&self) -> Vec<u32> {
        match self {
            Self::Load { .. } | Self::Fill { .. } => vec![],
            Self::Unary { items, .. } | Self::Lookup { items, .. } => {
                items.iter().map(|&[_, x]| x).collect()
            }
            Self::Binary { items, .. } => {
                let numbers = items.iter().flat_map(|(_, numbers)| numbers);
                numbers.filter_map(Element::register).collect()
            }
            Self::Select { items } => items.iter().flat_map(|&[_, c, a, b]| [c, a, b]).collect(),
            Self::Reduce { groups, .. } => groups.concat(),
            Self::Softmax { groups, .. } => groups.iter().flat_map(|(_, x)| x).copied().collect(),
            Self::Product { x, .. } => x.clone(),
        }
    }

    /// The registers it writes.
    pub(crate) fn writes(&self) -> Vec<u32> {
        match self {
            Self::Load { first, len, .. } => (*first..first + len).collect(),
            Self::Unary { items, .. } | Self::Lookup { items, .. } => {
                items.iter().map(|&[y, _]| y).collect()
            }
            Self::Binary { items, .. } => items.iter().map(|&(y, _)| y).collect(),
            Self::Select { items } => items.iter().map(|&[y, ..]| y).collect(),
            Self::Fill { items } => items.iter().map(|&(y, _)| y).collect(),
            Self::Reduce { first, groups, .. } => (*first..).take(groups.len()).collect(),
            Self::Softmax { groups, .. } => {
                let results = groups.iter().map(|(first, x)| (*first..).take(x.len()));
                results.flatten().collect()
            }
            Self::Product { first, n, .. } => (*first..).take(*n).collect(),
        }
    }

    /// Computes the results of a block of samples; all but [`Self::Load`], which needs the inputs.
    #[inline(always)]
    pub(crate) fn compute<const L: usize>(&self, registers: &mut [[f64; L]]) {
        match self {
            Self::Load { .. } => {}
            Self::Unary { function, items } => with_unary!(function, f => {
                for &[y, x] in items {
                    let x = registers[x as usize];
                    registers[y as usize] = each(|lane| f(x[lane]));
                }
            }),
            Self::Binary { function, items } => with_binary!(function, f => {
                for &(y, [a, b]) in items {
                    let (a, b) = (lanes_of(a, registers), lanes_of(b, registers));
                    registers[y as usize] = each(|lane| f(a[lane], b[lane]));
                }
            }),
            Self::Select { items } => {
                for item in items {
                    let [_, condition, a, b] = item.map(|register| registers[register as usize]);
                    registers[item[0] as usize] = each(|lane| {
                        if condition[lane] == 0.0 {
                            b[lane]
                        } else {
                            a[lane]
                        }
                    });
                }
            }
            Self::Fill { items } => {
                for &(y, x) in items {
                    registers[y as usize] = [x; L];
                }
            }
            Self::Reduce {
                reducer,
                first,
                groups,
            } => {
                for (y, group) in (*first..).zip(groups) {
                    registers[y as usize] = reduced(*reducer, group, registers);
                }
            }
            Self::Softmax { logarithm, groups } => {
                for (first, group) in groups {
                    softmax(*logarithm, *first, group, registers);
                }
            }
            Self::Product {
                x,
                weights,
                first,
                n,
            } => multiply(x, weights, *first as usize, *n, registers),
            Self::Lookup { items, table } => {
                for &[y, index] in items {
                    let index = registers[index as usize];
                    registers[y as usize] =
                        each(|lane| table.get(index[lane] as usize).copied().unwrap_or(f64::NAN));
                }
            }
        }
    }
}

/// A number of a sample, for each of several.
#[inline(always)]
pub(crate) fn lanes_of<const L: usize>(element: Element, registers: &[[f64; L]]) -> [f64; L] {
    match element {
        Element::Constant(x) => [x; L],
        Element::Register(x) => registers[x as usize],
    }
}

/// What `f` makes of the numbers of a group, one after the other.
#[inline(always)]
fn folded<const L: usize>(
    group: &[u32],
    registers: &[[f64; L]],
    start: f64,
    f: impl Fn(f64, f64) -> f64,
) -> [f64; L] {
    let mut result = [start; L];
    for &x in group {
        let x = &registers[x as usize];
        result = each(|lane| f(result[lane], x[lane]));
    }
    result
}

#[inline(always)]
fn reduced<const L: usize>(reducer: Reducer, group: &[u32], registers: &[[f64; L]]) -> [f64; L] {
    match reducer {
        Reducer::ArgMax => first_best(group, registers, 1.0),
        Reducer::ArgMin => first_best(group, registers, -1.0),
        Reducer::Max => largest(group, registers),
        Reducer::Min => folded(group, registers, f64::INFINITY, |a, b| {
            if b < a || b.is_nan() { b } else { a }
        }),
        Reducer::Prod => folded(group, registers, 1.0, |a, b| a * b),
        Reducer::Sum => folded(group, registers, 0.0, |a, b| a + b),
        Reducer::LogSumExp => {
            let base = finite(largest(group, registers));
            let sum = sum_of_powers(group, registers, base);
            each(|lane| ln(sum[lane]) + base[lane])
        }
    }
}

#[inline(always)]
fn largest<const L: usize>(group: &[u32], registers: &[[f64; L]]) -> [f64; L] {
    folded(group, registers, f64::NEG_INFINITY, |a, b| {
        if b > a || b.is_nan() { b } else { a }
    })
}

/// Infinities are not to be subtracted from themselves.
#[inline(always)]
fn finite<const L: usize>(x: [f64; L]) -> [f64; L] {
    each(|lane| if x[lane].is_infinite() { 0.0 } else { x[lane] })
}

#[inline(always)]
fn sum_of_powers<const L: usize>(
    group: &[u32],
    registers: &[[f64; L]],
    base: [f64; L],
) -> [f64; L] {
    let mut sum = [0.0; L];
    for &x in group {
        let x = &registers[x as usize];
        sum = each(|lane| sum[lane] + exp(x[lane] - base[lane]));
    }
    sum
}

/// The place of the first of the largest of the numbers times `sign`: NaN in the first place is the answer, and elsewhere it
/// is passed over.
#[inline(always)]
fn first_best<const L: usize>(group: &[u32], registers: &[[f64; L]], sign: f64) -> [f64; L] {
    let mut best = [0.0; L];
    let Some((&first, others)) = group.split_first() else {
        return best;
    };
    let first = &registers[first as usize];
    let mut largest: [f64; L] = each(|lane| sign * first[lane]);
    for (place, &x) in (1_u32..).zip(others) {
        let x = &registers[x as usize];
        for lane in 0..L {
            let x = sign * x[lane];
            let is_larger = x > largest[lane];
            best[lane] = if is_larger {
                f64::from(place)
            } else {
                best[lane]
            };
            largest[lane] = if is_larger { x } else { largest[lane] };
        }
    }
    best
}

#[inline(always)]
fn softmax<const L: usize>(logarithm: bool, first: u32, group: &[u32], registers: &mut [[f64; L]]) {
    // What is not a number makes all of them that, whether it is the largest or not.
    let base = folded(group, registers, f64::NEG_INFINITY, |a, b| {
        if b > a { b } else { a }
    });
    if logarithm {
        let sum = sum_of_powers(group, registers, base);
        let shift: [f64; L] = each(|lane| base[lane] + ln(sum[lane]));
        for (y, &x) in (first..).zip(group) {
            let x = registers[x as usize];
            registers[y as usize] = each(|lane| x[lane] - shift[lane]);
        }
        return;
    }
    let mut sum = [0.0; L];
    for (y, &x) in (first..).zip(group) {
        let x = registers[x as usize];
        let power: [f64; L] = each(|lane| exp(x[lane] - base[lane]));
        sum = each(|lane| sum[lane] + power[lane]);
        registers[y as usize] = power;
    }
    let scale: [f64; L] = each(|lane| 1.0 / sum[lane]);
    let powers = &mut registers[first as usize..][..group.len()];
    map_lanes(powers, |power| each(|lane| power[lane] * scale[lane]));
}

/// `x` times the rows of `weights` `[n, x.len()]`, to the registers from `first` on.
#[inline(always)]
fn multiply<const L: usize>(
    x: &[u32],
    weights: &[f64],
    first: usize,
    n: usize,
    registers: &mut [[f64; L]],
) {
    let weights = |column: usize| &weights[column * x.len()..][..x.len()];
    let mut column = 0;
    while n - column >= TOGETHER {
        let mut together: [&[f64]; TOGETHER] = [&[]; TOGETHER];
        for (index, slot) in together.iter_mut().enumerate() {
            *slot = weights(column + index);
        }
        let places = x;
        let sums = dots::<L, true>(together, Chosen { places, registers });
        registers[first + column..][..TOGETHER].copy_from_slice(&sums);
        column += TOGETHER;
    }
    for column in column..n {
        let places = x;
        registers[first + column] = dot::<L, true>(weights(column), Chosen { places, registers });
    }
}
