//! The verifier: strict about everything that others send.

use nalloc_bn254::{Affine, G1Affine, G2Affine};
use nalloc_groth16::{Proof, ProvingKey, ReadOptions, VerifyFailure, VerifyingKey};
use testkit::cases::by_name;
use testkit::files::{Fixture, vk_json};
use testkit::json::Json;
use testkit::malformed::{VerifyCase, verify_cases};
use testkit::setup::Setup;

use crate::support::{Pair, base, outside_of_g2, reading};

fn key_of(case: &VerifyCase) -> VerifyingKey {
    VerifyingKey::from_json(case.vk.to_line().as_bytes(), "vk.json").expect(case.name)
}

fn explain(case: &VerifyCase) -> Result<(), VerifyFailure> {
    let (public, proof) = (case.public.to_line(), case.proof.to_line());
    let key = key_of(case);
    let explained = key.explain_json(public.as_bytes(), proof.as_bytes());
    assert_eq!(key.verify_json(public.as_bytes(), proof.as_bytes()), explained.is_ok());
    explained
}

#[test]
fn every_case_is_answered_as_expected() {
    for case in verify_cases() {
        assert_eq!(explain(&case).is_ok(), case.expect, "{}", case.name);
    }
}

fn good() -> VerifyCase {
    verify_cases().swap_remove(0)
}

#[test]
fn reasons_are_told() {
    let encoding = |field| VerifyFailure::ProofEncoding { field: Some(field) };
    let expected = [
        ("one_public_short", VerifyFailure::PublicCount { expected: 2, got: Some(1) }),
        ("public_plus_r", VerifyFailure::PublicRange { index: 0 }),
        ("leading_zero", VerifyFailure::PublicRange { index: 0 }),
        ("A_plus_q", encoding("pi_a")),
        ("A_off_curve", VerifyFailure::NotOnCurve { field: "pi_a" }),
        ("missing_pi_c", encoding("pi_c")),
        ("public_changed", VerifyFailure::Equation),
    ];
    let cases = verify_cases();
    for (name, failure) in expected {
        let case = cases.iter().find(|case| case.name == name).expect(name);
        assert_eq!(explain(case), Err(failure), "{name}");
        assert!(!failure.reason().is_empty() && failure.to_string().contains(": expected "));
    }
}

#[test]
fn texts_that_are_no_signals_or_no_proof_are_refused() {
    let (key, good) = (key_of(&good()), good());
    let (public, proof) = (good.public.to_line(), good.proof.to_line());
    let padded = format!("{proof}{}", " ".repeat(1 << 20));
    let nested = "[".repeat(100_000);
    let wrong = [
        "",
        "null",
        "0",
        "[]",
        "{}",
        "\"\"",
        "[0,0]",
        "[null,null]",
        "{\"0\":\"0\"}",
        "[\"0\",\"0\"",
        "[\"0\",\"+0\"]",
        "[\"0\",\" 0\"]",
        "[\"0\",\"0.0\"]",
        "[\"0\",\"\"]",
        "\u{0}",
        "[\"0\",\"\u{0660}\"]",
        "[[\"0\",\"0\"]]",
        &padded,
        &nested,
    ];
    for text in wrong {
        let start: String = text.chars().take(30).collect();
        assert!(!key.verify_json(text.as_bytes(), proof.as_bytes()), "{start}");
        assert!(!key.verify_json(public.as_bytes(), text.as_bytes()), "{start}");
    }
    assert!(!key.verify_json(b"[\"\xff\",\"0\"]", proof.as_bytes()));
    assert!(key.verify_json(public.as_bytes(), proof.as_bytes()));
}

#[test]
fn changed_fields_of_a_proof_are_refused() {
    let good = good();
    let list = |texts: &[&str]| Json::List(texts.iter().map(|&text| Json::text(text)).collect());
    let pairs = |texts: [[&str; 2]; 3]| Json::List(texts.iter().map(|text| list(text)).collect());
    let changes = [
        ("protocol", Json::text("plonk")),
        ("protocol", Json::Integer(1)),
        ("curve", Json::text("bls12381")),
        ("curve", Json::Integer(0)),
        ("pi_a", list(&["0", "1", "0"])),
        ("pi_a", list(&["0", "0", "0"])),
        ("pi_a", list(&["0", "0", "1"])),
        ("pi_a", list(&["1", "2"])),
        ("pi_a", list(&["1", "2", "1", "1"])),
        ("pi_b", pairs([["0", "0"], ["1", "0"], ["0", "0"]])),
        ("pi_b", pairs([["5", "0"], ["1", "0"], ["0", "0"]])),
        ("pi_b", list(&["1", "2", "1"])),
        ("pi_c", Json::text("1")),
    ];
    for (field, value) in changes {
        let proof = good.proof.clone().with(field, value.clone());
        let case = VerifyCase { proof, ..good.clone() };
        assert!(explain(&case).is_err(), "{field}: {value:?}");
    }
}

#[test]
fn points_of_a_proof_are_checked_however_it_was_made() {
    let pair = Pair::of(&Fixture::new(&by_name("one_constraint")));
    let key = pair.key.verifying_key();
    let (proof, public) = pair.prove(None).expect("a proof");
    let outside = outside_of_g2();
    assert!(outside.is_on_curve() && !outside.is_in_subgroup());

    let verify = |proof: Proof| key.verify(&proof, &public);
    let off_curve = |field| Err(VerifyFailure::NotOnCurve { field });

    assert_eq!(verify(proof), Ok(()));
    assert_eq!(
        verify(Proof { b: outside, ..proof }),
        Err(VerifyFailure::NotInSubgroup { field: "pi_b" })
    );
    let off = Affine { x: proof.a.y, y: proof.a.x };
    assert_eq!(verify(Proof { a: off, ..proof }), off_curve("pi_a"));
    assert_eq!(verify(Proof { c: off, ..proof }), off_curve("pi_c"));
    let infinite = Proof { a: G1Affine::INFINITY, b: G2Affine::INFINITY, c: G1Affine::INFINITY };
    assert_eq!(verify(infinite), Err(VerifyFailure::Equation));
    let none = VerifyFailure::PublicCount { expected: key.n_public(), got: Some(0) };
    assert_eq!(key.verify(&proof, &[]), Err(none));
    // Anybody can turn a proof into another one.
    assert_eq!(verify(Proof { a: -proof.a, b: -proof.b, c: proof.c }), Ok(()));
}

#[test]
fn a_broken_key_is_an_error_that_names_the_field() {
    let vk = vk_json(&Setup::new(&by_name("one_constraint")));
    let list = |texts: &[&str]| Json::List(texts.iter().map(|&text| Json::text(text)).collect());
    let mut short = vk.clone();
    short.get_mut("IC").elements_mut().pop();
    let broken = [
        (vk.clone().without("vk_beta_2"), "ERR_INVALID_ARG", "vk_beta_2"),
        (vk.clone().with("protocol", Json::text("plonk")), "ERR_UNSUPPORTED_PROTOCOL", "protocol"),
        (vk.clone().with("curve", Json::text("bls12381")), "ERR_UNSUPPORTED_CURVE", "curve"),
        (vk.clone().with("nPublic", Json::Integer(2)), "ERR_INVALID_ARG", "IC"),
        (vk.clone().with("nPublic", Json::Integer(u64::MAX)), "ERR_INVALID_ARG", "IC"),
        (vk.clone().with("nPublic", Json::text("1")), "ERR_INVALID_ARG", "IC"),
        (short, "ERR_INVALID_ARG", "IC"),
        (vk.clone().with("IC", Json::text("x")), "ERR_INVALID_ARG", "IC"),
        (
            vk.clone().with("IC", Json::List(vec![list(&["1", "2", "1"]), list(&["1", "3", "1"])])),
            "ERR_NOT_ON_CURVE",
            "IC[1]",
        ),
        (
            vk.clone().with("vk_alpha_1", list(&["0", "1", "0"])),
            "ERR_POINT_AT_INFINITY",
            "vk_alpha_1",
        ),
        (vk.clone().with("vk_alpha_1", list(&["1", "2", "2"])), "ERR_INVALID_ARG", "vk_alpha_1"),
        (
            vk.clone().with("vk_alpha_1", list(&[&"9".repeat(77), "2", "1"])),
            "ERR_NON_CANONICAL",
            "vk_alpha_1",
        ),
        (
            vk.clone().with("vk_delta_2", Json::g2(&outside_of_g2())),
            "ERR_NOT_IN_SUBGROUP",
            "vk_delta_2",
        ),
        (Json::text("x"), "ERR_INVALID_ARG", "protocol"),
    ];
    for (json, code, field) in broken {
        let error = VerifyingKey::from_json(json.to_line().as_bytes(), "vk.json").expect_err(code);
        assert_eq!(error.code(), code, "{error}");
        let message = error.to_string();
        assert!(message.starts_with("vk.json") && message.contains(field), "{message}");
    }
    assert!(VerifyingKey::from_json(b"{", "vk.json").is_err());
}

#[test]
fn a_precomputed_pairing_is_not_believed() {
    let case = good();
    let lie = case.vk.to_line().replacen('{', "{\"vk_alphabeta_12\": [[\"1\"]], ", 1);

    let key = VerifyingKey::from_json(lie.as_bytes(), "vk.json").expect("a good key");

    let (public, proof) = (case.public.to_line(), case.proof.to_line());
    assert!(key.verify_json(public.as_bytes(), proof.as_bytes()));
    assert_eq!(key.to_json(), key_of(&case).to_json());
}

#[test]
fn the_verifying_key_of_a_zkey_is_read_without_the_rest() {
    for (name, circuit) in testkit::cases::CASES {
        let fixture = Fixture::new(&circuit());
        let key = VerifyingKey::from_zkey(&fixture.zkey, &reading("key.zkey")).expect(name);
        assert_eq!(key.to_json(), Pair::of(&fixture).key.verifying_key().to_json(), "{name}");
        assert!(!key.is_insecure());
        let with_pairing = key.to_json_with_pairing();
        let again = VerifyingKey::from_json(with_pairing.as_bytes(), "vk.json").expect(name);
        assert_eq!(again.to_json_with_pairing(), with_pairing, "{name}");
    }
    let few = ReadOptions { memory_limit_bytes: Some(64), ..reading("key.zkey") };
    let refused = VerifyingKey::from_zkey(&base().zkey, &few).map(|key| key.to_json());
    assert_eq!(refused.map_err(|error| error.code()), Err("ERR_LIMIT"));
}

#[test]
fn a_zkey_whose_verifying_key_is_refused_is_refused_as_a_whole() {
    let (mut refused, mut taken) = (0, 0);
    for case in testkit::malformed::cases(base()) {
        let Some(zkey) = &case.zkey else { continue };
        let opened = ProvingKey::from_bytes(zkey, &reading("key.zkey"));
        match VerifyingKey::from_zkey(zkey, &reading("key.zkey")) {
            Err(_) => {
                assert!(opened.is_err(), "{}", case.name);
                refused += 1;
            }
            Ok(key) => {
                assert!(VerifyingKey::from_json(key.to_json().as_bytes(), "vk.json").is_ok());
                taken += usize::from(opened.is_err());
            }
        }
    }
    // Those with coefficients or points of proofs that are wrong are taken.
    assert!(refused > 20 && taken > 3, "{refused} refused, {taken} taken");
}
