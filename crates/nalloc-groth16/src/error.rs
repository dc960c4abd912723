//! The one error type of this crate: its codes, which are an interface, and its messages, which are
//! for people. Those about a file as such are [`FileError`]'s.
//!
//! A message says what was expected, what was found, where, and what to do about it. It never
//! holds a witness value, a blinding scalar or a coordinate.

use core::fmt;

use nalloc::MapFailed;
use nalloc_bn254::file::{FileError, Place};

/// Why a file was refused or a proof not made.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// An argument, or a field of a JSON text, is not what it must be.
    Argument {
        /// Which argument.
        name: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        got: String,
    },
    /// A file that cannot be read, or that does not hold what it must.
    File(FileError),
    /// Keys of another proof system.
    UnsupportedProtocol {
        /// Where the file says so.
        place: Place,
        /// What it says.
        got: String,
    },
    /// A circuit with gates that Groth16 does not have.
    CustomGates {
        /// Where the file has them.
        place: Place,
    },
    /// A coefficient's matrix, row or signal does not exist.
    IndexRange {
        /// Where the coefficient stands.
        place: Place,
        /// Which coefficient, and which of its indices.
        what: String,
        /// How many there are.
        limit: u32,
        /// The index.
        got: u32,
    },
    /// A key for which everybody can forge proofs: gamma equals delta, because nobody contributed to
    /// the second phase of the setup, or the key was made for development.
    InsecureKey {
        /// The file.
        file: String,
        /// Whether the key says that it was made for development.
        is_unsafe_dev: bool,
    },
    /// A witness over another field.
    PrimeMismatch {
        /// Where the file says so.
        place: Place,
        /// What it says.
        got: String,
    },
    /// A witness of another circuit.
    WitnessLength {
        /// The witness.
        file: String,
        /// Values that the key expects.
        expected: u32,
        /// Values that the witness has.
        got: u32,
    },
    /// The first value of a witness is not 1.
    WitnessOne {
        /// The witness.
        file: String,
    },
    /// The predicted memory is above the caller's limit.
    Limit {
        /// What needs the memory.
        what: &'static str,
        /// Bytes that it needs.
        needed: u64,
        /// Bytes that the caller allows.
        limit: u64,
    },
    /// The finished proof does not verify against its own key.
    SelfVerify {
        /// The key.
        file: String,
    },
    /// The observer asked to stop.
    Cancelled,
    /// The system has no memory.
    Memory(MapFailed),
    /// The system has no random numbers.
    Random {
        /// What it said.
        reason: String,
    },
    /// A defect of this crate.
    Internal(nalloc_bn254::Error),
}

impl Error {
    /// The stable name of the error: `ERR_` and what is wrong.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Argument { .. } => "ERR_INVALID_ARG",
            Self::File(error) => error.code(),
            Self::UnsupportedProtocol { .. } | Self::CustomGates { .. } => {
                "ERR_UNSUPPORTED_PROTOCOL"
            }
            Self::IndexRange { .. } => "ERR_INDEX_RANGE",
            Self::InsecureKey { .. } => "ERR_INSECURE_KEY",
            Self::PrimeMismatch { .. } => "ERR_PRIME_MISMATCH",
            Self::WitnessLength { .. } => "ERR_WITNESS_LENGTH",
            Self::WitnessOne { .. } => "ERR_WITNESS_ONE",
            Self::Limit { .. } => "ERR_LIMIT",
            Self::SelfVerify { .. } => "ERR_SELF_VERIFY",
            Self::Cancelled => "ERR_CANCELLED",
            Self::Memory(_) => "ERR_NO_MEMORY",
            Self::Random { .. } | Self::Internal(_) => "ERR_INTERNAL",
        }
    }

    /// Messages about what stands in a file.
    fn write_content_message(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsupportedProtocol { place, got } => write!(
                f,
                "{place}: expected a Groth16 key, got {got}. Use a prover of that protocol, or run \
                 the setup again with groth16"
            ),
            Self::CustomGates { place } => write!(
                f,
                "{place}: expected a circuit without custom gates, got some, and Groth16 has none. \
                 Compile it without custom templates, or use a prover of PLONK"
            ),
            Self::IndexRange { place, what, limit, got } => {
                write!(f, "{place}: {what}: expected less than {limit}, got {got}")
            }
            Self::InsecureKey { file, is_unsafe_dev: true } => write!(
                f,
                "{file}: expected a key from a ceremony, got one of nalloc setup --unsafe-dev, \
                 whose secrets everybody knows, so anybody can forge proofs. For development \
                 there is allowInsecure"
            ),
            Self::InsecureKey { file, is_unsafe_dev: false } => write!(
                f,
                "{file}: expected delta to differ from gamma, got the same: nobody contributed to \
                 phase 2, so anybody can forge proofs. For tests only there is allowInsecure"
            ),
            other => other.write_proof_message(f),
        }
    }

    /// Messages about making one proof.
    fn write_proof_message(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PrimeMismatch { place, got } => {
                write!(f, "{place}: expected a witness modulo BN254's r, got {got}")
            }
            Self::WitnessLength { file, expected, got } => write!(
                f,
                "{file}: expected {expected} values for this key, got {got}: the witness is of \
                 another circuit"
            ),
            Self::WitnessOne { file } => {
                write!(f, "{file}: expected 1 as the first value of the witness, got another")
            }
            Self::Limit { what, needed, limit } => write!(
                f,
                "{what}: expected at most {limit} bytes of memory, got a need of {needed}. Raise \
                 the limit"
            ),
            Self::SelfVerify { file } => write!(
                f,
                "{file}: expected the finished proof to verify against its key, got one that does \
                 not: the witness does not satisfy the circuit, or the key is damaged"
            ),
            Self::Memory(failure) => fmt::Display::fmt(failure, f),
            Self::Random { reason } => {
                write!(f, "random numbers: expected some from the system, got \"{reason}\"")
            }
            Self::Internal(error) => write!(f, "a defect of nalloc, please report it: {error}"),
            _ => write!(f, "cancelled: the caller asked to stop"),
        }
    }
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<MapFailed> for Error {
    fn from(failure: MapFailed) -> Self {
        Self::Memory(failure)
    }
}

impl From<nalloc_bn254::Error> for Error {
    fn from(error: nalloc_bn254::Error) -> Self {
        match error {
            nalloc_bn254::Error::Cancelled => Self::Cancelled,
            nalloc_bn254::Error::Memory(failure) => Self::Memory(failure),
            nalloc_bn254::Error::File(error) => Self::File(error),
            other => Self::Internal(other),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument { name, expected, got } => {
                write!(f, "{name}: expected {expected}, got {got}")
            }
            Self::File(error) => error.fmt(f),
            other => other.write_content_message(f),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::File(error) => Some(error),
            Self::Memory(failure) => Some(failure),
            Self::Internal(error) => Some(error),
            _ => None,
        }
    }
}
