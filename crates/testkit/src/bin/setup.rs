//! Writes the key of a circuit: `cargo run --release -p testkit --bin setup -- FOLDER [STEPS]`.
//!
//! FOLDER has circuit.r1cs and circuit.wtns; it gets circuit.zkey and `verification_key.json`. With
//! STEPS it gets all four, of a chain of that many steps x^5 + 7. Its toxic waste is public: such a
//! key is for benchmarks and tests.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use testkit::cases::power_chain;
use testkit::circuit::Circuit;
use testkit::files::Fixture;
use testkit::r1cs;

/// What the toxic waste is made of.
const NAME: &str = "benchmark";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (folder, steps) = match arguments.as_slice() {
        [folder] => (Path::new(folder), None),
        [folder, steps] if steps.parse::<usize>().is_ok() => {
            (Path::new(folder), steps.parse().ok())
        }
        _ => {
            eprintln!("usage: setup FOLDER [STEPS]");
            return ExitCode::from(2);
        }
    };
    match write(folder, steps) {
        Ok(constraints) => {
            println!("{}: {constraints} constraints", folder.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path, steps: Option<usize>) -> io::Result<usize> {
    let (r1cs, wtns) = (folder.join("circuit.r1cs"), folder.join("circuit.wtns"));
    let circuit = match steps {
        Some(steps) => power_chain(NAME, steps),
        None => read(&r1cs, &wtns)?,
    };
    let fixture = Fixture::new(&circuit);
    fs::create_dir_all(folder)?;
    if steps.is_some() {
        fs::write(r1cs, &fixture.r1cs)?;
        fs::write(wtns, &fixture.wtns)?;
    }
    fs::write(folder.join("circuit.zkey"), &fixture.zkey)?;
    fs::write(folder.join("verification_key.json"), &fixture.vk_json)?;
    Ok(circuit.constraints.len())
}

fn read(r1cs: &Path, wtns: &Path) -> io::Result<Circuit> {
    Ok(r1cs::circuit(NAME, &fs::read(r1cs)?, &fs::read(wtns)?))
}
