//! Runs one test of this binary again in a process of its own, for promises that end a process or
//! change it for good.

use std::env;
use std::process::{Command, Output};

const NAME: &str = "NALLOC_TEST_CHILD";

/// Whether this is the process in which `test` was started again.
pub fn is_child(test: &str) -> bool {
    env::var(NAME).is_ok_and(|name| name == test)
}

/// Starts `test` again in a process of its own and waits for its end.
pub fn run(test: &str) -> Output {
    let program = env::current_exe().expect("the path of this test");
    Command::new(program)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(NAME, test)
        .output()
        .expect("a child process")
}
