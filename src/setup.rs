//! `SetupHandle`: a key for development that is made piece by piece, as JavaScript asks for it.

use std::sync::{Arc, Mutex, TryLockError};

use nalloc_bn254::HeapBuffer;
use nalloc_groth16::{SetupOptions, UnsafeDevSetup};
use napi::{
    Either, Env,
    bindgen_prelude::{Either3, PromiseRaw, Uint8Array},
};
use napi_derive::napi;

use crate::{
    error::{BUSY, Failure, Result},
    file::Source,
    limit::{Admission, Need},
    line::Turn,
    number,
    task::Task,
};

/// Memory of a piece: the bytes, and what was computed of them.
const PIECE_BYTES_MAX: u64 = 4 << 20;

/// How a setup begins.
#[napi(object)]
pub struct SetupSettings {
    /// Refuse with `ERR_LIMIT` when more bytes are needed.
    pub memory_limit_bytes: Option<f64>,
    /// How messages name the file.
    pub name: String,
}

/// A key that is being made; none after `dispose()`.
type Slot = Arc<Mutex<Option<UnsafeDevSetup>>>;

/// A key for development: everybody knows the secrets that it is made from.
#[napi]
pub struct SetupHandle {
    setup: Slot,
    bytes: u64,
    n_constraints: u32,
}

#[napi]
impl SetupHandle {
    /// Length of the finished key.
    #[napi(getter, catch_unwind)]
    pub fn bytes(&self) -> f64 {
        number::from_u64(self.bytes)
    }

    /// Constraints of the circuit.
    #[napi(getter, catch_unwind)]
    pub fn n_constraints(&self) -> u32 {
        self.n_constraints
    }

    /// Resolves to the next bytes of the key, or to null after the last ones. Rejects with
    /// `ERR_BUSY` while another piece is made, `ERR_DISPOSED`.
    #[napi(catch_unwind, ts_return_type = "Promise<Uint8Array | null>")]
    pub fn next<'env>(
        &self,
        env: &'env Env,
        task: &Task,
    ) -> Result<PromiseRaw<'env, Option<Uint8Array>>> {
        let setup = Arc::clone(&self.setup);
        task.start(
            env,
            Turn::InLine(Need::Bytes(PIECE_BYTES_MAX)),
            move |state, grant| {
                with(&setup, |setup| {
                    Ok(setup.next_piece(grant.pool, state)?.map(|piece| piece.to_vec()))
                })
            },
            |piece: Option<Vec<u8>>| piece.map(Uint8Array::from),
        )
    }

    /// Resolves to the text of the key's `verification_key.json`, with the derived pairing. Rejects
    /// as `next` does.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn verifying_key_json<'env>(
        &self,
        env: &'env Env,
        task: &Task,
    ) -> Result<PromiseRaw<'env, String>> {
        let setup = Arc::clone(&self.setup);
        task.start(
            env,
            Turn::InLine(Need::Bytes(PIECE_BYTES_MAX)),
            move |_state, _grant| {
                with(&setup, |setup| Ok(setup.verifying_key()?.to_json_with_pairing()))
            },
            |json| json,
        )
    }

    /// Gives the memory back, once no piece is being made.
    #[napi(catch_unwind)]
    pub fn dispose(&mut self) {
        // A job that runs keeps it until it has ended.
        self.setup = Slot::default();
    }
}

/// Uses the setup; never waits for another use, which may be one that this thread works for.
fn with<R>(
    slot: &Mutex<Option<UnsafeDevSetup>>,
    use_setup: impl FnOnce(&mut UnsafeDevSetup) -> std::result::Result<R, Failure>,
) -> std::result::Result<R, Failure> {
    match slot.try_lock() {
        Ok(mut setup) => match setup.as_mut() {
            Some(setup) => use_setup(setup),
            None => Err(Failure::disposed("setup")),
        },
        Err(TryLockError::WouldBlock) => {
            Err(Failure::new(BUSY, "setup: expected no other piece in progress, got one"))
        }
        // After a panic nobody knows what comes next.
        Err(TryLockError::Poisoned(_)) => Err(Failure::disposed("setup")),
    }
}

/// Begins a key for development for the circuit in an .r1cs file: a path, or bytes, which are
/// copied before this returns unless they were copied already.
#[napi(catch_unwind, ts_return_type = "Promise<SetupHandle>")]
pub fn begin_unsafe_dev_setup<'env>(
    env: &'env Env,
    source: Source<'_>,
    settings: SetupSettings,
    task: &Task,
) -> Result<PromiseRaw<'env, SetupHandle>> {
    let source = match source {
        Either3::A(path) => Either::A(path),
        Either3::B(bytes) => Either::B(HeapBuffer::from_slice(&bytes).map_err(Failure::from)?),
        Either3::C(copied) => Either::B(copied.take()?.into_heap()?),
    };
    task.start(
        env,
        Turn::InLine(Need::Unknown),
        move |state, grant| {
            let admission = Admission::new(settings.memory_limit_bytes, 0, grant.room);
            let options = SetupOptions {
                pool: grant.pool,
                observer: state,
                memory_limit_bytes: admission.bytes_max(),
                name: &settings.name,
            };
            let setup = match source {
                Either::A(path) => UnsafeDevSetup::read(path.as_ref(), &options),
                Either::B(bytes) => UnsafeDevSetup::from_bytes(bytes, &options),
            };
            setup.map_err(|error| admission.explain(error))
        },
        |setup| SetupHandle {
            bytes: setup.bytes(),
            n_constraints: setup.n_constraints(),
            setup: Arc::new(Mutex::new(Some(setup))),
        },
    )
}
