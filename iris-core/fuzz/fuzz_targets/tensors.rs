//! Any tensors as inputs of models that are right.
#![no_main]

use std::sync::LazyLock;

use iris_core::{Dimension, ElementType, Model, Value, ValueType};
use iris_fuzz::random::Random;
use iris_fuzz::{cases, exercise, watch};
use libfuzzer_sys::fuzz_target;
use ndarray::ArrayD;

static MODELS: LazyLock<Vec<Model>> = LazyLock::new(|| {
    let models = cases::models(usize::MAX);
    let loaded = models
        .iter()
        .filter_map(|(_, bytes)| Model::from_bytes(bytes).ok());
    loaded.collect()
});

fn start() {
    watch::start();
    LazyLock::force(&MODELS);
}

fuzz_target!(init: start(), |bytes: &[u8]| {
    let Some((head, data)) = bytes.split_first_chunk::<6>() else {
        return;
    };
    let model = &MODELS[usize::from(u16::from_le_bytes([head[0], head[1]])) % MODELS.len()];
    let seed = u32::from_le_bytes([head[2], head[3], head[4], head[5]]);
    watch::watched(|| {
        let mut random = Random::new(seed);
        exercise::ask(model, &mut random);
        let mut data = data;
        let feeds: Option<Vec<(&str, Value)>> = model
            .inputs()
            .iter()
            .map(|info| {
                let ValueType::Tensor { element, shape } = info.value_type() else {
                    return Some((info.name(), exercise::value(info, &mut random)?));
                };
                Some((info.name(), read(*element, shape.as_deref(), &mut data)?))
            })
            .collect();
        if let Some(feeds) = feeds {
            let _ = model.run(feeds);
        }
    });
});

/// A tensor made of what comes next in `data`: its rank and dimensions if they are free, and its elements.
fn read(element: ElementType, shape: Option<&[Dimension]>, data: &mut &[u8]) -> Option<Value> {
    let mut next = || {
        let (&first, rest) = data.split_first()?;
        *data = rest;
        Some(first)
    };
    let shape: Vec<usize> = match shape {
        Some(dims) => dims
            .iter()
            .map(|dim| match dim {
                Dimension::Fixed(size) => Some(*size),
                _ => next().map(|size| usize::from(size) % 5),
            })
            .collect::<Option<_>>()?,
        None => {
            let rank = usize::from(next()?) % 5;
            (0..rank)
                .map(|_| next().map(|size| usize::from(size) % 5))
                .collect::<Option<_>>()?
        }
    };
    let volume: usize = shape.iter().product();
    if volume > 4096 {
        return None;
    }
    fn array<const N: usize, T>(
        shape: &[usize],
        volume: usize,
        data: &mut &[u8],
        element: impl Fn([u8; N]) -> T,
    ) -> ArrayD<T> {
        let mut elements = Vec::with_capacity(volume);
        for _ in 0..volume {
            let mut bytes = [0; N];
            let len = N.min(data.len());
            bytes[..len].copy_from_slice(&data[..len]);
            *data = &data[len..];
            elements.push(element(bytes));
        }
        ArrayD::from_shape_vec(shape, elements).expect("as many as the shape says")
    }
    Some(match element {
        ElementType::Float => array(&shape, volume, data, f32::from_le_bytes).into(),
        ElementType::Double => array(&shape, volume, data, f64::from_le_bytes).into(),
        ElementType::Int32 => array(&shape, volume, data, i32::from_le_bytes).into(),
        ElementType::Int64 => array(&shape, volume, data, i64::from_le_bytes).into(),
        ElementType::Bool => array(&shape, volume, data, |[byte]: [u8; 1]| byte & 1 == 1).into(),
        ElementType::String => array(&shape, volume, data, |bytes: [u8; 6]| {
            let text = String::from_utf8_lossy(&bytes);
            text.trim_end_matches('\0').to_owned()
        })
        .into(),
        _ => return None,
    })
}
