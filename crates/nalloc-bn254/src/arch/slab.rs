//! The first two of three sweeps over a transform that is too large for two: blocks of eight
//! columns whose points do not fit a tile.
//!
//! ```text
//! outer  na points at a distance, in place, times w^(8 stride b k): one factor for all columns
//! inner  nb points in a row, times what depends on the column -> scratch of `RowBlock`
//! ```
//!
//! A column's own twist is the product of one factor for the row of `inner` and one for its output:
//! two multiplications instead of a table of as many factors as there are values.

use core::marker::PhantomData;

use super::lanes::{Elements, Kernel, LANES, Lanes};
use super::product::montgomery;
use super::sweep::{LoadColumns, Pieces, reversed};
use super::tile::{Layers, Next, Roots};
use super::value::{Lazy, Stored};
use crate::field::Modulus;

/// Where eight columns' points lie: every `stride`th piece from `first` on.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) first: usize,
    pub(crate) stride: usize,
}

/// Transforms of the points at a distance.
pub(crate) struct OuterBlock<'a, M> {
    pub(crate) values: Pieces<'a>,
    pub(crate) place: Place,
    /// Where this thread goes on.
    pub(crate) next: Option<Place>,
    pub(crate) tile: &'a mut [Stored],
    pub(crate) roots: Roots<'a>,
    /// What output k is multiplied by, times 2^260.
    pub(crate) twists: &'a [[u64; 4]],
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for OuterBlock<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let Self { values, place, tile, roots, twists, .. } = self;
        let next = self
            .next
            .map_or(Next::NONE, |next| self.values.rows(next.first, next.stride, twists.len()));
        let Place { first, stride } = place;
        l.call(LoadColumns::<M> {
            input: values,
            first,
            stride,
            tile,
            roots,
            modulus: PhantomData,
        });
        l.call(Layers::<M> { tile, roots, next, modulus: PhantomData });
        l.call(OneTwist::<M> { tile, values, place, twists, modulus: PhantomData });
    }
}

struct OneTwist<'a, M> {
    tile: &'a [Stored],
    values: Pieces<'a>,
    place: Place,
    twists: &'a [[u64; 4]],
    modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for OneTwist<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let log2 = self.tile.len().ilog2();
        let (pairs, _) = self.twists.as_chunks::<2>();
        for (pair, twists) in pairs.iter().enumerate() {
            let x0 = Lazy::load(l, &self.tile[reversed(2 * pair, log2)]);
            let x1 = Lazy::load(l, &self.tile[reversed(2 * pair + 1, log2)]);
            macro_rules! twist {
                ($c:literal) => {{
                    let [w0, w1, w2, w3] = twists[$c];
                    Lazy::unpack(l, [l.splat(w0), l.splat(w1), l.splat(w2), l.splat(w3)])
                }};
            }
            let [t0, t1] = [twist!(0), twist!(1)];
            let products = montgomery::<L, M, 2>(l, [&x0, &x1], [&t0, &t1]);
            for c in 0..2 {
                let index = self.place.first + (2 * pair + c) * self.place.stride;
                // SAFETY: of all blocks only this one reads or writes the pieces of its place.
                l.store_elements(products[c].pack(l), unsafe { self.values.piece(index) });
            }
        }
    }
}

/// Transforms of the points in a row.
pub(crate) struct InnerBlock<'a, M> {
    pub(crate) values: Pieces<'a>,
    pub(crate) place: Place,
    /// Where this thread goes on.
    pub(crate) next: Option<Place>,
    pub(crate) tile: &'a mut [Stored],
    pub(crate) roots: Roots<'a>,
    /// What output k of each column is multiplied by, times 2^260, and what all of them are.
    pub(crate) twists: &'a [Elements],
    pub(crate) twist_of_row: &'a Elements,
    pub(crate) scratch: Pieces<'a>,
    /// Output k is output `output_first` + k * `output_stride` of the columns.
    pub(crate) output_first: usize,
    pub(crate) output_stride: usize,
    /// Pieces from one eight of outputs to the next, and the columns' first.
    pub(crate) run: usize,
    pub(crate) column_piece: usize,
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for InnerBlock<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let next = self.next.map_or(Next::NONE, |next| {
            self.values.rows(next.first, next.stride, self.twists.len())
        });
        let Place { first, stride } = self.place;
        let (tile, roots) = (&mut *self.tile, self.roots);
        let input = self.values;
        l.call(LoadColumns::<M> { input, first, stride, tile, roots, modulus: PhantomData });
        l.call(Layers::<M> { tile, roots, next, modulus: PhantomData });
        l.call(TwoTwists(self));
    }
}

struct TwoTwists<'a, M>(InnerBlock<'a, M>);

impl<M: Modulus> Kernel for TwoTwists<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let Self(block) = self;
        let log2 = block.tile.len().ilog2();
        let row = Lazy::unpack(l, l.load_elements(block.twist_of_row));
        let (pairs, _) = block.twists.as_chunks::<2>();
        for (pair, twists) in pairs.iter().enumerate() {
            let x0 = Lazy::load(l, &block.tile[reversed(2 * pair, log2)]);
            let x1 = Lazy::load(l, &block.tile[reversed(2 * pair + 1, log2)]);
            let t0 = Lazy::unpack(l, l.load_elements(&twists[0]));
            let t1 = Lazy::unpack(l, l.load_elements(&twists[1]));
            let [y0, y1] = montgomery::<L, M, 2>(l, [&x0, &x1], [&t0, &t1]);
            let products = montgomery::<L, M, 2>(l, [&y0.lazy(), &y1.lazy()], [&row, &row]);
            for c in 0..2 {
                let output = block.output_first + (2 * pair + c) * block.output_stride;
                let index = output / LANES * block.run + block.column_piece + output % LANES;
                // SAFETY: of all blocks only this one writes these columns' outputs.
                l.store_elements(products[c].pack(l), unsafe { block.scratch.piece(index) });
            }
        }
    }
}
