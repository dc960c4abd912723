//! Operations on polynomials that are stopped at each question of theirs: they say so, give their
//! memory back, and do no harm to the next one. Alone in its process, as the counters of the heap
//! are those of the process.

use nalloc_bn254::{Error, Evaluations, Field, Fr, Polynomial, Pool, Watched};
use testkit::StopAfter;

/// What an operation gives: elements of all its results, one after the other.
type Results = Result<Vec<Fr>, Error>;
type Operation<'a> = (&'static str, Box<dyn Fn(Watched<'_>) -> Results + 'a>);

/// `len` elements that differ.
fn elements(len: usize) -> Vec<Fr> {
    let next = |x: &Fr| Some(x.square() + Fr::from_u64(3));
    core::iter::successors(Some(Fr::from_u64(5)), next).take(len).collect()
}

fn polynomial(len: usize) -> Polynomial<Fr> {
    Polynomial::from_coefficients(&elements(len)).expect("memory")
}

fn one(result: Result<Polynomial<Fr>, Error>) -> Results {
    result.map(|polynomial| polynomial.coefficients().to_vec())
}

fn two((first, second): (Polynomial<Fr>, Polynomial<Fr>)) -> Vec<Fr> {
    [first.coefficients(), second.coefficients()].concat()
}

fn values(result: Result<Evaluations<Fr>, Error>) -> Results {
    result.map(|evaluations| evaluations.values().to_vec())
}

/// Every public operation, in each of its ways.
fn of_coefficients<'a>(p: &'a Polynomial<Fr>, q: &'a Polynomial<Fr>) -> Vec<Operation<'a>> {
    let (z, c) = (Fr::from_u64(77), Fr::from_u64(12));
    let [short, middle, half, other_half] = [50, 300, 650, 1310].map(polynomial);
    let divided = move |p: &Polynomial<Fr>, n: usize, pool: Watched<'_>| {
        p.divide_by_vanishing(n, c, pool).map(two)
    };
    vec![
        ("add", Box::new(|pool| one(p.add(q, pool)))),
        ("sub", Box::new(|pool| one(p.sub(q, pool)))),
        ("scale", Box::new(move |pool| one(p.scale(z, pool)))),
        ("derivative", Box::new(|pool| one(p.derivative(pool)))),
        ("mul by terms", Box::new(move |pool| one(p.mul(&short, pool)))),
        ("mul by transforms", Box::new(|pool| one(p.mul(q, pool)))),
        ("long division", Box::new(move |pool| p.divide(&middle, pool).map(two))),
        ("newton", Box::new(move |pool| other_half.divide(&half, pool).map(two))),
        ("divide by more", Box::new(|pool| q.divide(p, pool).map(two))),
        (
            "by X - z",
            Box::new(move |pool| {
                p.divide_by_linear(z, pool).map(|(q, value)| [q.coefficients(), &[value]].concat())
            }),
        ),
        (
            "by X - z in place",
            Box::new(move |pool| {
                let mut quotient = p.to_heap().expect("memory");
                let value = quotient.divide_by_linear_in_place(z, pool);
                // Stopped, it is a polynomial still.
                assert!(quotient.coefficients().last().is_none_or(|last| !last.is_zero()));
                value.map(|value| [quotient.coefficients(), &[value]].concat())
            }),
        ),
        ("by X - c", Box::new(move |pool| divided(p, 1, pool))),
        ("by X^1000 - c", Box::new(move |pool| divided(p, 1000, pool))),
        ("by X^4096 - 1", Box::new(|pool| p.divide_by_vanishing(4096, Fr::ONE, pool).map(two))),
        (
            "value at one point",
            Box::new(move |pool| p.evaluate_at(&[z], pool).map(|values| values.to_vec())),
        ),
        (
            "values at points",
            Box::new(|pool| p.evaluate_at(&elements(7), pool).map(|values| values.to_vec())),
        ),
        (
            "values of long ones",
            Box::new(move |pool| {
                Polynomial::evaluate_each(&[p, q, p], z, pool).map(|values| values.to_vec())
            }),
        ),
        (
            "values of short ones",
            Box::new(move |pool| {
                let all = [polynomial(30), polynomial(700), polynomial(4)];
                let all: Vec<_> = all.iter().collect();
                Polynomial::evaluate_each(&all, z, pool).map(|values| values.to_vec())
            }),
        ),
        (
            "through points",
            Box::new(|pool| {
                let points: Vec<Fr> = (0..70).map(Fr::from_u64).collect();
                one(Polynomial::interpolate(&points, &elements(70), pool))
            }),
        ),
    ]
}

fn of_values<'a>(p: &'a Polynomial<Fr>, a: &'a Evaluations<Fr>) -> Vec<Operation<'a>> {
    let shift = Fr::from_u64(7);
    let on_coset = Evaluations::on_coset(a.values(), shift).expect("a power of two");
    vec![
        ("of", Box::new(|pool| values(Evaluations::of(p, 14, pool)))),
        ("of on coset", Box::new(move |pool| values(Evaluations::of_on_coset(p, 14, shift, pool)))),
        ("of on 128", Box::new(|pool| values(Evaluations::of(&polynomial(100), 7, pool)))),
        ("interpolate", Box::new(|pool| one(a.interpolate(pool)))),
        ("interpolate on coset", Box::new(move |pool| one(on_coset.interpolate(pool)))),
        ("values add", Box::new(|pool| values(a.add(a, pool)))),
        ("values sub", Box::new(|pool| values(a.sub(a, pool)))),
        ("values mul", Box::new(|pool| values(a.mul(a, pool)))),
        ("values scale", Box::new(move |pool| values(a.scale(shift, pool)))),
        ("values invert", Box::new(|pool| values(a.invert(pool)))),
    ]
}

#[test]
fn an_operation_stops_at_every_question_and_gives_its_memory_back() {
    let (p, q) = (polynomial(9000), polynomial(5000));
    let a = Evaluations::new(&elements(1 << 14)).expect("a power of two");
    let operations: Vec<_> = of_coefficients(&p, &q).into_iter().chain(of_values(&p, &a)).collect();

    for threads in [1, 2] {
        let pool = Pool::new(Some(threads)).expect("threads");
        for (name, operation) in &operations {
            // Tables of transforms are made once, and that asks, too.
            let expected = operation(Watched::from(&pool)).expect(name);
            let observer = StopAfter::never();
            assert_eq!(operation(pool.watched_by(&observer)).as_ref(), Ok(&expected), "{name}");
            let questions = observer.asked();
            assert!(questions > 0, "{name} does not ask");
            let live_bytes = nalloc::stats().live_bytes;

            for question in 0..questions {
                observer.reset(question);
                let stopped = operation(pool.watched_by(&observer));
                assert_eq!(stopped.err(), Some(Error::Cancelled), "{name}: {question}");
                assert_eq!(nalloc::stats().live_bytes, live_bytes, "{name}: {question}");
            }
            observer.reset(questions);
            assert_eq!(operation(pool.watched_by(&observer)), Ok(expected), "{name}");
            println!("{name}: {questions} questions on {threads} threads");
        }
    }
}
