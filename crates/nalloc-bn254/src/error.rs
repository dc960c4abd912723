//! The one error type of this crate.

use core::fmt;

use nalloc::MapFailed;

use crate::curve::PointError;
use crate::file::FileError;

/// Why an operation could not be done.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The observer asked to stop. Results and scratch hold nothing of use.
    Cancelled,
    /// A file that cannot be read, or that does not hold what it must.
    File(FileError),
    /// Memory for a table, a result or scratch could not be had.
    Memory(MapFailed),
    /// The field has no root of unity of this order.
    DomainTooLarge {
        /// log2 of the number of points that was asked for.
        log2: u32,
        /// log2 of the largest domain of the field.
        log2_max: u32,
    },
    /// Two slices that belong together have different lengths.
    LengthMismatch {
        /// What the second slice holds.
        what: &'static str,
        /// How many elements it should have.
        expected: usize,
        /// How many it has.
        got: usize,
    },
    /// A scalar is not below r.
    ScalarNotCanonical {
        /// Its index.
        index: usize,
    },
    /// A coordinate of a point is not below q.
    PointNotCanonical {
        /// The point's index.
        index: usize,
    },
    /// The bytes of a point are not those of one.
    Point {
        /// The point's index.
        index: usize,
        /// What is wrong with it.
        reason: PointError,
    },
    /// The bytes of an element are a number that is not below the field's modulus.
    ElementNotCanonical {
        /// The field.
        field: &'static str,
        /// The element's index.
        index: usize,
    },
    /// The divisor is the zero polynomial.
    DivisionByZero,
    /// A value that was to be inverted is zero.
    ValueIsZero {
        /// Its index.
        index: usize,
    },
    /// The factor of a coset is zero.
    ShiftIsZero,
    /// Two points of an interpolation are equal.
    PointRepeated {
        /// The later one's index.
        index: usize,
        /// The earlier one's index.
        first: usize,
    },
    /// There is nothing where there must be something.
    Empty {
        /// What was empty.
        what: &'static str,
    },
    /// A number of values that no domain has.
    NotPowerOfTwo {
        /// What there are so many of.
        what: &'static str,
        /// How many there were.
        got: usize,
    },
    /// A polynomial with more coefficients than its values on a domain determine.
    TooManyCoefficients {
        /// The number of points of the domain.
        max: usize,
        /// How many coefficients there were.
        got: usize,
    },
    /// Values on one coset, and values on another.
    CosetMismatch,
    /// More points than one multi-scalar multiplication takes.
    TooManyPoints {
        /// The most that it takes.
        max: usize,
        /// How many there were.
        got: usize,
    },
    /// A polynomial has more coefficients than the SRS, or a prover, has powers of tau for.
    DegreeTooLarge {
        /// Its degree.
        degree: usize,
        /// The highest degree.
        degree_max: usize,
    },
    /// A polynomial shall be opened twice at one point.
    RepeatedPoint {
        /// The polynomial's index.
        polynomial: usize,
    },
    /// The predicted memory is above the caller's limit.
    MemoryLimit {
        /// Bytes that are needed.
        needed: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
    /// Points that are not the structured reference string of a ceremony.
    SrsRefused {
        /// What they should be.
        expected: &'static str,
        /// What they are.
        got: &'static str,
    },
    /// A point of a structured reference string does not fit those before it.
    SrsPointRefused {
        /// What it should be.
        what: &'static str,
        /// Its index.
        index: usize,
    },
    /// The system has no random numbers.
    Random {
        /// What it answered.
        reason: String,
    },
    /// A number of threads outside of what a pool can have.
    ThreadCount {
        /// The most threads of a pool; the least is 1.
        max: usize,
        /// How many were asked for.
        got: usize,
    },
    /// The system refused to start the threads of a pool.
    ThreadStart {
        /// How many threads were asked for.
        threads: usize,
        /// What the system answered.
        reason: String,
    },
}

impl Error {
    /// The stable name of the error: `ERR_` and what is wrong. `ERR_INTERNAL` is what no caller
    /// causes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Cancelled => "ERR_CANCELLED",
            Self::File(error) => error.code(),
            Self::Memory(_) | Self::ThreadStart { .. } => "ERR_NO_MEMORY",
            Self::DomainTooLarge { .. }
            | Self::NotPowerOfTwo { .. }
            | Self::TooManyCoefficients { .. }
            | Self::CosetMismatch => "ERR_DOMAIN",
            Self::LengthMismatch { .. } => "ERR_LENGTH_MISMATCH",
            Self::ScalarNotCanonical { .. }
            | Self::PointNotCanonical { .. }
            | Self::ElementNotCanonical { .. } => "ERR_NON_CANONICAL",
            Self::Point { reason, .. } => reason.code(),
            Self::DivisionByZero
            | Self::ValueIsZero { .. }
            | Self::ShiftIsZero
            | Self::PointRepeated { .. }
            | Self::RepeatedPoint { .. }
            | Self::Empty { .. }
            | Self::TooManyPoints { .. }
            | Self::ThreadCount { .. } => "ERR_INVALID_ARG",
            Self::DegreeTooLarge { .. } => "ERR_DEGREE",
            Self::MemoryLimit { .. } => "ERR_LIMIT",
            Self::SrsRefused { .. } | Self::SrsPointRefused { .. } => "ERR_BAD_SRS",
            Self::Random { .. } => "ERR_INTERNAL",
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

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => write!(f, "cancelled: the caller asked to stop"),
            Self::File(error) => error.fmt(f),
            Self::Memory(failure) => failure.fmt(f),
            Self::DomainTooLarge { log2, log2_max } => {
                write!(f, "domain: expected at most 2^{log2_max} points, got 2^{log2}")
            }
            Self::LengthMismatch { what, expected, got } => {
                write!(f, "{what}: expected {expected} elements, got {got}")
            }
            Self::ScalarNotCanonical { index } => {
                write!(f, "scalar {index}: expected a number below r, got one at or above it")
            }
            Self::PointNotCanonical { index } => {
                write!(f, "point {index}: expected coordinates below q, got one at or above it")
            }
            Self::Point { index, reason } => {
                write!(f, "point {index}: ")?;
                reason.write_reason(f)
            }
            Self::ElementNotCanonical { field, index } => {
                write!(f, "element {index}: expected a number below the modulus of {field}, ")?;
                write!(f, "got one at or above it")
            }
            Self::DivisionByZero => {
                write!(f, "divisor: expected a polynomial that is not zero, got zero")
            }
            Self::ValueIsZero { index } => {
                write!(f, "value {index}: expected one that has an inverse, got zero")
            }
            Self::ShiftIsZero => {
                write!(f, "shift of a coset: expected an element that is not zero, got zero")
            }
            Self::PointRepeated { index, first } => {
                write!(
                    f,
                    "point {index}: expected one that was not there before, got point {first}"
                )
            }
            Self::Empty { what } => write!(f, "{what}: expected at least one, got none"),
            Self::NotPowerOfTwo { what, got } => {
                write!(f, "{what}: expected a power of two of them, got {got}")
            }
            Self::TooManyCoefficients { max, got } => {
                write!(f, "coefficients: expected at most {max}, one for each point, got {got}")
            }
            Self::CosetMismatch => {
                write!(f, "values: expected those on the same coset, got those on another")
            }
            Self::TooManyPoints { max, got } => {
                write!(f, "points: expected at most {max}, got {got}")
            }
            Self::DegreeTooLarge { degree, degree_max } => {
                write!(f, "polynomial: expected a degree of at most {degree_max}, got {degree}")
            }
            Self::RepeatedPoint { polynomial } => write!(
                f,
                "points of polynomial {polynomial}: expected different ones, got one twice"
            ),
            Self::MemoryLimit { needed, limit } => write!(
                f,
                "memory: expected a need of at most {limit} bytes, got {needed}. Raise the limit, \
                 or ask for fewer coefficients"
            ),
            Self::SrsRefused { expected, got } => write!(f, "SRS: expected {expected}, got {got}"),
            Self::SrsPointRefused { what, index } => write!(
                f,
                "SRS: {what} {index}: expected that of the tau of tau G2, got another point"
            ),
            Self::Random { reason } => {
                write!(f, "random numbers: expected them from the system, got \"{reason}\"")
            }
            Self::ThreadCount { max, got } => {
                write!(f, "threads: expected an integer in 1..{max}, got {got}")
            }
            Self::ThreadStart { threads, reason } => {
                write!(f, "threads: expected {threads} to start, got \"{reason}\"")
            }
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::File(error) => Some(error),
            Self::Point { reason, .. } => Some(reason),
            Self::Memory(failure) => Some(failure),
            _ => None,
        }
    }
}
