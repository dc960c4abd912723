//! Proofs verified together: accepted if and only if each of them is.

use nalloc_bn254::{Affine, Field, Fr, G1Affine, G2Affine, Jacobian};
use nalloc_groth16::{BatchItem, BatchOptions, BatchTexts, Error, Proof, VerifyingKey};
use testkit::StopAfter;
use testkit::cases::by_name;
use testkit::circuit::int;
use testkit::files::Fixture;
use testkit::malformed::verify_cases;

use crate::support::{Pair, outside_of_g2, pool};

/// Numbers of proofs around those of a loop, and of a piece of two threads.
const COUNTS: [usize; 10] = [1, 2, 3, 7, 8, 9, 16, 17, 64, 67];

/// A key, and valid proofs that all differ.
struct Batch {
    pair: Pair,
    proofs: Vec<(Proof, Vec<Fr>)>,
}

impl Batch {
    fn new(circuit: &str, count: usize) -> Self {
        let pair = Pair::of(&Fixture::new(&by_name(circuit)));
        let blinding = |index: usize| {
            let index = i64::try_from(index).expect("few proofs");
            Some((int(index + 1), int(3 * index + 2)))
        };
        let proofs = (0..count).map(|index| pair.prove(blinding(index)).expect("a proof"));
        let proofs = proofs.collect();
        Self { pair, proofs }
    }

    fn key(&self) -> &VerifyingKey {
        self.pair.key.verifying_key()
    }

    /// What is said of these proofs, together and one by one, typed and as texts.
    fn accepts(&self, proofs: &[(Proof, Vec<Fr>)]) -> bool {
        let options = BatchOptions { pool: pool(), observer: &() };
        let items: Vec<_> =
            proofs.iter().map(|(proof, public)| BatchItem { proof: *proof, public }).collect();
        let together = self.key().verify_batch(&items, options).expect("an answer");
        let each = proofs.iter().all(|(proof, public)| self.key().verify(proof, public).is_ok());
        assert_eq!(together, each);
        let texts: Vec<_> = proofs
            .iter()
            .map(|(proof, public)| (proof.to_json(), nalloc_groth16::public_to_json(public)))
            .collect();
        let texts: Vec<_> = texts
            .iter()
            .map(|(proof, public)| BatchTexts {
                proof: proof.as_bytes(),
                public: public.as_bytes(),
            })
            .collect();
        assert_eq!(self.key().verify_batch_json(&texts, options), Ok(each));
        together
    }
}

fn sum(a: G1Affine, b: G1Affine) -> G1Affine {
    Jacobian::from(a).add_affine(&b).to_affine()
}

#[test]
fn valid_proofs_are_accepted_in_any_number() {
    let batch = Batch::new("one_constraint", 67);

    assert!(batch.accepts(&[]));
    for count in COUNTS {
        assert!(batch.accepts(&batch.proofs[..count]), "{count}");
    }
    let again: Vec<_> = batch.proofs.iter().cycle().take(8 * 67).cloned().collect();
    assert!(batch.accepts(&again), "the same proofs several times");
}

#[test]
fn keys_without_and_with_many_signals_verify_batches() {
    for circuit in ["no_public", "many_public"] {
        let batch = Batch::new(circuit, 9);
        assert!(batch.accepts(&batch.proofs), "{circuit}");
        let mut wrong = batch.proofs.clone();
        wrong[4].0.c = sum(wrong[4].0.c, G1Affine::GENERATOR);
        assert!(!batch.accepts(&wrong), "{circuit}");
    }
}

/// What is wrong with a proof, and what makes it so.
type Change<'a> = (&'a str, &'a dyn Fn(&mut (Proof, Vec<Fr>)));

#[test]
fn one_wrong_proof_is_found_wherever_it_is() {
    let batch = Batch::new("one_constraint", 17);
    let off = Affine { x: G1Affine::GENERATOR.y, y: G1Affine::GENERATOR.x };
    let changes: [Change; 12] = [
        ("equation, a", &|(proof, _)| proof.a = -proof.a),
        ("equation, b", &|(proof, _)| proof.b = G2Affine::GENERATOR),
        ("equation, c", &|(proof, _)| proof.c = sum(proof.c, G1Affine::GENERATOR)),
        ("a at infinity", &|(proof, _)| proof.a = G1Affine::INFINITY),
        ("b at infinity", &|(proof, _)| proof.b = G2Affine::INFINITY),
        ("c at infinity", &|(proof, _)| proof.c = G1Affine::INFINITY),
        ("a off the curve", &|(proof, _)| proof.a = off),
        ("c off the curve", &|(proof, _)| proof.c = off),
        ("b outside of its group", &|(proof, _)| proof.b = outside_of_g2()),
        ("another signal", &|(_, public)| public[0] += Fr::ONE),
        ("no signal", &|(_, public)| public.clear()),
        ("a signal more", &|(_, public)| public.push(Fr::ZERO)),
    ];
    for (what, change) in changes {
        for index in [0, 8, 16] {
            let mut proofs = batch.proofs.clone();
            change(&mut proofs[index]);
            assert!(!batch.accepts(&proofs), "{what}, proof {index}");
            assert!(!batch.accepts(&proofs[index..=index]), "{what}, alone");
        }
    }
}

#[test]
fn wrong_proofs_do_not_make_up_for_each_other() {
    let batch = Batch::new("one_constraint", 16);
    let g = G1Affine::GENERATOR;
    for (first, second) in [(0, 1), (3, 12), (15, 0)] {
        // The product of both equations without weights stays one.
        let mut shifted = batch.proofs.clone();
        shifted[first].0.c = sum(shifted[first].0.c, g);
        shifted[second].0.c = sum(shifted[second].0.c, -g);
        assert!(!batch.accepts(&shifted), "{first}, {second}");
        // As well with signals, of which one is too large by what the other is too small.
        let mut signals = batch.proofs.clone();
        signals[first].1[0] += Fr::ONE;
        signals[second].1[0] -= Fr::ONE;
        assert!(!batch.accepts(&signals), "{first}, {second}");
        // And proofs of each other's place, with what each of them lacks.
        let mut crossed = batch.proofs.clone();
        (crossed[first].0.c, crossed[second].0.c) = (crossed[second].0.c, crossed[first].0.c);
        assert!(!batch.accepts(&crossed), "{first}, {second}");
    }
}

#[test]
fn every_text_that_is_no_proof_of_its_signals_is_found() {
    let cases = verify_cases();
    let good = &cases[0];
    assert!(good.expect, "{}", good.name);
    let key = VerifyingKey::from_json(good.vk.to_line().as_bytes(), "vk.json").expect("a key");
    let good = (good.public.to_line(), good.proof.to_line());
    let options = BatchOptions { pool: pool(), observer: &() };
    for case in cases.iter().filter(|case| case.vk == cases[0].vk) {
        let wrong = (case.public.to_line(), case.proof.to_line());
        let all = [&good, &good, &wrong, &good];
        let texts = all.map(|(public, proof)| BatchTexts {
            public: public.as_bytes(),
            proof: proof.as_bytes(),
        });
        assert_eq!(key.verify_batch_json(&texts, options), Ok(case.expect), "{}", case.name);
    }
}

#[test]
fn a_batch_stopped_anywhere_is_cancelled() {
    let batch = Batch::new("one_constraint", 17);
    let items: Vec<_> =
        batch.proofs.iter().map(|(proof, public)| BatchItem { proof: *proof, public }).collect();
    for questions in 0.. {
        let observer = StopAfter::new(questions);
        let options = BatchOptions { pool: pool(), observer: &observer };

        let answer = batch.key().verify_batch(&items, options);

        if answer == Ok(true) {
            assert!(questions >= 3, "only {questions} questions were asked");
            break;
        }
        assert_eq!(answer, Err(Error::Cancelled), "after {questions} questions");
    }
}
