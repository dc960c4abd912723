//! `SrsHandle`: the points of a ceremony in native memory, and where they come from.
//!
//! Worker threads share them by tickets (`share`), as they share keys.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use nalloc_bn254::{
    Fq2,
    encoding::Encoding,
    kzg::{FirstPower, RawLayout, Srs, SrsOptions},
};
use napi::{
    Env,
    bindgen_prelude::{PromiseRaw, Uint8ArraySlice},
};
use napi_derive::napi;

use crate::{
    compute::Computation,
    error::{Failure, INVALID_ARG, Result},
    file::{FileInput, Input, Source},
    limit::{Admission, Need},
    line::{Grant, Turn},
    number,
    points::{POINT_BYTES, wrong},
    share::{Shareable, Tickets},
    task::{Task, TaskState},
    transform::scalar,
    vector::ELEMENT_BYTES,
};

static TICKETS: Tickets<Srs> = Tickets::new("SRS");

/// Points of a ceremony in native memory. Jobs that use them keep them alive beyond `dispose()`.
#[napi]
pub struct SrsHandle {
    srs: Mutex<Option<Arc<Shareable<Srs>>>>,
    degree_max: usize,
}

impl SrsHandle {
    /// Points that were checked.
    pub fn of(srs: Srs) -> Self {
        Self::again(TICKETS.admit(srs))
    }

    fn again(srs: Arc<Shareable<Srs>>) -> Self {
        Self { degree_max: srs.degree_max(), srs: Mutex::new(Some(srs)) }
    }

    /// The points, for as long as the caller holds them.
    pub fn lease(&self) -> Result<Arc<Shareable<Srs>>> {
        self.slot().clone().ok_or_else(|| Failure::disposed("SRS").into())
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<Shareable<Srs>>>> {
        // A slot is whole between any two statements.
        self.srs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[napi]
impl SrsHandle {
    /// The highest degree of a polynomial that can be committed to.
    #[napi(getter, catch_unwind)]
    #[must_use]
    pub fn degree_max(&self) -> f64 {
        number::from_usize(self.degree_max)
    }

    /// A ticket for `sharedSrs`, which keeps nothing open. Throws `ERR_DISPOSED`.
    #[napi(catch_unwind)]
    pub fn share(&self) -> Result<String> {
        Ok(TICKETS.give(&self.lease()?)?)
    }

    /// True after `dispose()`.
    #[napi(getter, catch_unwind)]
    #[must_use]
    pub fn is_disposed(&self) -> bool {
        self.slot().is_none()
    }

    /// Frees the points as soon as no job uses them.
    #[napi(catch_unwind)]
    pub fn dispose(&self) {
        self.slot().take();
    }
}

/// Another handle of the points that a ticket of `share()` stands for, in any thread of this
/// process. Throws `ERR_DISPOSED` when no handle of them is left, `ERR_INVALID_ARG` for what is no
/// ticket.
#[napi(catch_unwind)]
pub fn shared_srs(ticket: String) -> Result<SrsHandle> {
    Ok(SrsHandle::again(TICKETS.redeem(&ticket)?))
}

/// Powers of a tau in 32 plain little-endian bytes, which the caller knows: up to that of
/// `degreeMax`, 1 at least. Rejects with `ERR_BAD_SRS` for a tau of zero.
#[napi(catch_unwind, ts_return_type = "Promise<SrsHandle>")]
pub fn unsafe_srs_for_tests<'env>(
    env: &'env Env,
    tau: Uint8ArraySlice<'_>,
    degree_max: u32,
    memory_limit_bytes: Option<f64>,
    task: &Task,
) -> Result<PromiseRaw<'env, SrsHandle>> {
    let tau = scalar("tau", &tau)?;
    let len = usize::try_from(degree_max).unwrap_or(usize::MAX).saturating_add(1);
    // The points, and a scalar for each while they are made.
    let bytes = len.saturating_mul(POINT_BYTES + ELEMENT_BYTES);
    let needed_bytes = number::wide(bytes);
    let computation = Computation { what: "the SRS", needed_bytes, memory_limit_bytes };
    let make = move |_: &TaskState, grant: &Grant| Ok(Srs::unsafe_for_tests(tau, len, grant.pool)?);
    computation.start(env, task, make, SrsHandle::of)
}

/// How an SRS is read.
#[napi(object)]
pub struct SrsSettings {
    /// The highest degree that will be committed to, at least 1.
    pub degree_max: u32,
    /// Refuse with `ERR_LIMIT` when reading needs more bytes.
    pub memory_limit_bytes: Option<f64>,
    /// How messages name the file.
    pub name: String,
}

/// What a flat file of points holds.
#[napi(object)]
pub struct RawSettings {
    /// How a point is written: the name of an encoding.
    pub encoding: String,
    /// Bytes before the first point.
    pub skip_bytes: f64,
    /// Whether the first point is tau times the generator, which is left out then.
    pub starts_with_tau: bool,
}

/// Reads the powers of tau in a .ptau file: a path, or bytes, which are copied before this returns
/// unless they lie in an arena or were copied already. Every point is checked.
#[napi(catch_unwind, ts_return_type = "Promise<SrsHandle>")]
pub fn open_ptau<'env>(
    env: &'env Env,
    source: Source<'_>,
    settings: SrsSettings,
    task: &Task,
) -> Result<PromiseRaw<'env, SrsHandle>> {
    open((env, source, settings, task), |input, options| match input {
        Input::Path(path) => Srs::read_ptau(Path::new(path), options),
        Input::Bytes(bytes) => Srs::from_ptau(bytes, options),
    })
}

/// Reads powers of tau from a flat file of points, with tau times the generator of G2 in the same
/// encoding; a source as for `openPtau`. Throws what is wrong with that point.
#[napi(catch_unwind, ts_return_type = "Promise<SrsHandle>")]
pub fn open_raw<'env>(
    env: &'env Env,
    source: Source<'_>,
    layout: RawSettings,
    tau_g2: Uint8ArraySlice<'_>,
    settings: SrsSettings,
    task: &Task,
) -> Result<PromiseRaw<'env, SrsHandle>> {
    let encoding = encoding_of(&layout.encoding)?;
    let expected = encoding.point_bytes::<Fq2>();
    if tau_g2.len() != expected {
        let message = format!("tauG2: expected {expected} bytes, got {}", tau_g2.len());
        return Err(Failure::new(INVALID_ARG, message).into());
    }
    let tau_g2 = encoding.read_point::<Fq2>(&tau_g2).map_err(|error| wrong("tauG2", error))?;
    let first = if layout.starts_with_tau { FirstPower::Tau } else { FirstPower::Generator };
    let skip_bytes = number::byte_limit(layout.skip_bytes);
    let layout = RawLayout { encoding, skip_bytes, first, tau_g2 };
    open((env, source, settings, task), move |input, options| match input {
        Input::Path(path) => Srs::read_raw(Path::new(path), &layout, options),
        Input::Bytes(bytes) => Srs::from_raw(bytes, &layout, options),
    })
}

fn encoding_of(name: &str) -> std::result::Result<Encoding, Failure> {
    Ok(match name {
        "arkworks" => Encoding::ArkUncompressed,
        "arkworks-compressed" => Encoding::ArkCompressed,
        "ethereum" => Encoding::Ethereum,
        "gnark-compressed" => Encoding::GnarkCompressed,
        "ignition" => Encoding::Ignition,
        "montgomery" => Encoding::Montgomery,
        _ => {
            let message = format!("encoding: expected the name of one, got {name:?}");
            return Err(Failure::new(INVALID_ARG, message));
        }
    })
}

/// What a call of one of both gave.
type OpenCall<'env, 'a> = (&'env Env, Source<'a>, SrsSettings, &'a Task);

/// Reads an SRS in a job.
fn open<'env>(
    (env, source, settings, task): OpenCall<'env, '_>,
    read: impl FnOnce(Input<'_>, &SrsOptions<'_>) -> std::result::Result<Srs, nalloc_bn254::Error>
    + Send
    + 'static,
) -> Result<PromiseRaw<'env, SrsHandle>> {
    let source = FileInput::of(source)?;
    task.start(
        env,
        Turn::InLine(Need::Unknown),
        move |state, grant| {
            let admission = Admission::new(settings.memory_limit_bytes, 0, grant.room);
            let options = SrsOptions {
                pool: grant.pool,
                observer: state,
                degree_max: usize::try_from(settings.degree_max).unwrap_or(usize::MAX),
                lagrange_log2: None,
                memory_limit_bytes: admission
                    .bytes_max()
                    .map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
                name: &settings.name,
            };
            Ok(source.with(|input| read(input, &options))?)
        },
        SrsHandle::of,
    )
}
