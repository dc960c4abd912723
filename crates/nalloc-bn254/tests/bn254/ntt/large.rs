//! Transforms of gigabytes, which only run where they are asked for and where the memory is there.

use core::iter::successors;
use core::ops::RangeInclusive;
use std::{env, fs};

use nalloc::Arena;
use nalloc_bn254::{Field, Fr, HeapBuffer, Ntt, Pool, ntt_scratch_bytes};

use crate::support::Rng;

/// log2 of the sizes that are large.
pub const LOG2: RangeInclusive<u32> = 26..=28;
/// Tables, and what else this process needs.
const SLACK_BYTES: usize = 1 << 30;

/// log2 of the largest transform to test.
pub fn log2_max() -> u32 {
    let log2_max = env::var("NALLOC_TEST_NTT_LOG2_MAX");
    log2_max.map_or(18, |text| text.parse().expect("a number of at most 28"))
}

fn available_bytes() -> usize {
    let text = fs::read_to_string("/proc/meminfo").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

/// The sum of (`ratio` * `point`)^j over all j below N.
fn series(ratio: Fr, point: Fr, size: u64) -> Fr {
    let quotient = (ratio * point - Fr::ONE).invert().unwrap();
    (ratio.pow(&[size]) - Fr::ONE) * quotient
}

/// Coefficient j is the sum of the j-th powers of both ratios, so that each value is known.
fn check(log2: u32, pool: &Pool) {
    let mut rng = Rng::new();
    let ratios = [rng.fr(), rng.fr()];
    let coefficients = || {
        let [a, b] =
            ratios.map(|ratio| successors(Some(Fr::ONE), move |&power| Some(power * ratio)));
        a.zip(b).map(|(a, b)| a + b)
    };
    let ntt = Ntt::<Fr>::new(log2).unwrap();
    let arena = Arena::with_capacity(ntt_scratch_bytes(log2, pool.thread_count())).unwrap();
    let mut work = ntt.work(pool, &arena, &()).unwrap();
    let mut values = HeapBuffer::<Fr>::zeroed(ntt.size()).unwrap();
    values.iter_mut().zip(coefficients()).for_each(|(value, c)| *value = c);

    ntt.forward(&mut values, &mut work).unwrap();
    let root = Fr::root_of_unity(log2).unwrap();
    for _ in 0..100 {
        let index = rng.word() >> (64 - log2);
        let point = root.pow(&[index]);
        let expected = ratios.map(|ratio| series(ratio, point, 1 << log2));
        assert_eq!(values[usize::try_from(index).unwrap()], expected[0] + expected[1]);
    }
    ntt.inverse(&mut values, &mut work).unwrap();
    assert!(values.iter().copied().zip(coefficients()).all(|(value, c)| value == c), "2^{log2}");
    drop((values, arena, ntt));
    // The next size asks the system what is available.
    nalloc::release_cache();
}

#[test]
fn large_transforms_survive_a_round_trip() {
    let pool = Pool::new(None).unwrap();

    // The largest first: what the heap keeps of it serves the others.
    for log2 in LOG2.rev() {
        let needed_bytes = 2 * (size_of::<Fr>() << log2) + SLACK_BYTES;
        if log2 > log2_max() {
            println!("skipped 2^{log2}: it runs where NALLOC_TEST_NTT_LOG2_MAX is as large");
        } else if available_bytes() < needed_bytes {
            println!("skipped 2^{log2}: expected {needed_bytes} bytes of memory that is available");
        } else {
            check(log2, &pool);
        }
    }
}
