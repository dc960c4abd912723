//! `ProvingKeyHandle`: a parsed .zkey that JavaScript holds and jobs lease.

use std::{
    ops::Deref,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use nalloc_groth16::{ProvingKey, ReadOptions, VerifyingKey, process_bytes};
use napi::{
    Env,
    bindgen_prelude::{PromiseRaw, ToNapiValue},
};
use napi_derive::napi;

use crate::{
    error::{Failure, Result},
    file::{FileInput, Input, Source},
    limit::{Admission, Need},
    line::{self, Turn},
    number,
    share::{Shareable, Tickets},
    task::Task,
    verify::VerifyingKeyHandle,
};

/// The counts of a circuit that say how much memory it takes.
#[napi(object)]
pub struct KeyShape {
    /// Wires, the constant one included.
    pub n_vars: u32,
    /// Outputs and public inputs.
    pub n_public: u32,
    /// Size of the evaluation domain, a power of two.
    pub domain_size: u32,
    /// Entries of the matrices A and B that are not zero.
    pub n_coefficients: u32,
}

/// What a circuit will need.
#[napi(object)]
#[expect(clippy::struct_field_names, reason = "units stand in names")]
pub struct Estimate {
    /// Bytes of its open key.
    pub key_bytes: f64,
    /// Bytes that one proof needs beside the key.
    pub proof_bytes: f64,
    /// Bytes that the process takes once, beside both.
    pub process_bytes: f64,
}

/// What a circuit of these counts will need, with the threads that the pool has or will have.
#[napi(catch_unwind)]
#[must_use]
pub fn estimate_of(shape: KeyShape) -> Estimate {
    let KeyShape { n_vars, n_public, domain_size, n_coefficients } = shape;
    let shape = nalloc_groth16::KeyShape { n_vars, n_public, domain_size, n_coefficients };
    Estimate {
        key_bytes: number::from_u64(shape.key_bytes()),
        proof_bytes: number::from_u64(shape.proof_bytes(line::thread_count())),
        process_bytes: number::from_u64(process_bytes(line::thread_count())),
    }
}

/// How a key is opened.
#[napi(object)]
pub struct OpenOptions {
    /// Accept a key with gamma = delta (no phase 2): everybody can forge proofs for it.
    pub allow_insecure: bool,
    /// Refuse with `ERR_LIMIT` when opening needs more bytes.
    pub memory_limit_bytes: Option<f64>,
    /// The most bytes of tables that make proofs faster; absent for none.
    pub table_bytes_max: Option<f64>,
    /// How messages name the file.
    pub name: String,
}

/// What a key says about its circuit.
#[napi(object)]
pub struct KeyInfo {
    /// Outputs and public inputs.
    pub n_public: u32,
    /// Wires, the constant one included.
    pub n_vars: u32,
    /// Constraints of the circuit: rows of the matrices less the input-consistency rows.
    pub n_constraints: u32,
    /// Size of the evaluation domain, a power of two.
    pub domain_size: u32,
    /// SHA-256 of the whole file, 64 hexadecimal digits.
    pub sha256: String,
    /// Length of the file.
    pub bytes: f64,
    /// Whether it was made for development: everybody can forge proofs for it.
    pub unsafe_dev: bool,
}

static OPEN_KEYS: AtomicU64 = AtomicU64::new(0);

/// Keys in memory: those that JavaScript holds, and those that it gave up and a job still uses.
pub fn open_keys() -> u64 {
    // Relaxed, as below: the number stands for itself.
    OPEN_KEYS.load(Ordering::Relaxed)
}

/// A key that counts as open until its memory is freed.
pub struct OpenKey(ProvingKey);

impl OpenKey {
    fn new(key: ProvingKey) -> Self {
        OPEN_KEYS.fetch_add(1, Ordering::Relaxed);
        Self(key)
    }
}

impl Deref for OpenKey {
    type Target = ProvingKey;
    fn deref(&self) -> &ProvingKey {
        &self.0
    }
}

impl Drop for OpenKey {
    fn drop(&mut self) {
        OPEN_KEYS.fetch_sub(1, Ordering::Relaxed);
    }
}

static TICKETS: Tickets<OpenKey> = Tickets::new("key");

/// Another handle of the key that a ticket of `share()` stands for, in any thread of this process.
/// Throws `ERR_DISPOSED` when no handle of it is left, `ERR_INVALID_ARG` for what is no ticket.
#[napi(catch_unwind)]
pub fn shared_proving_key(ticket: String) -> Result<ProvingKeyHandle> {
    Ok(ProvingKeyHandle { key: Mutex::new(Some(TICKETS.redeem(&ticket)?)) })
}

/// A proving key in native memory. Jobs that use it keep it alive beyond `dispose()`.
#[napi]
pub struct ProvingKeyHandle {
    key: Mutex<Option<Arc<Shareable<OpenKey>>>>,
}

impl ProvingKeyHandle {
    /// The key, for as long as the caller holds it.
    pub fn lease(&self) -> Result<Arc<Shareable<OpenKey>>> {
        let key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        key.clone().ok_or_else(|| Failure::disposed("proving key").into())
    }
}

#[napi]
impl ProvingKeyHandle {
    /// Sizes and identity. Throws `ERR_DISPOSED`.
    #[napi(getter, catch_unwind)]
    pub fn info(&self) -> Result<KeyInfo> {
        let key = self.lease()?;
        let info = key.info();
        Ok(KeyInfo {
            n_public: info.n_public,
            n_vars: info.n_vars,
            n_constraints: info.n_constraints,
            domain_size: info.domain_size,
            sha256: info.sha256.clone(),
            bytes: number::from_u64(info.bytes),
            unsafe_dev: info.is_unsafe_dev,
        })
    }

    /// The verification key as snarkjs writes it. Throws `ERR_DISPOSED`.
    #[napi(getter, catch_unwind)]
    pub fn verifying_key_json(&self) -> Result<String> {
        Ok(self.lease()?.verifying_key().to_json())
    }

    /// What this key and one proof with it need. Throws `ERR_DISPOSED`.
    #[napi(catch_unwind)]
    pub fn estimate(&self) -> Result<Estimate> {
        let key = self.lease()?;
        Ok(Estimate {
            key_bytes: number::from_u64(key.bytes()),
            proof_bytes: number::from_u64(key.estimate_bytes(line::thread_count())),
            process_bytes: number::from_u64(process_bytes(line::thread_count())),
        })
    }

    /// A ticket for `sharedProvingKey`, which keeps nothing open. Throws `ERR_DISPOSED`.
    #[napi(catch_unwind)]
    pub fn share(&self) -> Result<String> {
        Ok(TICKETS.give(&self.lease()?)?)
    }

    /// True after `dispose()`.
    #[napi(getter, catch_unwind)]
    pub fn is_disposed(&self) -> bool {
        self.key.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Gives the memory back, as soon as no proof uses it.
    #[napi(catch_unwind)]
    pub fn dispose(&self) {
        self.key.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Opens a .zkey: a path, or bytes, which are copied before this returns unless they lie in an
/// arena or were copied already.
#[napi(catch_unwind, ts_return_type = "Promise<ProvingKeyHandle>")]
pub fn open_proving_key<'env>(
    env: &'env Env,
    source: Source<'_>,
    options: OpenOptions,
    task: &Task,
) -> Result<PromiseRaw<'env, ProvingKeyHandle>> {
    open(
        (env, source, options, task),
        |source, read| {
            match source {
                Input::Path(path) => ProvingKey::read(path.as_ref(), read),
                Input::Bytes(bytes) => ProvingKey::from_bytes(bytes, read),
            }
            .map(OpenKey::new)
        },
        |key| ProvingKeyHandle { key: Mutex::new(Some(TICKETS.admit(key))) },
    )
}

/// Opens the verification key in a .zkey, of which no more is read; a source as for
/// `openProvingKey`.
#[napi(catch_unwind, ts_return_type = "Promise<VerifyingKeyHandle>")]
pub fn open_verifying_key<'env>(
    env: &'env Env,
    source: Source<'_>,
    options: OpenOptions,
    task: &Task,
) -> Result<PromiseRaw<'env, VerifyingKeyHandle>> {
    open(
        (env, source, options, task),
        |source, read| match source {
            Input::Path(path) => VerifyingKey::read_zkey(path.as_ref(), read),
            Input::Bytes(bytes) => VerifyingKey::from_zkey(bytes, read),
        },
        VerifyingKeyHandle::from,
    )
}

/// What a call of one of both gave.
type OpenCall<'env, 'a> = (&'env Env, Source<'a>, OpenOptions, &'a Task);

/// Reads a .zkey in a job.
fn open<'env, T, D>(
    (env, source, options, task): OpenCall<'env, '_>,
    read: fn(Input<'_>, &ReadOptions<'_>) -> std::result::Result<T, nalloc_groth16::Error>,
    finish: fn(T) -> D,
) -> Result<PromiseRaw<'env, D>>
where
    T: Send + 'static,
    D: ToNapiValue + 'static,
{
    let source = FileInput::of(source)?;
    task.start(
        env,
        Turn::InLine(Need::Unknown),
        move |state, grant| {
            let admission = Admission::new(options.memory_limit_bytes, 0, grant.room);
            let settings = ReadOptions {
                pool: grant.pool,
                observer: state,
                allow_insecure: options.allow_insecure,
                memory_limit_bytes: admission.bytes_max(),
                table_bytes_max: options.table_bytes_max.map_or(0, number::byte_limit),
                name: &options.name,
            };
            source.with(|input| read(input, &settings).map_err(|error| admission.explain(error)))
        },
        finish,
    )
}
