//! The Node addon: thin glue between JavaScript and the crates. No algorithm, no policy.
//!
//! Owns the boundary: what crosses it, on which thread, and what happens when either side goes away
//! first. Every export catches unwinding, so that a bug is an error in JavaScript and not the end
//! of the host. `index.d.ts` is generated from these files.

#![expect(clippy::needless_pass_by_value, reason = "Node-API hands every argument over by value")]

mod arena;
mod compute;
mod error;
mod file;
mod heap;
mod host;
mod key;
mod kzg;
mod limit;
mod line;
mod number;
mod openings;
mod phase;
mod points;
mod polynomial;
mod preloaded;
mod prove;
mod region;
mod secret;
mod setup;
mod share;
mod srs;
mod sum;
mod task;
mod transform;
mod variable;
mod vector;
mod verify;
mod witness;

use nalloc::NAlloc;

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();
