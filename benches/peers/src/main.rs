//! nalloc's arithmetic beside other provers': `npm run bench:peers -- ntt`.
//!
//! Stands on `benchkit` and follows its rules: each contestant is a process of its own, results are
//! compared before anything is timed, rounds take turns, minimum and median are printed with memory,
//! and the program ends with 1 when a target is missed. All transform the powers of seven, and the
//! hash of every result must be that of arkworks.
//!
//! | file | owns |
//! |---|---|
//! | `contestant` | who takes part, and how each is started |
//! | `ours`, `theirs` | what nalloc, arkworks and halo2curves do in their processes |
//! | gnark/main.go | the same for gnark-crypto, left out with the reason where Go does not build it |
//! | `ntt` | the rows, and what is asked of them |
//! | `goal` | must, aim and limit beside what was measured |

mod contestant;
mod goal;
mod input;
mod ntt;
mod ours;
mod theirs;

use std::env;
use std::process::ExitCode;

use benchkit::options::Options;

fn main() -> ExitCode {
    if let Some((name, threads)) = contestant::worker_of(env::args().skip(1)) {
        return contestant::serve(&name, threads);
    }
    let done = Options::with_names(env::args().skip(1)).and_then(|(options, names)| {
        if names != ["ntt"] {
            return Err(format!("arguments: expected ntt, got {names:?}"));
        }
        ntt::compare(&options)
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
