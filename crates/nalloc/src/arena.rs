//! Bump allocation over one run of the large heap.
//!
//! An arena owns its run and a cursor. `&Arena` may be shared by threads: an atomic exchange moves
//! the cursor, so slices never overlap. Slices borrow from the arena, so `reset(&mut self)` cannot
//! happen while one lives. Values are never dropped, so `T` must need no drop.
//!
//! What is fresh from the kernel is known to be zero and is not cleared again; what was handed out
//! before is cleared when it is handed out as zero the next time.
//!
//! A secret arena is kept out of core dumps and children, and is cleared up to the high-water mark
//! of its whole life whenever it is reset and when it is dropped.

mod bump;
mod scope;

use core::fmt;
use core::mem::MaybeUninit;
use core::slice;

use crate::census::Share;
use crate::error::Error;
use crate::global::HEAP;
use crate::heap::Request;
use crate::os::Advice;
use crate::secret::SecretStatus;
use crate::units::wide;
use crate::zeroable::Zeroable;
use bump::{Bump, allocating_methods, refuse};
pub use scope::{Scope, SubArena};

/// The part of its capacity that an arena gets on top. Moving arrays of 64 KiB against each other
/// takes 17 lines of 64 bytes each, a sixtieth; aligning one of 1 MiB at most a 256th.
const SLACK_DIVISOR: usize = 32;

/// Memory that is handed out in slices and taken back all at once.
///
/// ```
/// let mut arena = nalloc::Arena::with_capacity(1 << 20)?;
/// let coefficients: &mut [u64] = arena.alloc_array(1000);
/// coefficients[0] = 1;
/// arena.reset();
/// assert_eq!(arena.alloc_array::<u64>(1000), &[0; 1000]);
/// # Ok::<(), nalloc::Error>(())
/// ```
///
/// A slice cannot outlive a reset:
/// ```compile_fail,E0502
/// let mut arena = nalloc::Arena::with_capacity(1 << 20).unwrap();
/// let slice: &mut [u64] = arena.alloc_array(1000);
/// arena.reset();
/// slice[0] = 1;
/// ```
///
/// Nor can it leave its scope:
/// ```compile_fail
/// let mut arena = nalloc::Arena::with_capacity(1 << 20).unwrap();
/// let slice: &mut [u64] = arena.scope(|scope| scope.alloc_array(1000));
/// ```
///
/// What needs to be dropped cannot live in it:
/// ```compile_fail,E0080
/// let arena = nalloc::Arena::with_capacity(1 << 20).unwrap();
/// let strings = arena.alloc_uninit::<String>(10);
/// ```
pub struct Arena {
    bump: Bump<'static>,
    /// What the kernel gave; None unless the arena is secret.
    secret: Option<SecretStatus>,
    /// Held for its drop.
    _share: Share,
}

/// What an [`Arena`] shall be.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct ArenaBuilder {
    capacity_bytes: usize,
    alignment: usize,
    secret: bool,
}

impl ArenaBuilder {
    /// Bytes to hand out; pages cost memory once they are used. Default 0.
    ///
    /// The arena gets a thirty-second more, and whole pages, so that arrays of 64 KiB and more fit
    /// when their lengths add up to `bytes`, although they are aligned and moved against each
    /// other. For smaller ones add up to 63 bytes each.
    pub const fn capacity_bytes(mut self, bytes: usize) -> Self {
        self.capacity_bytes = bytes;
        self
    }

    /// Alignment of the arena's first byte, a power of two. Default 4096.
    pub const fn alignment(mut self, bytes: usize) -> Self {
        self.alignment = bytes;
        self
    }

    /// Whether the arena holds secrets. Default false.
    ///
    /// Its pages are then kept out of core dumps and children where the kernel allows it, and are
    /// cleared on every reset, which takes time, and on drop.
    pub const fn secret(mut self, secret: bool) -> Self {
        self.secret = secret;
        self
    }

    /// Makes the arena.
    ///
    /// # Errors
    /// [`Error::Alignment`] unless the alignment is a power of two, [`Error::LengthOverflow`],
    /// [`Error::MemoryLimit`], [`Error::NoMemory`].
    pub fn build(self) -> Result<Arena, Error> {
        if !self.alignment.is_power_of_two() {
            return Err(Error::Alignment { wanted: self.alignment, least: 1 });
        }
        let page = HEAP.page_bytes();
        let bytes = self
            .capacity_bytes
            .checked_add(self.capacity_bytes / SLACK_DIVISOR)
            .and_then(|bytes| bytes.max(1).checked_next_multiple_of(page))
            .ok_or(Error::LengthOverflow)?;
        let grant = HEAP.alloc_known(Request::fixed(bytes, self.alignment.max(page)))?;
        let secret = self.secret.then(|| SecretStatus {
            is_locked: false,
            is_hidden_from_dumps: HEAP.advise(grant.start, bytes, Advice::HideFromDumps),
            is_wiped_on_fork: HEAP.advise(grant.start, bytes, Advice::WipeOnFork),
        });
        // SAFETY: the heap gave these bytes to this arena, which keeps them until its drop.
        let bump = unsafe { Bump::root(grant.start, bytes, grant.dirty) };
        Ok(Arena {
            bump,
            secret,
            _share: Share::of_arena(if self.secret { wide(bytes) } else { 0 }),
        })
    }
}

#[expect(clippy::mut_from_ref, reason = "the cursor hands each byte out once between resets")]
impl Arena {
    allocating_methods!(receiver: [&'s], generics: ['s,]);
}

impl Arena {
    /// What an arena is unless it is said otherwise: of no bytes, for no secrets.
    pub const fn builder() -> ArenaBuilder {
        ArenaBuilder { capacity_bytes: 0, alignment: 4096, secret: false }
    }

    /// An arena of `bytes` bytes for no secrets; see [`ArenaBuilder::capacity_bytes`].
    ///
    /// # Errors
    /// As [`ArenaBuilder::build`].
    pub fn with_capacity(bytes: usize) -> Result<Self, Error> {
        Self::builder().capacity_bytes(bytes).build()
    }

    /// Takes every slice back and keeps the pages. A secret arena is wiped.
    pub fn reset(&mut self) {
        if self.secret.is_some() { self.bump.wipe() } else { self.bump.rewind() }
    }

    /// Which protections the kernel gave to a secret arena; None for others. Its pages are never
    /// locked: that would make the whole capacity resident.
    #[must_use]
    pub fn secret_status(&self) -> Option<SecretStatus> {
        self.secret
    }

    /// Takes every slice back and overwrites with zeros what was ever handed out.
    pub fn secure_wipe(&mut self) {
        self.bump.wipe();
    }

    /// Runs `body` with a scope over what is free, and takes all of it back afterwards.
    ///
    /// ```
    /// let mut arena = nalloc::Arena::with_capacity(1 << 20)?;
    /// let sum = arena.scope(|mut outer| {
    ///     let kept: &mut [u64] = outer.alloc_copy(&[1, 2, 3]);
    ///     outer.scope(|inner| inner.alloc_array::<u64>(1000).fill(9));
    ///     kept.iter().sum::<u64>()
    /// });
    /// assert_eq!((sum, arena.used_bytes()), (6, 0));
    /// # Ok::<(), nalloc::Error>(())
    /// ```
    pub fn scope<R>(&mut self, body: impl for<'s> FnOnce(Scope<'s>) -> R) -> R {
        scope::enter(&self.bump, body)
    }

    /// Cuts what is free into `count` parts of equal size, rounded down to 64 bytes.
    ///
    /// Each part begins at an address that depends on nothing but `count` and what was allocated
    /// before, so a parallel job that gives one part to each task lays its memory out alike every
    /// time. The arena takes the parts back when the last of them has ended.
    pub fn split(&mut self, count: usize) -> Vec<SubArena<'_>> {
        let bump: &Bump<'static> = &self.bump;
        // SAFETY: the arena is borrowed mutably while a part lives, and each part has its own
        // index.
        (0..count).map(|k| Scope::over(unsafe { Bump::part(bump, k, count) })).collect()
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        let bytes = self.capacity_bytes();
        if self.secret.is_some() {
            self.bump.wipe();
            for advice in [Advice::ShowInDumps, Advice::KeepOnFork] {
                HEAP.advise(self.bump.base(), bytes, advice);
            }
        }
        // SAFETY: the heap gave these bytes to this arena, whose slices have all ended; nothing
        // was ever handed out above the high-water mark.
        unsafe { HEAP.free(self.bump.base(), bytes, self.high_water_bytes()) }
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arena({} of {} bytes)", self.used_bytes(), self.capacity_bytes())
    }
}
