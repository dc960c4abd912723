//! BN254 field, curves, NTT and MSM on nalloc's memory.
//!
//! | module | what it is |
//! |---|---|
//! | [`field`] | the contract [`Field`], and [`Fr`], [`Fq`], [`Fq2`] with their encodings |
//! | [`curve`] | points of G1 and G2: affine, sums of them, checks at the boundary |

pub mod buffer;
pub mod curve;
mod error;
pub mod field;
mod observer;
pub mod pool;

pub use buffer::{HeapBuffer, PlainBytes};
pub use curve::{Affine, G1Affine, G2Affine, Jacobian, PointError, Xyzz};
pub use error::Error;
pub use field::{Field, FieldElement, Fq, Fq2, Fr};
pub use observer::Observer;
pub use pool::Pool;
