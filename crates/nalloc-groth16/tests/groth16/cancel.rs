//! A proof or an opening can be stopped at any point, and what comes next works.

use std::sync::Mutex;

use nalloc_bn254::Observer;
use nalloc_groth16::{Error, ProveOptions, ProvingKey, ReadOptions};
use testkit::StopAfter;
use testkit::cases::by_name;
use testkit::circuit::int;
use testkit::files::Fixture;

use crate::support::{Pair, pool, reading};

/// 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, ..
fn question_counts() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(0), |&count: &u64| Some(count + 1 + count / 5))
}

#[test]
fn a_proof_stopped_anywhere_is_cancelled_and_the_next_one_is_right() {
    let pair = Pair::of(&Fixture::new(&by_name("bits")));
    let blinding = Some((int(5), int(6)));
    let expected = pair.prove(blinding).expect("a proof");
    for count in question_counts() {
        let observer = StopAfter::new(count);
        let options = ProveOptions { observer: &observer, blinding, ..ProveOptions::new(pool()) };

        let stopped = pair.key.prove(&pair.witness, &options);

        if let Ok(made) = stopped {
            assert!(count > 10, "only {count} questions were asked");
            assert_eq!(made, expected);
            break;
        }
        assert_eq!(stopped, Err(Error::Cancelled), "after {count} questions");
        assert_eq!(pair.prove(blinding), Ok(expected.clone()), "after {count} questions");
    }
}

#[test]
fn an_opening_stopped_anywhere_is_cancelled_and_the_next_one_works() {
    let fixture = Fixture::new(&by_name("bits"));
    for count in question_counts() {
        let observer = StopAfter::new(count);
        let options = ReadOptions { observer: &observer, ..reading("x") };

        let opened = ProvingKey::from_bytes(&fixture.zkey, &options);

        if opened.is_ok() {
            assert!(count > 10, "only {count} questions were asked");
            break;
        }
        assert_eq!(opened.err(), Some(Error::Cancelled), "after {count} questions");
    }
    assert!(ProvingKey::from_bytes(&fixture.zkey, &reading("x")).is_ok());
}

/// Remembers each phase with the largest part of it that was done.
#[derive(Default)]
struct Phases(Mutex<Vec<(&'static str, u64, u64)>>);

impl Observer for Phases {
    fn progress(&self, phase: &'static str, done: u64, total: u64) {
        let mut phases = self.0.lock().expect("no panic while it was held");
        assert!(done <= total, "{phase}: {done} of {total}");
        match phases.last_mut() {
            Some((last, most, all)) if *last == phase => {
                assert_eq!(*all, total, "{phase}");
                *most = done.max(*most);
            }
            _ => phases.push((phase, done, total)),
        }
    }
}

#[test]
fn phases_come_in_order_and_are_finished() {
    let fixture = Fixture::new(&by_name("bits"));
    let phases = Phases::default();
    let options = ReadOptions { observer: &phases, ..reading("x") };
    let pair = Pair::of(&fixture);

    let key = ProvingKey::from_bytes(&fixture.zkey, &options).expect("a good key");
    let options = ProveOptions { observer: &phases, ..ProveOptions::new(pool()) };
    key.prove(&pair.witness, &options).expect("a proof");

    let phases = phases.0.into_inner().expect("no panic while it was held");
    let names: Vec<&str> = phases.iter().map(|(phase, ..)| *phase).collect();
    assert_eq!(names, ["load", "witness", "quotient", "msm", "finish", "self-verify"]);
    for (phase, done, total) in &phases {
        assert_eq!(done, total, "{phase}");
    }
}
