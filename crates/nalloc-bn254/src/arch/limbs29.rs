//! Field arithmetic in nine limbs of 29 bits, four elements at a time, for CPUs with AVX2 and
//! without 52-bit products. Elements in memory are those of plain Rust, R = 2^256.
//!
//! A product by 2^-261 of a and 32 b is one by 2^-256. Its nine rows are nine products by a limb of
//! a, one that finds the multiple of p which clears the lowest column, and nine by that multiple:
//! 171 multiplications for four elements, two of which begin in a cycle, and as many additions.
//!
//! Bounds, with 2^261 = 169.4 p: a column is a sum of at most 18 products below 2^58 and a carry,
//! below 2^63; a result is below a b / 2^261 + p, 1.19 p for a and b below p and 32 p, and 1.76 p
//! for 4p and 32 p, what a butterfly has. Limbs of sums and differences stay within 31 bits and a
//! sign, which is what `sar` asks for. Debug builds assert every result.

use core::marker::PhantomData;

use super::lanes::Elements;
use super::narrow::{Four, LANES, NarrowKernel, NarrowLanes};
use crate::field::Modulus;

/// Limbs of an element.
const LIMBS: usize = 9;
/// The low 29 bits of a word.
const MASK: u64 = (1 << 29) - 1;

/// Four elements, limbs of exactly 29 bits.
#[derive(Clone, Copy)]
struct Limbs29<L: NarrowLanes>([L::Word; LIMBS]);

impl<L: NarrowLanes> Limbs29<L> {
    /// The same; a debug build asserts that it is below `bound` * p in every lane.
    #[inline(always)]
    fn below<M: Modulus>(self, l: L, bound: u64) -> Self {
        if cfg!(debug_assertions) {
            assert_below::<L, M>(l, &self, bound);
        }
        self
    }
}

/// Panics unless every lane's limbs have at most 29 bits and its value is below `bound` * p.
#[cold]
fn assert_below<L: NarrowLanes, M: Modulus>(l: L, value: &Limbs29<L>, bound: u64) {
    let (words, max) = (value.0.map(|limb| l.words(limb)), split(&M::LIMBS, bound));
    for lane in 0..LANES {
        let value = words.map(|limb| limb[lane]);
        assert!(value.iter().all(|limb| *limb <= MASK), "lane {lane}: a limb above 29 bits");
        assert!(value.iter().rev().lt(max.iter().rev()), "lane {lane}: not below {bound} p");
    }
}

/// The constants of one modulus p.
struct Constants<M>(PhantomData<M>);

impl<M: Modulus> Constants<M> {
    const P: [u64; LIMBS] = split(&M::LIMBS, 1);
    const TWO_P: [u64; LIMBS] = split(&M::LIMBS, 2);
    /// -1/p modulo 2^29.
    const MINUS_INVERSE: u64 = {
        // Newton: each step doubles the number of right bits; 1 is right in one bit.
        let (mut inverse, mut step) = (1u64, 0);
        while step < 5 {
            let error = 2u64.wrapping_sub(Self::P[0].wrapping_mul(inverse));
            inverse = inverse.wrapping_mul(error);
            step += 1;
        }
        inverse.wrapping_neg() & MASK
    };
}

/// `factor` * x in limbs of 29 bits.
const fn split(x: &[u64; 4], factor: u64) -> [u64; LIMBS] {
    let (mut limbs, mut carry, mut i) = ([0; LIMBS], 0, 0);
    while i < LIMBS {
        let (word, bit) = (29 * i / 64, 29 * i % 64);
        let mut part = x[word] >> bit;
        if bit > 64 - 29 && word < 3 {
            part |= x[word + 1] << (64 - bit);
        }
        carry += (part & MASK) * factor;
        limbs[i] = carry & MASK;
        carry >>= 29;
        i += 1;
    }
    limbs
}

/// The same operation on each limb.
macro_rules! limbwise {
    ($i:ident => $e:expr) => {{
        let mut limbs = [{
            let $i = 0;
            $e
        }; LIMBS];
        limbwise!(@ limbs $i => $e; 1 2 3 4 5 6 7 8);
        limbs
    }};
    (@ $limbs:ident $i:ident => $e:expr; $($index:literal)*) => {
        $(
            $limbs[$index] = {
                let $i = $index;
                $e
            };
        )*
    };
}

/// Moves what limbs hold above 29 bits, or below zero, to the next one.
#[inline(always)]
fn carried<L: NarrowLanes>(l: L, limbs: &[L::Word; LIMBS]) -> Limbs29<L> {
    let (mut t, low) = (*limbs, l.splat(MASK));
    for i in 0..LIMBS - 1 {
        t[i + 1] = l.add(t[i + 1], l.sar::<29>(t[i]));
        t[i] = l.and(t[i], low);
    }
    Limbs29(t)
}

impl<L: NarrowLanes> Limbs29<L> {
    /// Elements from memory, as they are.
    #[inline(always)]
    fn unpack(l: L, w: [L::Word; 4]) -> Self {
        let low = l.splat(MASK);
        Self([
            l.and(w[0], low),
            l.and(l.shr::<29>(w[0]), low),
            l.and(l.or(l.shr::<58>(w[0]), l.shl::<6>(w[1])), low),
            l.and(l.shr::<23>(w[1]), low),
            l.and(l.or(l.shr::<52>(w[1]), l.shl::<12>(w[2])), low),
            l.and(l.shr::<17>(w[2]), low),
            l.and(l.or(l.shr::<46>(w[2]), l.shl::<18>(w[3])), low),
            l.and(l.shr::<11>(w[3]), low),
            l.shr::<40>(w[3]),
        ])
    }

    /// 32 times the elements from memory.
    #[inline(always)]
    fn unpack_times_32(l: L, w: [L::Word; 4]) -> Self {
        let low = l.splat(MASK);
        Self([
            l.and(l.shl::<5>(w[0]), low),
            l.and(l.shr::<24>(w[0]), low),
            l.and(l.or(l.shr::<53>(w[0]), l.shl::<11>(w[1])), low),
            l.and(l.shr::<18>(w[1]), low),
            l.and(l.or(l.shr::<47>(w[1]), l.shl::<17>(w[2])), low),
            l.and(l.shr::<12>(w[2]), low),
            l.and(l.or(l.shr::<41>(w[2]), l.shl::<23>(w[3])), low),
            l.and(l.shr::<6>(w[3]), low),
            l.shr::<35>(w[3]),
        ])
    }

    /// To memory; values below 2^256.
    #[inline(always)]
    fn pack(&self, l: L) -> [L::Word; 4] {
        let e = &self.0;
        [
            l.or(e[0], l.or(l.shl::<29>(e[1]), l.shl::<58>(e[2]))),
            l.or(l.shr::<6>(e[2]), l.or(l.shl::<23>(e[3]), l.shl::<52>(e[4]))),
            l.or(l.shr::<12>(e[4]), l.or(l.shl::<17>(e[5]), l.shl::<46>(e[6]))),
            l.or(l.shr::<18>(e[6]), l.or(l.shl::<11>(e[7]), l.shl::<40>(e[8]))),
        ]
    }

    /// a < 2p -> a - p where that is not negative, else a; < p.
    #[inline(always)]
    fn canonical<M: Modulus>(&self, l: L) -> Self {
        self.without(l, &Constants::<M>::P).below::<M>(l, 1)
    }

    /// a < 4p -> a - 2p where that is not negative, else a; < 2p.
    #[inline(always)]
    fn halved<M: Modulus>(&self, l: L) -> Self {
        self.without(l, &Constants::<M>::TWO_P).below::<M>(l, 2)
    }

    /// a - `subtrahend` where that is not negative, else a.
    #[inline(always)]
    fn without(&self, l: L, subtrahend: &[u64; LIMBS]) -> Self {
        let less = limbwise!(i => l.sub(self.0[i], l.splat(subtrahend[i])));
        let less = carried(l, &less).0;
        let sign = less[LIMBS - 1];
        Self(limbwise!(i => l.select_negative(sign, self.0[i], less[i])))
    }

    /// a, b < 2p -> a + b, < 4p.
    #[inline(always)]
    fn plus<M: Modulus>(&self, l: L, b: &Self) -> Self {
        carried(l, &limbwise!(i => l.add(self.0[i], b.0[i]))).below::<M>(l, 4)
    }

    /// a, b < 2p -> a + 2p - b, < 4p.
    #[inline(always)]
    fn minus<M: Modulus>(&self, l: L, b: &Self) -> Self {
        let two_p = &Constants::<M>::TWO_P;
        let difference = limbwise!(i => l.sub(l.add(self.0[i], l.splat(two_p[i])), b.0[i]));
        carried(l, &difference).below::<M>(l, 4)
    }
}

/// Adds x y to nine columns, and the multiple of p that clears the first; they move down by one.
#[inline(always)]
fn row<L: NarrowLanes, M: Modulus>(
    l: L,
    t: &[L::Word; LIMBS],
    x: L::Word,
    y: &[L::Word; LIMBS],
) -> [L::Word; LIMBS] {
    let p = limbwise!(j => l.splat(Constants::<M>::P[j]));
    let c = limbwise!(j => l.add(t[j], l.mul(x, y[j])));
    let m = l.mul(c[0], l.splat(Constants::<M>::MINUS_INVERSE));
    let m = l.and(m, l.splat(MASK));
    let carry = l.shr::<29>(l.add(c[0], l.mul(m, p[0])));
    [
        l.add(l.add(c[1], l.mul(m, p[1])), carry),
        l.add(c[2], l.mul(m, p[2])),
        l.add(c[3], l.mul(m, p[3])),
        l.add(c[4], l.mul(m, p[4])),
        l.add(c[5], l.mul(m, p[5])),
        l.add(c[6], l.mul(m, p[6])),
        l.add(c[7], l.mul(m, p[7])),
        l.add(c[8], l.mul(m, p[8])),
        l.splat(0),
    ]
}

/// Two products a b / 2^261, below a b / 2^261 + p; 171 multiplications each.
///
/// They are interleaved, because a row waits for the one before: 13 cycles with hardly any work.
#[inline(always)]
fn products<L: NarrowLanes, M: Modulus>(
    l: L,
    [a0, a1]: [&Limbs29<L>; 2],
    [b0, b1]: [&Limbs29<L>; 2],
) -> [Limbs29<L>; 2] {
    let (mut t0, mut t1) = ([l.splat(0); LIMBS], [l.splat(0); LIMBS]);
    // A macro: in a loop the columns move through memory, and wait for it.
    macro_rules! rows {
        ($($i:literal)*) => {
            $(
                t0 = row::<L, M>(l, &t0, a0.0[$i], &b0.0);
                t1 = row::<L, M>(l, &t1, a1.0[$i], &b1.0);
            )*
        };
    }
    rows!(0 1 2 3 4 5 6 7 8);
    let low = l.splat(MASK);
    for t in [&mut t0, &mut t1] {
        for i in 0..LIMBS - 1 {
            t[i + 1] = l.add(t[i + 1], l.shr::<29>(t[i]));
            t[i] = l.and(t[i], low);
        }
    }
    [Limbs29(t0).below::<M>(l, 2), Limbs29(t1).below::<M>(l, 2)]
}

/// Both fours of eight elements.
#[inline(always)]
fn halves(elements: &Elements) -> &[Four; 2] {
    let (halves, _) = elements.as_chunks();
    halves.first_chunk().expect("eight elements are two fours")
}

#[inline(always)]
fn load<L: NarrowLanes>(l: L, elements: &Elements) -> [Limbs29<L>; 2] {
    let [a, b] = halves(elements);
    [Limbs29::unpack(l, l.load(a)), Limbs29::unpack(l, l.load(b))]
}

#[inline(always)]
fn load_times_32<L: NarrowLanes>(l: L, elements: &Elements) -> [Limbs29<L>; 2] {
    let [a, b] = halves(elements);
    [Limbs29::unpack_times_32(l, l.load(a)), Limbs29::unpack_times_32(l, l.load(b))]
}

#[inline(always)]
fn store<L: NarrowLanes>(l: L, values: [Limbs29<L>; 2], to: &mut Elements) {
    let (halves, _) = to.as_chunks_mut();
    for (value, to) in values.iter().zip(halves) {
        l.store(value.pack(l), to);
    }
}

/// `a[i] = a[i] * b[i]`.
pub(crate) struct MultiplyEach<'a, M> {
    pub(crate) a: &'a mut [Elements],
    pub(crate) b: &'a [Elements],
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> NarrowKernel for MultiplyEach<'_, M> {
    #[inline(always)]
    fn run<L: NarrowLanes>(self, l: L) {
        for (a, b) in self.a.iter_mut().zip(self.b) {
            let ([x0, x1], [y0, y1]) = (load(l, a), load_times_32(l, b));
            let [z0, z1] = products::<L, M>(l, [&x0, &x1], [&y0, &y1]);
            store(l, [z0.canonical::<M>(l), z1.canonical::<M>(l)], a);
        }
    }
}

/// `a[i] = a[i] * factor`.
pub(crate) struct MultiplyAll<'a, M> {
    pub(crate) a: &'a mut [Elements],
    /// In every place.
    pub(crate) factor: &'a Elements,
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> NarrowKernel for MultiplyAll<'_, M> {
    #[inline(always)]
    fn run<L: NarrowLanes>(self, l: L) {
        let [y0, y1] = load_times_32(l, self.factor);
        for a in self.a {
            let [x0, x1] = load(l, a);
            let [z0, z1] = products::<L, M>(l, [&x0, &x1], [&y0, &y1]);
            store(l, [z0.canonical::<M>(l), z1.canonical::<M>(l)], a);
        }
    }
}

/// `a[i] = a[i] * a[i]`.
pub(crate) struct SquareEach<'a, M> {
    pub(crate) a: &'a mut [Elements],
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> NarrowKernel for SquareEach<'_, M> {
    #[inline(always)]
    fn run<L: NarrowLanes>(self, l: L) {
        for a in self.a {
            let ([x0, x1], [y0, y1]) = (load(l, a), load_times_32(l, a));
            let [z0, z1] = products::<L, M>(l, [&x0, &x1], [&y0, &y1]);
            store(l, [z0.canonical::<M>(l), z1.canonical::<M>(l)], a);
        }
    }
}

/// (l, h) -> (l + w h, l - w h), values below 4p, as plain Rust does it.
pub(crate) struct ForwardButterflies<'a, M> {
    pub(crate) low: &'a mut [Elements],
    pub(crate) high: &'a mut [Elements],
    pub(crate) roots: &'a [Elements],
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> NarrowKernel for ForwardButterflies<'_, M> {
    #[inline(always)]
    fn run<L: NarrowLanes>(self, l: L) {
        for ((low, high), roots) in self.low.iter_mut().zip(self.high).zip(self.roots) {
            let ([h0, h1], [w0, w1]) = (load(l, high), load_times_32(l, roots));
            let [t0, t1] = products::<L, M>(l, [&h0, &h1], [&w0, &w1]);
            let [l0, l1] = load(l, low);
            let (l0, l1) = (l0.halved::<M>(l), l1.halved::<M>(l));
            store(l, [l0.plus::<M>(l, &t0), l1.plus::<M>(l, &t1)], low);
            store(l, [l0.minus::<M>(l, &t0), l1.minus::<M>(l, &t1)], high);
        }
    }
}

/// (l, h) -> (l + h, (h - l) w), values below 2p; the last root is that of the first pair.
pub(crate) struct InverseButterflies<'a, M> {
    pub(crate) low: &'a mut [Elements],
    pub(crate) high: &'a mut [Elements],
    pub(crate) roots: &'a [Elements],
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> NarrowKernel for InverseButterflies<'_, M> {
    #[inline(always)]
    fn run<L: NarrowLanes>(self, l: L) {
        for ((low, high), roots) in self.low.iter_mut().zip(self.high).zip(self.roots.iter().rev())
        {
            let [last, first] = halves(roots);
            let w0 = Limbs29::unpack_times_32(l, l.load_backwards(first));
            let w1 = Limbs29::unpack_times_32(l, l.load_backwards(last));
            let ([l0, l1], [h0, h1]) = (load(l, low), load(l, high));
            let (d0, d1) = (h0.minus::<M>(l, &l0), h1.minus::<M>(l, &l1));
            let [t0, t1] = products::<L, M>(l, [&d0, &d1], [&w0, &w1]);
            let (s0, s1) = (l0.plus::<M>(l, &h0), l1.plus::<M>(l, &h1));
            store(l, [s0.halved::<M>(l), s1.halved::<M>(l)], low);
            store(l, [t0, t1], high);
        }
    }
}
