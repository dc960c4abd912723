//! `WitnessHandle`: a witness in secret memory, filled from JavaScript without passing its heap.

use std::sync::{Arc, Mutex, PoisonError};

use nalloc_groth16::Witness;
use napi::bindgen_prelude::Uint8ArraySlice;
use napi_derive::napi;

use crate::error::{BUSY, Failure, Result};

/// A witness that only native code reads; wiped when it is disposed or collected.
#[napi]
pub struct WitnessHandle {
    witness: Mutex<Option<Arc<Witness>>>,
}

impl WitnessHandle {
    /// The witness, for as long as the caller holds it.
    pub fn lease(&self) -> Result<Arc<Witness>> {
        let witness = self.witness.lock().unwrap_or_else(PoisonError::into_inner);
        witness.clone().ok_or_else(disposed)
    }
}

fn disposed() -> napi::Error<crate::error::Code> {
    Failure::disposed("witness").into()
}

#[napi]
impl WitnessHandle {
    /// `length` field elements, all zero.
    #[napi(constructor, catch_unwind)]
    pub fn new(length: u32) -> Result<Self> {
        let witness = Witness::zeroed(length).map_err(Failure::from)?;
        Ok(Self { witness: Mutex::new(Some(Arc::new(witness))) })
    }

    /// Field elements, the constant one included. Throws `ERR_DISPOSED`.
    #[napi(getter, catch_unwind)]
    pub fn length(&self) -> Result<u32> {
        Ok(self.lease()?.len())
    }

    /// Copies `bytes.length / 32` plain little-endian elements to position `index`. Throws `ERR_BUSY`
    /// while a proof reads it, `ERR_NON_CANONICAL` for a value of r or more.
    #[napi(catch_unwind)]
    pub fn write(&self, index: u32, bytes: Uint8ArraySlice<'_>) -> Result<()> {
        let mut witness = self.witness.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = witness.as_mut().ok_or_else(disposed)?;
        let witness = Arc::get_mut(shared).ok_or_else(|| {
            Failure::new(BUSY, "witness: expected no proof in progress to write, got one")
        })?;
        Ok(witness.write(index, &bytes).map_err(Failure::from)?)
    }

    /// True after `dispose()`.
    #[napi(getter, catch_unwind)]
    pub fn is_disposed(&self) -> bool {
        self.witness.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Wipes and frees, as soon as no proof reads it.
    #[napi(catch_unwind)]
    pub fn dispose(&self) {
        self.witness.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
