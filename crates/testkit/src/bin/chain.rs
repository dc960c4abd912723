//! Writes a key and a witness of any size: `cargo run --release -p testkit --bin chain -- STEPS
//! OUTDIR` makes OUTDIR/chainSTEPS.zkey and .wtns, of a chain of so many squarings with dense
//! values.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use testkit::cases::chain;
use testkit::files::Fixture;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [steps, out] = arguments.as_slice() else {
        eprintln!("usage: chain STEPS OUTDIR");
        return ExitCode::from(2);
    };
    let Ok(steps) = steps.parse::<usize>() else {
        eprintln!("STEPS: expected a number, got {steps}");
        return ExitCode::from(2);
    };
    match write(steps, Path::new(out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{out}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(steps: usize, out: &Path) -> io::Result<()> {
    fs::create_dir_all(out)?;
    let fixture = Fixture::new(&chain("chain", steps));
    let path = |suffix: &str| out.join(format!("chain{steps}{suffix}"));
    fs::write(path(".wtns"), &fixture.wtns)?;
    fs::write(path(".zkey"), &fixture.zkey)
}
