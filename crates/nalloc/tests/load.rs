//! A library with this allocator that a thread opens, uses and closes before it ends: the helper
//! thread that runs in it must not lose its code.

#[path = "support/child.rs"]
mod child;

use std::ffi::{CStr, CString, c_void};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, mem, thread};

/// Builds the library; None, with a printed reason, where there is no cargo.
fn library() -> Option<PathBuf> {
    let Ok(cargo) = env::var("CARGO") else {
        eprintln!("skipped: CARGO is not set, so there is nothing to build the library with");
        return None;
    };
    let folder = env!("CARGO_TARGET_TMPDIR");
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--offline", "--package", "nalloc-zk"]);
    build.args(["--example", "dlopened", "--target-dir", folder]);
    assert!(build.status().expect("cargo runs").success(), "the library is built");
    Some(PathBuf::from(folder).join("debug/examples/libdlopened.so"))
}

/// Opens the library, calls `work`, and closes it.
fn use_library(path: &CStr) {
    // SAFETY: the path ends in NUL, and the library's constructors may run.
    let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
    assert!(!library.is_null(), "{path:?} opens");
    // SAFETY: the library is open, and the name ends in NUL.
    let symbol: *mut c_void = unsafe { libc::dlsym(library, c"work".as_ptr()) };
    assert!(!symbol.is_null(), "it has the function");
    // SAFETY: `dlopened.rs` defines the function with this type.
    let work: extern "C" fn() -> i32 = unsafe { mem::transmute(symbol) };
    assert_eq!(work(), 1, "a helper lives");
    // SAFETY: the library was opened above and is not used by this thread any more.
    assert_eq!(unsafe { libc::dlclose(library) }, 0);
}

#[test]
fn a_library_that_is_closed_while_its_helper_lives_stays_until_that_is_done() {
    const NAME: &str = "a_library_that_is_closed_while_its_helper_lives_stays_until_that_is_done";
    const PATH: &str = "NALLOC_TEST_LIBRARY";
    let threads = || fs::read_dir("/proc/self/task").expect("the threads of this process").count();
    if child::is_child(NAME) {
        let before = threads();
        let path = CString::new(env::var(PATH).expect("the path")).expect("a path without NUL");
        for _ in 0..3 {
            let path = path.clone();
            thread::spawn(move || use_library(&path)).join().expect("a thread that uses it");
        }
        let start = Instant::now();
        while threads() > before {
            assert!(start.elapsed() < Duration::from_secs(30), "the helper ends");
            thread::sleep(Duration::from_millis(20));
        }
        return;
    }
    let Some(path) = library() else { return };

    let output = child::run(NAME, &[(PATH, path.to_str().expect("a path in UTF-8"))]);

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
