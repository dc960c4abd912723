//! nalloc's own arithmetic, on a pool and an arena of its own.

use std::hint::black_box;
use std::iter;
use std::time::Instant;

use benchkit::worker::{Timed, time};
use nalloc::Arena;
use nalloc_bn254::measure::InCache;
use nalloc_bn254::{Field, Fr, Kernels, Ntt, Pool, ntt_scratch_bytes};

use crate::input::{Case, PRODUCT_LEN, hash};
use crate::theirs::Library;

/// What an arena may lose to the placement of an array.
const SLACK_BYTES: usize = 3 * 4096;
/// Multiplications of the chain that shows the clock: each takes 3 cycles.
const CHAIN_LEN: u32 = 20_000;
const CHAIN_CYCLES: f64 = 3.0;
/// How often the clock and a kernel are measured; the fastest of each counts.
const WINDOWS: usize = 400;

/// nalloc with the kernels of `NALLOC_CPU`.
pub struct Ours;

fn powers(len: usize) -> Vec<Fr> {
    let seven = Fr::from_u64(7);
    iter::successors(Some(Fr::ONE), |&x| Some(x * seven)).take(len).collect()
}

/// Calls `use_it` with 2^`log2` values and a function that transforms them. Both they and the
/// scratch lie in an arena, as a prover's do.
fn with_transform<R>(
    log2: u32,
    threads: usize,
    use_it: impl FnOnce(&mut [Fr], &mut dyn FnMut(&mut [Fr])) -> R,
) -> Result<R, String> {
    let text = |error: nalloc_bn254::Error| error.to_string();
    let no_memory = |error: nalloc::MapFailed| error.to_string();
    let pool = Pool::new(Some(threads)).map_err(text)?;
    let bytes = ntt_scratch_bytes(log2, threads) + (size_of::<Fr>() << log2) + SLACK_BYTES;
    let arena = Arena::with_capacity(bytes).map_err(no_memory)?;
    let ntt = Ntt::<Fr>::new(log2).map_err(text)?;
    let mut work = ntt.work(&pool, &arena, &()).map_err(text)?;
    let values = arena.try_alloc_array::<Fr>(1 << log2).map_err(no_memory)?;
    values.copy_from_slice(&powers(1 << log2));
    let mut transform =
        |values: &mut [Fr]| ntt.forward(values, &mut work).expect("as many values as points");
    Ok(use_it(values, &mut transform))
}

/// Seconds of the fastest of many windows, and the clock in the same windows.
fn cycles(mut work: impl FnMut() -> usize) -> Timed {
    let (mut fastest, mut chain, mut x) = (f64::INFINITY, f64::INFINITY, 3_u64);
    for _ in 0..WINDOWS {
        let started = Instant::now();
        let count = black_box(work());
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let one = started.elapsed().as_secs_f64() / count as f64;
        fastest = fastest.min(one);
        let started = Instant::now();
        // Squares, because a compiler may regroup a product by a constant.
        (0..CHAIN_LEN).for_each(|_| x = x.wrapping_mul(x));
        x = black_box(x) | 1;
        chain = chain.min(started.elapsed().as_secs_f64());
    }
    let cycles_per_s = f64::from(CHAIN_LEN) * CHAIN_CYCLES / chain;
    Timed { value: fastest * cycles_per_s, page_faults: 0 }
}

impl Library for Ours {
    fn settings(&self) -> String {
        format!("kernels {}", Kernels::host().name())
    }

    fn hash(&self, case: Case, threads: usize) -> Result<String, String> {
        let values = match case {
            Case::Product => {
                let mut a = powers(PRODUCT_LEN);
                let b = a.clone();
                Fr::multiply_each(Kernels::host(), &mut a, &b);
                a
            }
            Case::Ntt(log2) => with_transform(log2, threads, |values, transform| {
                transform(values);
                values.to_vec()
            })?,
            Case::Butterfly | Case::Shoup => return Err("the kernels alone have no result".into()),
        };
        Ok(hash(values.into_iter().map(Fr::to_plain)))
    }

    fn time(&self, case: Case, threads: usize) -> Result<Timed, String> {
        let in_cache = || {
            let made = InCache::new(Kernels::host()).map_err(|error| error.to_string())?;
            made.ok_or_else(|| "this CPU has no lanes".to_owned())
        };
        match case {
            Case::Product => {
                let mut a = powers(PRODUCT_LEN);
                let b = a.clone();
                let multiply =
                    || Fr::multiply_each(Kernels::host(), black_box(&mut a), black_box(&b));
                Ok(time(case.repetitions(), multiply))
            }
            Case::Ntt(log2) => with_transform(log2, threads, |values, transform| {
                time(case.repetitions(), || transform(black_box(values)))
            }),
            Case::Butterfly => {
                let mut tile = in_cache()?;
                Ok(cycles(|| tile.butterflies()))
            }
            Case::Shoup => {
                let mut tile = in_cache()?;
                Ok(cycles(|| tile.products()))
            }
        }
    }
}
