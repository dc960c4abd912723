//! `VerifyingKeyHandle`, `verify` and `verifyBatch`: strict about everything, an answer for what is
//! not a proof.

use std::sync::Arc;

use nalloc_groth16::{BatchOptions, BatchTexts, VerifyFailure, VerifyingKey};
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

impl From<VerifyingKey> for VerifyingKeyHandle {
    fn from(key: VerifyingKey) -> Self {
        Self { key: Arc::new(key) }
    }
}

#[napi]
impl VerifyingKeyHandle {
    /// Reads `verification_key.json`; `name` is how messages name it.
    #[napi(factory, catch_unwind)]
    pub fn from_json(json: String, name: String) -> Result<Self> {
        let key = VerifyingKey::from_json(json.as_bytes(), &name).map_err(Failure::from)?;
        Ok(key.into())
    }

    /// Public signals that a proof for this key has.
    #[napi(getter, catch_unwind)]
    pub fn n_public(&self) -> u32 {
        self.key.n_public()
    }

    /// Whether gamma equals delta: everybody can forge proofs that it accepts.
    #[napi(getter, catch_unwind)]
    pub fn is_insecure(&self) -> bool {
        self.key.is_insecure()
    }

    /// The key as snarkjs writes it, less the derived pairing.
    #[napi(catch_unwind)]
    pub fn to_json(&self) -> String {
        self.key.to_json()
    }

    /// The key as snarkjs writes it; the derived pairing takes a millisecond.
    #[napi(catch_unwind)]
    pub fn to_json_with_pairing(&self) -> String {
        self.key.to_json_with_pairing()
    }
}

/// Why a proof is not accepted.
#[napi(object)]
pub struct Refusal {
    /// The stable name of the reason.
    pub reason: String,
    /// What was expected and what was found, for people.
    pub detail: String,
}

/// Resolves to null when `proof` proves `publicSignals` (the texts of `proof.json` and
/// `public.json`), else to the reason; anything malformed in either is one.
#[napi(catch_unwind, ts_return_type = "Promise<Refusal | null>")]
pub fn verify<'env>(
    env: &'env Env,
    key: &VerifyingKeyHandle,
    public_signals: String,
    proof: String,
    task: &Task,
) -> Result<PromiseRaw<'env, Option<Refusal>>> {
    let key = Arc::clone(&key.key);
    task.start(
        env,
        Turn::AtOnce,
        move |_state, _grant| Ok(key.explain_json(public_signals.as_bytes(), proof.as_bytes())),
        |explained| {
            let refusal = |failure: VerifyFailure| Refusal {
                reason: failure.reason().to_owned(),
                detail: failure.to_string(),
            };
            explained.err().map(refusal)
        },
    )
}

/// A proof and its signals, as texts.
#[napi(object, object_to_js = false)]
pub struct ProofTexts {
    /// The text of `proof.json`.
    pub proof: String,
    /// The text of `public.json`.
    pub public_signals: String,
}

/// Resolves to whether each of `items` proves its signals; no items do. A thousand take a tenth of
/// a second, so more come in several calls.
#[napi(catch_unwind, ts_return_type = "Promise<boolean>")]
pub fn verify_batch<'env>(
    env: &'env Env,
    key: &VerifyingKeyHandle,
    items: Vec<ProofTexts>,
    task: &Task,
) -> Result<PromiseRaw<'env, bool>> {
    let key = Arc::clone(&key.key);
    task.start(
        env,
        Turn::AtOnce,
        move |state, grant| {
            let items = items.iter().map(|ProofTexts { proof, public_signals }| BatchTexts {
                proof: proof.as_bytes(),
                public: public_signals.as_bytes(),
            });
            let items: Vec<_> = items.collect();
            let options = BatchOptions { pool: grant.pool, observer: state };
            Ok(key.verify_batch_json(&items, options)?)
        },
        |is_valid| is_valid,
    )
}
