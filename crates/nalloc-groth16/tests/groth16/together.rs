//! Proofs that run at the same time, on one key and on several, on one pool and on several.

use std::thread;

use nalloc_bn254::Pool;
use nalloc_groth16::ProveOptions;
use testkit::cases::by_name;
use testkit::circuit::int;
use testkit::files::Fixture;

use crate::support::{Pair, pool};

#[test]
fn eight_threads_prove_on_two_keys_and_all_is_right() {
    let pairs = ["bits", "dense"].map(|name| Pair::of(&Fixture::new(&by_name(name))));
    let own_pool = Pool::new(Some(1)).expect("a pool of one thread");
    let expected =
        pairs.each_ref().map(|pair| pair.prove(Some((int(1), int(2)))).expect("a proof"));
    thread::scope(|scope| {
        for number in 0..8 {
            let (pair, expected) = (&pairs[number % 2], &expected[number % 2]);
            let pool = if number < 6 { pool() } else { &own_pool };
            scope.spawn(move || {
                for round in 0..4 {
                    let is_fixed = round % 2 == 0;
                    let blinding = is_fixed.then(|| (int(1), int(2)));
                    let options = ProveOptions { blinding, ..ProveOptions::new(pool) };
                    let made = pair.key.prove(&pair.witness, &options).expect("a proof");
                    let key = pair.key.verifying_key();
                    assert_eq!(key.verify(&made.0, &made.1), Ok(()), "thread {number}");
                    assert_eq!(is_fixed, made == *expected, "thread {number}");
                }
            });
        }
    });
}

#[test]
fn a_proof_can_be_made_from_inside_the_pool() {
    let pair = Pair::of(&Fixture::new(&by_name("bits")));
    let (left, right) = pool().join(|| pair.prove(None), || pair.prove(None));
    assert!(left.is_ok() && right.is_ok());
}
