//! Memory for the elements of a tensor, to be filled.

use tract_onnx::prelude::DatumType;
use tract_onnx::tract_core::internal::{PlainViewMut, TractResult, bail, format_err};

use crate::guard::memory;
use crate::value::view::{Elements, with_elements};

/// The elements of a tensor, row by row, that somebody else has made room for.
pub(crate) enum Slots<'a> {
    Float(&'a mut [f32]),
    Double(&'a mut [f64]),
    Int32(&'a mut [i32]),
    Int64(&'a mut [i64]),
    Int16(&'a mut [i16]),
    UInt32(&'a mut [u32]),
    Bool(&'a mut [bool]),
    String(&'a mut [String]),
}

/// Calls `$body` with `$slice` bound to the slots, whatever their type.
macro_rules! with_slots {
    ($slots:expr, $slice:ident => $body:expr) => {
        match $slots {
            Slots::Float($slice) => $body,
            Slots::Double($slice) => $body,
            Slots::Int32($slice) => $body,
            Slots::Int64($slice) => $body,
            Slots::Int16($slice) => $body,
            Slots::UInt32($slice) => $body,
            Slots::Bool($slice) => $body,
            Slots::String($slice) => $body,
        }
    };
}

/// An element of a tensor, and the slots for it.
pub(crate) trait Slot: Sized {
    /// The slots, if they are for these elements.
    fn of(slots: Slots<'_>) -> Option<&mut [Self]>;
    fn slots(elements: &mut [Self]) -> Slots<'_>;
    /// The elements, if they are of this type.
    fn slice_of(elements: Elements<'_>) -> Option<&[Self]>;
}

macro_rules! slot {
    ($($variant:ident, $element:ty);* $(;)?) => {$(
        impl Slot for $element {
            fn of(slots: Slots<'_>) -> Option<&mut [Self]> {
                match slots {
                    Slots::$variant(slots) => Some(slots),
                    _ => None,
                }
            }

            fn slots(elements: &mut [Self]) -> Slots<'_> {
                Slots::$variant(elements)
            }

            fn slice_of(elements: Elements<'_>) -> Option<&[Self]> {
                match elements {
                    Elements::$variant(elements) => Some(elements),
                    _ => None,
                }
            }
        }
    )*};
}
slot! {
    Float, f32;
    Double, f64;
    Int32, i32;
    Int64, i64;
    Int16, i16;
    UInt32, u32;
    Bool, bool;
    String, String;
}

impl<'a> Slots<'a> {
    /// The slots of a tensor of tract's.
    pub(crate) fn of_tensor(view: &'a mut PlainViewMut<'_>) -> TractResult<Self> {
        Ok(match view.datum_type() {
            DatumType::F32 => Self::Float(view.as_slice_mut()?),
            DatumType::F64 => Self::Double(view.as_slice_mut()?),
            DatumType::I32 => Self::Int32(view.as_slice_mut()?),
            DatumType::I64 => Self::Int64(view.as_slice_mut()?),
            DatumType::I16 => Self::Int16(view.as_slice_mut()?),
            DatumType::U32 => Self::UInt32(view.as_slice_mut()?),
            DatumType::Bool => Self::Bool(view.as_slice_mut()?),
            DatumType::String => Self::String(view.as_slice_mut()?),
            other => bail!("no slots for {other:?}"),
        })
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        with_slots!(self, slots => slots.len())
    }

    /// The first `len` of them, no more than there are, and the others.
    pub(crate) fn split_at(self, len: usize) -> (Self, Self) {
        with_slots!(self, slots => {
            let (first, rest) = slots.split_at_mut(len.min(slots.len()));
            (Slot::slots(first), Slot::slots(rest))
        })
    }

    /// Puts `elements` into them: as many, and of the same type.
    pub(crate) fn copy_from(self, elements: Elements<'_>) -> TractResult<()> {
        let (n_slots, n_elements) = (self.len(), elements.len());
        if let Elements::String(texts) = elements {
            memory::ask_for_copies(texts)?;
        }
        with_elements!(elements, elements => {
            let slots = Slot::of(self).filter(|_| n_slots == n_elements).ok_or_else(|| {
                format_err!("{n_elements} elements for {n_slots} slots, or of another type")
            })?;
            slots.clone_from_slice(elements);
        });
        Ok(())
    }
}
