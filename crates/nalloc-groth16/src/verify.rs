//! Verification: `e(A, B) = e(alpha, beta) * e(IC_0 + sum of x_j * IC_j, gamma) * e(C, delta)`.
//!
//! Nothing about a proof is taken on trust: its points are checked against curve and group, its
//! signals against r, whichever way they came. Everything here is public, so time may depend on it.

use core::fmt;

use nalloc_bn254::{Fr, Jacobian, pairing_product_is_one};

use crate::proof::{Proof, public_from_json};
use crate::vkey::VerifyingKey;

/// Why a proof is not accepted.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyFailure {
    /// Not an array of as many public signals as the key has.
    PublicCount,
    /// A public signal is not a decimal string of a number below r.
    PublicRange,
    /// Not the text of a proof.
    ProofEncoding,
    /// A point of the proof is not on its curve.
    NotOnCurve,
    /// B is not in G2.
    NotInSubgroup,
    /// The proof is not one of these signals for this key.
    Equation,
}

impl VerifyFailure {
    /// The stable name of the reason.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::PublicCount => "public-count",
            Self::PublicRange => "public-range",
            Self::ProofEncoding => "proof-encoding",
            Self::NotOnCurve => "not-on-curve",
            Self::NotInSubgroup => "not-in-subgroup",
            Self::Equation => "equation",
        }
    }
}

impl fmt::Display for VerifyFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PublicCount => {
                "public signals: expected an array of as many as the key has, got another"
            }
            Self::PublicRange => {
                "public signals: expected decimal strings of numbers below r, got another"
            }
            Self::ProofEncoding => "proof: expected the text of a Groth16 proof, got another",
            Self::NotOnCurve => "proof: expected points of the curve, got another",
            Self::NotInSubgroup => "proof: expected points of order r, got another",
            Self::Equation => "proof: expected one of these signals for this key, got another",
        })
    }
}

impl core::error::Error for VerifyFailure {}

impl VerifyingKey {
    /// Checks that `proof` proves `public` for this key.
    ///
    /// # Errors
    /// Why it does not. A proof may be re-randomised by anybody, so do not take it as a name.
    pub fn verify(&self, proof: &Proof, public: &[Fr]) -> Result<(), VerifyFailure> {
        let Some((constant, points)) = self.ic.split_first() else {
            return Err(VerifyFailure::PublicCount);
        };
        if public.len() != points.len() {
            return Err(VerifyFailure::PublicCount);
        }
        if !(proof.a.is_on_curve() && proof.b.is_on_curve() && proof.c.is_on_curve()) {
            return Err(VerifyFailure::NotOnCurve);
        }
        if !proof.b.is_in_subgroup() {
            return Err(VerifyFailure::NotInSubgroup);
        }
        let mut signals = Jacobian::from(*constant);
        for (point, &signal) in points.iter().zip(public) {
            signals = signals.add(&point.mul_scalar_vartime(signal));
        }
        let holds = pairing_product_is_one(&[
            (-proof.a, proof.b),
            (self.alpha1, self.beta2),
            (signals.to_affine(), self.gamma2),
            (proof.c, self.delta2),
        ]);
        if holds { Ok(()) } else { Err(VerifyFailure::Equation) }
    }

    /// As [`verify`](Self::verify), for the texts of public.json and proof.json.
    ///
    /// # Errors
    /// Why it does not.
    pub fn explain_json(&self, public: &[u8], proof: &[u8]) -> Result<(), VerifyFailure> {
        let public = public_from_json(public, self.n_public())?;
        self.verify(&Proof::from_json(proof)?, &public)
    }

    /// Whether the text `proof` proves the text `public` for this key; false for everything that
    /// is wrong with either.
    #[must_use]
    pub fn verify_json(&self, public: &[u8], proof: &[u8]) -> bool {
        self.explain_json(public, proof).is_ok()
    }
}
