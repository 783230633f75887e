//! [Scan](https://onnx.ai/onnx/operators/onnx__Scan.html), from version 9 on, whose counts tract takes as they are.

use tract_onnx::model::ParsingContext;
use tract_onnx::ops::rec::scan::scan;
use tract_onnx::pb::{GraphProto, NodeProto};
use tract_onnx::tract_hir::internal::*;

use super::stock::Built;
use super::tensors;

pub(super) fn build(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    if context.onnx_operator_set_version < 9 {
        bail!("Scan before version 9 is not supported");
    }
    check(node)?;
    scan(context, node)
}

/// Checks that the body takes what the node is given, state first, and gives what the node does.
fn check(node: &NodeProto) -> TractResult<()> {
    let body: &GraphProto = node.get_attr("body")?;
    let is_constant = |name: &str| body.initializer.iter().any(|tensor| tensor.name == name);
    let n_inputs = body.input.iter().filter(|i| !is_constant(&i.name)).count();
    let n_outputs = body.output.len();
    let n_scan_inputs: usize = node.get_attr("num_scan_inputs")?;
    let n_scan_outputs = n_inputs
        .checked_sub(n_scan_inputs)
        .and_then(|n_states| n_outputs.checked_sub(n_states));
    let Some(n_scan_outputs) = n_scan_outputs else {
        let message = format!(
            "attribute num_scan_inputs: {n_scan_inputs} for a body of {n_inputs} inputs and {n_outputs} outputs"
        );
        return Err(tensors::invalid(message).into());
    };
    if node.input.len() != n_inputs || node.output.len() > n_outputs {
        let message = format!(
            "attribute body: {n_inputs} inputs and {n_outputs} outputs for {} and {} of the node",
            node.input.len(),
            node.output.len()
        );
        return Err(tensors::invalid(message).into());
    }
    for (name, len) in [
        ("scan_input_axes", n_scan_inputs),
        ("scan_input_directions", n_scan_inputs),
        ("scan_output_axes", n_scan_outputs),
        ("scan_output_directions", n_scan_outputs),
    ] {
        let values: Option<&[i64]> = node.get_attr_opt_slice(name)?;
        if let Some(values) = values.filter(|values| values.len() != len) {
            let message = format!("attribute {name}: {} values, expected {len}", values.len());
            return Err(tensors::invalid(message).into());
        }
    }
    Ok(())
}
