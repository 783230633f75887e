//! Tells which types of Python objects are numbers. `float`, or NumPy, also makes numbers of dates, durations and complex
//! numbers, which scikit-learn refuses, and so do we.

use pyo3::prelude::*;
use pyo3::types::{PyComplex, PyFloat, PyInt, PyType};

/// Modules, and their classes whose objects are no numbers. `float` takes a `numpy.datetime64` for its nanoseconds, and a
/// `numpy.complex64` for its real part.
const CLASSES: [(&str, &[&str]); 2] = [
    ("datetime", &["date", "time", "timedelta"]),
    ("numpy", &["datetime64", "timedelta64", "complexfloating"]),
];

/// Tells numbers from dates, durations and complex numbers.
#[derive(Default)]
pub(crate) struct NumberTypes<'py> {
    /// The type of the last object that passed: the next object is likely to have the same.
    number: Option<Bound<'py, PyType>>,
}

impl<'py> NumberTypes<'py> {
    /// Whether the type of `item` may be that of a number; text that spells a number passes, too.
    pub(crate) fn is_number(&mut self, item: &Bound<'py, PyAny>) -> bool {
        if item.is_exact_instance_of::<PyFloat>() || item.is_exact_instance_of::<PyInt>() {
            return true;
        }
        let item_type = item.get_type();
        if self.number.as_ref().is_some_and(|last| last.is(&item_type)) {
            return true;
        }
        let is_number =
            !item.is_instance_of::<PyComplex>() && !is_no_number(&item_type).unwrap_or(false);
        if is_number {
            self.number = Some(item_type);
        }
        is_number
    }
}

/// Whether a type is one of the [`CLASSES`], or inherits from one.
fn is_no_number(item_type: &Bound<'_, PyType>) -> PyResult<bool> {
    let modules = item_type.py().import("sys")?.getattr("modules")?;
    for (module, classes) in CLASSES {
        // As long as a module is not imported, there are no objects of its classes.
        let Ok(module) = modules.get_item(module) else {
            continue;
        };
        for class in classes {
            if item_type.is_subclass(&module.getattr(class)?)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
