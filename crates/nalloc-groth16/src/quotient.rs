//! The scalars of the H points: the values of AB - C on the odd points of the domain.
//!
//! Let `a` and `b` be the products of the matrices with the witness and `c[i] = a[i] * b[i]`,
//! which holds for a satisfying witness and is why C is not in the key. Each of them is moved from
//! the domain's points w^i to e^(2i+1), e^2 = w. AB - C vanishes on the domain and has degree below
//! 2N, so its values on the odd points say all of it; the H points are the matching Lagrange
//! polynomials over delta.
//!
//! Cost: three times an inverse and a forward transform, 3 * N * log2 N multiplications.

use nalloc::Arena;
use nalloc_bn254::{Field, Fr, Kernels, Pool};

use crate::error::Error;
use crate::key::ProvingKey;
use crate::prove::ProveOptions;

/// Elements that one task multiplies.
const ELEMENTS_PER_TASK: usize = 4096;
/// What the observer sees.
const PHASE: &str = "quotient";
/// Steps that the observer sees: two products, three extensions, and their combination.
const STEPS: u64 = 6;
/// Arrays of as many field elements as the domain has points, taken from the arena, beside one of
/// as many as the circuit has wires.
pub(crate) const ARRAYS: usize = 3;

/// Writes these values as plain integers to `out`, which has one element for each point of the
/// domain.
///
/// # Errors
/// [`Error::Memory`] where the arena is too full, [`Error::Cancelled`].
pub(crate) fn quotient(
    key: &ProvingKey,
    witness: &[[u64; 4]],
    out: &mut [[u64; 4]],
    scratch: &Arena,
    options: &ProveOptions<'_>,
) -> Result<(), Error> {
    let pool = options.pool;
    let step = |done: u64| {
        options.observer.progress(PHASE, done, STEPS);
        if options.observer.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    };
    let [a, b, c] = [(); 3].map(|()| scratch.try_alloc_array::<Fr>(out.len()));
    let (a, b, c) = (a?, b?, c?);
    let wires = scratch.try_alloc_array::<Fr>(witness.len())?;

    step(0)?;
    to_montgomery(witness, wires, pool);
    key.matrices.a.multiply(wires, a, pool);
    step(1)?;
    key.matrices.b.multiply(wires, b, pool);
    pool.for_each_chunk_mut(c, ELEMENTS_PER_TASK, |start, c| {
        c.copy_from_slice(&a[start..][..c.len()]);
        Fr::multiply_each(Kernels::host(), c, &b[start..][..c.len()]);
    });
    step(2)?;
    let mut work = key.domain.ntt().work(pool, scratch, options.observer)?;
    key.domain.extend(a, &mut work)?;
    step(3)?;
    key.domain.extend(b, &mut work)?;
    step(4)?;
    key.domain.extend(c, &mut work)?;
    step(5)?;
    combine(a, [b, c], out, pool);
    step(STEPS)
}

/// Plain integers below r as elements.
fn to_montgomery(plain: &[[u64; 4]], elements: &mut [Fr], pool: &Pool) {
    // Its Montgomery form is 2^512: a Montgomery product with it adds the factor 2^256.
    let factor = Fr::from_u64(2).pow(&[256]);
    pool.for_each_chunk_mut(elements, ELEMENTS_PER_TASK, |start, elements| {
        for (element, &plain) in elements.iter_mut().zip(&plain[start..]) {
            *element = Fr::from_montgomery(plain).unwrap_or(Fr::ZERO);
        }
        Fr::multiply_all(Kernels::host(), elements, factor);
    });
}

/// a b - c as plain integers; `a` is used up.
fn combine(a: &mut [Fr], [b, c]: [&[Fr]; 2], out: &mut [[u64; 4]], pool: &Pool) {
    // A Montgomery product with 1 takes the factor 2^256 away.
    let one = Fr::from_montgomery([1, 0, 0, 0]).unwrap_or(Fr::ZERO);
    let kernels = Kernels::host();
    pool.for_each_chunk_mut(a, ELEMENTS_PER_TASK, |start, a| {
        let [b, c] = [b, c].map(|factors| &factors[start..][..a.len()]);
        Fr::multiply_each(kernels, a, b);
        Fr::subtract_each(kernels, a, c);
        Fr::multiply_all(kernels, a, one);
    });
    pool.for_each_chunk_mut(out, ELEMENTS_PER_TASK, |start, out| {
        for (out, value) in out.iter_mut().zip(&a[start..]) {
            *out = value.to_montgomery();
        }
    });
}
