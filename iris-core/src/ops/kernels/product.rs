//! The product of a matrix and a constant one, with what a layer of a network does to it next.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::{Simd, WithSimd};
use tract_onnx::tract_hir::internal::*;

use super::Fused;
use super::reduce::sum_of_squares;
use super::tiles;
use crate::error::{Error, Result};
use crate::ops::binary::{Function, function_of};
use crate::ops::filling::{self, Filling, Layout};
use crate::ops::products;
use crate::ops::real::Real;
use crate::ops::simd;
use crate::ops::tensors;
use crate::value::{Slots, TensorView};

/// How many columns of `B` lie side by side: a multiple of any register's size.
pub(super) const PANEL: usize = 32;
/// How many rows of `A` are in flight.
const ROWS: usize = 12;
/// How many are where not as many are left.
const FEW_ROWS: usize = 4;
/// The same where two vectors of columns are.
const ROWS_OF_TWO: usize = 6;
const FEW_ROWS_OF_TWO: usize = 2;
/// How many rows see a panel before the next one is taken.
const BATCH: usize = 4 * ROWS;

/// `A` `[m, k]` times `B` `[k, n]`, plus `bias` `[n]`, and no less than 0 if `relu` is set.
#[derive(Debug)]
pub(super) struct Product<T> {
    pub(super) k: usize,
    pub(super) n: usize,
    /// `[n / PANEL, k, PANEL]`, rounded up, with zeros at the end.
    pub(super) panels: Vec<T>,
    /// As long as the panels are wide; zeros if there is none.
    pub(super) bias: Vec<T>,
    /// Whether to each row the sum of the squares of the row of `A` is added, before the bias.
    pub(super) adds_squares: bool,
    pub(super) relu: bool,
}

/// Products of which each takes what the one before it gives.
#[derive(Debug)]
pub(super) struct Layers<T> {
    /// What is subtracted from each row before the first one, if anything is.
    pub(super) mean: Option<Vec<T>>,
    pub(super) products: Vec<Product<T>>,
}

/// The [`Layers`] for the place of `node` and of what follows it and nothing else reads.
pub(super) fn fused(graph: &TypedModel, node: &TypedNode) -> TractResult<Option<Fused>> {
    let Some((datum_type, _)) = constant_factor(graph, node)? else {
        return Ok(None);
    };
    match datum_type {
        DatumType::F32 => layers::<f32>(graph, node).map(Some),
        DatumType::F64 => layers::<f64>(graph, node).map(Some),
        _ => Ok(None),
    }
}

/// The second factor of a product.
struct Factor<'g> {
    tensor: &'g Tensor,
    /// Whether it is `[n, k]`.
    is_transposed: bool,
}

/// If `node` multiplies a matrix with a constant one: their type, and the constant.
fn constant_factor<'g>(
    graph: &'g TypedModel,
    node: &TypedNode,
) -> TractResult<Option<(DatumType, Factor<'g>)>> {
    let Some(is_transposed) = products::is_transposed(graph, node) else {
        return Ok(None);
    };
    let &[a, b] = &node.inputs[..] else {
        return Ok(None);
    };
    let (a, b) = (graph.outlet_fact(a)?, graph.outlet_fact(b)?);
    let constant = b.konst.as_ref().filter(|b| b.len() > 0);
    Ok(constant.map(|tensor| {
        let factor = Factor {
            tensor,
            is_transposed,
        };
        (a.datum_type, factor)
    }))
}

fn layers<T: Real>(graph: &TypedModel, first: &TypedNode) -> TractResult<Fused> {
    let mut layers = vec![];
    let (mut node, mut last) = (Some(first), first);
    while let Some(product) = node
        && let Some((datum_type, b)) = constant_factor(graph, product)?
        && datum_type == T::datum_type()
    {
        let (layer, end) = layer::<T>(graph, product, &b)?;
        layers.push(layer);
        last = end;
        node = only_reader(graph, last);
    }
    let (input, mean) = subtracted::<T>(graph, first.inputs[0])?;
    let layers = Layers {
        mean,
        products: layers,
    };
    Ok(Fused {
        last: last.id,
        operator: Arc::new(layers),
        input,
    })
}

/// The matrix from whose rows a constant one is subtracted, if that is what makes `outlet` and nothing else reads it, and
/// this row; else what makes `outlet`.
fn subtracted<T: Real>(
    graph: &TypedModel,
    outlet: OutletId,
) -> TractResult<(OutletId, Option<Vec<T>>)> {
    let found = || {
        let node = graph.node(outlet.node);
        only_reader(graph, node)?;
        let &[x, row] = &node.inputs[..] else {
            return None;
        };
        let (x_fact, row) = (graph.outlet_fact(x).ok()?, graph.outlet_fact(row).ok()?);
        let fact = &node.outputs[0].fact;
        let fits = function_of(node) == Some(Function::Sub)
            && x_fact.shape == fact.shape
            && [x_fact.datum_type, row.datum_type] == [T::datum_type(); 2];
        let row = row.konst.as_ref().filter(|_| fits)?;
        let k = fact.shape.last()?.to_usize().ok()?;
        let is_row = row.shape().last() == Some(&row.len()) && row.len() == k;
        is_row.then_some((x, row))
    };
    let Some((x, row)) = found() else {
        return Ok((outlet, None));
    };
    let row = row.try_as_plain_ram()?.as_slice::<T>()?.to_vec();
    Ok((x, Some(row)))
}

/// The product at `node` with `b`, and where what it does ends.
fn layer<'g, T: Real>(
    graph: &'g TypedModel,
    node: &'g TypedNode,
    b: &Factor<'_>,
) -> TractResult<(Product<T>, &'g TypedNode)> {
    let mut product = Product::<T>::of_factor(b)?;
    let n = product.n;
    let mut last = node;
    if let Some((next, factor)) = next(graph, last, Function::Mul)
        && factor.len() == 1
        && factor.datum_type() == T::datum_type()
        && let factor = factor.cast_to_scalar::<f64>()?
        && is_power_of_two(factor)
    {
        product.scale(factor);
        last = next;
    }
    if let Some(next) = added_squares(graph, node, last, product.k) {
        product.adds_squares = true;
        last = next;
    }
    if let Some((next, bias)) = next(graph, last, Function::Add)
        && bias.datum_type() == T::datum_type()
        && bias.shape().last().is_none_or(|last| *last == bias.len())
        && [1, n].contains(&bias.len())
    {
        let bias = bias.try_as_plain_ram()?;
        let bias = bias.as_slice::<T>()?.iter().cycle();
        for (slot, &bias) in product.bias[..n].iter_mut().zip(bias) {
            *slot = bias;
        }
        last = next;
    }
    if let Some((next, floor)) = next(graph, last, Function::Max)
        && floor.len() == 1
        && floor.datum_type() == T::datum_type()
        && floor.cast_to_scalar::<f64>()? == 0.0
    {
        product.relu = true;
        last = next;
    }
    Ok((product, last))
}

/// Whether a product by `factor`, which is small, is exact.
fn is_power_of_two(factor: f64) -> bool {
    let mantissa = factor.to_bits() << (u64::BITS - f64::MANTISSA_DIGITS + 1);
    (0.25..=4.0).contains(&factor.abs()) && mantissa == 0
}

/// The node that adds the sums of the squares of the rows of what `product` multiplies, of `k` columns, to `last`, which
/// nothing else reads.
fn added_squares<'g>(
    graph: &'g TypedModel,
    product: &TypedNode,
    last: &TypedNode,
    k: usize,
) -> Option<&'g TypedNode> {
    let reader = only_reader(graph, last)?;
    let other = reader.inputs.iter().find(|input| input.node != last.id)?;
    let squares = graph.nodes.get(other.node)?;
    let a = product.inputs[0];
    let a_fact = graph.outlet_fact(a).ok()?;
    // With several columns nothing but their sums has one.
    let sums: &[TDim] = &[a_fact.shape.first()?.clone(), 1.to_dim()];
    let is_sum = squares.op.name() == "ReduceSumSquare"
        && *squares.inputs.first()? == a
        && k > 1
        && squares.outputs[0].fact.shape.dims() == sums;
    let is_added = function_of(reader) == Some(Function::Add)
        && reader.outputs[0].fact.shape == last.outputs[0].fact.shape;
    (is_sum && is_added).then_some(reader)
}

/// The node that alone reads `node`'s output.
fn only_reader<'g>(graph: &'g TypedModel, node: &TypedNode) -> Option<&'g TypedNode> {
    let &[reader] = &node.outputs[0].successors[..] else {
        return None;
    };
    let is_output = graph.outputs.contains(&node.id.into());
    graph.nodes.get(reader.node).filter(|_| !is_output)
}

/// The node that alone reads `node`'s output, if it is `function` and its other operand is constant.
fn next<'g>(
    graph: &'g TypedModel,
    node: &TypedNode,
    function: Function,
) -> Option<(&'g TypedNode, &'g Arc<Tensor>)> {
    let reader = only_reader(graph, node).filter(|node| function_of(node) == Some(function))?;
    let other = reader.inputs.iter().find(|input| input.node != node.id)?;
    let constant = graph.outlet_fact(*other).ok()?.konst.as_ref()?;
    let same_shape = reader.outputs[0].fact.shape == node.outputs[0].fact.shape;
    same_shape.then_some((reader, constant))
}

/// The first `n` multiples of `step`.
fn places(n: usize, step: usize) -> Vec<usize> {
    (0..n).map(|i| i * step).collect()
}

impl<T: Real> Product<T> {
    fn of_factor(b: &Factor<'_>) -> TractResult<Self> {
        let &[rows, columns] = b.tensor.shape() else {
            bail!("a matrix of {} dimensions", b.tensor.rank());
        };
        let numbers = b.tensor.try_as_plain_ram()?;
        let numbers = numbers.as_slice::<T>()?;
        let (k, n, row, column) = if b.is_transposed {
            (columns, rows, 1, columns)
        } else {
            (rows, columns, columns, 1)
        };
        let mut product = Self::of_nothing(n);
        product.pack(numbers, &places(k, row), &places(n, column));
        Ok(product)
    }

    /// The product with a matrix of `n` columns and no rows.
    fn of_nothing(n: usize) -> Self {
        Self {
            k: 0,
            n,
            panels: vec![],
            bias: vec![T::default(); n.next_multiple_of(PANEL)],
            adds_squares: false,
            relu: false,
        }
    }

    /// Puts a matrix `[k, n]` into the panels, of which what is in a row and a column is in `b` at the sum of their places.
    fn pack(&mut self, b: &[T], rows: &[usize], columns: &[usize]) {
        self.k = rows.len();
        // What is beyond the last column may be anything.
        self.panels.resize(self.bias.len() * self.k, T::default());
        let panels = self.panels.chunks_exact_mut(PANEL * self.k.max(1));
        for (panel, columns) in panels.zip(columns.chunks(PANEL)) {
            let (first, len) = (columns[0], columns.len());
            let is_line = columns.iter().zip(first..).all(|(&at, next)| at == next);
            let (lines, _) = panel.as_chunks_mut::<PANEL>();
            for (line, &row) in lines.iter_mut().zip(rows) {
                let b = &b[row..];
                match b.get(first..).and_then(|b| b.first_chunk::<PANEL>()) {
                    Some(all) if is_line && len == PANEL => *line = *all,
                    _ if is_line => line[..len].copy_from_slice(&b[first..][..len]),
                    _ => {
                        for (slot, &column) in line.iter_mut().zip(columns) {
                            *slot = b[column];
                        }
                    }
                }
            }
        }
    }

    /// Multiplies `B` by `factor`.
    fn scale(&mut self, factor: f64) {
        for number in &mut self.panels {
            *number = T::from_f64(number.to_f64() * factor);
        }
    }
}

/// A product with a matrix that is known when it is to be multiplied.
pub(in crate::ops) struct Packed<T>(Layers<T>);

impl<T: Real> Packed<T> {
    /// The product with a matrix of `n` columns.
    pub(in crate::ops) fn new(n: usize) -> Self {
        Self(Layers {
            mean: None,
            products: vec![Product::of_nothing(n)],
        })
    }

    /// Takes the matrix of which what is in a row and a column is in `b` at the sum of their places.
    pub(in crate::ops) fn pack(&mut self, b: &[T], rows: &[usize], columns: &[usize]) {
        for product in &mut self.0.products {
            product.pack(b, rows, columns);
        }
    }

    /// Puts the product of `a` `[m, k]` and the matrix into `c`.
    pub(in crate::ops) fn multiply(&self, a: &[T], c: &mut [T]) {
        let layers = &self.0;
        simd::dispatch(Multiply { layers, a, c });
    }
}

/// Puts what the layers make of `a` `[m, k]` into `c`.
struct Multiply<'a, T> {
    layers: &'a Layers<T>,
    a: &'a [T],
    c: &'a mut [T],
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
    /// Those of all rows.
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

impl<T: Real> Layers<T> {
    fn ends(&self) -> Result<(&Product<T>, &Product<T>)> {
        let ends = self.products.first().zip(self.products.last());
        ends.ok_or_else(|| tensors::invalid("no layers"))
    }
}

impl<T: Real> Filling for Layers<T> {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [a] = tensors::inputs(inputs)?;
        let [m, _] = a.shape.dims() else {
            let message = format!("expected 2 dimensions, got {}", a.rank());
            return Err(tensors::invalid(message));
        };
        let (_, last) = self.ends()?;
        Ok(tvec![T::datum_type().fact([m.clone(), last.n.to_dim()])])
    }

    fn maps_rows(&self, _rank: usize) -> bool {
        true
    }

    fn layout(&self, inputs: &[TensorView<'_>], _output: usize) -> TractResult<Layout> {
        let (first, last) = self.ends()?;
        let [TensorView { shape: &[m, k], .. }] = *inputs else {
            bail!("expected one matrix");
        };
        if k != first.k {
            let message = format!("{k} columns of A times {} rows of B", first.k);
            return Err(Error::input(message).into());
        }
        Ok(Layout::new::<T>(&[m, last.n]))
    }

    fn fill(
        &self,
        inputs: &[TensorView<'_>],
        outputs: &mut [Option<Slots<'_>>],
    ) -> TractResult<()> {
        let a = inputs.first().and_then(|a| T::slice_of(a.elements));
        let multiply = Multiply {
            layers: self,
            a: a.ok_or_else(|| format_err!("A of another type than B"))?,
            c: filling::only(outputs)?,
        };
        simd::dispatch(multiply);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::attribute_proto::AttributeType;
    use tract_onnx::pb::tensor_shape_proto::dimension::Value::{DimParam, DimValue};
    use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

    use super::*;
    use crate::model::steps::Steps;
    use crate::ops::protos::{info, model};

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

    #[test]
    fn knows_exact_factors() {
        for factor in [1.0, -2.0, 0.5, 4.0] {
            assert!(is_power_of_two(factor), "{factor}");
        }
        for factor in [
            0.0,
            3.0,
            1e-300,
            f64::NAN,
            f64::INFINITY,
            1.0 + f64::EPSILON,
        ] {
            assert!(!is_power_of_two(factor), "{factor}");
        }
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
        let (graph, _) = crate::ops::typed_graph(&model, false).expect("a graph");
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
