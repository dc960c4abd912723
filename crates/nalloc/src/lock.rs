//! One lock: spins, yields, then sleeps in the kernel. It never allocates, can stand in a `static`,
//! survives fork (see `fork`), and belongs to no thread.
//!
//! The word is FREE, HELD, or WAITED for: held, and somebody sleeps or is about to.

use core::cell::UnsafeCell;
use core::mem;
use core::ops::{Deref, DerefMut};

use crate::os::Os;
use crate::sync::{AtomicU32, Ordering, spin_loop};

const FREE: u32 = 0;
const HELD: u32 = 1;
const WAITED: u32 = 2;

/// Looks before the CPU is given away: a holder on another core needs a few hundred cycles.
const SPINS: u32 = if cfg!(loom) { 1 } else { 60 };
/// Times that the CPU is given away before the thread sleeps.
const YIELDS: u32 = if cfg!(loom) { 0 } else { 8 };

/// A value that one thread at a time can reach.
pub(crate) struct Lock<T> {
    word: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: the word lets one thread at a time reach the value, which may change threads.
unsafe impl<T: Send> Sync for Lock<T> {}

/// Holds a lock until it is dropped.
pub(crate) struct Guard<'a, T, O: Os> {
    lock: &'a Lock<T>,
    os: &'a O,
}

impl<T> Lock<T> {
    /// A free lock.
    #[cfg(not(loom))]
    pub(crate) const fn new(value: T) -> Self {
        Self { word: AtomicU32::new(FREE), value: UnsafeCell::new(value) }
    }

    /// A free lock; loom's words cannot be made at compile time.
    #[cfg(loom)]
    pub(crate) fn new(value: T) -> Self {
        Self { word: AtomicU32::new(FREE), value: UnsafeCell::new(value) }
    }

    /// Holds the lock, however long it takes.
    pub(crate) fn lock<'a, O: Os>(&'a self, os: &'a O) -> Guard<'a, T, O> {
        if !self.try_hold() {
            self.hold_slowly(os);
        }
        Guard { lock: self, os }
    }

    /// Holds the lock unless somebody else does.
    pub(crate) fn try_lock<'a, O: Os>(&'a self, os: &'a O) -> Option<Guard<'a, T, O>> {
        self.try_hold().then(|| Guard { lock: self, os })
    }

    fn try_hold(&self) -> bool {
        // Acquire: partner of the release in `release`. Relaxed: nothing was learnt.
        self.word.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[cold]
    fn hold_slowly<O: Os>(&self, os: &O) {
        for turn in 0..SPINS + YIELDS {
            if turn < SPINS {
                spin_loop();
            } else {
                os.yield_now();
            }
            // Relaxed: only a look before the exchange.
            if self.word.load(Ordering::Relaxed) == FREE && self.try_hold() {
                return;
            }
        }
        // Acquire: partner of the release in `release`.
        while self.word.swap(WAITED, Ordering::Acquire) != FREE {
            os.wait(&self.word, WAITED);
        }
    }

    /// Lets go of the lock.
    ///
    /// # Safety
    /// The caller holds the lock through a guard that was forgotten; after fork, the forking
    /// thread held it, and only that thread lives on in the child.
    pub(crate) unsafe fn release<O: Os>(&self, os: &O) {
        // Release: partner of the acquires above.
        if self.word.swap(FREE, Ordering::Release) == WAITED {
            os.wake_one(&self.word);
        }
    }
}

impl<T, O: Os> Guard<'_, T, O> {
    /// Keeps the lock held; `Lock::release` lets go of it.
    pub(crate) fn keep(self) {
        mem::forget(self);
    }
}

impl<T, O: Os> Deref for Guard<'_, T, O> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: this guard holds the lock.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T, O: Os> DerefMut for Guard<'_, T, O> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard holds the lock, and is borrowed mutably.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T, O: Os> Drop for Guard<'_, T, O> {
    fn drop(&mut self) {
        // SAFETY: this guard holds the lock, and ends here.
        unsafe { self.lock.release(self.os) }
    }
}
