//! `prove`: a leased key, a witness from wherever it is, and a proof as JSON.

use std::sync::Arc;

use nalloc_bn254::{Fr, Observer};
use nalloc_groth16::{ProveOptions as CoreOptions, ProvingKey, Witness, public_to_json};
use napi::{
    Env,
    bindgen_prelude::{ClassInstance, Either5, PromiseRaw, Uint8ArraySlice},
};
use napi_derive::napi;

use crate::{
    error::{Failure, INVALID_ARG, Result},
    file::{FileBytes, FileInput, Input},
    key::ProvingKeyHandle,
    limit::{Admission, Need, Room},
    line::{self, Grant, Turn},
    number,
    region::Lease,
    secret::{Sealed, SecretHandle},
    task::{Task, TaskState},
    witness::WitnessHandle,
};

/// How one proof is made.
#[napi(object)]
pub struct ProveOptions {
    /// Verify the proof before it is returned.
    pub self_verify: bool,
    /// Fixed blinding, a canonical decimal number below r; with `blindingS`, for tests only.
    pub blinding_r: Option<String>,
    /// See `blindingR`.
    pub blinding_s: Option<String>,
    /// Refuse with `ERR_LIMIT` when the proof needs more bytes.
    pub memory_limit_bytes: Option<f64>,
    /// How messages name the witness file.
    pub name: String,
}

/// Time spent in one phase.
#[napi(object)]
pub struct PhaseTime {
    /// queue, witness, quotient, msm, finish or self-verify.
    pub phase: String,
    /// Milliseconds of wall time.
    pub ms: f64,
}

/// A finished proof.
#[napi(object)]
pub struct ProofOutput {
    /// The text of `proof.json`.
    pub proof: String,
    /// The text of `public.json`.
    pub public_signals: String,
    /// Where the time went, in order.
    pub timings: Vec<PhaseTime>,
    /// Bytes that the proof had reserved beside the key.
    pub peak_bytes: f64,
}

/// What messages call it.
const WHAT: &str = "the proof";
/// Bytes of one value of a witness.
const VALUE_BYTES: u64 = 32;

enum WitnessInput {
    File(FileInput),
    Secret(Arc<Sealed>),
    Native(Arc<Witness>),
}

impl WitnessInput {
    /// Bytes that are in memory before the job begins; the estimate of a proof has them too.
    fn held_bytes(&self) -> u64 {
        match self {
            Self::File(file) => file.copied_bytes(),
            Self::Secret(_) => 0,
            Self::Native(witness) => u64::from(witness.len()) * VALUE_BYTES,
        }
    }
}

/// Proves with `key`. The witness is a path, the bytes of a .wtns file (copied before this returns,
/// unless they lie in an arena or were copied already), such bytes as a secret, or a handle.
#[napi(catch_unwind, ts_return_type = "Promise<ProofOutput>")]
pub fn prove<'env>(
    env: &'env Env,
    key: &ProvingKeyHandle,
    witness: Either5<
        String,
        Uint8ArraySlice<'_>,
        ClassInstance<'_, FileBytes>,
        ClassInstance<'_, WitnessHandle>,
        ClassInstance<'_, SecretHandle>,
    >,
    options: ProveOptions,
    task: &Task,
) -> Result<PromiseRaw<'env, ProofOutput>> {
    let key = key.lease()?;
    let blinding = blinding(&options)?;
    let witness = match witness {
        Either5::A(path) => WitnessInput::File(FileInput::Path(path)),
        Either5::B(bytes) => of_bytes(&bytes, &options.name)?,
        Either5::C(copied) => WitnessInput::File(FileInput::Copied(copied.take()?)),
        Either5::D(handle) => WitnessInput::Native(handle.lease()?),
        Either5::E(handle) => WitnessInput::Secret(handle.lease()?),
    };
    let needed = key.estimate_bytes(line::thread_count());
    let beside = needed.saturating_sub(witness.held_bytes());
    let room = Room::now();
    if !room.can_ever_hold(beside) {
        return Err(room.refuse(WHAT, needed).into());
    }
    task.start(
        env,
        Turn::InLine(Need::Bytes(beside)),
        move |state, grant| run(&key, witness, blinding, &options, (state, grant)),
        |output| output,
    )
}

fn of_bytes(bytes: &[u8], name: &str) -> Result<WitnessInput> {
    if let Some(lease) = Lease::of(bytes) {
        return Ok(WitnessInput::File(FileInput::Arena(lease)));
    }
    let witness = Witness::from_bytes(bytes, name).map_err(Failure::from)?;
    Ok(WitnessInput::Native(Arc::new(witness)))
}

fn run(
    key: &ProvingKey,
    witness: WitnessInput,
    blinding: Option<(Fr, Fr)>,
    options: &ProveOptions,
    (state, grant): (&TaskState, &Grant),
) -> std::result::Result<ProofOutput, Failure> {
    let pool = grant.pool;
    let admission = Admission::new(options.memory_limit_bytes, witness.held_bytes(), grant.room);
    // Before the witness is read, which takes memory too.
    admission.check(WHAT, key.estimate_bytes(pool.thread_count()))?;
    let witness = match witness {
        WitnessInput::File(file) => Arc::new(file.with(|input| match input {
            Input::Path(path) => Witness::read(path.as_ref()),
            Input::Bytes(bytes) => Witness::from_bytes(bytes, &options.name),
        })?),
        WitnessInput::Secret(secret) => {
            Arc::new(secret.with(|bytes| Witness::from_bytes(bytes, &options.name))??)
        }
        WitnessInput::Native(witness) => witness,
    };
    let core = CoreOptions {
        pool,
        observer: &Taking { state, grant },
        self_verify: options.self_verify,
        blinding,
        memory_limit_bytes: admission.bytes_max(),
    };
    let proved = key.prove(&witness, &core);
    let (proof, public_signals) = proved.map_err(|error| admission.explain(error))?;
    let timings = state
        .phase_times_ms()
        .into_iter()
        .map(|(phase, ms)| PhaseTime { phase: phase.to_owned(), ms })
        .collect();
    let peak_bytes = number::from_u64(key.estimate_bytes(pool.thread_count()));
    Ok(ProofOutput {
        proof: proof.to_json(),
        public_signals: public_to_json(&public_signals),
        timings,
        peak_bytes,
    })
}

/// Sees when a proof has taken all of its memory: when it begins to compute.
struct Taking<'a> {
    state: &'a TaskState,
    grant: &'a Grant,
}

impl Observer for Taking<'_> {
    fn is_cancelled(&self) -> bool {
        self.state.is_cancelled()
    }

    fn progress(&self, phase: &'static str, done: u64, total: u64) {
        // Its memory counted twice for a moment, in which another one may have found no room.
        if phase != "witness" {
            self.grant.keep_promise();
        }
        self.state.progress(phase, done, total);
    }
}

fn blinding(options: &ProveOptions) -> Result<Option<(Fr, Fr)>> {
    let parse = |name: &str, text: &str| {
        Fr::from_decimal(text).ok_or_else(|| {
            // Not quoted: with the proof and the key, the blinding gives the witness away.
            let message =
                format!("unsafeBlinding.{name}: expected an integer in [0, r), got another");
            napi::Error::from(Failure::new(INVALID_ARG, message))
        })
    };
    match (&options.blinding_r, &options.blinding_s) {
        (None, None) => Ok(None),
        (Some(r), Some(s)) => Ok(Some((parse("r", r)?, parse("s", s)?))),
        _ => Err(Failure::new(INVALID_ARG, "unsafeBlinding: expected r and s, got one").into()),
    }
}
