//! Groth16 over BN254: strict readers, prover and verifier.
