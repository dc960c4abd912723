//! nalloc's arithmetic beside other provers': `npm run bench:peers -- ntt`, `-- msm`, `-- kzg`.
//! `-- windows` measures what the cost model of sums is made of, without peers.
//!
//! Stands on `benchkit` and follows its rules: each contestant is a process of its own, results are
//! compared before anything is timed, rounds take turns, minimum and median are printed with
//! memory, and the program ends with 1 when a target is missed. All transform the powers of seven,
//! or sum the multiples of the generator times them, or commit to them, and the hash of every result
//! must be that of arkworks.
//!
//! | file | owns |
//! |---|---|
//! | `contestant` | who takes part, and how each is started |
//! | `ours`, `theirs` | what nalloc, arkworks and halo2curves do in their processes |
//! | gnark/main.go | the same for gnark-crypto, left out with the reason where Go does not build it |
//! | `rows` | rounds, tables and records |
//! | `ntt`, `msm`, `kzg` | the rows, and what is asked of them; of KZG also who does what |
//! | `windows` | sums with windows of every width, and the cost model |
//! | `goal` | must, aim and limit beside what was measured |

mod contestant;
mod goal;
mod input;
mod kzg;
mod msm;
mod ntt;
mod ours;
mod rows;
mod theirs;
mod windows;

use std::env;
use std::process::ExitCode;

use benchkit::options::Options;

fn main() -> ExitCode {
    if let Some((name, threads)) = contestant::worker_of(env::args().skip(1)) {
        return contestant::serve(&name, threads);
    }
    let done = Options::with_names(env::args().skip(1)).and_then(|(options, names)| {
        match names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["ntt"] => ntt::compare(&options),
            ["msm"] => msm::compare(&options),
            ["kzg"] => kzg::compare(&options),
            ["windows"] => windows::compare(),
            _ => Err(format!("arguments: expected ntt, msm, kzg or windows, got {names:?}")),
        }
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::from(2)
        }
    }
}
