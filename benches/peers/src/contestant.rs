//! Who takes part, and how each is started: this program again, or the one of gnark/main.go.

use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use benchkit::worker::{self, Timed, Worker, Workload};
use nalloc_bn254::CPU_VARIABLE;

use crate::input::Case;
use crate::ours::Ours;
use crate::theirs::{Arkworks, Halo2Curves, Library, Taceo};

/// Says that this process is a contestant; its name and number of threads follow.
const WORKER: &str = "--worker";
/// Bytes of a table, where there is one: 1.5 times the points of 2^20.
const TABLE_BYTES_MAX: usize = 96 << 20;
const GNARK_FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/gnark");

/// A library with settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contestant {
    /// What tables call it.
    pub name: &'static str,
    program: Program,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    /// This program again, as a library, with kernels for ours.
    This { library: &'static str, kernels: Option<&'static str> },
    /// gnark/main.go, built with a tag.
    Gnark { tag: &'static str },
}

const fn this(name: &'static str, library: &'static str) -> Contestant {
    Contestant { name, program: Program::This { library, kernels: None } }
}

/// With the kernels of this CPU.
pub const OURS: Contestant = this("nalloc", "nalloc");
/// With its plain Rust.
pub const PORTABLE: Contestant = Contestant {
    name: "nalloc portable",
    program: Program::This { library: "nalloc", kernels: Some("baseline") },
};
/// With a table of multiples of the bases, where a case has bases that stay.
pub const TABLE: Contestant = this("nalloc, table", "nalloc-table");
/// With plain flags.
pub const ARKWORKS: Contestant = this("arkworks", "arkworks");
/// Over arkworks' points, with plain flags.
pub const TACEO: Contestant = this("taceo", "taceo");
/// With its assembly.
pub const HALO2CURVES: Contestant = this("halo2curves", "halo2curves");
/// With the kernels of this CPU.
pub const GNARK_HOST: Contestant =
    Contestant { name: "gnark-crypto", program: Program::Gnark { tag: "host" } };
/// With assembly, without AVX-512. `GODEBUG=cpu.avx512f=off` changes nothing: gnark-crypto asks for
/// another of that package's flags.
pub const GNARK_NO_AVX512: Contestant =
    Contestant { name: "gnark, no AVX-512", program: Program::Gnark { tag: "noavx" } };

impl Contestant {
    /// Starts its process for so many threads.
    pub fn start(self, threads: usize) -> Result<Worker, String> {
        let (program, library, kernels) = match self.program {
            Program::This { library, kernels } => {
                (env::current_exe().map_err(|error| error.to_string())?, library, kernels)
            }
            Program::Gnark { tag } => (gnark_program(tag)?, "gnark-crypto", None),
        };
        let mut command = Command::new(program);
        command.args([WORKER, library, &threads.to_string()]);
        command.env_remove(CPU_VARIABLE).envs(kernels.map(|kernels| (CPU_VARIABLE, kernels)));
        command.env_remove("GODEBUG").env("GOMAXPROCS", threads.to_string());
        Worker::spawn(self.name, &mut command)
    }

    /// Builds its program where that is gnark/main.go.
    ///
    /// # Errors
    /// Why it cannot be built; most often, that there is no Go or an old one.
    pub fn build(self) -> Result<(), String> {
        let Program::Gnark { tag } = self.program else { return Ok(()) };
        let mut go = Command::new("go");
        go.args(["build", "-tags", tag, "-o"]).arg(gnark_program(tag)?).arg(".");
        let output = go.current_dir(GNARK_FOLDER).output();
        let output = output.map_err(|error| format!("go does not start: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

/// Beside this program.
fn gnark_program(tag: &str) -> Result<PathBuf, String> {
    let this = env::current_exe().map_err(|error| error.to_string())?;
    Ok(this.with_file_name(format!("gnark-{tag}")))
}

/// The library and the number of threads, where the arguments make this process a contestant.
pub fn worker_of(mut arguments: impl Iterator<Item = String>) -> Option<(String, usize)> {
    let is_worker = arguments.next()? == WORKER;
    let (library, threads) = (arguments.next()?, arguments.next()?.parse().ok()?);
    is_worker.then_some((library, threads))
}

/// Answers as a library until the input ends.
pub fn serve(library: &str, threads: usize) -> ExitCode {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    match (library, pool) {
        ("nalloc", _) => worker::serve(&Host { library: Ours::default(), threads }),
        ("nalloc-table", _) => {
            worker::serve(&Host { library: Ours { table_bytes_max: TABLE_BYTES_MAX }, threads })
        }
        ("arkworks", Ok(pool)) => {
            pool.install(|| worker::serve(&Host { library: Arkworks, threads }))
        }
        ("taceo", Ok(pool)) => pool.install(|| worker::serve(&Host { library: Taceo, threads })),
        ("halo2curves", Ok(pool)) => {
            pool.install(|| worker::serve(&Host { library: Halo2Curves, threads }))
        }
        _ => {
            eprintln!("peers: expected a library and threads that start, got {library} {threads}");
            ExitCode::from(2)
        }
    }
}

/// A library as a workload.
struct Host<L> {
    library: L,
    threads: usize,
}

impl<L: Library> Workload for Host<L> {
    fn settings(&self) -> Result<String, String> {
        Ok(self.library.settings())
    }

    /// `case` is the name of a case and the hash that its result must have.
    fn check(&self, case: &str) -> Result<(), String> {
        let (name, expected) = case.split_once(' ').ok_or("expected a case and a hash")?;
        let got = self.library.hash(Case::parse(name)?, self.threads)?;
        if got == expected { Ok(()) } else { Err(format!("expected {expected}, got {got}")) }
    }

    fn round(&self, case: &str) -> Result<Timed, String> {
        self.library.time(Case::parse(case)?, self.threads)
    }
}
