//! Many polynomials through one prover: its memory, its table, and how it is stopped.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use nalloc_bn254::kzg::{Privacy, Prover, ProverOptions};
use nalloc_bn254::{Error, Fr, Observer, Polynomial};

use super::{Setup, random};
use crate::support::Rng;

const LEN: usize = 1 << 12;

#[test]
fn many_polynomials_of_all_lengths_fit_the_bytes_that_were_predicted() {
    for threads in [1, 3] {
        let setup = Setup::new(LEN, threads);
        for (table_bytes_max, privacy) in [(0, Privacy::Secret), (1 << 20, Privacy::Public)] {
            let mut options = ProverOptions::new(&setup.pool);
            (options.table_bytes_max, options.privacy) = (table_bytes_max, privacy);
            let bytes = Prover::bytes(&setup.srs, &options);
            options.bytes_max = Some(bytes);
            let mut prover = Prover::new(&setup.srs, options).unwrap();

            let mut rng = Rng::new();
            for len in [LEN, 1, 25, 700, 0, LEN / 2, LEN / 2 + 1, LEN - 1, 1500, LEN] {
                let polynomial = random(&mut rng, len);
                let point = rng.fr();
                let commitment = prover.commit(&polynomial).unwrap();
                assert_eq!(commitment.point(), setup.oracle(&polynomial), "{len}");
                let opening = prover.open(&polynomial, point).unwrap();
                let expected = setup.proof(&polynomial, point, opening.value);
                assert_eq!(opening.proof.point(), expected, "{len}");
            }
            let values = vec![Fr::from_montgomery([1, 0, 0, 0]).unwrap(); LEN];
            prover.commit_evaluations(&values).unwrap();
        }
    }
}

#[test]
fn a_limit_is_refused_before_any_memory_is_taken_with_both_numbers() {
    let setup = Setup::new(LEN, 2);
    let mut options = ProverOptions::new(&setup.pool);
    let needed = Prover::bytes(&setup.srs, &options);
    options.bytes_max = Some(needed - 1);

    let refused = Prover::new(&setup.srs, options).err();
    assert_eq!(refused, Some(Error::MemoryLimit { needed, limit: needed - 1 }));
    let said = refused.unwrap().to_string();
    assert!(said.contains(&needed.to_string()), "{said}");
    // Fewer coefficients need less, and a table more.
    options.coefficients_max = Some(LEN / 2);
    let prover = Prover::new(&setup.srs, options).unwrap();
    assert_eq!(prover.degree_max(), LEN / 2 - 1);
    let less = Prover::bytes(&setup.srs, &options);
    options.table_bytes_max = 8 << 20;
    assert!(less < needed && Prover::bytes(&setup.srs, &options) > less);
}

#[test]
fn a_prover_for_no_coefficients_or_for_too_many_is_refused() {
    let setup = Setup::new(LEN, 1);
    let refused = |coefficients_max| {
        let mut options = ProverOptions::new(&setup.pool);
        options.coefficients_max = Some(coefficients_max);
        Prover::new(&setup.srs, options).err()
    };

    assert!(matches!(refused(0), Some(Error::Empty { .. })));
    let too_large = Error::DegreeTooLarge { degree: LEN, degree_max: LEN - 1 };
    assert_eq!(refused(LEN + 1), Some(too_large));
}

/// Stops everything once it was asked so many times; notes what it is told.
#[derive(Default)]
struct Stopper {
    asked: AtomicUsize,
    patience: AtomicUsize,
    told: Mutex<Vec<(&'static str, u64, u64)>>,
}

impl Observer for Stopper {
    fn is_cancelled(&self) -> bool {
        self.asked.fetch_add(1, Ordering::SeqCst) >= self.patience.load(Ordering::SeqCst)
    }

    fn progress(&self, phase: &'static str, done: u64, total: u64) {
        self.told.lock().unwrap().push((phase, done, total));
    }
}

#[test]
fn a_prover_stops_where_it_is_told_to_and_goes_on_afterwards() {
    let setup = Setup::new(LEN, 2);
    let stopper = Stopper::default();
    let mut options = ProverOptions::new(&setup.pool);
    options.observer = &stopper;
    let mut prover = Prover::new(&setup.srs, options).unwrap();
    let mut rng = Rng::new();
    let polynomials: Vec<Polynomial<Fr>> = (0..3).map(|_| random(&mut rng, LEN)).collect();

    for patience in 0..3 {
        stopper.asked.store(0, Ordering::SeqCst);
        stopper.patience.store(patience, Ordering::SeqCst);
        assert_eq!(prover.open(&polynomials[0], rng.fr()), Err(Error::Cancelled));
    }
    stopper.asked.store(0, Ordering::SeqCst);
    stopper.patience.store(2, Ordering::SeqCst);
    assert_eq!(prover.commit_each(&polynomials), Err(Error::Cancelled));

    stopper.patience.store(usize::MAX, Ordering::SeqCst);
    stopper.told.lock().unwrap().clear();
    let commitments = prover.commit_each(&polynomials).unwrap();
    for (polynomial, commitment) in polynomials.iter().zip(&commitments) {
        assert_eq!(commitment.point(), setup.oracle(polynomial));
    }
    let told = stopper.told.lock().unwrap();
    let commits: Vec<_> = told.iter().filter(|(phase, ..)| *phase == "commit").copied().collect();
    assert_eq!(commits, [("commit", 1, 3), ("commit", 2, 3), ("commit", 3, 3)]);
    assert!(told.iter().any(|(phase, ..)| *phase == "msm"));
}

#[test]
fn what_a_prover_prints_shows_no_coefficient() {
    let setup = Setup::new(8, 1);

    assert_eq!(format!("{:?}", setup.prover()), "Prover(degree at most 7)");
    assert_eq!(format!("{:?}", setup.srs), "Srs(8 powers, 0 Lagrange points)");
}
