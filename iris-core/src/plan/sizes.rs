//! What running a graph makes, known before it runs.

use tract_onnx::prelude::{Symbol, SymbolValues, TDim, TVec, TypedModel};
use tract_onnx::tract_core::internal::DimLike;
use tract_onnx::tract_core::ops::konst::Const;

use crate::control::scan::loop_of;
use crate::error::Result;
use crate::guard::budget;
use crate::guard::budget::Limits;
use crate::operator::dimensions;

/// The sizes of the values of a graph, as they follow from the shapes of its inputs.
#[derive(Debug)]
pub(crate) struct Sizes {
    run_bytes: usize,
    row_bytes: usize,
    loop_trips: usize,
    /// Where the numbers that sizes follow from are found: an input and a dimension of it.
    symbols: Vec<(Symbol, usize, usize)>,
    /// What does not depend on the inputs, in bytes.
    fixed: usize,
    /// What is a multiple of one of `symbols`, and how often it is that, in bytes.
    multiples: Vec<usize>,
    /// What depends on the inputs in another way: dimensions, and the size of an element.
    others: Vec<(TVec<TDim>, usize)>,
    trips: Vec<TDim>,
}

impl Sizes {
    pub(crate) fn of(graph: &TypedModel, limits: &Limits) -> Self {
        let mut symbols: Vec<(Symbol, usize, usize)> = Vec::new();
        for (input, outlet) in graph.inputs.iter().enumerate() {
            let fact = graph.outlet_fact(*outlet);
            for (axis, dim) in fact.iter().flat_map(|fact| fact.shape.iter().enumerate()) {
                if let TDim::Sym(symbol) = dim
                    && !symbols.iter().any(|(known, ..)| known == symbol)
                {
                    symbols.push((symbol.clone(), input, axis));
                }
            }
        }
        let mut sizes = Self {
            run_bytes: limits.run_bytes,
            row_bytes: limits.row_bytes,
            loop_trips: limits.loop_trips,
            multiples: vec![0; symbols.len()],
            symbols,
            fixed: 0,
            others: vec![],
            trips: vec![],
        };
        sizes.add(graph);
        sizes
    }

    fn add(&mut self, graph: &TypedModel) {
        for node in &graph.nodes {
            if node.op_is::<Const>() || graph.inputs.iter().any(|input| input.node == node.id) {
                continue;
            }
            for output in &node.outputs {
                let element = output.fact.datum_type.size_of();
                self.add_shape(output.fact.shape.iter(), element);
            }
            if let Some((trips, body)) = loop_of(node) {
                self.trips.extend(trips.cloned());
                self.add(body);
            }
        }
    }

    fn add_shape<'a>(&mut self, dims: impl Iterator<Item = &'a TDim> + Clone, element: usize) {
        let mut bytes = element;
        let mut multiple = None;
        for dim in dims.clone() {
            let symbol =
                |known: &(Symbol, usize, usize)| matches!(dim, TDim::Sym(s) if *s == known.0);
            if let Ok(size) = dim.to_usize() {
                bytes = bytes.saturating_mul(size.max(1));
            } else if let (None, Some(place)) = (multiple, self.symbols.iter().position(symbol)) {
                multiple = Some(place);
            } else {
                return self.others.push((dims.cloned().collect(), element));
            }
        }
        let sum = match multiple {
            Some(place) => &mut self.multiples[place],
            None => &mut self.fixed,
        };
        *sum = sum.saturating_add(bytes);
    }

    /// How many bytes a call with inputs of `shapes` may make, if what is known of it is within that.
    pub(crate) fn check(&self, shapes: &[&[usize]]) -> Result<usize> {
        // Rows with nothing in them cost the caller nothing, however many they are.
        let given = shapes.iter().filter(|shape| !shape.contains(&0));
        let rows = given.filter_map(|shape| shape.first());
        let rows = rows.max().copied().unwrap_or_default();
        let allowed = self.run_bytes.max(self.row_bytes.saturating_mul(rows));
        let size = |&(_, input, axis): &(Symbol, usize, usize)| {
            let size = shapes.get(input).and_then(|shape| shape.get(axis));
            size.copied().unwrap_or_default()
        };
        let mut bytes = self.fixed;
        for (symbol, &multiple) in self.symbols.iter().zip(&self.multiples) {
            bytes = bytes.saturating_add(multiple.saturating_mul(size(symbol)));
        }
        if !self.others.is_empty() || !self.trips.is_empty() {
            let mut values = SymbolValues::default();
            for symbol in &self.symbols {
                values.set(&symbol.0, size(symbol) as i64);
            }
            for (dims, element) in &self.others {
                bytes = bytes.saturating_add(product(dims, *element, &values)?);
            }
            for trips in &self.trips {
                let trips = dimensions::size(trips, &values)?.unwrap_or_default();
                budget::check_trips(usize::try_from(trips).unwrap_or_default(), self.loop_trips)?;
            }
        }
        if bytes > allowed {
            let (limit, value) = if allowed == self.run_bytes {
                ("run_bytes", self.run_bytes)
            } else {
                ("row_bytes", self.row_bytes)
            };
            let what = format!("a call with {rows} rows makes {bytes} bytes, more");
            return Err(budget::exceeded(limit, value, what));
        }
        Ok(allowed)
    }
}

/// How many bytes a tensor of `dims` takes, or none where that is not known before it is made.
fn product(dims: &[TDim], element: usize, values: &SymbolValues) -> Result<usize> {
    let mut bytes = element;
    for dim in dims {
        let Some(size) = dimensions::size(dim, values)? else {
            return Ok(0);
        };
        // One that is negative is for its operator to refuse.
        bytes = bytes.saturating_mul(usize::try_from(size).unwrap_or_default().max(1));
    }
    Ok(bytes)
}
