//! Writes every fixture: `cargo run -p testkit --bin fixtures -- OUTDIR`.
//!
//! OUTDIR gets NAME.zkey, NAME.wtns, NAME.r1cs and `NAME_vk.json` for each synthetic circuit, and
//! OUTDIR/malformed gets the malformed files with INDEX.tsv and verify.json.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use testkit::cases::CASES;
use testkit::files::Fixture;
use testkit::json::Json;
use testkit::malformed::{Base, VerifyCase, cases, verify_cases};

fn main() -> ExitCode {
    let Some(out) = env::args_os().nth(1) else {
        eprintln!("usage: fixtures OUTDIR");
        return ExitCode::from(2);
    };
    match write_all(Path::new(&out)) {
        Ok(count) => {
            println!("{count} files");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", out.display());
            ExitCode::FAILURE
        }
    }
}

fn write_all(out: &Path) -> io::Result<usize> {
    fs::create_dir_all(out)?;
    for (_, case) in CASES {
        let fixture = Fixture::new(&case());
        let path = |suffix: &str| out.join(format!("{}{suffix}", fixture.name));
        fs::write(path(".zkey"), &fixture.zkey)?;
        fs::write(path(".wtns"), &fixture.wtns)?;
        fs::write(path(".r1cs"), &fixture.r1cs)?;
        fs::write(path("_vk.json"), &fixture.vk_json)?;
    }
    Ok(4 * CASES.len() + write_malformed(&out.join("malformed"))?)
}

fn write_malformed(out: &Path) -> io::Result<usize> {
    fs::create_dir_all(out)?;
    let base = Base::new();
    fs::write(out.join("base.zkey"), &base.zkey)?;
    fs::write(out.join("base.wtns"), &base.wtns)?;
    let mut count = 4;
    let mut index = "name\tzkey\twtns\tverdict\tcodes\n".to_owned();
    for case in cases(&base) {
        for (kind, bytes) in [("zkey", &case.zkey), ("wtns", &case.wtns)] {
            if let Some(bytes) = bytes {
                fs::write(out.join(format!("{}.{kind}", case.name)), bytes)?;
                count += 1;
            }
        }
        index.push_str(&case.index_line());
        index.push('\n');
    }
    fs::write(out.join("INDEX.tsv"), index)?;
    let verify = verify_cases().iter().map(VerifyCase::to_json).collect();
    fs::write(out.join("verify.json"), Json::List(verify).to_line())?;
    Ok(count)
}
