//! How much secret memory and how many arenas there are in this process: counted where they are
//! made, taken back where they end; and how much was left mapped because somebody may point to it.
//!
//! Equation: secret = in buffers + in arenas, locked <= secret. The counts are no part of the
//! heap's: secret arenas lie in its range, other secrets have mappings of their own.

use core::sync::atomic::{AtomicU64, Ordering};

static SECRET_BUFFER_BYTES: AtomicU64 = AtomicU64::new(0);
static SECRET_ARENA_BYTES: AtomicU64 = AtomicU64::new(0);
static LOCKED_BYTES: AtomicU64 = AtomicU64::new(0);
static ARENAS: AtomicU64 = AtomicU64::new(0);
static RETIRED_BYTES: AtomicU64 = AtomicU64::new(0);

/// What one arena or secret adds to the counts until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    secret_bytes: u64,
    locked_bytes: u64,
    arenas: u64,
}

/// The counts of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Census {
    pub(crate) secret_bytes: u64,
    pub(crate) secret_arena_bytes: u64,
    pub(crate) locked_bytes: u64,
    pub(crate) arenas: u64,
    pub(crate) retired_bytes: u64,
}

/// Counts memory that stays mapped for good.
pub(crate) fn retire(bytes: u64) {
    RETIRED_BYTES.fetch_add(bytes, Ordering::Relaxed);
}

impl Share {
    /// A secret in pages of `bytes` bytes that are not locked yet.
    pub(crate) fn of_secret(bytes: u64) -> Self {
        Self::count(bytes, 0)
    }

    /// An arena with `secret_bytes` bytes for secrets.
    pub(crate) fn of_arena(secret_bytes: u64) -> Self {
        Self::count(secret_bytes, 1)
    }

    fn count(secret_bytes: u64, arenas: u64) -> Self {
        // Relaxed, here and below: each number stands for itself and orders no other memory.
        secrets_of(arenas).fetch_add(secret_bytes, Ordering::Relaxed);
        ARENAS.fetch_add(arenas, Ordering::Relaxed);
        Self { secret_bytes, locked_bytes: 0, arenas }
    }

    /// The pages are locked from now on.
    pub(crate) fn lock(&mut self) {
        LOCKED_BYTES.fetch_add(self.secret_bytes - self.locked_bytes, Ordering::Relaxed);
        self.locked_bytes = self.secret_bytes;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        LOCKED_BYTES.fetch_sub(self.locked_bytes, Ordering::Relaxed);
        secrets_of(self.arenas).fetch_sub(self.secret_bytes, Ordering::Relaxed);
        ARENAS.fetch_sub(self.arenas, Ordering::Relaxed);
    }
}

/// Where the secret bytes of so many arenas are counted: of one, or of none.
fn secrets_of(arenas: u64) -> &'static AtomicU64 {
    if arenas == 0 { &SECRET_BUFFER_BYTES } else { &SECRET_ARENA_BYTES }
}

/// The counts, now.
pub(crate) fn census() -> Census {
    let secret_arena_bytes = SECRET_ARENA_BYTES.load(Ordering::Relaxed);
    let secret_bytes = SECRET_BUFFER_BYTES.load(Ordering::Relaxed) + secret_arena_bytes;
    Census {
        secret_bytes,
        secret_arena_bytes,
        // Another thread may have come in between the loads.
        locked_bytes: LOCKED_BYTES.load(Ordering::Relaxed).min(secret_bytes),
        arenas: ARENAS.load(Ordering::Relaxed),
        retired_bytes: RETIRED_BYTES.load(Ordering::Relaxed),
    }
}
