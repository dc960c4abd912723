//! The permutation between natural and bit-reversed order; it is its own inverse.
//!
//! An index is row, tile, column, four bits of row and column; its partner is column, tile, row,
//! each backwards. So the permutation exchanges whole tiles of 16 rows, turned over their diagonal.
//! A tile is read before anything is written: its rows lie at a distance of a power of two, and of
//! so many the caches keep few at once (2^20 on one thread: 8.6 -> 3.6 ms, Zen 5, 2026-11-21).

use core::marker::PhantomData;
use core::ops::Range;
use core::slice;

use crate::field::Field;
use crate::pool::Pool;

/// log2 of the side of a tile: rows of 512 bytes.
const LOG2_SIDE: u32 = 4;
const SIDE: usize = 1 << LOG2_SIDE;
/// Tiles that one task exchanges: about 20 microseconds.
const TILES_PER_TASK: usize = 32;

/// Numbers below 16, backwards.
const BACKWARDS: [usize; SIDE] = [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15];

/// Exchanges the elements whose indices are each other's bits read backwards.
///
/// The length must be a power of two.
pub(super) fn reverse_bits<F: Field>(values: &mut [F], pool: &Pool) {
    if let Some(tiles) = Tiles::of(values) {
        pool.for_each_range(tiles.count(), TILES_PER_TASK, |range| {
            // SAFETY: each number of a tile is in one range.
            unsafe { tiles.exchange_range(range) };
        });
    } else {
        exchange_each(values);
    }
}

/// As [`reverse_bits`], on this thread.
pub(super) fn reverse_bits_here<F: Field>(values: &mut [F]) {
    if let Some(tiles) = Tiles::of(values) {
        // SAFETY: there is one range.
        unsafe { tiles.exchange_range(0..tiles.count()) };
    } else {
        exchange_each(values);
    }
}

fn exchange_each<F: Field>(values: &mut [F]) {
    let log2 = values.len().ilog2();
    for index in 0..values.len() {
        let partner = reversed(index, log2);
        if index < partner {
            values.swap(index, partner);
        }
    }
}

fn reversed(index: usize, log2: u32) -> usize {
    if log2 == 0 { 0 } else { index.reverse_bits() >> (usize::BITS - log2) }
}

/// A slice as tiles, each of which one thread works on.
struct Tiles<'a, F> {
    first: *mut F,
    log2_count: u32,
    values: PhantomData<&'a mut [F]>,
}

// SAFETY: it is a mutable slice; the methods ask that no two threads use one tile.
unsafe impl<F: Send> Sync for Tiles<'_, F> {}

impl<'a, F: Field> Tiles<'a, F> {
    /// None where there are too few for one.
    fn of(values: &'a mut [F]) -> Option<Self> {
        let len = values.len();
        debug_assert!(len.is_power_of_two(), "{len} elements have no bit-reversed order");
        let log2_count = len.ilog2().checked_sub(2 * LOG2_SIDE)?;
        Some(Self { first: values.as_mut_ptr(), log2_count, values: PhantomData })
    }

    fn count(&self) -> usize {
        1 << self.log2_count
    }

    /// Exchanges each tile of `range` with its partner, where that has the greater number.
    ///
    /// # Safety
    /// `range` ends at [`count`](Self::count) or before, and shares no number with the range of
    /// another thread.
    unsafe fn exchange_range(&self, range: Range<usize>) {
        for tile in range {
            let partner = reversed(tile, self.log2_count);
            if tile <= partner {
                // SAFETY: a tile has one partner, and only the thread that has the smaller number
                // of both comes here, so nobody else uses them.
                unsafe { self.exchange(tile, partner) };
            }
        }
    }

    /// Row `row` of tile `tile`.
    ///
    /// # Safety
    /// `row` is below 16, `tile` below the number of tiles, and nobody else uses the tile.
    #[expect(clippy::mut_from_ref, reason = "each tile has one user")]
    unsafe fn row(&self, tile: usize, row: usize) -> &mut [F] {
        let start = (row << self.log2_count | tile) << LOG2_SIDE;
        // SAFETY: rows and tiles in their ranges give an index in the slice, with its 16 elements.
        unsafe { slice::from_raw_parts_mut(self.first.add(start), SIDE) }
    }

    /// # Safety
    /// Both are below the number of tiles, and nobody else uses them.
    unsafe fn exchange(&self, tile: usize, partner: usize) {
        let (mut one, mut other) = ([[F::ZERO; SIDE]; SIDE], [[F::ZERO; SIDE]; SIDE]);
        for row in 0..SIDE {
            // SAFETY: as this function's caller promised.
            one[row].copy_from_slice(unsafe { self.row(tile, row) });
            // SAFETY: as above.
            other[row].copy_from_slice(unsafe { self.row(partner, row) });
        }
        for (row, backwards) in BACKWARDS.into_iter().enumerate() {
            // SAFETY: as above.
            let elements = unsafe { self.row(partner, row) };
            for (element, from) in elements.iter_mut().zip(BACKWARDS) {
                *element = one[from][backwards];
            }
            // SAFETY: as above.
            let elements = unsafe { self.row(tile, row) };
            for (element, from) in elements.iter_mut().zip(BACKWARDS) {
                *element = other[from][backwards];
            }
        }
    }
}
