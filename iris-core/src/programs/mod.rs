//! Programs that make of each sample what a part of a graph makes of it, without a tensor in between.
//!
//! Much of what skl2onnx emits is a dozen small operators that look at one row at a time: the likelihoods of naive Bayes,
//! the votes of one-vs-one classifiers, labels looked up by the largest score. Such a part is compiled into operations on
//! single numbers of a sample, which are computed for several samples side by side, in double precision: only results, and
//! what a Cast says, are rounded to what the graph has.

pub(crate) mod builder;
pub(crate) mod nodes;
pub(crate) mod operation;
pub(crate) mod program;
pub(crate) mod run;
pub(crate) mod shapes;
pub(crate) mod tensor;

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use crate::programs::builder::Builder;
use crate::programs::program::Program;
use crate::programs::tensor::{Shape, Value};

/// A part of a graph as far as it has been compiled.
#[derive(Debug, Default)]
pub(crate) struct Part(Builder);

impl Part {
    /// A tensor that the part is given, if it has an axis of samples, and what it has of each sample is known.
    pub(crate) fn input(&mut self, fact: &TypedFact) -> Option<Value> {
        let sizes: TVec<Option<usize>> = fact.shape.iter().map(|dim| dim.to_usize().ok()).collect();
        let samples = sizes.iter().position(Option::is_none)?;
        if sizes[..samples].iter().any(|&len| len != Some(1)) {
            return None;
        }
        let dims = sizes[samples + 1..].iter().copied();
        let shape = Shape {
            samples: Some(samples),
            dims: dims.collect::<Option<_>>()?,
        };
        self.0.input(fact.datum_type, shape)
    }

    /// The outputs of `node`, of this version, or `None` if it is not for a program.
    pub(crate) fn node(
        &mut self,
        node: &NodeProto,
        version: i64,
        inputs: &[Option<Value>],
    ) -> Option<Vec<Value>> {
        nodes::compile(&mut self.0, node, version, inputs)
    }

    /// What has been compiled, to go back to where what follows turns out not to be for a program.
    pub(crate) fn mark(&self) -> builder::Mark {
        self.0.mark()
    }

    pub(crate) fn go_back(&mut self, mark: builder::Mark) {
        self.0.go_back(mark);
    }

    /// The program that gives `outputs`, and which of the inputs, in the order in which they came, it takes.
    pub(crate) fn program(&self, outputs: &[Value]) -> Option<(Program, Vec<usize>)> {
        self.0.finish(outputs)
    }
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::AttributeProto;
    use tract_onnx::pb::attribute_proto::AttributeType;

    use super::*;
    use crate::operator::Operator;

    const VERSION: i64 = 18;

    fn node(op_type: &str) -> NodeProto {
        NodeProto {
            op_type: op_type.into(),
            output: vec!["y".into()],
            ..NodeProto::default()
        }
    }

    fn with_int(mut node: NodeProto, name: &str, i: i64) -> NodeProto {
        node.attribute.push(AttributeProto {
            name: name.into(),
            r#type: AttributeType::Int.into(),
            i,
            ..AttributeProto::default()
        });
        node
    }

    fn samples_of(n_features: usize, datum_type: DatumType) -> TypedFact {
        let symbol = SymbolScope::default().new_with_prefix("n");
        datum_type.fact([symbol.to_dim(), n_features.to_dim()])
    }

    fn constant(tensor: &Tensor) -> Option<Value> {
        Value::constant(tensor)
    }

    /// What a part gives that compiles `nodes` one after the other, each on the result of the one before.
    fn chain(x: &Tensor, nodes: &[(NodeProto, &[Tensor])]) -> Option<Tensor> {
        let mut part = Part::default();
        let mut value = part.input(&samples_of(x.shape()[1], x.datum_type()))?;
        for (node, constants) in nodes {
            let mut inputs = vec![Some(value)];
            inputs.extend(constants.iter().map(constant));
            value = part.node(node, VERSION, &inputs)?.pop()?;
        }
        let (program, _) = part.program(&[value])?;
        let outputs = program.eval(&[x.clone().into_tvalue()], &[0]);
        Some(outputs.expect("runs").remove(0).into_tensor())
    }

    /// Two samples in a block of their own and as many as fill a block have the same bits.
    #[test]
    fn answers_do_not_depend_on_the_batch() {
        let all = tract_ndarray::Array2::from_shape_fn((21, 3), |(row, column)| {
            (row as f32 - 7.3) * 0.37 + (column as f32) * 1.7
        });
        let weights = tensor2(&[[0.3_f32, -1.2], [0.7, 0.1], [-0.4, 0.9]]);
        let nodes: [(NodeProto, &[Tensor]); 4] = [
            (node("MatMul"), std::slice::from_ref(&weights)),
            (node("Tanh"), &[]),
            (node("Softmax"), &[]),
            (node("ReduceLogSumExp"), &[tensor1(&[1_i64])]),
        ];
        let expected = chain(&all.clone().into_tensor(), &nodes).expect("is for a program");
        let expected = expected.to_plain_array_view::<f32>().expect("floats");
        for (index, row) in all.rows().into_iter().enumerate() {
            let row = row.to_owned().insert_axis(tract_ndarray::Axis(0));
            let y = chain(&row.into_tensor(), &nodes).expect("is for a program");
            let y = y.to_plain_array_view::<f32>().expect("floats");
            assert_eq!(
                y[[0, 0]].to_bits(),
                expected[[index, 0]].to_bits(),
                "{index}"
            );
        }
    }

    #[test]
    fn labels_are_looked_up_by_the_largest_score() {
        let scores = tensor2(&[[0.1_f32, 0.7, 0.2], [0.5, 0.5, 0.0], [0.0, 0.1, 0.9]]);
        let labels = tensor1(&[10_i64, 20, 30]);
        let mut part = Part::default();
        let x = part.input(&samples_of(3, DatumType::F32));
        let best = with_int(node("ArgMax"), "axis", 1);
        let best = part.node(&best, VERSION, &[x]).expect("one of rows").pop();
        let extract = NodeProto {
            domain: "ai.onnx.ml".into(),
            ..node("ArrayFeatureExtractor")
        };
        let found = part.node(&extract, 1, &[constant(&labels), best.clone()]);
        let found = found.expect("indices are bounded").pop();
        let shape = constant(&tensor1(&[-1_i64]));
        let flat = part.node(&node("Reshape"), VERSION, &[found, shape]);
        let flat = flat.expect("labels of samples");
        let (program, _) = part.program(&flat).expect("labels");
        let y = program.eval(&[scores.into_tvalue()], &[0]).expect("runs");
        assert_eq!(*y[0], tensor1(&[20_i64, 10, 30]));

        let too_short = constant(&tensor1(&[10_i64, 20]));
        assert!(part.node(&extract, 1, &[too_short, best]).is_none());
    }

    #[test]
    fn what_mixes_samples_is_not_for_programs() {
        let x = tensor2(&[[1.0_f32, 2.0], [3.0, 4.0]]);
        let refused: [(NodeProto, &[Tensor]); 7] = [
            (with_int(node("ArgMax"), "axis", 0), &[]),
            (with_int(node("Softmax"), "axis", 0), &[]),
            (node("ReduceSum"), &[]),
            (node("ReduceSum"), &[tensor1(&[0_i64])]),
            (node("Transpose"), &[]),
            (node("Reshape"), &[tensor1(&[-1_i64])]),
            (node("Add"), &[tensor2(&[[1.0_f32, 1.0], [2.0, 2.0]])]),
        ];
        for (node, constants) in refused {
            assert!(
                chain(&x, &[(node.clone(), constants)]).is_none(),
                "{node:?}"
            );
        }
        let unread = with_int(node("Neg"), "axis", 1);
        assert!(chain(&x, &[(unread, &[])]).is_none());
    }

    #[test]
    fn what_is_the_same_in_all_samples_is_computed_once() {
        let mut part = Part::default();
        let x = part.input(&samples_of(2, DatumType::F32));
        let logits = constant(&tensor2(&[[1.0_f32, 2.0], [3.0, 4.0]]));
        let axes = constant(&tensor1(&[1_i64]));
        let sums = part.node(&node("ReduceSum"), VERSION, &[logits, axes]);
        let shape = constant(&tensor1(&[1_i64, -1]));
        let sums = part.node(
            &node("Reshape"),
            VERSION,
            &[sums.expect("numbers").pop(), shape],
        );
        let y = part.node(&node("Add"), VERSION, &[x, sums.expect("numbers").pop()]);
        let (program, _) = part.program(&y.expect("rows")).expect("floats");
        assert_eq!(program.steps.len(), 2, "{:?}", program.steps);
        let x = tensor2(&[[1.0_f32, 1.0]]);
        let y = program.eval(&[x.into_tvalue()], &[0]).expect("runs");
        assert_eq!(*y[0], tensor2(&[[4.0_f32, 8.0]]));
    }

    /// As skl2onnx exports k-means.
    #[test]
    fn a_sample_is_at_no_distance_from_itself() {
        let x = tensor2(&[[0.1_f32, 0.7, -1.3]]);
        let mut part = Part::default();
        let samples = part.input(&samples_of(3, DatumType::F32));
        let axes = constant(&tensor1(&[1_i64]));
        let squares = part.node(&node("ReduceSumSquare"), VERSION, &[samples.clone(), axes]);
        let squares = squares.expect("of rows").pop();
        let mut gemm = with_int(node("Gemm"), "transB", 1);
        gemm.attribute.push(AttributeProto {
            name: "alpha".into(),
            r#type: AttributeType::Float.into(),
            f: -2.0,
            ..AttributeProto::default()
        });
        let product = part.node(&gemm, VERSION, &[samples, constant(&x)]);
        let product = product.expect("small").pop();
        let sum = part.node(&node("Add"), VERSION, &[squares, product]);
        let own = [0.1_f32, 0.7, -1.3].map(|x| f64::from(x) * f64::from(x));
        let own = constant(&tensor1(&[own.iter().sum::<f64>() as f32]));
        let distance = part.node(&node("Add"), VERSION, &[own, sum.expect("rows").pop()]);
        let (program, _) = part.program(&distance.expect("rows")).expect("floats");
        let y = program.eval(&[x.into_tvalue()], &[0]).expect("runs");
        assert_eq!(*y[0], tensor2(&[[0.0_f32]]));
    }

    #[test]
    fn integers_that_may_be_rounded_are_for_casts_alone() {
        let mut part = Part::default();
        let x = part.input(&samples_of(1, DatumType::I64));
        assert!(
            part.node(&node("Identity"), VERSION, std::slice::from_ref(&x))
                .is_none()
        );
        assert!(part.program(&[x.clone().expect("numbers")]).is_none());
        let to_float = with_int(node("Cast"), "to", 1);
        assert!(part.node(&to_float, VERSION, &[x]).is_some());
        assert!(constant(&tensor0(i64::MAX)).is_none());
    }
}
