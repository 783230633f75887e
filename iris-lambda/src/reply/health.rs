//! The answer to `GET /health`, which describes the model that is served.

use iris_core::{Dimension, Labels, Model, ValueInfo};

use crate::python_json as python;

/// The model's name, inputs and classes, as JSON. A dimension is a number, a name, or null, as onnxruntime gives it.
pub(crate) fn describe(name: &str, model: &Model) -> String {
    let mut json = String::from("{\"model\": ");
    python::string(&mut json, name);
    json.push_str(", \"inputs\": ");
    python::list(&mut json, model.inputs(), input);
    json.push_str(", \"classes\": ");
    match model.classes() {
        Some(Labels::Int(classes)) => python::list(&mut json, classes, |json, &class| {
            python::int(json, class);
        }),
        Some(Labels::String(classes)) => {
            python::list(&mut json, classes, |json, class| {
                python::string(json, class);
            });
        }
        _ => json.push_str("null"),
    }
    json.push('}');
    json
}

fn input(json: &mut String, input: &ValueInfo) {
    json.push_str("{\"name\": ");
    python::string(json, input.name());
    json.push_str(", \"type\": ");
    python::string(json, &input.value_type().to_string());
    json.push_str(", \"shape\": ");
    match input.shape() {
        Some(shape) => python::list(json, shape, dimension),
        None => json.push_str("null"),
    }
    json.push('}');
}

fn dimension(json: &mut String, dimension: &Dimension) {
    match dimension {
        Dimension::Fixed(size) => python::int(json, *size as i64),
        Dimension::Named(name) => python::string(json, name),
        _ => json.push_str("null"),
    }
}
