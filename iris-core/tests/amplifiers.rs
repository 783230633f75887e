//! Small files and small requests that ask for much: text without end, dimensions of dimensions, and constants that would be
//! computed while a model is loaded. Each gets the right answer or an error that names a limit, in little time.
#![allow(
    missing_docs,
    clippy::needless_borrows_for_generic_args,
    clippy::unwrap_used,
    clippy::needless_pass_by_value
)]

mod common;

use std::time::{Duration, Instant};

use common::onnx::*;
use iris_core::{ErrorKind, LoadOptions, Model, Value};
use ndarray::{Array2, ArrayD, arr1, arr2};
use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{NodeProto, TensorProto};

/// What one of these may take, in a build for tests on a busy machine.
const SOON: Duration = Duration::from_secs(5);

fn text_constant(name: &str, texts: &[&str]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: vec![texts.len() as i64],
        data_type: DataType::String.into(),
        string_data: texts.iter().map(|text| text.as_bytes().to_vec()).collect(),
        ..TensorProto::default()
    }
}

/// A model of texts `S` `[n]`.
fn of_texts(nodes: Vec<NodeProto>, constants: Vec<TensorProto>) -> Vec<u8> {
    let mut graph = graph(nodes, constants);
    graph.input = vec![info_of("S", &[-1], DataType::String.into())];
    let mut model = model(graph);
    model.opset_import[0].version = 20;
    model.opset_import.push(tract_onnx::pb::OperatorSetIdProto {
        domain: "com.microsoft".into(),
        version: 1,
    });
    model.encode_to_vec()
}

fn texts(texts: Vec<String>) -> Value {
    arr1(&texts).into()
}

/// Loads and runs on `value`, whatever comes of it, in little time.
fn outcome(model: &[u8], name: &str, value: Value) -> Result<Vec<(String, Value)>, ErrorKind> {
    let start = Instant::now();
    let run = Model::from_bytes(model).and_then(|model| model.run([(name, value)]));
    let outcome = run.map_err(|error| {
        assert!(!error.to_string().contains("panicked"), "{error}");
        error.kind()
    });
    assert!(start.elapsed() < SOON, "takes {:?}", start.elapsed());
    outcome
}

#[test]
fn text_is_counted_by_its_bytes() {
    let doubled = |n: usize, from: &str| {
        let names: Vec<String> = (1..n).map(|at| format!("t{at}")).collect();
        let inputs = std::iter::once(from).chain(names.iter().map(String::as_str));
        let outputs = names.iter().map(String::as_str).chain(["Y"]);
        let double = |(x, y)| node("StringConcat", &[x, x], &[y]);
        inputs.zip(outputs).map(double).collect::<Vec<_>>()
    };
    let letter = || texts(vec!["a".into()]);
    let few = outcome(&of_texts(doubled(3, "S"), vec![]), "S", letter()).unwrap();
    assert_eq!(few[0].1, texts(vec!["a".repeat(8)]));
    let in_a_call = outcome(&of_texts(doubled(45, "S"), vec![]), "S", letter());
    assert_eq!(in_a_call, Err(ErrorKind::LimitExceeded));

    // Of a constant, beside what the model is given.
    let mut nodes = doubled(40, "letter");
    nodes.last_mut().unwrap().output[0] = "long".into();
    nodes.push(node("StringConcat", &["S", "long"], &["Y"]));
    let folded = of_texts(nodes, vec![text_constant("letter", &["a"])]);
    assert_eq!(
        outcome(&folded, "S", letter()),
        Err(ErrorKind::LimitExceeded)
    );

    let long = "a".repeat(2000);
    let constants = vec![
        text_constant("long", &[&long]),
        int_tensor("times", &[2_700_000]),
    ];
    let nodes = vec![
        node("Expand", &["long", "times"], &["many"]),
        node("Shape", &["many"], &["Y"]),
    ];
    let expanded = of_texts(nodes, constants);
    assert_eq!(
        outcome(&expanded, "S", letter()),
        Err(ErrorKind::LimitExceeded)
    );
}

#[test]
fn pieces_of_text_are_counted_before_they_are_made() {
    let tokenizer = |separator: &str| {
        let attributes = vec![
            int("mark", 0),
            string("pad_value", ""),
            int("mincharnum", 1),
            strings("separators", &[separator]),
        ];
        let mut node = with(node("Tokenizer", &["S"], &["Y"]), attributes);
        node.domain = "com.microsoft".into();
        of_texts(vec![node], vec![])
    };
    let split = with(
        node("StringSplit", &["S"], &["Y", "Z"]),
        vec![string("delimiter", " ")],
    );
    let split = of_texts(vec![split], vec![]);
    let wide = || {
        let mut wide = vec![String::new(); 100_000];
        wide[0] = "a ".repeat(100_000);
        texts(wide)
    };
    for model in [tokenizer(" "), split] {
        let right = outcome(&model, "S", texts(vec!["a b".into(), "c".into()])).unwrap();
        let expected = arr2(&[["a", "b"], ["c", ""]]).mapv(String::from);
        assert_eq!(right[0].1, expected.into());
        let refused = outcome(&model, "S", wide());
        assert_eq!(refused, Err(ErrorKind::LimitExceeded));
    }
    let long = texts(vec!["a".repeat(20_000_000)]);
    let refused = outcome(&tokenizer(""), "S", long);
    assert_eq!(refused, Err(ErrorKind::LimitExceeded));
}

#[test]
fn labels_are_counted_by_their_bytes() {
    let (long, other) = ("a".repeat(50_000), "b".repeat(50_000));
    let attributes = vec![
        floats("coefficients", &[1.0, 0.0, 0.0, 1.0]),
        floats("intercepts", &[0.0, 1.0]),
        strings("classlabels_strings", &[&long, &other]),
    ];
    let model = bytes(vec![ml_node("LinearClassifier", attributes)], vec![]);
    let mut options = LoadOptions::default();
    options.limits.row_bytes = 1 << 10;
    let model = Model::from_bytes_with(model, &options).unwrap();
    let rows = |n: usize| Array2::<f32>::zeros((n, 2));
    assert_eq!(model.predict(&rows(1)).unwrap(), [other.as_str()]);
    let error = model.predict(&rows(100_000)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
}

#[test]
fn repeated_text_is_counted_by_its_bytes() {
    let long = "a".repeat(2000);
    let mut options = LoadOptions::default();
    options.limits.row_bytes = 1 << 10;
    let length = || node("Shape", &["S"], &["length"]);
    for nodes in [
        vec![length(), node("Expand", &["long", "length"], &["Y"])],
        vec![length(), node("Tile", &["long", "length"], &["Y"])],
        vec![node("StringConcat", &["S", "long"], &["Y"])],
    ] {
        let what = nodes.last().unwrap().op_type.clone();
        let model = of_texts(nodes, vec![text_constant("long", &[&long])]);
        let model = Model::from_bytes_with(model, &options).unwrap();
        let run = |n: usize| model.run([("S", texts(vec![String::new(); n]))]);
        assert_eq!(run(2).unwrap()[0].1, texts(vec![long.clone(); 2]), "{what}");
        let error = run(100_000).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{what}: {error}");
    }
}

#[test]
fn an_output_that_is_named_again_is_not_there_again() {
    let model = Model::from_bytes(bytes(vec![node("Neg", &["X"], &["Y"])], vec![])).unwrap();
    let rows = Array2::<f32>::ones((100_000, 2));
    let outputs = model
        .evaluate([("X", Value::from(rows))], &vec!["Y"; 20_000])
        .unwrap();
    assert_eq!(outputs.len(), 20_000);
    let (_, last) = outputs.get(19_999).unwrap();
    let last = last.unwrap().to_value().unwrap();
    assert_eq!(last, ArrayD::from_elem(vec![100_000, 2], -1.0_f32).into());
}

#[test]
fn dimensions_of_dimensions_are_counted_anew() {
    /// What the first `n` steps make of X.
    fn made(n: usize) -> String {
        match n {
            0 => "X".into(),
            _ => format!("h{n}"),
        }
    }
    let splits = |n: usize, parts: usize| {
        let mut nodes = vec![];
        for at in 0..n {
            let input = made(at);
            let outputs = (0..parts).map(|part| match part {
                0 => made(at + 1),
                _ => format!("o{at}_{part}"),
            });
            let outputs: Vec<String> = outputs.collect();
            let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
            let attributes = vec![int("axis", 0), int("num_outputs", parts as i64)];
            nodes.push(with(node("Split", &[&input], &outputs), attributes));
        }
        nodes.push(node("Neg", &[&made(n)], &["Y"]));
        bytes(nodes, vec![])
    };
    let grown = |n: usize| {
        let mut nodes = vec![];
        for at in 0..n {
            let input = made(at);
            let (joined, half, rest) = (format!("c{at}"), made(at + 1), format!("r{at}"));
            let concat = node("Concat", &[&input, &input, &input], &[&joined]);
            nodes.push(with(concat, vec![int("axis", 0)]));
            let attributes = vec![int("axis", 0), int("num_outputs", 2)];
            nodes.push(with(node("Split", &[&joined], &[&half, &rest]), attributes));
        }
        nodes.push(node("Neg", &[&made(n)], &["Y"]));
        bytes(nodes, vec![])
    };
    let rows = || Value::from(Array2::<f32>::ones((64, 2)));
    let eighth = outcome(&splits(1, 8), "X", rows()).unwrap();
    assert_eq!(eighth[0].1.shape(), [8, 2]);
    for (n, parts) in [(21, 8), (63, 2), (64, 2), (16, 16), (100, 2), (40, 3)] {
        let outputs = outcome(&splits(n, parts), "X", rows()).unwrap();
        assert_eq!(outputs[0].1.shape(), [1, 2], "{n} {parts}");
    }
    let outputs = outcome(&grown(8), "X", rows()).unwrap();
    let expected = (0..8).fold(64_usize, |n, _| (3 * n).div_ceil(2));
    assert_eq!(outputs[0].1.shape(), [expected, 2]);
    for n in [80, 100] {
        // There is no memory for 64 times 1.5 to the power of 80 rows.
        assert!(outcome(&grown(n), "X", rows()).is_err(), "{n}");
    }
    // On a stack as small as a thread's may be.
    let small = std::thread::Builder::new().stack_size(512 << 10);
    let loaded = small.spawn(move || Model::from_bytes(splits(64, 2)).is_ok());
    assert!(loaded.unwrap().join().unwrap());
}

#[test]
fn work_on_constants_is_left_for_calls() {
    let expand = |x: &str, shape: &str, y: &str| node("Expand", &[x, shape], &[y]);
    let beside = |mut nodes: Vec<NodeProto>, made: &str| {
        // An operator that takes tract's inference, which computes constants.
        let sum = node("CumSum", &["X", "axis"], &["sums"]);
        let most = with(
            node("ReduceMax", &[made], &["most"]),
            vec![int("keepdims", 0)],
        );
        let cast = with(node("Cast", &["most"], &["float"]), vec![int("to", 1)]);
        nodes.extend([sum, most, cast, node("Add", &["sums", "float"], &["Y"])]);
        nodes
    };
    let one = || float_tensor("one", &[1, 1, 1], &[1e-3]);
    let rnn = |steps: i64, hidden: i64| {
        let nodes = vec![
            expand("one", "of_x", "x"),
            expand("one", "of_w", "w"),
            expand("one", "of_r", "r"),
            with(
                node("RNN", &["x", "w", "r"], &["made"]),
                vec![int("hidden_size", hidden)],
            ),
        ];
        let constants = vec![
            one(),
            int_scalar("axis", 1),
            int_tensor("of_x", &[steps, 1, 1]),
            int_tensor("of_w", &[1, hidden, 1]),
            int_tensor("of_r", &[1, hidden, hidden]),
        ];
        bytes(beside(nodes, "made"), constants)
    };
    let det = {
        let nodes = vec![expand("one", "of_x", "x"), node("Det", &["x"], &["made"])];
        let constants = vec![
            one(),
            int_scalar("axis", 1),
            int_tensor("of_x", &[1, 2000, 2000]),
        ];
        bytes(beside(nodes, "made"), constants)
    };
    let product = {
        let nodes = vec![
            expand("one", "of_x", "x"),
            node("MatMul", &["x", "x"], &["made"]),
        ];
        let constants = vec![
            one(),
            int_scalar("axis", 1),
            int_tensor("of_x", &[1, 3000, 3000]),
        ];
        bytes(beside(nodes, "made"), constants)
    };
    for (what, model) in [("RNN", rnn(3000, 1500)), ("Det", det), ("MatMul", product)] {
        let start = Instant::now();
        // That it is refused would be right, too.
        let _ = Model::from_bytes(model);
        assert!(start.elapsed() < SOON, "{what}: {:?}", start.elapsed());
    }
    // What is little work is done once, and well.
    let little = Model::from_bytes(rnn(2, 3)).unwrap();
    let answer = little
        .run([("X", Value::from(Array2::<f32>::ones((1, 2))))])
        .unwrap();
    let answer: Vec<f32> = answer[0].1.as_float().unwrap().iter().copied().collect();
    assert!(
        answer[0] > 1.0 && answer[1] > 2.0 && answer[1] < 2.1,
        "{answer:?}"
    );
}

#[test]
fn numbers_beside_dimensions_are_not_cut_off() {
    // Whether the length of X is a number, as large as 64 bits hold.
    let nodes = vec![
        node("Shape", &["X"], &["shape"]),
        node("Equal", &["shape", "numbers"], &["same"]),
        with(node("Cast", &["same"], &["Y"]), vec![int("to", 7)]),
    ];
    for (number, expected) in [(3, 1), ((1 << 32) + 3, 0), (i64::MAX, 0), (i64::MIN + 3, 0)] {
        let model = bytes(nodes.clone(), vec![int_tensor("numbers", &[number, 2])]);
        let rows = Value::from(Array2::<f32>::ones((3, 2)));
        let answer = outcome(&model, "X", rows).unwrap();
        assert_eq!(answer[0].1, arr1(&[expected, 1_i64]).into(), "{number}");
    }
}
