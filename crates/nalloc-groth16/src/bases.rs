//! The points of one section that count: those at infinity add nothing to a sum, and are dropped
//! when a key is opened, unless they are very few. A third of the points of A and two thirds of those of B are such, where
//! wires are bits.

use nalloc::Arena;
use nalloc_bn254::curve::CurveField;
use nalloc_bn254::{Affine, HeapBuffer, Jacobian, Observer, Pool, msm, msm_scratch_bytes};

use crate::error::Error;
use crate::units::{index, wide};

/// Scalars that one task chooses.
const SCALARS_PER_TASK: usize = 4096;
/// Bytes of the number of one point.
const INDEX_BYTES: usize = size_of::<u32>();
/// What an arena may lose to the placement of one array.
const ARRAY_SLACK_BYTES: usize = 3 * 4096;

/// Points, with hardly any at infinity among them.
pub(crate) struct Bases<F> {
    points: HeapBuffer<Affine<F>>,
    /// Of each point, which scalar is its own; none where it has the same index.
    scalars: Option<HeapBuffer<u32>>,
}

impl<F: CurveField> Bases<F> {
    /// Drops what is infinity, where that saves more than the numbers of the others take.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(crate) fn new(all: HeapBuffer<Affine<F>>) -> Result<Self, Error> {
        let count = all.iter().filter(|point| !point.is_infinity()).count();
        if (all.len() - count) * size_of::<Affine<F>>() <= count * INDEX_BYTES {
            return Ok(Self { points: all, scalars: None });
        }
        let (mut points, mut scalars) = (HeapBuffer::zeroed(count)?, HeapBuffer::zeroed(count)?);
        let finite = (0..).zip(&*all).filter(|(_, point)| !point.is_infinity());
        for ((index, finite), (point, scalar)) in finite.zip(points.iter_mut().zip(&mut *scalars)) {
            (*point, *scalar) = (*finite, index);
        }
        Ok(Self { points, scalars: Some(scalars) })
    }

    /// How many points there are.
    pub(crate) fn len(&self) -> usize {
        self.points.len()
    }

    /// Bytes of the points and their numbers.
    pub(crate) fn bytes(&self) -> u64 {
        let numbers = self.scalars.as_deref().map_or(0, size_of_val::<[u32]>);
        wide(size_of_val(&*self.points) + numbers)
    }

    /// The sum of scalar k times point k over all points that there were.
    ///
    /// # Errors
    /// [`Error::Memory`] where there are fewer than [`sum_bytes`] in `scratch`,
    /// [`Error::Cancelled`].
    pub(crate) fn sum(
        &self,
        scalars: &[[u64; 4]],
        pool: &Pool,
        scratch: &Arena,
        observer: &dyn Observer,
    ) -> Result<Jacobian<F>, Error> {
        let Some(numbers) = &self.scalars else {
            return Ok(msm(&self.points, scalars, pool, scratch, observer)?);
        };
        let chosen = scratch.try_alloc_array::<[u64; 4]>(numbers.len())?;
        pool.for_each_chunk_mut(chosen, SCALARS_PER_TASK, |start, chosen| {
            for (scalar, &number) in chosen.iter_mut().zip(&numbers[start..]) {
                *scalar = scalars[index(number)];
            }
        });
        Ok(msm(&self.points, chosen, pool, scratch, observer)?)
    }
}

/// The most bytes that a sum of `points` points takes from its arena on `threads` threads.
pub(crate) fn sum_bytes<F: CurveField>(points: usize, threads: usize) -> usize {
    let chosen = size_of::<[u64; 4]>().saturating_mul(points).saturating_add(ARRAY_SLACK_BYTES);
    msm_scratch_bytes::<F>(points, threads).saturating_add(chosen)
}
