//! Circuits by hand: wires with values, and constraints A.w * B.w = C.w.

use std::collections::BTreeMap;

use nalloc_bn254::{Field, Fr};

/// Coefficients of wires; a wire that is not in it has none.
pub type Combination = BTreeMap<u32, Fr>;

/// A constraint A.w * B.w = C.w, as [A, B, C].
pub type Constraint = [Combination; 3];

/// How a `.zkey` of a circuit is laid out.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Numbers of the sections in their order, or none for 1 to 10.
    pub order: Option<&'static [u32]>,
    /// Coefficients in random order.
    pub is_shuffled: bool,
    /// Sections before the others.
    pub front: Vec<(u32, Vec<u8>)>,
    /// Sections after the others.
    pub back: Vec<(u32, Vec<u8>)>,
    /// The first coefficient 5 of matrix A is written as 2 and 3 at the same place.
    pub is_split: bool,
}

/// A circuit and the values of its wires: wire 0 is one, then come the public ones.
#[derive(Clone, Debug)]
pub struct Circuit {
    /// What its toxic waste is made of, too.
    pub name: &'static str,
    /// Outputs and public inputs.
    pub n_public: u32,
    /// The values of the wires.
    pub wires: Vec<Fr>,
    /// What they satisfy.
    pub constraints: Vec<Constraint>,
    /// How its key is written.
    pub layout: Layout,
}

/// A small integer as a scalar.
#[must_use]
pub fn int(number: i64) -> Fr {
    let size = Fr::from_u64(number.unsigned_abs());
    if number < 0 { -size } else { size }
}

/// A combination of wires with small coefficients.
#[must_use]
pub fn sum(terms: &[(u32, i64)]) -> Combination {
    terms.iter().map(|&(wire, coefficient)| (wire, int(coefficient))).collect()
}

impl Circuit {
    /// A circuit with `n_public` public wires of value 0.
    #[must_use]
    pub fn new(name: &'static str, n_public: u32) -> Self {
        let mut wires = vec![Fr::ZERO; count(n_public) + 1];
        wires[0] = Fr::ONE;
        Self { name, n_public, wires, constraints: Vec::new(), layout: Layout::default() }
    }

    /// Adds a private wire.
    pub fn wire(&mut self, value: Fr) -> u32 {
        self.wires.push(value);
        u32::try_from(self.wires.len() - 1).unwrap_or(u32::MAX)
    }

    /// Sets the value of a public wire.
    ///
    /// # Panics
    /// When there is no such wire.
    pub fn set(&mut self, wire: u32, value: Fr) -> u32 {
        self.wires[count(wire)] = value;
        wire
    }

    /// The value of a wire.
    ///
    /// # Panics
    /// When there is no such wire.
    #[must_use]
    pub fn value(&self, wire: u32) -> Fr {
        self.wires[count(wire)]
    }

    /// Adds a constraint.
    pub fn constrain(&mut self, a: Combination, b: Combination, c: Combination) {
        self.constraints.push([a, b, c]);
    }

    /// Adds a constraint with small coefficients.
    pub fn constrain_small(&mut self, a: &[(u32, i64)], b: &[(u32, i64)], c: &[(u32, i64)]) {
        self.constrain(sum(a), sum(b), sum(c));
    }

    /// The value of a combination.
    #[must_use]
    pub fn evaluate(&self, combination: &Combination) -> Fr {
        let terms = combination.iter().map(|(&wire, &factor)| factor * self.value(wire));
        terms.fold(Fr::ZERO, |sum, term| sum + term)
    }

    /// The number of the first constraint that the wires do not satisfy.
    #[must_use]
    pub fn first_unsatisfied(&self) -> Option<usize> {
        self.constraints
            .iter()
            .position(|[a, b, c]| self.evaluate(a) * self.evaluate(b) != self.evaluate(c))
    }
}

/// A 32-bit count as a length.
#[must_use]
pub fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
