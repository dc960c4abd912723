//! However a process ends by itself, its secrets are wiped before it is gone. A function that the C
//! library calls after the wipe looks at what is left.

#[path = "support/child.rs"]
mod child;

use std::mem::forget;
use std::sync::atomic::{AtomicUsize, Ordering};

use nalloc::{Arena, NAlloc, SecretBuf};

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

const WAY: &str = "NALLOC_TEST_WAY";
const IS_WIPED: i32 = 40;
const IS_LEFT: i32 = 41;

/// Where the secrets are, and how long each is.
static PLACES: [(AtomicUsize, AtomicUsize); 5] =
    [const { (AtomicUsize::new(0), AtomicUsize::new(0)) }; 5];

fn note(place: usize, bytes: &mut [u8]) {
    bytes.fill(0x5a);
    PLACES[place].0.store(bytes.as_ptr().addr(), Ordering::SeqCst);
    PLACES[place].1.store(bytes.len(), Ordering::SeqCst);
}

/// Ends the process with what it finds; registered before the first secret, so that it runs last.
extern "C" fn look() {
    let is_zero = |(address, len): &(AtomicUsize, AtomicUsize)| {
        let start = std::ptr::with_exposed_provenance::<u8>(address.load(Ordering::SeqCst));
        // SAFETY: the secret is never dropped, and is open after the wipe. One that was not wiped
        // and is sealed ends this process by a signal, which the test sees.
        (0..len.load(Ordering::SeqCst)).all(|at| unsafe { start.add(at).read_volatile() } == 0)
    };
    let is_wiped = PLACES.iter().all(is_zero);
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(if is_wiped { IS_WIPED } else { IS_LEFT }) }
}

extern "C" fn exit_on_signal(_: i32) {
    // SAFETY: the main thread waits in `pause`, so no lock of the C library is held.
    unsafe { libc::exit(0) }
}

fn end(way: &str) {
    // SAFETY: `look` needs nothing that is gone at exit.
    assert_eq!(unsafe { libc::atexit(look) }, 0);
    let mut kept = [100, 100, 100_000].map(|len| SecretBuf::new(len).expect("memory"));
    for (place, secret) in kept.iter_mut().enumerate() {
        note(place, secret.as_mut_slice());
    }
    let [small, sealed, long] = kept;
    let mut arena = Arena::builder().capacity_bytes(1 << 20).secret(true).build().expect("memory");
    note(3, arena.alloc_array(300_000));
    arena.scope(|scope| note(4, scope.alloc_array(400_000)));
    forget((small, sealed.seal(), long, arena));

    match way {
        "exit" => std::process::exit(3),
        "panic" => panic!("meant"),
        "signal" => {
            // SAFETY: the handler is a function of this program.
            unsafe { libc::signal(libc::SIGTERM, exit_on_signal as *const () as usize) };
            // SAFETY: raise has no preconditions.
            unsafe { libc::raise(libc::SIGTERM) };
        }
        "wiped-by-hand" => {
            // SAFETY: this is the only thread that knows of a secret.
            unsafe { nalloc::wipe_all_secrets() };
            look();
        }
        // The control: nothing of the C library runs.
        "control" => look(),
        _ => {}
    }
}

#[test]
fn secrets_are_wiped_however_a_process_ends_by_itself() {
    const NAME: &str = "secrets_are_wiped_however_a_process_ends_by_itself";
    if child::is_child(NAME) {
        return end(&std::env::var(WAY).expect("a way"));
    }
    for way in ["exit", "panic", "signal", "return", "wiped-by-hand"] {
        let output = child::run(NAME, &[(WAY, way)]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(IS_WIPED), "{way}: {said}");
    }
    let control = child::run(NAME, &[(WAY, "control")]);
    assert_ne!(control.status.code(), Some(IS_WIPED), "the control finds the secrets");
}

#[test]
fn a_secret_may_be_dropped_after_the_wipe_at_exit() {
    const NAME: &str = "a_secret_may_be_dropped_after_the_wipe_at_exit";
    if child::is_child(NAME) {
        let mut secret = SecretBuf::new(100).expect("memory");
        secret.as_mut_slice().fill(1);
        // SAFETY: this is the only thread that knows of a secret.
        unsafe { nalloc::wipe_all_secrets() };
        assert_eq!(secret.as_slice(), [0; 100]);
        return drop(secret);
    }
    let output = child::run(NAME, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
