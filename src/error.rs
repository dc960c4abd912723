//! Rust errors on their way to JavaScript: one code, one message, one place.
//!
//! The only file that knows how an error of a crate becomes `error.code` and `error.message`.

use std::{
    fmt::Display,
    panic::{AssertUnwindSafe, catch_unwind},
};

use napi::{Env, JsError, bindgen_prelude::Unknown};

/// The `code` of a JavaScript error, as docs/errors.md lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub &'static str);

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        self.0
    }
}

/// Native work still uses what was to be changed.
pub const BUSY: Code = Code("ERR_BUSY");
/// The task was cancelled; TypeScript turns it into the signal's reason.
pub const CANCELLED: Code = Code("ERR_CANCELLED");
/// A polynomial has a higher degree than the SRS has powers for.
pub const DEGREE: Code = Code("ERR_DEGREE");
/// A handle was used after `dispose()`.
pub const DISPOSED: Code = Code("ERR_DISPOSED");
/// A transform has no domain of so many elements.
pub const DOMAIN: Code = Code("ERR_DOMAIN");
/// The runtime lets JavaScript see no memory but its own.
pub const EXTERNAL_BUFFER: Code = Code("ERR_EXTERNAL_BUFFER");
/// An argument has the wrong type or value. TypeScript checks first, so this is a second line.
pub const INVALID_ARG: Code = Code("ERR_INVALID_ARG");
/// A file is not what it was before.
pub const FILE_CHANGED: Code = Code("ERR_FILE_CHANGED");
/// A file cannot be read.
pub const IO: Code = Code("ERR_IO");
/// A defect of nalloc itself.
pub const INTERNAL: Code = Code("ERR_INTERNAL");
/// Vectors that belong together have different lengths.
pub const LENGTH_MISMATCH: Code = Code("ERR_LENGTH_MISMATCH");
/// More memory would be needed than a limit allows.
pub const LIMIT: Code = Code("ERR_LIMIT");
/// A protection of secret memory could not be had.
pub const LOCK: Code = Code("ERR_LOCK");
/// A number is not below its modulus.
pub const NON_CANONICAL: Code = Code("ERR_NON_CANONICAL");
/// The system refused memory.
pub const NO_MEMORY: Code = Code("ERR_NO_MEMORY");
/// The waiting line is full.
pub const QUEUE_FULL: Code = Code("ERR_QUEUE_FULL");
/// A file ends too early.
pub const TRUNCATED: Code = Code("ERR_TRUNCATED");

/// What an export that throws at once returns.
pub type Result<T> = std::result::Result<T, napi::Error<Code>>;

/// An error that has not reached JavaScript yet. `Send`, unlike anything that refers to an `Env`.
#[derive(Debug)]
pub struct Failure {
    code: Code,
    message: String,
}

impl Failure {
    /// An error of the addon itself.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The system refused memory, as `error` says.
    pub fn no_memory(error: impl Display) -> Self {
        let advice = "Ask for less, or raise what stands in the way: ulimit -v, the memory of the \
                      container, vm.overcommit_memory";
        Self::new(NO_MEMORY, format!("{error}. {advice}"))
    }

    /// An object was used after its `dispose()`.
    pub fn disposed(what: &str) -> Self {
        let message = format!("{what}: expected a live one, got a disposed one. Make a new one");
        Self::new(DISPOSED, message)
    }

    /// The error of a job that was told to stop.
    pub fn cancelled() -> Self {
        Self::new(CANCELLED, "cancelled")
    }

    /// As the rejection of a promise: a JavaScript `Error` with `code` set. Only on the JavaScript
    /// thread of `env`.
    pub fn into_rejection(self, env: Env) -> napi::Error {
        let error: Unknown<'_> = JsError::from(napi::Error::<Code>::from(self)).into_unknown(env);
        napi::Error::from(error)
    }
}

impl From<Failure> for napi::Error<Code> {
    fn from(failure: Failure) -> Self {
        Self::new(failure.code, failure.message)
    }
}

impl From<nalloc_groth16::Error> for Failure {
    fn from(error: nalloc_groth16::Error) -> Self {
        Self::new(Code(error.code()), error.to_string())
    }
}

impl From<nalloc_bn254::Error> for Failure {
    fn from(error: nalloc_bn254::Error) -> Self {
        match error {
            nalloc_bn254::Error::Cancelled => Self::cancelled(),
            nalloc_bn254::Error::Memory(error) => error.into(),
            nalloc_bn254::Error::ThreadStart { .. } => {
                let advice = "Ask for fewer with configure({ threads }), or raise what stands in \
                              the way: ulimit -u, pids.max of the container";
                Self::new(NO_MEMORY, format!("{error}. {advice}"))
            }
            _ => Self::new(Code(error.code()), error.to_string()),
        }
    }
}

impl From<nalloc::MapFailed> for Failure {
    fn from(error: nalloc::MapFailed) -> Self {
        match error {
            nalloc::Error::Lock { .. } => {
                let advice = "Raise it: ulimit -l, LimitMEMLOCK= of systemd, --ulimit memlock= of \
                              Docker; or do not require 'locked'";
                Self::new(LOCK, format!("{error}. {advice}"))
            }
            nalloc::Error::Requirement { .. } => {
                Self::new(LOCK, format!("{error}. Provide what it needs, or do not require it"))
            }
            _ => Self::no_memory(error),
        }
    }
}

/// Runs `work` and turns a panic into `ERR_INTERNAL`: nothing unwinds out of a pool thread, which
/// would abort the host.
pub fn guard<T>(
    work: impl FnOnce() -> std::result::Result<T, Failure>,
) -> std::result::Result<T, Failure> {
    // Nothing that `work` captures is looked at again after a panic: it is moved in and dropped.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_payload| {
        // The payload may quote values, so it does not leave this function.
        Err(Failure::new(
            INTERNAL,
            "nalloc failed inside (a panic was caught): the process goes on; please report it",
        ))
    })
}
