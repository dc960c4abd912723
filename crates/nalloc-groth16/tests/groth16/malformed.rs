//! Every malformed file is refused with a code that is right for it and a message that says where.

use nalloc_bn254::Fr;
use nalloc_groth16::{Error, ProveOptions, ProvingKey, ReadOptions, Witness};
use testkit::malformed::{MalformedCase, cases};

use crate::support::{Pair, base, pool, reading};

fn attempt(case: &MalformedCase) -> Result<(), Error> {
    let zkey = case.zkey.as_ref().unwrap_or(&base().zkey);
    let wtns = case.wtns.as_ref().unwrap_or(&base().wtns);
    let pair = Pair::read(zkey, wtns)?;
    let (proof, public) = pair.prove(None)?;
    assert_eq!(pair.key.verifying_key().verify(&proof, &public), Ok(()), "{}", case.name);
    Ok(())
}

#[test]
fn every_malformed_file_is_refused_with_a_right_code_and_good_ones_are_proved() {
    for case in cases(base()) {
        match attempt(&case) {
            Ok(()) => assert!(case.codes.is_empty(), "{} was accepted", case.name),
            Err(error) => {
                let code = error.code();
                assert!(case.codes.contains(&code), "{}: {code}: {error}", case.name);
                // Ours checks everything at once, so it always has the best code.
                assert_eq!(code, case.codes[0], "{}: {error}", case.name);
            }
        }
    }
}

#[test]
fn messages_name_the_file_the_section_and_the_byte() {
    let with_place = [
        "ERR_SECTION_LENGTH",
        "ERR_SECTION_DUPLICATE",
        "ERR_UNSUPPORTED_CURVE",
        "ERR_BAD_HEADER",
        "ERR_INDEX_RANGE",
        "ERR_NON_CANONICAL",
        "ERR_NOT_ON_CURVE",
        "ERR_POINT_AT_INFINITY",
        "ERR_NOT_IN_SUBGROUP",
        "ERR_PRIME_MISMATCH",
    ];
    for case in cases(base()).iter().filter(|case| !case.codes.is_empty()) {
        let error = attempt(case).expect_err(case.name);
        let message = error.to_string();

        let file = if case.zkey.is_some() { "key.zkey" } else { "witness.wtns" };
        let names_file = message.starts_with(file) || error.code() == "ERR_SELF_VERIFY";
        assert!(names_file, "{}: {message}", case.name);
        if with_place.contains(&error.code()) {
            let has_place = message.contains(", section ") && message.contains(", byte ");
            assert!(has_place, "{}: {message}", case.name);
        }
        assert!(message.contains("expected") && message.contains("got"), "{message}");
    }
}

#[test]
fn messages_say_which_byte_and_what_to_do() {
    let named = |name: &str| {
        let cases = cases(base());
        let case = cases.iter().find(|case| case.name == name).expect(name);
        attempt(case).expect_err(name).to_string()
    };
    // 12 bytes of file header, 16 of section 1, 672 of section 2, 204 of section 3, 12 of the head
    // of section 4, 4 of its count, then matrix and row.
    let row = "key.zkey, section 4, byte 924: row of coefficient 0: expected less than 8, got 8";
    assert_eq!(named("zkey_constraint_index_is_domain"), row);
    let plonk = named("zkey_plonk");
    assert!(plonk.contains("a PLONK key (protocol 2)") && plonk.contains("groth16"), "{plonk}");
    let swapped = named("zkey_is_a_wtns");
    assert!(swapped.contains("expected a .zkey file, got a .wtns file"), "{swapped}");
    let cut = named("zkey_truncated_last_byte");
    assert!(cut.contains("expected 68 bytes of the section, got 67"), "{cut}");
    let length = named("wtns_one_element_short");
    assert!(length.contains("expected 7 values for this key, got 6"), "{length}");
}

#[test]
fn files_of_other_kinds_are_named_for_what_they_are() {
    let kinds: [(&[u8], &str); 7] = [
        (b"\0asm\x01\0\0\0", "a WebAssembly module"),
        (b"{\"pi_a\":[]}", "JSON"),
        (b"ptau\x01\0\0\0", "a .ptau file"),
        (b"r1cs\x01\0\0\0", "an .r1cs file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"<!DOCTYPE html>", "HTML"),
        (b"PK\x03\x04....", "a zip archive"),
    ];
    for (bytes, name) in kinds {
        let error = ProvingKey::from_bytes(bytes, &reading("x")).err().expect(name);
        assert_eq!(error.code(), "ERR_BAD_MAGIC", "{name}");
        assert!(error.to_string().contains(name), "{error}");
        let error = Witness::from_bytes(bytes, "x").expect_err(name);
        assert_eq!(error.code(), "ERR_BAD_MAGIC", "{name}");
    }
}

#[test]
fn no_message_holds_a_witness_value() {
    let values: Vec<String> = base().witness.iter().map(|value| value.to_decimal()).collect();
    for case in cases(base()).iter().filter(|case| case.wtns.is_some()) {
        let Err(error) = attempt(case) else { continue };
        let texts = [error.to_string(), format!("{error:?}")];
        // The values below 1000 are 1, 5 and 32, which are also counts and offsets.
        for value in values.iter().filter(|value| value.len() > 3) {
            assert!(texts.iter().all(|text| !text.contains(value)), "{}: {error}", case.name);
        }
    }
    let witness = Witness::from_bytes(&base().wtns, "w").expect("a good witness");
    assert_eq!(format!("{witness:?}"), "Witness(7 values)");
}

#[test]
fn an_insecure_key_proves_where_the_caller_allows_it() {
    let cases = cases(base());
    let case = cases.iter().find(|case| case.name == "zkey_gamma_is_delta").expect("this case");
    let zkey = case.zkey.as_ref().expect("a key of its own");

    let options = ReadOptions { allow_insecure: true, ..reading("key.zkey") };
    let key = ProvingKey::from_bytes(zkey, &options).expect("an allowed key");

    // Its L and H points are still over the old delta, so its proofs cannot verify.
    let witness = Witness::from_bytes(&base().wtns, "w").expect("a good witness");
    let options = ProveOptions::new(pool());
    let refused = key.prove(&witness, &options).map(|_| ()).expect_err("no proof");
    assert_eq!(refused.code(), "ERR_SELF_VERIFY");
    let options = ProveOptions { self_verify: false, ..options };
    assert!(key.prove(&witness, &options).is_ok());
}

#[test]
fn without_self_verification_an_unsatisfying_witness_makes_a_proof_that_does_not_verify() {
    let cases = cases(base());
    let case = cases.iter().find(|case| case.name == "wtns_not_satisfying").expect("this case");
    let wtns = case.wtns.as_ref().expect("a witness of its own");
    let pair = Pair::read(&base().zkey, wtns).expect("files that are well formed");

    let options = ProveOptions { self_verify: false, ..ProveOptions::new(pool()) };
    let (proof, public) = pair.key.prove(&pair.witness, &options).expect("a proof");

    assert!(pair.key.verifying_key().verify(&proof, &public).is_err());
}

#[test]
fn a_witness_is_written_whole_values_at_a_time() {
    let mut witness = Witness::zeroed(7).expect("memory");
    let bytes: Vec<u8> = base().witness.iter().flat_map(|value| value.to_le_bytes()).collect();
    let too_large: Vec<u8> = Fr::MODULUS.iter().flat_map(|limb| limb.to_le_bytes()).collect();

    assert_eq!(witness.write(0, &bytes[..64]), Ok(()));
    assert_eq!(witness.write(2, &bytes[64..]), Ok(()));
    let code = |result: Result<(), Error>| result.map_err(|error| error.code());
    assert_eq!(code(witness.write(0, &bytes[..31])), Err("ERR_INVALID_ARG"));
    assert_eq!(code(witness.write(7, &bytes[..32])), Err("ERR_INVALID_ARG"));
    assert_eq!(code(witness.write(u32::MAX, &bytes[..32])), Err("ERR_INVALID_ARG"));
    assert_eq!(code(witness.write(0, &too_large)), Err("ERR_NON_CANONICAL"));
    let message = witness.write(3, &too_large).expect_err("too large").to_string();
    assert!(message.starts_with("witness, wire 3: the value: expected"), "{message}");
    assert_eq!(witness.write(0, &bytes), Ok(()));
    assert_eq!(witness.write(7, &[]), Ok(()));

    let key = ProvingKey::from_bytes(&base().zkey, &reading("key.zkey")).expect("a good key");
    assert!(key.prove(&witness, &ProveOptions::new(pool())).is_ok());
}
