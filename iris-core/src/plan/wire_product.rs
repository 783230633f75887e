//! Products of the rows of a tensor with a constant matrix, with the nodes around them that a kernel does with the same rows:
//! those are wired as what the kernel is made of.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use crate::onnx::domains::{ONNX_DOMAIN, is_operator};
use crate::operator::node::constant;
use crate::ops::math::binary;
use crate::ops::math::binary::Function;
use crate::plan::wiring::{Known, Wiring};

/// A matrix of fewer numbers than this is multiplied by a program as soon, in more digits.
const SMALLEST_PRODUCT: usize = 256;

impl<'a> Wiring<'a, '_> {
    /// Wires a product and the nodes after it that a kernel for products takes in, or gives `false` if `node` is none for
    /// such a kernel.
    pub(crate) fn wire_product(&mut self, index: usize, node: &'a NodeProto) -> TractResult<bool> {
        let is_gemm = is_operator(node, ONNX_DOMAIN, "Gemm");
        if !is_gemm && !is_operator(node, ONNX_DOMAIN, "MatMul") {
            return Ok(false);
        }
        let [a, b, c @ ..] = &node.input[..] else {
            return Ok(false);
        };
        let Some(Known::Constant(matrix, _)) = self.known.get(b.as_str()).cloned() else {
            return Ok(false);
        };
        if matrix.rank() != 2 || matrix.len() < SMALLEST_PRODUCT {
            return Ok(false);
        }
        let Some((a, mean)) = self.factor(a) else {
            return Ok(false);
        };
        let transposed = ["transA", "transB"].map(|name| {
            let attribute = node.attribute.iter().find(|a| a.name == name);
            attribute.is_some_and(|attribute| attribute.i != 0)
        });
        let k = matrix.shape()[usize::from(transposed[1])];
        let fact = self.typed.outlet_fact(a)?;
        let is_real = matches!(fact.datum_type, DatumType::F32 | DatumType::F64);
        let is_for_kernel = is_real
            && fact.datum_type == matrix.datum_type()
            && fact.rank() == 2
            && fact.shape[1] == k.to_dim()
            && !transposed[0];
        if !is_for_kernel {
            return Ok(false);
        }
        let mut inputs = tvec![a];
        if let Some(mean) = mean {
            inputs[0] = self.with_row("mean", Function::Sub, a, &mean)?;
        }
        let c = c.iter().filter(|c| !self.is_nothing(c));
        let names: Vec<&String> = std::iter::once(b).chain(c).collect();
        for name in names {
            match self.wire_of(name)? {
                Some(wire) => inputs.push(wire),
                None => return Ok(false),
            }
        }
        let mut wire = self.wire_node(node, &inputs)?[0];
        let mut output = node.output[0].as_str();
        let mut done = vec![index];
        while let Some((next, reader)) = self.only_reader(output) {
            let Some(wired) = self.taken_in(reader, output, wire, a)? else {
                break;
            };
            done.push(next);
            wire = wired;
            output = &reader.output[0];
        }
        self.known.insert(output, Known::Wire(wire));
        done.into_iter().for_each(|index| self.finish(index));
        Ok(true)
    }

    /// The tensor that `name` is, and the constant that is subtracted from its rows before.
    fn factor(&self, name: &str) -> Option<(OutletId, Option<Arc<Tensor>>)> {
        let tensor = |name: &str| match self.known.get(name)? {
            Known::Wire(wire) => Some(*wire),
            Known::Value(value) => {
                let taken = self.taken.iter().find(|(_, taken)| taken == value)?;
                Some(taken.0)
            }
            Known::Constant(..) => None,
        };
        if let Some(wire) = tensor(name) {
            return Some((wire, None));
        }
        let maker = self.makers.get(name)?;
        let [x, mean] = &maker.input[..] else {
            return None;
        };
        let wire = tensor(x).filter(|_| is_operator(maker, ONNX_DOMAIN, "Sub"))?;
        match self.known.get(mean.as_str())? {
            Known::Constant(mean, _) if self.is_row_of(wire, mean) => {
                Some((wire, Some(mean.clone())))
            }
            _ => None,
        }
    }

    /// What `reader` makes of `output`, which is `wire` and the product of `a`, if a kernel for products does it with it.
    fn taken_in(
        &mut self,
        reader: &'a NodeProto,
        output: &str,
        wire: OutletId,
        a: OutletId,
    ) -> TractResult<Option<OutletId>> {
        if !reader.attribute.is_empty() || reader.output.len() != 1 {
            return Ok(None);
        }
        let is = |op_type: &str| is_operator(reader, ONNX_DOMAIN, op_type);
        if is("Relu") {
            let zero = Tensor::zero_dt(self.typed.outlet_fact(wire)?.datum_type, &[1, 1])?;
            return self
                .with_row("floor", Function::Max, wire, &zero.into())
                .map(Some);
        }
        let Some(other) = reader.input.iter().find(|name| *name != output) else {
            return Ok(None);
        };
        let function = if is("Add") {
            Function::Add
        } else if is("Mul") {
            Function::Mul
        } else {
            return Ok(None);
        };
        match self.known.get(other.as_str()).cloned() {
            Some(Known::Constant(constant, _))
                if self.is_row_of(wire, &constant) && (is("Add") || constant.len() == 1) =>
            {
                self.with_row(&reader.name, function, wire, &constant)
                    .map(Some)
            }
            Some(Known::Value(_)) if is("Add") => {
                let Some(squares) = self.sums_of_squares(other, a)? else {
                    return Ok(None);
                };
                binary::wire(&reader.name, &mut self.typed, function, [squares, wire]).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// `name`, if it is the sums of the squares of the rows of `a`.
    fn sums_of_squares(&mut self, name: &str, a: OutletId) -> TractResult<Option<OutletId>> {
        let maker = self.makers.get(name).copied();
        let Some(maker) = maker.filter(|node| is_operator(node, ONNX_DOMAIN, "ReduceSumSquare"))
        else {
            return Ok(None);
        };
        let squares_a = maker.input.first().and_then(|x| self.factor(x));
        if !matches!(squares_a, Some((x, None)) if x == a) {
            return Ok(None);
        }
        let mut inputs = tvec![a];
        for axes in maker.input.iter().skip(1) {
            match self.wire_of(axes)? {
                Some(wire) => inputs.push(wire),
                None => return Ok(None),
            }
        }
        let squares = self.wire_node(maker, &inputs)?[0];
        let fact = self.typed.outlet_fact(squares)?;
        Ok((fact.rank() == 2 && fact.shape[1].is_one()).then_some(squares))
    }

    /// Whether `name` is something times 0, which skl2onnx adds where it has nothing to add.
    fn is_nothing(&self, name: &str) -> bool {
        self.makers.get(name).is_some_and(|maker| {
            let mut factors = maker.input.iter();
            is_operator(maker, ONNX_DOMAIN, "Mul")
                && factors.any(|factor| match self.known.get(factor.as_str()) {
                    Some(Known::Constant(x, _)) if x.len() == 1 => {
                        x.cast_to_scalar::<f64>().is_ok_and(|x| x == 0.0)
                    }
                    _ => false,
                })
        })
    }

    /// The node that alone reads `name`.
    pub(crate) fn only_reader(&self, name: &str) -> Option<(usize, &'a NodeProto)> {
        let readers = self.readers.get(name)?;
        match readers.nodes[..] {
            [index] if !readers.is_output => Some((index, &self.graph.node[index])),
            _ => None,
        }
    }

    /// Whether `constant` is the same for all rows of `wire`, and of their type.
    fn is_row_of(&self, wire: OutletId, constant: &Tensor) -> bool {
        self.typed.outlet_fact(wire).is_ok_and(|fact| {
            let len = constant.len();
            fact.rank() == 2
                && fact.datum_type == constant.datum_type()
                && constant.rank() <= 2
                && (len == 1 || constant.shape().last() == Some(&len))
                && (len == 1 || fact.shape[1] == len.to_dim())
        })
    }

    /// `function` of `wire` `[m, n]` and a constant of one row or of one number.
    fn with_row(
        &mut self,
        name: &str,
        function: Function,
        wire: OutletId,
        numbers: &Arc<Tensor>,
    ) -> TractResult<OutletId> {
        let row = Tensor::clone(numbers).into_shape(&[1, numbers.len()])?;
        let row = constant(name, &mut self.typed, row)?;
        binary::wire(name, &mut self.typed, function, [wire, row])
    }
}
