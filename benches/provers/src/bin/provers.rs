//! `npm run bench:provers [-- NAME...] [-- --quick] [-- --record]`.

use std::env;
use std::process::ExitCode;

use benchkit::options::Options;
use provers::driver;

fn main() -> ExitCode {
    let done = Options::with_names(env::args().skip(1))
        .and_then(|(options, names)| driver::compare(&options, &names));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("provers: {error}");
            ExitCode::from(2)
        }
    }
}
