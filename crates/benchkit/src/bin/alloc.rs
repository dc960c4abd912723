//! `npm run bench:alloc`, and what the tests of this crate start.

use std::process::ExitCode;

use benchkit::{Allocator, Dispatch, alloc};

#[global_allocator]
static GLOBAL: Dispatch = Dispatch;

fn main() -> ExitCode {
    alloc::main(Allocator::ALL)
}
