//! Openings of several polynomials with one proof: at one point, or each at points of its own.
//!
//! Lists cross the boundary as bytes, one item after the other, in the order of the polynomials.

use std::sync::Arc;

use nalloc_bn254::{
    Error, Fr, Polynomial,
    kzg::{Claim, Commitment, Committed, OpeningAtPoint, OpeningAtPoints, Prover, Query, Srs},
};
use napi::{
    Env,
    bindgen_prelude::{ClassInstance, PromiseRaw, Uint8Array, Uint8ArraySlice},
};
use napi_derive::napi;

use crate::{
    error::{DEGREE, Failure, INVALID_ARG, Result},
    kzg::{checked_point, prove, read_commitment, read_element, read_proof, verdict},
    line::{Grant, Turn},
    points::{POINT_BYTES, write_point, wrong},
    polynomial::{PolynomialHandle, Wiped},
    srs::SrsHandle,
    task::{Task, TaskState},
    transform::scalar,
    vector::ELEMENT_BYTES,
};

/// What several polynomials are opened with.
#[napi(object)]
pub struct OpeningSettings {
    /// What the proof is for: whoever checks it gives the same bytes.
    pub context: Uint8Array,
    /// Refuse with `ERR_LIMIT` when more bytes are needed.
    pub memory_limit_bytes: Option<f64>,
}

/// Resolves to the commitments, the values and the proof of several polynomials at 32 plain
/// little-endian bytes. A commitment that is absent is computed. Rejects with `ERR_DEGREE`.
#[napi(catch_unwind, ts_return_type = "Promise<Uint8Array>")]
pub fn kzg_open_at_point<'env>(
    env: &'env Env,
    srs: &SrsHandle,
    polynomials: Vec<ClassInstance<'_, PolynomialHandle>>,
    commitments: Vec<Option<Uint8ArraySlice<'_>>>,
    point: Uint8ArraySlice<'_>,
    settings: OpeningSettings,
    task: &Task,
) -> Result<PromiseRaw<'env, Uint8Array>> {
    let srs = srs.lease()?;
    let given = Given::of(&srs, &polynomials, &commitments, |part, at| format!("{part}s[{at}]"))?;
    let point = scalar("point", &point)?;
    let context = settings.context.to_vec();
    let len = given.len_max();
    let work = move |prover: &mut Prover<'_>| {
        let views = given.views();
        let commitments = given.commitments(&views, prover)?;
        let committed: Vec<_> = views
            .iter()
            .zip(&commitments)
            .map(|(polynomial, &commitment)| Committed { polynomial, commitment })
            .collect();
        let OpeningAtPoint { values, proof, .. } =
            prover.open_at_point(&committed, point, &context)?;
        let mut bytes = written(&commitments);
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend(write_point(&proof.point()));
        Ok(bytes)
    };
    prove(env, task, (srs, len), settings.memory_limit_bytes, work)
}

/// Resolves to the commitments, the values, the quotient and the proof of several polynomials, each
/// at points of its own, which `points` has for each polynomial. Otherwise as `kzgOpenAtPoint`.
#[napi(catch_unwind, ts_return_type = "Promise<Uint8Array>")]
pub fn kzg_open_at_points<'env>(
    env: &'env Env,
    srs: &SrsHandle,
    polynomials: Vec<ClassInstance<'_, PolynomialHandle>>,
    commitments: Vec<Option<Uint8ArraySlice<'_>>>,
    points: Vec<Uint8ArraySlice<'_>>,
    settings: OpeningSettings,
    task: &Task,
) -> Result<PromiseRaw<'env, Uint8Array>> {
    let srs = srs.lease()?;
    let given =
        Given::of(&srs, &polynomials, &commitments, |part, at| format!("queries[{at}].{part}"))?;
    let elements = |bytes: &Uint8ArraySlice<'_>| {
        let (numbers, _) = bytes.as_chunks::<ELEMENT_BYTES>();
        numbers.iter().map(|number| scalar("points", number)).collect()
    };
    let points: Vec<Vec<Fr>> =
        points.iter().map(elements).collect::<std::result::Result<_, Failure>>()?;
    check_count("points", polynomials.len(), points.len())?;
    let context = settings.context.to_vec();
    let len = given.len_max();
    let work = move |prover: &mut Prover<'_>| {
        let views = given.views();
        let commitments = given.commitments(&views, prover)?;
        let queries: Vec<_> = views
            .iter()
            .zip(&commitments)
            .zip(&points)
            .map(|((polynomial, &commitment), points)| Query { polynomial, commitment, points })
            .collect();
        let OpeningAtPoints { values, quotient, proof } =
            prover.open_at_points(&queries, &context)?;
        let mut bytes = written(&commitments);
        bytes.extend(values.iter().flatten().flat_map(|value| value.to_le_bytes()));
        bytes.extend([quotient, proof].iter().flat_map(|proof| write_point(&proof.point())));
        Ok(bytes)
    };
    prove(env, task, (srs, len), settings.memory_limit_bytes, work)
}

/// Resolves to whether an opening at one point is right: its point, its commitments, its values and
/// its proof, made with the same context. What is malformed is not.
#[napi(catch_unwind, ts_return_type = "Promise<boolean>")]
pub fn kzg_verify_at_point<'env>(
    env: &'env Env,
    srs: &SrsHandle,
    opening: Uint8ArraySlice<'_>,
    context: Uint8ArraySlice<'_>,
    task: &Task,
) -> Result<PromiseRaw<'env, bool>> {
    let srs = srs.lease()?;
    let (opening, context) = (opening.to_vec(), context.to_vec());
    let work = move |_: &TaskState, grant: &Grant| {
        let Some((commitments, opening)) = read_at_point(&opening) else { return Ok(false) };
        let verifier = srs.verifier();
        verdict(verifier.verify_at_point(&commitments, &opening, &context, grant.pool))
    };
    task.start(env, Turn::AtOnce, work, |is_valid| is_valid)
}

/// Resolves to whether an opening at several points is right: for each polynomial its commitment,
/// its points, of which `counts` has the number, and its values; then the quotient and the proof.
#[napi(catch_unwind, ts_return_type = "Promise<boolean>")]
pub fn kzg_verify_at_points<'env>(
    env: &'env Env,
    srs: &SrsHandle,
    counts: Vec<u32>,
    opening: Uint8ArraySlice<'_>,
    context: Uint8ArraySlice<'_>,
    task: &Task,
) -> Result<PromiseRaw<'env, bool>> {
    let srs = srs.lease()?;
    let (opening, context) = (opening.to_vec(), context.to_vec());
    let work = move |_: &TaskState, grant: &Grant| {
        let Some((said, opening)) = read_at_points(&counts, &opening) else { return Ok(false) };
        let claims: Vec<_> = said
            .iter()
            .map(|(commitment, points)| Claim { commitment: *commitment, points })
            .collect();
        verdict(srs.verifier().verify_at_points(&claims, &opening, &context, grant.pool))
    };
    task.start(env, Turn::AtOnce, work, |is_valid| is_valid)
}

/// Polynomials, and those of their commitments that are known.
struct Given(Vec<(Arc<Wiped>, Option<Commitment>)>);

impl Given {
    /// Throws what is wrong with a polynomial or a commitment, which messages call `name`.
    fn of(
        srs: &Srs,
        polynomials: &[ClassInstance<'_, PolynomialHandle>],
        commitments: &[Option<Uint8ArraySlice<'_>>],
        name: fn(&str, usize) -> String,
    ) -> Result<Self> {
        check_count("commitments", polynomials.len(), commitments.len())?;
        let all = polynomials.iter().zip(commitments).enumerate();
        let given = all.map(|(index, (polynomial, commitment))| {
            let polynomial = polynomial.lease()?;
            check_degree(&name("polynomial", index), &polynomial, srs)?;
            let read = |bytes: &Uint8ArraySlice<'_>| {
                let name = name("commitment", index);
                Commitment::new(checked_point(&name, bytes)?).map_err(|error| wrong(&name, error))
            };
            Ok((polynomial, commitment.as_ref().map(read).transpose()?))
        });
        Ok(Self(given.collect::<Result<_>>()?))
    }

    /// Coefficients of the longest one.
    fn len_max(&self) -> usize {
        let lens = self.0.iter().map(|(polynomial, _)| polynomial.coefficients().len());
        lens.max().unwrap_or(0)
    }

    fn views(&self) -> Vec<Polynomial<Fr, &[Fr]>> {
        self.0.iter().map(|(polynomial, _)| Polynomial::over(polynomial.coefficients())).collect()
    }

    /// All commitments.
    fn commitments(
        &self,
        views: &[Polynomial<Fr, &[Fr]>],
        prover: &mut Prover<'_>,
    ) -> std::result::Result<Vec<Commitment>, Error> {
        let all = self.0.iter().zip(views);
        all.map(|((_, known), view)| known.map_or_else(|| prover.commit(view), Ok)).collect()
    }
}

/// The prover would refuse it too, and not say which one.
fn check_degree(name: &str, polynomial: &Wiped, srs: &Srs) -> std::result::Result<(), Failure> {
    let (len, degree_max) = (polynomial.coefficients().len(), srs.degree_max());
    if len <= degree_max + 1 {
        return Ok(());
    }
    let message = format!("{name}: expected a degree of at most {degree_max}, got {}", len - 1);
    Err(Failure::new(DEGREE, message))
}

fn check_count(name: &str, expected: usize, got: usize) -> std::result::Result<(), Failure> {
    if got == expected {
        return Ok(());
    }
    let message = format!("{name}: expected {expected}, one for each polynomial, got {got}");
    Err(Failure::new(INVALID_ARG, message))
}

fn written(commitments: &[Commitment]) -> Vec<u8> {
    commitments.iter().flat_map(|commitment| write_point(&commitment.point())).collect()
}

/// None unless its points are points and its numbers are below r.
fn read_at_point(bytes: &[u8]) -> Option<(Vec<Commitment>, OpeningAtPoint)> {
    let mut rest = bytes;
    let count =
        bytes.len().checked_sub(ELEMENT_BYTES + POINT_BYTES)? / (POINT_BYTES + ELEMENT_BYTES);
    let point = read_element(rest.split_off(..ELEMENT_BYTES)?)?;
    let commitments = list(&mut rest, count, POINT_BYTES, read_commitment)?;
    let values = list(&mut rest, count, ELEMENT_BYTES, read_element)?;
    let proof = read_proof(rest)?;
    Some((commitments, OpeningAtPoint { point, values, proof }))
}

/// What is claimed, without the values, and the rest of an opening.
type Said = (Vec<(Commitment, Vec<Fr>)>, OpeningAtPoints);

/// As `read_at_point`.
fn read_at_points(counts: &[u32], bytes: &[u8]) -> Option<Said> {
    let mut rest = bytes;
    let (mut claims, mut values) = (Vec::new(), Vec::new());
    for &count in counts {
        let count = usize::try_from(count).ok()?;
        let commitment = read_commitment(rest.split_off(..POINT_BYTES)?)?;
        claims.push((commitment, list(&mut rest, count, ELEMENT_BYTES, read_element)?));
        values.push(list(&mut rest, count, ELEMENT_BYTES, read_element)?);
    }
    let quotient = read_proof(rest.split_off(..POINT_BYTES)?)?;
    let proof = read_proof(rest)?;
    Some((claims, OpeningAtPoints { values, quotient, proof }))
}

/// The first `count` items of `item_bytes` bytes each, which it takes away from `rest`.
fn list<T>(
    rest: &mut &[u8],
    count: usize,
    item_bytes: usize,
    read: fn(&[u8]) -> Option<T>,
) -> Option<Vec<T>> {
    let items = rest.split_off(..count.checked_mul(item_bytes)?)?;
    items.chunks_exact(item_bytes).map(read).collect()
}
