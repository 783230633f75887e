//! NumPy's memory, as it is read while other threads of Python go on.
//!
//! They may change all that an array says about itself (`x.shape = …`), and give its memory back (`x.resize(…,
//! refcheck=False)`). So a few numbers are copied, and many are read through an array of our own, which nobody else can
//! change; the arrays that own the memory are given weak references, with which NumPy refuses to resize them.

use ndarray::{Array, ArrayView, Dimension};
use numpy::{
    Element, PyArray, PyArrayMethods, PyReadonlyArray, PyUntypedArray, PyUntypedArrayMethods,
    get_array_module,
};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyMemoryView, PyWeakrefReference};
use smallvec::SmallVec;

/// So many numbers are copied in less time than an array of our own takes to make.
const FEW: usize = 1024;
/// Views of views are views of the first array, but for those of subclasses and memoryviews.
const MOST_OWNERS: usize = 8;

/// The numbers of an array, which stay what they are where they are until this is dropped.
pub(crate) enum Held<'py, T: Element, D: Dimension> {
    Few(Array<T, D>),
    Many {
        own: PyReadonlyArray<'py, T, D>,
        _owners: Owners<'py>,
    },
}

/// Weak references to the arrays whose memory it is.
type Owners<'py> = SmallVec<[Bound<'py, PyWeakrefReference>; 2]>;

impl<'py, T: Element, D: Dimension> Held<'py, T, D> {
    /// The numbers of an aligned array, or `None` if others may be writing to it.
    pub(crate) fn new(array: &Bound<'py, PyArray<T, D>>) -> PyResult<Option<Self>> {
        if array.len() <= FEW {
            // Arrays of nothing are contiguous, too.
            let copied = if array.is_c_contiguous() {
                let numbers = array.to_vec();
                numbers
                    .ok()
                    .and_then(|n| Array::from_shape_vec(array.dims(), n).ok())
            } else {
                Some(array.to_owned_array())
            };
            return Ok(copied.map(Self::Few));
        }
        let py = array.py();
        let owners = owners(array.as_any())?;
        // A subclass may make anything of a view of it.
        let plain = if array.get_type().is(py.get_type::<PyUntypedArray>()) {
            array.as_any().clone()
        } else {
            get_array_module(py)?.call_method1(intern!(py, "asarray"), (array,))?
        };
        let own = plain.call_method0(intern!(py, "view"))?;
        let own = own.cast::<PyArray<T, D>>()?.try_readonly().ok();
        Ok(own.map(|own| Self::Many {
            own,
            _owners: owners,
        }))
    }

    pub(crate) fn view(&self) -> ArrayView<'_, T, D> {
        match self {
            Self::Few(array) => array.view(),
            Self::Many { own, .. } => own.as_array(),
        }
    }

    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Self::Few(array) => array.shape(),
            Self::Many { own, .. } => own.shape(),
        }
    }

    /// The numbers row by row, if they lie so.
    pub(crate) fn as_slice(&self) -> Option<&[T]> {
        match self {
            Self::Few(array) => array.as_slice(),
            Self::Many { own, .. } if own.is_c_contiguous() => own.as_slice().ok(),
            Self::Many { .. } => None,
        }
    }
}

fn owners<'py>(array: &Bound<'py, PyAny>) -> PyResult<Owners<'py>> {
    let py = array.py();
    let mut owners = Owners::new();
    let mut owner = array.clone();
    for _ in 0..MOST_OWNERS {
        if owner.is_instance_of::<PyUntypedArray>() {
            owners.push(PyWeakrefReference::new(&owner)?);
            owner = owner.getattr(intern!(py, "base"))?;
        } else if owner.is_instance_of::<PyMemoryView>() {
            owner = owner.getattr(intern!(py, "obj"))?;
        } else {
            break;
        }
    }
    Ok(owners)
}
