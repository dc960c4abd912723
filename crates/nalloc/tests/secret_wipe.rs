//! A dropped secret was overwritten before its pages went back: this program's own `munmap` keeps
//! them mapped, so that the bytes can be looked at. `cargo test --release` shows the same of a
//! program that was optimised as a whole.

#[path = "../../testkit/src/memory.rs"]
mod memory;
#[path = "support/page.rs"]
mod page;
#[path = "support/peek.rs"]
mod peek;

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use memory::{Needles, masked};
use nalloc::{Arena, NAlloc, SecretBuf};
use page::page_bytes;
use peek::peek;

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

/// Whether mappings that this program gives back are kept.
static IS_KEEPING: AtomicBool = AtomicBool::new(false);
/// The last one that was.
static KEPT: AtomicUsize = AtomicUsize::new(0);
static KEPT_BYTES: AtomicUsize = AtomicUsize::new(0);

/// Takes the place of the C library's function in this program.
///
/// # Safety
/// As munmap(2).
#[unsafe(no_mangle)]
unsafe extern "C" fn munmap(start: *mut c_void, bytes: usize) -> i32 {
    if IS_KEEPING.load(Ordering::SeqCst) {
        KEPT.store(start.expose_provenance(), Ordering::SeqCst);
        KEPT_BYTES.store(bytes, Ordering::SeqCst);
        return 0;
    }
    // SAFETY: the caller's promise.
    let result = unsafe { libc::syscall(libc::SYS_munmap, start, bytes) };
    i32::try_from(result).unwrap_or(-1)
}

/// Drops a secret and answers what is left of its body.
fn left_of<S>(secret: S) -> Vec<u8> {
    IS_KEEPING.store(true, Ordering::SeqCst);
    drop(secret);
    IS_KEEPING.store(false, Ordering::SeqCst);
    let (start, bytes) = (KEPT.swap(0, Ordering::SeqCst), KEPT_BYTES.load(Ordering::SeqCst));
    assert!(start != 0 && bytes > 2 * page_bytes(), "the secret's pages went another way");
    let body = ptr::with_exposed_provenance::<u8>(start + page_bytes());
    // SAFETY: the pages between the guards are still mapped, readable since the wipe.
    unsafe { std::slice::from_raw_parts(body, bytes - 2 * page_bytes()) }.to_vec()
}

/// What is looked for in the whole process; computed, so that no literal of it lies anywhere.
fn words() -> Vec<u64> {
    (1_u64..=64).map(|k| k.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17)).collect()
}

fn write_words(room: &mut [u8]) {
    for (at, k) in room.as_chunks_mut::<8>().0.iter_mut().zip(1_u64..=64) {
        *at = k.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17).to_le_bytes();
    }
}

/// Overwrites what the functions above left below this frame.
#[inline(never)]
#[expect(clippy::large_stack_arrays, reason = "the stack is what shall be overwritten")]
fn overwrite_stack() {
    let mut below = [0; 64 << 10];
    nalloc::wipe(&mut below);
}

// One test alone: the kept mapping and the memory that is searched are the process's.
#[test]
fn nothing_of_a_dropped_secret_is_left() {
    for len in [1, 100, 16_384, 100_000] {
        let secret = || {
            let mut secret = SecretBuf::new(len).expect("memory");
            secret.as_mut_slice().fill(0xa5);
            assert!(secret.as_slice().iter().all(|&byte| byte == 0xa5), "the control");
            secret
        };

        let (open, sealed) = (left_of(secret()), left_of(secret().seal()));

        assert!(open.len() >= len && open.iter().all(|&byte| byte == 0), "open, {len} bytes");
        assert!(sealed.iter().all(|&byte| byte == 0), "sealed, {len} bytes");
    }

    // The masks hide the needles from the search, which looks at every writable page.
    let needles = {
        let mut words = words();
        let needles = Needles::from_masked(&masked(&words));
        words.fill(0);
        std::hint::black_box(&words);
        needles
    };
    let mut secret = SecretBuf::new(100_000).expect("memory");
    write_words(secret.as_mut_slice());
    let start = secret.as_slice().as_ptr().addr();
    let mut arena = Arena::builder().capacity_bytes(1 << 20).secret(true).build().expect("memory");
    write_words(arena.alloc_array(300_000));
    arena.scope(|scope| write_words(scope.alloc_array(400_000)));
    arena.split(3).iter().for_each(|part| write_words(part.alloc_array(10_000)));

    let before = needles.count();
    assert_eq!(peek(start, 8).expect("ordinary pages")[..], secret.as_slice()[..8]);
    drop(secret);
    arena.reset();
    overwrite_stack();
    let after = needles.count();

    assert!(before.iter().all(|&count| count >= 3), "the control finds them: {before:?}");
    assert!(after.iter().all(|&count| count == 0), "{after:?}");
}
