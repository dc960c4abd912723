//! `G1VectorHandle`: points of G1 in native memory. Nothing changes them once they are checked.

use std::{
    hint::black_box,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use nalloc_bn254::{Fq, G1Affine, HeapBuffer, Observer, PointError, curve::validate_points};
use napi::{
    Env,
    bindgen_prelude::{PromiseRaw, Uint8ArraySlice},
};
use napi_derive::napi;

use crate::{
    error::{BUSY, Code, Failure, INVALID_ARG, Result},
    limit,
    line::{Grant, Turn},
    number,
    task::{Task, TaskState},
};

/// Bytes of a point, in memory and outside.
pub const POINT_BYTES: usize = 64;
/// The smallest page of any machine, in points.
const PAGE_POINTS_MIN: usize = 4096 / POINT_BYTES;
/// Points between two questions whether to stop: some milliseconds on one thread.
const CHECKED_AT_ONCE: usize = 1 << 16;
/// The phase of the check.
const PHASE: &str = "check";

const _: () = assert!(size_of::<G1Affine>() == POINT_BYTES);

/// Points of G1 in native memory. Jobs that use them keep them alive beyond `dispose()`.
#[napi]
pub struct G1VectorHandle {
    points: Mutex<Option<Arc<HeapBuffer<G1Affine>>>>,
    len: usize,
}

impl G1VectorHandle {
    /// Points that are checked already.
    pub fn of(points: Arc<HeapBuffer<G1Affine>>) -> Self {
        Self { len: points.len(), points: Mutex::new(Some(points)) }
    }

    /// The points, for as long as the caller holds them.
    pub fn lease(&self) -> Result<Arc<HeapBuffer<G1Affine>>> {
        self.slot().clone().ok_or_else(|| disposed().into())
    }

    /// How many there are, or were.
    pub fn len(&self) -> usize {
        self.len
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<HeapBuffer<G1Affine>>>> {
        // A slot is whole between any two statements.
        self.points.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn disposed() -> Failure {
    Failure::disposed("points")
}

#[napi]
impl G1VectorHandle {
    /// How many there are, or were.
    #[napi(getter, catch_unwind)]
    #[must_use]
    pub fn length(&self) -> f64 {
        number::from_usize(self.len)
    }

    /// Copies `bytes.length / 64` points, x and y as plain little-endian numbers, to those from
    /// `index` on; zeros are infinity. Throws `ERR_NON_CANONICAL` for a coordinate of q or more.
    #[napi(catch_unwind)]
    pub fn write(&self, index: u32, bytes: Uint8ArraySlice<'_>) -> Result<()> {
        let mut slot = self.slot();
        let points = Arc::get_mut(slot.as_mut().ok_or_else(disposed)?)
            .ok_or_else(|| Failure::new(BUSY, "points: expected no call that reads them"))?;
        let start = usize::try_from(index).unwrap_or(usize::MAX);
        let (given, rest) = bytes.as_chunks::<POINT_BYTES>();
        let room = points.get_mut(start..).and_then(|room| room.get_mut(..given.len()));
        let room = room.filter(|_| rest.is_empty()).ok_or_else(beyond)?;
        for (at, (point, bytes)) in room.iter_mut().zip(given).enumerate() {
            *point = read_point(bytes).ok_or_else(|| {
                wrong(&format!("points[{}]", start + at), PointError::NonCanonical)
            })?;
        }
        Ok(())
    }

    /// Resolves when every point satisfies the curve's equation. Rejects with `ERR_NOT_ON_CURVE`,
    /// whose message names the first one that does not.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn check<'env>(&self, env: &'env Env, task: &Task) -> Result<PromiseRaw<'env, ()>> {
        let points = self.lease()?;
        let check = move |state: &TaskState, grant: &Grant| check(&points, state, grant);
        task.start(env, Turn::InLine(limit::Need::Bytes(0)), check, |()| ())
    }

    /// Another handle of the same points.
    #[napi(catch_unwind)]
    pub fn again(&self) -> Result<G1VectorHandle> {
        Ok(Self::of(self.lease()?))
    }

    /// Fills `out` with the points from `index` on, as `write` takes them.
    #[napi(catch_unwind)]
    pub fn read(&self, index: u32, mut out: Uint8ArraySlice<'_>) -> Result<()> {
        let points = self.lease()?;
        let start = usize::try_from(index).unwrap_or(usize::MAX);
        // SAFETY: JavaScript's thread is in this call, and nobody else here has the bytes.
        let (out, _) = unsafe { out.as_mut() }.as_chunks_mut::<POINT_BYTES>();
        let wanted = points.get(start..).and_then(|rest| rest.get(..out.len()));
        for (bytes, point) in out.iter_mut().zip(wanted.ok_or_else(beyond)?) {
            *bytes = write_point(point);
        }
        Ok(())
    }

    /// True after `dispose()`.
    #[napi(getter, catch_unwind)]
    #[must_use]
    pub fn is_disposed(&self) -> bool {
        self.slot().is_none()
    }

    /// Frees them as soon as no job uses them.
    #[napi(catch_unwind)]
    pub fn dispose(&self) {
        self.slot().take();
    }
}

/// Makes room for `length` points on a thread of the pool, every page touched; all are infinity.
/// Rejects with `ERR_LIMIT`, `ERR_NO_MEMORY`.
#[napi(catch_unwind, ts_return_type = "Promise<G1VectorHandle>")]
pub fn make_g1_vector<'env>(
    env: &'env Env,
    length: u32,
    task: &Task,
) -> Result<PromiseRaw<'env, G1VectorHandle>> {
    task.start(
        env,
        Turn::AtOnce,
        move |_, _| {
            let len = usize::try_from(length).unwrap_or(usize::MAX);
            limit::admit("the points", number::wide(len.saturating_mul(POINT_BYTES)))?;
            let mut points = HeapBuffer::<G1Affine>::zeroed(len)?;
            for page in points.chunks_mut(PAGE_POINTS_MIN) {
                page[0] = black_box(G1Affine::INFINITY);
            }
            Ok(Arc::new(points))
        },
        G1VectorHandle::of,
    )
}

fn check(
    points: &[G1Affine],
    state: &TaskState,
    grant: &Grant,
) -> std::result::Result<(), Failure> {
    for (part, points_of_part) in points.chunks(CHECKED_AT_ONCE).enumerate() {
        if state.is_cancelled() {
            return Err(Failure::cancelled());
        }
        let start = part * CHECKED_AT_ONCE;
        state.progress(PHASE, number::wide(start), number::wide(points.len()));
        validate_points(points_of_part, grant.pool)
            .map_err(|(index, error)| wrong(&format!("points[{}]", start + index), error))?;
    }
    Ok(())
}

fn beyond() -> Failure {
    Failure::new(INVALID_ARG, "points: expected some of the vector, got some beyond its end")
}

/// What is wrong with the point of this name.
pub fn wrong(name: &str, error: PointError) -> Failure {
    // It calls every point "point".
    let text = error.to_string();
    let reason = text.strip_prefix("point: ").unwrap_or(&text);
    Failure::new(Code(error.code()), format!("{name}: {reason}"))
}

/// x and y as plain little-endian numbers; none where one of them is not below q.
pub fn read_point(bytes: &[u8; POINT_BYTES]) -> Option<G1Affine> {
    let (x, y) = bytes.split_at(POINT_BYTES / 2);
    let coordinate = |bytes: &[u8]| Fq::from_le_bytes(bytes.try_into().ok()?);
    Some(G1Affine { x: coordinate(x)?, y: coordinate(y)? })
}

/// x and y as plain little-endian numbers; zeros for infinity.
pub fn write_point(point: &G1Affine) -> [u8; POINT_BYTES] {
    let mut bytes = [0; POINT_BYTES];
    bytes[..32].copy_from_slice(&point.x.to_le_bytes());
    bytes[32..].copy_from_slice(&point.y.to_le_bytes());
    bytes
}
