//! What is computed with an SRS: commitments to polynomials, openings, and their check.

use std::sync::Arc;

use nalloc_bn254::{
    Fr, G1Affine, Polynomial,
    encoding::opening_calldata,
    kzg::{Commitment, Opening, Proof, Prover, ProverOptions, Srs, VerifyError},
};
use napi::{
    Env,
    bindgen_prelude::{PromiseRaw, Uint8Array, Uint8ArraySlice},
};
use napi_derive::napi;

use crate::{
    compute::{Computation, arena_bytes},
    error::{Failure, INVALID_ARG, NON_CANONICAL, Result},
    line::{self, Grant, Turn},
    points::{POINT_BYTES, read_point, write_point, wrong},
    polynomial::PolynomialHandle,
    share::Shareable,
    srs::SrsHandle,
    task::{Task, TaskState},
    transform::{log2_of, scalar},
    vector::{ELEMENT_BYTES, FrVectorHandle},
};

/// What messages call a commitment or an opening.
const WHAT: &str = "the commitment";
/// A commitment, a point, a value and a proof.
const OPENING_BYTES: usize = 2 * POINT_BYTES + 2 * ELEMENT_BYTES;

/// Resolves to the commitment to a polynomial, 64 bytes. Rejects with `ERR_DEGREE` where the SRS has
/// too few powers.
#[napi(catch_unwind, ts_return_type = "Promise<Uint8Array>")]
pub fn kzg_commit<'env>(
    env: &'env Env,
    srs: &SrsHandle,
    polynomial: &PolynomialHandle,
    memory_limit_bytes: Option<f64>,
    task: &Task,
) -> Result<PromiseRaw<'env, Uint8Array>> {
    let (srs, polynomial) = (srs.lease()?, polynomial.lease()?);
    let len = polynomial.coefficients().len();
    let work = move |prover: &mut Prover<'_>| {
        let commitment = prover.commit(&Polynomial::over(polynomial.coefficients()))?;
        Ok(write_point(&commitment.point()).to_vec())
    };
    prove(env, task, (srs, len), memory_limit_bytes, work)
}

/// As `kzgCommit`, to the polynomial that has these values at the roots of unity. Throws
/// `ERR_DOMAIN`; rejects with `ERR_DEGREE`.
#[napi(catch_unwind, ts_return_type = "Promise<Uint8Array>")]
pub fn kzg_commit_evaluations<'env>(
    env: &'env Env,
    srs: &SrsHandle,
    evaluations: &FrVectorHandle,
    memory_limit_bytes: Option<f64>,
    task: &Task,
) -> Result<PromiseRaw<'env, Uint8Array>> {
    let (srs, values) = (srs.lease()?, evaluations.share()?);
    let len = values.len();
    log2_of("evaluations", len)?;
    let work = move |prover: &mut Prover<'_>| {
        Ok(write_point(&prover.commit_evaluations(&values)?.point()).to_vec())
    };
    prove(env, task, (srs, len), memory_limit_bytes, work)
}

/// Resolves to an opening at 32 plain little-endian bytes: the commitment, the point, the value and
/// the proof. Without a commitment, that is computed too.
#[napi(catch_unwind, ts_return_type = "Promise<Uint8Array>")]
pub fn kzg_open<'env>(
    env: &'env Env,
    srs: &SrsHandle,
    polynomial: &PolynomialHandle,
    point: Uint8ArraySlice<'_>,
    commitment: Option<Uint8ArraySlice<'_>>,
    memory_limit_bytes: Option<f64>,
    task: &Task,
) -> Result<PromiseRaw<'env, Uint8Array>> {
    let (srs, polynomial) = (srs.lease()?, polynomial.lease()?);
    let point = scalar("point", &point)?;
    let commitment = commitment.map(|bytes| checked_point("commitment", &bytes)).transpose()?;
    let len = polynomial.coefficients().len();
    let work = move |prover: &mut Prover<'_>| {
        let polynomial = Polynomial::over(polynomial.coefficients());
        let commitment = match commitment {
            Some(point) => point,
            None => prover.commit(&polynomial)?.point(),
        };
        let Opening { point, value, proof } = prover.open(&polynomial, point)?;
        let mut bytes = Vec::with_capacity(OPENING_BYTES);
        bytes.extend(write_point(&commitment));
        bytes.extend(point.to_le_bytes());
        bytes.extend(value.to_le_bytes());
        bytes.extend(write_point(&proof.point()));
        Ok(bytes)
    };
    prove(env, task, (srs, len), memory_limit_bytes, work)
}

/// Starts a job with a prover for polynomials of `len` coefficients.
pub fn prove<'env>(
    env: &'env Env,
    task: &Task,
    (srs, len): (Arc<Shareable<Srs>>, usize),
    memory_limit_bytes: Option<f64>,
    work: impl FnOnce(&mut Prover<'_>) -> std::result::Result<Vec<u8>, nalloc_bn254::Error>
    + Send
    + 'static,
) -> Result<PromiseRaw<'env, Uint8Array>> {
    // One that is too long is refused by the prover, and takes nothing.
    let coefficients_max = Some(len.max(1));
    let pool = line::pool()?;
    let estimate = ProverOptions { coefficients_max, ..ProverOptions::new(pool) };
    let needed_bytes = arena_bytes(Prover::bytes(&srs, &estimate));
    let computation = Computation { what: WHAT, needed_bytes, memory_limit_bytes };
    let job = move |state: &TaskState, grant: &Grant| {
        let options = ProverOptions::new(grant.pool);
        let mut prover =
            Prover::new(&srs, ProverOptions { observer: state, coefficients_max, ..options })?;
        grant.keep_promise();
        Ok(work(&mut prover)?)
    };
    computation.start(env, task, job, Uint8Array::from)
}

/// Resolves to whether every one of these openings, as `kzgOpen` makes them, is right: their
/// commitments are of polynomials with these values. What is malformed is not.
#[napi(catch_unwind, ts_return_type = "Promise<boolean>")]
pub fn kzg_verify<'env>(
    env: &'env Env,
    srs: &SrsHandle,
    openings: Uint8ArraySlice<'_>,
    task: &Task,
) -> Result<PromiseRaw<'env, bool>> {
    let srs = srs.lease()?;
    let (openings, _) = openings.as_chunks::<OPENING_BYTES>();
    let openings: Vec<_> = openings.to_vec();
    let work = move |_: &TaskState, grant: &Grant| {
        let read: Option<Vec<_>> = openings.iter().map(read_opening).collect();
        let Some(openings) = read else { return Ok(false) };
        let verifier = srs.verifier();
        let verified = match openings.as_slice() {
            [(commitment, opening)] => verifier.verify(*commitment, opening),
            all => verifier.verify_each(all, grant.pool),
        };
        verdict(verified)
    };
    task.start(env, Turn::AtOnce, work, |is_valid| is_valid)
}

/// Whether something is right, unless that could not be found out.
pub fn verdict(
    verified: std::result::Result<(), VerifyError>,
) -> std::result::Result<bool, Failure> {
    match verified {
        Ok(()) => Ok(true),
        Err(VerifyError::Undecided(error)) => Err(error.into()),
        Err(_) => Ok(false),
    }
}

/// The words of an opening as a Solidity contract takes them: the commitment, the point, the value
/// and the proof, in hexadecimal. Throws `ERR_INVALID_ARG` for what is no opening.
#[napi(catch_unwind)]
pub fn kzg_calldata(opening: Uint8ArraySlice<'_>) -> Result<String> {
    let read = opening.as_array().and_then(read_opening);
    let (commitment, Opening { point, value, proof }) = read.ok_or_else(|| {
        let message = "opening: expected points of the curve and integers in [0, r), got others";
        Failure::new(INVALID_ARG, message)
    })?;
    Ok(opening_calldata(&commitment.point(), point, value, &proof.point()))
}

/// None unless its points are points and its numbers are below r.
fn read_opening(bytes: &[u8; OPENING_BYTES]) -> Option<(Commitment, Opening)> {
    let (commitment, rest) = bytes.split_at(POINT_BYTES);
    let (point, rest) = rest.split_at(ELEMENT_BYTES);
    let (value, proof) = rest.split_at(ELEMENT_BYTES);
    let proof = read_proof(proof)?;
    let [point, value] = [point, value].map(read_element);
    Some((read_commitment(commitment)?, Opening { point: point?, value: value?, proof }))
}

/// None unless these are the bytes of a point of the curve.
pub fn read_commitment(bytes: &[u8]) -> Option<Commitment> {
    Commitment::new(read_point(bytes.try_into().ok()?)?).ok()
}

/// As `read_commitment`.
pub fn read_proof(bytes: &[u8]) -> Option<Proof> {
    Proof::new(read_point(bytes.try_into().ok()?)?).ok()
}

/// None unless these are the bytes of a number below r.
pub fn read_element(bytes: &[u8]) -> Option<Fr> {
    Fr::from_le_bytes(bytes.try_into().ok()?)
}

/// A point of which somebody says that it is one.
pub fn checked_point(name: &str, bytes: &[u8]) -> std::result::Result<G1Affine, Failure> {
    let point = bytes.try_into().ok().and_then(read_point).ok_or_else(|| {
        let message = format!("{name}: expected coordinates below q, got one at or above it");
        Failure::new(NON_CANONICAL, message)
    })?;
    point.validate().map(|()| point).map_err(|error| wrong(name, error))
}
