//! Nodes that put the numbers of a sample in other places: no operation, since a program knows where each of them is.

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::tract_hir::internal::*;

use crate::programs::nodes::Node;
use crate::programs::tensor::{MOST_ELEMENTS, Shape, Value, resolve};

impl Node<'_> {
    pub(crate) fn reshape(&self) -> Option<Value> {
        let [x, target] = self.all_inputs()?;
        self.has_only(&["allowzero"])?;
        if self.int("allowzero", 0)? != 0 {
            return None;
        }
        let target = target.integers()?;
        let volume = x.shape.volume();
        // `None` stands for the number of samples.
        let mut dims: TVec<Option<usize>> = tvec![];
        let mut inferred = None;
        for (axis, &len) in target.iter().enumerate() {
            dims.push(match len {
                0 if Some(axis) == x.shape.samples => None,
                0 if axis < x.shape.first_dim() => Some(1),
                0 => Some(*x.shape.dims.get(axis - x.shape.first_dim())?),
                -1 if inferred.is_none() => {
                    inferred = Some(axis);
                    Some(1)
                }
                len => Some(usize::try_from(len).ok()?),
            });
        }
        let mut others = 1_usize;
        for len in dims.iter().flatten() {
            others = others.checked_mul(*len)?;
        }
        let mut samples = dims.iter().position(Option::is_none);
        if let Some(axis) = inferred {
            if x.is_constant() || samples.is_some() {
                dims[axis] = Some(volume.checked_div(others)?);
            } else {
                samples = Some(axis);
            }
        }
        if x.is_constant() {
            samples = None;
        } else if dims[..samples?].iter().any(|&len| len != Some(1)) {
            return None;
        }
        let first_dim = samples.map_or(0, |axis| axis + 1);
        x.with_shape(Shape {
            samples,
            dims: dims[first_dim..].iter().copied().collect::<Option<_>>()?,
        })
    }

    pub(crate) fn flatten(&self) -> Option<Value> {
        let [x] = self.all_inputs()?;
        self.has_only(&["axis"])?;
        let axis = self.int("axis", 1)?;
        let volume = x.shape.volume();
        let is_after_samples = axis == i64::try_from(x.shape.first_dim()).ok()?;
        if x.is_constant() || !is_after_samples {
            return None;
        }
        x.with_shape(Shape {
            samples: Some(0),
            dims: tvec![volume],
        })
    }

    pub(crate) fn squeeze(&self) -> Option<Value> {
        let x = self.inputs.first()?.as_ref()?;
        self.has_only(&["axes"])?;
        let axes = self.axes(13)?.into_iter();
        let axes = axes.map(|axis| resolve(axis, x.shape.rank()));
        let axes: Vec<usize> = axes.collect::<Option<_>>()?;
        if axes.is_empty() {
            return None;
        }
        let is_kept = |axis: usize| !axes.contains(&axis);
        let mut samples = x.shape.samples;
        if let Some(axis) = samples {
            if !is_kept(axis) {
                return None;
            }
            samples = Some((0..axis).filter(|&axis| is_kept(axis)).count());
        }
        let first_dim = x.shape.first_dim();
        let dims = x.shape.dims.iter().enumerate();
        let dims = dims.filter(|(place, _)| is_kept(first_dim + place));
        x.with_shape(Shape {
            samples,
            dims: dims.map(|(_, &len)| len).collect(),
        })
    }

    pub(crate) fn unsqueeze(&self) -> Option<Value> {
        let x = self.inputs.first()?.as_ref()?;
        self.has_only(&["axes"])?;
        let axes = self.axes(13)?;
        let rank = x.shape.rank().checked_add(axes.len())?;
        let mut is_new = vec![false; rank];
        for axis in axes {
            is_new[resolve(axis, rank)?] = true;
        }
        let mut old = 0;
        let mut samples = None;
        let mut dims = tvec![];
        for (axis, is_new) in is_new.into_iter().enumerate() {
            if is_new {
                dims.push(1);
                continue;
            }
            if Some(old) == x.shape.samples {
                samples = Some(axis);
                dims.clear();
            } else if old >= x.shape.first_dim() {
                dims.push(*x.shape.dims.get(old - x.shape.first_dim())?);
            }
            old += 1;
        }
        (old == x.shape.rank()).then_some(())?;
        x.with_shape(Shape { samples, dims })
    }

    pub(crate) fn concat(&self) -> Option<Value> {
        self.has_only(&["axis"])?;
        let parts: Vec<&Value> = self
            .inputs
            .iter()
            .map(Option::as_ref)
            .collect::<Option<_>>()?;
        let first = *parts.first()?;
        let axis = first
            .shape
            .dim(self.attribute("axis", AttributeType::Int)?.i)?;
        let (outer, rest) = first.shape.dims.split_at(axis);
        let inner = rest.get(1..)?;
        let mut len = 0;
        for part in &parts {
            let dims = &part.shape.dims;
            let fits = part.datum_type == first.datum_type
                && part.shape.samples == first.shape.samples
                && dims.len() == first.shape.dims.len()
                && dims[..axis] == *outer
                && dims[axis + 1..] == *inner;
            if !fits {
                return None;
            }
            len += dims[axis];
        }
        let n_elements = parts.iter().map(|part| part.elements.len()).sum::<usize>();
        if n_elements > MOST_ELEMENTS {
            return None;
        }
        let n_inner: usize = inner.iter().product();
        let mut elements = vec![];
        for outer in 0..outer.iter().product() {
            for part in &parts {
                let n = part.shape.dims[axis] * n_inner;
                elements.extend(part.elements.get(outer * n..(outer + 1) * n)?);
            }
        }
        let mut shape = first.shape.clone();
        shape.dims[axis] = len;
        Some(Value {
            datum_type: first.datum_type,
            shape,
            elements: elements.into(),
        })
    }

    pub(crate) fn transpose(&self) -> Option<Value> {
        let [x] = self.all_inputs()?;
        self.has_only(&["perm"])?;
        let rank = x.shape.rank();
        let perm: Vec<usize> = match self.given("perm") {
            Some(_) => {
                let perm = &self.attribute("perm", AttributeType::Ints)?.ints;
                let axes = perm.iter().map(|&axis| resolve(axis, rank));
                axes.collect::<Option<_>>()?
            }
            None => (0..rank).rev().collect(),
        };
        if perm.len() != rank || !(0..rank).all(|axis| perm.contains(&axis)) {
            return None;
        }
        let first_dim = x.shape.first_dim();
        let samples = match x.shape.samples {
            Some(axis) => Some(perm.iter().position(|&from| from == axis)?),
            None => None,
        };
        let len = |axis: usize| match axis.checked_sub(first_dim) {
            Some(dim) => x.shape.dims[dim],
            None => 1,
        };
        let (before, after) = perm.split_at(samples.map_or(0, |axis| axis + 1));
        if before.iter().any(|&axis| len(axis) != 1) {
            return None;
        }
        let dims: TVec<usize> = after.iter().map(|&axis| len(axis)).collect();
        let stride = |axis: usize| match axis.checked_sub(first_dim) {
            Some(dim) => x.shape.dims[dim + 1..].iter().product(),
            None => 0_usize,
        };
        let strides: Vec<usize> = after.iter().map(|&axis| stride(axis)).collect();
        let places = (0..dims.iter().product()).map(|mut index: usize| {
            let mut place = 0;
            for (&len, stride) in dims.iter().zip(&strides).rev() {
                place += index % len * stride;
                index /= len;
            }
            place
        });
        let places: Vec<usize> = places.collect();
        x.select(Shape { samples, dims }, &places)
    }
}
