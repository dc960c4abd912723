//! A transform in three sweeps over memory, where two would need tiles beyond the caches.
//!
//! N = 16 m, m = na * nb, i = i0 + 16 i', k = k' + m k0, and within the m-point transforms of the
//! sixteen columns i0, which run in two sweeps with eight columns in the lanes:
//! i' = ia nb + ib, k' = ka + na kb.
//!
//! ```text
//! outer  na points over ia, in place, times scale * shift^(16 ib) * w^(16 ib ka)
//! inner  nb points over ib, times w^(i0 na kb), times w^(i0 ka) * shift^i0 -> scratch
//! rows   16 points over i0, as the second sweep of four_step
//! ```
//!
//! No table grows with N: the outer factors of a tile are powers, made as it is worked on by one
//! multiplication for eight of them. Cost: that of `four_step`, and one multiplication for each
//! value more; each sweep reads and writes every value once.

use core::marker::PhantomData;
use core::ops::RangeInclusive;

use super::four_step::{Direction, FourStep, bit_reversed_roots, coset_roots, streams_past_caches};
use super::work::{Desk, Lengths, Sweep, Work};
use crate::arch::constants::{Factor, times_2_to_260};
use crate::arch::lanes::{Elements, LANES, Lanes};
use crate::arch::slab::{InnerBlock, OuterBlock, Place};
use crate::arch::sweep::{Pieces, RowBlock};
use crate::arch::tile::{self, Roots};
use crate::arch::vector::PowerRows;
use crate::buffer::HeapBuffer;
use crate::error::Error;
use crate::field::{Field, Modulus, Montgomery};

/// log2 of the columns.
const LOG2_COLUMNS: u32 = tile::LOG2_MIN;
/// Pieces that hold one value of each column.
const HALVES: usize = (1 << LOG2_COLUMNS) / LANES;
/// Of these sizes; smaller ones, down to 2^14, only in tests.
pub(crate) const LOG2: RangeInclusive<u32> =
    2 * tile::LOG2_MAX + 1..=2 * tile::LOG2_MAX + LOG2_COLUMNS;

/// log2 of na and nb.
fn shape(log2: u32) -> (u32, u32) {
    let outer = (log2 - LOG2_COLUMNS) / 2;
    (outer, log2 - LOG2_COLUMNS - outer)
}

pub(crate) fn lengths(log2: u32) -> Lengths {
    let (outer, inner) = shape(log2);
    let scratch = (1 << log2) / LANES;
    Lengths { scratch, tile: 1 << inner, factors: (1 << outer) / LANES }
}

/// Bytes of the tables of both directions, one of them on a coset.
pub(super) fn table_bytes(log2: u32) -> usize {
    let (outer, inner) = shape(log2);
    let factors = |log2: u32| size_of::<Factor>() << log2;
    let twists = HALVES * size_of::<Elements>() * ((1 << outer) + (1 << inner));
    2 * (factors(inner - 1) + twists) + factors(outer)
}

pub(crate) struct ThreeSweeps<L, M: Modulus> {
    lanes: L,
    log2: u32,
    direction: Direction<Montgomery<M>>,
    roots: HeapBuffer<Factor>,
    /// The outer transforms' own, where they are on a coset.
    coset_roots: Option<HeapBuffer<Factor>>,
    /// For each half of the columns and each kb: w^(i0 na kb) * 2^260.
    inner_twists: HeapBuffer<Elements>,
    /// For each ka and each half of the columns: w^(i0 ka) * shift^i0 * 2^260.
    row_twists: HeapBuffer<Elements>,
}

impl<L: Lanes, M: Modulus> ThreeSweeps<L, M> {
    /// The tables of 2^`log2` points.
    pub(crate) fn new(
        lanes: L,
        log2: u32,
        direction: &Direction<Montgomery<M>>,
    ) -> Result<Self, Error> {
        let (log2_outer, log2_inner) = shape(log2);
        let (na, nb) = (1usize << log2_outer, 1usize << log2_inner);
        let &Direction { root, shift, .. } = direction;
        let power = |base: Montgomery<M>, log2: u32| base.pow(&[1 << log2]);
        let roots = bit_reversed_roots(log2_inner, power(root, log2 - log2_inner))?;
        let coset_roots = if shift == Montgomery::ONE {
            None
        } else {
            let shift = power(shift, LOG2_COLUMNS + log2_inner);
            Some(coset_roots(log2_outer, power(root, log2 - log2_outer), shift)?)
        };
        let mut inner_twists = HeapBuffer::<Elements>::zeroed(HALVES * nb)?;
        let mut row_twists = HeapBuffer::<Elements>::zeroed(HALVES * na)?;
        let (mut step, mut start) = (Montgomery::ONE, Montgomery::ONE);
        for i0 in 0..HALVES * LANES {
            let (half, lane) = (i0 / LANES, i0 % LANES);
            let inner_step = power(step, log2_outer);
            let mut factor = Montgomery::ONE;
            for twist in &mut inner_twists[half * nb..][..nb] {
                twist[lane] = times_2_to_260(factor).to_plain();
                factor *= inner_step;
            }
            let mut factor = start;
            for ka in 0..na {
                row_twists[ka * HALVES + half][lane] = times_2_to_260(factor).to_plain();
                factor *= step;
            }
            step *= root;
            start *= shift;
        }
        let direction = *direction;
        Ok(Self { lanes, log2, direction, roots, coset_roots, inner_twists, row_twists })
    }

    /// The factors of outer block `ib`: start, start * ratio, ..
    fn outer_twists(&self, ib: usize, factors: &mut [Elements]) {
        let Direction { root, scale, shift } = self.direction;
        let exponent = (ib << LOG2_COLUMNS) as u64;
        let (ratio, mut power) = (root.pow(&[exponent]), scale * shift.pow(&[exponent]));
        let mut starts = [[[0; 4]; LANES]; 4];
        for start in starts.as_flattened_mut() {
            *start = times_2_to_260(power).to_plain();
            power *= ratio;
        }
        // 4 * 8 factors further.
        let step = (0..5).fold(ratio, |power, _| power.square());
        let step = [times_2_to_260(step).to_plain(); LANES];
        let modulus = PhantomData;
        self.lanes.call(PowerRows::<M> { starts, step, rows: factors, modulus });
    }

    fn sweeps(&self, values: &mut [Montgomery<M>], work: &mut Work<'_>) -> Result<(), Error> {
        let (log2_outer, log2_inner) = shape(self.log2);
        let (na, nb) = (1usize << log2_outer, 1usize << log2_inner);
        let values = Montgomery::as_elements_mut(values);
        debug_assert_eq!(values.len() * LANES, 1 << self.log2, "a transform of another length");
        let streams = streams_past_caches(self.log2, values);
        let scratch = Pieces::new(&mut work.scratch[..values.len()]);
        let plain = Roots::Plain(&self.roots);
        let outer_roots = self.coset_roots.as_ref().map_or(plain, |roots| Roots::Coset(roots));
        let values = Pieces::new(values);

        let outer = |ib: usize, next_ib: Option<usize>, desk: &mut Desk<'_>| {
            self.outer_twists(ib, desk.factors);
            for half in 0..HALVES {
                let place = |ib, half| Place { first: ib * HALVES + half, stride: nb * HALVES };
                let next = match half + 1 {
                    HALVES => next_ib.map(|ib| place(ib, 0)),
                    half => Some(place(ib, half)),
                };
                self.lanes.call(OuterBlock::<M> {
                    values,
                    place: place(ib, half),
                    next,
                    tile: desk.tile,
                    roots: outer_roots,
                    twists: desk.factors.as_flattened(),
                    modulus: PhantomData,
                });
            }
        };
        let inner = |block: usize, next: Option<usize>, desk: &mut Desk<'_>| {
            let place = |block: usize| {
                let (ka, half) = (block / HALVES, block % HALVES);
                Place { first: ka * nb * HALVES + half, stride: HALVES }
            };
            let half = block % HALVES;
            self.lanes.call(InnerBlock::<M> {
                values,
                place: place(block),
                next: next.map(place),
                tile: desk.tile,
                roots: plain,
                twists: &self.inner_twists[half * nb..][..nb],
                twist_of_row: &self.row_twists[block],
                scratch,
                output_first: block / HALVES,
                output_stride: na,
                run: HALVES * LANES,
                column_piece: half * LANES,
                modulus: PhantomData,
            });
        };
        let (n1, n2) = (na * nb, HALVES * LANES);
        let rows = |block: usize, next_block: Option<usize>, desk: &mut Desk<'_>| {
            self.lanes.call(RowBlock::<M> {
                scratch,
                run: n2,
                block,
                tile: desk.tile,
                roots: plain,
                output: values,
                streams,
                next_block,
                modulus: PhantomData,
            });
        };
        work.desks.run(&[
            Sweep { count: nb, tile_len: na, work: &outer },
            Sweep { count: na * HALVES, tile_len: nb, work: &inner },
            Sweep { count: n1 / LANES, tile_len: n2, work: &rows },
        ])
    }
}

impl<L: Lanes, M: Modulus> FourStep<Montgomery<M>> for ThreeSweeps<L, M> {
    fn run(&self, values: &mut [Montgomery<M>], work: &mut Work<'_>) -> Result<(), Error> {
        self.sweeps(values, work)
    }

    fn table_bytes(&self) -> usize {
        let coset_roots = self.coset_roots.as_ref().map_or(0, |roots| size_of_val::<[_]>(roots));
        let twists = size_of_val::<[_]>(&self.inner_twists) + size_of_val::<[_]>(&self.row_twists);
        size_of_val::<[_]>(&self.roots) + coset_roots + twists
    }
}
