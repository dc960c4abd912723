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
use nalloc_bn254::{Field, Fr, Kernels};

use crate::error::Error;
use crate::key::ProvingKey;
use crate::prove::ProveOptions;

/// Elements that one task multiplies.
const ELEMENTS_PER_TASK: usize = 4096;
/// What the observer sees.
const PHASE: &str = "quotient";
/// Steps that the observer sees: two products, three extensions, and their combination.
const STEPS: u64 = 6;
/// Arrays of as many field elements as the domain has points, taken from the arena.
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
    arena: &Arena,
    options: &ProveOptions<'_>,
) -> Result<(), Error> {
    let pool = options.pool;
    let step = |done: u64| {
        options.observer.progress(PHASE, done, STEPS);
        if options.observer.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    };
    let a = arena.try_alloc_array::<Fr>(out.len())?;
    let b = arena.try_alloc_array::<Fr>(out.len())?;
    let c = arena.try_alloc_array::<Fr>(out.len())?;

    step(0)?;
    key.matrices.a.multiply(witness, a, pool);
    step(1)?;
    key.matrices.b.multiply(witness, b, pool);
    pool.for_each_chunk_mut(c, ELEMENTS_PER_TASK, |start, c| {
        c.copy_from_slice(&a[start..][..c.len()]);
        Fr::multiply_each(Kernels::host(), c, &b[start..][..c.len()]);
    });
    step(2)?;
    let mut work = key.domain.ntt().work(pool, arena, options.observer)?;
    key.domain.extend(a, &mut work)?;
    step(3)?;
    key.domain.extend(b, &mut work)?;
    step(4)?;
    key.domain.extend(c, &mut work)?;
    step(5)?;
    pool.for_each_chunk_mut(out, ELEMENTS_PER_TASK, |start, out| {
        let factors = a[start..].iter().zip(&b[start..]).zip(&c[start..]);
        for (out, ((&a, &b), &c)) in out.iter_mut().zip(factors) {
            *out = (a * b - c).to_plain();
        }
    });
    step(STEPS)
}
