//! Takes the operators off the end of a graph that only change how answers look, before anything else is made of it.
//!
//! ZipMap turns a score matrix into one map a row. We keep the matrix, and remember the labels of its columns.

use tract_onnx::pb;

use super::signature::{ValueInfo, ValueType};
use crate::Labels;
use crate::error::{Error, ErrorKind, Result};
use crate::ops::attributes::Attributes;
use crate::ops::class_labels::ClassLabels;
use crate::ops::{ML_DOMAIN, is_operator};
use crate::value::ElementType;

/// Removes every ZipMap whose maps are outputs of the graph, and returns the signature of all outputs, in order.
pub(crate) fn outputs(graph: &mut pb::GraphProto) -> Result<Vec<ValueInfo>> {
    let mut infos: Vec<ValueInfo> = Vec::with_capacity(graph.output.len());
    for output in &mut graph.output {
        if infos.iter().any(|info| info.name == output.name) {
            let message = format!("output {:?}: the name is defined twice", output.name);
            return Err(Error::new(ErrorKind::InvalidModel, message));
        }
        let zip_map = graph.node.iter().position(|n| {
            n.output.first() == Some(&output.name) && is_operator(n, ML_DOMAIN, "ZipMap")
        });
        let Some(zip_map) = zip_map else {
            infos.push(ValueInfo::from_onnx(output, "output")?);
            continue;
        };
        let node = graph.node.remove(zip_map);
        let mut attributes = Attributes::new(&node);
        let labels: Labels =
            ClassLabels::from_attributes(&mut attributes, "classlabels_int64s")?.into();
        attributes.finish()?;
        let key = match &labels {
            Labels::Int(_) => ElementType::Int64,
            Labels::String(_) => ElementType::String,
        };
        infos.push(ValueInfo {
            name: output.name.clone(),
            value_type: ValueType::SequenceOfMaps {
                key,
                value: ElementType::Float,
            },
            zip_map_classes: Some(labels),
        });
        output.name = node.input.into_iter().next().unwrap_or_default();
    }
    Ok(infos)
}
