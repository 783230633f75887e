//! What is done with a model that loads.

use iris_core::{Dimension, ElementType, Labels, Model, Value, ValueInfo, ValueType};
use ndarray::ArrayD;

use crate::random::Random;

/// More elements than this are no input of a small model.
const MOST_ELEMENTS: usize = 1 << 16;

/// Loads `bytes`, asks the model for everything if it loads, and says whether it did.
pub fn load(bytes: &[u8], seed: u32) -> bool {
    let Ok(model) = Model::from_bytes(bytes) else {
        return false;
    };
    ask(&model, &mut Random::new(seed));
    true
}

/// Asks for everything that a model may answer.
pub fn ask(model: &Model, random: &mut Random) {
    let feeds: Option<Vec<(String, Value)>> = model
        .inputs()
        .iter()
        .map(|info| Some((info.name().to_owned(), value(info, random)?)))
        .collect();
    if let Some(feeds) = feeds {
        let _ = model.run(feeds);
    }
    let n_features = model.n_features().unwrap_or(4);
    if n_features <= MOST_ELEMENTS {
        let rows = [vec![0.5_f64; n_features], vec![-1.0; n_features]];
        let _ = model.predict(&rows);
        let _ = model.predict_proba_per_output(&rows);
        let _ = model.decision_function(&rows);
        let _ = model.transform(&rows);
    }
}

/// A value of the type of `info`, or none if it would be large.
pub fn value(info: &ValueInfo, random: &mut Random) -> Option<Value> {
    match info.value_type() {
        ValueType::Tensor { element, shape } => {
            let shape: Vec<usize> = match shape {
                Some(dims) => dims.iter().map(|dim| size(dim, random)).collect(),
                None => (0..random.below(4)).map(|_| 1 + random.below(4)).collect(),
            };
            tensor(*element, &shape, random)
        }
        ValueType::Map { .. } => Some(Value::Map {
            keys: if random.one_in(2) {
                Labels::Int(vec![1, 2])
            } else {
                Labels::String(vec!["a".into(), "b".into()])
            },
            values: Box::new(ArrayD::from_elem(vec![2], 1.0_f32).into()),
        }),
        _ => None,
    }
}

fn size(dim: &Dimension, random: &mut Random) -> usize {
    match dim {
        Dimension::Fixed(size) => *size,
        _ => [2, 2, 2, 1, 3, 0][random.below(6)],
    }
}

/// A tensor of small and strange numbers.
pub fn tensor(element: ElementType, shape: &[usize], random: &mut Random) -> Option<Value> {
    let volume = shape
        .iter()
        .try_fold(1_usize, |volume, &dim| volume.checked_mul(dim))?;
    if volume > MOST_ELEMENTS {
        return None;
    }
    fn array<T>(shape: &[usize], volume: usize, element: impl FnMut() -> T) -> Option<ArrayD<T>> {
        let elements = std::iter::repeat_with(element).take(volume).collect();
        ArrayD::from_shape_vec(shape, elements).ok()
    }
    Some(match element {
        ElementType::Float => array(shape, volume, || random.float())?.into(),
        ElementType::Double => array(shape, volume, || f64::from(random.float()))?.into(),
        ElementType::Int32 => array(shape, volume, || random.integer() as i32)?.into(),
        ElementType::Int64 => array(shape, volume, || random.integer())?.into(),
        ElementType::Bool => array(shape, volume, || random.one_in(2))?.into(),
        ElementType::String => array(shape, volume, || text(random))?.into(),
        _ => return None,
    })
}

fn text(random: &mut Random) -> String {
    const TEXTS: [&str; 12] = [
        "",
        "a",
        "cat",
        "a b c",
        "1.5",
        "-7",
        "NaN",
        "1e400",
        "é\u{301} ß İ",
        "日本 語",
        "\0",
        "  x\t\ny  ",
    ];
    TEXTS[random.below(TEXTS.len())].into()
}
