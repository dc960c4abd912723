//! Eight field elements as five vectors of limbs: how they are stored, moved and multiplied.
//!
//! [`Below`] has limbs of exactly 52 bits and a bound in its type. [`Lazy`] is what butterflies
//! work on: bits 52 and up of a limb are noise, which products ignore and [`Lazy::masked`] removes;
//! its bounds depend on the layer and are derived in docs/ifma-bounds.md. [`Columns`] are sums that
//! have not been carried yet; limbs may be negative.

use core::marker::PhantomData;

use super::constants::{Constants, Limbs52, MASK};
use super::lanes::{LANES, Lanes};
use crate::field::Modulus;

/// Limbs of eight elements.
pub(crate) type Limbs<L> = [<L as Lanes>::Word; 5];

/// Eight elements of 52-bit limbs in memory.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Stored(pub(crate) [[u64; LANES]; 5]);

// SAFETY: forty integers without padding: 320 bytes are a multiple of the alignment.
unsafe impl nalloc::Zeroable for Stored {}
const _: () = assert!(size_of::<Stored>() == 320);

impl Stored {
    /// Asks for it in the nearest cache.
    #[inline(always)]
    pub(super) fn prefetch<L: Lanes>(&self, l: L) {
        for limb in &self.0 {
            l.prefetch_near(limb.as_ptr().cast());
        }
    }
}

/// Values below `BOUND` * p, limbs normalised to 52 bits.
#[derive(Clone, Copy)]
pub(crate) struct Below<L: Lanes, M, const BOUND: u64>(pub(super) Limbs<L>, PhantomData<M>);

/// Values below 2^260 whose limbs have noise above 52 bits.
#[derive(Clone, Copy)]
pub(crate) struct Lazy<L: Lanes>(pub(super) Limbs<L>);

/// Sums of limbs, not carried: signed.
#[derive(Clone, Copy)]
pub(crate) struct Columns<L: Lanes>(pub(super) Limbs<L>);

/// The same operation on each limb.
macro_rules! limbwise {
    ($i:ident => $e:expr) => {
        [
            {
                let $i = 0;
                $e
            },
            {
                let $i = 1;
                $e
            },
            {
                let $i = 2;
                $e
            },
            {
                let $i = 3;
                $e
            },
            {
                let $i = 4;
                $e
            },
        ]
    };
}

/// A constant in every lane.
#[inline(always)]
pub(super) fn splat<L: Lanes>(l: L, limbs: &Limbs52) -> Limbs<L> {
    limbwise!(i => l.splat(limbs[i]))
}

/// The low 52 bits of every limb.
#[inline(always)]
pub(super) fn mask<L: Lanes>(l: L, limbs: &Limbs<L>) -> Limbs<L> {
    let low = l.splat(MASK);
    limbwise!(i => l.and(limbs[i], low))
}

/// Moves what limbs hold above 52 bits, or below zero, to the next one; the noise stays.
#[inline(always)]
pub(super) fn carried<L: Lanes>(l: L, t: &Limbs<L>) -> Limbs<L> {
    let t1 = l.add(t[1], l.sar::<52>(t[0]));
    let t2 = l.add(t[2], l.sar::<52>(t1));
    let t3 = l.add(t[3], l.sar::<52>(t2));
    let t4 = l.add(t[4], l.sar::<52>(t3));
    [t[0], t1, t2, t3, t4]
}

impl<L: Lanes, M: Modulus, const BOUND: u64> Below<L, M, BOUND> {
    /// Limbs whose bound the caller has derived.
    #[inline(always)]
    pub(super) fn new(l: L, limbs: Limbs<L>) -> Self {
        if cfg!(debug_assertions) {
            assert_below::<L, M>(l, &limbs, BOUND);
        }
        Self(limbs, PhantomData)
    }

    /// Elements from memory, as they are: below p if canonical.
    #[inline(always)]
    pub(crate) fn unpack(l: L, limbs: [L::Word; 4]) -> Self {
        let low = l.splat(MASK);
        let limbs = [
            l.and(limbs[0], low),
            l.and(l.funnel::<52>(limbs[0], limbs[1]), low),
            l.and(l.funnel::<40>(limbs[1], limbs[2]), low),
            l.and(l.funnel::<28>(limbs[2], limbs[3]), low),
            l.shr::<16>(limbs[3]),
        ];
        Self::new(l, limbs)
    }

    /// To memory. Values must be below 2^256: `BOUND` at most 5.
    #[inline(always)]
    pub(crate) fn pack(&self, l: L) -> [L::Word; 4] {
        const { assert!(BOUND <= 5, "the value may not fit 256 bits") };
        let e = &self.0;
        let all = l.splat(u64::MAX);
        [
            l.masked_or(e[0], all, l.shl::<52>(e[1])),
            l.masked_or(l.shr::<12>(e[1]), all, l.shl::<40>(e[2])),
            l.masked_or(l.shr::<24>(e[2]), all, l.shl::<28>(e[3])),
            l.masked_or(l.shr::<36>(e[3]), all, l.shl::<16>(e[4])),
        ]
    }

    /// As a summand.
    #[inline(always)]
    pub(crate) fn columns(&self) -> Columns<L> {
        Columns(self.0)
    }

    /// As a factor or a summand of lazy arithmetic.
    #[inline(always)]
    pub(crate) fn lazy(&self) -> Lazy<L> {
        Lazy(self.0)
    }
}

impl<L: Lanes, M: Modulus> Below<L, M, 2> {
    /// a < 2p -> the same modulo p, < p.
    #[inline(always)]
    pub(crate) fn canonical(&self, l: L) -> Below<L, M, 1> {
        let p = splat(l, &Constants::<M>::P);
        let less = carried(l, &limbwise!(i => l.sub(self.0[i], p[i])));
        let rest = mask(l, &less);
        Below::new(l, limbwise!(i => l.select_negative(less[4], self.0[i], rest[i])))
    }
}

/// Panics unless every lane's limbs are normalised and its value is below `bound` * p.
#[cold]
fn assert_below<L: Lanes, M: Modulus>(l: L, limbs: &Limbs<L>, bound: u64) {
    let mut words = [[0; LANES]; 5];
    for (limb, words) in limbs.iter().zip(&mut words) {
        l.store(*limb, words);
    }
    let max = Constants::<M>::multiple(bound);
    for lane in 0..LANES {
        let value = words.map(|limb| limb[lane]);
        assert!(value.iter().all(|limb| *limb <= MASK), "lane {lane}: a limb above 52 bits");
        assert!(value.iter().rev().lt(max.iter().rev()), "lane {lane}: not below {bound} p");
    }
}

impl<L: Lanes> Lazy<L> {
    /// Panics unless every lane's value, without the noise, is in [low, high).
    #[cold]
    pub(super) fn assert_within(&self, l: L, low: &Limbs52, high: &Limbs52) {
        let mut words = [[0; LANES]; 5];
        for (limb, words) in mask(l, &self.0).iter().zip(&mut words) {
            l.store(*limb, words);
        }
        for lane in 0..LANES {
            let value = words.map(|limb| limb[lane]);
            let is_within =
                value.iter().rev().ge(low.iter().rev()) && value.iter().rev().lt(high.iter().rev());
            assert!(is_within, "lane {lane}: expected a value in {low:x?} .. {high:x?}");
        }
    }

    #[inline(always)]
    pub(crate) fn load(l: L, from: &Stored) -> Self {
        Self(limbwise!(i => l.load(&from.0[i])))
    }

    #[inline(always)]
    pub(crate) fn store(&self, l: L, to: &mut Stored) {
        l.store(self.0[0], &mut to.0[0]);
        l.store(self.0[1], &mut to.0[1]);
        l.store(self.0[2], &mut to.0[2]);
        l.store(self.0[3], &mut to.0[3]);
        l.store(self.0[4], &mut to.0[4]);
    }

    /// A factor whose noise only a product may see.
    #[inline(always)]
    pub(crate) fn unpack(l: L, limbs: [L::Word; 4]) -> Self {
        Self([
            limbs[0],
            l.funnel::<52>(limbs[0], limbs[1]),
            l.funnel::<40>(limbs[1], limbs[2]),
            l.funnel::<28>(limbs[2], limbs[3]),
            l.shr::<16>(limbs[3]),
        ])
    }

    /// x * 16, so that a Montgomery product by 2^-260 is one by 2^-256. x < p -> < 16p.
    #[inline(always)]
    pub(crate) fn unpack_times_16(l: L, limbs: [L::Word; 4]) -> Self {
        Self([
            l.shl::<4>(limbs[0]),
            l.funnel::<48>(limbs[0], limbs[1]),
            l.funnel::<36>(limbs[1], limbs[2]),
            l.funnel::<24>(limbs[2], limbs[3]),
            l.shr::<12>(limbs[3]),
        ])
    }

    /// x * 4, so that the Montgomery square by 2^-260 is one by 2^-256. x < p -> < 4p.
    #[inline(always)]
    pub(crate) fn unpack_times_4(l: L, limbs: [L::Word; 4]) -> Self {
        Self([
            l.shl::<2>(limbs[0]),
            l.funnel::<50>(limbs[0], limbs[1]),
            l.funnel::<38>(limbs[1], limbs[2]),
            l.funnel::<26>(limbs[2], limbs[3]),
            l.shr::<14>(limbs[3]),
        ])
    }

    /// Without the noise.
    #[inline(always)]
    pub(crate) fn masked(&self, l: L) -> Columns<L> {
        Columns(mask(l, &self.0))
    }

    /// a < 2^260 -> 20p + [0, 11.6p), by the top 3 bits.
    #[inline(always)]
    pub(crate) fn reduced_to_32p<M: Modulus>(&self, l: L) -> Columns<L> {
        let limbs = mask(l, &self.0);
        let index = l.shr::<49>(limbs[4]);
        let table = &Constants::<M>::REDUCE_3.0;
        Columns(limbwise!(i => l.add(limbs[i], l.look_up_8(&table[i], index))))
    }

    /// a < 2^260 -> [0, 6.3p), modulo 2^260, by the top 4 bits.
    #[inline(always)]
    pub(crate) fn reduced_to_7p<M: Modulus>(&self, l: L) -> Columns<L> {
        let limbs = mask(l, &self.0);
        let index = l.shr::<48>(limbs[4]);
        let table = &Constants::<M>::REDUCE_4.0;
        Columns(limbwise!(i => l.add(limbs[i], l.look_up_16(&table[i], index))))
    }

    /// a < 2^260 -> the same modulo p, < 2p: the quotient by p from the top limb is at most 1 less
    /// than the true one.
    #[inline(always)]
    pub(crate) fn reduced<M: Modulus>(&self, l: L) -> Below<L, M, 2> {
        let mut r = mask(l, &self.0);
        let minus_p = splat(l, &Constants::<M>::MINUS_P);
        let quotient = l.madd_high(l.splat(0), r[4], l.splat(Constants::<M>::QUOTIENT));
        let quotient = l.shr::<6>(quotient);
        r[0] = l.madd_low(r[0], quotient, minus_p[0]);
        r[1] = l.madd_high(r[1], quotient, minus_p[0]);
        r[1] = l.madd_low(r[1], quotient, minus_p[1]);
        r[2] = l.madd_high(r[2], quotient, minus_p[1]);
        r[2] = l.madd_low(r[2], quotient, minus_p[2]);
        r[3] = l.madd_high(r[3], quotient, minus_p[2]);
        r[3] = l.madd_low(r[3], quotient, minus_p[3]);
        r[4] = l.madd_high(r[4], quotient, minus_p[3]);
        r[4] = l.madd_low(r[4], quotient, minus_p[4]);
        Below::new(l, mask(l, &carried(l, &r)))
    }
}

impl<L: Lanes> Lazy<L> {
    /// a < 2^260 -> the same modulo p, < p: one more than the quotient of
    /// [`reduced`](Self::reduced) brings it to [-p, p), and bit 259 says where p is missing.
    #[inline(always)]
    pub(crate) fn reduced_to_p<M: Modulus>(&self, l: L) -> Self {
        let mut r = mask(l, &self.0);
        let minus_p = splat(l, &Constants::<M>::MINUS_P);
        let quotient = l.madd_high(l.splat(1 << 6), r[4], l.splat(Constants::<M>::QUOTIENT));
        let quotient = l.shr::<6>(quotient);
        r[0] = l.madd_low(r[0], quotient, minus_p[0]);
        r[1] = l.madd_high(r[1], quotient, minus_p[0]);
        r[1] = l.madd_low(r[1], quotient, minus_p[1]);
        r[2] = l.madd_high(r[2], quotient, minus_p[1]);
        r[2] = l.madd_low(r[2], quotient, minus_p[2]);
        r[3] = l.madd_high(r[3], quotient, minus_p[2]);
        r[3] = l.madd_low(r[3], quotient, minus_p[3]);
        r[4] = l.madd_high(r[4], quotient, minus_p[3]);
        r[4] = l.madd_low(r[4], quotient, minus_p[4]);
        let sign = l.shl::<12>(carried(l, &r)[4]);
        let p = splat(l, &Constants::<M>::P);
        let limbs = carried(l, &limbwise!(i => l.add_where_negative(sign, r[i], p[i])));
        if cfg!(debug_assertions) {
            assert_below::<L, M>(l, &mask(l, &limbs), 1);
        }
        Self(limbs)
    }
}

impl<L: Lanes> Columns<L> {
    #[inline(always)]
    pub(crate) fn constant(l: L, limbs: &Limbs52) -> Self {
        Self(splat(l, limbs))
    }

    #[inline(always)]
    pub(crate) fn add(&self, l: L, other: &Self) -> Self {
        Self(limbwise!(i => l.add(self.0[i], other.0[i])))
    }

    #[inline(always)]
    pub(crate) fn sub(&self, l: L, other: &Self) -> Self {
        Self(limbwise!(i => l.sub(self.0[i], other.0[i])))
    }

    /// The caller has derived that the sum is not negative and below 2^260.
    #[inline(always)]
    pub(crate) fn carried(&self, l: L) -> Lazy<L> {
        let limbs = carried(l, &self.0);
        Lazy(limbs)
    }
}
