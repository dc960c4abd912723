//! Memory that JavaScript sees: a mapping behind one external `ArrayBuffer` after the other.
//!
//! ```text
//! hidden -> shown -> released: unmapped
//!              `---> retired: zero, writable, mapped for ever
//! ```
//!
//! JavaScript can hand a buffer on to where nobody can follow it (`transfer`, workers, streams),
//! and libuv's threads read and write what it was given; to unmap or to protect such memory ends
//! the process. So a mapping that was shown is unmapped only by `release`, which TypeScript calls
//! when the collector has taken every buffer that was made of it and never at the end of an
//! environment: there Node finalizes buffers that other threads still have. Whatever else ends a
//! mapping drops its pages and leaves the addresses.

mod memory;

use std::{
    ffi::c_void,
    ptr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use napi::{Env, JsValue, bindgen_prelude::Unknown, sys};
use napi_derive::napi;

use crate::{
    error::{DISPOSED, EXTERNAL_BUFFER, Failure, INTERNAL, Result},
    number,
};
pub use memory::{Lease, Memory, Part, Secrecy};

/// What the collector is told that an abandoned mapping costs, besides its buffer: the kernel
/// counts mappings and locked pages, and one collection in a thousand of these gives them back in
/// time.
const ABANDONED_BYTES: i64 = 64 << 10;

static ESCAPES: AtomicU64 = AtomicU64::new(0);

/// Buffers that JavaScript kept beyond their time, since start.
pub fn escapes() -> u64 {
    // Relaxed, as below: the number stands for itself.
    ESCAPES.load(Ordering::Relaxed)
}

/// A mapping that JavaScript sees through `ArrayBuffer`s.
#[napi]
pub struct Region {
    memory: Mutex<Option<Arc<Memory>>>,
    is_abandoned: AtomicBool,
}

impl Region {
    /// Takes over `memory`, which JavaScript has not seen yet.
    pub fn new(memory: Memory) -> Self {
        Self { memory: Mutex::new(Some(memory.enlist())), is_abandoned: AtomicBool::new(false) }
    }

    /// The memory, for as long as the caller holds it.
    pub fn memory(&self) -> Result<Arc<Memory>> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.clone().ok_or_else(|| {
            Failure::new(DISPOSED, "region: expected a mapped one, got a released one").into()
        })
    }
}

#[napi]
impl Region {
    /// A new `ArrayBuffer` over `byteLength` bytes of it. Throws `ERR_EXTERNAL_BUFFER` where the
    /// runtime takes no memory but its own.
    #[napi(catch_unwind, ts_return_type = "ArrayBuffer")]
    pub fn buffer(&self, env: Env, offset: f64, byte_length: f64) -> Result<Unknown<'_>> {
        let memory = self.memory()?;
        let [offset, bytes] = [offset, byte_length].map(number::bytes);
        let start = memory.part(offset, bytes);
        let hint = Box::into_raw(Box::new(memory.show(offset, bytes))).cast();
        let mut value = ptr::null_mut();
        // SAFETY: `env` is that of this call; the bytes stay mapped and writable until `finalize`
        // has run, and longer.
        let status = unsafe {
            sys::napi_create_external_arraybuffer(
                env.raw(),
                start.as_ptr().cast(),
                bytes,
                Some(finalize),
                hint,
                &raw mut value,
            )
        };
        match status {
            // SAFETY: the call made `value`, a value of this environment.
            sys::Status::napi_ok => Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), value) }),
            sys::Status::napi_no_external_buffers_allowed => {
                // SAFETY: a runtime without such buffers keeps nothing of what it refused.
                drop(unsafe { Box::from_raw(hint.cast::<memory::Shown>()) });
                let message = "this runtime lets JavaScript see no native memory (V8's sandbox, \
                               as in Electron): use a Uint8Array of its own";
                Err(Failure::new(EXTERNAL_BUFFER, message).into())
            }
            // A worker that is being terminated. `hint` is left: the finalizer may run yet.
            _ => {
                let message = format!("Node-API refused an ArrayBuffer (status {status})");
                Err(Failure::new(INTERNAL, message).into())
            }
        }
    }

    /// True while native work reads it.
    #[napi(getter, catch_unwind)]
    pub fn is_busy(&self) -> Result<bool> {
        Ok(self.memory()?.is_leased())
    }

    /// Overwrites the first `bytes` bytes with zeros.
    #[napi(catch_unwind)]
    pub fn wipe(&self, bytes: f64) -> Result<()> {
        self.memory()?.wipe(number::bytes(bytes));
        Ok(())
    }

    /// Gives the pages back: everything reads as zero. Of a secret arena the first `usedBytes`
    /// bytes are overwritten before.
    #[napi(catch_unwind)]
    pub fn discard(&self, used_bytes: f64) -> Result<()> {
        self.memory()?.discard(number::bytes(used_bytes));
        Ok(())
    }

    /// As `discard`, while JavaScript keeps its buffers: they are counted.
    #[napi(catch_unwind)]
    pub fn abandon(&self, env: Env, used_bytes: f64) -> Result<()> {
        self.memory()?.abandon(number::bytes(used_bytes));
        ESCAPES.fetch_add(1, Ordering::Relaxed);
        if !self.is_abandoned.swap(true, Ordering::Relaxed) {
            tell_collector(env, ABANDONED_BYTES);
        }
        Ok(())
    }

    /// Somebody else has the buffer: gives the pages back, keeps the addresses for ever, counts it.
    #[napi(catch_unwind)]
    pub fn retire(&self) {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(memory) = memory {
            memory.retire();
            ESCAPES.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Unmaps it, unless it is retired. False, and nothing done, while the runtime has not given
    /// back every buffer. Call it only when no buffer that was made of it can be reached any more.
    #[napi(catch_unwind)]
    #[must_use]
    pub fn release(&self, env: Env) -> bool {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.as_ref().is_some_and(|memory| !memory.release()) {
            return false;
        }
        *memory = None;
        if self.is_abandoned.swap(false, Ordering::Relaxed) {
            tell_collector(env, -ABANDONED_BYTES);
        }
        true
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        let memory = self.memory.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // TypeScript holds a region until its release: this is the end of the environment.
        if let Some(memory) = memory {
            memory.discard(memory.bytes());
        }
    }
}

/// The collector reckons with so many bytes more.
fn tell_collector(env: Env, bytes: i64) {
    let mut sum = 0;
    // SAFETY: `env` is that of this call, and no more is taken back than was added. Without an
    // answer the collector comes when it would have come anyway.
    let _status = unsafe { sys::napi_adjust_external_memory(env.raw(), bytes, &raw mut sum) };
}

/// Detaches a buffer of a region; false when the runtime does not allow that.
#[napi(catch_unwind)]
#[must_use]
pub fn detach_buffer(env: Env, #[napi(ts_arg_type = "ArrayBuffer")] buffer: Unknown<'_>) -> bool {
    // SAFETY: both are of this call; anything but a detachable buffer is answered with a status.
    let status = unsafe { sys::napi_detach_arraybuffer(env.raw(), buffer.raw()) };
    status == sys::Status::napi_ok
}

/// Overwrites every secret of this process, and what JavaScript was shown of secret arenas: for a
/// runtime that ends without calling `atexit` functions. Nothing can be relied on afterwards.
#[napi(catch_unwind)]
pub fn wipe_secrets() {
    // SAFETY: TypeScript calls this when the process exits; a thread that still works then reads
    // zeros, as it does when the C library calls the function at exit.
    unsafe { nalloc::wipe_all_secrets() };
    memory::wipe_at_exit();
}

/// The beginning of libuv's `uv_loop_t`, which is public and the same in all of its version 1.
#[repr(C)]
struct Loop {
    data: *mut c_void,
    active_handles: u32,
    handle_queue: [*mut c_void; 2],
    active_requests: u32,
}

/// Requests of this thread's event loop that are not finished, those included that Node keeps no
/// list of.
#[napi(catch_unwind)]
#[must_use]
pub fn loop_requests(env: Env) -> u32 {
    let mut at = ptr::null_mut();
    // SAFETY: `env` is that of this call.
    let status = unsafe { sys::napi_get_uv_event_loop(env.raw(), &raw mut at) };
    if status != sys::Status::napi_ok || at.is_null() {
        return 0;
    }
    // SAFETY: the loop is a `uv_loop_t` that this thread runs.
    unsafe { (*at.cast::<Loop>()).active_requests }
}

/// The runtime has given a buffer back, on whichever thread.
unsafe extern "C" fn finalize(_env: sys::napi_env, _data: *mut c_void, hint: *mut c_void) {
    // SAFETY: `hint` is the box that `buffer` made for this buffer, and this is its only end.
    drop(unsafe { Box::from_raw(hint.cast::<memory::Shown>()) });
}
