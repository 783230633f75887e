//! `iris_core.InferenceSession`, which takes the place of onnxruntime's class of this name.

use std::collections::BTreeMap;

use iris_core::{Feed, Model, ValueInfo};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyDict, PyList, PyMapping, PyString};
use smallvec::SmallVec;

use crate::api::load;
use crate::api::signature::{ModelMetadata, NodeArg};
use crate::input::feed::InputValue;
use crate::interpreter::error::{InputError, to_python};
use crate::interpreter::interrupt::detached;
use crate::interpreter::numpy_api;
use crate::output::{arrays, run_output};

/// Runs any graph on named arrays, as `onnxruntime.InferenceSession` does.
///
/// Options that only mean something to onnxruntime are accepted and ignored. `threads`, or else
/// `sess_options.intra_op_num_threads`, is how many threads may answer one large batch: as many as there are processors
/// unless one of them is set. `limits` and `external_data` mean the same as for `Model`.
#[pyclass(module = "iris_core", frozen)]
pub(crate) struct InferenceSession {
    model: Model,
}

#[pymethods]
impl InferenceSession {
    #[new]
    #[pyo3(signature = (
        path_or_bytes, sess_options=None, providers=None, provider_options=None, *, threads=None, limits=None,
        external_data=false, **ignored
    ))]
    #[allow(
        clippy::too_many_arguments,
        reason = "onnxruntime's arguments and ours, which Python names"
    )]
    fn new(
        path_or_bytes: &Bound<'_, PyAny>,
        sess_options: Option<&Bound<'_, PyAny>>,
        providers: Option<&Bound<'_, PyAny>>,
        provider_options: Option<&Bound<'_, PyAny>>,
        threads: Option<usize>,
        limits: Option<&Bound<'_, PyDict>>,
        external_data: bool,
        ignored: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let _ = (providers, provider_options, ignored);
        let of_options = || {
            let threads = sess_options?.getattr("intra_op_num_threads").ok()?;
            threads
                .extract()
                .ok()
                .filter(|&threads: &usize| threads > 0)
        };
        let options = load::options(threads.or_else(of_options), limits, external_data)?;
        Ok(Self {
            model: load::load(path_or_bytes, &options)?,
        })
    }

    /// The inputs of the model.
    fn get_inputs(&self) -> Vec<NodeArg> {
        self.model.inputs().iter().map(NodeArg::from).collect()
    }

    /// The outputs of the model.
    fn get_outputs(&self) -> Vec<NodeArg> {
        self.model.outputs().iter().map(NodeArg::from).collect()
    }

    /// The model's file, as it describes itself.
    fn get_modelmeta(&self) -> ModelMetadata {
        self.model.metadata().into()
    }

    /// The place where models run, which is the CPU, in onnxruntime's words.
    #[allow(
        clippy::unused_self,
        reason = "a method of every session in onnxruntime"
    )]
    fn get_providers(&self) -> [&'static str; 1] {
        ["CPUExecutionProvider"]
    }

    /// The providers and their options: the CPU, which has none.
    #[allow(
        clippy::unused_self,
        reason = "a method of every session in onnxruntime"
    )]
    fn get_provider_options(&self) -> BTreeMap<&'static str, BTreeMap<String, String>> {
        BTreeMap::from([("CPUExecutionProvider", BTreeMap::new())])
    }

    /// Ignores the providers, as the constructor does: models run on the CPU.
    #[pyo3(signature = (providers=None, provider_options=None))]
    #[allow(
        clippy::unused_self,
        reason = "a method of every session in onnxruntime"
    )]
    fn set_providers(
        &self,
        providers: Option<&Bound<'_, PyAny>>,
        provider_options: Option<&Bound<'_, PyAny>>,
    ) {
        let _ = (providers, provider_options);
    }

    /// Initializers that a feed could replace: none can be replaced.
    #[allow(
        clippy::unused_self,
        reason = "a method of every session in onnxruntime"
    )]
    fn get_overridable_initializers(&self) -> Vec<NodeArg> {
        Vec::new()
    }

    /// Computes the named outputs (all, for None or none) from a mapping of input names to arrays.
    ///
    /// Arrays must have the element type of their input; lists are converted to it. Outputs are arrays, strings as object
    /// arrays, and a list of dictionaries for ZipMap.
    #[pyo3(signature = (output_names, input_feed, run_options=None))]
    fn run<'py>(
        &self,
        py: Python<'py>,
        output_names: Option<&Bound<'py, PyAny>>,
        input_feed: &Bound<'py, PyAny>,
        run_options: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let _ = run_options;
        numpy_api::load(py)?;
        let mut values = self.values(input_feed)?;
        let named = output_names.map(names).transpose()?.unwrap_or_default();
        let mut wanted = SmallVec::<[&str; 4]>::new();
        // Of each name, the index of its output among those that are wanted.
        let mut indices = SmallVec::<[usize; 4]>::new();
        for name in &named {
            let name = self.output(name)?.name();
            let index = wanted.iter().position(|&other| other == name);
            indices.push(index.unwrap_or(wanted.len()));
            if index.is_none() {
                wanted.push(name);
            }
        }
        let feeds = values
            .iter_mut()
            .map(|(name, value)| Ok((*name, value.feed()?)))
            .collect::<PyResult<Feeds<'_>>>()?;
        let mut outputs = detached(py, || self.model.evaluate(feeds, &wanted))?;
        let list = PyList::empty(py);
        for index in 0..outputs.len() {
            if let Some(rows) = outputs.take_rows(index) {
                list.append(arrays::tensor_to_python(py, rows)?)?;
            } else if let Some((info, output)) = outputs.get(index) {
                let output = output.map_err(|e| to_python(&e))?;
                list.append(run_output::to_python(py, info, &output)?)?;
            }
        }
        if wanted.len() == named.len() {
            return Ok(list);
        }
        // An output that is named again is the same array.
        let all = PyList::empty(py);
        for index in indices {
            all.append(list.get_item(index)?)?;
        }
        Ok(all)
    }
}

/// The names of outputs that a sequence of `str` has.
fn names(output_names: &Bound<'_, PyAny>) -> PyResult<SmallVec<[PyBackedStr; 4]>> {
    let mut names = SmallVec::new();
    if !output_names.is_instance_of::<PyString>() {
        for name in output_names.try_iter()? {
            names.push(name?.extract()?);
        }
        return Ok(names);
    }
    Err(PyTypeError::new_err(
        "output_names: expected a list of names, got str",
    ))
}

/// The entries of a mapping of feeds, as they come from Python.
type Items<'py> = SmallVec<[(Bound<'py, PyAny>, Bound<'py, PyAny>); 1]>;

/// The names and values of inputs, as iris-core takes them; most models take one.
type Feeds<'a> = SmallVec<[(&'a str, Feed<'a>); 1]>;

impl InferenceSession {
    /// Reads the values of a mapping of feeds.
    fn values<'a, 'py>(
        &'a self,
        input_feed: &Bound<'py, PyAny>,
    ) -> PyResult<SmallVec<[(&'a str, InputValue<'py>); 1]>> {
        let mut items = Items::new();
        if let Ok(feed) = input_feed.cast::<PyDict>() {
            // Reading a value may run code that changes the dictionary, so that all are taken out before.
            items.extend(feed.iter());
        } else if let Ok(feed) = input_feed.cast::<PyMapping>() {
            for item in feed.items()?.iter() {
                items.push(item.extract()?);
            }
        } else {
            let got = input_feed.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "input_feed: expected a mapping of input names to arrays, got {got}"
            )));
        }
        let items = items.iter();
        items.map(|(name, value)| self.value(name, value)).collect()
    }

    /// Reads the value of the input called `name`.
    fn value<'a, 'py>(
        &'a self,
        name: &Bound<'py, PyAny>,
        value: &Bound<'py, PyAny>,
    ) -> PyResult<(&'a str, InputValue<'py>)> {
        let name = name.cast::<PyString>()?.to_str()?;
        let inputs = self.model.inputs();
        let Some(info) = inputs.iter().find(|info| info.name() == name) else {
            return Err(unknown("input", name, "takes", inputs));
        };
        Ok((info.name(), InputValue::from_python(info, value)?))
    }

    /// The output called `name`.
    fn output(&self, name: &str) -> PyResult<&ValueInfo> {
        let outputs = self.model.outputs();
        outputs
            .iter()
            .find(|info| info.name() == name)
            .ok_or_else(|| unknown("output", name, "gives", outputs))
    }
}

/// The error for a name that no input or output has.
fn unknown(role: &str, name: &str, does: &str, infos: &[ValueInfo]) -> PyErr {
    let names: Vec<String> = infos
        .iter()
        .map(|info| format!("{:?}", info.name()))
        .collect();
    InputError::new_err(format!(
        "{role} {name:?}: the model {does} {}",
        names.join(", ")
    ))
}
