//! The atomic words of the lock: those of the machine, or, in `tests/loom.rs`, those of loom, which
//! tries every order in which threads can see them.

#[cfg(not(loom))]
pub(crate) use core::{
    hint::spin_loop,
    sync::atomic::{AtomicU32, Ordering},
};
#[cfg(loom)]
pub(crate) use loom::{
    hint::spin_loop,
    sync::atomic::{AtomicU32, Ordering},
};
