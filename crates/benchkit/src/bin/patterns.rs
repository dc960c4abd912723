//! The benchmark of allocation patterns with every allocator that is compiled in, for the tests of
//! this crate. People run `cargo bench --bench zk_patterns`.

use std::process::ExitCode;

use benchkit::{Allocator, Dispatch, patterns};

#[global_allocator]
static GLOBAL: Dispatch = Dispatch;

fn main() -> ExitCode {
    patterns::main(Allocator::ALL)
}
