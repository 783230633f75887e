//! Holds the memory of NumPy's arrays while it is read without the GIL, and other threads of Python go on.
//!
//! Another thread may change what an array says about itself (`x.shape = …`), and give its memory back (`x.resize(…,
//! refcheck=False)`). So a few numbers are copied, and many are read through a view of our own, whose shape nobody else can
//! change; weak references to the arrays that own the memory make NumPy refuse to resize them.

use ndarray::{Array, ArrayView, Dimension};
use numpy::{
    Element, PyArray, PyArrayMethods, PyReadonlyArray, PyUntypedArray, PyUntypedArrayMethods,
    get_array_module,
};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyMemoryView, PyWeakrefReference};
use smallvec::SmallVec;

/// The most numbers that are copied: 1024 are copied in less time than it takes to make a view.
const FEW: usize = 1024;
/// The longest chain of owners that is followed. NumPy makes a view of a view a view of the first array, so that only
/// subclasses and memoryviews make longer chains than two.
const MOST_OWNERS: usize = 8;

/// The numbers of an array, whose memory and shape stay until this is dropped.
pub(crate) enum Held<'py, T: Element, D: Dimension> {
    /// A copy of few numbers.
    Few(Array<T, D>),
    /// A view of our own, and what keeps its memory from being given back.
    Many {
        view: PyReadonlyArray<'py, T, D>,
        _owners: Owners<'py>,
    },
}

/// Weak references to the arrays that own the memory.
type Owners<'py> = SmallVec<[Bound<'py, PyWeakrefReference>; 2]>;

impl<'py, T: Element, D: Dimension> Held<'py, T, D> {
    /// Holds the numbers of an aligned array, or gives `None` if Rust code elsewhere has the array to write to it.
    pub(crate) fn new(array: &Bound<'py, PyArray<T, D>>) -> PyResult<Option<Self>> {
        if array.len() <= FEW {
            // An array without elements counts as contiguous, whatever its shape.
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
        // A subclass of NumPy's array may have a `view` of its own, which may give anything.
        let plain = if array.get_type().is(py.get_type::<PyUntypedArray>()) {
            array.as_any().clone()
        } else {
            get_array_module(py)?.call_method1(intern!(py, "asarray"), (array,))?
        };
        let view = plain.call_method0(intern!(py, "view"))?;
        let view = view.cast::<PyArray<T, D>>()?.try_readonly().ok();
        Ok(view.map(|view| Self::Many {
            view,
            _owners: owners,
        }))
    }

    /// The numbers, as ndarray sees them.
    pub(crate) fn view(&self) -> ArrayView<'_, T, D> {
        match self {
            Self::Few(array) => array.view(),
            Self::Many { view, .. } => view.as_array(),
        }
    }

    /// The length of each dimension.
    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Self::Few(array) => array.shape(),
            Self::Many { view, .. } => view.shape(),
        }
    }

    /// The numbers row by row, if they lie so in memory.
    pub(crate) fn as_slice(&self) -> Option<&[T]> {
        match self {
            Self::Few(array) => array.as_slice(),
            Self::Many { view, .. } if view.is_c_contiguous() => view.as_slice().ok(),
            Self::Many { .. } => None,
        }
    }
}

/// Weak references to an array and to those whose memory it uses.
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
