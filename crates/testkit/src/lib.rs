//! Oracles, fixture makers and runners for the tests of this workspace.
//!
//! | module | what it is for |
//! |---|---|
//! | [`cases`], [`circuit`], [`setup`], [`files`] | small circuits, their files from known waste |
//! | [`r1cs`] | circuits from files that others made |
//! | [`ptau`] | the files of ceremonies with a known tau |
//! | [`malformed`] | files that must be refused, with the codes, and what `verify` must answer |
//! | [`golden`] | proofs that another implementation made for the same files |
//! | [`oracle`] | a slow, plain prover |
//! | [`differential`] | two ways to compute the same, on the bytes of a fuzzer |
//! | [`python`], [`json`] | what makes files byte for byte those of the reference |
//! | [`child`], [`memory`], [`TempDir`] | processes of their own; what this one has in memory |
//! | [`StopAfter`] | an observer that stops what it watches |
//!
//! Everything is a pure function of its arguments and panics where a test would have to. Keys made
//! here are worth nothing: anybody can forge proofs for them.

#![forbid(unsafe_code)]

pub mod cases;
pub mod child;
pub mod circuit;
pub mod differential;
pub mod files;
pub mod golden;
pub mod json;
pub mod malformed;
pub mod memory;
mod observer;
pub mod oracle;
pub mod ptau;
pub mod python;
pub mod r1cs;
pub mod setup;
mod temp;

pub use observer::StopAfter;
pub use temp::TempDir;

/// The Rust blocks of the readme and of pages are compiled and run as they stand.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
#[doc = include_str!("../../../docs/kzg.md")]
#[doc = include_str!("../../../docs/polynomials.md")]
pub struct Readme;
