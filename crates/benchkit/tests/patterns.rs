//! The benchmark of allocation patterns as a program: its columns, its proofs, its worker.

use std::io::Write as _;
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_patterns");

/// What a worker under this allocator answers.
fn answers(allocator: &str, requests: &str) -> Vec<String> {
    let mut child = Command::new(PROGRAM)
        .args(["--quick", "--worker"])
        .env("BENCHKIT_ALLOCATOR", allocator)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut stdin = child.stdin.take().expect("an input");
    stdin.write_all(requests.as_bytes()).expect("a worker that reads");
    drop(stdin);
    let output = child.wait_with_output().expect("the end of its input ends it");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

#[test]
fn a_quick_run_shows_every_column_and_proves_every_allocator() {
    let output = Command::new(PROGRAM)
        .arg("--quick")
        .env("MALLOC_MMAP_THRESHOLD_", "4294967296")
        .output()
        .expect("a process");

    let text = String::from_utf8(output.stdout).expect("text");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{text}{said}");
    // Four blocks in each of three tables, unless memory was too short for all of one.
    for title in ["median ms", "min ms", "resident after / peak, MiB", "page faults"] {
        let header = text.lines().find(|line| line.starts_with(title)).expect(title);
        assert!(header.ends_with("nalloc") && header.contains("glibc  "), "{header}");
        assert!(header.contains("glibc tuned"), "{header}");
    }
    // What the caller had in its environment reaches nobody; what a contestant is given does.
    assert!(
        text.contains("proven: glibc 2.") && text.contains("64 MiB mapped on its own"),
        "{text}"
    );
    assert!(text.contains("64 MiB from the heap"), "{text}");
    assert!(text.contains("proven: nalloc 0."), "{text}");
    let verdicts = text.lines().filter(|line| line.ends_with("pass") || line.ends_with("FAIL"));
    assert!(verdicts.count() >= 10, "{text}");
}

#[test]
fn a_worker_says_who_serves_it_whatever_it_was_told() {
    assert_eq!(answers("nalloc", "prove\n"), ["ok nalloc"]);
    assert_eq!(answers("glibc", "prove\n"), ["ok glibc"]);
    assert_eq!(answers("nalloq", "prove\n"), ["ok glibc"]);
}

#[test]
fn a_worker_checks_and_measures_and_refuses_what_it_does_not_know() {
    let requests = "check phase-burst\nround phase-burst\nround absent\nprove\n";

    let lines = answers("nalloc", requests);

    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!(lines[0].trim_end(), "ok");
    let figures: Vec<f64> =
        lines[1].split(' ').skip(1).map(|figure| figure.parse().expect("a figure")).collect();
    assert_eq!(figures.len(), 4, "{lines:?}");
    // What is resident is at least the program, and never above the peak.
    assert!(figures[0] > 0.0 && figures[1] > 0.0 && figures[2] >= figures[1], "{lines:?}");
    assert_eq!(lines[2], "error no pattern \"absent\"");
    assert_eq!(lines[3], "ok nalloc");
}

#[test]
fn arguments_that_are_not_understood_end_the_program_with_2() {
    let output = Command::new(PROGRAM).arg("--fast").output().expect("a process");

    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("expected --quick, --record, got \"--fast\""), "{said}");
}
