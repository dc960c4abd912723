//! Handles over the free end of an arena: slices that end with a closure, parts for parallel work,
//! and one that moves the cursor without atomics.

use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::slice;

use super::alloc::{allocating_methods, refuse};
use super::bump::{Anyone, Bump, OneAlone};
use crate::error::Error;
use crate::zeroable::Zeroable;

/// A longer or shorter lifetime would let slices leave their scope.
type Exactly<'s> = PhantomData<fn(&'s ()) -> &'s ()>;

/// Hands out slices that live for `'s`: until the closure of [`Arena::scope`] returns.
///
/// Its slices do not borrow from the scope itself, so that they stay while an inner scope runs.
/// Threads share it by reference.
///
/// [`Arena::scope`]: crate::Arena::scope
pub struct Scope<'s> {
    pub(super) bump: &'s Bump,
    first: usize,
    exactly: Exactly<'s>,
}

impl<'s> Scope<'s> {
    allocating_methods!(receiver: [&], generics: [], movers: Anyone);

    fn first(&self) -> usize {
        self.first
    }

    /// Runs `body` with a scope over what is free here, and takes all of it back afterwards.
    ///
    /// Slices of this scope stay; those of the inner one cannot leave `body`.
    pub fn scope<R>(&mut self, body: impl for<'i> FnOnce(Scope<'i>) -> R) -> R {
        enter(self.bump, body)
    }

    /// The same scope for one thread alone, without atomics: for a loop that allocates much.
    pub fn exclusive(&mut self) -> Exclusive<'_, 's> {
        Exclusive::over(self.bump)
    }
}

/// Puts the cursor back where it was; the user of the scope never holds this.
struct Rewind<'a> {
    bump: &'a Bump,
    to: usize,
}

impl Drop for Rewind<'_> {
    fn drop(&mut self) {
        // SAFETY: the scope has ended and its slices with it; `enter`'s caller holds the cursor.
        unsafe { self.bump.rewind(self.to) }
    }
}

/// Runs `body` with a scope over the free end of `bump`, which its caller has borrowed mutably.
/// No slice of the scope can leave `body`, which must accept any lifetime.
pub(super) fn enter<R>(bump: &Bump, body: impl for<'i> FnOnce(Scope<'i>) -> R) -> R {
    let rewind = Rewind { bump, to: bump.cursor() };
    body(Scope { bump, first: rewind.to, exactly: PhantomData })
}

/// One of the parts that [`Arena::split`](crate::Arena::split) makes; its slices live as long as
/// the arena stays split. Threads share it by reference.
pub struct SubArena<'s> {
    pub(super) bump: Bump,
    parent: &'s Bump,
    exactly: Exactly<'s>,
}

impl<'s> SubArena<'s> {
    allocating_methods!(receiver: [&], generics: [], movers: Anyone);

    /// `bump` is one part of a split of `parent`.
    pub(super) fn over(bump: Bump, parent: &'s Bump) -> Self {
        Self { bump, parent, exactly: PhantomData }
    }

    fn first(&self) -> usize {
        self.bump.start()
    }

    /// As [`Scope::scope`].
    pub fn scope<R>(&mut self, body: impl for<'i> FnOnce(Scope<'i>) -> R) -> R {
        enter(&self.bump, body)
    }

    /// As [`Scope::exclusive`].
    pub fn exclusive(&mut self) -> Exclusive<'_, 's> {
        Exclusive::over(&self.bump)
    }
}

impl Drop for SubArena<'_> {
    fn drop(&mut self) {
        self.parent.end_part(&self.bump);
    }
}

/// Hands out slices that live for `'s`, for one thread alone: no atomic operation.
///
/// ```
/// let mut arena = nalloc::Arena::with_capacity(1 << 20)?;
/// let mut own = arena.exclusive();
/// let (one, two) = (own.alloc_array::<u32>(10), own.alloc_array::<u32>(10));
/// one[0] = 1;
/// assert_eq!(two, [0; 10]);
/// # Ok::<(), nalloc::Error>(())
/// ```
pub struct Exclusive<'a, 's> {
    bump: &'a Bump,
    first: usize,
    holds: PhantomData<&'a mut ()>,
    exactly: Exactly<'s>,
}

impl<'a, 's> Exclusive<'a, 's> {
    allocating_methods!(receiver: [&mut], generics: [], movers: OneAlone);

    /// The caller has borrowed what moves the cursor of `bump` mutably, for `'a`.
    pub(super) fn over(bump: &'a Bump) -> Self {
        Self { bump, first: bump.cursor(), holds: PhantomData, exactly: PhantomData }
    }

    fn first(&self) -> usize {
        self.first
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({} of {} bytes)", self.used_bytes(), self.capacity_bytes())
    }
}

impl fmt::Debug for SubArena<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubArena({} of {} bytes)", self.used_bytes(), self.capacity_bytes())
    }
}

impl fmt::Debug for Exclusive<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exclusive({} of {} bytes)", self.used_bytes(), self.capacity_bytes())
    }
}
