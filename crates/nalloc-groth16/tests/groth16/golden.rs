//! Proofs are those of another implementation, byte for byte.

use nalloc_bn254::Fr;
use nalloc_groth16::{VerifyingKey, public_to_json};
use testkit::cases::by_name;
use testkit::circuit::int;
use testkit::files::{Fixture, vk_json};
use testkit::golden;
use testkit::oracle;
use testkit::setup::Setup;

use crate::support::Pair;

#[test]
fn every_synthetic_golden_vector_is_matched_byte_for_byte() {
    let mut vectors = 0;
    for case in golden::cases().iter().filter(|case| case.is_synthetic) {
        let fixture = Fixture::new(&by_name(&case.name));
        let pair = Pair::of(&fixture);
        assert_eq!(pair.key.info().sha256, case.zkey_sha256, "{}", case.name);
        for (number, vector) in case.vectors.iter().enumerate() {
            let made = pair.prove(Some(vector.blinding));

            let (proof, public) = made.unwrap_or_else(|error| panic!("{}: {error}", case.name));

            assert_eq!(proof.to_json(), vector.proof.trim(), "{} {number}", case.name);
            assert_eq!(public_to_json(&public), vector.public.trim(), "{} {number}", case.name);
            let (public, proof) = (vector.public.as_bytes(), vector.proof.as_bytes());
            assert!(pair.key.verifying_key().verify_json(public, proof), "{}", case.name);
            vectors += 1;
        }
    }
    assert!(vectors >= 17, "{vectors} vectors");
}

#[test]
fn proofs_are_those_of_the_plain_prover() {
    let blindings = [(int(0), int(7)), (int(-9), int(0)), (int(123_456), int(-654_321))];
    for name in ["dense", "infinities", "bits", "repeated_coefficient", "no_public"] {
        let circuit = by_name(name);
        let (setup, pair) = (Setup::new(&circuit), Pair::of(&Fixture::new(&circuit)));
        for blinding in blindings {
            let (proof, _) = pair.prove(Some(blinding)).expect(name);

            let oracle = oracle::prove(&setup, &circuit.wires, blinding);

            assert_eq!((proof.a, proof.b, proof.c), (oracle.a, oracle.b, oracle.c), "{name}");
        }
    }
}

#[test]
fn a_key_tells_its_sizes_and_its_verifying_key() {
    let circuit = by_name("many_public");
    let fixture = Fixture::new(&circuit);
    let pair = Pair::of(&fixture);

    let info = pair.key.info();

    assert_eq!((info.n_vars, info.n_public, info.domain_size), (73, 70, 128));
    assert_eq!(info.n_constraints, 2);
    assert_eq!(info.bytes, fixture.zkey.len() as u64);
    let expected = vk_json(&Setup::new(&circuit)).to_line().replace(' ', "");
    assert_eq!(pair.key.verifying_key().to_json(), expected);
    let read = VerifyingKey::from_json(fixture.vk_json.as_bytes(), "vk.json").expect("a good key");
    assert_eq!(read.to_json(), expected);
}

#[test]
fn fresh_proofs_differ_and_all_verify() {
    let pair = Pair::of(&Fixture::new(&by_name("one_constraint")));
    let key = pair.key.verifying_key();

    let proofs = [(); 4].map(|()| pair.prove(None).expect("a proof"));

    for (index, (proof, public)) in proofs.iter().enumerate() {
        assert_eq!(key.verify(proof, public), Ok(()));
        assert_eq!(public, &[Fr::from_decimal("9").expect("a number")]);
        assert!(proofs[..index].iter().all(|(other, _)| other.a != proof.a), "proof {index}");
    }
}
