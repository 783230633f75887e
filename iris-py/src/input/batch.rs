//! Reads a batch `[n_samples, n_features]` of numbers, as `predict` takes it, to rows that iris-core takes.
//!
//! Arrays of float32, float64, int32 and int64 are read where they are, whatever their strides. Lists and tuples of
//! numbers are read number by number, without NumPy. Everything else (data frames, other dtypes, text that spells
//! numbers) is converted to float64 by NumPy, as in scikit-learn.

use iris_core::Rows;
use ndarray::Ix2;
use numpy::{PyArray2, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::input::held::Held;
use crate::input::list_rows::ListRows;
use crate::input::numpy_cast;
use crate::interpreter::error::InputError;
use crate::interpreter::numpy_api;

/// A batch `[n_samples, n_features]`: an array of Python's, or numbers read from its lists.
pub(crate) enum Batch<'py> {
    Float(Held<'py, f32, Ix2>),
    Double(Held<'py, f64, Ix2>),
    Int32(Held<'py, i32, Ix2>),
    Int64(Held<'py, i64, Ix2>),
    List(ListRows),
}

/// Calls `$body` with `$rows` bound to the rows of `$batch`, which can be read without the GIL.
macro_rules! with_rows {
    ($batch:expr, $rows:ident => $body:expr) => {
        match $batch {
            $crate::input::batch::Batch::Float(array) => {
                let $rows = array.view();
                $body
            }
            $crate::input::batch::Batch::Double(array) => {
                let $rows = array.view();
                $body
            }
            $crate::input::batch::Batch::Int32(array) => {
                let $rows = array.view();
                $body
            }
            $crate::input::batch::Batch::Int64(array) => {
                let $rows = array.view();
                $body
            }
            $crate::input::batch::Batch::List($rows) => $body,
        }
    };
}
pub(crate) use with_rows;

impl<'py> Batch<'py> {
    /// Reads `x`, which must have two dimensions. iris-core checks whether it fits a model.
    pub(crate) fn from_python(x: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Some(rows) = ListRows::from_python(x) {
            return Ok(Self::List(rows));
        }
        numpy_api::load(x.py())?;
        let array = match x.cast::<PyUntypedArray>() {
            Ok(array) => array.clone(),
            Err(_) => numpy_cast::as_array(x)?,
        };
        if array.ndim() != 2 {
            return Err(not_2d(x, &array));
        }
        if let Some(batch) = Self::hold(&array)? {
            return Ok(batch);
        }
        let array = numpy_cast::to_float64(x, &array)?;
        Self::hold(&array)?.ok_or_else(|| InputError::new_err("expected an array of numbers"))
    }

    /// Holds the array itself, if its numbers have a type and layout that Rust can read.
    fn hold(array: &Bound<'py, PyUntypedArray>) -> PyResult<Option<Self>> {
        if !array.is_aligned() {
            return Ok(None);
        }
        Ok(if let Ok(array) = array.cast::<PyArray2<f32>>() {
            Held::new(array)?.map(Self::Float)
        } else if let Ok(array) = array.cast::<PyArray2<f64>>() {
            Held::new(array)?.map(Self::Double)
        } else if let Ok(array) = array.cast::<PyArray2<i64>>() {
            Held::new(array)?.map(Self::Int64)
        } else if let Ok(array) = array.cast::<PyArray2<i32>>() {
            Held::new(array)?.map(Self::Int32)
        } else {
            None
        })
    }

    /// How many rows there are.
    pub(crate) fn n_samples(&self) -> usize {
        with_rows!(self, rows => rows.n_samples())
    }
}

/// The error for an array that has not two dimensions, with a hint where the intention is clear.
fn not_2d(x: &Bound<'_, PyAny>, array: &Bound<'_, PyUntypedArray>) -> PyErr {
    let wanted = "expected a 2-D batch [n_samples, n_features], got";
    if array.ndim() == 0 {
        return InputError::new_err(format!("{wanted} one {}", numpy_cast::type_name(x)));
    }
    let shape: Vec<String> = array.shape().iter().map(ToString::to_string).collect();
    let hint = match array.ndim() {
        1 if array.len() > 0 => "; one row is [[…]] or x.reshape(1, -1)",
        1 => "; a batch of no rows is numpy.empty((0, n_features))",
        _ => "",
    };
    InputError::new_err(format!(
        "{wanted} {} of shape [{}]{hint}",
        numpy_cast::type_name(x),
        shape.join(", ")
    ))
}
