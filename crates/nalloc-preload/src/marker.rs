//! Tells `nalloc run` that this object was loaded: a line at the end of the file that it named.
//!
//! A preload fails without a word where the loader does not read `LD_PRELOAD`: in a static program,
//! and in one with more rights than its user. So the runner looks for this line.

use core::ffi::{c_char, c_int};

/// Names the file.
const VARIABLE: &core::ffi::CStr = c"NALLOC_RUN_MARKER";
/// What the line begins with; the number of the process follows.
const WORDS: &[u8] = concat!("nalloc ", env!("CARGO_PKG_VERSION"), " ").as_bytes();
const LINE_BYTES_MAX: usize = 64;

unsafe extern "C" {
    fn secure_getenv(name: *const c_char) -> *mut c_char;
}

extern "C" fn mark() {
    // SAFETY: the name ends in NUL.
    let path = unsafe { secure_getenv(VARIABLE.as_ptr()) };
    if path.is_null() {
        return;
    }
    let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CLOEXEC | libc::O_NOFOLLOW;
    // SAFETY: the path ends in NUL.
    let file = unsafe { libc::open(path, flags) };
    if file < 0 {
        // A child that outlives the runner: nobody asks any more.
        return;
    }
    let mut line = [0; LINE_BYTES_MAX];
    let used = write_line(&mut line);
    // SAFETY: that many bytes of the line were written. Without them the runner says what it sees.
    let _written = unsafe { libc::write(file, line.as_ptr().cast(), used) };
    // SAFETY: the file is ours.
    let _closed: c_int = unsafe { libc::close(file) };
}

/// Writes the line; how many bytes it has.
fn write_line(line: &mut [u8; LINE_BYTES_MAX]) -> usize {
    line[..WORDS.len()].copy_from_slice(WORDS);
    let mut digits = [0; 20];
    let mut rest = std::process::id();
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    let digits = &digits[first..];
    let end = WORDS.len() + digits.len();
    line[WORDS.len()..end].copy_from_slice(digits);
    line[end] = b'\n';
    end + 1
}

// SAFETY: the section holds pointers to functions that run once, at load, before `main`; this one
// needs nothing but the C library, which is set up before.
#[used]
#[unsafe(link_section = ".init_array")]
static MARK: extern "C" fn() = mark;
