//! Bump allocation over one run of the large heap.
//!
//! An arena owns its run and a cursor. `&Arena` may be shared by threads: an atomic exchange moves
//! the cursor, so slices never overlap. Slices borrow from the arena, so `reset(&mut self)` cannot
//! happen while one lives. Values are never dropped, so `T` must need no drop.
//!
//! What is fresh from the kernel is known to be zero and is not cleared again; what was handed out
//! before is cleared when it is handed out as zero the next time.
//!
//! A secret arena is kept out of core dumps, children and swap as far as the kernel allows, and is
//! cleared up to the high-water mark of its whole life whenever it is reset, when it is dropped,
//! and when the process exits by itself.

mod alloc;
#[cfg(feature = "allocator-api2")]
mod allocator;
mod bump;
mod pages;
mod prover;
mod scope;

use core::fmt;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr::{self, NonNull};
use core::slice;

use crate::error::Error;
use crate::global::HEAP;
use crate::secret::live::{Live, Member};
use crate::secret::{SecretStatus, scope as freed};
use crate::zeroable::Zeroable;
use alloc::{allocating_methods, refuse};
use bump::{Anyone, Bump, Window};
use pages::Pages;
pub use prover::{ProverArenas, ProverArenasBuilder};
pub use scope::{Exclusive, Scope, SubArena};

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
    /// In a place of its own, where the list of live secrets finds it.
    bump: Box<Bump>,
    pages: ManuallyDrop<Pages>,
    /// Some while the arena is in that list.
    member: Option<Member>,
}

impl Live for Bump {
    unsafe fn wipe_last(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.clear_handed_out() }
    }
}

/// What an [`Arena`] shall be.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct ArenaBuilder {
    capacity_bytes: usize,
    alignment: usize,
    memory_limit_bytes: Option<usize>,
    base_address: Option<usize>,
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
    ///
    /// The same calls give the same offsets from the first byte in every run, whatever the
    /// scheduling, as long as none asks for more than this alignment.
    pub const fn alignment(mut self, bytes: usize) -> Self {
        self.alignment = bytes;
        self
    }

    /// Bytes that may be handed out at once, alignment included. Default: all there are.
    ///
    /// What goes beyond is [`Error::MemoryLimit`], so that one part of a program can be kept to its
    /// share without making the arena smaller for those that come after it.
    pub const fn memory_limit_bytes(mut self, bytes: usize) -> Self {
        self.memory_limit_bytes = Some(bytes);
        self
    }

    /// Where the arena begins, a multiple of the page of the machine. Default: anywhere.
    ///
    /// With it, pointers into the arena are the same in every run.
    pub const fn base_address(mut self, address: usize) -> Self {
        self.base_address = Some(address);
        self
    }

    /// Whether the arena holds secrets. Default false.
    ///
    /// Its pages are then kept out of core dumps, children and swap where the kernel allows it, and
    /// are cleared on every reset, which takes time, on drop, and when the process exits by itself.
    pub const fn secret(mut self, secret: bool) -> Self {
        self.secret = secret;
        self
    }

    /// Makes the arena.
    ///
    /// # Errors
    /// [`Error::Alignment`] unless the alignment is a power of two, [`Error::LengthOverflow`],
    /// [`Error::MemoryLimit`], [`Error::NoMemory`]; [`Error::Address`] when the base address is not
    /// aligned or something lies there.
    pub fn build(self) -> Result<Arena, Error> {
        if !self.alignment.is_power_of_two() {
            return Err(Error::Alignment { wanted: self.alignment, least: 1 });
        }
        let page = HEAP.page_bytes();
        let align = self.alignment.max(page);
        let bytes = self
            .capacity_bytes
            .checked_add(self.capacity_bytes / SLACK_DIVISOR)
            .and_then(|bytes| bytes.max(1).checked_next_multiple_of(page))
            .filter(|&bytes| isize::try_from(bytes).is_ok())
            .ok_or(Error::LengthOverflow)?;
        let (pages, dirty) = match self.base_address {
            None => Pages::of_heap(bytes, align, self.secret)?,
            Some(wanted) if wanted == 0 || !wanted.is_multiple_of(align) => {
                return Err(Error::Address { wanted, errno: libc::EINVAL });
            }
            Some(address) => Pages::at(address, bytes, self.secret)?,
        };
        let base = pages.run().start;
        let window = Window { base, bytes, limit_bytes: self.memory_limit_bytes, dirty };
        // SAFETY: the pages belong to this arena, which keeps them until its drop.
        let bump = Box::new(unsafe { Bump::over(&window) });
        // SAFETY: the arena keeps the cursor where it is, and drops the member first.
        let member = self.secret.then(|| unsafe { Member::new(NonNull::from(&*bump)) });
        Ok(Arena { bump, pages: ManuallyDrop::new(pages), member })
    }
}

#[expect(clippy::mut_from_ref, reason = "the cursor hands each byte out once between resets")]
impl Arena {
    allocating_methods!(receiver: [&'s], generics: ['s,], movers: Anyone);
}

impl Arena {
    /// What an arena is unless it is said otherwise: of no bytes, for no secrets.
    pub const fn builder() -> ArenaBuilder {
        ArenaBuilder {
            capacity_bytes: 0,
            alignment: 4096,
            memory_limit_bytes: None,
            base_address: None,
            secret: false,
        }
    }

    /// An arena of `bytes` bytes for no secrets; see [`ArenaBuilder::capacity_bytes`].
    ///
    /// # Errors
    /// As [`ArenaBuilder::build`].
    pub fn with_capacity(bytes: usize) -> Result<Self, Error> {
        Self::builder().capacity_bytes(bytes).build()
    }

    fn first(&self) -> usize {
        self.bump.start()
    }

    /// Takes every slice back and keeps the pages. A secret arena is wiped.
    pub fn reset(&mut self) {
        if self.is_secret() { self.bump.wipe() } else { self.bump.reset() }
    }

    fn is_secret(&self) -> bool {
        self.pages.secret_status().is_some()
    }

    /// Which protections the kernel gave to a secret arena; None for others. Pages are locked when
    /// they are touched, so that the capacity does not become resident.
    #[must_use]
    pub fn secret_status(&self) -> Option<SecretStatus> {
        self.pages.secret_status()
    }

    /// Bytes up to the end of the highest slice that was ever handed out, scopes included.
    #[must_use]
    pub fn high_water_bytes(&self) -> usize {
        self.bump.high_water_bytes()
    }

    /// Takes every slice back and overwrites with zeros what was ever handed out.
    pub fn secure_wipe(&mut self) {
        self.bump.wipe();
    }

    /// The first byte, for whoever hands the memory out himself; see
    /// [`set_used_bytes`](Self::set_used_bytes).
    #[must_use]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.bump.base().as_ptr()
    }

    /// Counts the first `bytes` bytes as handed out, if fewer are: by whoever wrote to them through
    /// [`as_mut_ptr`](Self::as_mut_ptr), so that a reset, a wipe and the drop reach them.
    ///
    /// # Errors
    /// [`Error::ArenaFull`], [`Error::MemoryLimit`] of this arena.
    pub fn set_used_bytes(&mut self, bytes: usize) -> Result<(), Error> {
        self.bump.skip(bytes)
    }

    /// Ends the arena and keeps its addresses mapped for good, as zeros that cost no memory until
    /// somebody writes to them: for when a pointer into it may have escaped. A secret arena is
    /// wiped. Counted in [`Stats::retired_bytes`](crate::Stats::retired_bytes).
    pub fn retire(self) {
        let mut arena = ManuallyDrop::new(self);
        arena.end();
        // SAFETY: the pages are taken out once: the arena is not dropped.
        let pages = unsafe { ManuallyDrop::take(&mut arena.pages) };
        // SAFETY: the arena has ended; whoever still points into it was told to expect zeros.
        unsafe { pages.retire() }
        // SAFETY: the cursor is read once, and not used again.
        drop(unsafe { ptr::read(&raw const arena.bump) });
    }

    /// Leaves the list of live secrets, and wipes what must not stay.
    fn end(&mut self) {
        self.member = None;
        if self.is_secret() || freed::is_open() {
            self.bump.wipe();
        }
    }

    /// Hands out slices that live as long as the arena stays borrowed, for one thread alone: no
    /// atomic operation.
    pub fn exclusive(&mut self) -> Exclusive<'_, '_> {
        Exclusive::over(&self.bump)
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
    ///
    /// # Panics
    /// When there is no memory for the list of so many parts; [`try_split`](Self::try_split) says
    /// so instead.
    #[track_caller]
    pub fn split(&mut self, count: usize) -> Vec<SubArena<'_>> {
        self.try_split(count).unwrap_or_else(|error| refuse(error))
    }

    /// As [`split`](Self::split).
    ///
    /// # Errors
    /// [`Error::NoMemory`].
    pub fn try_split(&mut self, count: usize) -> Result<Vec<SubArena<'_>>, Error> {
        // SAFETY: the arena is borrowed mutably while a part or one of its slices lives.
        let parts = unsafe { self.bump.split(count) }?;
        let bump: &Bump = &self.bump;
        Ok(parts.into_iter().map(|part| SubArena::over(part, bump)).collect())
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.end();
        let touched = self.high_water_bytes();
        // SAFETY: the pages are taken out once: this is the end.
        let pages = unsafe { ManuallyDrop::take(&mut self.pages) };
        // SAFETY: the slices have all ended, nothing was ever handed out above the high-water mark,
        // and `end` wiped what is secret.
        unsafe { pages.free(touched) }
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arena({} of {} bytes)", self.used_bytes(), self.capacity_bytes())
    }
}
