//! A memory allocator, arenas and secret buffers for zero-knowledge provers.

mod arena;
mod block;
mod error;
mod global;
mod heap;
mod os;
mod secret;
mod units;
mod zeroable;

pub use arena::{Arena, ArenaBuilder, Scope, SubArena};
pub use block::Block;
pub use error::{Error, MapFailed};
pub use secret::wipe;
pub use zeroable::Zeroable;
