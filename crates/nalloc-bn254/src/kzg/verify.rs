//! What checks openings.

use core::fmt;

use crate::curve::G2Affine;
use crate::error::Error;
use crate::pairing::Lines;

/// All that is needed to check openings: tau G2, with its lines and the generator's. About 40 KiB.
pub struct Verifier {
    tau_g2: G2Affine,
    pub(super) generator: Lines,
    pub(super) tau: Lines,
}

impl Verifier {
    /// Of the tau G2 of an SRS. It is checked to be a point of G2, not to be that of a ceremony.
    ///
    /// # Errors
    /// [`Error::SrsRefused`] for infinity, and for what is no point of the group of order r.
    pub fn new(tau_g2: G2Affine) -> Result<Self, Error> {
        let expected = "tau G2 to be a point of G2";
        let refused = |got| Err(Error::SrsRefused { expected, got });
        if tau_g2.is_infinity() {
            return refused("infinity");
        }
        if tau_g2.validate().is_err() {
            return refused("a point off the curve");
        }
        if !tau_g2.is_in_subgroup() {
            return refused("a point of the curve outside of the group of order r");
        }
        let [generator, tau] = [&G2Affine::GENERATOR, &tau_g2].map(Lines::new);
        Ok(Self { tau_g2, generator, tau })
    }

    /// tau G2.
    #[must_use]
    pub fn tau_g2(&self) -> G2Affine {
        self.tau_g2
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({:?})", self.tau_g2)
    }
}
