//! Products over vectors, eight elements at a time; elements are canonical in and out, R = 2^256.
//!
//! | verb | multiply-adds for eight | bound |
//! |---|---|---|
//! | multiply, multiply by one factor | 100 | 50 cycles |
//! | square | 80 | 40 cycles |
//!
//! `wide` derives the products and how they become canonical. Pairs of vectors follow each other as
//! `beside` says.

use core::array;
use core::marker::PhantomData;

use super::beside::{Beside, Nothing, Settling};
use super::constants::times_2_to_260;
use super::lanes::{Elements, Kernel, LANES, Lanes};
use super::value::{Columns, Lazy};
use super::wide::{Wide, reduced_pair, reductions, squares};
use crate::field::{Modulus, Montgomery};

/// Two vectors, which are multiplied at once.
type Pair = [Elements; 2];

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
        let (b, last_b) = self.b.as_chunks();
        let (a, last_a) = self.a.as_chunks_mut();
        let modulus = PhantomData::<M>;
        l.call(InPlace { a, verb: By(b), modulus });
        if let ([last], [b]) = (last_a, last_b) {
            let mut pair = [*last; 2];
            let a = array::from_mut(&mut pair);
            l.call(InPlace { a, verb: By(&[[*b; 2]]), modulus });
            *last = pair[0];
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
        let factor = [times_2_to_260(self.factor).to_plain(); LANES];
        pairs_and_last::<L, M, _>(l, self.a, ByOne(&factor));
    }
}

/// `a[i] = a[i] * a[i]`.
pub(crate) struct SquareEach<'a, M> {
    pub(crate) a: &'a mut [Elements],
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for SquareEach<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        pairs_and_last::<L, M, _>(l, self.a, ByItself);
    }
}

/// A verb that needs nothing of its own for each vector.
#[inline(always)]
fn pairs_and_last<L: Lanes, M: Modulus, V: Verb>(l: L, a: &mut [Elements], verb: V) {
    let modulus = PhantomData::<M>;
    let (a, last) = a.as_chunks_mut();
    l.call(InPlace { a, verb, modulus });
    if let [last] = last {
        let mut pair = [*last; 2];
        l.call(InPlace { a: array::from_mut(&mut pair), verb, modulus });
        *last = pair[0];
    }
}

/// What pairs are multiplied by.
trait Verb: Copy {
    /// A pair and what it is multiplied by, unpacked.
    type Operands<L: Lanes>: Copy;

    /// Memory for operands, with whatever is the same for all pairs.
    fn operands<L: Lanes>(self, l: L) -> Self::Operands<L>;

    /// Loads a fourth of what multiplies pair `index` of `a`, before what uses `pin`.
    fn load<L: Lanes>(
        self,
        l: L,
        a: &[Pair],
        index: usize,
        fourth: usize,
        to: &mut Self::Operands<L>,
        pin: &mut L::Word,
    );

    /// The products in [-p, p), not carried, with work `beside`.
    fn products<L: Lanes, M: Modulus, B: Beside<L>>(
        self,
        l: L,
        operands: &Self::Operands<L>,
        start: &Wide<L>,
        beside: &mut B,
    ) -> [Columns<L>; 2];
}

/// By the vectors at the same places.
#[derive(Clone, Copy)]
struct By<'a>(&'a [Pair]);

impl Verb for By<'_> {
    type Operands<L: Lanes> = [Lazy<L>; 4];

    #[inline(always)]
    fn operands<L: Lanes>(self, l: L) -> [Lazy<L>; 4] {
        [Lazy([l.splat(0); 5]); 4]
    }

    #[inline(always)]
    fn load<L: Lanes>(
        self,
        l: L,
        a: &[Pair],
        index: usize,
        fourth: usize,
        to: &mut [Lazy<L>; 4],
        pin: &mut L::Word,
    ) {
        let loaded = if fourth < 2 {
            Lazy::unpack_times_16(l, l.load_elements(&a[index][fourth]))
        } else {
            Lazy::unpack(l, l.load_elements(&self.0[index][fourth - 2]))
        };
        to[fourth] = loaded.pinned(l, pin);
    }

    #[inline(always)]
    fn products<L: Lanes, M: Modulus, B: Beside<L>>(
        self,
        l: L,
        [x0, x1, y0, y1]: &[Lazy<L>; 4],
        start: &Wide<L>,
        beside: &mut B,
    ) -> [Columns<L>; 2] {
        reduced_pair::<L, M>(l, [x0, x1], [y0, y1], start, beside)
    }
}

/// By eight factors, times 2^260.
#[derive(Clone, Copy)]
struct ByOne<'a>(&'a Elements);

impl Verb for ByOne<'_> {
    type Operands<L: Lanes> = [Lazy<L>; 3];

    #[inline(always)]
    fn operands<L: Lanes>(self, l: L) -> [Lazy<L>; 3] {
        [Lazy::unpack(l, l.load_elements(self.0)); 3]
    }

    #[inline(always)]
    fn load<L: Lanes>(
        self,
        l: L,
        a: &[Pair],
        index: usize,
        fourth: usize,
        to: &mut [Lazy<L>; 3],
        pin: &mut L::Word,
    ) {
        if fourth < 2 {
            to[fourth] = Lazy::unpack(l, l.load_elements(&a[index][fourth])).pinned(l, pin);
        }
    }

    #[inline(always)]
    fn products<L: Lanes, M: Modulus, B: Beside<L>>(
        self,
        l: L,
        [x0, x1, factor]: &[Lazy<L>; 3],
        start: &Wide<L>,
        beside: &mut B,
    ) -> [Columns<L>; 2] {
        reduced_pair::<L, M>(l, [x0, x1], [factor, factor], start, beside)
    }
}

/// By themselves.
#[derive(Clone, Copy)]
struct ByItself;

impl Verb for ByItself {
    type Operands<L: Lanes> = [Lazy<L>; 2];

    #[inline(always)]
    fn operands<L: Lanes>(self, l: L) -> [Lazy<L>; 2] {
        [Lazy([l.splat(0); 5]); 2]
    }

    #[inline(always)]
    fn load<L: Lanes>(
        self,
        l: L,
        a: &[Pair],
        index: usize,
        fourth: usize,
        to: &mut [Lazy<L>; 2],
        pin: &mut L::Word,
    ) {
        if fourth < 2 {
            to[fourth] = Lazy::unpack_times_4(l, l.load_elements(&a[index][fourth])).pinned(l, pin);
        }
    }

    #[inline(always)]
    fn products<L: Lanes, M: Modulus, B: Beside<L>>(
        self,
        l: L,
        [x0, x1]: &[Lazy<L>; 2],
        start: &Wide<L>,
        beside: &mut B,
    ) -> [Columns<L>; 2] {
        reductions::<L, M, 2, B>(l, &squares(l, [x0, x1], start), beside)
    }
}

/// Multiplies pairs by whatever `verb` says.
struct InPlace<'a, V, M> {
    a: &'a mut [Pair],
    verb: V,
    modulus: PhantomData<M>,
}

impl<V: Verb, M: Modulus> Kernel for InPlace<'_, V, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let Self { a, verb, .. } = self;
        let count = a.len();
        if count == 0 {
            return;
        }
        let start = Wide::minus_p::<M>(l);
        let (mut operands, mut pin) = (verb.operands(l), l.splat(0));
        for fourth in 0..4 {
            verb.load(l, a, 0, fourth, &mut operands, &mut pin);
        }
        let first = operands;
        for fourth in 0..4 {
            verb.load(l, a, 1.min(count - 1), fourth, &mut operands, &mut pin);
        }
        let mut z = verb.products::<L, M, _>(l, &first, &start, &mut Nothing);
        for index in 1..count {
            // The last pair is loaded twice: it is not multiplied again.
            let next = (index + 1).min(count - 1);
            let before = Settling::<L, M>::new(&z);
            let mut beside = Neighbours { a: &mut *a, verb, index, next, before, operands };
            z = verb.products::<L, M, _>(l, &operands, &start, &mut beside);
            operands = beside.operands;
        }
        Settling::<L, M>::new(&z).finish(l, &mut a[count - 1]);
    }
}

/// What runs beside the products of pair `index`: the one before is stored, the next one loaded.
struct Neighbours<'a, V: Verb, L: Lanes, M> {
    a: &'a mut [Pair],
    verb: V,
    index: usize,
    next: usize,
    before: Settling<L, M>,
    operands: V::Operands<L>,
}

impl<V: Verb, L: Lanes, M: Modulus> Beside<L> for Neighbours<'_, V, L, M> {
    #[inline(always)]
    fn slice(&mut self, l: L, index: usize, pin: &mut L::Word) {
        match index {
            0..5 => self.before.slice(l, index, pin),
            5 => self.before.store(l, &mut self.a[self.index - 1]),
            _ => self.verb.load(l, self.a, self.next, index - 6, &mut self.operands, pin),
        }
    }
}
