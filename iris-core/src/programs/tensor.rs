//! What is known of a tensor while a program is made: its shape, and where each number of a sample is.

use tract_onnx::tract_hir::internal::*;

use crate::value::tensors;

/// One number of a sample, the same in all of them or not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Element {
    Constant(f64),
    Register(u32),
}

impl Element {
    pub(crate) fn register(&self) -> Option<u32> {
        match *self {
            Self::Constant(_) => None,
            Self::Register(register) => Some(register),
        }
    }
}

/// Which axes a tensor has.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shape {
    /// The axis of the samples, before which all axes are of length 1; a constant has none.
    pub(crate) samples: Option<usize>,
    /// The lengths of the axes after it, or of all axes of a constant.
    pub(crate) dims: TVec<usize>,
}

/// A tensor, of which a sample is `dims`, in the order of C.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) datum_type: DatumType,
    pub(crate) shape: Shape,
    pub(crate) elements: Arc<[Element]>,
}

/// Values of more numbers than this are not for programs.
pub(crate) const MOST_ELEMENTS: usize = 4096;

/// Integers up to here are what they are in double precision.
const LARGEST_INTEGER: i64 = (1 << 53) - 1;

impl Value {
    /// A constant, if all its numbers are what they are in double precision.
    pub(crate) fn constant(tensor: &Tensor) -> Option<Self> {
        if tensor.len() > MOST_ELEMENTS {
            return None;
        }
        let plain = tensor.try_as_plain_ram().ok()?;
        let elements: Vec<f64> = match tensor.datum_type() {
            DatumType::F32 => {
                let floats = plain.as_slice::<f32>().ok()?;
                floats.iter().map(|&x| f64::from(x)).collect()
            }
            DatumType::F64 => plain.as_slice::<f64>().ok()?.to_vec(),
            DatumType::I32 => {
                let integers = plain.as_slice::<i32>().ok()?;
                integers.iter().map(|&x| f64::from(x)).collect()
            }
            DatumType::I64 => {
                let integers = plain.as_slice::<i64>().ok()?;
                let is_exact = |x: &i64| (-LARGEST_INTEGER..=LARGEST_INTEGER).contains(x);
                if !integers.iter().all(is_exact) {
                    return None;
                }
                integers.iter().map(|&x| x as f64).collect()
            }
            DatumType::Bool => {
                let truths = plain.as_slice::<bool>().ok()?;
                truths.iter().map(|&x| f64::from(u8::from(x))).collect()
            }
            _ => return None,
        };
        Some(Self {
            datum_type: tensor.datum_type(),
            shape: Shape {
                samples: None,
                dims: tensor.shape().into(),
            },
            elements: elements.into_iter().map(Element::Constant).collect(),
        })
    }

    /// The same numbers in another shape of as many.
    pub(crate) fn with_shape(&self, shape: Shape) -> Option<Self> {
        (shape_volume(&shape.dims)? == self.elements.len()).then(|| Self {
            shape,
            ..self.clone()
        })
    }

    /// The numbers at `places`, in another shape.
    pub(crate) fn select(&self, shape: Shape, places: &[usize]) -> Option<Self> {
        let elements = places
            .iter()
            .map(|&place| self.elements.get(place).copied());
        Some(Self {
            datum_type: self.datum_type,
            shape,
            elements: elements.collect::<Option<_>>()?,
        })
    }

    /// What it is, if that is the same in all samples.
    pub(crate) fn constants(&self) -> Option<Vec<f64>> {
        let elements = self.elements.iter().map(|element| match element {
            Element::Constant(x) => Some(*x),
            Element::Register(_) => None,
        });
        elements.collect()
    }

    /// What it is, if it is a constant of integers.
    pub(crate) fn integers(&self) -> Option<Vec<i64>> {
        let is_integer = matches!(self.datum_type, DatumType::I64 | DatumType::I32);
        let constants = self.constants().filter(|_| is_integer)?;
        Some(constants.into_iter().map(|x| x as i64).collect())
    }

    pub(crate) fn is_constant(&self) -> bool {
        self.shape.samples.is_none()
    }

    /// The tensor that a constant is.
    pub(crate) fn tensor(&self) -> Option<Tensor> {
        let numbers = self.constants().filter(|_| self.is_constant())?;
        let tensor = tensors::from_vec(&self.shape.dims, numbers).ok()?;
        Some(tensor.cast_to_dt(self.datum_type).ok()?.into_owned())
    }
}

impl Shape {
    pub(crate) fn rank(&self) -> usize {
        self.first_dim() + self.dims.len()
    }

    pub(crate) fn volume(&self) -> usize {
        self.dims.iter().product()
    }

    /// The lengths of all axes.
    pub(crate) fn of_samples<D: Clone + From<usize>>(&self, n_samples: D) -> TVec<D> {
        let mut all: TVec<D> = tvec![D::from(1); self.first_dim()];
        if let Some(samples) = self.samples {
            all[samples] = n_samples;
        }
        all.extend(self.dims.iter().copied().map(D::from));
        all
    }

    /// Which axis the first of `dims` is.
    pub(crate) fn first_dim(&self) -> usize {
        self.samples.map_or(0, |axis| axis + 1)
    }

    /// Which of `dims` is axis `axis`, which may count from the last one backwards.
    pub(crate) fn dim(&self, axis: i64) -> Option<usize> {
        let axis = resolve(axis, self.rank())?;
        axis.checked_sub(self.first_dim())
    }

    /// Which of `dims` the axes are.
    pub(crate) fn chosen(&self, axes: &[i64]) -> Option<Vec<bool>> {
        let mut chosen = vec![false; self.dims.len()];
        for &axis in axes {
            chosen[self.dim(axis)?] = true;
        }
        Some(chosen)
    }
}

/// An axis that may count from the last one backwards.
pub(crate) fn resolve(axis: i64, rank: usize) -> Option<usize> {
    let axis = if axis < 0 {
        axis.checked_add(i64::try_from(rank).ok()?)?
    } else {
        axis
    };
    usize::try_from(axis).ok().filter(|&axis| axis < rank)
}

/// The values as elements of one shape, if they broadcast to one and no two samples meet in it.
pub(crate) fn broadcast(values: &[&Value]) -> Option<(Shape, Vec<Vec<Element>>)> {
    let mut rows = values.iter().filter(|value| !value.is_constant());
    let n_dims = match rows.next() {
        Some(first) if rows.all(|row| row.shape.dims.len() == first.shape.dims.len()) => {
            first.shape.dims.len()
        }
        Some(_) => return None,
        None => values.iter().map(|value| value.shape.rank()).max()?,
    };
    let mut dims: TVec<usize> = tvec![1; n_dims];
    let mut samples = None;
    for Value { shape, .. } in values {
        let extra = shape.dims.len().saturating_sub(n_dims);
        let (leading, own) = shape.dims.split_at(extra);
        if leading.iter().any(|&len| len != 1) {
            return None;
        }
        let axis = shape.samples.or_else(|| extra.checked_sub(1));
        samples = samples.max(axis);
        for (dim, &len) in dims.iter_mut().rev().zip(own.iter().rev()) {
            match (*dim, len) {
                (1, _) => *dim = len,
                (_, 1) => {}
                (dim, len) if dim == len => {}
                _ => return None,
            }
        }
    }
    if values.iter().all(|value| value.is_constant()) {
        samples = None;
    }
    if shape_volume(&dims)? > MOST_ELEMENTS {
        return None;
    }
    let elements = values.iter().map(|value| {
        let extra = value.shape.dims.len().saturating_sub(n_dims);
        let places = places(&value.shape.dims[extra..], &dims);
        places.map(|place| value.elements[place]).collect()
    });
    let elements = elements.collect();
    Some((Shape { samples, dims }, elements))
}

/// How many elements there are, if that can be counted.
pub(crate) fn shape_volume(dims: &[usize]) -> Option<usize> {
    let mut dims = dims.iter();
    dims.try_fold(1_usize, |volume, &len| volume.checked_mul(len))
}

/// Where in a tensor of `from` the elements of `to` are, to which it broadcasts.
fn places<'d>(from: &'d [usize], to: &'d [usize]) -> impl Iterator<Item = usize> + 'd {
    let volume = to.iter().product();
    (0..volume).map(move |mut index| {
        let (mut place, mut stride) = (0, 1);
        for (axis, &len) in to.iter().rev().enumerate() {
            let position = index % len;
            index /= len;
            if let Some(&own) = from.iter().rev().nth(axis) {
                if own != 1 {
                    place += position * stride;
                }
                stride *= own;
            }
        }
        place
    })
}

/// The places of the elements of each group: they differ in the `chosen` dimensions alone. Groups and their elements are in
/// the order of C.
pub(crate) fn groups(dims: &[usize], chosen: &[bool]) -> Vec<Vec<usize>> {
    let n_groups: usize = dims
        .iter()
        .zip(chosen)
        .filter(|(_, chosen)| !**chosen)
        .map(|(len, _)| len)
        .product();
    let mut groups = vec![vec![]; n_groups];
    let volume: usize = dims.iter().product();
    for place in 0..volume {
        let (mut rest, mut group, mut stride) = (place, 0, 1);
        for (&len, chosen) in dims.iter().zip(chosen).rev() {
            if !chosen {
                group += rest % len * stride;
                stride *= len;
            }
            rest /= len;
        }
        groups[group].push(place);
    }
    groups
}

/// A matrix of more numbers than this is better multiplied with whole rows.
pub(crate) const LARGEST_PRODUCT: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn value(samples: Option<usize>, dims: &[usize]) -> Value {
        let shape = Shape {
            samples,
            dims: dims.into(),
        };
        let volume = u32::try_from(shape.volume()).expect("small");
        Value {
            datum_type: DatumType::F32,
            elements: (0..volume).map(Element::Register).collect(),
            shape,
        }
    }

    #[test]
    fn samples_meet_only_themselves() {
        struct Case(
            (Option<usize>, &'static [usize]),
            (Option<usize>, &'static [usize]),
            Option<(Option<usize>, &'static [usize])>,
        );
        let cases = [
            Case((Some(0), &[3]), (Some(0), &[3]), Some((Some(0), &[3]))),
            Case(
                (Some(0), &[1, 4]),
                (None, &[1, 3, 4]),
                Some((Some(0), &[3, 4])),
            ),
            Case((Some(0), &[4]), (None, &[4]), Some((Some(0), &[4]))),
            Case((Some(0), &[1]), (None, &[4]), Some((Some(0), &[4]))),
            Case((Some(1), &[]), (Some(0), &[]), Some((Some(1), &[]))),
            Case((Some(0), &[]), (None, &[1, 1]), Some((Some(1), &[]))),
            Case((None, &[2, 1]), (None, &[3]), Some((None, &[2, 3]))),
            Case((Some(0), &[]), (Some(0), &[3]), None),
            Case((Some(0), &[]), (None, &[3]), None),
            Case((Some(0), &[2]), (None, &[3, 2]), None),
            Case((Some(0), &[2]), (None, &[3]), None),
        ];
        for Case(a, b, expected) in cases {
            let (a, b) = (value(a.0, a.1), value(b.0, b.1));
            for pair in [[&a, &b], [&b, &a]] {
                let got = broadcast(&pair).map(|(shape, _)| shape);
                let expected = expected.map(|(samples, dims)| Shape {
                    samples,
                    dims: dims.into(),
                });
                assert_eq!(got, expected, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn elements_are_repeated_where_they_broadcast() {
        let got: Vec<usize> = places(&[2, 1], &[2, 3]).collect();
        assert_eq!(got, [0, 0, 0, 1, 1, 1]);
        let got: Vec<usize> = places(&[3], &[2, 3]).collect();
        assert_eq!(got, [0, 1, 2, 0, 1, 2]);
        let got: Vec<usize> = places(&[], &[2]).collect();
        assert_eq!(got, [0, 0]);
    }

    #[test]
    fn groups_are_the_lines_of_a_reduction() {
        assert_eq!(groups(&[2, 2], &[false, true]), [[0, 1], [2, 3]]);
        assert_eq!(groups(&[2, 2], &[true, false]), [[0, 2], [1, 3]]);
        assert_eq!(groups(&[2, 2], &[true, true]), [[0, 1, 2, 3]]);
        assert_eq!(groups(&[], &[]), [[0]]);
    }
}
