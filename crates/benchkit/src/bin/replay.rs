//! `npm run bench:replay`, and what the tests of this crate start.

use std::process::ExitCode;

use benchkit::{Allocator, Dispatch, replay};

#[global_allocator]
static GLOBAL: Dispatch = Dispatch;

fn main() -> ExitCode {
    replay::main(Allocator::ALL)
}
