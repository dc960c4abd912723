//! The two sweeps over memory of a four-step transform, one block of eight columns or rows each.
//!
//! ```text
//! columns  8 adjacent columns of the n1 x n2 input -> tile -> times w^(i2 k1) -> scratch
//! rows     8 rows, contiguous in the scratch, transposed in registers -> tile -> canonical output
//! ```
//!
//! Scratch is [k1 / 8][i2 / 8][k1 % 8][i2 % 8], so that columns writes 2 KiB pieces and rows reads
//! one run. Runs are [`RUN_GAP`] apart, because pieces at a distance of a power of two share few
//! sets of the caches. Bit reversal is an address in the last loop of each.

use core::marker::PhantomData;

use super::beside::{Beside, Carrying, Nothing};
use super::lanes::{Elements, Kernel, LANES, Lanes};
use super::radix::FirstRadix4;
use super::tile::{Layers, Next, Roots};
use super::value::{Below, Lazy, Stored};
use super::wide::{Wide, reduced_pair};
use crate::field::Modulus;

/// Pieces of eight elements between two runs of the scratch.
pub(crate) const RUN_GAP: usize = LANES;
/// Rows ahead that the strided load asks for.
const ROWS_AHEAD: usize = 2;
/// Pairs ahead that twists ask for of their tile, whose values lie in bit-reversed order.
const PAIRS_AHEAD: usize = 2;
/// Vectors of factors ahead that twists ask for.
const FACTORS_AHEAD: usize = 16;
/// Rows ahead that the last store asks for.
const ROWS_AHEAD_OF_STORE: usize = 6;

/// Eight-element pieces of one slice, each of which one thread writes while others write others.
#[derive(Clone, Copy)]
pub(crate) struct Pieces<'a> {
    first: *mut Elements,
    len: usize,
    slice: PhantomData<&'a mut [Elements]>,
}

// SAFETY: it is a mutable slice of integers; `piece` asks its callers not to write one piece twice.
unsafe impl Send for Pieces<'_> {}
// SAFETY: as above.
unsafe impl Sync for Pieces<'_> {}

impl<'a> Pieces<'a> {
    pub(crate) fn new(slice: &'a mut [Elements]) -> Self {
        Self { first: slice.as_mut_ptr(), len: slice.len(), slice: PhantomData }
    }

    /// Every `stride`th piece from `first` on, so many of them, to be asked for.
    pub(super) fn rows(&self, first: usize, stride: usize, count: usize) -> Next {
        let address = self.first.wrapping_add(first).cast_const().cast();
        Next::new(address, stride * size_of::<Elements>(), count)
    }

    /// `len` pieces from `first` on.
    ///
    /// # Safety
    /// Nobody writes these pieces while the slice is used.
    #[inline(always)]
    unsafe fn slice(&self, first: usize, len: usize) -> &'a [Elements] {
        assert!(first + len <= self.len, "pieces {first} to {} of {}", first + len, self.len);
        // SAFETY: inside of the slice (asserted above), and nobody writes it (see above).
        unsafe { core::slice::from_raw_parts(self.first.add(first), len) }
    }

    /// Piece `index`.
    ///
    /// # Safety
    /// No other reference to this piece is used while this one is.
    #[inline(always)]
    pub(super) unsafe fn piece(&self, index: usize) -> &'a mut Elements {
        assert!(index < self.len, "piece {index} of {}", self.len);
        // SAFETY: inside of the slice (asserted above), and nobody else uses it (see above).
        unsafe { &mut *self.first.add(index) }
    }
}

/// The index whose `log2` bits are those of `index` backwards.
#[inline(always)]
pub(super) fn reversed(index: usize, log2: u32) -> usize {
    index.reverse_bits() >> (usize::BITS - log2)
}

/// Block `block` of the columns.
pub(crate) struct ColumnBlock<'a, M> {
    /// n1 rows of n2 / 8 pieces.
    pub(crate) input: Pieces<'a>,
    pub(crate) block: usize,
    pub(crate) tile: &'a mut [Stored],
    pub(crate) roots: Roots<'a>,
    /// For this block and each k1, eight words t * 2^260 to multiply by t.
    pub(crate) twists: &'a [Elements],
    pub(crate) scratch: Pieces<'a>,
    pub(crate) next_block: Option<usize>,
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for ColumnBlock<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let n1 = self.tile.len();
        let blocks = self.input.len / n1;
        let next = self.next_block.map_or(Next::NONE, |next| self.input.rows(next, blocks, n1));
        l.call(LoadColumns::<M> {
            input: self.input,
            first: self.block,
            stride: blocks,
            tile: self.tile,
            roots: self.roots,
            modulus: PhantomData,
        });
        let (tile, roots) = (&mut *self.tile, self.roots);
        l.call(Layers::<M> { tile, roots, next, modulus: PhantomData });
        let (twists, scratch, block) = (self.twists, self.scratch, self.block);
        l.call(TwistAndStore::<M> { tile, twists, scratch, block, blocks, modulus: PhantomData });
    }
}

/// The first pass, from pieces at a distance.
pub(super) struct LoadColumns<'a, M> {
    pub(super) input: Pieces<'a>,
    pub(super) first: usize,
    pub(super) stride: usize,
    pub(super) tile: &'a mut [Stored],
    pub(super) roots: Roots<'a>,
    pub(super) modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for LoadColumns<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let quarter = self.tile.len() / 4;
        let mut pass = FirstRadix4::<L, M>::new(l, self.tile, self.roots);
        for j in 0..quarter {
            for q in 0..4 {
                let ahead = self.first + (j + ROWS_AHEAD + q * quarter) * self.stride;
                let address: *const u8 = self.input.first.wrapping_add(ahead).cast();
                for line in 0..4 {
                    l.prefetch_near(address.wrapping_add(64 * line));
                }
            }
            macro_rules! row {
                ($q:literal) => {{
                    let index = self.first + (j + $q * quarter) * self.stride;
                    // SAFETY: nobody writes the pieces of this block while it is read.
                    let elements = unsafe { self.input.piece(index) };
                    Below::<L, M, 2>::unpack(l, l.load_elements(elements)).lazy()
                }};
            }
            pass.row(l, j, [row!(0), row!(1), row!(2), row!(3)]);
        }
    }
}

struct TwistAndStore<'a, M> {
    tile: &'a [Stored],
    twists: &'a [Elements],
    scratch: Pieces<'a>,
    block: usize,
    blocks: usize,
    modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for TwistAndStore<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let Self { tile, twists, scratch, block, blocks, .. } = self;
        let (twists, _) = twists.as_chunks::<2>();
        let place = RunPlace { scratch, block, run: blocks * LANES + RUN_GAP };
        let (low, high) = tile.split_at(tile.len() / 2);
        let log2 = low.len().ilog2();
        // Macros, because closures of this size are called: 143 cycles instead of 66.
        macro_rules! factor {
            ($pair:expr, $c:literal) => {
                Lazy::unpack(l, l.load_elements(&twists[$pair][$c]))
            };
        }
        // Backwards, the lowest bit of k1 is the highest one.
        macro_rules! values {
            ($pair:expr) => {{
                let index = reversed($pair, log2);
                (Lazy::load(l, &low[index]), Lazy::load(l, &high[index]))
            }};
        }
        let start = Wide::plain(l);

        let (x0, x1) = values!(0);
        let (f0, f1) = (factor!(0, 0), factor!(0, 1));
        let mut z = reduced_pair::<L, M>(l, [&x0, &x1], [&f0, &f1], &start, &mut Nothing);
        let mut factors = [factor!(1, 0), factor!(1, 1)];
        for pair in 1..twists.len() {
            let (x0, x1) = values!(pair);
            let [f0, f1] = factors;
            let next = &twists[(pair + 1).min(twists.len() - 1)];
            let before = Carrying::<L, M>::new(&z);
            let soon = reversed((pair + PAIRS_AHEAD) & (low.len() - 1), log2);
            let soon = [&low[soon], &high[soon]];
            let k1 = 2 * (pair - 1);
            let mut beside = Twisting { place, k1, before, next, factors, soon };
            z = reduced_pair::<L, M>(l, [&x0, &x1], [&f0, &f1], &start, &mut beside);
            factors = beside.factors;
        }
        let (mut last, mut pin) = (Carrying::<L, M>::new(&z), l.splat(0));
        last.slice(l, 0, &mut pin);
        last.slice(l, 1, &mut pin);
        place.store(l, tile.len() - 2, last.packed(l, 0));
        place.store(l, tile.len() - 1, last.packed(l, 1));
    }
}

/// Where the values of one block go.
#[derive(Clone, Copy)]
struct RunPlace<'a> {
    scratch: Pieces<'a>,
    block: usize,
    run: usize,
}

impl RunPlace<'_> {
    #[inline(always)]
    fn index(&self, k1: usize) -> usize {
        (k1 / LANES) * self.run + self.block * LANES + k1 % LANES
    }

    #[inline(always)]
    fn store<L: Lanes>(&self, l: L, k1: usize, limbs: [L::Word; 4]) {
        // SAFETY: of all blocks only this one writes the pieces of its index.
        l.store_elements(limbs, unsafe { self.scratch.piece(self.index(k1)) });
    }

    /// Asks for the lines that will be stored to: stores wait for each other, and those to the
    /// stack for these (2^20 on one thread: 27 -> 20 ms).
    #[inline(always)]
    fn prefetch<L: Lanes>(&self, l: L, k1: usize) {
        let address: *const u8 = self.scratch.first.wrapping_add(self.index(k1)).cast();
        for line in 0..4 {
            l.prefetch_near(address.wrapping_add(64 * line));
        }
    }
}

/// What runs beside two twists: the two before are stored, the factors of the next loaded, and what
/// comes later is asked for.
struct Twisting<'a, L: Lanes, M> {
    place: RunPlace<'a>,
    /// Of the first of the two before.
    k1: usize,
    before: Carrying<L, M>,
    next: &'a [Elements; 2],
    factors: [Lazy<L>; 2],
    /// Values of a later pair, to be asked for.
    soon: [&'a Stored; 2],
}

impl<L: Lanes, M> Twisting<'_, L, M> {
    /// A page ahead, because the hardware's own prefetch ends with each.
    #[inline(always)]
    fn prefetch_factors(&self, l: L) {
        let address: *const u8 = self.next.as_ptr().wrapping_add(FACTORS_AHEAD).cast();
        for line in 0..8 {
            l.prefetch_near(address.wrapping_add(64 * line));
        }
    }
}

impl<L: Lanes, M: Modulus> Beside<L> for Twisting<'_, L, M> {
    #[inline(always)]
    fn slice(&mut self, l: L, index: usize, pin: &mut L::Word) {
        match index {
            0 | 1 => self.before.slice(l, index, pin),
            2 => self.place.store(l, self.k1, self.before.packed(l, 0)),
            4 => self.place.store(l, self.k1 + 1, self.before.packed(l, 1)),
            5 => self.place.prefetch(l, self.k1 + LANES),
            7 => self.place.prefetch(l, self.k1 + LANES + 1),
            6 => self.factors[0] = Lazy::unpack(l, l.load_elements(&self.next[0])).pinned(l, pin),
            8 => self.factors[1] = Lazy::unpack(l, l.load_elements(&self.next[1])).pinned(l, pin),
            3 => self.soon[0].prefetch(l),
            9 => {
                self.soon[1].prefetch(l);
                self.prefetch_factors(l);
            }
            _ => {}
        }
    }
}

/// Block `block` of the rows.
pub(crate) struct RowBlock<'a, M> {
    /// What the columns wrote.
    pub(crate) scratch: Pieces<'a>,
    /// Pieces from one run of it to the next.
    pub(crate) run: usize,
    pub(crate) block: usize,
    pub(crate) tile: &'a mut [Stored],
    pub(crate) roots: Roots<'a>,
    /// n2 rows of n1 / 8 pieces.
    pub(crate) output: Pieces<'a>,
    /// Whether the output goes past the caches: it is larger than they are.
    pub(crate) streams: bool,
    pub(crate) next_block: Option<usize>,
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for RowBlock<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let n2 = self.tile.len();
        let next = self.next_block;
        let next = next.map_or(Next::NONE, |next| self.scratch.rows(next * self.run, 1, n2));
        // SAFETY: the columns are done, and nobody writes the scratch while rows read it.
        let (rows, _) = unsafe { self.scratch.slice(self.block * self.run, n2) }.as_chunks();
        let (tile, roots) = (&mut *self.tile, self.roots);
        l.call(LoadRows::<M> { rows, tile, roots, modulus: PhantomData });
        l.call(Layers::<M> { tile, roots, next, modulus: PhantomData });
        let (output, block) = (self.output, self.block);
        let blocks = output.len / n2;
        let streams = self.streams;
        l.call(StoreRows::<M> { tile, output, block, blocks, streams, modulus: PhantomData });
    }
}

struct LoadRows<'a, M> {
    rows: &'a [[Elements; LANES]],
    tile: &'a mut [Stored],
    roots: Roots<'a>,
    modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for LoadRows<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let quarter = self.tile.len() / 4;
        let mut pass = FirstRadix4::<L, M>::new(l, self.tile, self.roots);
        for pair in 0..quarter / 2 {
            macro_rules! rows {
                ($q:literal) => {{
                    let pair = pair + $q * quarter / 2;
                    l.load_transposed(&self.rows[pair / 4], pair % 4)
                }};
            }
            let [a, b, c, d] = [rows!(0), rows!(1), rows!(2), rows!(3)];
            for odd in 0..2 {
                let [r0, r1, r2, r3] = [a[odd], b[odd], c[odd], d[odd]];
                let rows = [
                    Below::<L, M, 2>::unpack(l, r0).lazy(),
                    Below::<L, M, 2>::unpack(l, r1).lazy(),
                    Below::<L, M, 2>::unpack(l, r2).lazy(),
                    Below::<L, M, 2>::unpack(l, r3).lazy(),
                ];
                pass.row(l, 2 * pair + odd, rows);
            }
        }
    }
}

struct StoreRows<'a, M> {
    tile: &'a [Stored],
    output: Pieces<'a>,
    block: usize,
    blocks: usize,
    streams: bool,
    modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for StoreRows<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let log2 = self.tile.len().ilog2();
        for k2 in 0..self.tile.len() {
            self.tile[reversed((k2 + ROWS_AHEAD_OF_STORE) & (self.tile.len() - 1), log2)]
                .prefetch(l);
            let value = Lazy::load(l, &self.tile[reversed(k2, log2)]);
            let limbs = value.reduced_to_p::<M>(l).pack(l);
            // SAFETY: of all blocks only this one writes the pieces of its index.
            let piece = unsafe { self.output.piece(k2 * self.blocks + self.block) };
            if self.streams {
                l.stream_elements(limbs, piece);
            } else {
                l.store_elements(limbs, piece);
            }
        }
    }
}
