//! What may be wrong with a file: the codes, which are an interface, and the messages, which are
//! for people.
//!
//! A message says what was expected, what was found, where, and what to do about it. It never
//! holds a witness value, a secret scalar or a coordinate.

use core::fmt;

use crate::curve::PointError;

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

/// Why a file was refused.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileError {
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
    /// A version of a file format that is not read.
    UnsupportedVersion {
        /// The file.
        file: String,
        /// The versions that are read.
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
    /// Keys of another curve.
    UnsupportedCurve {
        /// Where the file says so.
        place: Place,
        /// What it says.
        got: String,
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
    /// The bytes of a point have another form than its encoding says.
    BadEncoding {
        /// Where they stand.
        place: Place,
        /// Which point.
        what: String,
        /// What is wrong with them.
        reason: PointError,
    },
    /// A point that is not the power of tau, or the Lagrange point, that should stand there.
    BadSrs {
        /// Where it stands.
        place: Place,
        /// Which point.
        what: String,
    },
    /// Powers of a tau that everybody knows.
    InsecureSrs {
        /// The file.
        file: String,
    },
    /// A ceremony that was too small for what is asked for.
    TooFewPowers {
        /// Where its powers begin.
        place: Place,
        /// Powers that are needed.
        expected: u64,
        /// Powers that there are.
        got: u64,
    },
    /// A point of G2's curve that is not in G2.
    NotInSubgroup {
        /// Where it stands.
        place: Place,
        /// Which point.
        what: String,
    },
}

impl FileError {
    /// What is wrong with the coordinates of a point, and where they stand.
    #[must_use]
    pub fn of_point(error: PointError, place: Place, what: String) -> Self {
        match error {
            PointError::NonCanonical => Self::NonCanonical { place, what },
            PointError::NotOnCurve => Self::NotOnCurve { place, what },
            PointError::NotInSubgroup => Self::NotInSubgroup { place, what },
            PointError::Infinity => Self::PointAtInfinity { place, what },
            PointError::Length { .. }
            | PointError::InfinityWithCoordinates
            | PointError::Flags { .. } => Self::BadEncoding { place, what, reason: error },
        }
    }

    /// The stable name of the error: `ERR_` and what is wrong.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } | Self::NotAFile { .. } => "ERR_IO",
            Self::FileChanged { .. } => "ERR_FILE_CHANGED",
            Self::BadMagic { .. } => "ERR_BAD_MAGIC",
            Self::Truncated { .. } => "ERR_TRUNCATED",
            Self::UnsupportedVersion { .. } => "ERR_UNSUPPORTED_VERSION",
            Self::SectionMissing { .. } => "ERR_SECTION_MISSING",
            Self::SectionDuplicate { .. } => "ERR_SECTION_DUPLICATE",
            Self::UnsupportedCurve { .. } => "ERR_UNSUPPORTED_CURVE",
            Self::BadHeader { .. } => "ERR_BAD_HEADER",
            Self::SectionLength { .. } => "ERR_SECTION_LENGTH",
            Self::NonCanonical { .. } => "ERR_NON_CANONICAL",
            Self::NotOnCurve { .. } => "ERR_NOT_ON_CURVE",
            Self::PointAtInfinity { .. } => "ERR_POINT_AT_INFINITY",
            Self::BadEncoding { .. } => "ERR_BAD_ENCODING",
            Self::BadSrs { .. } => "ERR_BAD_SRS",
            Self::InsecureSrs { .. } => "ERR_INSECURE_SRS",
            Self::TooFewPowers { .. } => "ERR_DEGREE",
            Self::NotInSubgroup { .. } => "ERR_NOT_IN_SUBGROUP",
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
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
}

impl FileError {
    /// Messages about what stands in a section.
    fn write_content_message(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsupportedCurve { place, got } => {
                write!(f, "{place}: expected one of the curve BN254 (bn128), got {got}")
            }
            Self::BadHeader { place, expected, got } => {
                write!(f, "{place}: expected {expected}, got {got}")
            }
            Self::SectionLength { place, expected, got } => {
                write!(f, "{place}: expected a section of {expected} bytes, got {got}")
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
            Self::BadEncoding { place, what, reason } => {
                write!(f, "{place}: {what}: ")?;
                reason.write_reason(f)
            }
            Self::BadSrs { place, what } => write!(
                f,
                "{place}: {what}: expected that of the tau of tau G2, got another point. The file \
                 is damaged, or not that of a ceremony"
            ),
            Self::InsecureSrs { file } => write!(
                f,
                "{file}: expected a ceremony with contributions, got one without: tau is 1, so \
                 anybody can open a commitment to any value"
            ),
            Self::TooFewPowers { place, expected, got } => write!(
                f,
                "{place}: expected at least {expected} powers of tau, got {got}. Use the file of a \
                 larger ceremony"
            ),
            Self::NotInSubgroup { place, what } => {
                write!(f, "{place}: {what}: expected a point of order r, got one of another order")
            }
            // What `fmt` has said.
            Self::Io { .. }
            | Self::NotAFile { .. }
            | Self::FileChanged { .. }
            | Self::BadMagic { .. }
            | Self::Truncated { .. }
            | Self::UnsupportedVersion { .. }
            | Self::SectionMissing { .. }
            | Self::SectionDuplicate { .. } => Ok(()),
        }
    }
}

impl core::error::Error for FileError {}
