//! The descriptions of a model that `InferenceSession` gives, under onnxruntime's names.

use std::collections::BTreeMap;

use iris_core::{Dimension, Metadata, ValueInfo};
use pyo3::prelude::*;
use pyo3::types::PyList;

/// An input or output of a model.
#[pyclass(module = "iris_core", frozen)]
pub(crate) struct NodeArg {
    /// The name in the graph.
    #[pyo3(get)]
    name: String,
    /// The type, such as "tensor(float)" or "seq(map(int64,tensor(float)))".
    #[pyo3(get, name = "type")]
    value_type: String,
    shape: Vec<Dimension>,
}

impl From<&ValueInfo> for NodeArg {
    fn from(info: &ValueInfo) -> Self {
        Self {
            name: info.name().into(),
            value_type: info.value_type().to_string(),
            shape: info.shape().unwrap_or_default().to_vec(),
        }
    }
}

#[pymethods]
impl NodeArg {
    /// The dimensions: int, a name, or None for any number; empty where the model does not say.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let shape = PyList::empty(py);
        for dimension in &self.shape {
            match dimension {
                Dimension::Fixed(size) => shape.append(size)?,
                Dimension::Named(name) => shape.append(name)?,
                _ => shape.append(py.None())?,
            }
        }
        Ok(shape)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let shape = self.shape(py)?.repr()?;
        Ok(format!(
            "NodeArg(name='{}', type='{}', shape={shape})",
            self.name, self.value_type
        ))
    }
}

/// A model's file, as it describes itself.
#[pyclass(module = "iris_core", frozen, get_all)]
pub(crate) struct ModelMetadata {
    /// The tool that wrote the file, such as "skl2onnx".
    producer_name: String,
    /// The graph's name.
    graph_name: String,
    /// The model's namespace.
    domain: String,
    /// The purpose of the model.
    description: String,
    /// The purpose of the graph.
    graph_description: String,
    /// The model's own version.
    version: i64,
    /// All other entries that the author put into the file.
    custom_metadata_map: BTreeMap<String, String>,
}

impl From<&Metadata> for ModelMetadata {
    fn from(metadata: &Metadata) -> Self {
        let metadata = metadata.clone();
        Self {
            producer_name: metadata.producer_name,
            graph_name: metadata.graph_name,
            domain: metadata.domain,
            description: metadata.description,
            graph_description: metadata.graph_description,
            version: metadata.version,
            custom_metadata_map: metadata.custom_metadata_map,
        }
    }
}
