//! A child made by fork can allocate and free, whatever the threads of its parent were at.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

use nalloc::{Block, NAlloc};

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

/// Children, unless `NALLOC_TEST_FORKS` says how many.
const FORKS: usize = 400;
const WAIT_MAX: Duration = Duration::from_secs(30);

/// What a child does: large blocks, zeroed and not, from the heap that it inherited.
fn child() -> bool {
    for bytes in [64 << 10, 300_000, 3 << 20] {
        let zeroed = vec![0u8; bytes];
        let mut copied = vec![7u8; bytes];
        copied.resize(bytes * 2, 8);
        if zeroed.iter().any(|&byte| byte != 0) || copied[bytes - 1] != 7 {
            return false;
        }
        nalloc::release_cache();
    }
    let stats = nalloc::stats();
    stats.releasing_bytes == 0 && Block::zeroed(1 << 20, 64).is_ok()
}

/// The exit status of `pid`, or None when it does not end in time; it is then killed.
fn wait(pid: libc::pid_t) -> Option<libc::c_int> {
    let start = Instant::now();
    let mut status = 0;
    loop {
        // SAFETY: `status` is writable.
        if unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) } == pid {
            return Some(status);
        }
        if start.elapsed() > WAIT_MAX {
            // SAFETY: the child is ours and was not waited for.
            unsafe { libc::kill(pid, libc::SIGKILL) };
            // SAFETY: `status` is writable.
            unsafe { libc::waitpid(pid, &raw mut status, 0) };
            return None;
        }
        thread::yield_now();
    }
}

#[test]
fn no_child_hangs_while_many_threads_allocate() {
    static IS_OVER: AtomicBool = AtomicBool::new(false);
    let forks = env::var("NALLOC_TEST_FORKS").ok().and_then(|text| text.parse().ok());
    // A helper thread comes and goes all the time.
    nalloc::set_cache_limit(1 << 20);
    thread::scope(|scope| {
        for k in 1..=6 {
            scope.spawn(move || {
                while !IS_OVER.load(Ordering::Relaxed) {
                    let mut block = vec![0u8; k * 90_000];
                    block.resize(k * 150_000, 1);
                    drop(block);
                    if k == 1 {
                        nalloc::release_cache();
                    }
                }
            });
        }
        for round in 0..forks.unwrap_or(FORKS) {
            // SAFETY: the child allocates, which is what is tested, and leaves by `_exit`.
            let pid = unsafe { libc::fork() };
            if pid == 0 {
                let code = i32::from(!child());
                // SAFETY: `_exit` has no preconditions.
                unsafe { libc::_exit(code) };
            }
            assert!(pid > 0, "fork");
            let status = wait(pid);
            if status != Some(0) {
                IS_OVER.store(true, Ordering::Relaxed);
            }
            assert_eq!(status, Some(0), "child {round}");
        }
        IS_OVER.store(true, Ordering::Relaxed);
    });
}
