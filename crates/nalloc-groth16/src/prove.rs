//! The prover: a witness and two random scalars in, three points out.
//!
//! ```text
//! A  = alpha1 + sum of w_j A_j  + r delta1
//! B  = beta2  + sum of w_j B2_j + s delta2
//! B1 = beta1  + sum of w_j B1_j
//! C  = sum of w_j L_j + sum of P_i H_i + s A + r B1
//! ```
//!
//! B1 goes without its own blinding: r (B1 + s delta1) - r s delta1 is r B1. The quotient P and the
//! five sums are one set of tasks, of which only the sum over H waits for P; where they are so
//! large that their memory counts, they follow each other. Multiplications by r and s take the same
//! steps for all values; the sums do not.
//!
//! What is secret lives in one arena and on the pool's stacks. The arena is wiped when it is
//! dropped and the stacks are overwritten, after success, error, cancellation and panic alike.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use nalloc::Arena;
use nalloc_bn254::file::{index, wide};
use nalloc_bn254::{Field, Fq, Fq2, Fr, Jacobian, Observer, Pool};

use crate::error::Error;
use crate::key::ProvingKey;
use crate::proof::Proof;
use crate::quotient::quotient;
use crate::witness::Witness;

/// Attempts to draw a number below r from 254 random bits; each fails with probability 0.25.
const ATTEMPTS_MAX: u32 = 128;
/// How one proof is made.
#[derive(Clone, Copy)]
pub struct ProveOptions<'a> {
    /// Threads of the proof.
    pub pool: &'a Pool,
    /// Sees the phases "witness", "quotient", "msm", "finish" and "self-verify", and may stop it.
    pub observer: &'a dyn Observer,
    /// Verify the proof before it is returned. Without it, a damaged or hostile key can make a
    /// proof that gives the witness away.
    pub self_verify: bool,
    /// Fixed blinding (r, s), for tests only: such proofs give the witness away.
    pub blinding: Option<(Fr, Fr)>,
    /// Refuse with [`Error::Limit`] when the proof needs more bytes.
    pub memory_limit_bytes: Option<u64>,
}

impl<'a> ProveOptions<'a> {
    /// Verified proofs with fresh blinding, without an observer and a limit.
    #[must_use]
    pub fn new(pool: &'a Pool) -> Self {
        Self { pool, observer: &(), self_verify: true, blinding: None, memory_limit_bytes: None }
    }
}

impl ProvingKey {
    /// Bytes that one proof on a pool of `threads` threads takes at most, beside the key.
    #[must_use]
    pub fn estimate_bytes(&self, threads: usize) -> u64 {
        self.proof_shape(threads).proof_bytes(threads)
    }

    /// Proves that `witness` satisfies the circuit: the proof and the public signals.
    ///
    /// For one key, witness and blinding the proof is always the same.
    ///
    /// # Errors
    /// [`Error::WitnessLength`], [`Error::WitnessOne`], [`Error::Limit`] before anything is
    /// allocated, [`Error::SelfVerify`], [`Error::Memory`], [`Error::Random`],
    /// [`Error::Cancelled`].
    pub fn prove(
        &self,
        witness: &Witness,
        options: &ProveOptions<'_>,
    ) -> Result<(Proof, Vec<Fr>), Error> {
        let file = || witness.name().to_owned();
        let (expected, got) = (self.info.n_vars, witness.len());
        if expected != got {
            return Err(Error::WitnessLength { file: file(), expected, got });
        }
        if !witness.starts_with_one() {
            return Err(Error::WitnessOne { file: file() });
        }
        let needed = self.estimate_bytes(options.pool.thread_count());
        if let Some(limit) = options.memory_limit_bytes.filter(|&limit| needed > limit) {
            return Err(Error::Limit { what: "the proof", needed, limit });
        }
        // Made before the work, so that it runs after it, whatever happens.
        let _scrub = ScrubOnDrop(options.pool);
        let (proof, public) = options.pool.install(|| self.make_proof(witness, options))?;
        if options.self_verify {
            options.observer.progress("self-verify", 0, 1);
            if self.verifying_key.check(&proof, &public, Some(options.pool)).is_err() {
                return Err(Error::SelfVerify { file: self.name.clone() });
            }
            options.observer.progress("self-verify", 1, 1);
        }
        if options.observer.is_cancelled() { Err(Error::Cancelled) } else { Ok((proof, public)) }
    }

    fn make_proof(
        &self,
        witness: &Witness,
        options: &ProveOptions<'_>,
    ) -> Result<(Proof, Vec<Fr>), Error> {
        let observer = options.observer;
        if observer.is_cancelled() {
            return Err(Error::Cancelled);
        }
        observer.progress("witness", 0, 1);
        let threads = options.pool.thread_count();
        let bytes = self.proof_shape(threads).arena_bytes(threads);
        let secret = |bytes| Arena::builder().capacity_bytes(bytes).secret(true).build();
        let (kept, mut scratch) = (secret(bytes.kept)?, secret(bytes.scratch)?);
        let values = kept.try_alloc_array::<[u64; 4]>(index(self.info.n_vars))?;
        witness.copy_limbs_to(values);
        observer.progress("witness", 1, 1);

        let scalars = kept.try_alloc_array::<[u64; 4]>(index(self.info.domain_size))?;
        let all = Shares::new(self.weights(), options);
        let sums = if bytes.is_at_once {
            self.sums_at_once(values, scalars, &scratch, &all)?
        } else {
            self.sums_in_turn(values, scalars, &mut scratch, &all)?
        };

        observer.progress("finish", 0, 1);
        let blinding = options.blinding.map_or_else(random_blinding, Ok)?;
        let proof = self.finish(&sums, blinding, options.pool);
        let public = values.iter().skip(1).take(self.verifying_key.ic.len().saturating_sub(1));
        // Values of a witness are below r.
        let public = public.map(|value| Fr::from_plain(*value).unwrap_or(Fr::ZERO)).collect();
        observer.progress("finish", 1, 1);
        Ok((proof, public))
    }

    /// How much work each sum is. An addition in G2 costs about three in G1.
    fn weights(&self) -> [usize; 5] {
        [self.a.len(), self.b1.len(), 3 * self.b2.len(), self.l.len(), self.h.len()]
    }

    /// The quotient and the five sums, at once: that over H follows the quotient, the others wait
    /// for nothing.
    fn sums_at_once(
        &self,
        values: &[[u64; 4]],
        quotient_values: &mut [[u64; 4]],
        scratch: &Arena,
        all: &Shares<'_>,
    ) -> Result<Sums, Error> {
        let pool = all.options.pool;
        let private = &values[index(self.info.n_public) + 1..];
        let [for_a, for_b1, for_b2, for_l, for_h] = &all.each();
        let of_quotient = || {
            quotient(self, values, quotient_values, scratch, all.options)?;
            all.begin();
            self.h.sum(quotient_values, pool, scratch, for_h)
        };
        let of_wires = || {
            pool.join(
                || self.b2.sum(values, pool, scratch, for_b2),
                || {
                    pool.join(
                        || self.a.sum(values, pool, scratch, for_a),
                        || {
                            pool.join(
                                || self.l.sum(private, pool, scratch, for_l),
                                || self.b1.sum(values, pool, scratch, for_b1),
                            )
                        },
                    )
                },
            )
        };
        let (h, (b2, (a, (l, b1)))) = pool.join(of_quotient, of_wires);
        Ok(Sums { h: h?, a: a?, b1: b1?, b2: b2?, l: l? })
    }

    /// The quotient and the five sums, one after the other in the same memory, each on all threads.
    fn sums_in_turn(
        &self,
        values: &[[u64; 4]],
        quotient_values: &mut [[u64; 4]],
        scratch: &mut Arena,
        all: &Shares<'_>,
    ) -> Result<Sums, Error> {
        let pool = all.options.pool;
        let private = &values[index(self.info.n_public) + 1..];
        let [for_a, for_b1, for_b2, for_l, for_h] = &all.each();
        quotient(self, values, quotient_values, scratch, all.options)?;
        scratch.reset();
        all.begin();
        let h = self.h.sum(quotient_values, pool, scratch, for_h)?;
        scratch.reset();
        let b2 = self.b2.sum(values, pool, scratch, for_b2)?;
        scratch.reset();
        let b1 = self.b1.sum(values, pool, scratch, for_b1)?;
        scratch.reset();
        let a = self.a.sum(values, pool, scratch, for_a)?;
        scratch.reset();
        let l = self.l.sum(private, pool, scratch, for_l)?;
        Ok(Sums { a, b1, b2, l, h })
    }

    /// Adds the key's constants and the blinding.
    fn finish(&self, sums: &Sums, (r, s): (Fr, Fr), pool: &Pool) -> Proof {
        let (b, (a, c)) = pool.join(
            || {
                let blinded = sums.b2.add(&self.verifying_key.delta2.mul_secret(&s));
                blinded.add_affine(&self.verifying_key.beta2).to_affine()
            },
            || {
                let a = sums.a.add(&self.delta1.mul_secret(&r));
                let a = a.add_affine(&self.verifying_key.alpha1).to_affine();
                let b1 = sums.b1.add_affine(&self.beta1).to_affine();
                let c = sums.l.add(&sums.h).add(&a.mul_secret(&s)).add(&b1.mul_secret(&r));
                (a, c.to_affine())
            },
        );
        Proof { a, b, c }
    }
}

/// The results of the five multi-scalar multiplications.
struct Sums {
    a: Jacobian<Fq>,
    b1: Jacobian<Fq>,
    b2: Jacobian<Fq2>,
    l: Jacobian<Fq>,
    h: Jacobian<Fq>,
}

/// Two independent scalars, uniform below r, from the operating system.
fn random_blinding() -> Result<(Fr, Fr), Error> {
    let mut bytes = [0; 32];
    let drawn = random_scalar(&mut bytes).and_then(|r| Ok((r, random_scalar(&mut bytes)?)));
    nalloc::wipe(&mut bytes);
    drawn
}

/// Draws 254 bits until they are a number below r.
fn random_scalar(bytes: &mut [u8; 32]) -> Result<Fr, Error> {
    for _ in 0..ATTEMPTS_MAX {
        getrandom::fill(bytes).map_err(|error| Error::Random { reason: error.to_string() })?;
        bytes[31] &= 0x3f;
        if let Some(scalar) = Fr::from_le_bytes(bytes) {
            return Ok(scalar);
        }
    }
    Err(Error::Random { reason: format!("{ATTEMPTS_MAX} numbers above r in a row") })
}

/// Overwrites the stacks of a pool when it goes out of scope.
struct ScrubOnDrop<'a>(&'a Pool);

impl Drop for ScrubOnDrop<'_> {
    fn drop(&mut self) {
        self.0.scrub_stacks();
    }
}

/// How far five operations are, as one number.
struct Shares<'a> {
    options: &'a ProveOptions<'a>,
    weights: [u64; 5],
    /// Of each weight, how much is done.
    done: [AtomicU64; 5],
    /// Whether their phase has begun: before that they say nothing.
    has_begun: AtomicBool,
}

impl<'a> Shares<'a> {
    fn new(weights: [usize; 5], options: &'a ProveOptions<'a>) -> Self {
        let done = [const { AtomicU64::new(0) }; 5];
        Self { options, weights: weights.map(wide), done, has_begun: AtomicBool::new(false) }
    }

    /// Begins their phase, in which some of them may be far already.
    fn begin(&self) {
        // Partner: the Acquire load in `report`, so that the phase before has had its last report.
        self.has_begun.store(true, Ordering::Release);
        self.report();
    }

    fn report(&self) {
        if self.has_begun.load(Ordering::Acquire) {
            // Relaxed: the numbers stand for themselves, and a report that is late does no harm.
            let done = self.done.iter().map(|done| done.load(Ordering::Relaxed)).sum();
            self.options.observer.progress("msm", done, self.total());
        }
    }

    fn each(&self) -> [Share<'_>; 5] {
        [0, 1, 2, 3, 4].map(|index| Share { all: self, index })
    }

    fn total(&self) -> u64 {
        self.weights.iter().sum()
    }
}

/// One of the five, as its own observer.
struct Share<'a> {
    all: &'a Shares<'a>,
    index: usize,
}

impl Observer for Share<'_> {
    fn is_cancelled(&self) -> bool {
        self.all.options.observer.is_cancelled()
    }

    fn progress(&self, _phase: &'static str, done: u64, total: u64) {
        let weight = self.all.weights[self.index];
        let share = weight.saturating_mul(done) / total.max(1);
        self.all.done[self.index].fetch_max(share, Ordering::Relaxed);
        self.all.report();
    }
}

#[cfg(test)]
mod tests {
    use testkit::cases::by_name;
    use testkit::files::Fixture;

    use super::*;
    use crate::ReadOptions;

    #[test]
    fn a_proof_is_the_same_whether_its_sums_are_made_at_once_or_in_turn() {
        for name in ["bits", "infinities", "dense"] {
            let fixture = Fixture::new(&by_name(name));
            let witness = Witness::from_bytes(&fixture.wtns, name).expect("a good witness");
            let prove = |threads| {
                let pool = Pool::new(Some(threads)).expect("a pool");
                let (observer, memory_limit_bytes) = (&(), None);
                let allow_insecure = false;
                let options = ReadOptions {
                    pool: &pool,
                    observer,
                    allow_insecure,
                    memory_limit_bytes,
                    table_bytes_max: 0,
                    name,
                };
                let key = ProvingKey::from_bytes(&fixture.zkey, &options).expect("a good key");
                let blinding = Some((Fr::from_u64(3), Fr::from_u64(4)));
                let options = ProveOptions { blinding, ..ProveOptions::new(&pool) };
                (
                    key.proof_shape(threads).arena_bytes(threads).is_at_once,
                    key.prove(&witness, &options),
                )
            };

            // Each thread has buckets of its own for every sum.
            let ((at_once, one), (also_at_once, other)) = (prove(2), prove(256));

            assert_eq!((at_once, also_at_once), (true, false), "{name}");
            assert!(one.is_ok(), "{name}");
            assert_eq!(one, other, "{name}");
        }
    }
}
