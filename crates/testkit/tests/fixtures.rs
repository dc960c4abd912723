//! The files that this crate makes are those for which the golden vectors were made.

use std::fs;

use sha2::{Digest, Sha256};
use testkit::cases::{CASES, by_name};
use testkit::files::Fixture;
use testkit::golden;
use testkit::malformed::{Base, cases, verify_cases};
use testkit::r1cs;

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

#[test]
fn every_synthetic_key_and_witness_has_the_hash_of_the_index() {
    let mut names: Vec<&str> = CASES.iter().map(|(name, _)| *name).collect();
    for case in golden::cases().iter().filter(|case| case.is_synthetic) {
        let fixture = Fixture::new(&by_name(&case.name));

        assert_eq!(sha256(&fixture.zkey), case.zkey_sha256, "{}.zkey", case.name);
        assert_eq!(sha256(&fixture.wtns), case.wtns_sha256, "{}.wtns", case.name);
        names.retain(|name| *name != case.name);
    }
    assert!(names.is_empty(), "cases without a golden vector: {names:?}");
}

#[test]
fn a_circuit_that_is_read_from_its_files_has_the_same_key() {
    for name in ["no_public", "dense", "infinities", "many_public"] {
        let fixture = Fixture::new(&by_name(name));

        let read = r1cs::circuit(fixture.name, &fixture.r1cs, &fixture.wtns);

        let again = Fixture::new(&read);
        assert_eq!(sha256(&again.zkey), sha256(&fixture.zkey), "{name}.zkey");
        assert_eq!(again.r1cs, fixture.r1cs, "{name}.r1cs");
        assert_eq!(again.wtns, fixture.wtns, "{name}.wtns");
    }
}

#[test]
fn the_copy_of_the_golden_vectors_is_whole() {
    let Some(shared) = golden::shared_dir() else { return };
    let listing = |dir| {
        let entries = fs::read_dir(dir).expect("a folder of vectors");
        let name = |entry: fs::DirEntry| entry.file_name();
        let mut names: Vec<_> = entries.map(|entry| name(entry.expect("an entry"))).collect();
        names.sort();
        names
    };
    let own = golden::own_dir();
    assert_eq!(listing(&own), listing(&shared));
    for name in listing(&own) {
        let read = |dir: &std::path::Path| fs::read(dir.join(&name)).expect("a vector");
        assert_eq!(read(&own), read(&shared), "{}", name.display());
    }
}

#[test]
fn names_of_cases_are_unique_and_no_two_files_are_alike() {
    let base = Base::new();
    let cases = cases(&base);
    for (index, case) in cases.iter().enumerate() {
        for other in &cases[..index] {
            assert_ne!(case.name, other.name);
            let are_alike = (&case.zkey, &case.wtns) == (&other.zkey, &other.wtns);
            assert!(!are_alike, "{} is {}", case.name, other.name);
        }
    }
    let accepted = verify_cases().iter().filter(|case| case.expect).count();
    assert_eq!((cases.len(), verify_cases().len(), accepted), (CASES_MALFORMED, 16, 2));
}

/// 31 of the reference and ours.
const CASES_MALFORMED: usize = 110;
