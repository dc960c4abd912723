//! `WitnessHandle`: a witness in secret memory, filled from JavaScript without passing its heap.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use nalloc_groth16::Witness;
use napi::bindgen_prelude::Uint8ArraySlice;
use napi_derive::napi;

use crate::error::{BUSY, DISPOSED, Failure, Result};

/// A witness until it is disposed, and those who read it.
type Slot = Mutex<Option<Arc<Witness>>>;

/// The witnesses that another thread may fill, by their numbers.
static SHARED: Mutex<BTreeMap<u32, Weak<Slot>>> = Mutex::new(BTreeMap::new());

/// A witness that only native code reads; wiped when it is disposed or collected.
#[napi]
pub struct WitnessHandle {
    witness: Arc<Slot>,
}

/// Another handle of the witness that `share()` gave this number. Throws `ERR_DISPOSED` when there
/// is none.
#[napi(catch_unwind)]
pub fn shared_witness(number: u32) -> Result<WitnessHandle> {
    let shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let witness = shared.get(&number).and_then(Weak::upgrade);
    let gone = || Failure::new(DISPOSED, "witness: expected a live one, got one that is gone");
    Ok(WitnessHandle { witness: witness.ok_or_else(gone)? })
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
        Ok(Self { witness: Arc::new(Mutex::new(Some(Arc::new(witness)))) })
    }

    /// Field elements, the constant one included. Throws `ERR_DISPOSED`.
    #[napi(getter, catch_unwind)]
    pub fn length(&self) -> Result<u32> {
        Ok(self.lease()?.len())
    }

    /// Copies `bytes.length / 32` plain little-endian elements to position `index`. Throws
    /// `ERR_BUSY` while a proof reads it, `ERR_NON_CANONICAL` for a value of r or more.
    #[napi(catch_unwind)]
    pub fn write(&self, index: u32, bytes: Uint8ArraySlice<'_>) -> Result<()> {
        let mut witness = self.witness.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = witness.as_mut().ok_or_else(disposed)?;
        let witness = Arc::get_mut(shared).ok_or_else(|| {
            Failure::new(BUSY, "witness: expected no proof in progress to write, got one")
        })?;
        Ok(witness.write(index, &bytes).map_err(Failure::from)?)
    }

    /// A number for `sharedWitness`, in any thread of this process; it keeps nothing.
    #[napi(catch_unwind)]
    #[must_use]
    pub fn share(&self) -> u32 {
        static NUMBERS: AtomicU32 = AtomicU32::new(0);
        // Relaxed: the number stands for itself.
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.retain(|_, witness| witness.strong_count() > 0);
        shared.insert(number, Arc::downgrade(&self.witness));
        number
    }

    /// True after `dispose()`.
    #[napi(getter, catch_unwind)]
    pub fn is_disposed(&self) -> bool {
        self.witness.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Wipes and frees, as soon as no proof reads it; for every handle of it.
    #[napi(catch_unwind)]
    pub fn dispose(&self) {
        self.witness.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
