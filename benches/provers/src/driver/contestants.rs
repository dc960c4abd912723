//! The allocators that take part, and their programs.

use std::env;
use std::path::PathBuf;

use benchkit::allocator::Allocator;
use benchkit::contestant::{Contestant, contestants};
use benchkit::worker::Worker;

/// Ours as it comes, and with a limit on what stays cached while nobody proves.
pub const OURS: &str = "nalloc";
pub const OURS_LIMITED: &str = "nalloc, cache limit 64M";
/// That limit.
pub const CACHE_LIMIT_BYTES: u64 = 64 << 20;
/// The C library's allocator as it comes.
pub const STOCK: &str = "glibc";

const LIMITED: Contestant = Contestant {
    name: OURS_LIMITED,
    allocator: Allocator::Nalloc,
    environment: &[("NALLOC_CACHE_LIMIT", "64M")],
    is_heap_advised: false,
};

/// Where a contestant that records leaves its traces.
pub const TRACE_FOLDER: &str = "target/provers/traces";

const TRACED: Contestant = Contestant {
    name: "nalloc, traced",
    allocator: Allocator::Nalloc,
    environment: &[("NALLOC_TRACE", "target/provers/traces/%p.nltrace")],
    is_heap_advised: false,
};

/// A contestant and the program that has its allocator.
pub struct Entrant {
    pub contestant: Contestant,
    program: PathBuf,
}

impl Entrant {
    /// A process that has proven which allocator serves it.
    pub fn start(&self) -> Result<Worker, String> {
        Worker::start_program(&self.contestant, &self.program, &[])
    }
}

/// Everybody.
pub fn entrants() -> Result<Vec<Entrant>, String> {
    let all = Allocator::ALL.iter().flat_map(|&allocator| contestants(allocator)).chain([LIMITED]);
    all.map(entrant).collect()
}

/// Ours without a trace and with one.
pub fn recorded() -> Result<[Entrant; 2], String> {
    let plain = Contestant { name: OURS, environment: &[], ..TRACED };
    Ok([entrant(plain)?, entrant(TRACED)?])
}

/// A contestant with its program, which stands beside this one.
fn entrant(contestant: Contestant) -> Result<Entrant, String> {
    let here = env::current_exe().map_err(|error| format!("this program: {error}"))?;
    let program = here.with_file_name(contestant.allocator.name());
    if !program.is_file() {
        let name = contestant.name;
        return Err(format!("{name}: expected the program {}, got none", program.display()));
    }
    Ok(Entrant { contestant, program })
}
