//! Commitments to polynomials, and proofs of their values: the scheme of Kate, Zaverucha and
//! Goldberg (Constant-Size Commitments to Polynomials and Their Applications, 2010).

mod plain;
mod random;
mod srs;
mod verify;

pub use srs::Srs;
pub use verify::Verifier;
