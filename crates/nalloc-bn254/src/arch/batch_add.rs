//! Additions of points eight at a time, with one inversion for a block of them.
//!
//! `msm/adder.rs` tells the formulas. Steps are pairs of vectors, whose products are interleaved;
//! each of the two has its own chain of products, joined for the inversion.
//!
//! Domains: nothing is converted. A coordinate x 2^256 is read as (x/16) 2^260. With every
//! coordinate divided by 16 the slope stays the same, so the formulas become
//! x3/16 = (l/4)^2 - x1/16 - x2/16 and y3/16 = (l/4) 4 (x1/16 - x3/16) - y1/16: the inverse is
//! divided by 4, once a block, and a difference is shifted.
//!
//! Bounds, in multiples of p; docs/ifma-bounds.md derives them:
//!
//! | value | G1 | G2 |
//! |---|---|---|
//! | x of a row, y of a point | < 1.0001 | < 1.0001 |
//! | y of a row | < 2.2 | < 1.0001 |
//! | d = x2 - x1 + 2 | < 3.0002 | < 3.0002 |
//! | n = y2 - y1 + 4, or with -y2 | < 6.3 | < 5.0002 |
//! | l/4 | < 1.1 | < 1.5 |
//! | 4 (x1 - x3) + 5 | < 9.001 | < 9.001 |
//!
//! Cost for eight additions in G1: 600 multiply-adds and one for a quotient, 300 cycles.
//!
//! Steps lie in scratch, which may become zero at any moment (`msm.rs`). They hold offsets, never
//! addresses: zero is that of the first row, or of the first point.

mod block;
mod reduced;
mod stages;

use core::marker::PhantomData;

use super::constants::Constants;
use super::coordinate::{InLanes, PAIR};
use super::lanes::{Kernel, LANES, Lanes};
use super::value::Stored;
use crate::curve::{Affine, CurveField, Jacobian};
use crate::error::Error;
use crate::field::FqModulus;
use crate::msm::adder::{
    Adder, BLOCK, Entry, FLAG_BITS, IMAGE, POINTS_MAX, Points, Portable, Source, TO_SHIFT, settled,
};
use block::AddBlock;
use nalloc::{Arena, Zeroable};

/// Vectors of a block.
const VECTORS: usize = BLOCK / LANES;
/// Steps: those of a block, and a pair for the pads alone.
const STEPS: usize = VECTORS + PAIR;

/// What the way forward notes of eight additions for the way back.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Step<const D: usize> {
    /// Where the rows are that are added to, from the first row on.
    to: [u64; LANES],
    /// Where x and y of what is added are, from the first of its slice on, and its sign in bit 63.
    x: [u64; LANES],
    y: [u64; LANES],
    sign: [u64; LANES],
    d: [Stored; D],
    before: [Stored; D],
    x1: [Stored; D],
}

// SAFETY: integers without padding: 256 + 960 D bytes are a multiple of the alignment.
unsafe impl<const D: usize> Zeroable for Step<D> {}
const _: () = assert!(size_of::<Step<1>>() == 256 + 960 && size_of::<Step<2>>() == 256 + 1920);

/// An [`Adder`] on an instruction set with lanes.
pub(crate) struct InVectors<'a, L, F, const D: usize> {
    lanes: L,
    steps: &'a mut [Step<D>],
    /// The first gets the second wherever a vector has no entry of its own.
    pads: [Affine<F>; 2],
    /// What the pads are before a block: G and 2G, whose x differ.
    fresh_pads: [Affine<F>; 2],
    portable: Portable<'a, F>,
}

/// Steps of so many additions, with those of the pads.
fn steps_of(len: usize) -> usize {
    (len.div_ceil(PAIR * LANES) + 1) * PAIR
}

/// Bytes that an [`InVectors`] takes from its arena beside its [`Portable`].
pub(crate) fn step_bytes<const D: usize>() -> usize {
    (STEPS + 1) * size_of::<Step<D>>()
}

impl<'a, L: Lanes, F: CurveField + InLanes<D>, const D: usize> InVectors<'a, L, F, D> {
    pub(crate) fn new(lanes: L, scratch: &'a Arena) -> Result<Self, Error> {
        let steps = scratch.try_alloc_array::<Step<D>>(STEPS)?;
        let generator = Affine::GENERATOR;
        let fresh_pads = [generator, Jacobian::from(generator).double().to_affine()];
        let portable = Portable::new(scratch)?;
        Ok(Self { lanes, steps, pads: fresh_pads, fresh_pads, portable })
    }

    /// Points the lanes of a step that have no entry at the pads.
    fn pad(&mut self, index: usize, places: &Places) {
        let coordinate_bytes = size_of::<F>() as u64;
        let pads = self.pads.as_mut_ptr().expose_provenance() as u64;
        let second = pads + 2 * coordinate_bytes;
        let step = &mut self.steps[index / LANES];
        let lane = index % LANES;
        step.to[lane] = pads.wrapping_sub(places.rows);
        step.x[lane] = second.wrapping_sub(places.from);
        step.y[lane] = (second + coordinate_bytes).wrapping_sub(places.from);
        step.sign[lane] = 0;
    }

    /// Points all lanes at what they add, and those of one more pair at the pads.
    fn expand(&mut self, entries: &[Entry], places: &Places) {
        self.lanes.call(Expand::<D> { entries, places, steps: self.steps });
        for index in entries.len()..steps_of(entries.len()) * LANES {
            self.pad(index, places);
        }
    }

    /// Whether the lane's points have equal x: d = x2 - x1 + 2p is p, 2p or 3p.
    fn has_equal_x(&self, index: usize) -> bool {
        let step = &self.steps[index / LANES];
        step.d.iter().all(|part| {
            let limbs = part.0.map(|limb| limb[index % LANES]);
            (1..=3).any(|k| limbs == Constants::<FqModulus>::multiple(k))
        })
    }

    /// The block has pairs with equal x: those are added in plain Rust, the others once more.
    #[cold]
    fn add_with_care(
        &mut self,
        rows: &mut [Affine<F>],
        source: Source<'_, F>,
        entries: &[Entry],
        places: &Places,
    ) {
        self.expand(entries, places);
        // On the stack: which pairs are equal depends on scalars.
        let (mut equal, mut len) = ([Entry(0); BLOCK], 0);
        for (index, &entry) in entries.iter().enumerate() {
            if self.has_equal_x(index) {
                self.pad(index, places);
                equal[len] = entry;
                len += 1;
            }
        }
        let equal = &equal[..len];
        for entry in equal {
            rows[entry.to()] = settled(&rows[entry.to()]);
            if matches!(source, Source::Rows) {
                rows[entry.from()] = settled(&rows[entry.from()]);
            }
        }
        self.portable.add(rows, source, equal);
        self.pads = self.fresh_pads;
        // The product is not zero this time, unless the notes were wiped; then nothing counts.
        self.run(entries.len(), places);
    }

    /// The additions that the steps describe; false where the product of all d is zero, which
    /// leaves the rows as they were.
    fn run(&mut self, len: usize, places: &Places) -> bool {
        let steps = &mut self.steps[..steps_of(len)];
        self.lanes.call(AddBlock::<F, D> { steps, places, field: PhantomData })
    }
}

impl<L: Lanes, F: CurveField + InLanes<D>, const D: usize> Adder<F> for InVectors<'_, L, F, D> {
    fn add(&mut self, rows: &mut [Affine<F>], source: Source<'_, F>, entries: &[Entry]) -> bool {
        let places = Places::of(rows, &source);
        if entries.is_empty() || places.rows_len == 0 || places.from_len == 0 {
            return false;
        }
        let entries = &entries[..entries.len().min(BLOCK)];
        self.expand(entries, &places);
        self.pads = self.fresh_pads;
        let is_done = self.run(entries.len(), &places);
        if !is_done {
            self.add_with_care(rows, source, entries, &places);
        }
        !is_done
    }

    fn prefetch(&self, points: &Points<'_, F>, indices: &[u32], first: usize) {
        for &index in indices {
            let index = first + index as usize;
            self.lanes.prefetch_far(points.bases.as_ptr().wrapping_add(index).cast());
            if D == 2 {
                let second = points.bases.as_ptr().cast::<F>().wrapping_add(2 * index + 1);
                self.lanes.prefetch_far(second.cast());
            }
            self.lanes.prefetch_far(points.images.as_ptr().wrapping_add(index).cast());
        }
    }
}

/// Addresses and lengths of what entries mean. None of them lies in scratch.
struct Places {
    rows: u64,
    rows_len: u64,
    from: u64,
    from_len: u64,
    images: u64,
}

impl Places {
    fn of<F>(rows: &mut [Affine<F>], source: &Source<'_, F>) -> Self {
        let rows_len = rows.len() as u64;
        let rows = rows.as_mut_ptr().expose_provenance() as u64;
        let (from, from_len, images) = match source {
            Source::Rows => (rows, rows_len, rows),
            Source::Points(Points { bases, images }) => {
                assert_eq!(bases.len(), images.len(), "each point has an image");
                let images = images.as_ptr().expose_provenance() as u64;
                (bases.as_ptr().expose_provenance() as u64, bases.len() as u64, images)
            }
        };
        Self { rows, rows_len, from, from_len, images }
    }
}

/// Turns entries into offsets. An index beyond its slice becomes that of the last element.
struct Expand<'a, const D: usize> {
    entries: &'a [Entry],
    places: &'a Places,
    steps: &'a mut [Step<D>],
}

impl<const D: usize> Kernel for Expand<'_, D> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let places = self.places;
        let rows_last = l.splat(places.rows_len - 1);
        let from_last = l.splat(places.from_len - 1);
        let images = l.splat(places.images.wrapping_sub(places.from));
        let index_mask = l.splat(POINTS_MAX as u64 - 1);
        let (zero, one) = (l.splat(0), l.splat(1));
        let coordinate = l.splat(32 * D as u64);
        for (entries, step) in self.entries.chunks(LANES).zip(self.steps) {
            let mut words = [0; LANES];
            for (word, entry) in words.iter_mut().zip(entries) {
                *word = entry.0;
            }
            let entry = l.load(&words);
            let to = l.min(l.shr::<TO_SHIFT>(entry), rows_last);
            l.store(point_bytes::<L, D>(l, to), &mut step.to);
            let index = l.min(l.and(l.shr::<FLAG_BITS>(entry), index_mask), from_last);
            let x = point_bytes::<L, D>(l, index);
            let image = l.add(images, l.shr::<1>(x));
            let is_image = l.and(l.shr::<{ IMAGE.trailing_zeros() }>(entry), one);
            let mask = l.sub(zero, is_image);
            l.store(l.add(x, l.and(l.sub(image, x), mask)), &mut step.x);
            l.store(l.add(x, coordinate), &mut step.y);
            l.store(l.shl::<63>(entry), &mut step.sign);
        }
    }
}

/// How many bytes so many points take.
#[inline(always)]
fn point_bytes<L: Lanes, const D: usize>(l: L, count: L::Word) -> L::Word {
    if D == 1 { l.shl::<6>(count) } else { l.shl::<7>(count) }
}
