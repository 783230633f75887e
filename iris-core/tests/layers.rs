//! The layers of `src`: see the shared checker for what the table says.

#[path = "common/layers.rs"]
mod layers;

use std::path::Path;

#[rustfmt::skip]
const TABLE: layers::Table<'_> = &[
    ("lib", &["model", "load", "registry", "onnx", "value", "guard", "error"]),
    ("model", &["plan", "load", "rewrite", "operator", "onnx", "kernels", "value", "guard", "error"]),
    ("plan", &["registry", "control", "optimize", "ops", "programs", "rewrite", "operator", "onnx", "value", "guard", "error"]),
    ("load", &["registry", "onnx", "guard", "error"]),
    ("registry", &["control", "ops", "operator", "onnx", "guard", "error"]),
    ("control", &["ops", "operator", "onnx", "value", "guard", "error"]),
    ("optimize", &["ops", "operator", "kernels", "value", "guard", "error"]),
    ("programs", &["ops", "operator", "onnx", "kernels", "value", "error"]),
    ("ops", &["operator", "onnx", "kernels", "value", "guard", "error"]),
    ("rewrite", &["operator", "onnx", "kernels", "value", "guard", "error"]),
    ("operator", &["onnx", "kernels", "value", "guard", "error"]),
    ("onnx", &["value", "guard", "error"]),
    ("kernels", &["guard", "error"]),
    ("value", &["guard", "error"]),
    ("guard", &["error"]),
    ("error", &[]),
];

fn src() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))
}

#[test]
fn imports_go_downwards() {
    layers::check(src(), TABLE);
}

/// Kernels are numbers only: they name neither tract nor a type of ONNX's.
#[test]
fn kernels_do_not_know_tract() {
    let naming: Vec<String> = layers::sources(&src().join("kernels"))
        .into_iter()
        .filter(|(name, text)| {
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let names_it = code.contains("tract_") || code.contains("prost");
            names_it && !name.ends_with("tests.rs")
        })
        .map(|(name, _)| name)
        .collect();
    assert!(naming.is_empty(), "{naming:?}");
}

#[test]
fn an_import_that_goes_upwards_is_found() {
    let files = [
        ("kernels/exp.rs", "use crate::ops::Abs;"),
        ("ops/mod.rs", ""),
    ];
    let files = files.map(|(name, text)| (name.into(), text.into()));
    let found = layers::violations(&files, TABLE);
    assert!(
        found
            .iter()
            .any(|found| found.starts_with("kernels/exp.rs:1 imports ops/mod.rs")),
        "{found:?}"
    );
}
