//! What travels from a prover to a verifier.

use core::fmt;

use crate::curve::{G1Affine, PointError};
use crate::error::Error;
use crate::field::Fr;

/// A commitment to a polynomial: its value at tau, times the generator.
///
/// It binds and does not hide: whoever can guess the polynomial can check the guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commitment(pub(super) G1Affine);

impl Commitment {
    /// The commitment that a point from outside stands for. Every point of G1's curve is in G1.
    ///
    /// # Errors
    /// [`PointError`] where the point is not canonical or not on the curve.
    pub fn new(point: G1Affine) -> Result<Self, PointError> {
        point.validate().map(|()| Self(point))
    }

    /// The point.
    #[must_use]
    pub fn point(self) -> G1Affine {
        self.0
    }
}

/// A point of G1 that shows a commitment's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof(pub(super) G1Affine);

impl Proof {
    /// As [`Commitment::new`].
    ///
    /// # Errors
    /// As [`Commitment::new`].
    pub fn new(point: G1Affine) -> Result<Self, PointError> {
        point.validate().map(|()| Self(point))
    }

    /// The point.
    #[must_use]
    pub fn point(self) -> G1Affine {
        self.0
    }
}

/// A claim that a committed polynomial has a value at a point, and its proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Where.
    pub point: Fr,
    /// The value there.
    pub value: Fr,
    /// The proof.
    pub proof: Proof,
}

/// A claim that several committed polynomials have values at one point, and one proof for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningAtPoint {
    /// Where.
    pub point: Fr,
    /// The values there, in the order of the commitments.
    pub values: Vec<Fr>,
    /// The proof.
    pub proof: Proof,
}

/// A claim that several committed polynomials have values at points of their own, and one proof
/// for all. The points are the verifier's: they stand beside the commitments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningAtPoints {
    /// The values of each polynomial at its points, in their order.
    pub values: Vec<Vec<Fr>>,
    /// The commitment to the quotient of everything by all points.
    pub quotient: Proof,
    /// The proof of its value at the challenge.
    pub proof: Proof,
}

/// Why an opening is not accepted.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// The equation does not hold: a commitment, point, value, context or proof is not the one that
    /// was opened, or the SRS is another.
    Rejected,
    /// Numbers of things that belong together differ, or there is nothing to check.
    Length {
        /// What there are too many or too few of.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// A polynomial is asked twice for its value at one point.
    RepeatedPoint {
        /// The index of the commitment.
        commitment: usize,
    },
    /// It could not be found out.
    Undecided(Error),
}

impl From<Error> for VerifyError {
    fn from(error: Error) -> Self {
        Self::Undecided(error)
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected => {
                write!(f, "opening: expected a proof of these values, got one that is not")
            }
            Self::Length { what, expected, got } => {
                write!(f, "{what}: expected {expected}, got {got}")
            }
            Self::RepeatedPoint { commitment } => write!(
                f,
                "points of commitment {commitment}: expected different ones, got one twice"
            ),
            Self::Undecided(error) => write!(f, "opening: could not be checked: {error}"),
        }
    }
}

impl core::error::Error for VerifyError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Undecided(error) => Some(error),
            _ => None,
        }
    }
}
