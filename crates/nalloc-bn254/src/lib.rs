//! BN254 field, curves, NTT and MSM on nalloc's memory.
//!
//! | module | what it is |
//! |---|---|
//! | [`field`] | the contract [`Field`], and [`Fr`], [`Fq`], [`Fq2`] with their encodings |
//! | [`encoding`] | points and scalars as bytes, as other libraries have them |
//! | [`curve`] | points of G1 and G2: affine, sums of them, checks at the boundary |
//! | [`ntt`] | transforms between coefficients and values |
//! | [`msm`](mod@msm) | sums of many points, each times a scalar |
//! | [`poly`] | polynomials by their coefficients, and by their values on a domain |
//! | [`vector`] | sums, products and inverses of whole vectors |
//! | [`kzg`] | commitments to polynomials, and proofs of their values |
//! | [`pairing`] | the check that a product of pairings is one |
//! | [`file`](mod@file) | files by position, and the container of iden3's formats |
//! | [`buffer`], [`pool`] | the memory and the threads of all of it |
//!
//! Whatever takes long is given a [`Pool`] and, where it can be stopped, an [`Observer`];
//! operations on polynomials take both as one [`Watched`] pool. Scratch comes from an arena of the
//! caller, who wipes it where it held secrets; that of polynomials is wiped when they are done.

mod arch;
pub mod buffer;
pub mod curve;
pub mod encoding;
mod error;
pub mod field;
pub mod file;
pub mod kzg;
#[cfg(feature = "measure")]
pub mod measure;
pub mod msm;
pub mod ntt;
mod observer;
pub mod pairing;
pub mod poly;
pub mod pool;
pub mod vector;

pub use arch::{CPU_VARIABLE, Kernels};
pub use buffer::{HeapBuffer, PlainBytes};
pub use curve::{Affine, G1Affine, G2Affine, Jacobian, PointError, Xyzz};
pub use encoding::Encoding;
pub use error::Error;
pub use field::{Field, FieldElement, Fq, Fq2, Fr};
pub use kzg::Srs;
pub use msm::{FixedBases, FixedPlan, TableLimits, msm, msm_scratch_bytes, msm_with_kernels};
pub use ntt::{Ntt, OddPoints, Unordered, Work, scratch_bytes as ntt_scratch_bytes};
pub use observer::{Observer, Watched};
pub use pairing::pairing_product_is_one;
pub use poly::{Evaluations, Polynomial};
pub use pool::Pool;
pub use vector::Vectors;

/// The Rust blocks of the readme are compiled and run as they stand.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
