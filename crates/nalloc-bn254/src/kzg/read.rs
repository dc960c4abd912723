//! An SRS from a file: what the readers of all layouts share.
//!
//! The file is read by position and in pieces, each of which is checked before the next one is
//! read: no byte is looked at but of the points that were asked for, and no more memory is taken than
//! theirs, one piece's, and what the checks of [`Srs`] need. A caller's limit is held against that
//! before anything is read.

use crate::buffer::HeapBuffer;
use crate::curve::{Affine, G1Affine, G2Affine, PointError};
use crate::encoding::{Coordinate, Encoding};
use crate::error::Error;
use crate::field::{Field, Fq, Fr};
use crate::file::{FileError, Place, Section, Source, Spot, wide};
use crate::msm::msm_scratch_bytes;
use crate::ntt::{OddPoints, scratch_bytes};
use crate::observer::Observer;
use crate::pool::Pool;

use super::lagrange::{computing_bytes, lagrange_points};
use super::srs::{Srs, SrsPoints};

/// What the observer sees while points are read.
const PHASE: &str = "load";
/// Points of a piece: 1 MiB, some milliseconds of reading and checking.
const POINTS_PER_PIECE: usize = 1 << 14;
/// Points that one task checks.
const CHECKED_PER_TASK: usize = 1024;

/// What an arena may take more than it was asked for.
const ARENA_SLACK_DIVISOR: usize = 32;
const ARENA_SLACK_BYTES: usize = 64 << 10;

/// How an SRS is read.
#[derive(Clone, Copy)]
pub struct SrsOptions<'a> {
    /// Threads that check the points.
    pub pool: &'a Pool,
    /// Sees the phases "load" and "msm", "lagrange" where Lagrange points are computed, and may
    /// stop each of them.
    pub observer: &'a dyn Observer,
    /// The highest degree that will be committed to, at least 1: one power more is read.
    pub degree_max: usize,
    /// log2 of the domain whose Lagrange points are wanted too, where they are. A prepared .ptau
    /// has them; otherwise they are computed by n / 2 log n multiplications of points, which is
    /// slow: 2^12 of them take 2.5 s on one thread and 1.7 s on two (2-core Zen 5, 2026-11-22).
    pub lagrange_log2: Option<u32>,
    /// Refuse with [`Error::MemoryLimit`] when reading needs more bytes.
    pub memory_limit_bytes: Option<usize>,
    /// What messages call the file.
    pub name: &'a str,
}

impl SrsOptions<'_> {
    /// Powers that are read.
    pub(super) fn powers(&self) -> usize {
        self.degree_max.saturating_add(1)
    }

    /// Lagrange points that are wanted.
    fn lagrange(&self) -> Option<usize> {
        self.lagrange_log2.map(|log2| 1 << log2)
    }

    /// Looks at the options alone.
    ///
    /// # Errors
    /// [`Error::DomainTooLarge`], [`Error::LengthMismatch`] for a domain above the powers.
    pub(super) fn check(&self) -> Result<(), Error> {
        let Some(log2) = self.lagrange_log2 else { return Ok(()) };
        if log2 > Fr::TWO_ADICITY {
            return Err(Error::DomainTooLarge { log2, log2_max: Fr::TWO_ADICITY });
        }
        let (got, powers) = (1 << log2, self.powers());
        if got > powers {
            let expected = 1 << powers.ilog2();
            return Err(Error::LengthMismatch { what: "Lagrange points", expected, got });
        }
        Ok(())
    }

    /// Refuses what needs more memory than the caller allows: powers and Lagrange points, and the
    /// greatest of what reading and the checks need beside them.
    ///
    /// # Errors
    /// [`Error::MemoryLimit`].
    pub(super) fn check_memory(&self) -> Result<(), Error> {
        let Some(limit) = self.memory_limit_bytes else { return Ok(()) };
        let threads = self.pool.thread_count();
        let (powers, lagrange) = (self.powers(), self.lagrange().unwrap_or(0));
        let of = |count: usize, bytes: usize| count.saturating_mul(bytes);
        let points = of(powers.saturating_add(lagrange), G1Affine::BYTES);
        let scalar = size_of::<Fr>();
        let sum = |count: usize| {
            let scratch = msm_scratch_bytes::<Fq>(count, threads);
            of(count, scalar).saturating_add(arena_bytes(scratch))
        };
        let mut beside = [of(POINTS_PER_PIECE, G1Affine::BYTES), sum(powers), 0, 0];
        if let Some(log2) = self.lagrange_log2 {
            let tables = OddPoints::<Fr>::table_bytes(log2);
            let transform = arena_bytes(scratch_bytes(log2, threads)).saturating_add(tables);
            beside[2] =
                sum(lagrange).saturating_add(of(lagrange, scalar)).saturating_add(transform);
            beside[3] = computing_bytes(lagrange);
        }
        let needed = points.saturating_add(beside.into_iter().max().unwrap_or(0));
        if needed > limit { Err(Error::MemoryLimit { needed, limit }) } else { Ok(()) }
    }
}

/// What an arena of so many bytes takes: up to a thirty-second more, and whole pages of 64 KiB.
fn arena_bytes(capacity: usize) -> usize {
    capacity.saturating_add(capacity / ARENA_SLACK_DIVISOR).saturating_add(ARENA_SLACK_BYTES)
}

/// Points that follow each other in a file.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) source: &'a dyn Source,
    /// The section that they are in; none in a flat file.
    pub(super) section: Option<Section>,
    /// Position of the first one in the file.
    pub(super) offset: u64,
    pub(super) encoding: Encoding,
    /// What messages call one of them.
    pub(super) what: &'static str,
}

impl Run<'_> {
    /// Where point `index` stands.
    pub(super) fn place<F: Coordinate>(&self, index: usize) -> Place {
        let at = wide(index).saturating_mul(wide(self.encoding.point_bytes::<F>()));
        let offset = self.offset.saturating_add(at);
        let spot = match self.section {
            Some(Section { id, .. }) => Spot::Section { id, offset },
            None => Spot::Byte(offset),
        };
        Place { file: self.source.name().to_owned(), spot }
    }

    /// Point `index`, which the caller knows to be there.
    ///
    /// # Errors
    /// What reading can give, and what is wrong with the point, infinity included.
    pub(super) fn point<F: Coordinate>(&self, index: usize) -> Result<Affine<F>, Error> {
        let mut bytes = vec![0; self.encoding.point_bytes::<F>()];
        let at = wide(index).saturating_mul(wide(bytes.len()));
        self.source.read_at(self.offset.saturating_add(at), &mut bytes)?;
        let read = self.encoding.read_point(&bytes);
        let finite =
            read.and_then(
                |point: Affine<F>| {
                    if point.is_infinity() { Err(PointError::Infinity) } else { Ok(point) }
                },
            );
        Ok(finite.map_err(|reason| self.refused::<F>(index, reason))?)
    }

    /// Reads points into `out` from the first on; none may be infinity.
    ///
    /// # Errors
    /// What reading can give; the first point that is wrong; [`Error::Cancelled`].
    pub(super) fn read_into(
        &self,
        out: &mut [G1Affine],
        options: &SrsOptions<'_>,
    ) -> Result<(), Error> {
        let (size, total) = (self.encoding.point_bytes::<Fq>(), wide(out.len()));
        let mut bytes = HeapBuffer::<u8>::zeroed(out.len().min(POINTS_PER_PIECE) * size)?;
        let mut done = 0;
        for points in out.chunks_mut(POINTS_PER_PIECE) {
            if options.observer.is_cancelled() {
                return Err(Error::Cancelled);
            }
            options.observer.progress(PHASE, wide(done), total);
            let bytes = &mut bytes[..points.len() * size];
            self.source.read_at(self.offset + wide(done) * wide(size), bytes)?;
            let read = self.encoding.read_points(bytes, points, options.pool);
            read.map_err(|error| self.named(done, error))?;
            let infinite = options.pool.find_first(points, CHECKED_PER_TASK, |first, points| {
                points.iter().position(G1Affine::is_infinity).map(|index| first + index)
            });
            if let Some(index) = infinite {
                return Err(self.refused::<Fq>(done + index, PointError::Infinity).into());
            }
            done += points.len();
        }
        options.observer.progress(PHASE, total, total);
        Ok(())
    }

    /// An error of points of which the first is `start`, with its place.
    fn named(&self, start: usize, error: Error) -> Error {
        match error {
            Error::Point { index, reason } => self.refused::<Fq>(start + index, reason).into(),
            other => other,
        }
    }

    fn refused<F: Coordinate>(&self, index: usize, reason: PointError) -> FileError {
        let what = format!("{} {index}", self.what);
        FileError::of_point(reason, self.place::<F>(index), what)
    }
}

/// What was read, and where, for messages about points that do not fit each other.
pub(super) struct Read<'a> {
    pub(super) powers: HeapBuffer<G1Affine>,
    /// What stands before the first power of the run: 1 where the file leaves the generator out.
    pub(super) powers_run: (Run<'a>, usize),
    pub(super) lagrange: Option<(HeapBuffer<G1Affine>, Run<'a>)>,
    pub(super) tau_g2: G2Affine,
}

impl Read<'_> {
    /// The SRS of what was read, with Lagrange points that are computed where there are none.
    ///
    /// # Errors
    /// Those of [`Srs::from_points`], of points with their place.
    pub(super) fn finish(self, options: &SrsOptions<'_>) -> Result<Srs, Error> {
        let Self { powers, powers_run: (run, left_out), lagrange, tau_g2 } = self;
        let (lagrange, lagrange_run) = lagrange.unzip();
        let lagrange = match (lagrange, options.lagrange()) {
            (None, Some(len)) => {
                let some = powers.get(..len).unwrap_or_default();
                Some(lagrange_points(some, options.pool, options.observer)?)
            }
            (lagrange, _) => lagrange,
        };
        let points = SrsPoints { powers, lagrange, tau_g2 };
        Srs::from_points(points, options.pool, options.observer).map_err(|error| match error {
            Error::SrsPointRefused { what, index } => {
                let run = if what == super::srs::POWER { Some(run) } else { lagrange_run };
                let Some(run) = run else { return Error::SrsPointRefused { what, index } };
                let in_file = if what == super::srs::POWER { index - left_out } else { index };
                let (place, what) = (run.place::<Fq>(in_file), format!("{what} {index}"));
                FileError::BadSrs { place, what }.into()
            }
            other => other,
        })
    }
}

/// Refuses the file of a ceremony to which nobody contributed.
///
/// # Errors
/// [`FileError::InsecureSrs`].
pub(super) fn check_contributions(
    source: &dyn Source,
    powers: &[G1Affine],
    tau_g2: &G2Affine,
) -> Result<(), FileError> {
    if powers.get(1) == Some(&G1Affine::GENERATOR) && *tau_g2 == G2Affine::GENERATOR {
        return Err(FileError::InsecureSrs { file: source.name().to_owned() });
    }
    Ok(())
}
