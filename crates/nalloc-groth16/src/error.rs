//! The one error type of this crate: its codes, which are an interface, and its messages, which are
//! for people.
//!
//! A message says what was expected, what was found, where, and what to do about it. It never
//! holds a witness value, a blinding scalar or a coordinate.

use core::fmt;

use nalloc::MapFailed;

/// Where something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as the caller named it.
    pub file: String,
    /// Where in the file.
    pub spot: Spot,
}

/// A spot in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spot {
    /// A byte outside of all sections, counted from the start of the file.
    Byte(u64),
    /// A byte of a section.
    Section {
        /// The section's number.
        id: u32,
        /// The byte, counted from the start of the file.
        offset: u64,
    },
    /// A field of a JSON text, such as `IC[3]`.
    Field(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.spot {
            Spot::Byte(offset) => write!(f, "{}, byte {offset}", self.file),
            Spot::Section { id, offset } => {
                write!(f, "{}, section {id}, byte {offset}", self.file)
            }
            Spot::Field(field) => write!(f, "{}, {field}", self.file),
        }
    }
}

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
    /// The system refused to open or read a file.
    Io {
        /// The file.
        file: String,
        /// What the system said.
        reason: String,
    },
    /// A path leads to something that is not a regular file.
    NotAFile {
        /// The path.
        file: String,
        /// What it is.
        found: &'static str,
    },
    /// A file changed while it was read.
    FileChanged {
        /// The file.
        file: String,
    },
    /// The first four bytes are not those of the expected kind of file.
    BadMagic {
        /// The file.
        file: String,
        /// The kind of file that was expected.
        expected: &'static str,
        /// What the file seems to be.
        found: &'static str,
    },
    /// A file ends too early.
    Truncated {
        /// Where the bytes begin that are not all there.
        place: Place,
        /// What they are.
        part: &'static str,
        /// How many there must be.
        expected: u64,
        /// How many there are.
        got: u64,
    },
    /// A version of a file format that this crate does not read.
    UnsupportedVersion {
        /// The file.
        file: String,
        /// The versions that it reads.
        expected: &'static str,
        /// The version of the file.
        got: u32,
    },
    /// A section that is needed is not there.
    SectionMissing {
        /// The file.
        file: String,
        /// The section's number.
        section: u32,
    },
    /// A section that is needed is there twice.
    SectionDuplicate {
        /// The second one.
        place: Place,
    },
    /// Keys of another proof system.
    UnsupportedProtocol {
        /// Where the file says so.
        place: Place,
        /// What it says.
        got: String,
    },
    /// Keys of another curve.
    UnsupportedCurve {
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
    /// Sizes in a header that cannot be.
    BadHeader {
        /// Where the size stands.
        place: Place,
        /// What it must be.
        expected: String,
        /// What it is.
        got: u32,
    },
    /// A section is longer or shorter than the header says.
    SectionLength {
        /// Where the section begins.
        place: Place,
        /// Bytes that it must have.
        expected: u64,
        /// Bytes that it has.
        got: u64,
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
    /// A number is not below its modulus.
    NonCanonical {
        /// Where it stands.
        place: Place,
        /// Which number.
        what: String,
    },
    /// Coordinates that are not of a point of the curve.
    NotOnCurve {
        /// Where they stand.
        place: Place,
        /// Which point.
        what: String,
    },
    /// A point that must not be infinity is.
    PointAtInfinity {
        /// Where it stands.
        place: Place,
        /// Which point.
        what: String,
    },
    /// A point of G2's curve that is not in G2.
    NotInSubgroup {
        /// Where it stands.
        place: Place,
        /// Which point.
        what: String,
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
            Self::Io { .. } | Self::NotAFile { .. } => "ERR_IO",
            Self::FileChanged { .. } => "ERR_FILE_CHANGED",
            Self::BadMagic { .. } => "ERR_BAD_MAGIC",
            Self::Truncated { .. } => "ERR_TRUNCATED",
            Self::UnsupportedVersion { .. } => "ERR_UNSUPPORTED_VERSION",
            Self::SectionMissing { .. } => "ERR_SECTION_MISSING",
            Self::SectionDuplicate { .. } => "ERR_SECTION_DUPLICATE",
            Self::UnsupportedProtocol { .. } | Self::CustomGates { .. } => {
                "ERR_UNSUPPORTED_PROTOCOL"
            }
            Self::UnsupportedCurve { .. } => "ERR_UNSUPPORTED_CURVE",
            Self::BadHeader { .. } => "ERR_BAD_HEADER",
            Self::SectionLength { .. } => "ERR_SECTION_LENGTH",
            Self::IndexRange { .. } => "ERR_INDEX_RANGE",
            Self::NonCanonical { .. } => "ERR_NON_CANONICAL",
            Self::NotOnCurve { .. } => "ERR_NOT_ON_CURVE",
            Self::PointAtInfinity { .. } => "ERR_POINT_AT_INFINITY",
            Self::NotInSubgroup { .. } => "ERR_NOT_IN_SUBGROUP",
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

    /// Messages about files and arguments as such.
    fn write_file_message(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument { name, expected, got } => {
                write!(f, "{name}: expected {expected}, got {got}")
            }
            Self::Io { file, reason } => {
                write!(f, "{file}: expected a readable file, got \"{reason}\"")
            }
            Self::NotAFile { file, found } => {
                write!(f, "{file}: expected a regular file, got {found}")
            }
            Self::FileChanged { file } => write!(
                f,
                "{file}: expected the file to stay as it is, got other bytes while it was read. \
                 Replace such files by rename, then open them again"
            ),
            Self::BadMagic { file, expected, found } => {
                write!(f, "{file}: expected {expected}, got {found}. Are two arguments swapped?")
            }
            Self::Truncated { place, part, expected, got } => write!(
                f,
                "{place}: expected {expected} bytes of {part}, got {got}: the file was cut off. \
                 Download or copy it again"
            ),
            Self::UnsupportedVersion { file, expected, got } => {
                write!(f, "{file}: expected version {expected}, got {got}")
            }
            Self::SectionMissing { file, section } => {
                write!(f, "{file}: expected a section {section}, got none")
            }
            Self::SectionDuplicate { place } => {
                write!(f, "{place}: expected one such section, got a second")
            }
            other => other.write_content_message(f),
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
            Self::UnsupportedCurve { place, got } => {
                write!(f, "{place}: expected one of the curve BN254 (bn128), got {got}")
            }
            Self::CustomGates { place } => write!(
                f,
                "{place}: expected a circuit without custom gates, got some, and Groth16 has none. \
                 Compile it without custom templates, or use a prover of PLONK"
            ),
            Self::BadHeader { place, expected, got } => {
                write!(f, "{place}: expected {expected}, got {got}")
            }
            Self::SectionLength { place, expected, got } => {
                write!(f, "{place}: expected a section of {expected} bytes, got {got}")
            }
            Self::IndexRange { place, what, limit, got } => {
                write!(f, "{place}: {what}: expected less than {limit}, got {got}")
            }
            Self::NonCanonical { place, what } => {
                write!(f, "{place}: {what}: expected a number below the modulus, got a larger one")
            }
            Self::NotOnCurve { place, what } => {
                write!(f, "{place}: {what}: expected a point of the curve, got none")
            }
            Self::PointAtInfinity { place, what } => {
                write!(f, "{place}: {what}: expected a point, got the one at infinity")
            }
            Self::NotInSubgroup { place, what } => {
                write!(f, "{place}: {what}: expected a point of order r, got one of another order")
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
            other => Self::Internal(other),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_file_message(f)
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Memory(failure) => Some(failure),
            Self::Internal(error) => Some(error),
            _ => None,
        }
    }
}
