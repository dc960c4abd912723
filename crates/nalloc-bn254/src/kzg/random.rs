//! Numbers that nobody can foresee, from the operating system.

use crate::error::Error;
use crate::field::{Field, Fr};

/// A scalar within 2^-258 of uniform.
pub(super) fn scalar() -> Result<Fr, Error> {
    let mut bytes = [0; 64];
    fill(&mut bytes)?;
    Ok(Fr::from_uniform_bytes(&bytes))
}

/// So many scalars below 2^128.
pub(super) fn weights(count: usize) -> Result<Vec<Fr>, Error> {
    let mut numbers = vec![[0; 16]; count];
    fill(numbers.as_flattened_mut())?;
    let limb = |half: &[u8; 8]| u64::from_le_bytes(*half);
    let weight = |number: [u8; 16]| {
        let (halves, _) = number.as_chunks();
        // Far below r.
        Fr::from_plain([limb(&halves[0]), limb(&halves[1]), 0, 0]).unwrap_or(Fr::ZERO)
    };
    Ok(numbers.into_iter().map(weight).collect())
}

fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|error| Error::Random { reason: error.to_string() })
}
