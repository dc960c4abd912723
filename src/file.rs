//! `FileBytes`: the bytes of a file on their way from JavaScript; and what a job reads of a file.

use std::{
    hint::black_box,
    sync::{Mutex, PoisonError},
};

use nalloc::SecretBuf;
use nalloc_bn254::HeapBuffer;
use napi::{
    Env,
    bindgen_prelude::{ClassInstance, Either3, PromiseRaw, Uint8ArraySlice},
};
use napi_derive::napi;

use crate::{
    error::{Failure, INVALID_ARG, Result},
    line::Turn,
    number,
    region::Lease,
    task::Task,
};

/// The smallest page of any machine.
const PAGE_BYTES_MIN: usize = 4096;

/// A file as JavaScript gives it: a path, bytes, or bytes that were copied.
pub type Source<'a> = Either3<String, Uint8ArraySlice<'a>, ClassInstance<'a, FileBytes>>;

/// The bytes of a file on their way from JavaScript: copied piece by piece, because a large one at
/// once would hold the event loop.
#[napi]
pub struct FileBytes {
    bytes: Mutex<Option<Copied>>,
}

/// Room for a file of this length, in secret memory or not, all of it touched on a thread of the
/// pool: what the system needs to find memory is then not the event loop's time.
#[napi(catch_unwind, ts_return_type = "Promise<FileBytes>")]
pub fn room_for_file<'env>(
    env: &'env Env,
    length: f64,
    is_secret: bool,
    task: &Task,
) -> Result<PromiseRaw<'env, FileBytes>> {
    task.start(
        env,
        Turn::AtOnce,
        move |_state, _grant| Copied::touched(number::bytes(length), is_secret),
        |bytes| FileBytes { bytes: Mutex::new(Some(bytes)) },
    )
}

#[napi]
impl FileBytes {
    /// Copies a piece to its place.
    #[napi(catch_unwind)]
    pub fn write(&self, offset: f64, piece: Uint8ArraySlice<'_>) -> Result<()> {
        let start = number::bytes(offset);
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = bytes.as_mut().map(Copied::as_mut_slice);
        let room = bytes.and_then(|bytes| bytes.get_mut(start..)?.get_mut(..piece.len()));
        let room = room.ok_or_else(|| {
            Failure::new(INVALID_ARG, "bytes: expected a piece of the file, got one beyond its end")
        })?;
        room.copy_from_slice(&piece);
        Ok(())
    }

    /// Gives the memory back.
    #[napi(catch_unwind)]
    pub fn dispose(&self) {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl FileBytes {
    /// The bytes, which it has no more.
    pub fn take(&self) -> Result<Copied> {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.take().ok_or_else(|| Failure::disposed("bytes").into())
    }
}

/// Bytes of our own.
pub enum Copied {
    /// On the heap.
    Plain(HeapBuffer<u8>),
    /// Wiped when they go.
    Secret(SecretBuf),
}

impl Copied {
    fn touched(len: usize, is_secret: bool) -> std::result::Result<Self, Failure> {
        let mut copied = if is_secret {
            Self::Secret(SecretBuf::new(len)?)
        } else {
            Self::Plain(HeapBuffer::zeroed(len)?)
        };
        for page in copied.as_mut_slice().chunks_mut(PAGE_BYTES_MIN) {
            page[0] = black_box(0);
        }
        Ok(copied)
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Secret(bytes) => bytes.as_slice(),
        }
    }

    /// The bytes on the heap, for whom they are no secret.
    pub fn into_heap(self) -> Result<HeapBuffer<u8>> {
        match self {
            Self::Plain(bytes) => Ok(bytes),
            Self::Secret(bytes) => {
                Ok(HeapBuffer::from_slice(bytes.as_slice()).map_err(Failure::from)?)
            }
        }
    }

    fn as_mut_slice(&mut self) -> &mut [u8] {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Secret(bytes) => bytes.as_mut_slice(),
        }
    }
}

/// Whether bytes lie in an arena, where native code reads them without a copy.
#[napi(catch_unwind)]
#[must_use]
pub fn lies_in_arena(bytes: Uint8ArraySlice<'_>) -> bool {
    Lease::of(&bytes).is_some()
}

/// A file that a job reads: it must not touch JavaScript's memory, which may move or go away.
pub enum FileInput {
    Path(String),
    Copied(Copied),
    Arena(Lease),
}

/// What a job finds in it.
pub enum Input<'a> {
    Path(&'a str),
    Bytes(&'a [u8]),
}

impl FileInput {
    /// Copies bytes that are JavaScript's.
    pub fn of(source: Source<'_>) -> Result<Self> {
        Ok(match source {
            Either3::A(path) => Self::Path(path),
            Either3::B(bytes) => {
                if let Some(lease) = Lease::of(&bytes) {
                    Self::Arena(lease)
                } else {
                    let bytes = HeapBuffer::from_slice(&bytes).map_err(Failure::from)?;
                    Self::Copied(Copied::Plain(bytes))
                }
            }
            Either3::C(copied) => Self::Copied(copied.take()?),
        })
    }

    /// Bytes that are in memory for this file alone.
    pub fn copied_bytes(&self) -> u64 {
        match self {
            Self::Copied(bytes) => bytes.as_slice().len() as u64,
            Self::Path(_) | Self::Arena(_) => 0,
        }
    }

    /// Hands the path or the bytes to `read`, and ends them.
    pub fn with<R>(self, read: impl FnOnce(Input<'_>) -> R) -> R {
        match self {
            Self::Path(path) => read(Input::Path(&path)),
            Self::Copied(bytes) => read(Input::Bytes(bytes.as_slice())),
            Self::Arena(bytes) => read(Input::Bytes(bytes.as_slice())),
        }
    }
}
