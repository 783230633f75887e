//! The product of a matrix and a constant one, with what a layer of a network does to it next.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::{Simd, WithSimd};

use crate::kernels::matmul::packed::{Layers, PANEL, Product};
use crate::kernels::matmul::tiles;
use crate::kernels::real::Real;
use crate::kernels::reduce::sum_of_squares;
use crate::kernels::simd;

/// How many rows of `A` are in flight.
const ROWS: usize = 12;
/// Rows in flight once fewer than `ROWS` are left.
const FEW_ROWS: usize = 4;
/// Rows in flight where two vectors of columns are.
const ROWS_OF_TWO: usize = 6;
const FEW_ROWS_OF_TWO: usize = 2;
/// How many rows see a panel before the next one is taken.
const BATCH: usize = 4 * ROWS;

/// A product with a matrix that is known when it is to be multiplied.
pub(crate) struct Packed<T>(Layers<T>);

impl<T: Real> Packed<T> {
    /// The product with a matrix of `n` columns.
    pub(crate) fn new(n: usize) -> Self {
        Self(Layers {
            mean: None,
            products: vec![Product::of_nothing(n)],
        })
    }

    /// Takes the matrix of which what is in a row and a column is in `b` at the sum of their places.
    pub(crate) fn pack(&mut self, b: &[T], rows: &[usize], columns: &[usize]) {
        for product in &mut self.0.products {
            product.pack(b, rows, columns);
        }
    }

    /// Puts the product of `a` `[m, k]` and the matrix into `c`.
    pub(crate) fn multiply(&self, a: &[T], c: &mut [T]) {
        let layers = &self.0;
        simd::dispatch(Multiply { layers, a, c });
    }
}

/// Puts what the layers make of `a` `[m, k]` into `c`.
pub(crate) struct Multiply<'a, T> {
    pub(crate) layers: &'a Layers<T>,
    pub(crate) a: &'a [T],
    pub(crate) c: &'a mut [T],
}

impl<T: Real> WithSimd for Multiply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { layers, a, c } = self;
        let Some((last, others)) = layers.products.split_last() else {
            return;
        };
        let k = others.first().unwrap_or(last).k;
        let in_tiles = tiles::n_rows::<T, S>(layers, a.len() / k);
        let (tiled, a) = a.split_at(in_tiles * k);
        let (tiled_c, c) = c.split_at_mut(in_tiles * last.n);
        tiles::multiply(simd, layers, tiled, tiled_c);
        let n_rows = BATCH.min(a.len() / k);
        let widest = others.iter().map(|product| product.n).max().unwrap_or(0);
        let mut between = vec![T::default(); n_rows * widest];
        let mut next = between.clone();
        let mut centred = vec![T::default(); layers.mean.as_ref().map_or(0, |_| n_rows * k)];
        for (a, c) in a.chunks(BATCH * k).zip(c.chunks_mut(BATCH * last.n)) {
            let mut a = a;
            if let Some(mean) = &layers.mean {
                for (row, centred) in a.chunks_exact(k).zip(centred.chunks_exact_mut(k)) {
                    for ((slot, &x), &mean) in centred.iter_mut().zip(row).zip(mean) {
                        *slot = x - mean;
                    }
                }
                a = &centred[..a.len()];
            }
            let n_rows = a.len() / k;
            for (index, product) in others.iter().enumerate() {
                let a = if index == 0 { a } else { &between };
                multiply_rows(simd, product, a, n_rows, &mut next);
                std::mem::swap(&mut between, &mut next);
            }
            let a = if others.is_empty() { a } else { &between };
            multiply_rows(simd, last, a, n_rows, c);
        }
    }
}

/// What `product` makes of `n_rows` rows, no more than [`BATCH`].
#[inline(always)]
fn multiply_rows<T: Real, S: Simd>(
    simd: S,
    product: &Product<T>,
    a: &[T],
    n_rows: usize,
    c: &mut [T],
) {
    let &Product { k, n, .. } = product;
    let mut squares = [T::default(); BATCH];
    if product.adds_squares {
        for (sum, row) in squares.iter_mut().zip(a.chunks_exact(k)).take(n_rows) {
            *sum = T::from_f64(sum_of_squares(simd, row));
        }
    }
    let lanes = size_of::<T::Vector<S>>() / size_of::<T>();
    let mut columns = Columns {
        product,
        first: 0,
        squares: &squares,
        a,
    };
    // Two vectors of a panel at a time, and the last one alone if there is nothing in the other.
    while n - columns.first > lanes {
        columns.all_rows_of_two(simd, n_rows, c);
        columns.first += 2 * lanes;
        if columns.first >= n {
            return;
        }
    }
    columns.all_rows(simd, n_rows, c);
}

/// A function for a few rows. Their sums have names: compilers keep what is in an array in registers on some days only.
macro_rules! sums {
    ($name:ident, $($sum:ident $row:literal),*) => {
        #[inline(always)]
        fn $name<S: Simd>(&self, simd: S, first: usize, results: &mut [T]) {
            let k = self.product.k;
            let (panel, start) = (self.first / PANEL * PANEL, self.first % PANEL);
            let (panel, _) = self.product.panels[panel * k..][..PANEL * k].as_chunks::<PANEL>();
            let rows = [$(&self.a[(first + $row) * k..][..panel.len()]),*];
            $(let mut $sum = T::splat(simd, T::default());)*
            for (at, panel) in panel.iter().enumerate() {
                let Some(&column) = T::vectors::<S>(&panel[start..]).first() else {
                    return;
                };
                $($sum = T::mul_add(simd, T::splat(simd, rows[$row][at]), column, $sum);)*
            }
            $(self.finish::<S>(simd, first + $row, self.first, $sum, results);)*
        }
    };
}

/// The same for two vectors of columns: each number of `A` is loaded once for both.
macro_rules! sums_of_two {
    ($name:ident, $($left:ident $right:ident $row:literal),*) => {
        #[inline(always)]
        fn $name<S: Simd>(&self, simd: S, first: usize, results: &mut [T]) {
            let k = self.product.k;
            let (panel, start) = (self.first / PANEL * PANEL, self.first % PANEL);
            let (panel, _) = self.product.panels[panel * k..][..PANEL * k].as_chunks::<PANEL>();
            let rows = [$(&self.a[(first + $row) * k..][..panel.len()]),*];
            $(let (mut $left, mut $right) = (T::splat(simd, T::default()), T::splat(simd, T::default()));)*
            for (at, panel) in panel.iter().enumerate() {
                let &[left, right, ..] = T::vectors::<S>(&panel[start..]) else {
                    return;
                };
                $(
                    let x = T::splat(simd, rows[$row][at]);
                    $left = T::mul_add(simd, x, left, $left);
                    $right = T::mul_add(simd, x, right, $right);
                )*
            }
            let second = self.first + size_of::<T::Vector<S>>() / size_of::<T>();
            $(
                self.finish::<S>(simd, first + $row, self.first, $left, results);
                self.finish::<S>(simd, first + $row, second, $right, results);
            )*
        }
    };
}

/// A few columns of a product, as many as a vector has lanes.
struct Columns<'a, T> {
    product: &'a Product<T>,
    first: usize,
    /// The sum of the squares of each row of `a`; zeros unless the product adds them.
    squares: &'a [T; BATCH],
    a: &'a [T],
}

impl<T: Real> Columns<'_, T> {
    /// Computes the columns of all rows.
    #[inline(always)]
    fn all_rows<S: Simd>(&self, simd: S, n_rows: usize, c: &mut [T]) {
        let mut row = 0;
        while n_rows - row >= ROWS {
            self.many_rows::<S>(simd, row, c);
            row += ROWS;
        }
        while n_rows - row >= FEW_ROWS {
            self.few_rows::<S>(simd, row, c);
            row += FEW_ROWS;
        }
        for row in row..n_rows {
            self.one_row::<S>(simd, row, c);
        }
    }

    sums!(many_rows, a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8, j 9, k 10, l 11);
    sums!(few_rows, a 0, b 1, c 2, d 3);
    sums!(one_row, a 0);

    /// The same of twice as many columns.
    #[inline(always)]
    fn all_rows_of_two<S: Simd>(&self, simd: S, n_rows: usize, c: &mut [T]) {
        let mut row = 0;
        while n_rows - row >= ROWS_OF_TWO {
            self.many_rows_of_two::<S>(simd, row, c);
            row += ROWS_OF_TWO;
        }
        while n_rows - row >= FEW_ROWS_OF_TWO {
            self.few_rows_of_two::<S>(simd, row, c);
            row += FEW_ROWS_OF_TWO;
        }
        for row in row..n_rows {
            self.one_row_of_two::<S>(simd, row, c);
        }
    }

    sums_of_two!(many_rows_of_two, a b 0, c d 1, e f 2, g h 3, i j 4, k l 5);
    sums_of_two!(few_rows_of_two, a b 0, c d 1);
    sums_of_two!(one_row_of_two, a b 0);

    /// Puts a vector of columns of a row, the `first` and those behind it, where they belong, given the products.
    #[inline(always)]
    fn finish<S: Simd>(
        &self,
        simd: S,
        row: usize,
        first: usize,
        product: T::Vector<S>,
        c: &mut [T],
    ) {
        let n = self.product.n;
        let Some(&bias) = T::vectors::<S>(&self.product.bias[first..]).first() else {
            return;
        };
        let mut sum = product;
        if self.product.adds_squares {
            sum = T::sum(simd, sum, T::splat(simd, self.squares[row]));
        }
        sum = T::sum(simd, sum, bias);
        if self.product.relu {
            sum = T::relu(simd, sum);
        }
        let c = &mut c[row * n..][first..n];
        let lanes = (size_of::<T::Vector<S>>() / size_of::<T>()).min(c.len());
        T::store(simd, &mut c[..lanes], sum);
    }
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::attribute_proto::AttributeType;
    use tract_onnx::pb::tensor_shape_proto::dimension::Value::{DimParam, DimValue};
    use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

    use super::*;
    use crate::kernels::matmul::packed::places;
    use crate::onnx::protos::{info, model};
    use crate::operator::steps::Steps;

    impl<T: Real> Product<T> {
        fn new(k: usize, n: usize, b: impl Fn(usize, usize) -> T) -> Self {
            let numbers: Vec<T> = (0..k * n).map(|i| b(i / n, i % n)).collect();
            let mut product = Self::of_nothing(n);
            product.pack(&numbers, &places(k, n), &places(n, 1));
            product
        }
    }

    fn multiplied<T: Real>(
        mean: Option<Vec<T>>,
        products: Vec<Product<T>>,
        a: &[T],
        volume: usize,
    ) -> Vec<T> {
        let mut c = vec![T::default(); volume];
        simd::dispatch(Multiply {
            layers: &Layers { mean, products },
            a,
            c: &mut c,
        });
        c
    }

    #[test]
    fn multiplies_as_its_definition() {
        for (m, k, n) in [
            (1, 1, 1),
            (0, 3, 2),
            (5, 7, 33),
            (6, 64, 100),
            (101, 9, 32),
            (50, 2, 65),
            (23, 5, 10),
            (101, 64, 9),
            (97, 7, 3),
            (100, 20, 1),
            (49, 100, 17),
        ] {
            // Small integers, whose sums are exact.
            let numbers = |len: usize, by: usize| -> Vec<f32> {
                (0..len).map(|i| ((i * by) % 17) as f32 - 8.0).collect()
            };
            let (a, b, bias) = (numbers(m * k, 5), numbers(k * n, 7), numbers(n, 3));
            let mean = numbers(k, 11);
            for (relu, adds_squares, is_centred) in [
                (false, false, false),
                (true, false, false),
                (false, true, false),
                (false, false, true),
                (true, true, true),
            ] {
                let mut product = Product::new(k, n, |row, column| b[row * n + column]);
                product.bias[..n].copy_from_slice(&bias);
                product.relu = relu;
                product.adds_squares = adds_squares;
                let a_at = |row: usize, at: usize| {
                    let mean = if is_centred { mean[at] } else { 0.0 };
                    a[row * k + at] - mean
                };
                let expected = |index: usize| {
                    let (row, column) = (index / n, index % n);
                    let terms = (0..k).map(|at| a_at(row, at) * b[at * n + column]);
                    let squares = (0..k).map(|at| a_at(row, at) * a_at(row, at));
                    let squares = if adds_squares { squares.sum() } else { 0.0 };
                    let sum = terms.sum::<f32>() + squares + bias[column];
                    if relu { sum.max(0.0) } else { sum }
                };
                let expected: Vec<f32> = (0..m * n).map(expected).collect();
                let mean = is_centred.then(|| mean.clone());
                let c = multiplied(mean, vec![product], &a, m * n);
                assert_eq!(c, expected, "{m} {k} {n} {relu} {adds_squares}");
            }
        }
    }

    #[test]
    fn rows_have_the_same_bits_in_any_company() {
        let numbers = |len: usize| -> Vec<f32> { (0..len).map(|i| (i as f32).sin()).collect() };
        let (k, hidden, n) = (13, 20, 10);
        let layers = || {
            let (b, c) = (numbers(k * hidden), numbers(hidden * n));
            let mut first = Product::new(k, hidden, |row, column| b[row * hidden + column]);
            first.bias[..hidden].copy_from_slice(&numbers(hidden));
            first.relu = true;
            let last = Product::new(hidden, n, |row, column| c[row * n + column]);
            vec![first, last]
        };
        let a = numbers(100 * k);
        let together = multiplied(Some(numbers(k)), layers(), &a, 100 * n);
        for (row, expected) in a.chunks(k).zip(together.chunks(n)) {
            assert_eq!(multiplied(Some(numbers(k)), layers(), row, n), expected);
        }
    }

    #[test]
    fn layers_follow_each_other() {
        let b = [1.0_f32, 2.0, 3.0, 0.0, 1.0, -1.0];
        let first = Product::new(2, 3, |row, column| b[row * 3 + column]);
        let mut second = Product::new(3, 1, |_, _| 1.0);
        second.bias[0] = 0.5;
        second.relu = true;
        let mut third = Product::new(1, 2, |_, column| [1.0, -1.0][column]);
        third.scale(2.0);
        let a = [1.0, 1.0, 0.0, 2.0, -1.0, 0.0];
        let c = multiplied(None, vec![first, second, third], &a, 6);
        assert_eq!(c, [13.0, -13.0, 1.0, -1.0, 0.0, 0.0]);
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        let mut product = Product::new(1, 1, |_, _| 1.0_f64);
        product.relu = true;
        let c = multiplied(None, vec![product], &[f64::NAN, -1.0], 2);
        assert!(c[0].is_nan() && c[1] == 0.0, "{c:?}");
    }

    /// The names of what is left of a graph of `nodes` (operator, inputs, output), whose constants are vectors of 2 or
    /// matrices of 2 by 2, all of 2.0, or integers.
    fn left(nodes: &[(&str, &[&str], &str)], attributes: &[(&str, AttributeProto)]) -> Vec<String> {
        let node = |&(op_type, input, output): &(&str, &[&str], &str)| NodeProto {
            op_type: op_type.into(),
            input: input.iter().map(|name| (*name).into()).collect(),
            output: vec![output.into()],
            attribute: attributes
                .iter()
                .filter(|(of, _)| *of == op_type)
                .map(|(_, attribute)| attribute.clone())
                .collect(),
            ..NodeProto::default()
        };
        let constant = |name: &str, dims: &[i64]| TensorProto {
            name: name.into(),
            dims: dims.into(),
            data_type: 1,
            float_data: vec![2.0; dims.iter().product::<i64>() as usize],
            ..TensorProto::default()
        };
        let dims = [DimParam("n_samples".into()), DimValue(16)];
        let graph = GraphProto {
            node: nodes.iter().map(node).collect(),
            input: vec![info("x", &dims)],
            output: vec![info("y", &dims)],
            initializer: vec![constant("row", &[16]), constant("matrix", &[16, 16])],
            ..GraphProto::default()
        };
        let model = model("", 17, graph);
        let (graph, _) = crate::plan::wiring::typed_graph(&model, false).expect("a graph");
        let steps = Steps::of_graph(&graph, &graph.outputs).expect("steps");
        steps.names()
    }

    fn int(name: &str, i: i64) -> AttributeProto {
        AttributeProto {
            name: name.into(),
            i,
            r#type: AttributeType::Int.into(),
            ..AttributeProto::default()
        }
    }

    #[test]
    fn takes_in_what_goes_with_a_product() {
        let projected = left(
            &[
                ("Sub", &["x", "row"], "centred"),
                ("MatMul", &["centred", "matrix"], "y"),
            ],
            &[],
        );
        assert_eq!(projected, ["MatMul"]);
        let minus_two = AttributeProto {
            name: "alpha".into(),
            f: -2.0,
            r#type: AttributeType::Float.into(),
            ..AttributeProto::default()
        };
        let axes = AttributeProto {
            name: "axes".into(),
            ints: vec![1],
            r#type: AttributeType::Ints.into(),
            ..AttributeProto::default()
        };
        let distances = |axes: AttributeProto| {
            left(
                &[
                    ("ReduceSumSquare", &["x"], "squares"),
                    ("Gemm", &["x", "matrix"], "products"),
                    ("Add", &["squares", "products"], "sum"),
                    ("Add", &["row", "sum"], "y"),
                ],
                &[
                    ("ReduceSumSquare", axes),
                    ("Gemm", minus_two.clone()),
                    ("Gemm", int("transB", 1)),
                ],
            )
        };
        let along_rows = distances(axes.clone());
        assert_eq!(along_rows.len(), 1, "{along_rows:?}");
        let along_columns = distances(AttributeProto {
            ints: vec![0],
            ..axes
        });
        let is_left = |name: &String| name == "ReduceSumSquare";
        assert!(along_columns.iter().any(is_left), "{along_columns:?}");
    }
}
