//! A test in a process of its own, for promises about a whole process.

use std::env;
use std::process::{Command, Output};

const TEST: &str = "NALLOC_TESTKIT_CHILD";
const ARGUMENT: &str = "NALLOC_TESTKIT_ARGUMENT";

/// In the process in which `test` was started again: what it was given.
#[must_use]
pub fn argument(test: &str) -> Option<String> {
    let is_child = env::var(TEST).is_ok_and(|name| name == test);
    is_child.then(|| env::var(ARGUMENT).unwrap_or_default())
}

/// Starts `test` of the running test binary again, alone in a new process, and waits for its end.
///
/// # Panics
/// When no process can be started.
#[must_use]
pub fn run(test: &str, argument: &str) -> Output {
    let program = env::current_exe().expect("the path of this program");
    Command::new(program)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(TEST, test)
        .env(ARGUMENT, argument)
        .output()
        .expect("a new process")
}
