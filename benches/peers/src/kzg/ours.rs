//! What nalloc does: one prover, as a server has it, whose scratch is wiped after every call.

use std::hint::black_box;

use benchkit::worker::{Timed, time as time_of};
use nalloc_bn254::kzg::{Commitment, Opening, Prover, ProverOptions, Srs};
use nalloc_bn254::{Field, Fq, Fr, G1Affine, Polynomial, Pool};

use crate::input::{ACCEPTED, Case, OPENED_LEN, OPENINGS, POINT, TAU, hash as hash_of};
use crate::ours::powers;

struct Setup {
    pool: Pool,
    srs: Srs,
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

impl Setup {
    fn new(len: usize, threads: usize) -> Result<Self, String> {
        let pool = Pool::new(Some(threads)).map_err(text)?;
        let srs = Srs::unsafe_for_tests(Fr::from_u64(TAU), len, &pool).map_err(text)?;
        Ok(Self { pool, srs })
    }

    fn prover(&self, table_bytes_max: usize) -> Result<Prover<'_>, String> {
        let mut options = ProverOptions::new(&self.pool);
        options.table_bytes_max = table_bytes_max;
        Prover::new(&self.srs, options).map_err(text)
    }

    /// Openings of different polynomials at different points.
    fn openings(&self) -> Result<Vec<(Commitment, Opening)>, String> {
        let (mut prover, all) = (self.prover(0)?, powers(OPENINGS + OPENED_LEN));
        let open = |(index, coefficients): (u64, &[Fr])| {
            let polynomial = Polynomial::over(coefficients);
            let commitment = prover.commit(&polynomial)?;
            Ok((commitment, prover.open(&polynomial, Fr::from_u64(index + 2))?))
        };
        let opened = (0..).zip(all.windows(OPENED_LEN)).take(OPENINGS).map(open);
        opened.collect::<Result<_, nalloc_bn254::Error>>().map_err(text)
    }

    fn accepts(&self, openings: &[(Commitment, Opening)]) -> bool {
        let verifier = self.srs.verifier();
        match openings {
            [(commitment, opening)] => verifier.verify(*commitment, opening).is_ok(),
            _ => verifier.verify_each(openings, &self.pool).is_ok(),
        }
    }
}

fn point() -> Fr {
    -Fr::from_u64(POINT)
}

/// How many openings a case checks.
fn count(case: Case) -> usize {
    if case == Case::Verify { 1 } else { OPENINGS }
}

pub fn hash(case: Case, threads: usize, table_bytes_max: usize) -> Result<String, String> {
    let coordinates = |point: G1Affine| [point.x, point.y].map(Fq::to_plain);
    let limbs = match case {
        Case::Commit(log2) => {
            let setup = Setup::new(1 << log2, threads)?;
            let all = powers(1 << log2);
            let polynomial = Polynomial::over(&all[..]);
            let commitment = setup.prover(table_bytes_max)?.commit(&polynomial).map_err(text)?;
            coordinates(commitment.point()).to_vec()
        }
        Case::Open(log2) => {
            let setup = Setup::new(1 << log2, threads)?;
            let all = powers(1 << log2);
            let polynomial = Polynomial::over(&all[..]);
            let opened = setup.prover(table_bytes_max)?.open(&polynomial, point());
            let Opening { value, proof, .. } = opened.map_err(text)?;
            let [x, y] = coordinates(proof.point());
            vec![x, y, value.to_plain()]
        }
        _ => {
            let setup = Setup::new(OPENED_LEN, threads)?;
            let good = setup.openings()?.split_off(OPENINGS - count(case));
            let mut spoiled = good.clone();
            spoiled[0].1.value += Fr::ONE;
            let is_right = setup.accepts(&good) && !setup.accepts(&spoiled);
            vec![if is_right { ACCEPTED } else { [0; 4] }]
        }
    };
    Ok(hash_of(limbs.into_iter()))
}

pub fn time(case: Case, threads: usize, table_bytes_max: usize) -> Result<Timed, String> {
    let (Case::Commit(log2) | Case::Open(log2)) = case else {
        let setup = Setup::new(OPENED_LEN, threads)?;
        let openings = setup.openings()?.split_off(OPENINGS - count(case));
        return Ok(time_of(case.repetitions(), || {
            black_box(setup.accepts(black_box(&openings)));
        }));
    };
    let setup = Setup::new(1 << log2, threads)?;
    let all = powers(1 << log2);
    let polynomial = Polynomial::over(&all[..]);
    let mut prover = setup.prover(table_bytes_max)?;
    Ok(time_of(case.repetitions(), || {
        let is_done = match case {
            Case::Commit(_) => black_box(prover.commit(&polynomial)).is_ok(),
            _ => black_box(prover.open(&polynomial, point())).is_ok(),
        };
        assert!(is_done, "the hashes were equal before");
    }))
}
