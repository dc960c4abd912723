//! Numbers that nobody can foresee, from the operating system.

use crate::error::Error;
use crate::field::Fr;

/// A scalar within 2^-258 of uniform.
pub(super) fn scalar() -> Result<Fr, Error> {
    let mut bytes = [0; 64];
    fill(&mut bytes)?;
    Ok(Fr::from_uniform_bytes(&bytes))
}

pub(super) fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|error| Error::Random { reason: error.to_string() })
}
