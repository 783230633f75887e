//! Products of many rows by few columns: here the lanes of vectors are rows, so that nothing is computed of columns that are
//! not there.
//!
//! A tile of rows is turned around once, goes through all layers as it is, and its answers are turned back. Each sum is made
//! in the same order as [`product`](crate::kernels::matmul::panels) makes it.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::Simd;

use crate::kernels::matmul::packed::{Layers, PANEL, Product};
use crate::kernels::real::Real;
use crate::kernels::reduce::sum_of_squares;
use crate::kernels::transpose::SIDE;

/// How many vectors of rows are in flight.
const VECTORS: usize = 3;
/// The most rows of a tile.
const MOST_ROWS: usize = VECTORS * 16;
/// Where no vector straddles cache lines.
const LINE: usize = 64;

/// How many rows a tile has.
#[inline(always)]
fn height<T: Real, S: Simd>() -> usize {
    VECTORS * size_of::<T::Vector<S>>() / size_of::<T>()
}

/// How many of the first of `n_rows` rows are better computed here.
#[inline(always)]
pub(crate) fn n_rows<T: Real, S: Simd>(layers: &Layers<T>, n_rows: usize) -> usize {
    let (Some((first, others)), Some(last)) =
        (layers.products.split_first(), layers.products.last())
    else {
        return 0;
    };
    // Squares are summed of rows as they come.
    let are_known = others.iter().all(|product| !product.adds_squares)
        && !(first.adds_squares && layers.mean.is_some());
    let height = height::<T, S>();
    if !are_known || !height.is_multiple_of(SIDE) || height > MOST_ROWS {
        return 0;
    }
    let lanes = height / VECTORS;
    let products = layers.products.iter();
    let wasted = |product: &Product<T>| product.k * (product.n.next_multiple_of(lanes) - product.n);
    let wasted: usize = products.map(wasted).sum();
    // To turn a number around takes three eighths of the time of a vector of products.
    let turned = (first.k + last.n) * lanes * 3 / 8;
    if wasted > turned {
        n_rows / height * height
    } else {
        0
    }
}

/// Puts what the layers make of `a` `[m, k]` into `c`, where `m` is what [`n_rows`] says.
#[inline(always)]
pub(crate) fn multiply<T: Real, S: Simd>(simd: S, layers: &Layers<T>, a: &[T], c: &mut [T]) {
    let (Some(first), Some(last)) = (layers.products.first(), layers.products.last()) else {
        return;
    };
    let (k, n, height) = (first.k, last.n, height::<T, S>());
    let widths = layers.products.iter().map(|product| product.n);
    let len = widths.fold(k, usize::max) * height;
    let mut room = vec![T::default(); 2 * len + LINE];
    let aligned = room.as_ptr().align_offset(LINE).min(LINE);
    let (mut x, mut y) = room[aligned..][..2 * len].split_at_mut(len);
    for (a, c) in a
        .chunks_exact(height * k)
        .zip(c.chunks_exact_mut(height * n))
    {
        turn(simd, a, k, &mut x[..height * k]);
        if let Some(mean) = &layers.mean {
            for (column, &mean) in x.chunks_exact_mut(height).zip(mean) {
                for x in T::vectors_mut::<S>(column) {
                    *x = T::difference(simd, *x, T::splat(simd, mean));
                }
            }
        }
        let mut squares = [T::default(); MOST_ROWS];
        if first.adds_squares {
            for (sum, row) in squares.iter_mut().zip(a.chunks_exact(k)) {
                *sum = T::from_f64(sum_of_squares(simd, row));
            }
        }
        for product in &layers.products {
            let tile = Tile {
                product,
                x: &x[..product.k * height],
                squares: &squares,
            };
            tile.multiply(simd, &mut y[..product.n * height]);
            std::mem::swap(&mut x, &mut y);
        }
        turn_back(simd, &x[..height * n], n, c);
    }
}

/// Puts the rows `a`, of `k` numbers, into the columns of `x`.
#[inline(always)]
fn turn<T: Real, S: Simd>(simd: S, a: &[T], k: usize, x: &mut [T]) {
    let height = x.len() / k;
    for (first, rows) in a.chunks_exact(SIDE * k).enumerate() {
        let x = &mut x[first * SIDE..];
        if k < SIDE {
            for (row, numbers) in rows.chunks_exact(k).enumerate() {
                for (column, &number) in numbers.iter().enumerate() {
                    x[column * height + row] = number;
                }
            }
            continue;
        }
        let mut column = 0;
        loop {
            let mut block = [[T::default(); SIDE]; SIDE];
            for (line, row) in block.iter_mut().zip(rows.chunks_exact(k)) {
                line.copy_from_slice(&row[column..column + SIDE]);
            }
            for (index, line) in T::turned(simd, block).iter().enumerate() {
                x[(column + index) * height..][..SIDE].copy_from_slice(line);
            }
            if column + SIDE >= k {
                break;
            }
            // The last block may repeat columns of the one before.
            column = (column + SIDE).min(k - SIDE);
        }
    }
}

/// Puts the columns of `y` into the rows `c`, of `n` numbers.
#[inline(always)]
fn turn_back<T: Real, S: Simd>(simd: S, y: &[T], n: usize, c: &mut [T]) {
    let height = y.len() / n;
    for (first, rows) in c.chunks_exact_mut(SIDE * n).enumerate() {
        let y = &y[first * SIDE..];
        if n < SIDE {
            for (row, numbers) in rows.chunks_exact_mut(n).enumerate() {
                for (column, number) in numbers.iter_mut().enumerate() {
                    *number = y[column * height + row];
                }
            }
            continue;
        }
        let mut column = 0;
        loop {
            let mut block = [[T::default(); SIDE]; SIDE];
            for (index, line) in block.iter_mut().enumerate() {
                line.copy_from_slice(&y[(column + index) * height..][..SIDE]);
            }
            let block = T::turned(simd, block);
            for (line, row) in block.iter().zip(rows.chunks_exact_mut(n)) {
                row[column..column + SIDE].copy_from_slice(line);
            }
            if column + SIDE >= n {
                break;
            }
            column = (column + SIDE).min(n - SIDE);
        }
    }
}

/// A few rows of what is multiplied, turned around: `[k, height]`.
struct Tile<'a, T> {
    product: &'a Product<T>,
    x: &'a [T],
    squares: &'a [T; MOST_ROWS],
}

/// A function for a few columns. Their sums have names: compilers keep what is in an array in registers on some days only.
macro_rules! columns {
    ($name:ident, $n:literal, $($a:ident $b:ident $c:ident $column:literal),*) => {
        #[inline(always)]
        fn $name<S: Simd>(&self, simd: S, first: usize, y: &mut [T]) {
            let k = self.product.k;
            let (panel, start) = (first / PANEL * PANEL, first % PANEL);
            let (panel, _) = self.product.panels[panel * k..][..PANEL * k].as_chunks::<PANEL>();
            let (x, _) = T::vectors::<S>(self.x).as_chunks::<VECTORS>();
            let zero = T::splat(simd, T::default());
            $(let (mut $a, mut $b, mut $c) = (zero, zero, zero);)*
            for (weights, &[left, middle, right]) in panel.iter().zip(x) {
                let Some(weights) = weights[start..].first_chunk::<$n>() else {
                    return;
                };
                $(
                    let weight = T::splat(simd, weights[$column]);
                    $a = T::mul_add(simd, left, weight, $a);
                    $b = T::mul_add(simd, middle, weight, $b);
                    $c = T::mul_add(simd, right, weight, $c);
                )*
            }
            $(self.finish(simd, first + $column, [$a, $b, $c], y);)*
        }
    };
}

impl<T: Real> Tile<'_, T> {
    /// Puts the product `[n, height]` into `y`.
    #[inline(always)]
    fn multiply<S: Simd>(&self, simd: S, y: &mut [T]) {
        let n = self.product.n;
        let mut column = 0;
        while n - column >= 4 {
            self.four(simd, column, y);
            column += 4;
        }
        if n - column >= 2 {
            self.two(simd, column, y);
            column += 2;
        }
        if n > column {
            self.one(simd, column, y);
        }
    }

    columns!(four, 4, a b c 0, d e f 1, g h i 2, j k l 3);
    columns!(two, 2, a b c 0, d e f 1);
    columns!(one, 1, a b c 0);

    /// Puts the sums of a column where they belong, given the products.
    #[inline(always)]
    fn finish<S: Simd>(
        &self,
        simd: S,
        column: usize,
        products: [T::Vector<S>; VECTORS],
        y: &mut [T],
    ) {
        let bias = T::splat(simd, self.product.bias[column]);
        let squares = T::vectors::<S>(self.squares);
        let (y, _) = T::vectors_mut::<S>(y).as_chunks_mut::<VECTORS>();
        for ((slot, mut sum), &squares) in y[column].iter_mut().zip(products).zip(squares) {
            if self.product.adds_squares {
                sum = T::sum(simd, sum, squares);
            }
            sum = T::sum(simd, sum, bias);
            if self.product.relu {
                sum = T::relu(simd, sum);
            }
            *slot = sum;
        }
    }
}
