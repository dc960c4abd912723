//! The replay of traces as a program.

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_replay")).args(arguments).output().expect("a process")
}

#[test]
fn a_quick_replay_shows_every_column_and_judges_time_and_peak() {
    let output = run(&["--quick", "halo2", "groth16"]);

    let text = String::from_utf8_lossy(&output.stdout);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    for title in ["median ms", "min ms", "resident after / idle / peak, MiB", "page faults"] {
        let header = text.lines().find(|line| line.starts_with(title)).expect(title);
        assert!(header.contains("glibc tuned 1") && header.ends_with("nalloc"), "{header}");
    }
    assert!(text.contains("halo2: time") && text.contains("halo2: peak, 75 live"), "{text}");
    assert!(!text.contains("winter"), "{text}");
}

#[test]
fn a_trace_that_does_not_exist_ends_the_program_with_2() {
    let output = run(&["absent"]);

    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("expected parts of") && said.contains("plonky2"), "{said}");
}
