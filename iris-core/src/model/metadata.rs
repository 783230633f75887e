//! What a model file says about itself.

use std::collections::BTreeMap;

use tract_onnx::pb;

/// A model's own description, under the names onnxruntime gives its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The tool that wrote the file, such as `skl2onnx`.
    pub producer_name: String,
    /// That tool's version.
    pub producer_version: String,
    /// The model's namespace.
    pub domain: String,
    /// What the model is for.
    pub description: String,
    /// The graph's name.
    pub graph_name: String,
    /// What the graph is for.
    pub graph_description: String,
    /// The model's own version.
    pub version: i64,
    /// Whatever else its author put there.
    pub custom_metadata_map: BTreeMap<String, String>,
}

impl Metadata {
    pub(crate) fn from_onnx(model: &pb::ModelProto, graph: &pb::GraphProto) -> Self {
        let mut custom_metadata_map = BTreeMap::new();
        for entry in &model.metadata_props {
            custom_metadata_map.insert(entry.key.clone(), entry.value.clone());
        }
        Self {
            producer_name: model.producer_name.clone(),
            producer_version: model.producer_version.clone(),
            domain: model.domain.clone(),
            description: model.doc_string.clone(),
            graph_name: graph.name.clone(),
            graph_description: graph.doc_string.clone(),
            version: model.model_version,
            custom_metadata_map,
        }
    }
}
