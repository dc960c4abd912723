//! The container, beyond what one malformed file each can show.

use nalloc_groth16::{ProveOptions, ProvingKey, Witness};
use testkit::files::container;
use testkit::malformed::cases;

use crate::support::{Pair, base, pool, reading};

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let zkey = &base().zkey;
    for len in 0..zkey.len() {
        let error = ProvingKey::from_bytes(&zkey[..len], &reading("x")).err().expect("an error");
        assert_eq!(error.code(), "ERR_TRUNCATED", "{len} bytes: {error}");
    }
    let wtns = &base().wtns;
    for len in 0..wtns.len() {
        let error = Witness::from_bytes(&wtns[..len], "x").expect_err("an error");
        assert_eq!(error.code(), "ERR_TRUNCATED", "{len} bytes: {error}");
    }
}

#[test]
fn bytes_after_the_last_section_are_ignored_but_hashed() {
    let mut longer = base().zkey.clone();
    longer.extend_from_slice(b"more");

    let [key, other] = [&base().zkey, &longer]
        .map(|bytes| ProvingKey::from_bytes(bytes, &reading("x")).expect("a good key"));

    assert_ne!(key.info().sha256, other.info().sha256);
    assert_eq!(other.info().bytes, key.info().bytes + 4);
}

#[test]
fn a_hundred_thousand_tiny_sections_are_skipped() {
    let unknown: Vec<_> = (0..100_000_u32).map(|k| (1000 + k, vec![0; k as usize % 3])).collect();
    let mut file = container(*b"zkey", 1, &unknown);
    file.extend_from_slice(&base().zkey[12..]);
    file[8..12].copy_from_slice(&100_010_u32.to_le_bytes());

    let pair = Pair::read(&file, &base().wtns).expect("a good key");

    assert!(pair.prove(None).is_ok());
}

/// The good key with bytes replaced at offsets inside of sections.
fn patched(patches: &[(u32, usize, &[u8])]) -> Vec<u8> {
    let mut file = base().zkey.clone();
    for &(id, offset, bytes) in patches {
        let mut at = 12;
        let word = |file: &[u8], at: usize| {
            u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes"))
        };
        while word(&file, at) != id {
            at += 12 + usize::try_from(word(&file, at + 4)).expect("a short section");
        }
        file[at + 12 + offset..][..bytes.len()].copy_from_slice(bytes);
    }
    file
}

#[test]
fn the_earliest_check_wins() {
    let off_curve = (2, 84 + 32, [3; 1].as_slice());
    let at_infinity = (2, 468, [0; 64].as_slice());
    let off_curve_a = (5, 64 + 32, [3; 1].as_slice());
    let index = (4, 4, [9; 1].as_slice());
    let value = (4, 16 + 44, [0xff; 32].as_slice());
    let no_wires = (2, 72, [0; 4].as_slice());
    let plonk = (1, 0, [2; 1].as_slice());
    let both = [
        ([plonk, no_wires], "ERR_UNSUPPORTED_PROTOCOL"),
        ([no_wires, index], "ERR_BAD_HEADER"),
        ([(2, 0, &[48]), no_wires], "ERR_UNSUPPORTED_CURVE"),
        ([index, value], "ERR_INDEX_RANGE"),
        ([value, off_curve], "ERR_NON_CANONICAL"),
        ([off_curve, at_infinity], "ERR_NOT_ON_CURVE"),
        ([at_infinity, off_curve_a], "ERR_POINT_AT_INFINITY"),
    ];
    for (patches, code) in both {
        let error = ProvingKey::from_bytes(&patched(&patches), &reading("x")).err();
        assert_eq!(error.map(|error| error.code()), Some(code), "{patches:?}");
    }
    let cases = cases(base());
    let insecure = cases.iter().find(|case| case.name == "zkey_gamma_is_delta");
    let mut insecure = insecure.and_then(|case| case.zkey.clone()).expect("a key of its own");
    let last = insecure.len() - 68 - 12 - 1;
    insecure[last] ^= 1;
    let error = ProvingKey::from_bytes(&insecure, &reading("x")).err();
    assert_eq!(error.map(|error| error.code()), Some("ERR_INSECURE_KEY"));
}

#[test]
fn memory_above_the_limit_is_refused_before_anything_is_allocated() {
    let key = ProvingKey::from_bytes(&base().zkey, &reading("x")).expect("a good key");
    let witness = Witness::from_bytes(&base().wtns, "x").expect("a good witness");
    let needed = key.estimate_bytes(pool().thread_count());
    let prove = |limit| {
        let memory_limit_bytes = Some(limit);
        let options = ProveOptions { memory_limit_bytes, ..ProveOptions::new(pool()) };
        key.prove(&witness, &options).map(|_| ())
    };

    assert_eq!(prove(needed), Ok(()));
    let error = prove(needed - 1).expect_err("an error");
    assert_eq!(error.code(), "ERR_LIMIT");
    assert!(error.to_string().contains(&needed.to_string()), "{error}");

    let mut options = reading("x");
    options.memory_limit_bytes = Some(1000);
    let error = ProvingKey::from_bytes(&base().zkey, &options).err().expect("an error");
    assert_eq!(error.code(), "ERR_LIMIT");
}
