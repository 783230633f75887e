//! Tensors that lie in other files.

use iris_core::ErrorKind::LimitExceeded;
use iris_core::{LoadOptions, Model, Value};
use ndarray::Array2;
use tract_onnx::pb::tensor_proto::DataLocation;
use tract_onnx::pb::{StringStringEntryProto, TensorProto};

use crate::common::onnx::*;

/// A folder that is gone when the test is over.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("iris-core-{name}-{}", std::process::id()));
        std::fs::create_dir_all(path.join("model/sub")).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn external(entries: &[(&str, &str)]) -> Vec<u8> {
    let entry = |&(key, value): &(&str, &str)| StringStringEntryProto {
        key: key.into(),
        value: value.into(),
    };
    let weights = TensorProto {
        data_location: Some(DataLocation::External.into()),
        external_data: entries.iter().map(entry).collect(),
        ..float_tensor("w", &[2], &[])
    };
    bytes(vec![node("Add", &["X", "w"], &["Y"])], vec![weights])
}

/// CVE-2022-25882, CVE-2024-27318 (`..`), CVE-2026-27489 (links), CVE-2026-34446 (hard links), CVE-2026-34445 (unknown keys).
#[test]
fn external_data() {
    let folder = Folder::new("external");
    let (outer, inner) = (folder.0.clone(), folder.0.join("model"));
    let weights: Vec<u8> = [1.0_f32, 2.0]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    std::fs::write(outer.join("secret"), &weights).unwrap();
    std::fs::write(inner.join("weights"), &weights).unwrap();
    std::fs::write(inner.join("sub/weights"), [&[0; 4], &weights[..]].concat()).unwrap();
    let path = inner.join("model.onnx");
    let mut options = LoadOptions::default();
    options.external_data = true;
    let load = |entries: &[(&str, &str)], options: &LoadOptions| {
        std::fs::write(&path, external(entries)).unwrap();
        Model::from_path_with(&path, options)
    };

    let error = load(&[("location", "weights")], &LoadOptions::default()).unwrap_err();
    assert!(
        error.to_string().contains("lies in another file"),
        "{error}"
    );
    let error = Model::from_bytes_with(external(&[("location", "weights")]), &options).unwrap_err();
    assert!(error.to_string().contains("has no folder"), "{error}");
    for entries in [
        &[("location", "weights")][..],
        &[
            ("location", "sub/weights"),
            ("offset", "4"),
            ("length", "8"),
        ],
    ] {
        let model = load(entries, &options).unwrap();
        let rows = Value::from(Array2::<f32>::zeros((1, 2)));
        let expected = Value::from(ndarray::array![[1.0_f32, 2.0]]);
        assert_eq!(model.run([("X", rows)]).unwrap()[0].1, expected);
    }

    let secret = outer.join("secret");
    let absolute = secret.to_str().unwrap();
    let mut cases = vec![
        (vec![("location", "../secret")], "below the model's folder"),
        (
            vec![("location", "sub/../../secret")],
            "below the model's folder",
        ),
        (vec![("location", "./weights")], "below the model's folder"),
        (vec![("location", "..\\secret")], "below the model's folder"),
        (vec![("location", absolute)], "below the model's folder"),
        (vec![("location", "")], "below the model's folder"),
        (vec![("location", "weights\0")], "below the model's folder"),
        (vec![], "no location"),
        (vec![("location", "sub")], "not a file"),
        (vec![("location", "nowhere")], "nowhere"),
        (
            vec![("location", "weights"), ("__class__", "x")],
            "\"__class__\" is not supported",
        ),
        (
            vec![("location", "weights"), ("location", "weights")],
            "given twice",
        ),
        (
            vec![("location", "weights"), ("offset", "-1")],
            "offset: \"-1\"",
        ),
        (
            vec![("location", "weights"), ("offset", "9")],
            "behind the file's end",
        ),
        (
            vec![("location", "weights"), ("length", "18446744073709551615")],
            "are not there",
        ),
        (
            vec![("location", "weights"), ("length", "4")],
            "need 8 bytes, but it holds 4",
        ),
    ];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&secret, inner.join("link")).unwrap();
        std::os::unix::fs::symlink(&outer, inner.join("folder")).unwrap();
        std::fs::hard_link(&secret, inner.join("hard")).unwrap();
        cases.push((vec![("location", "link")], "through a link"));
        cases.push((vec![("location", "folder/secret")], "through a link"));
        cases.push((vec![("location", "hard")], "a link"));
    }
    for (entries, message) in cases {
        let error = load(&entries, &options).expect_err(message);
        assert!(error.to_string().contains(message), "{entries:?}: {error}");
    }
    options.limits.tensor_bytes = 7;
    let error = load(&[("location", "weights")], &options).unwrap_err();
    assert_eq!(error.kind(), LimitExceeded, "{error}");
    assert!(error.to_string().contains("tensor_bytes of 7"), "{error}");
}
