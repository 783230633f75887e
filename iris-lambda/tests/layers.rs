//! The layers of `src`: see the shared checker for what the table says.

#[path = "../../iris-core/tests/common/layers.rs"]
mod layers;

const TABLE: layers::Table<'_> = &[
    (
        "main",
        &[
            "serve",
            "handler",
            "observe",
            "served_model",
            "error",
            "settings",
        ],
    ),
    ("serve", &["handler", "reply", "error", "settings"]),
    (
        "handler",
        &[
            "event",
            "observe",
            "reply",
            "served_model",
            "error",
            "python_json",
            "settings",
        ],
    ),
    ("event", &["reply", "error", "settings"]),
    ("observe", &["python_json", "settings"]),
    ("reply", &["error", "python_json"]),
    ("served_model", &["error", "settings"]),
    ("error", &["settings"]),
    ("python_json", &[]),
    ("settings", &[]),
];

#[test]
fn imports_go_downwards() {
    layers::check(concat!(env!("CARGO_MANIFEST_DIR"), "/src"), TABLE);
}

#[test]
fn an_import_that_goes_upwards_is_found() {
    let files = [
        ("reply/response.rs", "use crate::event::Event;"),
        ("event/mod.rs", ""),
    ];
    let files = files.map(|(name, text)| (name.into(), text.into()));
    let found = layers::violations(&files, TABLE);
    assert!(
        found.contains(
            &"reply/response.rs:1 imports event/mod.rs, but reply may import only [error, python_json]"
                .into()
        ),
        "{found:?}"
    );
}
