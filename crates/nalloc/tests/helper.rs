//! The helper thread of a real process: it gives memory back while nobody calls, and is in nobody's
//! way. Each promise has a process of its own; what takes seconds gets ten times as long.

#[path = "support/child.rs"]
mod child;

use std::fs;
use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use nalloc::NAlloc;

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

const MIB: u64 = 1 << 20;
/// What is promised after 3 seconds.
const WAIT_MAX: Duration = Duration::from_secs(30);
const LIMIT: (&str, &str) = ("NALLOC_CACHE_LIMIT", "64M");

/// Runs a test again with the cache limited to 64 MiB and asserts that it succeeds there.
fn run_well(test: &str) {
    let output = child::run(test, &[LIMIT]);
    assert!(output.status.success(), "{test}: {}", String::from_utf8_lossy(&output.stderr));
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < WAIT_MAX, "{what}: {:?}", nalloc::stats());
        thread::sleep(Duration::from_millis(20));
    }
}

/// Threads of this process by number.
fn threads() -> Vec<String> {
    let folder = fs::read_dir("/proc/self/task").expect("the threads of this process");
    folder
        .map(|entry| entry.expect("a thread").file_name().into_string().expect("digits"))
        .collect()
}

/// Leaves 300 MiB cached.
fn work() {
    let blocks: Vec<_> = (0..10).map(|_| black_box(vec![1u8; 30 << 20])).collect();
    drop(blocks);
}

/// Runs `body` in a child made by fork, whose only thread it is; its exit code, or None when a
/// signal ended it or it had to be killed.
fn in_child(body: impl FnOnce() -> i32) -> Option<i32> {
    // SAFETY: the child may allocate (`fork.rs` shows it) and leaves by `_exit`.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork");
    if pid == 0 {
        let code = body();
        // SAFETY: `_exit` has no preconditions.
        unsafe { libc::_exit(code) };
    }
    let (start, mut status) = (Instant::now(), 0);
    // SAFETY: `status` is writable.
    while unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) } != pid {
        if start.elapsed() > WAIT_MAX {
            // SAFETY: the child is ours and was not waited for.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
        thread::sleep(Duration::from_millis(5));
    }
    libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status))
}

#[test]
fn memory_goes_back_while_nobody_calls_and_the_helper_with_it() {
    const NAME: &str = "memory_goes_back_while_nobody_calls_and_the_helper_with_it";
    if !child::is_child(NAME) {
        return run_well(NAME);
    }
    let before = nalloc::rss_bytes().expect("statm");
    let alone = threads().len();
    let mut survivors = Vec::new();
    for (count, mib) in [(24, 32), (8, 96), (64, 12)] {
        let blocks: Vec<_> = (0..count).map(|_| black_box(vec![1u8; mib << 20])).collect();
        survivors.push(black_box(vec![2u8; 100_000]));
        drop(blocks);
    }
    assert!(nalloc::stats().has_helper && threads().len() == alone + 1);
    assert!(nalloc::rss_bytes().expect("statm") > before + 700 * MIB);

    let live = nalloc::stats().live_bytes;
    let most = before + live + (64 + 64 + 2 * 3) * MIB;
    wait_until("resident memory", || nalloc::rss_bytes().expect("statm") <= most);
    wait_until("the end of the helper", || threads().len() == alone);

    let stats = nalloc::stats();
    assert!(!stats.has_helper && stats.cached_bytes <= 64 * MIB, "{stats:?}");
    assert!(survivors.iter().flatten().all(|&byte| byte == 2));
}

#[test]
fn no_signal_is_taken_by_the_helper() {
    const NAME: &str = "no_signal_is_taken_by_the_helper";
    if !child::is_child(NAME) {
        return run_well(NAME);
    }
    let before = threads();
    work();
    let helper = threads().into_iter().find(|thread| !before.contains(thread)).expect("a helper");

    let status = fs::read_to_string(format!("/proc/self/task/{helper}/status")).expect("a thread");

    let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).expect("a mask");
    let blocked = u64::from_str_radix(blocked.trim(), 16).expect("a mask");
    for signal in 1..=64 {
        // Two cannot be blocked, and two more belong to the C library.
        let is_free = [libc::SIGKILL, libc::SIGSTOP, 32, 33, 34].contains(&signal);
        assert!(is_free || blocked >> (signal - 1) & 1 == 1, "signal {signal} of {blocked:x}");
    }
}

#[test]
fn a_child_gives_back_by_a_helper_of_its_own() {
    const NAME: &str = "a_child_gives_back_by_a_helper_of_its_own";
    if !child::is_child(NAME) {
        return run_well(NAME);
    }
    work();
    assert!(nalloc::stats().has_helper);

    let code = in_child(|| {
        if nalloc::stats().has_helper || threads().len() != 1 {
            return 1;
        }
        work();
        if !nalloc::stats().has_helper || threads().len() != 2 {
            return 2;
        }
        wait_until("the child's cache", || nalloc::cached_bytes() <= 64 * MIB);
        0
    });

    assert_eq!(code, Some(0));
}

#[test]
fn a_user_namespace_can_be_entered_once_the_helper_is_gone() {
    const NAME: &str = "a_user_namespace_can_be_entered_once_the_helper_is_gone";
    if !child::is_child(NAME) {
        return run_well(NAME);
    }
    let enter = || {
        // SAFETY: unshare has no preconditions.
        let result = unsafe { libc::unshare(libc::CLONE_NEWUSER) };
        if result == 0 { 0 } else { std::io::Error::last_os_error().raw_os_error().unwrap_or(-1) }
    };
    let alone = in_child(enter).expect("an answer");
    if alone != 0 {
        eprintln!("skipped: no user namespace can be entered here (errno {alone})");
        return;
    }

    let code = in_child(|| {
        work();
        if enter() != libc::EINVAL {
            return 255;
        }
        wait_until("the end of the helper", || threads().len() == 1);
        enter()
    });

    assert_eq!(code, Some(0));
}

#[test]
fn a_process_whose_main_thread_ended_ends_with_the_helper() {
    const NAME: &str = "a_process_whose_main_thread_ended_ends_with_the_helper";
    if !child::is_child(NAME) {
        return run_well(NAME);
    }

    let code = in_child(|| {
        work();
        // SAFETY: this ends the calling thread and nothing else, as pthread_exit does.
        unsafe { libc::syscall(libc::SYS_exit, 0) };
        1
    });

    assert_eq!(code, Some(0));
}

#[test]
fn without_background_no_thread_appears() {
    const NAME: &str = "without_background_no_thread_appears";
    if !child::is_child(NAME) {
        let output = child::run(NAME, &[LIMIT, ("NALLOC_BACKGROUND", "0")]);
        let message = String::from_utf8_lossy(&output.stderr);
        return assert!(output.status.success(), "{message}");
    }
    let before = threads();

    work();

    assert_eq!(threads(), before);
    assert!(!nalloc::stats().has_helper && nalloc::cached_bytes() >= 300 * MIB);
}
