//! Keeps `OPERATORS.md` and the fuzzer's dictionary what the table of operators says.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use crate::onnx::domains::{ML_DOMAIN, NEWEST_VERSIONS, display};
use crate::registry::OPERATORS;

const HEADER: &str = "\
# Operators

Written from the table in `src/registry/mod.rs` by `WRITE_OPERATORS=1 cargo test -p iris-core documentation`; do not edit.

A model may import these versions of the operator sets, and no newer ones:
";

const TABLE: &str = "
## Operators

Each is as the specification says from the version in the table on, up to the newest version above; where it changed how its
nodes are read in between there is one entry for each change. Types and attributes are those of the specification, except
where `tests/conformance` names a difference and its reason. They are the operators that exports of scikit-learn's models
have, and some of their kind; a model of images or of language is refused.

| domain | operator | since version |
|---|---|---|
";

const PRESENTATION: &str = "
ZipMap (ai.onnx.ml 1) and SequenceConstruct (ai.onnx 11) are taken off the end of a graph, where they only change how its
outputs look. Functions that a model defines itself are put in the place of their calls.
";

const REFUSED: &str = "
## What is not supported

It fails when the model is loaded, never silently, and the message names the node, the operator, the attribute, and the
version:

| what | kind of error | message |
|---|---|---|
| an operator that is not listed here, or a version before its first | `UnsupportedOperator` | `node \"n\" (Op): operator Op of ai.onnx version 13 is not supported` |
| a newer operator set than above | `UnsupportedOperator` | `operator set ai.onnx 99: versions 1 to 25 are supported` |
| a domain that the model does not import | `UnsupportedOperator` | `node \"n\" (Op): the model does not import operator set ai.onnx.ml` |
| fewer or more inputs than the operator has | `InvalidModel` | `node \"n\" (Op): expected 2 inputs, got 1` |
| an attribute that is not the operator's | `InvalidAttribute` | `node \"n\" (Op): attribute a: not known to this operator` |
| an attribute of a wrong type or length | `InvalidAttribute` | `node \"n\" (Op): attribute a: expected 4 values, got 3` |
| an input or output of another type than float, double, int32, int64, bool, string and the like | `InvalidModel` | `input \"X\": element type 10 is not supported` |
";

fn text() -> String {
    let mut text = HEADER.to_string();
    for (domain, newest) in NEWEST_VERSIONS {
        let _ = writeln!(text, "- {} 1 to {newest}", display(domain));
    }
    text.push_str(TABLE);
    for entry in OPERATORS {
        let (domain, version) = (display(entry.domain), entry.since_version);
        let _ = writeln!(text, "| {domain} | {} | {version} |", entry.op_type);
    }
    let _ = writeln!(text, "| {ML_DOMAIN} | ZipMap | 1 |");
    text.push_str(PRESENTATION);
    text.push_str(REFUSED);
    text
}

/// The operators that the fuzzer puts into graphs, some of them in the wrong domain: those of the file and of the table.
fn dictionary(file: &str) -> String {
    let mut lines: BTreeSet<String> = file.lines().map(String::from).collect();
    let entries = OPERATORS.iter();
    lines.extend(entries.map(|entry| format!("{} {}", display(entry.domain), entry.op_type)));
    lines.into_iter().map(|line| line + "\n").collect()
}

#[test]
fn files_list_every_operator() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("the file is there");
    for (name, expected) in [
        ("OPERATORS.md", text()),
        (
            "fuzz/operators.txt",
            dictionary(&read("fuzz/operators.txt")),
        ),
    ] {
        if std::env::var_os("WRITE_OPERATORS").is_some() {
            std::fs::write(folder.join(name), &expected).expect("the file can be written");
        }
        let is_written = read(name) == expected;
        assert!(
            is_written,
            "{name} is not what the table says: write it anew"
        );
    }
}
