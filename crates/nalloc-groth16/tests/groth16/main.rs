//! What readers, prover and verifier promise.

mod batch;
mod cancel;
mod files;
mod formats;
mod fuzz;
mod golden;
mod malformed;
mod paths;
mod setup;
mod support;
mod together;
mod verify;
