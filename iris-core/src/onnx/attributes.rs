//! Reads a node's attributes by type, and knows which ones nobody has read.

use std::borrow::Cow;

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto};
use tract_onnx::prelude::{DatumType, Tensor};
use tract_onnx::tract_hir::internal::{Symbol, SymbolScope};

use crate::error::{Error, ErrorKind, Result};
use crate::guard::budget::MAX_RANK;
use crate::onnx::domains::node_name;
use crate::onnx::node_modes;
use crate::onnx::node_modes::NODES_MODES;
use crate::value::tract::load_tensor;

/// The attributes of one node. Every one must be read before [`finish`](Self::finish): what no one reads might change
/// the answer.
pub(crate) struct Attributes<'a> {
    node: &'a NodeProto,
    unread: Vec<&'a AttributeProto>,
    version: i64,
    symbols: SymbolScope,
}

impl<'a> Attributes<'a> {
    /// The attributes of a node as they are in the newest version of its operator.
    pub(crate) fn new(node: &'a NodeProto) -> Self {
        Self::of_version(node, i64::MAX, &SymbolScope::default())
    }

    /// The attributes of a node of a model that imports this version of the node's domain, in a graph that counts in
    /// `symbols`.
    pub(crate) fn of_version(node: &'a NodeProto, version: i64, symbols: &SymbolScope) -> Self {
        Self {
            node,
            unread: node.attribute.iter().collect(),
            version,
            symbols: symbols.clone(),
        }
    }

    /// The version of the node's domain that the model imports.
    pub(crate) fn version(&self) -> i64 {
        self.version
    }

    /// A symbol for a dimension that is known only once the node has been evaluated.
    pub(crate) fn new_symbol(&self, prefix: &str) -> Symbol {
        self.symbols.new_with_prefix(prefix)
    }

    pub(crate) fn node(&self) -> &'a NodeProto {
        self.node
    }

    pub(crate) fn op_type(&self) -> &'a str {
        &self.node.op_type
    }

    /// Where input `index` of the operator is among the inputs that the node gives a name, if it does.
    pub(crate) fn input(&self, index: usize) -> Option<usize> {
        let names = &self.node.input;
        names.get(index).filter(|name| !name.is_empty())?;
        Some(
            names[..index]
                .iter()
                .filter(|name| !name.is_empty())
                .count(),
        )
    }

    fn read(&mut self, name: &str, expected: AttributeType) -> Result<Option<&'a AttributeProto>> {
        let Some(attribute) = self.node.attribute.iter().find(|a| a.name == name) else {
            return Ok(None);
        };
        self.unread.retain(|a| a.name != name);
        if attribute.r#type == i32::from(expected) {
            return Ok(Some(attribute));
        }
        let got = AttributeType::try_from(attribute.r#type)
            .map_or("no known type", |got| got.as_str_name());
        Err(self.invalid(
            name,
            format!("expected {}, got {got}", expected.as_str_name()),
        ))
    }

    pub(crate) fn int(&mut self, name: &str) -> Result<Option<i64>> {
        Ok(self.read(name, AttributeType::Int)?.map(|a| a.i))
    }

    /// A dimension, counted from the end if negative.
    pub(crate) fn axis(&mut self, name: &str) -> Result<Option<i64>> {
        let axis = self.int(name)?;
        match axis {
            Some(axis) if axis.unsigned_abs() > MAX_RANK as u64 => {
                let message = format!("{axis} is not between -{MAX_RANK} and {MAX_RANK}");
                Err(self.invalid(name, message))
            }
            axis => Ok(axis),
        }
    }

    pub(crate) fn float(&mut self, name: &str) -> Result<Option<f32>> {
        Ok(self.read(name, AttributeType::Float)?.map(|a| a.f))
    }

    pub(crate) fn string(&mut self, name: &str) -> Result<Option<&'a str>> {
        let bytes = self.read(name, AttributeType::String)?.map(|a| &a.s);
        bytes.map(|bytes| self.utf8(name, bytes)).transpose()
    }

    /// A list of floats, empty if absent.
    pub(crate) fn floats(&mut self, name: &str) -> Result<&'a [f32]> {
        Ok(self
            .read(name, AttributeType::Floats)?
            .map_or(&[], |a| &a.floats))
    }

    /// A list of integers, empty if absent.
    pub(crate) fn ints(&mut self, name: &str) -> Result<&'a [i64]> {
        Ok(self
            .read(name, AttributeType::Ints)?
            .map_or(&[], |a| &a.ints))
    }

    /// A list of integers, if there is one.
    pub(crate) fn optional_ints(&mut self, name: &str) -> Result<Option<&'a [i64]>> {
        let ints = self.ints(name)?;
        Ok(self.is_given(name).then_some(ints))
    }

    /// Whether an integer that stands for a truth is set; it is not if absent.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool> {
        match self.int(name)?.unwrap_or(0) {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.invalid(name, format!("expected 0 or 1, got {other}"))),
        }
    }

    /// The type of elements that the number of an ONNX type stands for.
    pub(crate) fn datum_type(&mut self, name: &str) -> Result<Option<DatumType>> {
        let Some(number) = self.int(name)? else {
            return Ok(None);
        };
        let known = i32::try_from(number).ok();
        let known = known.and_then(|number| DataType::try_from(number).ok());
        let known = known.and_then(|data_type| DatumType::try_from(data_type).ok());
        known
            .map(Some)
            .ok_or_else(|| self.invalid(name, format!("type {number} is not supported")))
    }

    /// A list of strings, empty if absent.
    pub(crate) fn strings(&mut self, name: &str) -> Result<Vec<&'a str>> {
        let strings = self
            .read(name, AttributeType::Strings)?
            .map_or(&[][..], |a| &a.strings);
        strings.iter().map(|bytes| self.utf8(name, bytes)).collect()
    }

    /// `nodes_modes`, a byte each, see [`code`](crate::onnx::node_modes::code); empty if absent.
    pub(crate) fn modes(&mut self) -> Result<Cow<'a, [u8]>> {
        let Some(attribute) = self.read(NODES_MODES, AttributeType::Strings)? else {
            return Ok(Cow::Borrowed(&[]));
        };
        if let Some(codes) = node_modes::kept(attribute) {
            return Ok(Cow::Borrowed(codes));
        }
        let code = |word: &'a Vec<u8>| {
            node_modes::code(word).ok_or_else(|| match self.utf8(NODES_MODES, word) {
                Ok(word) => self.invalid(NODES_MODES, format!("unknown value {word:?}")),
                Err(error) => error,
            })
        };
        attribute.strings.iter().map(code).collect()
    }

    /// A constant, whose size and data have been checked to agree.
    pub(crate) fn tensor(&mut self, name: &str) -> Result<Option<Tensor>> {
        let Some(attribute) = self.read(name, AttributeType::Tensor)? else {
            return Ok(None);
        };
        let Some(proto) = &attribute.t else {
            return Err(self.invalid(name, "holds no tensor"));
        };
        load_tensor(proto)
            .map(Some)
            .map_err(|error| self.invalid(name, error))
    }

    /// A graph, which may read what the graph around the node has.
    pub(crate) fn graph(&mut self, name: &str) -> Result<&'a GraphProto> {
        let attribute = self.read(name, AttributeType::Graph)?;
        let graph = attribute.and_then(|attribute| attribute.g.as_ref());
        graph.ok_or_else(|| self.invalid(name, "missing"))
    }

    /// The error of an attribute that an operator cannot do without.
    pub(crate) fn missing(&self, name: &str) -> Error {
        self.invalid(name, "missing")
    }

    /// Whether the node has attribute `name`, be it empty.
    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.node.attribute.iter().any(|a| a.name == name)
    }

    fn utf8(&self, name: &str, bytes: &'a [u8]) -> Result<&'a str> {
        std::str::from_utf8(bytes).map_err(|_| self.invalid(name, "not UTF-8"))
    }

    /// Ends the reading: an attribute that is left is an error.
    pub(crate) fn finish(mut self) -> Result<()> {
        // A hint about memory that all operators took before version 6.
        self.unread
            .retain(|attribute| self.version > 5 || attribute.name != "consumed_inputs");
        match self.unread.first() {
            None => Ok(()),
            Some(attribute) => Err(self.invalid(&attribute.name, "not known to this operator")),
        }
    }

    /// An error about attribute `name`.
    pub(crate) fn invalid(&self, name: &str, what: impl std::fmt::Display) -> Error {
        let message = format!("{}: attribute {name}: {what}", node_name(self.node));
        Error::new(ErrorKind::InvalidAttribute, message)
    }

    /// Checks the length of list attribute `name`.
    pub(crate) fn check_len(&self, name: &str, got: usize, expected: usize) -> Result<()> {
        if got == expected {
            Ok(())
        } else {
            Err(self.invalid(name, format!("expected {expected} values, got {got}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_been_read_can_be_read_again_and_what_has_not_is_refused() {
        let floats = |name: &str| AttributeProto {
            name: name.into(),
            r#type: AttributeType::Floats.into(),
            floats: vec![1.5],
            ..AttributeProto::default()
        };
        let node = NodeProto {
            attribute: vec![floats("intercepts"), floats("coefficients")],
            ..NodeProto::default()
        };
        let mut attributes = Attributes::new(&node);
        for _ in 0..2 {
            assert_eq!(attributes.floats("intercepts").expect("floats"), [1.5]);
        }
        let error = attributes.finish().expect_err("coefficients are left");
        assert!(error.to_string().contains("coefficients"), "{error}");
    }
}
