//! Runs one test of this binary again in a process of its own, for promises that end a process or
//! change it for good.

use std::env;
use std::path::Path;
use std::process::{Command, Output};

const NAME: &str = "NALLOC_TEST_CHILD";

/// Whether this is the process in which `test` was started again.
pub fn is_child(test: &str) -> bool {
    env::var(NAME).is_ok_and(|name| name == test)
}

/// What starts `test` of `program`, a test binary, as a child with these variables in its
/// environment.
pub fn command(program: &Path, test: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(NAME, test)
        .envs(variables.iter().copied());
    command
}

/// Starts `test` again in a process of its own, with these variables in its environment, and waits
/// for its end.
pub fn run(test: &str, variables: &[(&str, &str)]) -> Output {
    let program = env::current_exe().expect("the path of this test");
    command(&program, test, variables).output().expect("a child process")
}
