//! Groth16 of arkworks over BN254: a chain of fifth powers that fills a domain of 2^16.
//!
//! Its key takes seconds to make, so the first process writes it to target/provers, and the others
//! read it.

use std::fs;
use std::path::Path;

use ark_bn254::{Bn254, Fr};
use ark_ff::Field;
use ark_groth16::{Groth16, Proof, ProvingKey, prepare_verifying_key};
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, SynthesisError};
use ark_relations::lc;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use ark_snark::SNARK;
use ark_std::rand::{SeedableRng, rngs::StdRng};

use super::Prover;

const CONSTRAINTS: usize = (1 << 16) - 8;
const SEED: u64 = 1;
const KEY_FILE: &str = "target/provers/ark-groth16-65528.key";

/// x_(i + 1) = x_i^5 + 3, three constraints each.
#[derive(Clone, Copy)]
struct Chain {
    start: Fr,
}

impl ConstraintSynthesizer<Fr> for Chain {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let mut value = self.start;
        let mut x = cs.new_input_variable(|| Ok(value))?;
        let three = Fr::from(3_u64);
        for _ in 0..CONSTRAINTS / 3 {
            let square_value = value.square();
            let square = cs.new_witness_variable(|| Ok(square_value))?;
            cs.enforce_r1cs_constraint(|| lc!() + x, || lc!() + x, || lc!() + square)?;
            let fourth_value = square_value.square();
            let fourth = cs.new_witness_variable(|| Ok(fourth_value))?;
            cs.enforce_r1cs_constraint(|| lc!() + square, || lc!() + square, || lc!() + fourth)?;
            value = fourth_value * value + three;
            let next = cs.new_witness_variable(|| Ok(value))?;
            let one = ark_relations::gr1cs::Variable::One;
            let power = || lc!() + next + (-three, one);
            cs.enforce_r1cs_constraint(|| lc!() + fourth, || lc!() + x, power)?;
            x = next;
        }
        Ok(())
    }
}

/// The chain and its key.
pub struct Powers {
    key: ProvingKey<Bn254>,
    chain: Chain,
}

impl Powers {
    pub fn new() -> Result<Self, String> {
        let chain = Chain { start: Fr::from(7_u64) };
        Ok(Self { key: key(chain)?, chain })
    }

    fn proof(&self) -> Result<Proof<Bn254>, String> {
        let mut random = StdRng::seed_from_u64(SEED);
        Groth16::<Bn254>::prove(&self.key, self.chain, &mut random)
            .map_err(|error| error.to_string())
    }
}

impl Prover for Powers {
    fn prove(&self) {
        drop(self.proof());
    }

    fn check(&self) -> Result<(), String> {
        let key = prepare_verifying_key(&self.key.vk);
        let proof = self.proof()?;
        match Groth16::<Bn254>::verify_with_processed_vk(&key, &[self.chain.start], &proof) {
            Ok(true) => Ok(()),
            Ok(false) => Err("the proof does not verify".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn key(chain: Chain) -> Result<ProvingKey<Bn254>, String> {
    let file = Path::new(KEY_FILE);
    if let Ok(bytes) = fs::read(file) {
        return ProvingKey::deserialize_uncompressed_unchecked(&bytes[..])
            .map_err(|error| format!("{KEY_FILE}: {error}; remove it"));
    }
    let mut random = StdRng::seed_from_u64(SEED);
    let (key, _) = Groth16::<Bn254>::circuit_specific_setup(chain, &mut random)
        .map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    key.serialize_uncompressed(&mut bytes).map_err(|error| error.to_string())?;
    let written = file.with_extension("part");
    fs::write(&written, bytes)
        .and_then(|()| fs::rename(&written, file))
        .map_err(|error| format!("{KEY_FILE}: {error}"))?;
    Ok(key)
}
