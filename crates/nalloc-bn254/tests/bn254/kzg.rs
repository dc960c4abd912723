//! KZG against a naive oracle with a known tau, against arkworks, and against forgers.

mod malformed;
mod many;
mod one;
mod pipeline;
mod ptau;
pub mod ptau_fuzz;
mod raw;
mod srs;

use nalloc_bn254::kzg::{Commitment, Prover, ProverOptions, Srs};
use nalloc_bn254::{Field, Fr, G1Affine, Polynomial, Pool};

use crate::support::Rng;

/// Coefficients of the longest polynomial of most tests.
const LEN: usize = 64;

/// A tau that the tests know, an SRS of it, and threads.
struct Setup {
    tau: Fr,
    srs: Srs,
    pool: Pool,
}

impl Setup {
    fn new(len: usize, threads: usize) -> Self {
        // Not the first number that tests draw: at tau itself every proof is accepted.
        let tau = Rng::new().fr().square();
        let pool = Pool::new(Some(threads)).unwrap();
        let srs = Srs::unsafe_for_tests(tau, len, &pool).unwrap();
        Self { tau, srs, pool }
    }

    fn prover(&self) -> Prover<'_> {
        Prover::new(&self.srs, ProverOptions::new(&self.pool)).unwrap()
    }

    /// p(tau) G, by doubling and adding.
    fn oracle(&self, polynomial: &Polynomial<Fr>) -> G1Affine {
        let value = polynomial.evaluate(self.tau, &self.pool);
        G1Affine::GENERATOR.mul_scalar_vartime(value).to_affine()
    }

    /// What opens to `value` at `point`, for whoever knows tau: (p(tau) - y) / (tau - z) G.
    fn proof(&self, polynomial: &Polynomial<Fr>, point: Fr, value: Fr) -> G1Affine {
        let above = polynomial.evaluate(self.tau, &self.pool) - value;
        let quotient = above * (self.tau - point).invert().unwrap();
        G1Affine::GENERATOR.mul_scalar_vartime(quotient).to_affine()
    }
}

fn random(rng: &mut Rng, len: usize) -> Polynomial<Fr> {
    let coefficients: Vec<Fr> = (0..len).map(|_| rng.fr()).collect();
    Polynomial::from_coefficients(&coefficients).unwrap()
}

/// Polynomials with their commitments.
fn committed(prover: &mut Prover<'_>, lens: &[usize]) -> Vec<(Polynomial<Fr>, Commitment)> {
    let mut rng = Rng::new();
    let polynomials = lens.iter().map(|&len| random(&mut rng, len));
    polynomials
        .map(|polynomial| {
            let commitment = prover.commit(&polynomial).unwrap();
            (polynomial, commitment)
        })
        .collect()
}
