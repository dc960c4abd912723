//! One way to measure allocators, for every benchmark of this repository that compares them.
//!
//! The rules, in the order in which a run follows them:
//!
//! 1. Each contestant is an allocator with settings in a process of its own: the same program again
//!    (see [`worker`]), so that resident memory is each one's own.
//! 2. Each process proves which allocator serves it, before and after its rounds ([`proof`]).
//! 3. Results are checked before anything is timed.
//! 4. Rounds of different contestants take turns ([`rounds`]), so that what the machine does
//!    meanwhile hits all of them.
//! 5. Minimum and median, resident memory, its peak and page faults are printed together.
//! 6. Targets are compared with what was measured; the program ends with 1 when one is missed.
//! 7. `--record` appends the figures and the machine to benches/record/ ([`record`]).
//!
//! One binary holds every allocator that was compiled in, and the environment says before `main`
//! which one serves a process ([`allocator`]). The alternative, a binary per allocator, needs cargo
//! to build siblings of a benchmark, which it does not; and it makes it easy to measure one
//! allocator twice under two names.

pub mod alloc;
pub mod allocator;
pub mod contention;
pub mod contestant;
pub mod format;
pub mod machine;
pub mod options;
pub mod patterns;
pub mod proof;
pub mod record;
pub mod replay;
pub mod rounds;
pub mod table;
pub mod target;
pub mod usage;
pub mod worker;

pub use allocator::{Allocator, Dispatch};
