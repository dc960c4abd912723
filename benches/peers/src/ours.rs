//! nalloc's own arithmetic, on a pool and an arena of its own.

use std::hint::black_box;
use std::iter;
use std::time::Instant;

use benchkit::worker::{Timed, time};
use nalloc::Arena;
use nalloc_bn254::curve::{CurveField, batch_to_affine};
use nalloc_bn254::measure::InCache;
use nalloc_bn254::{
    Affine, Field, Fq, Fq2, Fr, Jacobian, Kernels, Ntt, Pool, msm, msm_scratch_bytes,
    ntt_scratch_bytes,
};

use crate::input::{Case, PRODUCT_LEN, hash, small_scalar};
use crate::kzg;
use crate::theirs::Library;

/// What an arena may lose to the placement of an array.
const SLACK_BYTES: usize = 3 * 4096;
/// Multiplications of the chain that shows the clock: each takes 3 cycles.
const CHAIN_LEN: u32 = 20_000;
const CHAIN_CYCLES: f64 = 3.0;
/// How often the clock and a kernel are measured; the fastest of each counts.
const WINDOWS: usize = 400;

/// nalloc with the kernels of `NALLOC_CPU`.
#[derive(Default)]
pub struct Ours {
    /// Bytes of a table of multiples of an SRS.
    pub table_bytes_max: usize,
}

/// The first powers of seven.
pub fn powers(len: usize) -> Vec<Fr> {
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

/// Multiples of the generator, and powers of seven.
pub struct Terms<F> {
    pub bases: Vec<Affine<F>>,
    pub scalars: Vec<[u64; 4]>,
    pool: Pool,
    arena: Arena,
}

impl<F: CurveField> Terms<F> {
    pub fn new(
        log2: u32,
        threads: usize,
        is_small: impl Fn(usize) -> Option<u64>,
    ) -> Result<Self, String> {
        let (n, generator) = (1 << log2, Affine::<F>::GENERATOR);
        let multiples = iter::successors(Some(Jacobian::from(generator)), |sum| {
            Some(sum.add_affine(&generator))
        });
        let multiples: Vec<_> = multiples.take(n).collect();
        let mut bases = vec![Affine::INFINITY; n];
        batch_to_affine(&multiples, &mut bases).map_err(|error| error.to_string())?;
        let scalar = |(index, power): (usize, Fr)| {
            is_small(index).map_or_else(|| power.to_plain(), |small| [small, 0, 0, 0])
        };
        let scalars = powers(n).into_iter().enumerate().map(scalar).collect();
        let pool = Pool::new(Some(threads)).map_err(|error| error.to_string())?;
        let arena = Arena::with_capacity(msm_scratch_bytes::<F>(n, threads));
        Ok(Self { bases, scalars, pool, arena: arena.map_err(|error| error.to_string())? })
    }

    /// Scratch is wiped by the next call's `reset`, as a prover wipes its arena.
    fn sum(&mut self) -> Jacobian<F> {
        self.arena.reset();
        let sum = msm(&self.bases, &self.scalars, &self.pool, &self.arena, &());
        sum.expect("as many scalars as points, and an arena for them")
    }
}

/// Seconds of a chain of dependent squares, whatever else the core's other units do.
fn chain_s() -> f64 {
    let (started, mut x) = (Instant::now(), black_box(3_u64));
    // Squares, because a compiler may regroup a product by a constant.
    (0..CHAIN_LEN).for_each(|_| x = x.wrapping_mul(x));
    black_box(x);
    started.elapsed().as_secs_f64()
}

/// The clock while this is called, by the fastest of many chains.
pub fn clock_hz() -> f64 {
    let fastest = (0..WINDOWS).map(|_| chain_s()).fold(f64::INFINITY, f64::min);
    f64::from(CHAIN_LEN) * CHAIN_CYCLES / fastest
}

/// Cycles of the fastest of many windows, by the clock in the same windows.
fn cycles(mut work: impl FnMut() -> usize) -> Timed {
    let (mut fastest, mut chain) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..WINDOWS {
        let started = Instant::now();
        let count = black_box(work());
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let one = started.elapsed().as_secs_f64() / count as f64;
        fastest = fastest.min(one);
        chain = chain.min(chain_s());
    }
    let cycles_per_s = f64::from(CHAIN_LEN) * CHAIN_CYCLES / chain;
    Timed { value: fastest * cycles_per_s, page_faults: 0 }
}

fn hash_of_g1(sum: &Jacobian<Fq>) -> String {
    let Affine { x, y } = sum.to_affine();
    hash([x, y].into_iter().map(Fq::to_plain))
}

fn time_sums<F: CurveField>(case: Case, mut terms: Terms<F>) -> Timed {
    time(case.repetitions(), || {
        black_box(terms.sum());
    })
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
            Case::G1(log2) => return Ok(hash_of_g1(&Terms::new(log2, threads, |_| None)?.sum())),
            Case::G1Small(log2) => {
                return Ok(hash_of_g1(&Terms::new(log2, threads, small_scalar)?.sum()));
            }
            Case::G2(log2) => {
                let sum = Terms::<Fq2>::new(log2, threads, |_| None)?.sum().to_affine();
                let parts = [sum.x.c0, sum.x.c1, sum.y.c0, sum.y.c1];
                return Ok(hash(parts.into_iter().map(Fq::to_plain)));
            }
            Case::Commit(_) | Case::Open(_) | Case::Verify | Case::VerifyEach => {
                return kzg::ours::hash(case, threads, self.table_bytes_max);
            }
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
            Case::G1(log2) => Ok(time_sums::<Fq>(case, Terms::new(log2, threads, |_| None)?)),
            Case::G1Small(log2) => {
                Ok(time_sums::<Fq>(case, Terms::new(log2, threads, small_scalar)?))
            }
            Case::G2(log2) => Ok(time_sums::<Fq2>(case, Terms::new(log2, threads, |_| None)?)),
            Case::Commit(_) | Case::Open(_) | Case::Verify | Case::VerifyEach => {
                kzg::ours::time(case, threads, self.table_bytes_max)
            }
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
