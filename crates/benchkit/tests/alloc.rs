//! The benchmark of allocators as a program: what it shows, whom it proves, what it refuses.

use std::process::{Command, Output};

/// Runs the program; a run that works takes the smallest sizes.
fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_alloc"))
        .args(arguments)
        .env("NALLOC_CACHE_LIMIT", "1")
        .output()
        .expect("a process")
}

fn text(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(error))
}

#[test]
fn a_quick_run_proves_every_allocator_finds_what_it_wrote_and_shows_every_target() {
    let output = run(&["--quick"]);

    let text = text(&output);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{text}");
    for title in
        ["median ms", "min ms", "min ns", "resident after / idle / peak, MiB", "page faults"]
    {
        let header = text.lines().find(|line| line.starts_with(title)).expect(title);
        assert!(header.contains("glibc tuned 1") && header.ends_with("nalloc"), "{header}");
    }
    assert!(text.contains("proven: glibc 2.") && text.contains("64 MiB from the heap"), "{text}");
    // What the caller has in its environment reaches nobody.
    assert!(text.contains("proven: nalloc 0.") && !text.contains("limit 0 MiB"), "{text}");
    let verdicts = text.lines().filter(|line| line.ends_with("pass") || line.ends_with("FAIL"));
    assert!(verdicts.count() >= 50, "{text}");
    let is_missed = text.lines().any(|line| line.ends_with("FAIL"));
    assert_eq!(output.status.code(), Some(i32::from(is_missed)), "{text}");
}

#[test]
fn only_what_is_named_is_measured() {
    let text = text(&run(&["--quick", "burst"]));

    assert!(text.contains("burst of 96, worker"), "{text}");
    assert!(!text.contains("fill") && !text.contains("idle:"), "{text}");
}

#[test]
fn names_and_flags_that_do_not_exist_end_the_program_with_2() {
    for (argument, expected) in [("absent", "expected parts of"), ("--fast", "expected --quick")] {
        let output = run(&[argument]);

        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output).contains(expected), "{}", text(&output));
    }
}
