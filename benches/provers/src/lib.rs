//! Other people's provers, each of whose proofs takes about a second, with one allocator for each
//! program of src/bin. `npm run bench:provers` builds and compares them.
//!
//! A program waits for requests on its standard input, as every contestant of `benchkit` does, and
//! proves which allocator serves it. Beside the requests of all it answers:
//!
//! | request | answer |
//! |---|---|
//! | `proof PROVER` | figures of one proof |
//! | `warm PROVER` | figures of the second of two proofs |
//! | `live` | bytes that nalloc has handed out, 0 in the others' processes |
//!
//! | file | owns |
//! |---|---|
//! | `prover` | what a prover is, and all of them |
//! | `figures` | what one proof took |
//! | `driver` | who takes part, rounds, targets, records |

pub mod driver;
pub mod figures;
mod prover;

use std::cell::RefCell;
use std::process::ExitCode;

use benchkit::allocator::phase;
use benchkit::worker::{self, Timed, Workload};

use crate::figures::Figures;
use crate::prover::Prover;

/// The names of all provers, as requests and tables say them.
pub const PROVERS: [&str; 4] = ["p3-keccak", "p3-poseidon2", "winterfell", "ark-groth16"];

/// Answers requests until the input ends.
#[must_use]
pub fn serve() -> ExitCode {
    worker::serve(&Process { prover: RefCell::new(None) })
}

/// A contestant's process: it has one prover, that of the first request.
struct Process {
    prover: RefCell<Option<Box<dyn Prover>>>,
}

impl Process {
    fn with<R>(&self, name: &str, work: impl FnOnce(&dyn Prover) -> R) -> Result<R, String> {
        let mut prover = self.prover.borrow_mut();
        if prover.is_none() {
            *prover = Some(prover::of(name)?);
        }
        prover.as_deref().map(work).ok_or_else(|| "no prover".to_owned())
    }
}

impl Workload for Process {
    fn check(&self, case: &str) -> Result<(), String> {
        self.with(case, |prover| prover.check())?
    }

    fn round(&self, _: &str) -> Result<Timed, String> {
        Err("expected cold or warm: a proof has more than one figure".to_owned())
    }

    fn answer(&self, request: &str) -> Result<String, String> {
        let proof = |prover: &dyn Prover| Figures::of(|| phase(|| prover.prove()));
        match request.split_once(' ').unwrap_or((request, "")) {
            ("proof", name) => Ok(self.with(name, proof)?.to_string()),
            ("warm", name) => {
                self.with(name, proof)?;
                Ok(self.with(name, proof)?.to_string())
            }
            ("live", "") => Ok(nalloc::stats().live_bytes.to_string()),
            _ => Err(format!("unknown request {request:?}")),
        }
    }
}
