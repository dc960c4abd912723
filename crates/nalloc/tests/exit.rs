//! What a process says of its settings when it starts, and of its heap when it exits.

#[path = "support/child.rs"]
mod child;

use std::hint::black_box;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{self, Command, Output};
use std::{env, fs, io, thread};

use nalloc::NAlloc;

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

/// What a child says on standard error about the allocator, line by line.
fn said_by(test: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let output = child::run(test, variables);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    text.lines().filter(|line| line.starts_with("nalloc")).map(str::to_string).collect()
}

#[test]
fn statistics_are_told_once_at_exit() {
    const NAME: &str = "statistics_are_told_once_at_exit";
    if child::is_child(NAME) {
        let _phase = nalloc::phase("fill");
        return drop(black_box(vec![1u8; 5 << 20]));
    }
    assert_eq!(said_by(NAME, &[]), [""; 0]);

    let said = said_by(NAME, &[("NALLOC_STATS", "1")]);

    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("nalloc: peak 5."), "{said:?}");
    assert!(said[1].starts_with("nalloc: fill: 1 times, peak 5."), "{said:?}");
}

#[test]
fn statistics_go_to_a_file_as_json() {
    const NAME: &str = "statistics_go_to_a_file_as_json";
    if child::is_child(NAME) {
        return drop(black_box(vec![1u8; 5 << 20]));
    }
    let path = env::temp_dir().join(format!("nalloc-stats-{}.json", process::id()));

    let said = said_by(NAME, &[("NALLOC_STATS", path.to_str().expect("a path in UTF-8"))]);

    let text = fs::read_to_string(&path).expect("the statistics");
    fs::remove_file(&path).expect("the file is ours");
    assert_eq!(said, [""; 0]);
    assert!(text.starts_with("{\"liveBytes\":0,\"peakLiveBytes\":5") && text.ends_with("}\n"));
}

#[test]
fn what_cannot_be_read_is_said_once_and_the_default_holds() {
    const NAME: &str = "what_cannot_be_read_is_said_once_and_the_default_holds";
    if child::is_child(NAME) {
        let blocks: Vec<_> = (0..5).map(|_| black_box(vec![1u8; 1 << 20])).collect();
        drop(blocks);
        return assert_eq!(nalloc::stats().memory_limit_bytes, None);
    }

    let said = said_by(NAME, &[("NALLOC_MEMORY_LIMIT", "much"), ("NALLOC_STAT", "1")]);

    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("nalloc: NALLOC_STAT: unknown") && said[0].ends_with("_STATS"));
    assert!(
        said[1].contains("NALLOC_MEMORY_LIMIT: expected bytes") && said[1].contains("\"much\"")
    );
}

#[test]
fn the_banner_is_one_line() {
    const NAME: &str = "the_banner_is_one_line";
    if child::is_child(NAME) {
        return drop(black_box(vec![1u8; 1 << 20]));
    }

    let said = said_by(NAME, &[("NALLOC_VERBOSE", "1"), ("NALLOC_CACHE_LIMIT", "2G")]);

    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains(" NALLOC_CACHE_LIMIT=2147483648 "), "{said:?}");
}

/// Runs a program that was just written: a child of another test that has not begun yet may still
/// hold it open.
fn run(command: &mut Command) -> io::Result<Output> {
    loop {
        match command.output() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => thread::yield_now(),
            result => return result,
        }
    }
}

#[test]
fn a_process_with_more_rights_than_its_user_reads_no_variable() {
    const NAME: &str = "a_process_with_more_rights_than_its_user_reads_no_variable";
    const SECURE: &str = "runs with more rights";
    const NOBODY: u32 = 65_534;
    if child::is_child(NAME) {
        // SAFETY: getauxval has no preconditions.
        if unsafe { libc::getauxval(libc::AT_SECURE) } != 0 {
            eprintln!("{SECURE}");
        }
        return drop(black_box(vec![1u8; 1 << 20]));
    }
    let program = env::temp_dir().join(format!("nalloc-setuid-{}", process::id()));
    fs::copy(env::current_exe().expect("this test"), &program).expect("a copy");
    let set_uid = fs::Permissions::from_mode(0o4755);
    fs::set_permissions(&program, set_uid).expect("the file is ours");
    let mut command = child::command(&program, NAME, &[("NALLOC_VERBOSE", "1")]);

    let plain = run(&mut command);
    let raised = run(command.uid(NOBODY));

    fs::remove_file(&program).expect("the file is ours");
    let said = |output: Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let plain = said(plain.expect("a child process"));
    assert!(plain.contains("NALLOC_VERBOSE=1") && !plain.contains(SECURE), "{plain}");
    match raised.map(said) {
        Ok(text) if text.contains(SECURE) => assert!(!text.contains("NALLOC"), "{text}"),
        _ => eprintln!("skipped: no program can be run with more rights than its user's here"),
    }
}
