//! Reads the column for one of several inputs. Numbers are converted or refused by iris-core, in the words that it has for
//! numbers of a batch.

use iris_core::{ElementType, Elements, Model, TensorView, Value, ValueInfo};
use ndarray::ArrayD;
use numpy::{
    Element, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBytes, PyFloat, PyInt, PyString};

use crate::input::number_types::NumberTypes;
use crate::input::numpy_cast::{items, no_number, type_name};
use crate::interpreter::error::{InputError, to_python};

/// 2⁵³, the largest number up to which every whole number is a float64 of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads `array`, of any type, for `input`, which takes numbers or truth values.
pub(crate) fn read(
    model: &Model,
    input: &ValueInfo,
    element: ElementType,
    array: &Bound<'_, PyUntypedArray>,
) -> PyResult<Value> {
    let column = Column {
        model,
        input,
        takes_fractions: matches!(element, ElementType::Float | ElementType::Double),
        width: array.shape().iter().skip(1).product::<usize>().max(1),
    };
    if element == ElementType::Bool {
        column.truths(array)
    } else {
        column.numbers(array)
    }
}

/// The array for an input that takes text: `str` makes text of each item. An array of dates is refused, since NumPy would make
/// either a date or a number of nanoseconds of each, depending on the array's unit.
pub(crate) fn text<'py>(
    input: &ValueInfo,
    array: &Bound<'py, PyUntypedArray>,
) -> PyResult<Bound<'py, PyAny>> {
    match array.dtype().kind() {
        b'O' | b'U' | b'S' => Ok(array.clone().into_any()),
        b'M' | b'm' => Err(PyTypeError::new_err(format!(
            "input {:?}: expected text, got {}",
            input.name(),
            array.dtype()
        ))),
        _ => array.call_method1(intern!(array.py(), "astype"), ("object",)),
    }
}

/// An input, and how numbers for it are read.
struct Column<'a> {
    model: &'a Model,
    input: &'a ValueInfo,
    /// Whether the input takes floats, not integers.
    takes_fractions: bool,
    /// How many numbers a row has.
    width: usize,
}

/// The numbers of a column of objects, row by row: all of them whole, or floats.
enum Read {
    Whole(Vec<i64>),
    Floats(Vec<f64>),
}

impl Column<'_> {
    /// The numbers of an array of any type, as the input takes them.
    fn numbers(&self, array: &Bound<'_, PyUntypedArray>) -> PyResult<Value> {
        let dtype = array.dtype();
        let dtype = match (dtype.kind(), dtype.itemsize()) {
            (b'f', 4) => "float32",
            (b'i', 4) => "int32",
            (b'u', 8) if self.takes_fractions => "float64",
            (b'u', 8) => return self.unsigned(array),
            (b'f', _) => "float64",
            (b'b' | b'i' | b'u', _) => "int64",
            (b'O' | b'U' | b'S', _) => {
                return match self.objects(array)? {
                    Read::Whole(numbers) => self.value(array.shape(), numbers.as_slice().into()),
                    Read::Floats(numbers) => self.value(array.shape(), numbers.as_slice().into()),
                };
            }
            (b'c', _) => {
                let what = "expected real numbers, got complex ones";
                return Err(InputError::new_err(self.message(what)));
            }
            _ => return Err(self.no_numbers(array)?),
        };
        let py = array.py();
        let is_readable = array.is_aligned() && array.is_c_contiguous();
        let options = [
            ("order", "C".into_bound_py_any(py)?),
            ("copy", (!is_readable).into_bound_py_any(py)?),
        ];
        let options = options.into_py_dict(py)?;
        let array = array.call_method(intern!(py, "astype"), (dtype,), Some(&options))?;
        let array = array.cast_into::<PyUntypedArray>()?;
        match dtype {
            "float32" => self.contiguous::<f32>(&array),
            "float64" => self.contiguous::<f64>(&array),
            "int32" => self.contiguous::<i32>(&array),
            _ => self.contiguous::<i64>(&array),
        }
    }

    /// The numbers of an array that has them row by row in memory.
    fn contiguous<T: Element>(&self, array: &Bound<'_, PyUntypedArray>) -> PyResult<Value>
    where
        for<'a> Elements<'a>: From<&'a [T]>,
    {
        let array = array.cast::<PyArrayDyn<T>>()?;
        let Ok(readable) = array.try_readonly() else {
            return Err(InputError::new_err(self.message("others write to it")));
        };
        self.value(readable.shape(), readable.as_slice()?.into())
    }

    /// The numbers of an array of uint64, for an input of integers: they are signed there, so that the upper half does not fit.
    fn unsigned(&self, array: &Bound<'_, PyUntypedArray>) -> PyResult<Value> {
        let py = array.py();
        let array = array.call_method1(intern!(py, "astype"), ("uint64",))?;
        let array = array.cast::<PyArrayDyn<u64>>()?.try_readonly();
        let array = array.map_err(|error| InputError::new_err(error.to_string()))?;
        let signed = array.as_array();
        let signed = signed
            .iter()
            .enumerate()
            .map(|(index, &number)| i64::try_from(number).map_err(|_| self.unfit(index, number)));
        let signed = signed.collect::<PyResult<Vec<i64>>>()?;
        self.value(array.shape(), signed.as_slice().into())
    }

    /// The truth values of an array of any type: 0 is false, 1 is true, and no other number is either.
    fn truths(&self, array: &Bound<'_, PyUntypedArray>) -> PyResult<Value> {
        let py = array.py();
        let numbers = match array.dtype().kind() {
            b'O' | b'U' | b'S' => match self.objects(array)? {
                Read::Floats(numbers) => numbers,
                Read::Whole(numbers) => numbers.into_iter().map(|number| number as f64).collect(),
            },
            b'b' | b'i' | b'u' | b'f' => {
                let floats = array.call_method1(intern!(py, "astype"), ("float64", "C"))?;
                floats.cast::<PyArrayDyn<f64>>()?.to_vec()?
            }
            _ => return Err(self.no_numbers(array)?),
        };
        let truths = numbers
            .iter()
            .enumerate()
            .map(|(index, number)| match number {
                0.0 => Ok(false),
                1.0 => Ok(true),
                _ => Err(self.unfit(index, number)),
            });
        let truths = truths.collect::<PyResult<Vec<bool>>>()?;
        ArrayD::from_shape_vec(array.shape(), truths)
            .map(Value::from)
            .map_err(|error| InputError::new_err(self.message(&error)))
    }

    /// The numbers of an array of objects: numbers, text that spells numbers, and missing values.
    fn objects(&self, array: &Bound<'_, PyUntypedArray>) -> PyResult<Read> {
        let mut types = NumberTypes::default();
        let mut whole = Vec::new();
        let mut floats = Vec::new();
        let items = items(array)?;
        for (index, item) in items.iter().enumerate() {
            if item.is_none() {
                floats.push(f64::NAN);
            } else if !types.is_number(&item) {
                let what = format!("{}: {}", self.position(index), no_number(&item));
                return Err(PyTypeError::new_err(self.message(&what)));
            } else if self.takes_fractions {
                floats.push(self.float(index, &item)?);
            } else {
                match self.whole(index, &item)? {
                    Ok(number) => {
                        whole.push(number);
                        continue;
                    }
                    Err(other) => floats.push(other),
                }
            }
            if !self.takes_fractions {
                // The first number that does not fit is left to iris-core, whose words for it are the same on every path.
                let mut all: Vec<f64> = whole.iter().map(|&number| number as f64).collect();
                all.append(&mut floats);
                all.resize(items.len(), 0.0);
                return Ok(Read::Floats(all));
            }
        }
        Ok(if self.takes_fractions {
            Read::Floats(floats)
        } else {
            Read::Whole(whole)
        })
    }

    /// `item` as a whole number, or else as the number it is.
    fn whole(&self, index: usize, item: &Bound<'_, PyAny>) -> PyResult<Result<i64, f64>> {
        let py = item.py();
        let is_text = item.is_instance_of::<PyString>() || item.is_instance_of::<PyBytes>();
        let number = if is_text {
            py.get_type::<PyInt>().call1((item,)).ok()
        } else {
            Some(item.clone())
        };
        match number.map(|number| number.extract::<i64>()) {
            Some(Ok(number)) => return Ok(Ok(number)),
            Some(Err(error)) if error.is_instance_of::<PyOverflowError>(py) => {
                return Err(self.unfit(index, item));
            }
            _ => {}
        }
        let number = self.float(index, item)?;
        let is_exact = number.abs() <= EXACT && number.fract() == 0.0;
        Ok(if is_exact {
            Ok(number as i64)
        } else {
            Err(number)
        })
    }

    /// `item` as a float: a missing value of pandas is NaN, text is what Python's `float` makes of it.
    fn float(&self, index: usize, item: &Bound<'_, PyAny>) -> PyResult<f64> {
        if let Ok(number) = item.extract() {
            return Ok(number);
        }
        let py = item.py();
        // pandas' missing value has no float of its own.
        if type_name(item) == "NAType" {
            return Ok(f64::NAN);
        }
        // Python's `float` reads text, and its message tells why it does not.
        let error = match py.get_type::<PyFloat>().call1((item,)) {
            Ok(number) => return number.extract(),
            Err(error) => error,
        };
        let what = format!("{}: {}", self.position(index), error.value(py));
        let what = self.message(&what);
        Err(if error.is_instance_of::<PyValueError>(py) {
            InputError::new_err(what)
        } else if error.is_instance_of::<PyTypeError>(py) {
            PyTypeError::new_err(what)
        } else if error.is_instance_of::<PyOverflowError>(py) {
            PyOverflowError::new_err(what)
        } else {
            error
        })
    }

    /// The value of the input, into which iris-core converts the elements.
    fn value(&self, shape: &[usize], elements: Elements<'_>) -> PyResult<Value> {
        self.model
            .column(self.input.name(), TensorView { shape, elements })
            .map_err(|error| to_python(&error))
    }

    /// The error for an array of dates, durations, or another type without numbers.
    fn no_numbers(&self, array: &Bound<'_, PyUntypedArray>) -> PyResult<PyErr> {
        let what = if array.len() == 0 {
            format!("expected numbers, got {}", array.dtype())
        } else {
            let flat = array.call_method1(intern!(array.py(), "reshape"), (-1,))?;
            format!("{}: {}", self.position(0), no_number(&flat.get_item(0)?))
        };
        Ok(PyTypeError::new_err(self.message(&what)))
    }

    /// The error for a number that the element type of the input has not.
    fn unfit(&self, index: usize, number: impl std::fmt::Display) -> PyErr {
        let element = self.input.value_type();
        let position = self.position(index);
        let what = format!("{position}: {number} does not fit the model's input type, {element}");
        InputError::new_err(self.message(&what))
    }

    /// The row, and in wider inputs the column, of the element at `index`.
    fn position(&self, index: usize) -> String {
        let (row, column) = (index / self.width, index % self.width);
        if self.width == 1 {
            format!("row {row}")
        } else {
            format!("row {row}, column {column}")
        }
    }

    /// A message, with the name of the input before it.
    fn message(&self, what: impl std::fmt::Display) -> String {
        format!("input {:?}: {what}", self.input.name())
    }
}
