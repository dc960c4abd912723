//! Many inverses by Montgomery's trick, eight at a time.
//!
//! A run of vectors is walked forward, each lane collecting the product of its elements, and the
//! product before each element is kept. One inversion for all lanes later the run is walked back.
//! A product waits for the one before, so neighbouring vectors belong to four chains, which are
//! joined at the end of a run. Zeros count as ones on both ways, and stay zero.
//!
//! Domains: an element x of R = 2^256, times 16, is x of R = 2^260, and so are products of these
//! by Montgomery's rule. The inverse that the walk back starts from is one of R = 2^256; times
//! anything of R = 2^260 it stays one. Nothing is converted.
//!
//! Bounds: a product of factors below 16p and 2p is below 32 p^2 / 2^260 + p < 1.4 p.
//!
//! Cost for eight: 300 multiply-adds, 150 cycles; for a run, nine products, 21 of single elements
//! and an inversion.

use super::constants::times_2_to_260;
use super::lanes::{Elements, Kernel, LANES, Lanes};
use super::value::{Lazy, Stored};
use super::wide::{Wide, reduced_products};
use crate::field::{Field, Modulus, Montgomery};

/// Vectors that share one inversion. Their products take 80 KiB of the stack.
const RUN: usize = 256;
/// Products in flight.
pub(crate) const CHAINS: usize = 4;

/// `a[i] = 1 / a[i]`; zeros stay zero. Does whole groups of four vectors.
pub(crate) struct InvertEach<'a, M: Modulus> {
    pub(crate) a: &'a mut [[Elements; CHAINS]],
    /// Inverts eight elements that are not zero, one by one.
    pub(crate) invert: fn(&mut [Montgomery<M>; LANES]),
}

impl<M: Modulus> Kernel for InvertEach<'_, M> {
    type Output = ();

    #[expect(clippy::large_stack_arrays, reason = "80 KiB of threads' 2 MiB, once a call")]
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let mut products = [const { Stored([[0; LANES]; 5]) }; RUN];
        let (products, _) = products.as_chunks_mut::<CHAINS>();
        for run in self.a.chunks_mut(RUN / CHAINS) {
            invert_run::<L, M>(l, run, products, self.invert);
        }
    }
}

/// The same for each of the four chains.
macro_rules! chains {
    ($k:ident => $e:expr) => {
        [
            {
                let $k = 0;
                $e
            },
            {
                let $k = 1;
                $e
            },
            {
                let $k = 2;
                $e
            },
            {
                let $k = 3;
                $e
            },
        ]
    };
}

#[inline(always)]
fn invert_run<L: Lanes, M: Modulus>(
    l: L,
    run: &mut [[Elements; CHAINS]],
    products: &mut [[Stored; CHAINS]],
    invert: fn(&mut [Montgomery<M>; LANES]),
) {
    let one = times_2_to_260(Montgomery::<M>::ONE).to_plain();
    let one = Lazy::unpack(l, one.map(|limb| l.splat(limb)));
    let mut t = [one; CHAINS];
    for (x, before) in run.iter().zip(products.iter_mut()) {
        t[0].store(l, &mut before[0]);
        t[1].store(l, &mut before[1]);
        t[2].store(l, &mut before[2]);
        t[3].store(l, &mut before[3]);
        let x = chains!(k => not_zero::<L, M>(l, l.load_elements(&x[k])));
        t = multiply::<L, M, CHAINS>(l, chains!(k => &x[k]), chains!(k => &t[k]));
    }
    t = inverses::<L, M>(l, &t, invert);
    for (x, before) in run.iter_mut().zip(products.iter()).rev() {
        let before = chains!(k => Lazy::load(l, &before[k]));
        let start = Wide::minus_p::<M>(l);
        let (factors, inverse) = (chains!(k => &before[k]), chains!(k => &t[k]));
        let z = reduced_products::<L, M, CHAINS>(l, factors, inverse, &start);
        let words = chains!(k => l.load_elements(&x[k]));
        for k in 0..CHAINS {
            let inverted = z[k].canonical::<M>(l).pack(l);
            l.store_elements(unless_zero(l, words[k], inverted, [l.splat(0); 4]), &mut x[k]);
        }
        let y = chains!(k => not_zero::<L, M>(l, words[k]));
        t = multiply::<L, M, CHAINS>(l, chains!(k => &y[k]), chains!(k => &t[k]));
    }
}

/// Per lane, `words` where `element` is not zero, else `instead`.
#[inline(always)]
fn unless_zero<L: Lanes>(
    l: L,
    element: [L::Word; 4],
    words: [L::Word; 4],
    instead: [L::Word; 4],
) -> [L::Word; 4] {
    let all = l.splat(u64::MAX);
    let any = l.masked_or(element[0], all, element[1]);
    let any = l.masked_or(any, all, l.masked_or(element[2], all, element[3]));
    // Of any and -any one is negative, unless both are zero.
    let sign = l.masked_or(any, all, l.sub(l.splat(0), any));
    [
        l.select_negative(sign, words[0], instead[0]),
        l.select_negative(sign, words[1], instead[1]),
        l.select_negative(sign, words[2], instead[2]),
        l.select_negative(sign, words[3], instead[3]),
    ]
}

/// Elements of R = 2^256 as factors of R = 2^260, ones for zeros.
#[inline(always)]
fn not_zero<L: Lanes, M: Modulus>(l: L, element: [L::Word; 4]) -> Lazy<L> {
    let one = Montgomery::<M>::ONE.to_montgomery().map(|limb| l.splat(limb));
    Lazy::unpack_times_16(l, unless_zero(l, element, element, one))
}

/// a < 16p, b < 2p -> a b / 2^260, < 1.4p.
#[inline(always)]
fn multiply<L: Lanes, M: Modulus, const K: usize>(
    l: L,
    a: [&Lazy<L>; K],
    b: [&Lazy<L>; K],
) -> [Lazy<L>; K] {
    let z = reduced_products::<L, M, K>(l, a, b, &Wide::plain(l));
    let mut products = [z[0].carried(l); K];
    for k in 1..K {
        products[k] = z[k].carried(l);
    }
    products
}

/// Products of R = 2^260 to their inverses of R = 2^256.
#[inline(always)]
fn inverses<L: Lanes, M: Modulus>(
    l: L,
    t: &[Lazy<L>; CHAINS],
    invert: fn(&mut [Montgomery<M>; LANES]),
) -> [Lazy<L>; CHAINS] {
    let [low, high] = multiply::<L, M, 2>(l, [&t[0], &t[2]], [&t[1], &t[3]]);
    let [all] = reduced_products::<L, M, 1>(l, [&low], [&high], &Wide::minus_p::<M>(l));
    let mut elements = [[0; 4]; LANES];
    l.store_elements(all.canonical::<M>(l).pack(l), &mut elements);
    // Read as R = 2^256 they are 16 times too large, and their inverses too small.
    let mut inverted = elements.map(Montgomery::from_stored);
    invert(&mut inverted);
    let sixteen = Montgomery::from_u64(16);
    let elements = inverted.map(|inverse| (inverse * sixteen).to_montgomery());
    let all = Lazy::unpack(l, l.load_elements(&elements));
    let [low, high] = multiply::<L, M, 2>(l, [&all, &all], [&high, &low]);
    let (halves, others) = ([&low, &low, &high, &high], [&t[1], &t[0], &t[3], &t[2]]);
    multiply::<L, M, CHAINS>(l, halves, others)
}
