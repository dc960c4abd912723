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
//! Cost for eight additions in G1: 600 multiply-adds, 300 cycles.

use core::marker::PhantomData;

use super::constants::{Constants, Limbs52, MASK, Table};
use super::coordinate::{self, Factors, InLanes, Sums};
use super::lanes::{Elements, Kernel, LANES, Lanes};
use super::value::{Below, Columns, Lazy, Stored, mask};
use crate::curve::{Affine, CurveField, Jacobian};
use crate::error::Error;
use crate::field::FqModulus;
use crate::msm::adder::{
    Adder, BLOCK, Entry, FLAG_BITS, IMAGE, POINTS_MAX, Points, Portable, Source, TO_SHIFT, settled,
};
use nalloc::{Arena, Zeroable};

/// Vectors whose products are interleaved. Four take 5 % more (a prototype, Zen 5, 2026-11-21).
const PAIR: usize = 2;
/// Vectors ahead of which rows are asked for.
const AHEAD: usize = 4;
/// Vectors of a block.
const VECTORS: usize = BLOCK / LANES;

/// What the way forward notes of eight additions for the way back.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Step<const D: usize> {
    /// Addresses of the rows that are added to.
    to: [u64; LANES],
    /// Addresses of x and of y of what is added, and its sign in bit 63.
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

/// Bytes that an [`InVectors`] takes from its arena beside its [`Portable`].
pub(crate) fn step_bytes<const D: usize>() -> usize {
    (VECTORS + 1) * size_of::<Step<D>>()
}

impl<'a, L: Lanes, F: CurveField + InLanes<D>, const D: usize> InVectors<'a, L, F, D> {
    pub(crate) fn new(lanes: L, scratch: &'a Arena) -> Result<Self, Error> {
        let steps = scratch.try_alloc_array::<Step<D>>(VECTORS)?;
        let generator = Affine::GENERATOR;
        let fresh_pads = [generator, Jacobian::from(generator).double().to_affine()];
        let portable = Portable::new(scratch)?;
        Ok(Self { lanes, steps, pads: fresh_pads, fresh_pads, portable })
    }

    /// Where entries find what they add.
    fn places(rows: &mut [Affine<F>], source: &Source<'_, F>) -> Places {
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
        Places { rows, rows_len, from, from_len, images }
    }

    /// Points the lanes of a step that have no entry at the pads.
    fn pad(&mut self, index: usize) {
        let coordinate_bytes = size_of::<F>() as u64;
        let pads = self.pads.as_mut_ptr().expose_provenance() as u64;
        let step = &mut self.steps[index / LANES];
        let lane = index % LANES;
        step.to[lane] = pads;
        step.x[lane] = pads + 2 * coordinate_bytes;
        step.y[lane] = pads + 3 * coordinate_bytes;
        step.sign[lane] = 0;
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
        let is_equal = |&index: &usize| self.has_equal_x(index);
        let equal: Vec<usize> = (0..entries.len()).filter(is_equal).collect();
        debug_assert!(!equal.is_empty(), "a product of zero without a factor of zero");
        self.lanes.call(Expand::<D> { entries, places, steps: self.steps });
        for index in entries.len()..entries.len().next_multiple_of(PAIR * LANES) {
            self.pad(index);
        }
        for &index in &equal {
            self.pad(index);
        }
        let equal: Vec<Entry> = equal.into_iter().map(|index| entries[index]).collect();
        for entry in &equal {
            rows[entry.to()] = settled(&rows[entry.to()]);
            if matches!(source, Source::Rows) {
                rows[entry.from()] = settled(&rows[entry.from()]);
            }
        }
        self.portable.add(rows, source, &equal);
        self.pads = self.fresh_pads;
        let is_done = self.run(entries.len());
        debug_assert!(is_done, "a product of zero of factors that are not");
    }

    /// The additions that the steps describe; false where the product of all d is zero, which
    /// leaves the rows as they were.
    fn run(&mut self, len: usize) -> bool {
        let steps = &mut self.steps[..len.div_ceil(PAIR * LANES) * PAIR];
        self.lanes.call(AddBlock::<F, D> { steps, field: PhantomData })
    }
}

impl<L: Lanes, F: CurveField + InLanes<D>, const D: usize> Adder<F> for InVectors<'_, L, F, D> {
    fn add(&mut self, rows: &mut [Affine<F>], source: Source<'_, F>, entries: &[Entry]) -> bool {
        if entries.is_empty() || rows.is_empty() {
            return false;
        }
        let entries = &entries[..entries.len().min(BLOCK)];
        let places = Self::places(rows, &source);
        self.lanes.call(Expand::<D> { entries, places: &places, steps: self.steps });
        for index in entries.len()..entries.len().next_multiple_of(PAIR * LANES) {
            self.pad(index);
        }
        self.pads = self.fresh_pads;
        let is_done = self.run(entries.len());
        if !is_done {
            self.add_with_care(rows, source, entries, &places);
        }
        !is_done
    }

    fn prefetch(&self, points: &Points<'_, F>, indices: &[u32]) {
        for &index in indices {
            let index = index as usize;
            self.lanes.prefetch_far(points.bases.as_ptr().wrapping_add(index).cast());
            if D == 2 {
                let second = points.bases.as_ptr().cast::<F>().wrapping_add(2 * index + 1);
                self.lanes.prefetch_far(second.cast());
            }
            self.lanes.prefetch_far(points.images.as_ptr().wrapping_add(index).cast());
        }
    }
}

/// Addresses and lengths of what entries mean.
struct Places {
    rows: u64,
    rows_len: u64,
    from: u64,
    from_len: u64,
    images: u64,
}

/// Turns entries into addresses. An index beyond its slice becomes that of the last element.
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
        let [rows, from, images] = [places.rows, places.from, places.images].map(|at| l.splat(at));
        let rows_last = l.splat(places.rows_len - 1);
        let from_last = l.splat(places.from_len.saturating_sub(1));
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
            l.store(l.add(rows, point_bytes::<L, D>(l, to)), &mut step.to);
            let index = l.min(l.and(l.shr::<FLAG_BITS>(entry), index_mask), from_last);
            let bytes = point_bytes::<L, D>(l, index);
            let x = l.add(from, bytes);
            let image = l.add(images, l.shr::<1>(bytes));
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

/// The additions of all steps, an even number of them.
struct AddBlock<'a, F, const D: usize> {
    steps: &'a mut [Step<D>],
    field: PhantomData<F>,
}

impl<F: InLanes<D>, const D: usize> Kernel for AddBlock<'_, F, D> {
    type Output = bool;

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) -> bool {
        let mut chains = [one::<L, D>(l); PAIR];
        let count = self.steps.len();
        for at in (0..count).step_by(PAIR) {
            for k in 0..PAIR {
                let ahead = (at + k + AHEAD).min(count - 1);
                let ahead = &self.steps[ahead];
                for lane in 0..LANES {
                    l.prefetch_near(ahead.to[lane] as *const u8);
                    l.prefetch_near(ahead.x[lane] as *const u8);
                }
            }
            let [s0, s1] = pair(self.steps, at);
            let d0 = forward::<L, D>(l, s0);
            let d1 = forward::<L, D>(l, s1);
            store(l, &chains[0], &mut s0.before);
            store(l, &chains[1], &mut s1.before);
            let z = F::products::<L, PAIR>(l, [&chains[0], &chains[1]], [&d0, &d1]);
            chains = [carried(l, &z[0]), carried(l, &z[1])];
        }
        let Some(mut inverses) = quarter_inverses::<L, F, D>(l, &chains) else { return false };
        for at in (0..count).step_by(PAIR).rev() {
            for k in 0..PAIR {
                let ahead = &self.steps[(at + k).saturating_sub(AHEAD)];
                for lane in 0..LANES {
                    l.prefetch_near(ahead.to[lane] as *const u8);
                }
            }
            let [s0, s1] = pair(self.steps, at);
            backward::<L, F, D>(l, [s0, s1], &mut inverses);
        }
        true
    }
}

/// Two steps at once.
#[inline(always)]
fn pair<const D: usize>(steps: &mut [Step<D>], at: usize) -> [&mut Step<D>; PAIR] {
    let (first, second) = steps[at..at + PAIR].split_at_mut(1);
    [&mut first[0], &mut second[0]]
}

/// Notes x1 and d = x2 - x1 + 2p, which is returned too.
#[inline(always)]
fn forward<L: Lanes, const D: usize>(l: L, step: &mut Step<D>) -> Factors<L, D> {
    let two_p = Columns::constant(l, &Constants::<FqModulus>::multiple(2));
    let mut factors = one::<L, D>(l);
    for part in 0..D {
        let x1 = gather(l, &step.to, part);
        let x2 = gather(l, &step.x, part);
        let d = x2.sub(l, &x1).add(l, &two_p).carried(l).masked(l);
        Lazy(x1.0).store(l, &mut step.x1[part]);
        Lazy(d.0).store(l, &mut step.d[part]);
        factors[part] = Lazy(d.0);
    }
    factors
}

/// Adds what two steps describe, and takes their d off the inverses.
#[inline(always)]
fn backward<L: Lanes, F: InLanes<D>, const D: usize>(
    l: L,
    steps: [&mut Step<D>; PAIR],
    inverses: &mut [Factors<L, D>; PAIR],
) {
    let [s0, s1] = steps;
    let (b0, b1) = (load(l, &s0.before), load(l, &s1.before));
    let (d0, d1) = (load(l, &s0.d), load(l, &s1.d));
    let [i0, i1] = *inverses;
    let z = F::products::<L, PAIR>(l, [&i0, &i0], [&b0, &d0]);
    let (t0, next0) = (carried(l, &z[0]), carried(l, &z[1]));
    let z = F::products::<L, PAIR>(l, [&i1, &i1], [&b1, &d1]);
    let (t1, next1) = (carried(l, &z[0]), carried(l, &z[1]));
    *inverses = [next0, next1];

    let coordinate = 32 * D as u64;
    let (to0, to1) = (s0.to.map(|at| at + coordinate), s1.to.map(|at| at + coordinate));
    let (y0, n0) = numerator(l, &to0, s0);
    let (y1, n1) = numerator(l, &to1, s1);
    let z = F::products::<L, PAIR>(l, [&n0, &n1], [&t0, &t1]);
    let (slope0, slope1) = (carried(l, &z[0]), carried(l, &z[1]));
    let squares = F::squares::<L, PAIR>(l, [&slope0, &slope1]);
    let (x0, e0) = third_x(l, &squares[0], s0);
    let (x1, e1) = third_x(l, &squares[1], s1);
    scatter(l, &x0, &s0.to);
    scatter(l, &x1, &s1.to);
    let z = F::products::<L, PAIR>(l, [&e0, &e1], [&slope0, &slope1]);
    scatter(l, &third_y(l, &z[0], &y0), &to0);
    scatter(l, &third_y(l, &z[1], &y1), &to1);
}

/// y1, and n = y2 - y1 + 4p with the sign of y2.
#[inline(always)]
fn numerator<L: Lanes, const D: usize>(
    l: L,
    to: &[u64; LANES],
    step: &Step<D>,
) -> (Sums<L, D>, Factors<L, D>) {
    let four_p = Columns::constant(l, &Constants::<FqModulus>::multiple(4));
    let sign = l.load(&step.sign);
    let mut y = [four_p; D];
    let mut n = one::<L, D>(l);
    for part in 0..D {
        let y1 = gather(l, to, part);
        let mut y2 = gather(l, &step.y, part);
        for limb in &mut y2.0 {
            *limb = l.negate_where_negative(sign, *limb);
        }
        n[part] = y2.sub(l, &y1).add(l, &four_p).carried(l);
        y[part] = y1;
    }
    (y, n)
}

/// x3 = square - x1 - x2, and 4 (x1 - x3) + 5p. As x2 = x1 + d - 2p, 6p - 2 x1 - d is what is
/// added.
#[inline(always)]
fn third_x<L: Lanes, const D: usize>(
    l: L,
    square: &Sums<L, D>,
    step: &Step<D>,
) -> (Sums<L, D>, Factors<L, D>) {
    let six_p = Columns::constant(l, &Constants::<FqModulus>::multiple(6));
    let five_p = Columns::constant(l, &Constants::<FqModulus>::multiple(5));
    let mut x3 = *square;
    let mut e = one::<L, D>(l);
    for part in 0..D {
        let x1 = Columns(Lazy::load(l, &step.x1[part]).0);
        let d = Columns(Lazy::load(l, &step.d[part]).0);
        let less = x1.add(l, &x1).add(l, &d);
        x3[part] = reduced(l, &square[part].add(l, &six_p).sub(l, &less));
        let mut four_times = x1.sub(l, &x3[part]);
        for limb in &mut four_times.0 {
            *limb = l.shl::<2>(*limb);
        }
        e[part] = four_times.add(l, &five_p).carried(l);
    }
    (x3, e)
}

/// product - y1, < 2.2p for G1, < 1.0001p for G2; limbs normalised.
#[inline(always)]
fn third_y<L: Lanes, const D: usize>(l: L, product: &Sums<L, D>, y1: &Sums<L, D>) -> Sums<L, D> {
    let mut y3 = *product;
    let three_p = Columns::constant(l, &Constants::<FqModulus>::multiple(3));
    for part in 0..D {
        let sum = product[part].sub(l, &y1[part]).add(l, &three_p);
        y3[part] = if D == 1 { reduced_by_2p(l, &sum) } else { reduced(l, &sum) };
    }
    y3
}

/// Multiples of q, limb by limb.
const MULTIPLES: &Table = &{
    let (mut table, mut k) = ([[0; 16]; 5], 0);
    while k < 16 {
        let multiple = Constants::<FqModulus>::multiple(k as u64);
        let mut limb = 0;
        while limb < 5 {
            table[limb][k] = multiple[limb];
            limb += 1;
        }
        k += 1;
    }
    Table(table)
};
/// floor(2^97 / (top limb of q + 1)).
const QUOTIENT: u64 = ((1 << 97) / (Constants::<FqModulus>::P[4] as u128 + 1)) as u64;

/// A value in (0.9p, 7p) -> the same modulo p, < 1.0001p; limbs normalised.
///
/// The top limb plus the carry of the one below is at most one unit above the true top, so a unit
/// less never is, and the quotient is too small only where the rest is below 2^-43 p + p.
#[inline(always)]
fn reduced<L: Lanes>(l: L, value: &Columns<L>) -> Columns<L> {
    let c = &value.0;
    let top = l.sub(l.add(c[4], l.sar::<52>(c[3])), l.splat(1));
    let quotient = l.madd_high(l.splat(0), l.shl::<3>(top), l.splat(QUOTIENT));
    let quotient = l.shr::<48>(quotient);
    let table = &MULTIPLES.0;
    let rest = Columns([
        l.sub(c[0], l.look_up_8(&table[0], quotient)),
        l.sub(c[1], l.look_up_8(&table[1], quotient)),
        l.sub(c[2], l.look_up_8(&table[2], quotient)),
        l.sub(c[3], l.look_up_8(&table[3], quotient)),
        l.sub(c[4], l.look_up_8(&table[4], quotient)),
    ]);
    normalised::<L, 2>(l, &rest)
}

/// A value in (0, 4.2p) -> the same modulo p, < 2.2p; limbs normalised.
#[inline(always)]
fn reduced_by_2p<L: Lanes>(l: L, value: &Columns<L>) -> Columns<L> {
    const TWO_P: Limbs52 = Constants::<FqModulus>::multiple(2);
    let c = &value.0;
    let top = l.add(c[4], l.sar::<52>(c[3]));
    // Negative where the top limb is above that of 2p, carries of lower limbs included.
    let sign = l.sub(l.splat(TWO_P[4] + 2), top);
    let mut rest = *value;
    for (limb, two_p) in rest.0.iter_mut().zip(TWO_P) {
        *limb = l.add_where_negative(sign, *limb, l.splat(two_p.wrapping_neg()));
    }
    normalised::<L, 3>(l, &rest)
}

/// Limbs of 52 bits of a value that the caller has shown to be in [0, `BOUND` p).
#[inline(always)]
fn normalised<L: Lanes, const BOUND: u64>(l: L, value: &Columns<L>) -> Columns<L> {
    let limbs = mask(l, &value.carried(l).0);
    if cfg!(debug_assertions) {
        Below::<L, FqModulus, BOUND>::new(l, limbs);
    }
    Columns(limbs)
}

/// One, times 2^260.
#[inline(always)]
fn one<L: Lanes, const D: usize>(l: L) -> Factors<L, D> {
    let mut one = [Lazy(Columns::constant(l, &[0; 5]).0); D];
    one[0] = Lazy(Columns::constant(l, &ONE).0);
    one
}

/// 2^260 modulo q: 84 q less than 2^260.
const ONE: Limbs52 = {
    let multiple = Constants::<FqModulus>::multiple(84);
    let (mut limbs, mut carry, mut i) = ([0; 5], 1, 0);
    while i < 5 {
        carry += MASK - multiple[i];
        limbs[i] = carry & MASK;
        carry >>= 52;
        i += 1;
    }
    limbs
};

#[inline(always)]
fn carried<L: Lanes, const D: usize>(l: L, sums: &Sums<L, D>) -> Factors<L, D> {
    let mut factors = [sums[0].carried(l); D];
    for part in 1..D {
        factors[part] = sums[part].carried(l);
    }
    factors
}

#[inline(always)]
fn load<L: Lanes, const D: usize>(l: L, stored: &[Stored; D]) -> Factors<L, D> {
    let mut factors = [Lazy::load(l, &stored[0]); D];
    for part in 1..D {
        factors[part] = Lazy::load(l, &stored[part]);
    }
    factors
}

#[inline(always)]
fn store<L: Lanes, const D: usize>(l: L, factors: &Factors<L, D>, to: &mut [Stored; D]) {
    for part in 0..D {
        factors[part].store(l, &mut to[part]);
    }
}

/// One part of eight coordinates, limbs normalised.
#[inline(always)]
fn gather<L: Lanes>(l: L, addresses: &[u64; LANES], part: usize) -> Columns<L> {
    let parts = addresses.map(|at| at + 32 * part as u64);
    // SAFETY: `Expand` made the addresses from indices within slices whose provenance it exposed,
    // `pad` from the pads; a coordinate has `D` parts of 32 bytes.
    let limbs = unsafe { l.gather(&parts) };
    Columns(mask(l, &Lazy::unpack(l, limbs).0))
}

/// Writes coordinates of normalised limbs.
#[inline(always)]
fn scatter<L: Lanes, const D: usize>(l: L, sums: &Sums<L, D>, addresses: &[u64; LANES]) {
    for (part, sum) in sums.iter().enumerate() {
        let parts = addresses.map(|at| at + 32 * part as u64);
        // SAFETY: as in `gather`, and rows and pads are borrowed to be written.
        unsafe { l.scatter(Lazy(sum.0).pack(l), &parts) };
    }
}

/// A quarter of the inverse of each chain's product; none where one is zero.
#[inline(always)]
fn quarter_inverses<L: Lanes, F: InLanes<D>, const D: usize>(
    l: L,
    chains: &[Factors<L, D>; PAIR],
) -> Option<[Factors<L, D>; PAIR]> {
    let [all, _] = F::products::<L, PAIR>(l, [&chains[0], &chains[0]], [&chains[1], &chains[1]]);
    let mut parts: [Elements; D] = [[[0; 4]; LANES]; D];
    for part in 0..D {
        let canonical = all[part].carried(l).reduced_to_p::<FqModulus>(l);
        l.store_elements(canonical.pack(l), &mut parts[part]);
    }
    let elements =
        core::array::from_fn(|lane| F::of_stored(core::array::from_fn(|part| parts[part][lane])));
    let inverses = coordinate::quarter_inverses(&elements)?;
    for (lane, inverse) in inverses.into_iter().enumerate() {
        for (part, stored) in inverse.to_stored().into_iter().enumerate() {
            parts[part][lane] = stored;
        }
    }
    let mut inverse = one::<L, D>(l);
    for part in 0..D {
        inverse[part] = Lazy::unpack(l, l.load_elements(&parts[part]));
    }
    let z = F::products::<L, PAIR>(l, [&inverse, &inverse], [&chains[1], &chains[0]]);
    Some([carried(l, &z[0]), carried(l, &z[1])])
}
