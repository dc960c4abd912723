//! `npm run bench:trace [-- NAME...] [-- --quick]`.

use std::env;
use std::process::ExitCode;

use benchkit::options::Options;
use provers::driver::recording;

fn main() -> ExitCode {
    let done = Options::with_names(env::args().skip(1))
        .and_then(|(options, names)| recording::compare(&options, &names));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("recording: {error}");
            ExitCode::from(2)
        }
    }
}
