//! The promises of this crate, checked against arkworks and against naive oracles.

mod curve;
mod field;
mod support;
