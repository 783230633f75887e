//! The types of Python objects of which `float`, or NumPy, makes a number though they are none.

use pyo3::prelude::*;
use pyo3::types::{PyComplex, PyFloat, PyInt, PyType};

/// Where classes are whose objects are no numbers. `float` takes a `numpy.datetime64` for its nanoseconds, and a
/// `numpy.complex64` for its real part.
const CLASSES: [(&str, &[&str]); 2] = [
    ("datetime", &["date", "time", "timedelta"]),
    ("numpy", &["datetime64", "timedelta64", "complexfloating"]),
];

/// Tells numbers from dates, durations and complex numbers.
#[derive(Default)]
pub(crate) struct Types<'py> {
    /// The type of the last object that may be a number: the next is likely to be of the same.
    number: Option<Bound<'py, PyType>>,
}

impl<'py> Types<'py> {
    /// Whether `item` is of a type that may be a number's.
    pub(crate) fn is_number(&mut self, item: &Bound<'py, PyAny>) -> bool {
        if item.is_exact_instance_of::<PyFloat>() || item.is_exact_instance_of::<PyInt>() {
            return true;
        }
        let of_item = item.get_type();
        if self.number.as_ref().is_some_and(|last| last.is(&of_item)) {
            return true;
        }
        let is_number =
            !item.is_instance_of::<PyComplex>() && !is_of_classes(&of_item).unwrap_or(false);
        if is_number {
            self.number = Some(of_item);
        }
        is_number
    }
}

/// Whether `of_item` is one of the classes that are no numbers, or made of one.
fn is_of_classes(of_item: &Bound<'_, PyType>) -> PyResult<bool> {
    let modules = of_item.py().import("sys")?.getattr("modules")?;
    for (module, classes) in CLASSES {
        // Where a module is not imported there are no objects of its classes.
        let Ok(module) = modules.get_item(module) else {
            continue;
        };
        for class in classes {
            if of_item.is_subclass(&module.getattr(class)?)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
