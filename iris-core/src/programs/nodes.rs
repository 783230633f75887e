//! What the nodes of a graph are as operations of a program.
//!
//! A node that is not exactly what is known here (an attribute more, a type less) is not for a program, and left to the
//! operators of whole tensors.

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, NodeProto};
use tract_onnx::tract_hir::internal::*;

use crate::kernels::functions::Function;
use crate::onnx::attributes::Attributes;
use crate::onnx::domains::{ML_DOMAIN, ONNX_DOMAIN, canonical};
use crate::programs::builder::Builder;
use crate::programs::operation::{Binary, Reducer, Unary};
use crate::programs::tensor::{LARGEST_PRODUCT, MOST_ELEMENTS, Shape, Value, resolve};
use crate::value::tract::load_tensor;

/// The outputs of `node`, of this version of its domain, or `None` if it is not for a program.
pub(crate) fn compile(
    builder: &mut Builder,
    node: &NodeProto,
    version: i64,
    inputs: &[Option<Value>],
) -> Option<Vec<Value>> {
    let node = Node {
        proto: node,
        version,
        inputs,
    };
    let rounded = inputs.iter().flatten().any(|x| builder.may_be_rounded(x));
    if node.proto.output.len() != 1 || rounded && node.proto.op_type != "Cast" {
        return None;
    }
    let output = match canonical(&node.proto.domain) {
        ONNX_DOMAIN => node.of_onnx(builder),
        ML_DOMAIN if node.proto.op_type == "ArrayFeatureExtractor" => node.extract(builder),
        _ => None,
    };
    let output = output?;
    builder.has_room_for(&output).then(|| vec![output])
}

/// A node, and what is known of its inputs.
pub(crate) struct Node<'a> {
    proto: &'a NodeProto,
    version: i64,
    pub(crate) inputs: &'a [Option<Value>],
}

impl Node<'_> {
    fn of_onnx(&self, builder: &mut Builder) -> Option<Value> {
        let op_type = self.proto.op_type.as_str();
        if op_type == "Relu" {
            return self.unary(builder, Unary::Relu);
        }
        let mut attributes =
            Attributes::of_version(self.proto, self.version, &SymbolScope::default());
        if let Some(function) = Function::of(&mut attributes).ok()? {
            attributes.finish().ok()?;
            return self.unary(builder, Unary::Of(function));
        }
        if let Some((function, kind)) = binary(op_type) {
            return self.binary(builder, function, kind);
        }
        match op_type {
            "Sum" => self.fold(builder, Binary::Add),
            "Mean" => {
                let sum = self.fold(builder, Binary::Add)?;
                let n = scalar(sum.datum_type, self.inputs.len() as f64);
                builder.binary(Binary::Div, &sum, &n, sum.datum_type)
            }
            "Max" => self.fold(builder, Binary::Max),
            "Min" => self.fold(builder, Binary::Min),
            "Constant" => {
                self.has_only(&["value"])?;
                let tensor = self.attribute("value", AttributeType::Tensor)?;
                Value::constant(&load_tensor(tensor.t.as_ref()?).ok()?)
            }
            "Identity" => {
                let [x] = self.all_inputs()?;
                self.has_only(&[])?;
                Some(x.clone())
            }
            "Cast" => self.cast(builder),
            "Where" => {
                let [condition, a, b] = self.all_inputs()?;
                self.has_only(&[])?;
                if condition.datum_type != DatumType::Bool || a.datum_type != b.datum_type {
                    return None;
                }
                builder.select(condition, a, b)
            }
            "Reshape" => self.reshape(),
            "Flatten" => self.flatten(),
            "Squeeze" => self.squeeze(),
            "Unsqueeze" => self.unsqueeze(),
            "Concat" => self.concat(),
            "Transpose" => self.transpose(),
            "MatMul" => {
                let [a, b] = self.all_inputs()?;
                self.has_only(&[])?;
                multiply(builder, a, b, false, 1.0)
            }
            "Gemm" => self.gemm(builder),
            "Softmax" | "LogSoftmax" => self.softmax(builder, op_type == "LogSoftmax"),
            "ArgMax" => self.arg_best(builder, Reducer::ArgMax),
            "ArgMin" => self.arg_best(builder, Reducer::ArgMin),
            _ => self.reduce(builder, op_type),
        }
    }

    fn unary(&self, builder: &mut Builder, function: Unary) -> Option<Value> {
        let [x] = self.all_inputs()?;
        let is_known = match function {
            Unary::Of(Function::Not) => x.datum_type == DatumType::Bool,
            Unary::Of(function) => {
                let is_float = x.datum_type == DatumType::F32;
                is_real(x)
                    && function.takes(x.datum_type)
                    && (is_float || function.is_for_doubles())
            }
            _ => is_real(x) && self.proto.attribute.is_empty(),
        };
        if !is_known {
            return None;
        }
        match function {
            Unary::Of(Function::Exp) => builder.exp(x),
            function => builder.unary(function, x, x.datum_type),
        }
    }

    fn binary(&self, builder: &mut Builder, function: Binary, kind: Kind) -> Option<Value> {
        let [a, b] = self.all_inputs()?;
        self.has_only(&[])?;
        // Before version 7 there was no broadcasting but what attributes say.
        if self.version < 7 || a.datum_type != b.datum_type {
            return None;
        }
        let (is_known, y) = match kind {
            Kind::Number => (is_real(a), a.datum_type),
            Kind::Comparison => (true, DatumType::Bool),
            Kind::Logic => (a.datum_type == DatumType::Bool, DatumType::Bool),
        };
        if !is_known {
            return None;
        }
        if function == Binary::Pow && b.constants()?.iter().all(|&exponent| exponent == 2.0) {
            let square = builder.binary(Binary::Mul, a, a, y)?;
            let ones = Value {
                elements: vec![crate::programs::tensor::Element::Constant(1.0); b.elements.len()]
                    .into(),
                ..b.clone()
            };
            let (shape, elements) = crate::programs::tensor::broadcast(&[&square, &ones])?;
            return Some(Value {
                shape,
                elements: elements.into_iter().next()?.into(),
                ..square
            });
        }
        builder.binary(function, a, b, y)
    }

    /// What `function` makes of all inputs, one after the other.
    fn fold(&self, builder: &mut Builder, function: Binary) -> Option<Value> {
        self.has_only(&[])?;
        if self.version < 8 {
            return None;
        }
        let mut inputs = self.inputs.iter();
        let mut result = inputs.next()?.clone()?;
        for input in inputs {
            let input = input.as_ref()?;
            if !is_real(&result) || input.datum_type != result.datum_type {
                return None;
            }
            result = builder.binary(function, &result, input, input.datum_type)?;
        }
        is_real(&result).then_some(result)
    }

    fn cast(&self, builder: &mut Builder) -> Option<Value> {
        let [x] = self.all_inputs()?;
        // Without effect on all types but those of eight bits.
        self.has_only(&["to", "saturate"])?;
        let to = self.attribute("to", AttributeType::Int)?.i;
        let to = DataType::try_from(i32::try_from(to).ok()?).ok()?;
        let (to, function) = match to {
            DataType::Float => (DatumType::F32, Some(Unary::ToFloat)),
            DataType::Double => (DatumType::F64, None),
            DataType::Int32 => (DatumType::I32, Some(Unary::ToInt32)),
            DataType::Int64 => (DatumType::I64, Some(Unary::ToInt64)),
            DataType::Bool => (DatumType::Bool, Some(Unary::ToBool)),
            _ => return None,
        };
        // Of integers that may be rounded, the nearest float or double is the same.
        if builder.may_be_rounded(x) && !matches!(to, DatumType::F32 | DatumType::F64) {
            return None;
        }
        let function = match (x.datum_type, to) {
            (from, to) if from == to => None,
            (DatumType::Bool, _) | (DatumType::I32, DatumType::I64) => None,
            // What is large wraps around.
            (DatumType::I64, DatumType::I32) => return None,
            _ => function,
        };
        match function {
            Some(function) => builder.unary(function, x, to),
            None => Some(Value {
                datum_type: to,
                ..x.clone()
            }),
        }
    }

    /// Axes, which are an attribute before version `since`, and an input from then on; none if there is neither.
    pub(crate) fn axes(&self, since: i64) -> Option<Vec<i64>> {
        let is_input = self.version >= since;
        match (self.inputs.get(1), self.given("axes")) {
            (Some(axes), None) if is_input => axes.as_ref()?.integers(),
            (None, Some(_)) if !is_input => {
                let axes = self.attribute("axes", AttributeType::Ints)?;
                Some(axes.ints.clone())
            }
            (None, None) => Some(vec![]),
            _ => None,
        }
    }

    fn gemm(&self, builder: &mut Builder) -> Option<Value> {
        let (a, b) = (
            self.inputs.first()?.as_ref()?,
            self.inputs.get(1)?.as_ref()?,
        );
        self.has_only(&["alpha", "beta", "transA", "transB"])?;
        if self.int("transA", 0)? != 0 || self.inputs.len() > 3 || self.version < 7 {
            return None;
        }
        let alpha = self.float("alpha", 1.0)?;
        let beta = self.float("beta", 1.0)?;
        let product = multiply(builder, a, b, self.int("transB", 0)? != 0, alpha)?;
        let product = rounded(builder, &product)?;
        let Some(c) = self.inputs.get(2).filter(|_| beta != 0.0) else {
            return Some(product);
        };
        let c = c.as_ref()?;
        if c.datum_type != a.datum_type {
            return None;
        }
        let c = times(builder, c, beta)?;
        let dims = product.shape.dims.clone();
        let sum = builder.binary(Binary::Add, &product, &c, a.datum_type)?;
        // C broadcasts to the product, not the other way round.
        (sum.shape.dims == dims && sum.shape.samples == Some(0)).then_some(sum)
    }

    fn softmax(&self, builder: &mut Builder, logarithm: bool) -> Option<Value> {
        let [x] = self.all_inputs()?;
        self.has_only(&["axis"])?;
        if !is_real(x) || x.is_constant() {
            return None;
        }
        let chosen = if self.version < 13 {
            // All from the axis on, as if they were one.
            let first = x.shape.dim(self.int("axis", 1)?)?;
            (0..x.shape.dims.len()).map(|dim| dim >= first).collect()
        } else {
            x.shape.chosen(&[self.int("axis", -1)?])?
        };
        builder.softmax(logarithm, x, &chosen)
    }

    fn arg_best(&self, builder: &mut Builder, reducer: Reducer) -> Option<Value> {
        let [x] = self.all_inputs()?;
        self.has_only(&["axis", "keepdims", "select_last_index"])?;
        if !is_real(x) || self.int("select_last_index", 0)? != 0 {
            return None;
        }
        let chosen = x.shape.chosen(&[self.int("axis", 0)?])?;
        builder.reduce(reducer, x, &chosen, self.int("keepdims", 1)? != 0)
    }

    fn reduce(&self, builder: &mut Builder, op_type: &str) -> Option<Value> {
        let x = self.inputs.first()?.as_ref()?;
        self.has_only(&["axes", "keepdims", "noop_with_empty_axes"])?;
        let reducer = match op_type {
            "ReduceLogSumExp" => Reducer::LogSumExp,
            "ReduceMax" => Reducer::Max,
            "ReduceMin" => Reducer::Min,
            "ReduceProd" => Reducer::Prod,
            "ReduceL1" | "ReduceL2" | "ReduceLogSum" | "ReduceMean" | "ReduceSum"
            | "ReduceSumSquare" => Reducer::Sum,
            _ => return None,
        };
        if !is_real(x) {
            return None;
        }
        let axes = self.axes(if op_type == "ReduceSum" { 13 } else { 18 })?;
        let chosen = match &axes[..] {
            [_, ..] => x.shape.chosen(&axes)?,
            [] if x.is_constant() && self.int("noop_with_empty_axes", 0)? == 0 => {
                vec![true; x.shape.dims.len()]
            }
            [] => return None,
        };
        let keep_dims = self.int("keepdims", 1)? != 0;
        let y = x.datum_type;
        let x = match op_type {
            "ReduceL1" => builder.unary(Unary::Of(Function::Abs), x, y)?,
            "ReduceL2" | "ReduceSumSquare" => builder.binary(Binary::Mul, x, x, y)?,
            _ => x.clone(),
        };
        let result = builder.reduce(reducer, &x, &chosen, keep_dims)?;
        match op_type {
            "ReduceL2" => builder.unary(Unary::Of(Function::Sqrt), &result, y),
            "ReduceSumSquare" => rounded(builder, &result),
            "ReduceLogSum" => builder.unary(Unary::Of(Function::Log), &result, y),
            "ReduceMean" => {
                let n = x.elements.len() / result.elements.len().max(1);
                builder.binary(Binary::Div, &result, &scalar(y, n as f64), y)
            }
            _ => Some(result),
        }
    }

    fn extract(&self, builder: &mut Builder) -> Option<Value> {
        let [x, y] = self.all_inputs()?;
        self.has_only(&[])?;
        if y.datum_type != DatumType::I64 {
            return None;
        }
        let (&n_features, outer) = x.shape.dims.split_last()?;
        if y.is_constant() {
            let indices = y.integers()?.into_iter();
            let indices = indices.map(|index| resolve(index, n_features));
            let indices: Vec<usize> = indices.collect::<Option<_>>()?;
            let n_outer: usize = outer.iter().product();
            if n_outer.checked_mul(indices.len())? > MOST_ELEMENTS {
                return None;
            }
            let places = (0..n_outer)
                .flat_map(|outer| indices.iter().map(move |index| outer * n_features + index));
            let places: Vec<usize> = places.collect();
            let mut shape = x.shape.clone();
            if x.is_constant() && outer.is_empty() {
                shape.dims.insert(0, 1);
            }
            *shape.dims.last_mut()? = indices.len();
            return x.select(shape, &places);
        }
        // A label for each sample: all axes but the last one are those of `X`.
        if !x.is_constant() || y.elements.len() != 1 || outer.iter().any(|&len| len != 1) {
            return None;
        }
        let shape = Shape {
            samples: Some(outer.len().max(1)),
            dims: tvec![],
        };
        builder.lookup(x, y, shape)
    }

    /// Exactly `N` inputs.
    pub(crate) fn all_inputs<const N: usize>(&self) -> Option<[&Value; N]> {
        let inputs: Vec<&Value> = self
            .inputs
            .iter()
            .map(Option::as_ref)
            .collect::<Option<_>>()?;
        <[&Value; N]>::try_from(inputs).ok()
    }

    pub(crate) fn given(&self, name: &str) -> Option<&AttributeProto> {
        self.proto.attribute.iter().find(|a| a.name == name)
    }

    /// That no other attributes are given.
    pub(crate) fn has_only(&self, names: &[&str]) -> Option<()> {
        let mut attributes = self.proto.attribute.iter();
        attributes
            .all(|attribute| names.contains(&attribute.name.as_str()))
            .then_some(())
    }

    pub(crate) fn attribute(&self, name: &str, expected: AttributeType) -> Option<&AttributeProto> {
        self.given(name)
            .filter(|attribute| attribute.r#type == i32::from(expected))
    }

    pub(crate) fn int(&self, name: &str, default: i64) -> Option<i64> {
        match self.given(name) {
            None => Some(default),
            Some(_) => Some(self.attribute(name, AttributeType::Int)?.i),
        }
    }

    fn float(&self, name: &str, default: f32) -> Option<f64> {
        match self.given(name) {
            None => Some(default.into()),
            Some(_) => Some(self.attribute(name, AttributeType::Float)?.f.into()),
        }
    }
}

/// What operators of two inputs take and give.
#[derive(Clone, Copy)]
enum Kind {
    Number,
    Comparison,
    Logic,
}

fn binary(op_type: &str) -> Option<(Binary, Kind)> {
    Some(match op_type {
        "Add" => (Binary::Add, Kind::Number),
        "And" => (Binary::And, Kind::Logic),
        "Div" => (Binary::Div, Kind::Number),
        "Equal" => (Binary::Equal, Kind::Comparison),
        "Greater" => (Binary::Greater, Kind::Comparison),
        "GreaterOrEqual" => (Binary::GreaterOrEqual, Kind::Comparison),
        "Less" => (Binary::Less, Kind::Comparison),
        "LessOrEqual" => (Binary::LessOrEqual, Kind::Comparison),
        "Mul" => (Binary::Mul, Kind::Number),
        "Or" => (Binary::Or, Kind::Logic),
        "Pow" => (Binary::Pow, Kind::Number),
        "Sub" => (Binary::Sub, Kind::Number),
        "Xor" => (Binary::Xor, Kind::Logic),
        _ => return None,
    })
}

fn is_real(x: &Value) -> bool {
    matches!(x.datum_type, DatumType::F32 | DatumType::F64)
}

fn scalar(datum_type: DatumType, x: f64) -> Value {
    Value {
        datum_type,
        shape: Shape {
            samples: None,
            dims: tvec![],
        },
        elements: [crate::programs::tensor::Element::Constant(x)].into(),
    }
}

/// `x`, to the nearest float if it is one. The squared distance of a sample from itself is 0 only if the squares and the
/// product that make it are as much rounded as those that the file has of the other points.
fn rounded(builder: &mut Builder, x: &Value) -> Option<Value> {
    if x.datum_type == DatumType::F32 {
        builder.unary(Unary::ToFloat, x, x.datum_type)
    } else {
        Some(x.clone())
    }
}

fn times(builder: &mut Builder, x: &Value, factor: f64) -> Option<Value> {
    if factor == 1.0 {
        return Some(x.clone());
    }
    builder.binary(Binary::Mul, x, &scalar(x.datum_type, factor), x.datum_type)
}

/// `alpha` times `a` `[n_samples, k]` times the constant `b` `[k, n]`, or its transpose.
fn multiply(
    builder: &mut Builder,
    a: &Value,
    b: &Value,
    transposed: bool,
    alpha: f64,
) -> Option<Value> {
    let (&[rows, columns], &[k]) = (&b.shape.dims[..], &a.shape.dims[..]) else {
        return None;
    };
    let (k_of_b, n) = if transposed {
        (columns, rows)
    } else {
        (rows, columns)
    };
    let fits = a.shape.samples == Some(0)
        && is_real(a)
        && a.datum_type == b.datum_type
        && k == k_of_b
        && (1..=LARGEST_PRODUCT).contains(&k.checked_mul(n)?);
    if !fits {
        return None;
    }
    let b = b.constants()?;
    let weight = |row: usize, column: usize| {
        alpha
            * b[if transposed {
                column * k + row
            } else {
                row * n + column
            }]
    };
    let weights = (0..n).flat_map(|column| (0..k).map(move |row| (row, column)));
    let weights = weights.map(|(row, column)| weight(row, column)).collect();
    builder.product(a, weights, n)
}
