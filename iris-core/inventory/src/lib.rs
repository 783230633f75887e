//! Stands in for the crate of this name, by which tract's crates register things before `main` begins.
//!
//! A linker keeps whatever a constructor reaches, so that the kernels, transforms, runtimes and settings which tract registers
//! keep nearly all of tract in a binary that uses none of them. Here nothing is registered: what is submitted is compiled and
//! then dropped.
//!
//! Cargo takes this crate through `[patch]` in the workspace's manifest. Where iris-core is a dependency of another workspace
//! it is not taken, which makes binaries larger and nothing else.

use std::convert::Infallible;
use std::iter::Empty;
use std::marker::PhantomData;
use std::ops::Deref;

/// A type that [`collect!`] has been told of.
pub trait Collect: Sync + Sized + 'static {}

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

impl<T: Collect> IntoIterator for Submitted<T> {
    type Item = &'static T;
    type IntoIter = Empty<&'static T>;

    fn into_iter(self) -> Self::IntoIter {
        std::iter::empty()
    }
}

impl<T: Collect> Deref for Submitted<T> {
    type Target = fn() -> Empty<&'static T>;

    fn deref(&self) -> &Self::Target {
        &(std::iter::empty::<&'static T> as fn() -> Empty<&'static T>)
    }
}

/// Tells of a type whose values may be submitted.
#[macro_export]
macro_rules! collect {
    ($type:ty) => {
        impl $crate::Collect for $type {}
    };
}

/// Takes a value, and drops it.
#[macro_export]
macro_rules! submit {
    ($($value:tt)*) => {
        const _: () = {
            #[allow(dead_code)]
            static VALUE: &dyn ::core::marker::Sync = &{ $($value)* };
        };
    };
}

#[cfg(test)]
mod tests {
    struct Kernel;

    collect!(Kernel);
    submit!(Kernel);

    #[test]
    fn nothing_is_registered() {
        assert_eq!(super::iter::<Kernel>.into_iter().count(), 0);
        assert_eq!(super::iter::<Kernel>().count(), 0);
    }
}
