//! Reads JSON in one pass without keeping it.
//!
//! A reader, which is a [`Read`], says what becomes of a scalar, a list or an object where it expects a value. serde does the
//! parsing; what is not asked for is skipped and never stored.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A JSON value as it is first seen: a scalar with its value, a list or an object without its contents.
#[derive(Debug)]
pub(crate) enum Glimpse<'de> {
    Null,
    Bool(bool),
    Number(f64),
    String(Cow<'de, str>),
    List,
    Object,
}

impl Glimpse<'_> {
    /// The words that messages have for such a value.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List => "a list",
            Self::Object => "an object",
        }
    }
}

/// Reads one JSON value.
pub(crate) trait Read<'de>: Sized {
    /// The type of what is made of the value.
    type Out;

    /// Takes a value that is neither list nor object, or one of these where the reader takes no such value.
    fn other<E: Error>(self, got: Glimpse<'de>) -> Result<Self::Out, E>;

    /// Takes a list; a reader of lists replaces this, which skips the items.
    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Out, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        self.other(Glimpse::List)
    }

    /// Takes an object; a reader of objects replaces this, which skips the entries.
    fn object<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Out, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.other(Glimpse::Object)
    }
}

/// The form in which serde takes a reader.
pub(crate) struct Reading<R>(pub(crate) R);

impl<'de, R: Read<'de>> DeserializeSeed<'de> for Reading<R> {
    type Value = R::Out;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<R::Out, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, R: Read<'de>> Visitor<'de> for Reading<R> {
    type Value = R::Out;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<R::Out, E> {
        self.0.other(Glimpse::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<R::Out, E> {
        self.0.other(Glimpse::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<R::Out, E> {
        self.0.other(Glimpse::Number(value as f64))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<R::Out, E> {
        self.0.other(Glimpse::Number(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<R::Out, E> {
        self.0.other(Glimpse::Number(value))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<R::Out, E> {
        self.0.other(Glimpse::String(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<R::Out, E> {
        self.0.other(Glimpse::String(Cow::Owned(value.into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<R::Out, A::Error> {
        self.0.list(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<R::Out, A::Error> {
        self.0.object(entries)
    }
}

/// Reads any value as a [`Glimpse`].
struct Look;

impl<'de> Read<'de> for Look {
    type Out = Glimpse<'de>;
    fn other<E: Error>(self, got: Glimpse<'de>) -> Result<Glimpse<'de>, E> {
        Ok(got)
    }
}

impl<'de> Deserialize<'de> for Glimpse<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reading(Look).deserialize(deserializer)
    }
}
