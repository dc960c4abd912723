//! Writes every fixture: `cargo run -p testkit --bin fixtures -- OUTDIR`.
//!
//! OUTDIR gets NAME.zkey, NAME.wtns, NAME.r1cs and `NAME_vk.json` for each synthetic circuit, and
//! a ceremony as ceremony.ptau, g1.dat and `tau_g2.dat`; OUTDIR/malformed gets the malformed files
//! with INDEX.tsv and verify.json.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io, iter};

use nalloc_bn254::encoding::{Coordinate, Encoding};
use nalloc_bn254::{Affine, Field, Fr, G1Affine, G2Affine};
use testkit::cases::CASES;
use testkit::files::Fixture;
use testkit::json::Json;
use testkit::malformed::{Base, VerifyCase, cases, verify_cases};
use testkit::ptau::{Ceremony, Prepare};

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
    let ceremony = write_ceremony(out)?;
    Ok(4 * CASES.len() + ceremony + write_malformed(&out.join("malformed"))?)
}

/// Powers of a tau, as a .ptau and in words of EIP-196 and EIP-197.
fn write_ceremony(out: &Path) -> io::Result<usize> {
    const POWER: u32 = 4;
    let tau = Fr::from_u64(987_654_321);
    fs::write(out.join("ceremony.ptau"), Ceremony { tau, power: POWER }.file(Prepare::No))?;
    let powers = iter::successors(Some(Fr::ONE), |&power| Some(power * tau)).take(1 << POWER);
    let g1 = powers.map(|power| G1Affine::GENERATOR.mul_scalar_vartime(power).to_affine());
    fs::write(out.join("g1.dat"), words(&g1.collect::<Vec<_>>())?)?;
    let tau_g2 = G2Affine::GENERATOR.mul_scalar_vartime(tau).to_affine();
    fs::write(out.join("tau_g2.dat"), words(&[tau_g2])?)?;
    Ok(3)
}

fn words<F: Coordinate>(points: &[Affine<F>]) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; points.len() * Encoding::Ethereum.point_bytes::<F>()];
    Encoding::Ethereum.write_points(points, &mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
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
