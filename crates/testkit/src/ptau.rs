//! `.ptau` files from a known tau, as snarkjs lays them out.

use nalloc_bn254::curve::CurveField;
use nalloc_bn254::{Affine, Field, Fq, Fq2, Fr, G1Affine, G2Affine};

use crate::files::{Section, container, points};

/// A ceremony of which everything is known.
#[derive(Clone, Copy, Debug)]
pub struct Ceremony {
    /// The secret.
    pub tau: Fr,
    /// 2^power powers in G2, nearly twice as many in G1.
    pub power: u32,
}

/// The secrets that only Groth16 needs.
const ALPHA: u64 = 1234;
const BETA: u64 = 5678;

impl Ceremony {
    /// The file; `prepare` adds the Lagrange points.
    #[must_use]
    pub fn file(&self, prepare: Prepare) -> Vec<u8> {
        container(*b"ptau", 1, &self.sections(prepare))
    }

    /// The sections, in the order of snarkjs.
    #[must_use]
    pub fn sections(&self, prepare: Prepare) -> Vec<Section> {
        let (alpha, beta) = (Fr::from_u64(ALPHA), Fr::from_u64(BETA));
        let n = 1 << self.power;
        let beta_g2: Vec<G2Affine> = multiples([beta].into_iter());
        let mut sections = vec![
            (1, self.header()),
            (2, points(&multiples::<Fq>(self.powers(Fr::ONE).take(2 * n - 1)))),
            (3, points(&multiples::<Fq2>(self.powers(Fr::ONE).take(n)))),
            (4, points(&multiples::<Fq>(self.powers(alpha).take(n)))),
            (5, points(&multiples::<Fq>(self.powers(beta).take(n)))),
            (6, points(&beta_g2)),
            // No contribution is told.
            (7, 0_u32.to_le_bytes().to_vec()),
        ];
        if prepare == Prepare::Phase2 {
            let tau_g1 = [self.levels::<Fq>(Fr::ONE), self.last_level()].concat();
            sections.push((12, points(&tau_g1)));
            sections.push((13, points(&self.levels::<Fq2>(Fr::ONE))));
            sections.push((14, points(&self.levels::<Fq>(alpha))));
            sections.push((15, points(&self.levels::<Fq>(beta))));
        }
        sections
    }

    /// The first section.
    #[must_use]
    pub fn header(&self) -> Vec<u8> {
        let mut head = 32_u32.to_le_bytes().to_vec();
        head.extend(Fq::MODULUS.iter().flat_map(|limb| limb.to_le_bytes()));
        head.extend([self.power; 2].iter().flat_map(|power| power.to_le_bytes()));
        head
    }

    /// `factor` times 1, tau, tau^2, ..
    fn powers(&self, factor: Fr) -> impl Iterator<Item = Fr> {
        let tau = self.tau;
        std::iter::successors(Some(factor), move |&power| Some(power * tau))
    }

    /// The Lagrange points of the domains of 1, 2, 4, .., 2^power, one after the other.
    fn levels<F: CurveField>(&self, factor: Fr) -> Vec<Affine<F>> {
        let level = |log2| lagrange(&self.powers(factor).take(1_usize << log2).collect::<Vec<_>>());
        (0..=self.power).flat_map(|log2| multiples::<F>(level(log2).into_iter())).collect()
    }

    /// Those of the domain of 2^(power + 1), for which the last power is missing: it counts as
    /// zero.
    fn last_level(&self) -> Vec<G1Affine> {
        let n = 2 << self.power;
        let mut powers: Vec<Fr> = self.powers(Fr::ONE).take(n - 1).collect();
        powers.push(Fr::ZERO);
        multiples(lagrange(&powers).into_iter())
    }
}

/// Whether a file is prepared for the second phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prepare {
    /// With the Lagrange points of all domains.
    Phase2,
    /// Without.
    No,
}

/// For each i the sum of w^(-ij) / n times power j, by the definition.
fn lagrange(powers: &[Fr]) -> Vec<Fr> {
    let n = powers.len();
    let root = Fr::root_of_unity(n.ilog2()).and_then(Fr::invert).expect("a small domain");
    let share = Fr::from_u64(n as u64).invert().expect("n is not 0");
    let sum = |i: usize| {
        let terms = powers.iter().enumerate();
        terms.fold(Fr::ZERO, |sum, (j, &power)| sum + root.pow(&[(i * j) as u64]) * power)
    };
    (0..n).map(|i| sum(i) * share).collect()
}

fn multiples<F: CurveField>(scalars: impl Iterator<Item = Fr>) -> Vec<Affine<F>> {
    let generator = Affine::<F>::GENERATOR;
    scalars.map(|scalar| generator.mul_scalar_vartime(scalar).to_affine()).collect()
}
