//! The points of one section that count: those at infinity add nothing to a sum, and are dropped
//! when a key is opened, unless they are very few. A third of the points of A and two thirds of
//! those of B are such, where wires are bits.

use nalloc::Arena;
use nalloc_bn254::curve::CurveField;
use nalloc_bn254::file::{index, wide};
use nalloc_bn254::{
    Affine, FixedBases, FixedPlan, HeapBuffer, Jacobian, Observer, Pool, TableLimits,
    msm_scratch_bytes,
};

use crate::error::Error;

/// Scalars that one task chooses.
const SCALARS_PER_TASK: usize = 4096;
/// Bytes of the number of one point.
const INDEX_BYTES: usize = size_of::<u32>();
/// What an arena may lose to the placement of one array.
const ARRAY_SLACK_BYTES: usize = 3 * 4096;

/// The points of a section as they were read, with hardly any at infinity among them.
pub(crate) struct Points<F> {
    points: HeapBuffer<Affine<F>>,
    /// Of each point, which scalar is its own; none where it has the same index.
    scalars: Option<HeapBuffer<u32>>,
}

impl<F: CurveField> Points<F> {
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

    /// What a sum of them costs, in additions of G1, more or less.
    pub(crate) fn weight(&self) -> u64 {
        // An addition in G2 costs about three in G1.
        let of_point = if F::HAS_COFACTOR { 3 } else { 1 };
        of_point * wide(self.points.len())
    }

    /// With a table of at most `bytes_max` bytes, where one pays.
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Cancelled`].
    pub(crate) fn with_table(
        self,
        bytes_max: u64,
        pool: &Pool,
        observer: &dyn Observer,
    ) -> Result<Bases<F>, Error> {
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        let limits = TableLimits { threads: pool.thread_count(), bytes_max };
        let plan = FixedPlan::new(self.points.len(), limits);
        let fixed = FixedBases::new(self.points, plan, pool, observer)?;
        Ok(Bases { fixed, scalars: self.scalars })
    }
}

/// What the scalars of a proof are multiplied with.
pub(crate) struct Bases<F> {
    fixed: FixedBases<F>,
    /// As in [`Points`].
    scalars: Option<HeapBuffer<u32>>,
}

impl<F: CurveField> Bases<F> {
    /// How many points there are.
    pub(crate) fn len(&self) -> usize {
        self.fixed.points().len()
    }

    /// Bytes of their table.
    pub(crate) fn table_bytes(&self) -> u64 {
        wide(self.fixed.plan().table_bytes())
    }

    /// Bytes of the points, their numbers and their table.
    pub(crate) fn bytes(&self) -> u64 {
        let numbers = self.scalars.as_deref().map_or(0, size_of_val::<[u32]>);
        wide(size_of_val(self.fixed.points()) + numbers) + self.table_bytes()
    }

    /// The most bytes that [`sum`](Self::sum) takes from its arena on `threads` threads.
    pub(crate) fn sum_bytes(&self, threads: usize) -> usize {
        chosen_bytes(self.len()).saturating_add(self.fixed.plan().scratch_bytes(threads))
    }

    /// The sum of scalar k times point k over all points that there were.
    ///
    /// # Errors
    /// [`Error::Memory`] where there are fewer than [`sum_bytes`](Self::sum_bytes) in `scratch`,
    /// [`Error::Cancelled`].
    pub(crate) fn sum(
        &self,
        scalars: &[[u64; 4]],
        pool: &Pool,
        scratch: &Arena,
        observer: &dyn Observer,
    ) -> Result<Jacobian<F>, Error> {
        let Some(numbers) = &self.scalars else {
            return Ok(self.fixed.msm(scalars, pool, scratch, observer)?);
        };
        let chosen = scratch.try_alloc_array::<[u64; 4]>(numbers.len())?;
        pool.for_each_chunk_mut(chosen, SCALARS_PER_TASK, |start, chosen| {
            for (scalar, &number) in chosen.iter_mut().zip(&numbers[start..]) {
                *scalar = scalars[index(number)];
            }
        });
        Ok(self.fixed.msm(chosen, pool, scratch, observer)?)
    }
}

/// The most bytes that a sum of `points` points without a table takes from its arena on `threads`
/// threads.
pub(crate) fn sum_bytes<F: CurveField>(points: usize, threads: usize) -> usize {
    chosen_bytes(points).saturating_add(msm_scratch_bytes::<F>(points, threads))
}

fn chosen_bytes(points: usize) -> usize {
    size_of::<[u64; 4]>().saturating_mul(points).saturating_add(ARRAY_SLACK_BYTES)
}
