//! Verification of many proofs at once: one product of pairings for all of them.
//!
//! Each proof's equation is raised to a weight of its own, and the product of all is one where each
//! is. Where one is not, the product is one for at most one in 2^128 choices of the weights (the
//! small exponents test of Bellare, Garay and Rabin, Fast Batch Verification for Modular
//! Exponentiation and Digital Signatures, 1998): in the group of pairings, of prime order r, the
//! weight of a wrong equation is determined by the others'. This needs points of the right groups,
//! which are checked one by one, and weights that nobody can foresee: they come from the operating
//! system, after the proofs are known.
//!
//! ```text
//! product of e(-w_i A_i, B_i) * e(s alpha, beta) * e(sum of t_j IC_j, gamma)
//!         * e(sum of w_i C_i, delta) = 1,  s = t_0 = sum of w_i, t_j = sum of w_i x_ij
//! ```
//!
//! What is left for each proof is the group check of B, its lines, its share of a loop, a product
//! by 128 bits and half of another; the final exponentiation, the signals' points and three loops
//! are there once.

use core::sync::atomic::{AtomicBool, Ordering};

use nalloc_bn254::pairing::{Lines, MillerLoops};
use nalloc_bn254::{Field, Fq, Fr, G1Affine, Jacobian, Observer, Pool};

use crate::error::Error;
use crate::proof::{Proof, public_from_json};
use crate::vkey::VerifyingKey;

/// Proofs whose loops share their squarings, and whose lines, 20 KiB for each, are in memory at
/// once on each thread; the observer is asked once for as many.
const TOGETHER: usize = 8;
/// Pieces of a batch for each thread: the last ones are short.
const PIECES_PER_THREAD: usize = 4;

/// A proof and what it shall prove.
#[derive(Clone, Copy, Debug)]
pub struct BatchItem<'a> {
    /// The proof.
    pub proof: Proof,
    /// The public signals.
    pub public: &'a [Fr],
}

/// A proof and what it shall prove, as texts.
#[derive(Clone, Copy, Debug)]
pub struct BatchTexts<'a> {
    /// The text of proof.json.
    pub proof: &'a [u8],
    /// The text of public.json.
    pub public: &'a [u8],
}

/// How a batch is verified.
#[derive(Clone, Copy)]
pub struct BatchOptions<'a> {
    /// The threads that work.
    pub pool: &'a Pool,
    /// Who watches and may stop it.
    pub observer: &'a dyn Observer,
}

impl VerifyingKey {
    /// Whether every one of `items` is accepted by [`verify`](Self::verify). No items are.
    ///
    /// Which ones are not is told by `verify`. One that is not escapes with a probability of at
    /// most 2^-128, whoever chose the proofs.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; [`Error::Random`] where the system has no random numbers.
    pub fn verify_batch(
        &self,
        items: &[BatchItem<'_>],
        options: BatchOptions<'_>,
    ) -> Result<bool, Error> {
        self.check_batch(items, options, |item| {
            let BatchItem { proof, public } = *item;
            let Proof { a, b, c } = proof;
            let is_good = a.is_on_curve()
                && b.is_on_curve()
                && c.is_on_curve()
                && b.is_in_subgroup()
                && public.len() + 1 == self.ic.len();
            is_good.then(|| (proof, public.to_vec()))
        })
    }

    /// As [`verify_batch`](Self::verify_batch), for the texts of proof.json and public.json:
    /// false for everything that is wrong with any of them.
    ///
    /// # Errors
    /// As `verify_batch`.
    pub fn verify_batch_json(
        &self,
        items: &[BatchTexts<'_>],
        options: BatchOptions<'_>,
    ) -> Result<bool, Error> {
        self.check_batch(items, options, |texts| {
            let public = public_from_json(texts.public, self.n_public()).ok()?;
            Some((Proof::from_json(texts.proof).ok()?, public))
        })
    }

    /// `read` gives an item's proof, of points of their groups, and as many signals as there are.
    fn check_batch<T: Sync>(
        &self,
        items: &[T],
        options: BatchOptions<'_>,
        read: impl Fn(&T) -> Option<(Proof, Vec<Fr>)> + Sync,
    ) -> Result<bool, Error> {
        let pieces = options.pool.thread_count() * PIECES_PER_THREAD;
        let piece_len = items.len().div_ceil(pieces).next_multiple_of(TOGETHER).max(TOGETHER);
        let is_refused = AtomicBool::new(false);
        let mut parts: Vec<Option<Result<Part, Error>>> = Vec::new();
        parts.resize_with(items.len().div_ceil(piece_len), || None);
        options.pool.for_each_chunk_mut(&mut parts, 1, |index, part| {
            let piece = items.chunks(piece_len).nth(index).unwrap_or_default();
            let sum = || self.part(piece, options.observer, &is_refused, &read);
            part.fill_with(|| sum().transpose());
        });
        let mut whole = Part::new(self.ic.len());
        for part in parts {
            match part {
                Some(part) => whole.add(&part?),
                // A piece with an item that is none.
                None => return Ok(false),
            }
        }
        Ok(self.is_one(&whole, options.pool))
    }

    /// What a piece of a batch comes to; none where one of its items, or of another piece's, is
    /// refused.
    fn part<T>(
        &self,
        piece: &[T],
        observer: &dyn Observer,
        is_refused: &AtomicBool,
        read: impl Fn(&T) -> Option<(Proof, Vec<Fr>)>,
    ) -> Result<Option<Part>, Error> {
        let mut part = Part::new(self.ic.len());
        for items in piece.chunks(TOGETHER) {
            if observer.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let read: Option<Vec<_>> = items.iter().map(&read).collect();
            // Relaxed: the flag orders nothing; whoever misses it does more than is needed.
            match read {
                Some(_) if is_refused.load(Ordering::Relaxed) => return Ok(None),
                Some(read) => part.weigh(&read)?,
                None => {
                    is_refused.store(true, Ordering::Relaxed);
                    return Ok(None);
                }
            }
        }
        Ok(Some(part))
    }

    fn is_one(&self, whole: &Part, pool: &Pool) -> bool {
        let fixed = self.fixed();
        let sum = |signals: &[Fr], points: &[G1Affine]| {
            let products = points.iter().zip(signals);
            products.fold(Jacobian::INFINITY, |sum, (point, &factor)| {
                sum.add(&point.mul_scalar_vartime(factor))
            })
        };
        let of_signals = || {
            let signals = sum(&whole.signals, &self.ic).to_affine();
            MillerLoops::of(&[(signals, &fixed.gamma2)])
        };
        let of_key = || {
            let alpha = sum(&whole.signals[..1], &[self.alpha1]).to_affine();
            let beta2 = Lines::new(&self.beta2);
            MillerLoops::of(&[(alpha, &beta2), (whole.c.to_affine(), &fixed.delta2)])
        };
        let (of_signals, of_key) = pool.join(of_signals, of_key);
        whole.loops.times(&of_key).times(&of_signals).is_one()
    }
}

/// What weighted proofs come to.
struct Part {
    /// The loops of -w A and B.
    loops: MillerLoops,
    /// The sum of w C.
    c: Jacobian<Fq>,
    /// Of 1 and of each signal the sum of its products by w.
    signals: Vec<Fr>,
}

impl Part {
    /// Of no proofs, for keys of as many points of signals.
    fn new(points: usize) -> Self {
        let loops = MillerLoops::of(&[]);
        Self { loops, c: Jacobian::INFINITY, signals: vec![Fr::ZERO; points] }
    }

    fn add(&mut self, other: &Self) {
        self.loops = self.loops.times(&other.loops);
        self.c = self.c.add(&other.c);
        for (sum, &more) in self.signals.iter_mut().zip(&other.signals) {
            *sum += more;
        }
    }

    /// Adds proofs, each with a weight that it did not have before.
    fn weigh(&mut self, items: &[(Proof, Vec<Fr>)]) -> Result<(), Error> {
        let weights = random_weights(items.len())?;
        let weighted = || items.iter().zip(&weights);
        let lines: Vec<Lines> = items.iter().map(|(proof, _)| Lines::new(&proof.b)).collect();
        let products = weighted().map(|((proof, _), &weight)| -sum_of(&[(proof.a, weight)]));
        let points: Vec<G1Affine> = products.map(|product| product.to_affine()).collect();
        let pairs: Vec<(G1Affine, &Lines)> = points.into_iter().zip(&lines).collect();
        self.loops = self.loops.times(&MillerLoops::of(&pairs));
        let terms: Vec<_> = weighted().map(|((proof, _), &weight)| (proof.c, weight)).collect();
        self.c = self.c.add(&sum_of(&terms));
        for ((_, public), &weight) in weighted() {
            let weight = scalar(weight);
            let signals = [Fr::ONE].into_iter().chain(public.iter().copied());
            for (sum, signal) in self.signals.iter_mut().zip(signals) {
                *sum += weight * signal;
            }
        }
        Ok(())
    }
}

/// The sum of points, each times a weight; all of them share the doublings.
fn sum_of(terms: &[(G1Affine, u128)]) -> Jacobian<Fq> {
    let mut sum = Jacobian::INFINITY;
    for bit in (0..u128::BITS).rev() {
        sum = sum.double();
        for (point, weight) in terms {
            if weight >> bit & 1 == 1 {
                sum = sum.add_affine(point);
            }
        }
    }
    sum
}

fn scalar(weight: u128) -> Fr {
    let limb = |shift: u32| (weight >> shift & u128::from(u64::MAX)).try_into().unwrap_or_default();
    // Far below r.
    Fr::from_plain([limb(0), limb(64), 0, 0]).unwrap_or(Fr::ZERO)
}

/// 128 bits for each of `count` proofs, from the operating system: whoever could foresee them could
/// make wrong proofs that make up for each other.
fn random_weights(count: usize) -> Result<Vec<u128>, Error> {
    let mut bytes = vec![[0; size_of::<u128>()]; count];
    let all = bytes.as_flattened_mut();
    getrandom::fill(all).map_err(|error| Error::Random { reason: error.to_string() })?;
    Ok(bytes.into_iter().map(u128::from_le_bytes).collect())
}
