//! Random damage: never a panic, and never a proof that does not verify.

use nalloc_groth16::{ProvingKey, VerifyingKey, Witness};
use testkit::python::Random;

use crate::support::{Pair, base, reading};

const SEED: &str = "damage";

/// One byte changed, or the end cut off, or both.
fn damaged(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let kind = random.below_small(8);
    if kind > 0 {
        let at = random.below_small(bytes.len());
        bytes[at] ^= u8::try_from(1 + random.below_small(255)).unwrap_or(1);
    }
    if kind < 2 {
        bytes.truncate(random.below_small(bytes.len()));
    }
    bytes
}

#[test]
fn damaged_keys_are_refused_or_their_proofs_verify() {
    let mut random = Random::new(SEED);
    let mut accepted = 0;
    for round in 0..3000 {
        let zkey = damaged(&base().zkey, &mut random);
        let Ok(pair) = Pair::read(&zkey, &base().wtns) else { continue };
        let Ok((proof, public)) = pair.prove(None) else { continue };
        let verified = pair.key.verifying_key().verify(&proof, &public);
        assert_eq!(verified, Ok(()), "round {round} of seed {SEED}");
        accepted += 1;
    }
    // Section 10 and a few unread bits may change freely.
    assert!((1..1000).contains(&accepted), "{accepted} accepted");
}

#[test]
fn damaged_witnesses_are_refused_or_their_proofs_verify() {
    let mut random = Random::new(SEED);
    let key = ProvingKey::from_bytes(&base().zkey, &reading("x")).expect("a good key");
    let mut pair = Pair { key, witness: Witness::zeroed(0).expect("memory") };
    for round in 0..1500 {
        let wtns = damaged(&base().wtns, &mut random);
        let Ok(witness) = Witness::from_bytes(&wtns, "x") else { continue };
        pair.witness = witness;
        let Ok((proof, public)) = pair.prove(None) else { continue };
        let verified = pair.key.verifying_key().verify(&proof, &public);
        assert_eq!(verified, Ok(()), "round {round} of seed {SEED}");
        // The chain has one satisfying witness for its first value.
        assert_eq!(public[0].to_decimal(), "5", "round {round} of seed {SEED}");
    }
}

#[test]
fn damaged_texts_never_verify_unless_they_say_the_same() {
    let mut random = Random::new(SEED);
    let pair = Pair::read(&base().zkey, &base().wtns).expect("good files");
    let (proof, public) = pair.prove(None).expect("a proof");
    let (proof, public) = (proof.to_json(), nalloc_groth16::public_to_json(&public));
    let key = pair.key.verifying_key();
    for round in 0..1500 {
        let text = damaged(proof.as_bytes(), &mut random);
        let accepted = key.verify_json(public.as_bytes(), &text);
        // The name of the field `curve` may change: a proof without it is good.
        let is_curve_gone = !String::from_utf8_lossy(&text).contains("\"curve\"");
        assert!(!accepted || is_curve_gone, "proof, round {round} of seed {SEED}");
        let text = damaged(public.as_bytes(), &mut random);
        assert!(!key.verify_json(&text, proof.as_bytes()), "round {round} of seed {SEED}");
        let text = damaged(key.to_json().as_bytes(), &mut random);
        if let Ok(other) = VerifyingKey::from_json(&text, "x") {
            let is_good = other.verify_json(public.as_bytes(), proof.as_bytes());
            assert!(!is_good || other.to_json() == key.to_json(), "round {round} of seed {SEED}");
        }
    }
}
