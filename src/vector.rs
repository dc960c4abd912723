//! `FrVectorHandle`: field elements in native memory, which jobs read together or change alone.
//!
//! ```text
//! free --share--> read by any number of jobs, each with a reference --> free
//!      --take---> changed by one job, which has all of it           --> free
//! ```
//!
//! So nothing that a job uses is changed or freed under it: a second use that does not fit beside
//! the first is refused, and what is disposed meanwhile ends with the last job that has it.
//!
//! Elements may be secret. Those on the heap are overwritten before their memory is freed, those in
//! an arena when they are disposed; many of them on a thread of the pool.

use std::{
    ops::{Deref, DerefMut},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use nalloc_bn254::{Field, Fr, HeapBuffer};
use napi::{
    Env,
    bindgen_prelude::{BigInt, PromiseRaw, Uint8ArraySlice},
};
use napi_derive::napi;

use crate::{
    compute::Computation,
    error::{BUSY, Failure, INVALID_ARG, NON_CANONICAL, Result},
    limit,
    line::{self, Grant, Turn},
    number,
    region::{Lease, Part},
    task::{Task, TaskState},
};

/// What messages call it.
const WHAT: &str = "the vector";
/// Bytes of an element, in memory and outside.
pub const ELEMENT_BYTES: usize = 32;
/// The most elements: those of the field's largest domain.
const LEN_MAX: u32 = 1 << Fr::TWO_ADICITY;
/// More than this many bytes are overwritten on a thread of the pool: it takes a tenth of a
/// millisecond.
const WIPED_HERE_BYTES_MAX: usize = 1 << 20;
/// More than this many zero bytes come from a mapping of their own, which takes a tenth of a
/// millisecond, as it does to clear so many; docs/bn254.md has what was measured.
const CLEARED_HERE_BYTES_MAX: u64 = 1 << 20;
/// The smallest page of any machine, in elements.
const PAGE_ELEMENTS_MIN: usize = 4096 / ELEMENT_BYTES;

const _: () = assert!(size_of::<Fr>() == ELEMENT_BYTES);

/// A vector's elements, wherever they lie.
struct Elements {
    place: Place,
    /// Whether they are overwritten when nobody has them any more.
    is_wiped: AtomicBool,
}

enum Place {
    Heap(HeapBuffer<Fr>),
    Arena(Part),
    /// Nowhere any more.
    Gone,
}

impl Elements {
    /// A lease on the arena that they lie in, if they do. Throws `ERR_DISPOSED` when it is gone.
    fn lease(&self) -> std::result::Result<Option<Lease>, Failure> {
        match &self.place {
            Place::Arena(part) => part.lease().map(Some).ok_or_else(|| Failure::disposed("vector")),
            _ => Ok(None),
        }
    }
}

impl Drop for Elements {
    fn drop(&mut self) {
        if !*self.is_wiped.get_mut() {
            return;
        }
        match std::mem::replace(&mut self.place, Place::Gone) {
            Place::Heap(buffer) => wipe_aside(buffer),
            Place::Arena(part) => {
                // Whoever drops the elements has a lease, or is the arena's own thread.
                let Some(mut lease) = part.lease() else { return };
                if lease.as_slice().len() <= WIPED_HERE_BYTES_MAX {
                    return nalloc::wipe(lease.elements_mut());
                }
                line::run_aside(move || nalloc::wipe(lease.elements_mut()));
            }
            Place::Gone => {}
        }
    }
}

/// Overwrites and frees elements, many of them on a thread of the pool.
pub fn wipe_aside(mut buffer: HeapBuffer<Fr>) {
    if size_of_val::<[Fr]>(&buffer) <= WIPED_HERE_BYTES_MAX {
        return buffer.wipe();
    }
    line::run_aside(move || {
        buffer.wipe();
        drop(buffer);
        // Whoever waits for memory may find it now.
        line::advance();
    });
}

/// Elements that nobody changes while this is there.
pub struct Shared {
    // Dropped in this order: what is overwritten is leased.
    elements: Arc<Elements>,
    lease: Option<Lease>,
}

impl Deref for Shared {
    type Target = [Fr];

    fn deref(&self) -> &[Fr] {
        match (&self.elements.place, &self.lease) {
            (Place::Heap(buffer), _) => buffer,
            (_, Some(lease)) => lease.elements(),
            _ => &[],
        }
    }
}

/// Elements that nobody else has while this is there.
pub struct Exclusive {
    slot: Arc<Slot>,
    elements: Option<Elements>,
    lease: Option<Lease>,
    /// Whether they are half changed, and so of no use.
    is_changing: bool,
}

impl Exclusive {
    /// Runs `change`; what it leaves behind when it fails, or unwinds, is made zero.
    pub fn change<R, E>(
        &mut self,
        change: impl FnOnce(&mut [Fr]) -> std::result::Result<R, E>,
    ) -> std::result::Result<R, E> {
        self.is_changing = true;
        let result = change(self);
        self.is_changing = result.is_err();
        result
    }
}

impl Deref for Exclusive {
    type Target = [Fr];

    fn deref(&self) -> &[Fr] {
        match (&self.elements, &self.lease) {
            (Some(Elements { place: Place::Heap(buffer), .. }), _) => buffer,
            (_, Some(lease)) => lease.elements(),
            _ => &[],
        }
    }
}

impl DerefMut for Exclusive {
    fn deref_mut(&mut self) -> &mut [Fr] {
        match (&mut self.elements, &mut self.lease) {
            (Some(Elements { place: Place::Heap(buffer), .. }), _) => buffer,
            (_, Some(lease)) => lease.elements_mut(),
            _ => &mut [],
        }
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        if self.is_changing {
            self.fill(Fr::ZERO);
        }
        let Some(elements) = self.elements.take() else { return };
        let mut state = self.slot.state();
        match *state {
            State::Taken => *state = State::Free(Arc::new(elements)),
            State::Disposed { is_wiped } => {
                // Relaxed: under the lock.
                elements.is_wiped.fetch_or(is_wiped, Ordering::Relaxed);
                drop(state);
                drop(elements);
            }
            State::Free(_) => unreachable!("elements were in two places"),
        }
    }
}

enum State {
    Free(Arc<Elements>),
    Taken,
    Disposed {
        /// Whether elements in an arena are overwritten by who has them.
        is_wiped: bool,
    },
}

struct Slot {
    state: Mutex<State>,
    len: usize,
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        // A state is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Elements of the scalar field in native memory. Jobs that use it keep it alive beyond
/// `dispose()`.
#[napi]
pub struct FrVectorHandle {
    slot: Arc<Slot>,
}

impl FrVectorHandle {
    fn new(place: Place, len: usize) -> Self {
        let is_wiped = AtomicBool::new(matches!(place, Place::Heap(_)));
        let state = State::Free(Arc::new(Elements { place, is_wiped }));
        Self { slot: Arc::new(Slot { state: Mutex::new(state), len }) }
    }

    /// A vector of what `buffer` has.
    pub fn of(buffer: HeapBuffer<Fr>) -> Self {
        let len = buffer.len();
        Self::new(Place::Heap(buffer), len)
    }

    /// How many elements it has, or had.
    pub fn len(&self) -> usize {
        self.slot.len
    }

    /// The elements, for reading: beside others who read.
    pub fn share(&self) -> Result<Shared> {
        match &*self.slot.state() {
            State::Free(elements) => {
                Ok(Shared { elements: Arc::clone(elements), lease: elements.lease()? })
            }
            State::Taken => Err(busy("no call in progress that changes it").into()),
            State::Disposed { .. } => Err(Failure::disposed("vector").into()),
        }
    }

    /// The elements, for changing them.
    pub fn take(&self) -> Result<Exclusive> {
        let mut state = self.slot.state();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Free(elements) => {
                let lease = match elements.lease() {
                    Ok(lease) => lease,
                    Err(failure) => {
                        *state = State::Free(elements);
                        return Err(failure.into());
                    }
                };
                match Arc::try_unwrap(elements) {
                    Ok(elements) => {
                        let slot = Arc::clone(&self.slot);
                        Ok(Exclusive { slot, elements: Some(elements), lease, is_changing: false })
                    }
                    Err(elements) => {
                        *state = State::Free(elements);
                        Err(busy("no call in progress that reads it, to change it").into())
                    }
                }
            }
            State::Taken => Err(busy("no call in progress that changes it").into()),
            State::Disposed { is_wiped } => {
                *state = State::Disposed { is_wiped };
                Err(Failure::disposed("vector").into())
            }
        }
    }
}

fn busy(expected: &str) -> Failure {
    Failure::new(BUSY, format!("vector: expected {expected}, got one. Await it first"))
}

/// How many elements, of a number that TypeScript has checked, where there is memory for them.
fn admitted(len: u32) -> std::result::Result<usize, Failure> {
    let len = usize::try_from(len.min(LEN_MAX)).unwrap_or(usize::MAX);
    limit::admit(WHAT, bytes_of(len))?;
    Ok(len)
}

/// Bytes of so many elements.
pub fn bytes_of(len: usize) -> u64 {
    number::wide(len.saturating_mul(ELEMENT_BYTES))
}

#[napi]
impl FrVectorHandle {
    /// `length` zeros on the heap; many of them from pages that nobody has touched, because to clear
    /// warm ones would hold the event loop. Throws `ERR_LIMIT`, `ERR_NO_MEMORY`.
    #[napi(factory, catch_unwind)]
    pub fn zeroed(length: u32) -> Result<Self> {
        let len = admitted(length)?;
        let is_cleared_here = bytes_of(len) <= CLEARED_HERE_BYTES_MAX;
        let make = if is_cleared_here { HeapBuffer::zeroed } else { HeapBuffer::untouched };
        Ok(Self::of(make(len).map_err(Failure::from)?))
    }

    /// What lies in these bytes of an arena, which nobody else was given: they are elements in
    /// Montgomery form, or zeros. The caller knows whether the arena was reset.
    #[napi(factory, catch_unwind)]
    pub fn in_arena(bytes: Uint8ArraySlice<'_>) -> Result<Self> {
        let part = Part::of(&bytes).ok_or_else(|| {
            Failure::new(INVALID_ARG, "bytes: expected some of an arena, got others")
        })?;
        Ok(Self::new(Place::Arena(part), bytes.len() / ELEMENT_BYTES))
    }

    /// How many elements it has, or had.
    #[napi(getter, catch_unwind)]
    #[must_use]
    pub fn length(&self) -> f64 {
        number::from_usize(self.slot.len)
    }

    /// An element. Throws `ERR_BUSY` while a job changes it, `ERR_DISPOSED`.
    #[napi(catch_unwind)]
    pub fn at(&self, index: u32) -> Result<BigInt> {
        let elements = self.share()?;
        let element = usize::try_from(index).ok().and_then(|index| elements.get(index));
        let element = element.ok_or_else(|| beyond(elements.len()))?;
        Ok(BigInt { sign_bit: false, words: element.to_plain().to_vec() })
    }

    /// Copies `bytes.length / 32` plain little-endian numbers to the elements from `index` on.
    /// Throws `ERR_BUSY` while a job uses it, `ERR_NON_CANONICAL` for a number of r or more, whose
    /// index the message names; `ERR_DISPOSED`.
    #[napi(catch_unwind)]
    pub fn write(&self, index: u32, bytes: Uint8ArraySlice<'_>) -> Result<()> {
        let mut elements = self.take()?;
        let start = usize::try_from(index).unwrap_or(usize::MAX);
        let (numbers, rest) = bytes.as_chunks::<ELEMENT_BYTES>();
        let len = elements.len();
        let room = elements.get_mut(start..).and_then(|room| room.get_mut(..numbers.len()));
        let room = room.filter(|_| rest.is_empty()).ok_or_else(|| beyond(len))?;
        for (at, (element, number)) in room.iter_mut().zip(numbers).enumerate() {
            *element = Fr::from_le_bytes(number).ok_or_else(|| non_canonical(start + at))?;
        }
        Ok(())
    }

    /// Reads it while nobody changes it. Throws `ERR_BUSY`, `ERR_DISPOSED`.
    #[napi(catch_unwind)]
    pub fn reader(&self) -> Result<FrVectorReader> {
        Ok(FrVectorReader { elements: Some(self.share()?) })
    }

    /// Resolves to a vector of the elements from `start` to `end`. Rejects with `ERR_LIMIT`,
    /// `ERR_NO_MEMORY`; throws `ERR_BUSY`, `ERR_DISPOSED`.
    #[napi(catch_unwind, ts_return_type = "Promise<FrVectorHandle>")]
    pub fn slice<'env>(
        &self,
        env: &'env Env,
        start: u32,
        end: u32,
        task: &Task,
    ) -> Result<PromiseRaw<'env, FrVectorHandle>> {
        let elements = self.share()?;
        let [start, end] = [start, end].map(|index| usize::try_from(index).unwrap_or(usize::MAX));
        if start > end || end > elements.len() {
            return Err(beyond(elements.len()).into());
        }
        let computation = Computation {
            what: WHAT,
            needed_bytes: bytes_of(end - start),
            memory_limit_bytes: None,
        };
        let copy =
            move |_: &TaskState, _: &Grant| Ok(HeapBuffer::from_slice(&elements[start..end])?);
        computation.start(env, task, copy, FrVectorHandle::of)
    }

    /// True after `dispose()`.
    #[napi(getter, catch_unwind)]
    #[must_use]
    pub fn is_disposed(&self) -> bool {
        matches!(*self.slot.state(), State::Disposed { .. })
    }

    /// Overwrites and frees the elements as soon as no job uses them; with `isOwn` also those in an
    /// arena, which the caller then still has.
    #[napi(catch_unwind)]
    pub fn dispose(&self, is_own: bool) {
        let mut state = self.slot.state();
        if matches!(*state, State::Disposed { .. }) {
            return;
        }
        let before = std::mem::replace(&mut *state, State::Disposed { is_wiped: is_own });
        drop(state);
        if let State::Free(elements) = before {
            // Relaxed: the last one who drops it sees it by the count of the `Arc`.
            elements.is_wiped.fetch_or(is_own, Ordering::Relaxed);
        }
    }
}

/// What is being read piece by piece.
#[napi]
pub struct FrVectorReader {
    elements: Option<Shared>,
}

#[napi]
impl FrVectorReader {
    /// Fills `out` with the elements from `index` on, plain and little-endian.
    #[napi(catch_unwind)]
    pub fn read(&self, index: u32, mut out: Uint8ArraySlice<'_>) -> Result<()> {
        let elements = self.elements.as_ref().ok_or_else(|| Failure::disposed("vector"))?;
        let start = usize::try_from(index).unwrap_or(usize::MAX);
        // SAFETY: JavaScript's thread is in this call, and nobody else here has the bytes.
        let (numbers, _) = unsafe { out.as_mut() }.as_chunks_mut::<ELEMENT_BYTES>();
        let wanted = elements.get(start..).and_then(|rest| rest.get(..numbers.len()));
        for (number, element) in
            numbers.iter_mut().zip(wanted.ok_or_else(|| beyond(elements.len()))?)
        {
            *number = element.to_le_bytes();
        }
        Ok(())
    }

    /// Others may change it again.
    #[napi(catch_unwind)]
    pub fn dispose(&mut self) {
        self.elements = None;
    }
}

/// Makes a vector of `length` zeros on a thread of the pool, every page touched: what the system
/// needs to find memory is then not the event loop's time. Rejects with `ERR_LIMIT`,
/// `ERR_NO_MEMORY`.
#[napi(catch_unwind, ts_return_type = "Promise<FrVectorHandle>")]
pub fn make_fr_vector<'env>(
    env: &'env Env,
    length: u32,
    task: &Task,
) -> Result<PromiseRaw<'env, FrVectorHandle>> {
    task.start(
        env,
        Turn::AtOnce,
        move |_, _| {
            let mut buffer = HeapBuffer::zeroed(admitted(length)?)?;
            for page in buffer.chunks_mut(PAGE_ELEMENTS_MIN) {
                page[0] = std::hint::black_box(Fr::ZERO);
            }
            Ok(buffer)
        },
        FrVectorHandle::of,
    )
}

fn beyond(len: usize) -> Failure {
    let message = format!("vector: expected elements below {len}, got some beyond");
    Failure::new(INVALID_ARG, message)
}

/// Shows no value: it may be secret.
fn non_canonical(index: usize) -> Failure {
    let message = format!("elements[{index}]: expected a number below r, got one at or above it");
    Failure::new(NON_CANONICAL, message)
}
