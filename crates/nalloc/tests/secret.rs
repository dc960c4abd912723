//! What the kernel does for a secret, and how a program dies that writes where it should not.

#[path = "support/child.rs"]
mod child;
#[path = "support/maps.rs"]
mod maps;
#[path = "support/page.rs"]
mod page;
#[path = "support/peek.rs"]
mod peek;
#[path = "support/skip.rs"]
mod skip;

use std::io;
use std::os::unix::process::ExitStatusExt as _;

use maps::mapping_of;
use nalloc::{Backing, Error, Require, SecretBuf};
use page::page_bytes;
use peek::peek;
use skip::skip;

/// Too long for `memfd_secret` unless it is asked for.
const ANONYMOUS_LEN: usize = 100_000;
/// Short enough for it.
const SMALL_LEN: usize = 1000;

/// Runs a test again and asserts that it dies by `signal` with `message`.
fn assert_dies(name: &str, signal: i32, message: &str) {
    let output = child::run(name, &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(signal), "{said}");
    assert!(said.contains(message), "{said}");
}

/// Runs a test again in a process of its own and asserts that it passes there, or says why not.
fn assert_passes(name: &str) {
    let output = child::run(name, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    if let Some(reason) = said.lines().find_map(|line| line.strip_prefix("skipped: ")) {
        skip(reason);
    }
}

/// Changes one byte where a program with a defect would.
fn poke(address: *const u8) {
    // SAFETY: none: this is the defect that is tested, and the process is there to die of it.
    let byte = unsafe { address.read_volatile() };
    // SAFETY: as above.
    unsafe { address.cast_mut().write_volatile(!byte) }
}

/// Whether the kernel itself may read a byte for this process; a guard can so be touched without
/// dying of it.
fn is_readable(address: usize) -> bool {
    let mut ends = [0; 2];
    // SAFETY: there is room for two descriptors.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
    let byte = std::ptr::without_provenance::<libc::c_void>(address);
    // SAFETY: the kernel checks the address.
    let written = unsafe { libc::write(ends[1], byte, 1) };
    let errno = io::Error::last_os_error().raw_os_error();
    assert!(written == 1 || errno == Some(libc::EFAULT), "{errno:?}");
    for end in ends {
        // SAFETY: the descriptor is ours and closed once.
        unsafe { libc::close(end) };
    }
    written == 1
}

/// The errno with which another process that may look into this one is refused, or 0.
fn errno_of_a_look(address: usize) -> i32 {
    let mut byte = 0_u8;
    let local = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let there = std::ptr::without_provenance_mut(address);
    let remote = libc::iovec { iov_base: there, iov_len: 1 };
    // SAFETY: the local byte is writable, and the kernel checks the address.
    let got = unsafe {
        libc::process_vm_readv(libc::getpid(), &raw const local, 1, &raw const remote, 1, 0)
    };
    if got == 1 { 0 } else { io::Error::last_os_error().raw_os_error().unwrap_or(-1) }
}

/// A small secret in `memfd_secret`; None, with the reason said, where the kernel has none.
fn in_memfd() -> Option<SecretBuf> {
    let require = Require { memfd_secret: true, ..Require::default() };
    match SecretBuf::with_requirements(SMALL_LEN, require) {
        Ok(secret) => Some(secret),
        Err(Error::Requirement { errno, .. }) => {
            skip(&format!("the kernel gives no memfd_secret (errno {errno})"));
            None
        }
        Err(error) => panic!("{error}"),
    }
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
    assert_dies(NAME, libc::SIGABRT, "nalloc: secret: expected the canary around it, got other");
}

#[test]
fn a_write_into_the_rounding_behind_the_secret_aborts_at_drop() {
    const NAME: &str = "a_write_into_the_rounding_behind_the_secret_aborts_at_drop";
    if child::is_child(NAME) {
        let secret = SecretBuf::new(33).expect("memory");
        poke(secret.as_slice().as_ptr().wrapping_add(33));
        return;
    }
    assert_dies(NAME, libc::SIGABRT, "nalloc: secret: expected the canary around it, got other");
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
fn guards_on_both_sides_refuse_even_the_kernel() {
    for len in [1, 16, 5000, ANONYMOUS_LEN] {
        let secret = SecretBuf::new(len).expect("memory");
        let start = secret.as_slice().as_ptr().addr();
        let (front, end) = (start / page_bytes() * page_bytes(), start + len.next_multiple_of(16));

        assert!(secret.status().is_guarded);
        assert!(is_readable(start) && is_readable(end - 1), "the body of {len} bytes");
        for guard in [front - 1, end] {
            assert!(!is_readable(guard), "a guard of {len} bytes");
            assert_eq!(mapping_of(guard).access, "---p", "a guard of {len} bytes");
        }
    }
}

#[test]
fn the_kernel_shows_the_protections_that_status_claims() {
    for len in [SMALL_LEN, ANONYMOUS_LEN] {
        let secret = SecretBuf::new(len).expect("memory");
        let start = secret.as_slice().as_ptr().addr();
        let status = secret.status();
        let mapping = mapping_of(start);
        let flags = &mapping.flags;

        assert_eq!(flags.contains(" lo "), status.is_locked, "{mapping:?}");
        assert_eq!(flags.contains(" dd "), status.is_hidden_from_dumps, "{mapping:?}");
        let is_kept_from_children = match status.backing {
            Backing::MemfdSecret => flags.contains(" dc "),
            _ => flags.contains(" wf "),
        };
        assert_eq!(is_kept_from_children, status.is_wiped_on_fork, "{mapping:?}");
        if status.is_locked && status.backing == Backing::Anonymous {
            let pages = len.div_ceil(page_bytes()) * page_bytes();
            assert_eq!(mapping.locked_kib, u64::try_from(pages >> 10).expect("a length"));
        }
        let sealed = secret.seal();
        assert!(mapping_of(start).access.starts_with("---"));
        assert_eq!(sealed.status(), status);
    }
}

#[test]
fn a_long_secret_is_anonymous_and_a_short_one_is_what_the_kernel_has() {
    let long = SecretBuf::new(ANONYMOUS_LEN).expect("memory");
    assert_eq!(long.status().backing, Backing::Anonymous);
    let error = long.require(Require { memfd_secret: true, ..Require::default() });
    assert!(matches!(error, Err(Error::Requirement { .. })), "{error:?}");

    let Some(short) = in_memfd() else { return };
    assert_eq!(short.status().backing, Backing::MemfdSecret);
    assert_eq!(SecretBuf::new(SMALL_LEN).map(|other| other.status()), Ok(short.status()));
    let require = Require { memfd_secret: true, ..Require::ALL };
    let long = SecretBuf::with_requirements(ANONYMOUS_LEN, require).expect("the kernel has it");
    assert_eq!((long.len(), long.status().backing), (ANONYMOUS_LEN, Backing::MemfdSecret));
}

#[test]
fn no_debugger_reads_memfd_secret() {
    let Some(mut secret) = in_memfd() else { return };
    secret.as_mut_slice().fill(0x5a);
    let start = secret.as_slice().as_ptr().addr();
    let control = SecretBuf::new(ANONYMOUS_LEN).expect("memory");
    let plain = control.as_slice().as_ptr().addr();

    assert_eq!((peek(plain, 1).expect("the control"), errno_of_a_look(plain)), (vec![0], 0));
    let refused = peek(start, 1).expect_err("memfd_secret").raw_os_error();
    assert_eq!(refused, Some(libc::EIO));
    assert_eq!(errno_of_a_look(start), libc::EFAULT);
    assert!(is_readable(start), "the process itself may");
}

#[test]
fn a_sealed_secret_refuses_other_processes_that_read_by_address() {
    for len in [SMALL_LEN, ANONYMOUS_LEN] {
        let secret = SecretBuf::new(len).expect("memory");
        let start = secret.as_slice().as_ptr().addr();

        let mut sealed = secret.seal();

        assert_eq!(errno_of_a_look(start), libc::EFAULT);
        assert!(!is_readable(start));
        let is_open = sealed.with(|_| is_readable(start)).expect("pages that can be read");
        assert!(is_open && !is_readable(start), "open inside `with` and only there");
    }
}

#[test]
fn a_panic_inside_with_leaves_the_secret_sealed() {
    let secret = SecretBuf::new(SMALL_LEN).expect("memory");
    let start = secret.as_slice().as_ptr().addr();
    let mut sealed = secret.seal();

    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        sealed.with(|bytes| assert!(bytes.is_empty(), "meant to panic"))
    }));

    assert!(caught.is_err() && sealed.is_protected() && !is_readable(start));
}

/// Lowers the limit of locked memory and gives up the right to go beyond it; false when that right
/// cannot be given up.
fn without_locked_memory(bytes: u64) -> bool {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    // SAFETY: `limit` is a readable rlimit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) }, 0);
    // SAFETY: geteuid has no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        return true;
    }
    // Root may lock beyond the limit; nobody may not.
    // SAFETY: setuid has no preconditions.
    unsafe { libc::setuid(65534) == 0 }
}

#[test]
fn without_a_limit_for_locked_memory_require_names_the_limit() {
    const NAME: &str = "without_a_limit_for_locked_memory_require_names_the_limit";
    if !child::is_child(NAME) {
        return assert_passes(NAME);
    }
    if !without_locked_memory(4096) {
        return skip("this user may lock without limit and cannot become another one");
    }

    let secret = SecretBuf::new(ANONYMOUS_LEN).expect("memory");
    let error = SecretBuf::with_requirements(ANONYMOUS_LEN, Require::ALL).expect_err("a limit");

    assert!(!secret.status().is_locked && secret.status().is_hidden_from_dumps);
    assert!(matches!(error, Error::Lock { rlimit: 4096, wanted: 100_000.., .. }), "{error:?}");
    assert!(error.to_string().contains("RLIMIT_MEMLOCK is 4096 bytes"), "{error}");
    assert!(error.to_string().contains("ulimit -l"), "{error}");
    assert_eq!(secret.require(Require::default()), Ok(()));
    let counts = nalloc::stats();
    assert_eq!(counts.locked_bytes, 0, "nothing half-made is counted");
}

#[test]
fn without_any_locked_memory_a_small_secret_is_anonymous_and_says_so() {
    const NAME: &str = "without_any_locked_memory_a_small_secret_is_anonymous_and_says_so";
    if !child::is_child(NAME) {
        return assert_passes(NAME);
    }
    if !without_locked_memory(0) {
        return skip("this user may lock without limit and cannot become another one");
    }
    let before = nalloc::stats();

    let secret = SecretBuf::new(SMALL_LEN).expect("memory");
    let require = Require { memfd_secret: true, ..Require::default() };
    let error = SecretBuf::with_requirements(SMALL_LEN, require).expect_err("a limit");

    let status = secret.status();
    assert_eq!((status.is_locked, status.backing), (false, Backing::Anonymous));
    assert!(status.is_hidden_from_dumps && status.is_wiped_on_fork && status.is_guarded);
    assert!(error.to_string().contains("ulimit -l"), "{error}");
    assert!(SecretBuf::with_requirements(SMALL_LEN, Require::ALL).is_err());
    drop(secret);
    assert_eq!(nalloc::stats(), before, "nothing half-made stays");
}

#[test]
fn a_secret_that_the_machine_has_no_room_for_is_refused() {
    const NAME: &str = "a_secret_that_the_machine_has_no_room_for_is_refused";
    const WANTED: u64 = 1 << 46;
    if !child::is_child(NAME) {
        return assert_passes(NAME);
    }
    let before = nalloc::stats();

    let len = usize::try_from(WANTED).expect("64 bits");
    for require in [Require::default(), Require::ALL] {
        let error = SecretBuf::with_requirements(len, require).err();
        assert_eq!(error, Some(Error::NoMemory { wanted: WANTED }));
    }

    assert_eq!(nalloc::stats(), before, "nothing half-made stays");
}

/// What a child made by fork, or by a bare clone, makes of `body`: its exit code or its signal.
fn in_forked(is_bare: bool, body: impl FnOnce() -> i32) -> Result<i32, i32> {
    let pid = if is_bare {
        // A bare clone runs no handler of the C library.
        // SAFETY: the child leaves by `_exit` and touches its own memory only.
        let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
        libc::pid_t::try_from(pid).expect("a process id")
    } else {
        // SAFETY: as above.
        unsafe { libc::fork() }
    };
    assert!(pid >= 0, "{}", io::Error::last_os_error());
    if pid == 0 {
        let code = body();
        // SAFETY: `_exit` has no preconditions.
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    // SAFETY: `status` is writable.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    if libc::WIFEXITED(status) {
        Ok(libc::WEXITSTATUS(status))
    } else {
        Err(libc::WTERMSIG(status))
    }
}

#[test]
fn a_child_made_by_fork_finds_zeros_and_may_drop_them() {
    for len in [SMALL_LEN, ANONYMOUS_LEN] {
        let mut secret = SecretBuf::new(len).expect("memory");
        secret.as_mut_slice().fill(9);
        if !secret.status().is_wiped_on_fork {
            return skip("the kernel cannot wipe on fork");
        }

        let address = secret.as_slice().as_ptr();
        let mut secret = Some(secret);
        let end = in_forked(false, || {
            let mut mine = secret.take().expect("the child's copy");
            let is_zero = mine.as_slice().iter().all(|&byte| byte == 0);
            mine.as_mut_slice().fill(1);
            drop(mine);
            if is_zero { 7 } else { 8 }
        });

        assert_eq!(end, Ok(7), "{len}");
        let secret = secret.expect("the parent's");
        assert!(
            secret.as_slice().iter().all(|&byte| byte == 9)
                && secret.as_slice().as_ptr() == address
        );
    }
}

#[test]
fn a_child_made_by_a_bare_clone_finds_zeros_or_dies() {
    for len in [SMALL_LEN, ANONYMOUS_LEN] {
        let mut secret = SecretBuf::new(len).expect("memory");
        secret.as_mut_slice().fill(9);
        let status = secret.status();
        if !status.is_wiped_on_fork {
            return skip("the kernel cannot wipe on fork");
        }

        let start = secret.as_slice().as_ptr();
        // SAFETY: in the child the page may be missing, which is what is tested.
        let end = in_forked(true, || i32::from(unsafe { start.read_volatile() }) + 7);

        let expected =
            if status.backing == Backing::MemfdSecret { Err(libc::SIGSEGV) } else { Ok(7) };
        assert_eq!(end, expected, "{len}");
    }
}

#[test]
fn a_sealed_secret_is_zero_in_a_child_too() {
    for len in [SMALL_LEN, ANONYMOUS_LEN] {
        let mut secret = SecretBuf::new(len).expect("memory");
        secret.as_mut_slice().fill(9);
        if !secret.status().is_wiped_on_fork {
            return skip("the kernel cannot wipe on fork");
        }
        let mut sealed = secret.seal();

        let end = in_forked(false, || {
            let sum = sealed.with(|bytes| bytes.iter().map(|&byte| i32::from(byte)).sum::<i32>());
            sum.map_or(99, |sum| sum + 7)
        });

        assert_eq!(end, Ok(7), "{len}");
        assert_eq!(sealed.with(|bytes| bytes[len - 1]), Ok(9));
    }
}

#[test]
fn a_retired_secret_leaves_zeros_that_anybody_may_write_to() {
    for (len, is_sealed) in [(SMALL_LEN, false), (SMALL_LEN, true), (ANONYMOUS_LEN, false)] {
        let retired = nalloc::stats().retired_bytes;
        let mut secret = SecretBuf::new(len).expect("memory");
        secret.as_mut_slice().fill(9);
        let start = secret.as_mut_slice().as_mut_ptr();

        if is_sealed {
            secret.seal().retire();
        } else {
            secret.retire();
        }

        for offset in [0, len / 2, len - 1] {
            // SAFETY: retired bytes stay mapped, readable and writable, and belong to nobody.
            let byte = unsafe { start.add(offset).read_volatile() };
            assert_eq!(byte, 0);
            // SAFETY: as above.
            unsafe { start.add(offset).write_volatile(3) };
        }
        assert!(nalloc::stats().retired_bytes >= retired + 4096, "other tests may retire too");
    }
}

#[test]
fn thousands_of_secrets_are_made_and_dropped_by_many_threads() {
    std::thread::scope(|scope| {
        for k in 0..8_usize {
            scope.spawn(move || {
                let mut kept = Vec::new();
                for step in 0..200 {
                    let len = (k * 37 + step * 101) % 20_000;
                    let mut secret = SecretBuf::new(len).expect("memory");
                    secret.as_mut_slice().fill(7);
                    match step % 3 {
                        0 => kept.push(secret.seal()),
                        1 => drop(kept.pop()),
                        _ => {}
                    }
                }
                for mut sealed in kept {
                    let is_whole = sealed.with(|bytes| bytes.iter().all(|&byte| byte == 7));
                    assert_eq!(is_whole, Ok(true));
                }
            });
        }
    });
}
