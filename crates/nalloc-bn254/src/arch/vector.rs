//! Element-wise verbs over eight elements at a time, canonical in and out, R = 2^256.
//!
//! A product costs 105 multiply-adds (52.5 cycles for eight), 16 shuffles in and 8 out, and one
//! conditional subtraction: 16 a times b over 2^260 is a b over 2^256 and below 1.2 p.

use core::marker::PhantomData;

use super::constants::times_2_to_260;
use super::lanes::{Elements, Kernel, Lanes};
use super::product::montgomery;
use super::value::{Below, Lazy};
use crate::field::{Modulus, Montgomery};

/// `a[i] = a[i] * b[i]`.
pub(crate) struct MultiplyEach<'a, M> {
    pub(crate) a: &'a mut [Elements],
    pub(crate) b: &'a [Elements],
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for MultiplyEach<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let (a, last_a) = self.a.as_chunks_mut::<2>();
        let (b, last_b) = self.b.as_chunks::<2>();
        for (a, b) in a.iter_mut().zip(b) {
            let x0 = Lazy::unpack_times_16(l, l.load_elements(&a[0]));
            let x1 = Lazy::unpack_times_16(l, l.load_elements(&a[1]));
            let y0 = Lazy::unpack(l, l.load_elements(&b[0]));
            let y1 = Lazy::unpack(l, l.load_elements(&b[1]));
            let [z0, z1] = montgomery::<L, M, 2>(l, [&x0, &x1], [&y0, &y1]);
            l.store_elements(z0.canonical(l).pack(l), &mut a[0]);
            l.store_elements(z1.canonical(l).pack(l), &mut a[1]);
        }
        for (a, b) in last_a.iter_mut().zip(last_b) {
            let x = Lazy::unpack_times_16(l, l.load_elements(a));
            let y = Lazy::unpack(l, l.load_elements(b));
            let [z] = montgomery::<L, M, 1>(l, [&x], [&y]);
            l.store_elements(z.canonical(l).pack(l), a);
        }
    }
}

/// `a[i] = a[i] * factor`.
pub(crate) struct MultiplyAll<'a, M: Modulus> {
    pub(crate) a: &'a mut [Elements],
    pub(crate) factor: Montgomery<M>,
}

impl<M: Modulus> Kernel for MultiplyAll<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let factor = [times_2_to_260(self.factor).to_plain(); 8];
        let factor = Lazy::unpack(l, l.load_elements(&factor));
        for a in self.a {
            let x = Below::<L, M, 1>::unpack(l, l.load_elements(a)).lazy();
            let [z] = montgomery::<L, M, 1>(l, [&x], [&factor]);
            l.store_elements(z.canonical(l).pack(l), a);
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
