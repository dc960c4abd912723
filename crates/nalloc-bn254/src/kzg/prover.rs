//! The pipeline of a prover: one SRS, scratch of a known size, any number of polynomials.
//!
//! All memory is taken when the prover is made, and refused there where it would be more than the
//! caller allows. Scratch holds integers of coefficients, quotients, digits and partial sums; it is
//! wiped after every call unless the polynomials are public, and the stacks of the pool when the
//! prover is dropped. Polynomials themselves are the caller's to wipe.
//!
//! Time and memory accesses depend on coefficients (see the head of msm.rs).

use core::fmt;
use core::iter;
use core::ops::Deref;

use nalloc::Arena;

use crate::arch::Kernels;
use crate::buffer::{HeapBuffer, Pieces};
use crate::curve::{G1Affine, G2Affine};
use crate::error::Error;
use crate::field::{Field, Fq, Fr};
use crate::msm::{FixedBases, FixedPlan, TableLimits, msm_scratch_bytes};
use crate::ntt::{Ntt, scratch_bytes};
use crate::observer::{Observer, Watched};
use crate::poly::Polynomial;
use crate::pool::Pool;
use crate::vector::Vectors;

use super::challenge::{Challenge, Transcript};
use super::plain::{TO_PLAIN, sum_of, to_plain};
use super::points;
use super::srs::Srs;
use super::types::{Commitment, Opening, OpeningAtPoint, OpeningAtPoints, Proof};

/// Vectors of all coefficients that one call works with: what is summed, and a quotient.
const VECTORS: usize = 2;
/// What an arena may lose to the placement of one array.
const ARRAY_SLACK_BYTES: usize = 3 * 4096;
/// Coefficients that one task copies.
const PIECE_LEN: usize = 4096;

/// Who may see the polynomials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Privacy {
    /// They are secret: scratch is kept out of core dumps and swap where the kernel allows it, and
    /// wiped after every call.
    #[default]
    Secret,
    /// Everybody: scratch is left as it is.
    Public,
}

/// How a [`Prover`] works.
#[derive(Clone, Copy)]
pub struct ProverOptions<'a> {
    /// The threads that work.
    pub pool: &'a Pool,
    /// Who watches and may stop each call. Sums show the phase "msm".
    pub observer: &'a dyn Observer,
    /// Coefficients of the longest polynomial; none for as many as the SRS has powers.
    pub coefficients_max: Option<usize>,
    /// Bytes that the prover may take for scratch and tables.
    pub bytes_max: Option<usize>,
    /// Bytes of a table of multiples of the powers, which makes sums of nearly as many coefficients
    /// as `coefficients_max` faster; see [`FixedPlan`]. It is made in the time of ten sums.
    pub table_bytes_max: usize,
    /// Who may see the polynomials.
    pub privacy: Privacy,
}

impl<'a> ProverOptions<'a> {
    /// On `pool`: nobody watches, no limit, no table, secret polynomials.
    #[must_use]
    pub fn new(pool: &'a Pool) -> Self {
        Self {
            pool,
            observer: &(),
            coefficients_max: None,
            bytes_max: None,
            table_bytes_max: 0,
            privacy: Privacy::Secret,
        }
    }
}

/// A polynomial, whose coefficients are in `S`, and its commitment.
#[derive(Debug)]
pub struct Committed<'a, S = HeapBuffer<Fr>> {
    /// The polynomial.
    pub polynomial: &'a Polynomial<Fr, S>,
    /// What [`Prover::commit`] gave for it. With another one, proofs are not accepted.
    pub commitment: Commitment,
}

/// A committed polynomial, and where it shall be opened.
#[derive(Debug)]
pub struct Query<'a, S = HeapBuffer<Fr>> {
    /// The polynomial.
    pub polynomial: &'a Polynomial<Fr, S>,
    /// As in [`Committed`].
    pub commitment: Commitment,
    /// Where; each point once.
    pub points: &'a [Fr],
}

/// Commits to polynomials and opens them; see the head of this file.
///
/// ```
/// use nalloc_bn254::kzg::{Prover, ProverOptions, Srs};
/// use nalloc_bn254::{Field, Fr, Polynomial, Pool};
///
/// let pool = Pool::new(Some(1))?;
/// let srs = Srs::unsafe_for_tests(Fr::from_u64(5), 16, &pool)?;
/// let mut prover = Prover::new(&srs, ProverOptions::new(&pool))?;
/// let square = Polynomial::from_coefficients(&[Fr::ZERO, Fr::ZERO, Fr::ONE])?;
///
/// let commitment = prover.commit(&square)?;
/// let opening = prover.open(&square, Fr::from_u64(3))?;
///
/// assert_eq!(opening.value, Fr::from_u64(9));
/// assert_eq!(srs.verifier().verify(commitment, &opening), Ok(()));
/// # Ok::<(), nalloc_bn254::Error>(())
/// ```
pub struct Prover<'a> {
    srs: &'a Srs,
    pool: &'a Pool,
    observer: &'a dyn Observer,
    privacy: Privacy,
    coefficients_max: usize,
    table: Option<FixedBases<Fq>>,
    scratch: Scratch,
}

/// The memory of one call.
struct Scratch {
    vectors: Arena,
    /// Of sums and transforms, one after the other.
    steps: Arena,
}

impl<'a> Prover<'a> {
    /// Takes all memory that the prover will ever have.
    ///
    /// # Errors
    /// [`Error::MemoryLimit`] where that is more than `bytes_max`, before any is taken;
    /// [`Error::DegreeTooLarge`] where `coefficients_max` is above the number of powers,
    /// [`Error::Empty`] where it is 0; [`Error::Memory`]; [`Error::Cancelled`] while a table is made.
    pub fn new(srs: &'a Srs, options: ProverOptions<'a>) -> Result<Self, Error> {
        let ProverOptions { pool, observer, privacy, .. } = options;
        let coefficients_max = options.coefficients_max.unwrap_or(srs.powers().len());
        if coefficients_max == 0 {
            return Err(Error::Empty { what: "coefficients of the longest polynomial" });
        }
        check_degree(coefficients_max, srs.powers().len())?;
        let bytes = Self::bytes(srs, &options);
        if let Some(limit) = options.bytes_max.filter(|&limit| bytes > limit) {
            return Err(Error::MemoryLimit { needed: bytes, limit });
        }
        let plan = table_plan(coefficients_max, &options);
        let table = plan.filter(|plan| plan.levels() > 1).map(|plan| {
            let points = HeapBuffer::from_slice(&srs.powers()[..coefficients_max])?;
            FixedBases::new(points, plan, pool, observer)
        });
        let needs = Needs::of(coefficients_max, &options);
        let arena = |bytes: usize| {
            let is_secret = privacy == Privacy::Secret;
            Arena::builder().capacity_bytes(bytes).secret(is_secret).build()
        };
        let scratch = Scratch { vectors: arena(needs.vectors)?, steps: arena(needs.steps)? };
        let table = table.transpose()?;
        Ok(Self { srs, pool, observer, privacy, coefficients_max, table, scratch })
    }

    /// Bytes that a prover with these options takes, but for what rounding to pages adds: what is
    /// compared with `bytes_max`. The SRS is not counted.
    #[must_use]
    pub fn bytes(srs: &Srs, options: &ProverOptions<'_>) -> usize {
        let coefficients_max = options.coefficients_max.unwrap_or(srs.powers().len());
        let plan = table_plan(coefficients_max, options).filter(|plan| plan.levels() > 1);
        // The table has a copy of the points.
        let points = coefficients_max.saturating_mul(size_of::<G1Affine>());
        let table = plan.map_or(0, |plan| plan.table_bytes().saturating_add(points));
        let needs = Needs::of(coefficients_max, options);
        table.saturating_add(needs.vectors).saturating_add(needs.steps)
    }

    /// The highest degree that this prover takes.
    #[must_use]
    pub fn degree_max(&self) -> usize {
        self.coefficients_max - 1
    }

    /// The commitment to a polynomial by its coefficients; infinity for zero.
    ///
    /// # Errors
    /// [`Error::DegreeTooLarge`], [`Error::Cancelled`].
    pub fn commit<S>(&mut self, polynomial: &Polynomial<Fr, S>) -> Result<Commitment, Error>
    where
        S: Deref<Target = [Fr]>,
    {
        let coefficients = polynomial.coefficients();
        check_degree(coefficients.len(), self.coefficients_max)?;
        self.with_call(|call| {
            let scalars = call.vector(coefficients, coefficients.len(), TO_PLAIN)?;
            call.sum_of_powers(scalars, coefficients.len()).map(Commitment)
        })
    }

    /// The commitment to the polynomial of least degree with these values on a domain of as many
    /// roots of unity, in natural order: `values[i]` at w^i.
    ///
    /// Without a transform where the SRS has Lagrange points of this domain.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::NotPowerOfTwo`], [`Error::DegreeTooLarge`], [`Error::Memory`] for
    /// the transform's tables, [`Error::Cancelled`].
    pub fn commit_evaluations(&mut self, values: &[Fr]) -> Result<Commitment, Error> {
        let len = values.len();
        if len == 0 {
            return Err(Error::Empty { what: "evaluations" });
        }
        if !len.is_power_of_two() {
            return Err(Error::NotPowerOfTwo { what: "evaluations", got: len });
        }
        check_degree(len, self.coefficients_max)?;
        self.with_call(|call| {
            // A transform is linear: integers of values become integers of coefficients.
            let scalars = call.vector(values, len, TO_PLAIN)?;
            if let Some(points) = call.srs.lagrange().filter(|points| points.len() == len) {
                let (pool, observer) = (call.pool, call.observer);
                let sum = sum_of(points, &scalars[..len], pool, call.steps, observer)?;
                return Ok(Commitment(sum.to_affine()));
            }
            let ntt = Ntt::new(len.ilog2())?;
            let mut work = ntt.work(call.pool, call.steps, call.observer)?;
            ntt.inverse(&mut scalars[..len], &mut work)?;
            drop(work);
            call.steps.reset();
            call.sum_of_powers(scalars, len).map(Commitment)
        })
    }

    /// The commitments to several polynomials, one after the other. The observer sees the phase
    /// "commit", whose steps are polynomials.
    ///
    /// # Errors
    /// As [`commit`](Self::commit), of the first polynomial that has one.
    pub fn commit_each<S>(
        &mut self,
        polynomials: &[Polynomial<Fr, S>],
    ) -> Result<Vec<Commitment>, Error>
    where
        S: Deref<Target = [Fr]>,
    {
        let mut commitments = Vec::with_capacity(polynomials.len());
        for polynomial in polynomials {
            commitments.push(self.commit(polynomial)?);
            let (done, total) = (commitments.len() as u64, polynomials.len() as u64);
            self.observer.progress("commit", done, total);
        }
        Ok(commitments)
    }

    /// The value of a polynomial at `point`, and its proof: the commitment to the quotient of the
    /// polynomial less its value by X - `point`.
    ///
    /// # Errors
    /// As [`commit`](Self::commit), and [`Error::Memory`].
    pub fn open<S>(&mut self, polynomial: &Polynomial<Fr, S>, point: Fr) -> Result<Opening, Error>
    where
        S: Deref<Target = [Fr]>,
    {
        let coefficients = polynomial.coefficients();
        check_degree(coefficients.len(), self.coefficients_max)?;
        self.with_call(|call| {
            let scalars = call.vector(coefficients, coefficients.len(), TO_PLAIN)?;
            let (value, proof) = call.opened(scalars, coefficients.len(), point)?;
            Ok(Opening { point, value, proof })
        })
    }

    /// The values of several polynomials at one point, with one proof for all of them: that of the
    /// sum of gamma^i times the i-th. gamma is a hash of the point, the commitments, the values,
    /// tau G2 and `context` (kzg/challenge.rs): what the proof is for, which a verifier must give,
    /// too.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`Error::Empty`] for no polynomials.
    pub fn open_at_point<S>(
        &mut self,
        committed: &[Committed<'_, S>],
        point: Fr,
        context: &[u8],
    ) -> Result<OpeningAtPoint, Error>
    where
        S: Deref<Target = [Fr]>,
    {
        let polynomials = || committed.iter().map(|one| one.polynomial.coefficients());
        let Some(len) = polynomials().map(<[Fr]>::len).max() else {
            return Err(Error::Empty { what: "polynomials to open" });
        };
        check_degree(len, self.coefficients_max)?;
        let all: Vec<_> = committed.iter().map(|one| one.polynomial).collect();
        let values = Polynomial::evaluate_each(&all, point, self.watched())?.to_vec();
        let commitments = committed.iter().map(|one| one.commitment);
        let tau_g2 = self.srs.verifier().tau_g2();
        let gamma = at_point_challenge(&tau_g2, context, point, commitments, &values);
        self.with_call(|call| {
            let combined = call.vector(&[], len, Fr::ONE)?;
            for (coefficients, power) in polynomials().zip(powers(TO_PLAIN, gamma)) {
                call.add_scaled(combined, coefficients, power)?;
            }
            let (_, proof) = call.opened(combined, len, point)?;
            Ok(OpeningAtPoint { point, values, proof })
        })
    }

    /// The values of several polynomials, each at points of its own, with one proof of two points
    /// of G1 for all of them (kzg/points.rs). `context` as for
    /// [`open_at_point`](Self::open_at_point).
    ///
    /// Cost: two sums, and for each different point a quotient.
    ///
    /// # Errors
    /// As [`open`](Self::open), [`Error::Empty`] for no points at all, and
    /// [`Error::RepeatedPoint`].
    pub fn open_at_points<S>(
        &mut self,
        queries: &[Query<'_, S>],
        context: &[u8],
    ) -> Result<OpeningAtPoints, Error>
    where
        S: Deref<Target = [Fr]>,
    {
        for (polynomial, query) in queries.iter().enumerate() {
            check_degree(query.polynomial.coefficients().len(), self.coefficients_max)?;
            if points::has_repeated(query.points) {
                return Err(Error::RepeatedPoint { polynomial });
            }
        }
        let all = points::union(queries.iter().map(|query| query.points));
        if all.is_empty() {
            return Err(Error::Empty { what: "points to open at" });
        }
        let values_of = |query: &Query<'_, S>| {
            Ok(query.polynomial.evaluate_at(query.points, self.watched())?.to_vec())
        };
        let values = queries.iter().map(values_of).collect::<Result<Vec<Vec<Fr>>, Error>>()?;
        let tau_g2 = self.srs.verifier().tau_g2();
        let claims = queries.iter().zip(&values);
        let claims = claims.map(|(query, values)| (query.commitment, query.points, &values[..]));
        let first = at_points_challenge(&tau_g2, context, claims);
        let parts: Vec<_> = queries
            .iter()
            .map(|query| Part {
                coefficients: query.polynomial.coefficients(),
                points: query.points,
                weights: points::weights(query.points),
            })
            .collect();
        self.with_call(|call| {
            let [quotient, proof] = call.open_at_points(&parts, &all, &first)?;
            Ok(OpeningAtPoints { values, quotient, proof })
        })
    }

    fn watched(&self) -> Watched<'a> {
        self.pool.watched_by(self.observer)
    }

    /// Runs `work`, and takes its scratch back, wiped where polynomials are secret, also after an
    /// error.
    fn with_call<R>(
        &mut self,
        work: impl FnOnce(&mut Call<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let (srs, pool, observer) = (self.srs, self.pool, self.observer);
        let Scratch { vectors, steps } = &mut self.scratch;
        let table = self.table.as_ref();
        let result = work(&mut Call { srs, table, pool, observer, vectors, steps });
        vectors.reset();
        steps.reset();
        result
    }
}

impl Drop for Prover<'_> {
    fn drop(&mut self) {
        if self.privacy == Privacy::Secret {
            self.pool.scrub_stacks();
        }
    }
}

impl fmt::Debug for Prover<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prover(degree at most {})", self.degree_max())
    }
}

/// gamma of several polynomials at one point.
pub(super) fn at_point_challenge(
    tau_g2: &G2Affine,
    context: &[u8],
    point: Fr,
    commitments: impl ExactSizeIterator<Item = Commitment>,
    values: &[Fr],
) -> Fr {
    let mut transcript = Transcript::new("nalloc kzg one point v1", tau_g2, context);
    transcript.scalar(point);
    transcript.count(commitments.len());
    for commitment in commitments {
        transcript.point(&commitment.0);
    }
    transcript.scalars(values);
    transcript.finish().scalar()
}

/// The challenge of several polynomials at several points before the quotient is known.
pub(super) fn at_points_challenge<'c>(
    tau_g2: &G2Affine,
    context: &[u8],
    claims: impl ExactSizeIterator<Item = (Commitment, &'c [Fr], &'c [Fr])>,
) -> Challenge {
    let mut transcript = Transcript::new("nalloc kzg points v1", tau_g2, context);
    transcript.count(claims.len());
    for (commitment, points, values) in claims {
        transcript.point(&commitment.0);
        transcript.scalars(points);
        transcript.scalars(values);
    }
    transcript.finish()
}

/// `first`, `first` * `ratio`, `first` * `ratio`^2, ..
pub(super) fn powers(first: Fr, ratio: Fr) -> impl Iterator<Item = Fr> {
    iter::successors(Some(first), move |&power| Some(power * ratio))
}

fn check_degree(len: usize, len_max: usize) -> Result<(), Error> {
    if len <= len_max {
        return Ok(());
    }
    Err(Error::DegreeTooLarge { degree: len - 1, degree_max: len_max - 1 })
}

fn table_plan(coefficients_max: usize, options: &ProverOptions<'_>) -> Option<FixedPlan<Fq>> {
    let limits =
        TableLimits { threads: options.pool.thread_count(), bytes_max: options.table_bytes_max };
    (options.table_bytes_max > 0).then(|| FixedPlan::new(coefficients_max, limits))
}

/// Bytes of scratch.
struct Needs {
    vectors: usize,
    steps: usize,
}

impl Needs {
    fn of(coefficients_max: usize, options: &ProverOptions<'_>) -> Self {
        let threads = options.pool.thread_count();
        let vector = coefficients_max.saturating_mul(size_of::<Fr>());
        let vectors = vector.saturating_add(ARRAY_SLACK_BYTES).saturating_mul(VECTORS);
        // Shorter polynomials have wider digits for each coefficient: bounds need not grow with
        // the length.
        let shorter = (0..usize::BITS).map(|shift| coefficients_max >> shift);
        let sums = shorter.map(|n| msm_scratch_bytes::<Fq>(n, threads)).max().unwrap_or(0);
        let plan = table_plan(coefficients_max, options);
        let with_table = plan.map_or(0, |plan| plan.scratch_bytes(threads));
        let transform = scratch_bytes(coefficients_max.max(1).ilog2(), threads);
        Self { vectors, steps: sums.max(with_table).max(transform) }
    }
}

/// One call of a prover.
struct Call<'a> {
    srs: &'a Srs,
    table: Option<&'a FixedBases<Fq>>,
    pool: &'a Pool,
    observer: &'a dyn Observer,
    vectors: &'a Arena,
    steps: &'a mut Arena,
}

/// A polynomial that is opened at several points.
struct Part<'a> {
    coefficients: &'a [Fr],
    points: &'a [Fr],
    weights: Vec<Fr>,
}

impl<'a> Call<'a> {
    fn watched(&self) -> Watched<'a> {
        self.pool.watched_by(self.observer)
    }

    /// Adds `terms`, each times `factor`, to as many of `sums`; asks before whether to go on.
    fn add_scaled(&self, sums: &mut [Fr], terms: &[Fr], factor: Fr) -> Result<(), Error> {
        self.watched().go_on()?;
        Vectors::new(self.pool).add_scaled(&mut sums[..terms.len()], terms, factor)
    }

    /// The table, where sums of so many coefficients are faster with it: much shorter ones want
    /// narrower windows.
    fn table_for(&self, len: usize) -> Option<&'a FixedBases<Fq>> {
        self.table.filter(|table| len > table.points().len() / 2)
    }

    /// `elements`, each times `factor`, and zeros behind them: room for `len`, or for as many as a
    /// table wants.
    fn vector(&self, elements: &[Fr], len: usize, factor: Fr) -> Result<&'a mut [Fr], Error> {
        let kernels = Kernels::host();
        let len = self.table_for(len).map_or(len, |table| table.points().len());
        let mut vector = Pieces::new(self.vectors.try_alloc_uninit::<Fr>(len)?);
        let pieces =
            vector.chunks(PIECE_LEN).zip(elements.chunks(PIECE_LEN).chain(iter::repeat(&[][..])));
        let mut pieces: Vec<_> = pieces.map(Some).collect();
        self.pool.for_each_chunk_mut(&mut pieces, 1, |_, pieces| {
            for (piece, elements) in pieces.iter_mut().filter_map(Option::take) {
                let (start, _) = piece.zeroed().split_at_mut(elements.len());
                start.copy_from_slice(elements);
                if factor != Fr::ONE {
                    Fr::multiply_all(kernels, start, factor);
                }
            }
        });
        drop(pieces);
        Ok(vector.finish())
    }

    /// The sum of the powers of tau, each times one of the first `len` scalars, which are integers
    /// with zeros behind them.
    fn sum_of_powers(&mut self, scalars: &[Fr], len: usize) -> Result<G1Affine, Error> {
        let (pool, observer) = (self.pool, self.observer);
        let table = self.table_for(len).filter(|table| table.points().len() <= scalars.len());
        let sum = if let Some(table) = table {
            let scalars = Fr::as_stored(&scalars[..table.points().len()]);
            table.msm(scalars, pool, self.steps, observer)
        } else {
            sum_of(&self.srs.powers()[..len], &scalars[..len], pool, self.steps, observer)
        };
        self.steps.reset();
        sum.map(|sum| sum.to_affine())
    }

    /// The value at `point` of the polynomial with these integers as its first `len` coefficients,
    /// and the proof of it. Uses them up.
    fn opened(&mut self, scalars: &mut [Fr], len: usize, point: Fr) -> Result<(Fr, Proof), Error> {
        // Division is linear: of integers it makes the integer of the value, and of a quotient.
        let mut polynomial = Polynomial::over(&mut scalars[..len]);
        let value = polynomial.divide_by_linear_in_place(point, self.watched())?;
        let proof = self.sum_of_powers(scalars, len.saturating_sub(1))?;
        // Canonical, as every element's limbs are.
        let value = Fr::from_plain(value.to_montgomery()).unwrap_or(Fr::ZERO);
        Ok((value, Proof(proof)))
    }

    /// The quotient W and the proof W' of kzg/points.rs.
    fn open_at_points(
        &mut self,
        parts: &[Part<'_>],
        all: &[Fr],
        first: &Challenge,
    ) -> Result<[Proof; 2], Error> {
        let gamma = first.scalar();
        let len = parts.iter().map(|part| part.coefficients.len()).max().unwrap_or(0);
        let combined = self.vector(&[], len, Fr::ONE)?;
        let quotient = self.vector(&[], len, Fr::ONE)?;
        for &point in all {
            combined.fill(Fr::ZERO);
            for (part, power) in parts.iter().zip(powers(Fr::ONE, gamma)) {
                if let Some(place) = part.points.iter().position(|&other| other == point) {
                    self.add_scaled(combined, part.coefficients, power * part.weights[place])?;
                }
            }
            let mut polynomial = Polynomial::over(&mut combined[..len]);
            polynomial.divide_by_linear_in_place(point, self.watched())?;
            Vectors::new(self.pool).add(quotient, combined)?;
        }
        combined.copy_from_slice(quotient);
        to_plain(combined, self.pool);
        let commitment = self.sum_of_powers(combined, len)?;
        let z = first.then(&commitment).scalar();
        combined.fill(Fr::ZERO);
        for (part, power) in parts.iter().zip(powers(TO_PLAIN, gamma)) {
            let factor = power * points::share(all, part.points, z);
            self.add_scaled(combined, part.coefficients, factor)?;
        }
        let vanishing = points::vanishing(all, z);
        self.add_scaled(combined, quotient, -vanishing * TO_PLAIN)?;
        let (_, proof) = self.opened(combined, len, z)?;
        Ok([Proof(commitment), proof])
    }
}
