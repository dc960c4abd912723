//! Where the ranges are, for who does not hold the lock. They never move.

use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::{Heap, State};
use crate::os::Os;

/// The addresses of a range, for who does not hold the lock.
pub(super) struct Bounds {
    start: AtomicUsize,
    /// 0 until the range is reserved.
    bytes: AtomicUsize,
}

impl Bounds {
    pub(super) const fn new() -> Self {
        Self { start: AtomicUsize::new(0), bytes: AtomicUsize::new(0) }
    }

    fn publish(&self, addresses: &Range<usize>) {
        // Relaxed: ordered by the length.
        self.start.store(addresses.start, Ordering::Relaxed);
        // Release: who reads the length reads the start too.
        self.bytes.store(addresses.len(), Ordering::Release);
    }

    fn is_published(&self) -> bool {
        // Relaxed: asked by who holds the lock.
        self.bytes.load(Ordering::Relaxed) != 0
    }

    fn contains(&self, address: usize) -> bool {
        // Acquire: see `publish`.
        let bytes = self.bytes.load(Ordering::Acquire);
        // Relaxed: as above.
        address.wrapping_sub(self.start.load(Ordering::Relaxed)) < bytes
    }
}

impl<O: Os> Heap<O> {
    /// Publishes the addresses of ranges that are new.
    pub(super) fn publish(&self, state: &State) {
        for (bounds, space) in self.bounds.iter().zip([&state.main, &state.sparse]) {
            if let Some(space) = space
                && !bounds.is_published()
            {
                bounds.publish(&space.range.addresses());
            }
        }
    }

    /// Whether an address lies in a range; takes no lock. Who frees a block sees its range: the
    /// address came from a call that had the lock after the range was published.
    pub(crate) fn contains(&self, address: usize) -> bool {
        self.bounds.iter().any(|bounds| bounds.contains(address))
    }

    /// Whether there is a range.
    pub(crate) fn has_range(&self) -> bool {
        self.lock().main.is_some()
    }
}
