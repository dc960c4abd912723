//! What readers, prover and verifier promise.

mod cancel;
mod files;
mod formats;
mod fuzz;
mod golden;
mod malformed;
mod paths;
mod support;
mod together;
mod verify;
