//! Stands in for the crate of this name, by which tract's crates register things before `main` begins.
//!
//! A linker keeps whatever a constructor reaches, so that the transforms, runtimes and settings which tract registers keep
//! nearly all of tract in a binary that uses none of them. Here only the kernels of tract-linalg, which it finds by their
//! registry alone, are registered; whatever else is submitted is compiled and then dropped.
//!
//! Cargo takes this crate through `[patch]` in the workspace's manifest. Where iris-core is a dependency of another workspace
//! it is not taken, which makes binaries larger and nothing else.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};
use std::vec::IntoIter;

/// What was submitted of one type.
pub struct Registry<T: 'static>(Mutex<Vec<&'static T>>);

impl<T: 'static> Registry<T> {
    /// An empty one.
    #[expect(clippy::new_without_default, reason = "a default is not const")]
    pub const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

/// A type that [`collect!`] has a registry for.
pub trait Collect: Sync + Sized + 'static {
    /// Its registry.
    fn registry() -> &'static Registry<Self>;
}

/// What [`submit!`] takes, its type forgotten.
pub trait Submit: Sync {
    /// Adds it to its type's registry.
    fn submit(&'static self);
}

impl<T: Collect> Submit for T {
    fn submit(&'static self) {
        let mut registry = T::registry()
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        registry.push(self);
    }
}

/// What was submitted of type `T`: both the value `iter::<T>` and the call `iter::<T>()` iterate over it.
pub enum Submitted<T> {
    /// Never made: it is where `T` occurs.
    #[doc(hidden)]
    Never(Infallible, PhantomData<T>),
    /// All of it.
    #[allow(non_camel_case_types)]
    iter,
}

pub use Submitted::iter;

fn submitted<T: Collect>() -> IntoIter<&'static T> {
    let registry = T::registry()
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    registry.clone().into_iter()
}

impl<T: Collect> IntoIterator for Submitted<T> {
    type Item = &'static T;
    type IntoIter = IntoIter<&'static T>;

    fn into_iter(self) -> Self::IntoIter {
        submitted()
    }
}

impl<T: Collect> Deref for Submitted<T> {
    type Target = fn() -> IntoIter<&'static T>;

    fn deref(&self) -> &Self::Target {
        &(submitted::<T> as fn() -> IntoIter<&'static T>)
    }
}

/// Whether what this module submits is registered.
#[doc(hidden)]
pub const fn is_registered(module_path: &str) -> bool {
    let (path, kept) = (module_path.as_bytes(), b"tract_linalg");
    let mut i = 0;
    while i < kept.len() {
        if i >= path.len() || path[i] != kept[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// Gives a type its registry.
#[macro_export]
macro_rules! collect {
    ($type:ty) => {
        impl $crate::Collect for $type {
            fn registry() -> &'static $crate::Registry<Self> {
                static REGISTRY: $crate::Registry<$type> = $crate::Registry::new();
                &REGISTRY
            }
        }
    };
}

/// Adds a value to its type's registry before `main` begins, if it is one of tract-linalg's.
#[macro_export]
macro_rules! submit {
    ($($value:tt)*) => {
        const _: () = {
            const CONSTRUCTORS: usize = $crate::is_registered(::core::module_path!()) as usize;

            static VALUE: &dyn $crate::Submit = &{ $($value)* };

            extern "C" fn submit() {
                $crate::Submit::submit(VALUE);
            }

            #[used]
            #[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func,mod_init_funcs"))]
            #[cfg_attr(
                not(any(windows, target_vendor = "apple")),
                unsafe(link_section = ".init_array")
            )]
            static CONSTRUCTOR: [extern "C" fn(); CONSTRUCTORS] = [submit; CONSTRUCTORS];
        };
    };
}

#[cfg(test)]
mod tests {
    use super::is_registered;

    #[test]
    fn kernels_alone_are_registered() {
        for (module_path, expected) in [
            ("tract_linalg", true),
            ("tract_linalg::generic", true),
            ("tract_lin", false),
            ("tract_core::transform", false),
        ] {
            assert_eq!(is_registered(module_path), expected, "{module_path}");
        }
    }
}
