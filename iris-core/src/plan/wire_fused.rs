//! Nodes that are wired as one with the node before them.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use crate::onnx::graphs::named_outputs;
use crate::operator::Operator;
use crate::operator::node::{OperatorNode, wire};
use crate::optimize::linear;
use crate::plan::wiring::Wiring;

impl Wiring<'_, '_> {
    /// Wires `node`, whose operator is `second`, as one with the node that makes its only input, if that can be, and if
    /// nothing else needs this input.
    pub(crate) fn wire_fused(
        &mut self,
        node: &NodeProto,
        second: &Arc<dyn Operator>,
        inputs: &[OutletId],
    ) -> TractResult<Option<TVec<OutletId>>> {
        let ([input], &[x]) = (&node.input[..], inputs) else {
            return Ok(None);
        };
        let before = &self.typed.nodes[x.node];
        let (Some(_), Some(maker), Some(first)) = (
            self.only_reader(input),
            self.makers.get(input.as_str()),
            before.op_as::<OperatorNode>(),
        ) else {
            return Ok(None);
        };
        // What a node gives may go by another name as well, after a cast that does nothing.
        if first.name() != maker.op_type.as_str() {
            return Ok(None);
        }
        if let Some(both) = linear::before(first.operator(), &**second) {
            let inputs = before.inputs.clone();
            let places = named_outputs(node);
            let (op_type, name) = (&node.op_type, &node.name);
            return wire(op_type, name, &mut self.typed, both, &places, &inputs).map(Some);
        }
        let place = first.places()[x.slot];
        let Some(both) = linear::after(first.operator(), place, &**second) else {
            return Ok(None);
        };
        self.typed.nodes[x.node].op = Box::new(first.with(both));
        Ok(Some(tvec![x]))
    }
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::tensor_shape_proto::dimension::Value::DimValue;
    use tract_onnx::pb::{AttributeProto, GraphProto};

    use super::*;
    use crate::onnx::protos::{info, model};
    use crate::operator::steps::Steps;
    use crate::plan::wiring::typed_graph;

    fn floats(name: &str, floats: &[f32]) -> AttributeProto {
        AttributeProto {
            name: name.into(),
            r#type: 6,
            floats: floats.into(),
            ..AttributeProto::default()
        }
    }

    fn node(op_type: &str, wires: [&str; 2], attribute: Vec<AttributeProto>) -> NodeProto {
        NodeProto {
            op_type: op_type.into(),
            domain: "ai.onnx.ml".into(),
            input: vec![wires[0].into()],
            output: wires[1].split(' ').map(String::from).collect(),
            attribute,
            ..NodeProto::default()
        }
    }

    /// How many operators there are in the graph of a scaler, a classifier and a normalizer that gives `outputs`.
    fn n_operators(outputs: &[&str]) -> usize {
        let mut labels = floats("classlabels_ints", &[]);
        (labels.r#type, labels.ints) = (7, vec![0, 1]);
        let graph = GraphProto {
            node: vec![
                node(
                    "Scaler",
                    ["X", "scaled"],
                    vec![floats("offset", &[1.0]), floats("scale", &[2.0])],
                ),
                node(
                    "LinearClassifier",
                    ["scaled", "label scores"],
                    vec![floats("coefficients", &[1.0; 4]), labels],
                ),
                node("Normalizer", ["scores", "Y"], vec![]),
            ],
            input: vec![info("X", &[DimValue(3), DimValue(2)])],
            output: outputs.iter().map(|name| info(name, &[])).collect(),
            ..GraphProto::default()
        };
        let model = model("ai.onnx.ml", 1, graph);
        let (graph, _) = typed_graph(&model, false).expect("a graph");
        let steps = Steps::of_graph(&graph, &graph.outputs).expect("steps");
        steps.names().len()
    }

    #[test]
    fn nodes_are_one_where_nothing_else_needs_what_lies_between() {
        assert_eq!(n_operators(&["label", "Y"]), 1);
        assert_eq!(n_operators(&["Y", "scaled"]), 2);
        assert_eq!(n_operators(&["Y", "scores"]), 2);
        assert_eq!(n_operators(&["Y", "scaled", "scores"]), 3);
    }
}
