//! Commits to many polynomials, opens them, and checks the openings: `cargo run --release --example
//! kzg_commit_open_verify -- 16 8` for 8 polynomials of 2^16 coefficients, 2^12 and 4 without
//! arguments.
//!
//! One prover takes its memory once, here with a limit, and does one polynomial after the other;
//! its observer stops it at a deadline. docs/kzg.md tells how a flamegraph is made of it.
//! The SRS is made from a tau that this program knows: it proves nothing to anybody.

use std::env;
use std::error::Error;
use std::time::{Duration, Instant};

use nalloc::NAlloc;
use nalloc_bn254::kzg::{Claim, Committed, Opening, Prover, ProverOptions, Query, Srs, Verifier};
use nalloc_bn254::{Field, Fr, Observer, Polynomial, Pool};

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

const LOG2: u32 = 12;
const POLYNOMIALS: usize = 4;
/// What proofs are for: a verifier of another context refuses them.
const CONTEXT: &[u8] = b"nalloc example kzg_commit_open_verify";

/// Stops everything after a time, as a server does when a request takes too long.
struct Deadline(Instant);

impl Observer for Deadline {
    fn is_cancelled(&self) -> bool {
        Instant::now() > self.0
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let log2: u32 = arguments.next().map_or(Ok(LOG2), |text| text.parse())?;
    let count: usize = arguments.next().map_or(Ok(POLYNOMIALS), |text| text.parse())?;
    let len = 1 << log2;

    let pool = Pool::new(None)?;
    let tau = Fr::from_u64(0x6e61_6c6c_6f63).pow(&[1 << 20]);
    let srs = timed("srs", || Srs::unsafe_for_tests(tau, len, &pool))?;
    let polynomials = timed("polynomials", || polynomials(len, count))?;

    let deadline = Deadline(Instant::now() + Duration::from_mins(10));
    let mut options = ProverOptions::new(&pool);
    options.observer = &deadline;
    // What a prover needs is known before it takes any of it.
    let bytes = Prover::bytes(&srs, &options);
    options.bytes_max = Some(bytes);
    let kib = |bytes: usize| bytes >> 10;
    println!("memory      {} KiB of scratch, {} KiB of SRS", kib(bytes), kib(srs.bytes()));
    let mut prover = Prover::new(&srs, options)?;

    let commitments = timed("commit", || prover.commit_each(&polynomials))?;
    let point = Fr::from_u64(1_000_003);
    let openings = timed("open", || {
        let opened = polynomials.iter().map(|polynomial| prover.open(polynomial, point));
        opened.collect::<Result<Vec<Opening>, _>>()
    })?;

    // A verifier needs nothing of the SRS but tau G2.
    let verifier = Verifier::new(srs.verifier().tau_g2())?;
    timed("verify", || {
        let mut pairs = commitments.iter().zip(&openings);
        pairs.try_for_each(|(&commitment, opening)| verifier.verify(commitment, opening))
    })?;
    let pairs: Vec<_> = commitments.iter().copied().zip(openings.iter().copied()).collect();
    timed("at once", || verifier.verify_each(&pairs, &pool))?;

    // All at one point, with one proof.
    let pairs = || polynomials.iter().zip(&commitments);
    let committed: Vec<_> =
        pairs().map(|(polynomial, &commitment)| Committed { polynomial, commitment }).collect();
    let one = timed("one point", || prover.open_at_point(&committed, point, CONTEXT))?;
    verifier.verify_at_point(&commitments, &one, CONTEXT, &pool)?;

    // Each at a point of its own and at a common one, with one proof of two points of G1.
    let points: Vec<[Fr; 2]> = (2..).take(count).map(|own| [point, Fr::from_u64(own)]).collect();
    let queries: Vec<_> = pairs()
        .zip(&points)
        .map(|((polynomial, &commitment), points)| Query { polynomial, commitment, points })
        .collect();
    let many = timed("points", || prover.open_at_points(&queries, CONTEXT))?;
    let claims: Vec<_> = commitments
        .iter()
        .zip(&points)
        .map(|(&commitment, points)| Claim { commitment, points })
        .collect();
    verifier.verify_at_points(&claims, &many, CONTEXT, &pool)?;

    let mut forged = one;
    forged.values[0] += Fr::ONE;
    let refused = verifier.verify_at_point(&commitments, &forged, CONTEXT, &pool);
    println!("forged      {}", refused.expect_err("a wrong value"));
    Ok(())
}

/// Runs a step and prints how long it took.
fn timed<T>(step: &str, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    println!("{step:<12}{:.3} ms", started.elapsed().as_secs_f64() * 1e3);
    result
}

/// Powers of numbers, which are as good as random for sums.
fn polynomials(len: usize, count: usize) -> Result<Vec<Polynomial<Fr>>, nalloc_bn254::Error> {
    let coefficients = |seed: u64| {
        let (mut power, ratio) = (Fr::ONE, Fr::from_u64(seed + 7));
        let next = || {
            power *= ratio;
            power
        };
        std::iter::repeat_with(next).take(len).collect::<Vec<_>>()
    };
    (0..).take(count).map(|seed| Polynomial::from_coefficients(&coefficients(seed))).collect()
}
