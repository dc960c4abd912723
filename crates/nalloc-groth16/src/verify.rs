//! Verification: `e(A, B) = e(alpha, beta) * e(IC_0 + sum of x_j * IC_j, gamma) * e(C, delta)`.
//!
//! Nothing about a proof is taken on trust: its points are checked against curve and group, its
//! signals against r, whichever way they came. Everything here is public, so time may depend on it.

use core::fmt;

use nalloc_bn254::pairing::{Lines, MillerLoops};
use nalloc_bn254::{Fr, Jacobian, Pool};

use crate::proof::{Proof, public_from_json};
use crate::vkey::VerifyingKey;

/// Why a proof is not accepted.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyFailure {
    /// Not as many public signals as the key has.
    PublicCount {
        /// How many the key has.
        expected: u32,
        /// How many there are; None for what is no array, or no JSON at all.
        got: Option<usize>,
    },
    /// A public signal is not a decimal string of a number below r.
    PublicRange {
        /// Which one, counted from 0.
        index: usize,
    },
    /// Not the text of a proof.
    ProofEncoding {
        /// The field with something else in it; None for what is no JSON object.
        field: Option<&'static str>,
    },
    /// A point of the proof is not on its curve.
    NotOnCurve {
        /// `pi_a`, `pi_b` or `pi_c`.
        field: &'static str,
    },
    /// A point of the proof is not in its group.
    NotInSubgroup {
        /// `pi_b`: G1 has no other points.
        field: &'static str,
    },
    /// The proof is not one of these signals for this key.
    Equation,
}

impl VerifyFailure {
    /// The stable name of the reason.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::PublicCount { .. } => "public-count",
            Self::PublicRange { .. } => "public-range",
            Self::ProofEncoding { .. } => "proof-encoding",
            Self::NotOnCurve { .. } => "not-on-curve",
            Self::NotInSubgroup { .. } => "not-in-subgroup",
            Self::Equation => "equation",
        }
    }
}

impl fmt::Display for VerifyFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PublicCount { expected, got: Some(got) } => {
                write!(f, "public signals: expected {expected}, got {got}")
            }
            Self::PublicCount { expected, got: None } => {
                write!(f, "public signals: expected an array of {expected}, got something else")
            }
            Self::PublicRange { index } => write!(
                f,
                "public signal {index}: expected the decimal string of a number below r, got \
                 something else"
            ),
            Self::ProofEncoding { field: Some("protocol") } => {
                f.write_str("protocol: expected \"groth16\", got something else")
            }
            Self::ProofEncoding { field: Some("curve") } => {
                f.write_str("curve: expected \"bn128\" or none, got something else")
            }
            Self::ProofEncoding { field: Some(field) } => write!(
                f,
                "{field}: expected a point in decimal strings of numbers below q, got something \
                 else"
            ),
            Self::ProofEncoding { field: None } => {
                f.write_str("proof: expected the object of proof.json, got something else")
            }
            Self::NotOnCurve { field } => {
                write!(f, "{field}: expected a point of the curve, got another")
            }
            Self::NotInSubgroup { field } => {
                write!(f, "{field}: expected a point of order r, got another")
            }
            Self::Equation => {
                f.write_str("proof: expected one of these signals for this key, got another")
            }
        }
    }
}

impl core::error::Error for VerifyFailure {}

impl VerifyingKey {
    /// Checks that `proof` proves `public` for this key.
    ///
    /// # Errors
    /// Why it does not. A proof may be re-randomised by anybody, so do not take it as a name.
    pub fn verify(&self, proof: &Proof, public: &[Fr]) -> Result<(), VerifyFailure> {
        self.check(proof, public, None)
    }

    /// As [`verify`](Self::verify), on two threads of `pool` where there is one.
    pub(crate) fn check(
        &self,
        proof: &Proof,
        public: &[Fr],
        pool: Option<&Pool>,
    ) -> Result<(), VerifyFailure> {
        let wrong_count =
            VerifyFailure::PublicCount { expected: self.n_public(), got: Some(public.len()) };
        let (constant, points) = self.ic.split_first().ok_or(wrong_count)?;
        if public.len() != points.len() {
            return Err(wrong_count);
        }
        let on_curve = [
            ("pi_a", proof.a.is_on_curve()),
            ("pi_b", proof.b.is_on_curve()),
            ("pi_c", proof.c.is_on_curve()),
        ];
        if let Some((field, _)) = on_curve.into_iter().find(|&(_, is_on_curve)| !is_on_curve) {
            return Err(VerifyFailure::NotOnCurve { field });
        }
        let fixed = self.fixed();
        let of_proof = || {
            let is_in_subgroup = proof.b.is_in_subgroup();
            is_in_subgroup.then(|| MillerLoops::of(&[(-proof.a, &Lines::new(&proof.b))]))
        };
        let of_key = || {
            let mut signals = Jacobian::from(*constant);
            for (point, &signal) in points.iter().zip(public) {
                signals = signals.add(&point.mul_scalar_vartime(signal));
            }
            let pairs = [(signals.to_affine(), &fixed.gamma2), (proof.c, &fixed.delta2)];
            MillerLoops::of(&pairs).times(&fixed.alpha_beta)
        };
        let (of_proof, of_key) = match pool {
            Some(pool) => pool.join(of_proof, of_key),
            None => (of_proof(), of_key()),
        };
        let of_proof = of_proof.ok_or(VerifyFailure::NotInSubgroup { field: "pi_b" })?;
        if of_proof.times(&of_key).is_one() { Ok(()) } else { Err(VerifyFailure::Equation) }
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
