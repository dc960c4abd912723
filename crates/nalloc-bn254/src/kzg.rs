//! Commitments to polynomials, and proofs of their values: the scheme of Kate, Zaverucha and
//! Goldberg (Constant-Size Commitments to Polynomials and Their Applications, 2010, `PolyCommitDL`).
//!
//! A ceremony leaves an [`Srs`]: tau^j G for j up to the highest degree, and tau G2, of a tau that
//! nobody knows. The steps:
//!
//! 1. **Commit.** C = p(tau) G, the sum of the powers of tau, each times a coefficient: one
//!    multi-scalar multiplication. From values on a domain the same, by Lagrange points where the
//!    SRS has some, else after a transform, which is a twentieth of the sum.
//! 2. **Open** at z. y = p(z) and the quotient q = (p - y) / (X - z) come from one pass over the
//!    coefficients (poly/linear.rs); the proof is its commitment.
//! 3. **Verify.** p - y = q (X - z) at tau: e(C - y G + z P, G2) = e(P, tau G2), two Miller loops
//!    with lines made in advance, and one final exponentiation (kzg/verify.rs).
//! 4. **Several at one point**: one opening of the sum of gamma^i `p_i`. **Several at several
//!    points**: two sums for any number of points (kzg/points.rs). gamma comes from a hash of
//!    everything that is claimed, and of a context of the caller (kzg/challenge.rs): nobody has to
//!    pass a challenge, and nobody can choose one.
//! 5. **Many openings** of others are checked at once, with random weights of the system.
//!
//! Scalars of sums are integers and elements are stored in Montgomery form. Because every step is
//! linear, coefficients are multiplied by 2^-256 while they are copied to scratch, and what comes
//! out of a division or a transform are integers already (kzg/plain.rs).
//!
//! Cost: a commitment is a sum and a product for each coefficient; an opening two products and an
//! addition more. A [`Prover`] takes its memory once and can be stopped by its observer.
//!
//! Trust: types remember what was checked. An [`Srs`] and a [`Verifier`] hold points of their
//! groups, a [`Commitment`] and a [`Proof`] points of G1; from outside they come by constructors
//! that check. A commitment does not hide: who guesses the polynomial can check the guess.

mod challenge;
mod lagrange;
mod plain;
mod points;
mod prover;
mod ptau;
mod random;
mod raw;
mod read;
mod srs;
mod types;
mod verify;

pub use prover::{Committed, Privacy, Prover, ProverOptions, Query};
pub use raw::{FirstPower, RawLayout};
pub use read::SrsOptions;
pub use srs::Srs;
pub use types::{Commitment, Opening, OpeningAtPoint, OpeningAtPoints, Proof, VerifyError};
pub use verify::{Claim, Verifier};
