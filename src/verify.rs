//! `VerifyingKeyHandle` and `verify`: strict about everything, a boolean for what is not a key.

use std::sync::Arc;

use nalloc_groth16::VerifyingKey;
use napi::{Env, bindgen_prelude::PromiseRaw};
use napi_derive::napi;

use crate::{
    error::{Failure, Result},
    line::Turn,
    task::Task,
};

/// A checked verification key.
#[napi]
pub struct VerifyingKeyHandle {
    key: Arc<VerifyingKey>,
}

#[napi]
impl VerifyingKeyHandle {
    /// Reads `verification_key.json`; `name` is how messages name it.
    #[napi(factory, catch_unwind)]
    pub fn from_json(json: String, name: String) -> Result<Self> {
        let key = VerifyingKey::from_json(json.as_bytes(), &name).map_err(Failure::from)?;
        Ok(Self { key: Arc::new(key) })
    }

    /// Public signals that a proof for this key has.
    #[napi(getter, catch_unwind)]
    pub fn n_public(&self) -> u32 {
        self.key.n_public()
    }

    /// The key as snarkjs writes it, less the derived pairing.
    #[napi(catch_unwind)]
    pub fn to_json(&self) -> String {
        self.key.to_json()
    }
}

/// Resolves to whether `proof` proves `publicSignals` (the texts of `proof.json` and `public.json`);
/// anything malformed in either is false.
#[napi(catch_unwind, ts_return_type = "Promise<boolean>")]
pub fn verify<'env>(
    env: &'env Env,
    key: &VerifyingKeyHandle,
    public_signals: String,
    proof: String,
    task: &Task,
) -> Result<PromiseRaw<'env, bool>> {
    let key = Arc::clone(&key.key);
    task.start(
        env,
        Turn::AtOnce,
        move |_state| Ok(key.verify_json(public_signals.as_bytes(), proof.as_bytes())),
        |is_valid| is_valid,
    )
}
