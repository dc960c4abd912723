//! What a prover is, and all of them.

mod groth16;
mod plonky3;
mod winter;

/// One statement of a proof system, ready to be proven again and again.
pub trait Prover {
    /// Makes the trace or witness and proves it; nothing of it stays.
    fn prove(&self);

    /// Proves and verifies.
    ///
    /// # Errors
    /// What the verifier says.
    fn check(&self) -> Result<(), String>;
}

/// The prover of a name.
///
/// # Errors
/// For a name that no prover has, and when its key cannot be made.
pub fn of(name: &str) -> Result<Box<dyn Prover>, String> {
    match name {
        "p3-keccak" => Ok(Box::new(plonky3::Keccak::new())),
        "p3-poseidon2" => Ok(Box::new(plonky3::Poseidon2::new())),
        "winterfell" => Ok(Box::new(winter::Cubes::new())),
        "ark-groth16" => Ok(Box::new(groth16::Powers::new()?)),
        _ => Err(format!("expected one of {:?}, got {name:?}", crate::PROVERS)),
    }
}
