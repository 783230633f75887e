//! Operators that become operators of tract's typed graphs, once all they are told beside the tensors is known.

use std::fmt;
use std::sync::Arc;

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::tensors;

/// Wires an operator into a typed graph, under a name, to its inputs.
type Wire = dyn Fn(&str, &mut TypedModel, &[OutletId]) -> TractResult<TVec<OutletId>> + Send + Sync;

/// An operator that is no more than what `wire` does.
#[derive(Clone)]
struct Lowered {
    op_type: String,
    n_outputs: usize,
    /// From which input on the values have to be known.
    first_constant: usize,
    symbols: SymbolScope,
    wire: Arc<Wire>,
}

impl fmt::Debug for Lowered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.op_type)
    }
}

/// The operator of `node` that `wire` puts into a typed graph. It finds those inputs in the graph that the node gives a
/// name, one or more; from `first_constant` on they are constants.
pub(super) fn lowered(
    context: &ParsingContext<'_>,
    node: &NodeProto,
    first_constant: usize,
    wire: impl Fn(&str, &mut TypedModel, &[OutletId]) -> TractResult<TVec<OutletId>>
    + Send
    + Sync
    + 'static,
) -> Box<dyn InferenceOp> {
    expand(Lowered {
        op_type: node.op_type.clone(),
        n_outputs: node.output.len(),
        first_constant,
        symbols: context.template.symbols.clone(),
        wire: Arc::new(wire),
    })
}

/// The whole numbers that input `outlet` of a node always is.
pub(super) fn constant_ints(model: &TypedModel, outlet: OutletId) -> TractResult<Vec<i64>> {
    let fact = model.outlet_fact(outlet)?;
    let value = fact
        .konst
        .as_ref()
        .ok_or_else(|| tensors::invalid("an input that has to be constant is not"))?;
    let value = value.cast_to::<i64>()?;
    Ok(value.try_as_plain_ram()?.as_slice::<i64>()?.to_vec())
}

/// `axis` of a tensor of `rank` dimensions, counted from the end if it is negative.
pub(super) fn axis(axis: i64, rank: usize) -> TractResult<usize> {
    let from_start = if axis < 0 {
        axis.saturating_add(rank as i64)
    } else {
        axis
    };
    usize::try_from(from_start)
        .ok()
        .filter(|&axis| axis < rank)
        .with_context(|| format!("axis {axis} is not one of {rank}"))
}

impl Lowered {
    /// What the outputs are, found in a graph that has no other node.
    fn facts(
        &self,
        types: &[DatumType],
        shapes: &[ShapeFact],
        constants: &[Arc<Tensor>],
    ) -> TractResult<TVec<TypedFact>> {
        let mut model = TypedModel {
            symbols: self.symbols.clone(),
            ..TypedModel::default()
        };
        let mut inputs: TVec<OutletId> = tvec![];
        for (i, (datum_type, shape)) in types.iter().zip(shapes).enumerate() {
            let name = format!("input{i}");
            let constant = i
                .checked_sub(self.first_constant)
                .and_then(|i| constants.get(i));
            inputs.push(match constant {
                Some(constant) => model.add_const(name, constant.clone())?,
                None => model.add_source(name, datum_type.fact(shape.clone()))?,
            });
        }
        let outputs = (self.wire)("output", &mut model, &inputs)?;
        let facts = outputs.iter().map(|&outlet| model.outlet_fact(outlet));
        facts.map(|fact| Ok(fact?.clone())).collect()
    }
}

impl Expansion for Lowered {
    fn name(&self) -> StaticName {
        self.op_type.clone().into()
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(self.n_outputs)
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_output_arity(outputs, self.n_outputs)?;
        if inputs.is_empty() {
            return Err(tensors::invalid("expected 1 input or more, got 0").into());
        }
        s.given_all(
            inputs.iter().map(|input| &input.datum_type),
            move |s, types| {
                s.given_all(inputs.iter().map(|input| &input.shape), move |s, shapes| {
                    let types = types.clone();
                    let constants = inputs.iter().skip(self.first_constant);
                    let shapes: Vec<ShapeFact> =
                        shapes.into_iter().map(ShapeFact::from_dims).collect();
                    s.given_all(constants.map(|input| &input.value), move |s, constants| {
                        let facts = self.facts(&types, &shapes, &constants)?;
                        if facts.len() != outputs.len() {
                            let message =
                                format!("{} outputs, expected {}", outputs.len(), facts.len());
                            return Err(tensors::invalid(message).into());
                        }
                        for (output, fact) in outputs.iter().zip(facts) {
                            s.equals(&output.datum_type, fact.datum_type)?;
                            s.equals(&output.shape, fact.shape.to_tvec())?;
                            if let Some(value) = fact.konst {
                                s.equals(&output.value, value)?;
                            }
                        }
                        Ok(())
                    })
                })
            },
        )
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        (self.wire)(prefix, model, inputs)
    }
}
