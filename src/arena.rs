//! `ArenaHandle`: the native side of an arena whose cursor is in JavaScript.
//!
//! It counts what the arena may take, and makes its windows when they are needed.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use napi_derive::napi;

use crate::{
    error::{Failure, Result},
    limit, number,
    region::{Memory, Region, Secrecy},
};

static ARENAS: AtomicU64 = AtomicU64::new(0);
static CAPACITY_BYTES: AtomicU64 = AtomicU64::new(0);
static SECRET_BYTES: AtomicU64 = AtomicU64::new(0);
static LOCKED_BYTES: AtomicU64 = AtomicU64::new(0);

/// Arenas that JavaScript has not disposed.
#[derive(Clone, Copy)]
pub struct Census {
    pub arenas: u64,
    /// What they may take.
    pub capacity_bytes: u64,
    /// In the windows of secret ones.
    pub secret_bytes: u64,
    /// The part of it that the kernel keeps out of swap.
    pub locked_bytes: u64,
}

/// How many arenas there are.
pub fn census() -> Census {
    // Relaxed, here and below: each number stands for itself.
    Census {
        arenas: ARENAS.load(Ordering::Relaxed),
        capacity_bytes: CAPACITY_BYTES.load(Ordering::Relaxed),
        secret_bytes: SECRET_BYTES.load(Ordering::Relaxed),
        locked_bytes: LOCKED_BYTES.load(Ordering::Relaxed),
    }
}

/// What an arena adds to the counts until it is dropped.
#[expect(clippy::struct_field_names, reason = "units stand in names")]
struct Share {
    capacity_bytes: u64,
    secret_bytes: u64,
    locked_bytes: u64,
}

impl Share {
    fn new(capacity_bytes: u64) -> Self {
        ARENAS.fetch_add(1, Ordering::Relaxed);
        CAPACITY_BYTES.fetch_add(capacity_bytes, Ordering::Relaxed);
        Self { capacity_bytes, secret_bytes: 0, locked_bytes: 0 }
    }

    fn add_secret(&mut self, memory: &Memory) {
        let [bytes, locked] = [memory.bytes(), memory.locked_bytes()].map(number::wide);
        SECRET_BYTES.fetch_add(bytes, Ordering::Relaxed);
        LOCKED_BYTES.fetch_add(locked, Ordering::Relaxed);
        self.secret_bytes += bytes;
        self.locked_bytes += locked;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        LOCKED_BYTES.fetch_sub(self.locked_bytes, Ordering::Relaxed);
        SECRET_BYTES.fetch_sub(self.secret_bytes, Ordering::Relaxed);
        CAPACITY_BYTES.fetch_sub(self.capacity_bytes, Ordering::Relaxed);
        ARENAS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What an arena shall be.
#[napi(object)]
pub struct ArenaSettings {
    /// Bytes of all its windows together.
    pub capacity_bytes: f64,
    /// Keep its pages out of swap, core dumps and children.
    pub is_secret: bool,
}

/// The native side of an arena.
#[napi]
pub struct ArenaHandle {
    secrecy: Secrecy,
    share: Mutex<Option<Share>>,
}

#[napi]
impl ArenaHandle {
    /// Takes no memory yet. Throws `ERR_LIMIT` above the memory limit of the process.
    #[napi(constructor, catch_unwind)]
    pub fn new(settings: ArenaSettings) -> Result<Self> {
        let capacity_bytes = number::byte_limit(settings.capacity_bytes);
        limit::admit("the arena", capacity_bytes)?;
        let secrecy = if settings.is_secret { Secrecy::Secret } else { Secrecy::Open };
        Ok(Self { secrecy, share: Mutex::new(Some(Share::new(capacity_bytes))) })
    }

    /// A new window of `bytes` zero bytes, a multiple of the page. Throws `ERR_NO_MEMORY`,
    /// `ERR_DISPOSED`.
    #[napi(catch_unwind)]
    pub fn window(&self, bytes: f64) -> Result<Region> {
        let mut share = self.share.lock().unwrap_or_else(PoisonError::into_inner);
        let share = share.as_mut().ok_or_else(|| Failure::disposed("arena"))?;
        let memory = Memory::of_arena(number::bytes(bytes), self.secrecy)?;
        if self.secrecy == Secrecy::Secret {
            share.add_secret(&memory);
        }
        Ok(Region::new(memory))
    }

    /// It counts no more.
    #[napi(catch_unwind)]
    pub fn dispose(&self) {
        self.share.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
