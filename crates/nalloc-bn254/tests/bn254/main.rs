//! The promises of this crate, checked against arkworks and against naive oracles.

mod buffer;
mod curve;
mod encoding;
mod error;
mod ethereum;
mod field;
mod kzg;
mod msm;
mod ntt;
mod pairing;
mod poly;
mod pool;
mod support;
mod vector;
