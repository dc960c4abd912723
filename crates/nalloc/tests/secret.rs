//! What the kernel does for a secret, and how a program dies that writes where it should not.

#[path = "support/child.rs"]
mod child;

use std::fs;
use std::os::unix::process::ExitStatusExt;

use nalloc::{Error, Require, SecretBuf};

/// The first line and the flags of the mapping that holds `address`.
fn mapping_of(address: usize) -> (String, String) {
    let maps = fs::read_to_string("/proc/self/smaps").expect("smaps");
    let mut head = None;
    for line in maps.lines() {
        let range = line.split_once(' ').and_then(|(range, _)| range.split_once('-'));
        if let Some((from, to)) = range {
            let hex = |text| usize::from_str_radix(text, 16);
            if let (Ok(from), Ok(to)) = (hex(from), hex(to)) {
                head = (from..to).contains(&address).then(|| line.to_owned());
            }
        }
        if let (Some(head), Some(flags)) = (&head, line.strip_prefix("VmFlags:")) {
            return (head.clone(), flags.to_owned() + " ");
        }
    }
    (String::new(), String::new())
}

/// Runs a test again and asserts that it dies by `signal` with `message`.
fn assert_dies(name: &str, signal: i32, message: &str) {
    let output = child::run(name, &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(signal), "{said}");
    assert!(said.contains(message), "{said}");
}

fn page_bytes() -> usize {
    // SAFETY: sysconf has no preconditions.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).expect("a page size")
}

/// Writes one byte where a program with a defect would.
fn poke(address: *const u8) {
    // SAFETY: none: this is the defect that is tested, and the process is there to die of it.
    unsafe { address.cast_mut().write_volatile(1) }
}

#[test]
fn a_write_one_page_before_dies_with_sigsegv() {
    const NAME: &str = "a_write_one_page_before_dies_with_sigsegv";
    if child::is_child(NAME) {
        let secret = SecretBuf::new(page_bytes()).expect("memory");
        eprintln!("secret made");
        return poke(secret.as_slice().as_ptr().wrapping_sub(1));
    }
    assert_dies(NAME, libc::SIGSEGV, "secret made");
}

#[test]
fn a_write_one_past_the_rounded_end_dies_with_sigsegv() {
    const NAME: &str = "a_write_one_past_the_rounded_end_dies_with_sigsegv";
    if child::is_child(NAME) {
        let secret = SecretBuf::new(32).expect("memory");
        eprintln!("secret made");
        return poke(secret.as_slice().as_ptr().wrapping_add(32));
    }
    assert_dies(NAME, libc::SIGSEGV, "secret made");
}

#[test]
fn a_write_before_the_secret_aborts_at_drop() {
    const NAME: &str = "a_write_before_the_secret_aborts_at_drop";
    if child::is_child(NAME) {
        let secret = SecretBuf::new(32).expect("memory");
        poke(secret.as_slice().as_ptr().wrapping_sub(1));
        return;
    }
    assert_dies(NAME, libc::SIGABRT, "secret: expected the canary around it");
}

#[test]
fn a_write_into_the_rounding_behind_the_secret_aborts_at_drop() {
    const NAME: &str = "a_write_into_the_rounding_behind_the_secret_aborts_at_drop";
    if child::is_child(NAME) {
        let secret = SecretBuf::new(33).expect("memory");
        poke(secret.as_slice().as_ptr().wrapping_add(33));
        return;
    }
    assert_dies(NAME, libc::SIGABRT, "secret: expected the canary around it");
}

#[test]
fn a_read_of_a_sealed_secret_dies_with_sigsegv() {
    const NAME: &str = "a_read_of_a_sealed_secret_dies_with_sigsegv";
    if child::is_child(NAME) {
        let secret = SecretBuf::new(32).expect("memory");
        let start = secret.as_slice().as_ptr();
        let sealed = secret.seal();
        assert!(sealed.is_protected());
        eprintln!("secret sealed");
        // SAFETY: none: this is the defect that is tested.
        let byte = unsafe { start.read_volatile() };
        eprintln!("got {byte}");
        return;
    }
    assert_dies(NAME, libc::SIGSEGV, "secret sealed");
}

#[test]
fn the_kernel_shows_the_protections_that_status_claims() {
    let secret = SecretBuf::new(5000).expect("memory");
    let start = secret.as_slice().as_ptr().addr();
    let status = secret.status();
    let (_, flags) = mapping_of(start);

    assert_eq!(flags.contains(" lo "), status.is_locked, "{flags}");
    assert_eq!(flags.contains(" dd "), status.is_hidden_from_dumps, "{flags}");
    assert_eq!(flags.contains(" wf "), status.is_wiped_on_fork, "{flags}");
    for guard in [start / page_bytes() * page_bytes() - 1, start + 5008] {
        let (head, _) = mapping_of(guard);
        assert!(head.contains("---p"), "a guard at {guard:#x}: {head}");
    }
    let sealed = secret.seal();
    assert!(mapping_of(start).0.contains("---p"));
    drop(sealed);
}

#[test]
fn without_a_limit_for_locked_memory_require_names_the_limit() {
    const NAME: &str = "without_a_limit_for_locked_memory_require_names_the_limit";
    if !child::is_child(NAME) {
        let output = child::run(NAME, &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let limit = libc::rlimit { rlim_cur: 4096, rlim_max: 4096 };
    // SAFETY: `limit` is a readable rlimit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) }, 0);
    // Root may lock beyond the limit; nobody may not.
    // SAFETY: setuid has no preconditions.
    let _may_be_refused = unsafe { libc::setuid(65534) };

    let secret = SecretBuf::new(100_000).expect("memory");
    let error = SecretBuf::with_requirements(100_000, Require::ALL).expect_err("a limit");

    assert!(!secret.status().is_locked);
    assert!(matches!(error, Error::Lock { rlimit: 4096, wanted: 100_000.., .. }), "{error:?}");
    assert!(error.to_string().contains("RLIMIT_MEMLOCK is 4096 bytes"), "{error}");
    assert_eq!(secret.require(Require::default()), Ok(()));
}

#[test]
fn a_child_made_by_fork_finds_zeros_and_may_drop_them() {
    let mut secret = SecretBuf::new(1000).expect("memory");
    secret.as_mut_slice().fill(9);
    if !secret.status().is_wiped_on_fork {
        eprintln!("skipped: the kernel cannot wipe on fork");
        return;
    }

    // SAFETY: the child touches only its copy of the secret, and leaves by `_exit`.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let is_wiped = secret.as_slice().iter().all(|&byte| byte == 0);
        drop(secret);
        // SAFETY: `_exit` has no preconditions.
        unsafe { libc::_exit(if is_wiped { 7 } else { 8 }) };
    }
    let mut status = 0;
    // SAFETY: `status` is writable.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);

    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 7, "status {status}");
    assert_eq!(secret.as_slice(), [9; 1000]);
}
