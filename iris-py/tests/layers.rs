//! The layers of `src`: see the shared checker for what the table says.

#[path = "../../iris-core/tests/common/layers.rs"]
mod layers;

const TABLE: layers::Table<'_> = &[
    ("lib", &["api", "interpreter"]),
    ("api", &["input", "output", "interpreter"]),
    ("input", &["interpreter"]),
    ("output", &["interpreter"]),
    ("interpreter", &[]),
];

#[test]
fn imports_go_downwards() {
    layers::check(concat!(env!("CARGO_MANIFEST_DIR"), "/src"), TABLE);
}

#[test]
fn an_import_that_goes_upwards_is_found() {
    let files = [
        ("input/batch.rs", "use crate::output::{arrays, labels};"),
        ("output/mod.rs", ""),
        ("output/arrays.rs", ""),
        ("output/labels.rs", ""),
    ];
    let files = files.map(|(name, text)| (name.into(), text.into()));
    let found = layers::violations(&files, TABLE);
    for imported in ["arrays", "labels"] {
        let expected = format!(
            "input/batch.rs:1 imports output/{imported}.rs, but input may import only [interpreter]"
        );
        assert!(found.contains(&expected), "{found:?}");
    }
}
