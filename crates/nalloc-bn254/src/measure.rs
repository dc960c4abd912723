//! Kernels one at a time, on data that stays in the caches, and sums with windows of any width, for
//! `npm run bench:peers`.
//!
//! Knows no clock: each method says how much it did, and the caller times it. Values are of no
//! use; what the kernels compute is shown by the tests of the transforms that are made of them.

#![expect(clippy::inline_always, reason = "a kernel's parts must become one function")]

use core::marker::PhantomData;

use crate::arch::Kernels;
use crate::arch::constants::{Constants, Factor};
use crate::arch::lanes::{Kernel, LANES, Lanes};
use crate::arch::product::shoup;
use crate::arch::radix::Radix4;
use crate::arch::tile::Next;
use crate::arch::value::{Columns, Lazy, Stored};
use crate::buffer::HeapBuffer;
use crate::error::Error;
use crate::field::{Field, Fr, FrModulus};

pub use crate::msm::measured::{
    COSTS_NS, Cut, WIDTHS, cut, msm_of_width, planned_width,
    scratch_bytes as scratch_bytes_of_width,
};

/// log2 of the vectors of a tile: 320 KiB, as a transform of 2^20 has.
const LOG2_TILE: u32 = 10;
/// The first of the two layers that a pass does.
const LAYER: u32 = 4;
/// Vectors that stay in the first-level cache.
const PRODUCTS_LEN: usize = 64;

/// A tile and its factors.
pub struct InCache {
    kernels: Kernels,
    tile: HeapBuffer<Stored>,
    factors: HeapBuffer<Factor>,
}

impl InCache {
    /// For kernels that have lanes; none for others.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn new(kernels: Kernels) -> Result<Option<Self>, Error> {
        if kernels.lanes().is_none() {
            return Ok(None);
        }
        let tile = HeapBuffer::zeroed(1 << LOG2_TILE)?;
        let mut factors = HeapBuffer::<Factor>::zeroed(1 << (LAYER + 1))?;
        let mut power = Fr::from_u64(7);
        for factor in factors.iter_mut() {
            *factor = Factor::new(power);
            power = power.square();
        }
        Ok(Some(Self { kernels, tile, factors }))
    }

    /// One radix-4 pass over the tile; how many times eight butterflies that was.
    pub fn butterflies(&mut self) -> usize {
        if let Some(lanes) = self.kernels.lanes() {
            lanes.call(Radix4::<FrModulus, false> {
                tile: &mut self.tile,
                outer: &self.factors,
                inner: &self.factors,
                s: LAYER,
                is_plain: false,
                next: &mut { Next::NONE },
                modulus: PhantomData,
            });
        }
        self.tile.len()
    }

    /// Shoup products of one vector by one factor; how many products that was.
    pub fn products(&mut self) -> usize {
        let values = &mut self.tile[..PRODUCTS_LEN];
        if let Some(lanes) = self.kernels.lanes() {
            lanes.call(ShoupEach { values, factor: &self.factors[1] });
        }
        PRODUCTS_LEN * LANES
    }
}

/// Every value times one factor, ready to be a factor again.
struct ShoupEach<'a> {
    values: &'a mut [Stored],
    factor: &'a Factor,
}

impl Kernel for ShoupEach<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let five_p = Columns::constant(l, &const { Constants::<FrModulus>::multiple(5) });
        let (groups, _) = self.values.as_chunks_mut::<4>();
        for x in groups {
            let f = l.opaque(self.factor);
            let (a, b) = (Lazy::load(l, &x[0]), Lazy::load(l, &x[1]));
            let (c, d) = (Lazy::load(l, &x[2]), Lazy::load(l, &x[3]));
            let products = shoup::<L, FrModulus, 4>(l, [&a, &b, &c, &d], [f, f, f, f]);
            products[0].add(l, &five_p).carried(l).store(l, &mut x[0]);
            products[1].add(l, &five_p).carried(l).store(l, &mut x[1]);
            products[2].add(l, &five_p).carried(l).store(l, &mut x[2]);
            products[3].add(l, &five_p).carried(l).store(l, &mut x[3]);
        }
    }
}
