//! Groth16 over BN254: strict readers, prover and verifier.
//!
//! ```text
//! source -> section -> zkey -> load -> key ----.
//!                   -> wtns ---------> witness -+-> quotient -> prove -> proof
//!                              vkey <-----------'                         |
//!                               '------------------> verify <------------'
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | `map` | a key read through a mapping, for those who own the file |
//! | `nalloc_bn254::file` | `source`: bytes by position; `section`: the container of all these files |
//! | `zkey`, `load`, `matrix`, `bases`, `key` | a proving key: header, bytes, matrices, points, the whole |
//! | `wtns`, `witness` | a witness in secret memory |
//! | `r1cs`, `setup` | a circuit's constraints, and keys for development from them |
//! | `vkey`, `proof`, `json` | what verifiers exchange |
//! | `quotient`, `prove`, `verify`, `batch` | the algorithm |
//! | `shape` | how much memory a key and a proof take |
//! | `error` | every code and every message |
//!
//! Every length, index, number and point of a file is checked before it is used; a hostile file is
//! an [`Error`] that names the section and the byte, never a panic or an allocation out of
//! proportion to the bytes that exist. Nothing secret is left in memory that this crate owns once a
//! [`Witness`] is dropped and [`ProvingKey::prove`] has returned, whatever it returned.

#![deny(unsafe_code)]

mod bases;
mod batch;
mod error;
mod json;
mod key;
mod load;
mod map;
mod matrix;
mod proof;
mod prove;
mod quotient;
mod r1cs;
mod setup;
mod shape;
mod verify;
mod vkey;
mod witness;
mod wtns;
mod zkey;

pub use nalloc_bn254::file::{FileError, Place, Spot};

pub use batch::{BatchItem, BatchOptions, BatchTexts};
pub use error::Error;
pub use key::{KeyInfo, ProvingKey, ReadOptions};
pub use proof::{Proof, public_to_json};
pub use prove::ProveOptions;
pub use setup::{SetupOptions, UnsafeDevSetup};
pub use shape::{KeyShape, process_bytes};
pub use verify::VerifyFailure;
pub use vkey::VerifyingKey;
pub use witness::Witness;

/// The Rust blocks of the readme are compiled and run as they stand.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
