//! Secrets that come in the environment: seen where they are, so that no copy is made on the way.

use core::ffi::CStr;

use crate::os::linux::secret as verbs;

/// Runs `body` with the value of an environment variable, or None when it is unset.
///
/// The bytes are those that the process has: copied into a [`SecretBuf`](crate::SecretBuf) they
/// pass through no `String`, and what `body` overwrites is gone from the environment too. What the
/// kernel shows as `/proc/self/environ` is the same memory, unless the variable was set later.
///
/// ```
/// let length = unsafe { nalloc::with_variable(c"NOT_SET", |value| value.map(|v| v.len())) };
/// assert_eq!(length, None);
/// ```
///
/// # Safety
/// No other thread reads or changes the environment during this call.
pub unsafe fn with_variable<R>(name: &CStr, body: impl FnOnce(Option<&mut [u8]>) -> R) -> R {
    // SAFETY: the caller's promise; the bytes do not leave `body`.
    body(unsafe { verbs::variable(name) })
}
