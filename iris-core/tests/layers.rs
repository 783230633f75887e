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
    let naming = naming_tract(&layers::sources(&src().join("kernels")));
    assert!(naming.is_empty(), "{naming:?}");
}

#[test]
fn a_kernel_that_knows_tract_is_found() {
    let files = [
        ("mod.rs", "#[cfg(test)]\nmod tests;\nuse tract_onnx::pb;"),
        ("tests.rs", "use tract_onnx::pb;"),
        (
            "exp.rs",
            "// tract_onnx\n#[cfg(test)]\nmod tests { use prost::Message; }",
        ),
    ];
    let files = files.map(|(name, text)| (name.into(), text.into()));
    assert_eq!(naming_tract(&files), ["mod.rs:3"]);
}

/// Where files that are not for tests alone name a crate of tract's, or what decodes ONNX.
fn naming_tract(files: &[(String, String)]) -> Vec<String> {
    let mut places = Vec::new();
    for (name, text) in files.iter().filter(|(name, _)| !name.ends_with("tests.rs")) {
        let (tokens, _) = layers::without_tests(&layers::tokens(text));
        let naming = tokens
            .iter()
            .filter(|(word, _)| word.starts_with("tract_") || word == "prost");
        places.extend(naming.map(|(_, line)| format!("{name}:{line}")));
    }
    places
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
