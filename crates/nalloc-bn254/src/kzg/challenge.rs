//! Challenges that a prover cannot choose: hashes of everything that was said before them.
//!
//! ```text
//! first   = SHA-512(text(name) | tau G2 | text(context) | statement)
//! second  = SHA-512(first | point of G1)
//! ```
//!
//! | part | bytes |
//! |---|---|
//! | `text(t)` | the length of t as 8 bytes, then t |
//! | a list | the number of its entries as 8 bytes, then each of them |
//! | a scalar | 32 bytes |
//! | a point of G1 | x and y, 32 bytes each; zeros for infinity |
//! | a point of G2 | x.c1, x.c0, y.c1, y.c0, 32 bytes each, as EIP-197 |
//!
//! Numbers are big-endian. The names are `nalloc kzg one point v1`, whose statement is the point, a
//! list of commitments, and a list of values; and `nalloc kzg points v1`, whose statement is a list
//! of commitments, each followed by the list of its points and the list of its values. Every part
//! has a known length or says it, so that no two statements have the same bytes. The 64 bytes of a
//! hash are an integer, least significant byte first, that is reduced modulo r: within 2^-258 of
//! uniform.

use sha2::{Digest, Sha512};

use crate::curve::{G1Affine, G2Affine};
use crate::field::{Fq, Fr};

/// A hash that is fed with a statement.
pub(super) struct Transcript(Sha512);

/// A hash, and the challenge that it is.
pub(super) struct Challenge {
    hash: [u8; 64],
}

impl Transcript {
    /// Of a named statement about the SRS of `tau_g2`, within `context`.
    pub(super) fn new(name: &str, tau_g2: &G2Affine, context: &[u8]) -> Self {
        let mut transcript = Self(Sha512::new());
        transcript.text(name.as_bytes());
        for part in [tau_g2.x.c1, tau_g2.x.c0, tau_g2.y.c1, tau_g2.y.c0] {
            transcript.coordinate(part);
        }
        transcript.text(context);
        transcript
    }

    fn text(&mut self, text: &[u8]) {
        self.count(text.len());
        self.0.update(text);
    }

    pub(super) fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_be_bytes());
    }

    fn coordinate(&mut self, coordinate: Fq) {
        self.0.update(coordinate.to_be_bytes());
    }

    pub(super) fn scalar(&mut self, scalar: Fr) {
        self.0.update(scalar.to_be_bytes());
    }

    pub(super) fn scalars(&mut self, scalars: &[Fr]) {
        self.count(scalars.len());
        for &scalar in scalars {
            self.scalar(scalar);
        }
    }

    pub(super) fn point(&mut self, point: &G1Affine) {
        self.coordinate(point.x);
        self.coordinate(point.y);
    }

    pub(super) fn finish(self) -> Challenge {
        Challenge { hash: self.0.finalize().into() }
    }
}

impl Challenge {
    pub(super) fn scalar(&self) -> Fr {
        Fr::from_uniform_bytes(&self.hash)
    }

    /// The challenge after `point` was said.
    pub(super) fn then(&self, point: &G1Affine) -> Self {
        let mut transcript = Transcript(Sha512::new());
        transcript.0.update(self.hash);
        transcript.point(point);
        transcript.finish()
    }
}
