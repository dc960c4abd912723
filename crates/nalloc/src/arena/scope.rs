//! Slices that end with a closure: a window over the free end of an arena.

use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::slice;

use super::bump::{Bump, allocating_methods, refuse};
use crate::error::Error;
use crate::zeroable::Zeroable;

/// Hands out slices that live for `'s`: until the closure of [`Arena::scope`] returns, or as long
/// as the arena stays split.
///
/// Its slices do not borrow from the scope itself, so that they stay while an inner scope runs.
/// Threads share it by reference.
///
/// [`Arena::scope`]: crate::Arena::scope
pub struct Scope<'s> {
    bump: Bump<'s>,
    // A longer or shorter lifetime would let slices leave their scope.
    exactly: PhantomData<fn(&'s ()) -> &'s ()>,
}

/// One of the parts that [`Arena::split`](crate::Arena::split) makes.
pub type SubArena<'s> = Scope<'s>;

impl<'s> Scope<'s> {
    allocating_methods!(receiver: [&], generics: []);

    pub(super) fn over(bump: Bump<'s>) -> Self {
        Self { bump, exactly: PhantomData }
    }

    /// Runs `body` with a scope over what is free here, and takes all of it back afterwards.
    ///
    /// Slices of this scope stay; those of the inner one cannot leave `body`.
    pub fn scope<R>(&mut self, body: impl for<'i> FnOnce(Scope<'i>) -> R) -> R {
        enter(&self.bump, body)
    }
}

/// Runs `body` with a scope over the free end of `bump`, which its caller has borrowed mutably.
pub(super) fn enter<R>(bump: &Bump<'_>, body: impl for<'i> FnOnce(Scope<'i>) -> R) -> R {
    // SAFETY: the owner of `bump` is borrowed mutably for this call, and no slice of the scope can
    // leave `body`, which must accept any lifetime.
    body(Scope::over(unsafe { Bump::part(bump, 0, 1) }))
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({} of {} bytes)", self.used_bytes(), self.capacity_bytes())
    }
}
