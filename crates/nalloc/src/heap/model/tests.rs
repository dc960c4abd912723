//! Sequences of fixed seeds, those that a fuzzer found, and those that a failure printed.

use std::{env, fs, iter};

use super::{Choices, Heap, IDLE, Model, Op, Setup, run, run_bytes};
use crate::os::fake::{Fault, Random, VERBS};

const PLAIN: Setup = Setup { page_bytes: 4096, has_helper: true, has_range: true, fault: None };
/// Bytes of a sequence of about 150 operations.
const SEQUENCE_BYTES: usize = 100 * 8;

/// Runs a sequence that a failure printed.
fn replay(seed: u64, setup: Setup, ops: &[Op]) {
    let fake = setup.fake(seed);
    let heap = Heap::new(&fake, IDLE);
    let mut model = Model::new(&fake, &heap, seed, setup);
    for &op in ops {
        model.step(op);
    }
    model.finish();
}

/// The string of bytes of a seed.
fn bytes_of(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random(seed);
    iter::repeat_with(|| random.next().to_le_bytes()).flatten().take(length).collect()
}

fn run_seed(seed: u64, setup: Setup) {
    run(seed, setup, Choices(&bytes_of(seed, SEQUENCE_BYTES)));
}

#[test]
fn random_operations_agree_with_a_list_of_blocks() {
    for seed in 0..10 {
        run_seed(seed, PLAIN);
        run_seed(seed, Setup { has_helper: false, ..PLAIN });
    }
}

#[test]
fn random_operations_agree_on_pages_of_16_and_64_kib() {
    for page_bytes in [16 << 10, 64 << 10] {
        for seed in 100..106 {
            run_seed(seed, Setup { page_bytes, ..PLAIN });
        }
    }
}

#[test]
fn random_operations_agree_when_any_verb_refuses_now_and_then_or_always() {
    for verb in VERBS {
        for one_in in [1, 8] {
            let fault = Some(Fault { verb, one_in });
            run_seed(200, Setup { fault, ..PLAIN });
            run_seed(201, Setup { fault, has_helper: false, ..PLAIN });
        }
    }
}

#[test]
fn random_operations_agree_without_a_range() {
    for seed in 300..305 {
        let setup = Setup { has_range: false, ..PLAIN };
        run_seed(seed, setup);
        let fake = setup.fake(seed);
        assert_eq!(Heap::new(&fake, IDLE).stats().reserved_bytes, 0);
    }
}

#[test]
fn as_many_more_sequences_agree_as_the_environment_asks_for() {
    let rounds = env::var("NALLOC_TEST_FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok());
    let rounds: u64 = rounds.unwrap_or(3);
    for seed in 1000..1000 + rounds {
        run_bytes(&bytes_of(seed, Random(seed).below(4 * SEQUENCE_BYTES)));
    }
}

#[test]
fn what_a_fuzzer_found_stays_right() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/regressions/heap");
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the folder of regressions") {
        let path = entry.expect("a file").path();
        run_bytes(&fs::read(&path).expect("a sequence"));
        count += 1;
    }
    assert!(count > 0, "{folder} is empty");
}

#[test]
fn a_printed_sequence_runs_again() {
    replay(
        0x7,
        PLAIN,
        &[
            Op::AllocZeroed { bytes: 3_000_000, align: 8, is_sparse: true },
            Op::BeginPhase(1),
            Op::Resize { index: 0, bytes: 100_000 },
            Op::SetMemoryLimit(Some(1 << 20)),
            Op::Alloc { bytes: 2_000_000, align: 8 },
            Op::Free { index: 0, touched: 100_000 },
        ],
    );
}
