//! What operations on secret polynomials leave in the memory of a process: nothing of their
//! coefficients and quotients, whether they succeed, fail or are stopped. A process of its own, which
//! is searched from end to end.

use std::fs;

use nalloc_bn254::kzg::{Committed, Privacy, Prover, ProverOptions, Query, Srs};
use nalloc_bn254::{Error, Evaluations, Field, Fr, HeapBuffer, Polynomial, Pool, Watched};
use testkit::memory::{Needles, masked};
use testkit::{StopAfter, TempDir, child};

const TEST: &str = "nothing_of_a_polynomial_is_left_in_memory";
const LEN: usize = 1 << 12;
/// Coefficients that are looked for.
const SOUGHT: std::ops::Range<usize> = 100..1100;
/// Words of one form of a number.
const LIMBS: usize = 4;
/// Forms: a coefficient as it is stored, as an integer, which is what sums take, and the integer of
/// the quotient's coefficient at its place.
const FORMS: usize = 3;
const PLAIN: usize = 1;
/// A table of the powers, which sums of all coefficients use.
const TABLE_BYTES: usize = 1 << 20;
/// How often each form is there: nothing, or the polynomial alone.
const NOTHING: [usize; FORMS] = [0; FORMS];
const ITSELF: [usize; FORMS] = [1, 0, 0];
/// Bytes of stack that the caller of an operation may have used, many times over.
const STACK_BYTES: usize = 256 << 10;

#[test]
fn nothing_of_a_polynomial_is_left_in_memory() {
    if let Some(needles) = child::argument(TEST) {
        return in_child(&needles);
    }
    let pool = Pool::new(Some(1)).expect("a thread");
    let (quotient, _) = polynomial().divide_by_linear(point(), &pool).expect("memory");
    let coefficients = polynomial();
    let pairs = coefficients.coefficients()[SOUGHT].iter().zip(&quotient.coefficients()[SOUGHT]);
    let words: Vec<u64> =
        pairs.flat_map(|(c, q)| [c.to_montgomery(), c.to_plain(), q.to_plain()].concat()).collect();
    let dir = TempDir::new();
    let needles = dir.write("needles", &masked(&words));

    let output = child::run(TEST, needles.to_str().expect("a path of text"));

    let [text, errors] = [output.stdout, output.stderr].map(String::from_utf8);
    assert!(output.status.success(), "{text:?} {errors:?}");
    assert!(text.is_ok_and(|text| text.contains("searched 29 times")), "{errors:?}");
}

/// A polynomial whose coefficients differ. Nothing keeps them but it.
fn polynomial() -> Polynomial<Fr> {
    let mut coefficients = HeapBuffer::zeroed(LEN).expect("memory");
    let mut x = Fr::from_u64(5);
    for coefficient in coefficients.iter_mut() {
        x = x.square() + Fr::from_u64(3);
        *coefficient = x;
    }
    Polynomial::over(coefficients)
}

fn point() -> Fr {
    Fr::from_u64(1_234_567)
}

/// Overwrites what calls of this thread left on its stack.
#[inline(never)]
#[expect(clippy::large_stack_arrays, reason = "the stack is what shall be overwritten")]
fn overwrite_stack() {
    let mut below = [0; STACK_BYTES];
    nalloc::wipe(&mut below);
}

/// Searches, and counts how often it did.
struct Search<'a> {
    needles: Needles,
    pool: &'a Pool,
    done: usize,
}

impl Search<'_> {
    /// How often each word is there, with its form. Stacks are overwritten before: what is sought
    /// is what lies elsewhere.
    fn counts(&mut self) -> impl Iterator<Item = (usize, usize)> {
        overwrite_stack();
        self.pool.scrub_stacks();
        self.done += 1;
        let form = |position: usize| position / LIMBS % FORMS;
        let counts = self.needles.count().into_iter().enumerate();
        counts.map(move |(position, count)| (form(position), count))
    }

    /// Each form must be there so many times.
    fn expect(&mut self, way: &str, expected: [usize; FORMS]) {
        for (word, (form, count)) in self.counts().enumerate() {
            assert_eq!(count, expected[form], "{way}: word {word}, form {form}");
        }
    }
}

fn in_child(needles: &str) {
    let needles = Needles::from_masked(&fs::read(needles).expect("the needles"));
    let pool = Pool::new(Some(2)).expect("threads");
    let mut search = Search { needles, pool: &pool, done: 0 };
    search.expect("before the polynomial", NOTHING);
    let mut secret = polynomial();
    // As long as it lives it is there, once, and operations add nothing.
    search.expect("the polynomial", ITSELF);
    stopped_operations(&secret, &mut search);
    for table_bytes_max in [0, TABLE_BYTES] {
        provers(&secret, table_bytes_max, &mut search);
    }
    secret.wipe();
    search.expect("the end", NOTHING);
    control(&mut search);
    println!("searched {} times", search.done);
}

/// Operations that copy the coefficients before they do anything else, stopped half-way and at the
/// last question.
fn stopped_operations(secret: &Polynomial<Fr>, search: &mut Search<'_>) {
    type Operation<'a> = (&'static str, &'a dyn Fn(Watched<'_>) -> Option<Error>);
    let other = Polynomial::from_coefficients(&[Fr::ONE; 100]).expect("memory");
    let values = Evaluations::new(secret.coefficients()).expect("a power of two");
    let operations: [Operation<'_>; 5] = [
        ("add", &|pool| secret.add(&other, pool).err()),
        ("mul", &|pool| secret.mul(&other, pool).err()),
        ("divide", &|pool| secret.divide_by_linear(point(), pool).err()),
        ("of", &|pool| Evaluations::of(secret, 13, pool).err()),
        ("invert", &|pool| values.invert(pool).err()),
    ];
    let pool = search.pool;
    for (name, operation) in operations {
        // Tables of transforms are made once, and that asks, too.
        assert_eq!(operation(Watched::from(pool)), None);
        let observer = StopAfter::never();
        assert_eq!(operation(pool.watched_by(&observer)), None);
        let questions = observer.asked();
        for question in [questions / 2, questions - 1] {
            observer.reset(question);
            assert_eq!(operation(pool.watched_by(&observer)), Some(Error::Cancelled));
        }
        search.expect(name, [2, 0, 0]);
    }
    wiped(values);
}

fn wiped(mut values: Evaluations<Fr>) {
    values.wipe();
}

/// Every call of a prover, and calls that are stopped. The prover and its scratch are still there.
fn provers(secret: &Polynomial<Fr>, table_bytes_max: usize, search: &mut Search<'_>) {
    let pool = search.pool;
    let srs = Srs::unsafe_for_tests(Fr::from_u64(7).pow(&[99]), LEN, pool).expect("memory");
    let observer = StopAfter::never();
    let options =
        ProverOptions { observer: &observer, table_bytes_max, ..ProverOptions::new(pool) };
    let mut prover = Prover::new(&srs, options).expect("memory");

    let commitment = prover.commit(secret).expect("a sum");
    search.expect("commit", ITSELF);
    prover.commit_evaluations(secret.coefficients()).expect("a transform and a sum");
    search.expect("commit_evaluations", ITSELF);
    prover.open(secret, point()).expect("a sum");
    search.expect("open", ITSELF);
    let committed = [Committed { polynomial: secret, commitment }];
    prover.open_at_point(&committed, point(), b"").expect("a sum");
    search.expect("open_at_point", ITSELF);
    let queries = [Query { polynomial: secret, commitment, points: &[point(), Fr::ONE] }];
    prover.open_at_points(&queries, b"").expect("two sums");
    search.expect("open_at_points", ITSELF);

    observer.reset(u64::MAX);
    prover.open(secret, point()).expect("a sum");
    let questions = observer.asked();
    // Before the quotient, in the division, in the sum of the quotient.
    for question in [0, 1, questions / 2, questions - 1] {
        observer.reset(question);
        assert_eq!(prover.open(secret, point()).err(), Some(Error::Cancelled), "{question}");
        search.expect("open, stopped", ITSELF);
    }
    observer.reset(1);
    let stopped = prover.commit_evaluations(secret.coefficients());
    assert_eq!(stopped.err(), Some(Error::Cancelled));
    search.expect("commit_evaluations, stopped", ITSELF);
}

/// The search finds what a prover of public polynomials leaves.
fn control(search: &mut Search<'_>) {
    let srs = Srs::unsafe_for_tests(Fr::from_u64(7), LEN, search.pool).expect("memory");
    let options = ProverOptions { privacy: Privacy::Public, ..ProverOptions::new(search.pool) };
    let mut prover = Prover::new(&srs, options).expect("memory");
    prover.commit(&polynomial()).expect("a sum");
    assert!(search.counts().all(|(form, count)| form != PLAIN || count > 0));
    assert_eq!(prover.degree_max(), LEN - 1);
}
