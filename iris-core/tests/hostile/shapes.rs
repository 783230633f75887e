//! Shapes that only the caller's batch has, and that nothing fits.

use iris_core::ErrorKind::{InvalidInput, LimitExceeded};
use iris_core::{Elements, Model, TensorView, Value};
use ndarray::{Array2, ArrayD};
use prost::Message;
use tract_onnx::pb::{NodeProto, TensorProto, type_proto};

use crate::common::onnx::*;

/// How many rows there are is for the caller to say: a batch of the file's own size is one call, however many rows it has.
#[test]
fn a_batch_that_the_file_asks_for() {
    const N: usize = 1 << 14;
    let nodes = vec![
        with(
            node("Transpose", &["B"], &["T"]),
            vec![ints("perm", &[1, 0])],
        ),
        node("MatMul", &["A", "T"], &["Y"]),
    ];
    let mut graph = graph(nodes, vec![]);
    graph.input = vec![info("A", &[N as i64, 2]), info("B", &[-1, 2])];
    let model = Model::from_bytes(model(graph).encode_to_vec()).unwrap();
    let rows = |n| Value::from(Array2::<f32>::zeros((n, 2)));
    let run = |n: usize| model.run([("A", rows(N)), ("B", rows(n))]);
    assert_eq!(run(100).unwrap()[0].1.shape(), [N, 100]);
    let error = run(N).unwrap_err();
    assert_eq!(error.kind(), LimitExceeded, "{error}");
    assert!(
        error.to_string().contains("run_bytes of 100663296"),
        "{error}"
    );
}

/// Products of what does not fit, as only the caller's shapes show: tract reads past the end of the shorter one.
#[test]
fn factors_that_do_not_fit() {
    let of = |nodes: Vec<NodeProto>, constants: Vec<TensorProto>, inputs: &[(&str, &[i64])]| {
        let mut graph = graph(nodes, constants);
        graph.input = inputs.iter().map(|(name, dims)| info(name, dims)).collect();
        // A product may be planned only when its shapes are known.
        let mut y = info("Y", &[]);
        let value = y.r#type.as_mut().and_then(|t| t.value.as_mut());
        if let Some(type_proto::Value::TensorType(tensor)) = value {
            tensor.shape = None;
        }
        graph.output = vec![y];
        Model::from_bytes(model(graph).encode_to_vec()).unwrap()
    };
    let zeros = |shape: &[usize]| Value::from(ArrayD::<f32>::zeros(shape));
    let equation = |text: &str| {
        with(
            node("Einsum", &["A", "B"], &["Y"]),
            vec![string("equation", text)],
        )
    };
    for (what, product) in [
        ("MatMul", node("MatMul", &["A", "B"], &["Y"])),
        ("Gemm", node("Gemm", &["A", "B"], &["Y"])),
        ("Einsum", equation("ij,jk->ik")),
    ] {
        let model = of(vec![product], vec![], &[("A", &[-1, -1]), ("B", &[-1, -1])]);
        let run = |a: &[usize], b: &[usize]| model.run([("A", zeros(a)), ("B", zeros(b))]);
        assert_eq!(
            run(&[3, 4], &[4, 5]).unwrap()[0].1.shape(),
            [3, 5],
            "{what}"
        );
        for (a, b) in [
            ([3, 4], [65536, 5]),
            ([3, 1], [65536, 5]),
            ([3, 65536], [1, 5]),
        ] {
            assert!(run(&a, &b).is_err(), "{what} {a:?} {b:?}");
        }
    }
    // One number for any number of them.
    let one = vec![float_tensor("B", &[1, 8], &[0.5; 8])];
    let product = vec![node("MatMul", &["A", "B"], &["Y"])];
    let model = of(product, one, &[("A", &[3, 2, -1])]);
    let run = |n: usize| model.run([("A", zeros(&[3, 2, n]))]);
    assert_eq!(run(1).unwrap()[0].1.shape(), [3, 2, 8]);
    assert!(run(4).is_err());
    // What the fuzzer found: the columns of A are 2, or as many as x has.
    let expand = |x: &str, y: &str| node("Expand", &[x, "shape"], &[y]);
    let nodes = vec![
        expand("x", "A"),
        expand("row", "B"),
        node("MatMul", &["A", "B"], &["Y"]),
    ];
    let constants = vec![
        int_tensor("shape", &[65536, 2]),
        float_tensor("row", &[2], &[1.0, 2.0]),
    ];
    let model = of(nodes, constants, &[("x", &[-1, 1, -1])]);
    assert!(model.run([("x", zeros(&[1, 1, 2]))]).is_err());
}

/// A caller's array with no elements, and dimensions whose product no number holds: tract panics.
#[test]
fn inputs_of_impossible_shapes() {
    let mut graph = graph(vec![node("Neg", &["X"], &["Y"])], vec![]);
    graph.input = vec![info("X", &[-1, -1])];
    let model = Model::from_bytes(model(graph).encode_to_vec()).unwrap();
    for shape in [(0, 1 << 62), (1 << 62, 0), (1 << 40, 0)] {
        let rows = Array2::<f32>::zeros(shape);
        let error = model.transform(&rows).unwrap_err();
        assert_eq!(error.kind(), InvalidInput, "{error}");
        assert!(error.to_string().contains("is too large"), "{error}");
        let error = model.run([("X", rows.into())]).unwrap_err();
        assert_eq!(error.kind(), InvalidInput, "{error}");
        assert!(error.to_string().contains("is too large"), "{error}");
    }
}

/// Rows with nothing in them, of which there may be many: they are no reason for a large answer.
#[test]
fn rows_of_nothing() {
    let of_columns = |nodes: Vec<NodeProto>, constants: Vec<TensorProto>| {
        let mut graph = graph(nodes, constants);
        graph.input = vec![info("X", &[-1, -1])];
        Model::from_bytes(model(graph).encode_to_vec()).unwrap()
    };
    let shape = [1 << 24, 0];
    let rows = Array2::<f32>::zeros(shape);
    let view = TensorView {
        shape: &shape,
        elements: Elements::Float(&[]),
    };
    let negated = of_columns(vec![node("Neg", &["X"], &["Y"])], vec![]);
    assert_eq!(negated.transform(&rows).unwrap().shape(), shape);
    let outputs = negated.evaluate([("X", view)], &[] as &[&str]).unwrap();
    assert_eq!(outputs.len(), 1);

    let weights = float_tensor("weights", &[0, 64], &[]);
    let product = node("MatMul", &["X", "weights"], &["Y"]);
    let product = of_columns(vec![product], vec![weights]);
    let errors = [
        product.transform(&rows).map(|_| ()),
        product.evaluate([("X", view)], &[] as &[&str]).map(|_| ()),
    ];
    for error in errors.map(Result::unwrap_err) {
        assert_eq!(error.kind(), LimitExceeded, "{error}");
    }
}
