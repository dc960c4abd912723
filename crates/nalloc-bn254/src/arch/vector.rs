//! Verbs over vectors, eight elements at a time; elements are canonical in and out, R = 2^256.
//!
//! | verb | multiply-adds for eight | bound |
//! |---|---|---|
//! | add, subtract, sum | 0 | memory |
//! | multiply by powers | 200, half of them for the next powers | 100 cycles |
//! | inner product | 50, and 50 for every 1024 elements | 25 cycles, or memory |
//!
//! `wide` derives the products and how they become canonical; `multiply` has the other verbs.

use core::marker::PhantomData;

use super::beside::Nothing;
use super::lanes::{Elements, Kernel, LANES, Lanes};
use super::product::montgomery;
use super::value::{Below, Columns, Lazy};
use super::wide::{Wide, reductions};
use crate::field::Modulus;

/// Elements without any, where a reduction starts.
const NONE: Elements = [[0; 4]; LANES];
/// Vectors whose products are added before they are reduced. A half column then is below
/// 128 * 5 * 2^52 and the sum of two below 2^63; 16 times 128 products and the reduction's multiple
/// of p are below 26p, which is below 2^260.
const PRODUCTS_PER_REDUCTION: usize = 128;
/// Vectors that are added before their sum, below 65p, is reduced.
const TERMS_PER_REDUCTION: usize = 64;

/// `a[i] = a[i] + b[i]`.
pub(crate) struct AddEach<'a, M> {
    pub(crate) a: &'a mut [Elements],
    pub(crate) b: &'a [Elements],
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for AddEach<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let minus_p = Columns::minus_p::<M>(l);
        for (a, b) in self.a.iter_mut().zip(self.b) {
            let x = Below::<L, M, 1>::unpack(l, l.load_elements(a)).columns();
            let y = Below::<L, M, 1>::unpack(l, l.load_elements(b)).columns();
            let sum = x.add(l, &minus_p).add(l, &y).canonical::<M>(l);
            l.store_elements(sum.pack(l), a);
        }
    }
}

/// `a[i] = a[i] - b[i]`.
pub(crate) struct SubtractEach<'a, M> {
    pub(crate) a: &'a mut [Elements],
    pub(crate) b: &'a [Elements],
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for SubtractEach<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        for (a, b) in self.a.iter_mut().zip(self.b) {
            let x = Below::<L, M, 1>::unpack(l, l.load_elements(a)).columns();
            let y = Below::<L, M, 1>::unpack(l, l.load_elements(b)).columns();
            l.store_elements(x.sub(l, &y).canonical::<M>(l).pack(l), a);
        }
    }
}

/// The sums of `a[i] * b[i]`, element by element of the eight.
pub(crate) struct InnerProduct<'a, M> {
    pub(crate) a: &'a [Elements],
    pub(crate) b: &'a [Elements],
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for InnerProduct<'_, M> {
    type Output = Elements;

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) -> Elements {
        let zero = l.splat(0);
        let mut total = Total::<L, M>::new(l);
        let pieces = self.a.chunks(PRODUCTS_PER_REDUCTION);
        for (a, b) in pieces.zip(self.b.chunks(PRODUCTS_PER_REDUCTION)) {
            let (mut low, mut high) = ([zero; 9], [zero; 9]);
            for (a, b) in a.iter().zip(b) {
                let x = Lazy::unpack_times_16(l, l.load_elements(a));
                let y = Lazy::unpack(l, l.load_elements(b));
                x.accumulate(l, &y, &mut low, &mut high);
            }
            let t = [Wide::of_halves(l, &low, &high)];
            let [sum] = reductions::<L, M, 1, _>(l, &t, &mut Nothing);
            total.add(l, &sum);
        }
        total.elements(l)
    }
}

/// The sums of `a[i]`, element by element of the eight.
pub(crate) struct Sum<'a, M> {
    pub(crate) a: &'a [Elements],
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for Sum<'_, M> {
    type Output = Elements;

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) -> Elements {
        let mut total = Total::<L, M>::new(l);
        for a in self.a.chunks(TERMS_PER_REDUCTION) {
            let mut sum = Columns::constant(l, &[0; 5]);
            for a in a {
                sum = sum.add(l, &Below::<L, M, 1>::unpack(l, l.load_elements(a)).columns());
            }
            total.add(l, &sum);
        }
        total.elements(l)
    }
}

/// Eight sums so far, below 2p.
struct Total<L: Lanes, M>(Below<L, M, 2>);

impl<L: Lanes, M: Modulus> Total<L, M> {
    #[inline(always)]
    fn new(l: L) -> Self {
        Self(Below::unpack(l, l.load_elements(&NONE)))
    }

    /// `columns` are not negative and below 80p.
    #[inline(always)]
    fn add(&mut self, l: L, columns: &Columns<L>) {
        self.0 = self.0.columns().add(l, columns).carried(l).reduced(l);
    }

    #[inline(always)]
    fn elements(&self, l: L) -> Elements {
        let mut elements = NONE;
        l.store_elements(self.0.canonical(l).pack(l), &mut elements);
        elements
    }
}

/// `a[i] = a[i] * power i`, two vectors at a time.
pub(crate) struct MultiplyByPowers<'a, M> {
    pub(crate) a: &'a mut [[Elements; 2]],
    /// The first sixteen powers, times 2^260.
    pub(crate) powers: [Elements; 2],
    /// What leads to the next sixteen, times 2^260.
    pub(crate) step: Elements,
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for MultiplyByPowers<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let step = Lazy::unpack(l, l.load_elements(&self.step));
        let mut p0 = Lazy::unpack(l, l.load_elements(&self.powers[0]));
        let mut p1 = Lazy::unpack(l, l.load_elements(&self.powers[1]));
        for pair in self.a {
            let x0 = Lazy::unpack(l, l.load_elements(&pair[0]));
            let x1 = Lazy::unpack(l, l.load_elements(&pair[1]));
            let powers = [&p0, &p1, &p0, &p1];
            let [y0, y1, q0, q1] = montgomery::<L, M, 4>(l, powers, [&x0, &x1, &step, &step]);
            l.store_elements(y0.canonical(l).pack(l), &mut pair[0]);
            l.store_elements(y1.canonical(l).pack(l), &mut pair[1]);
            (p0, p1) = (q0.lazy(), q1.lazy());
        }
    }
}

/// For each column of a block, four starts and a step: writes start, start * step, .. row by row.
pub(crate) struct PowerRows<'a, M> {
    /// Four rows at once: rows 0 .. 3.
    pub(crate) starts: [Elements; 4],
    /// The fourth power of each column's ratio, times 2^260.
    pub(crate) step: Elements,
    pub(crate) rows: &'a mut [Elements],
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for PowerRows<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let step = Lazy::unpack(l, l.load_elements(&self.step));
        let mut x0 = Lazy::unpack(l, l.load_elements(&self.starts[0]));
        let mut x1 = Lazy::unpack(l, l.load_elements(&self.starts[1]));
        let mut x2 = Lazy::unpack(l, l.load_elements(&self.starts[2]));
        let mut x3 = Lazy::unpack(l, l.load_elements(&self.starts[3]));
        let (groups, _) = self.rows.as_chunks_mut::<4>();
        if let Some(first) = groups.first_mut() {
            *first = self.starts;
        }
        for rows in groups.iter_mut().skip(1) {
            let x = [&x0, &x1, &x2, &x3];
            let [y0, y1, y2, y3] = montgomery::<L, M, 4>(l, x, [&step, &step, &step, &step]);
            let (y0, y1) = (y0.canonical(l), y1.canonical(l));
            let (y2, y3) = (y2.canonical(l), y3.canonical(l));
            l.store_elements(y0.pack(l), &mut rows[0]);
            l.store_elements(y1.pack(l), &mut rows[1]);
            l.store_elements(y2.pack(l), &mut rows[2]);
            l.store_elements(y3.pack(l), &mut rows[3]);
            (x0, x1, x2, x3) = (y0.lazy(), y1.lazy(), y2.lazy(), y3.lazy());
        }
    }
}
