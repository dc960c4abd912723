//! The circuits of the golden vectors: each of them is small and has one property that a prover
//! may get wrong.

use nalloc_bn254::{Field, Fr};

use crate::circuit::{Circuit, Combination, int, sum};
use crate::python::Random;

/// A circuit and its name.
pub type Case = (&'static str, fn() -> Circuit);

/// Every circuit.
pub const CASES: [Case; 17] = [
    ("one_constraint", one_constraint),
    ("no_public", no_public),
    ("full_domain", full_domain),
    ("over_domain", over_domain),
    ("dense", dense),
    ("zeros", zeros),
    ("ones", ones),
    ("max_values", max_values),
    ("infinities", infinities),
    ("reordered", reordered),
    ("setup_order", setup_order),
    ("unknown_sections", unknown_sections),
    ("many_public", many_public),
    ("bits", bits),
    ("repeated_coefficient", repeated_coefficient),
    ("chain1000", chain1000),
    ("chain2000", chain2000),
];

/// The circuit called `name`.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn by_name(name: &str) -> Circuit {
    let case = CASES.iter().find(|(other, _)| *other == name);
    case.unwrap_or_else(|| panic!("no case {name}")).1()
}

/// A number below r.
fn random(random: &mut Random) -> Fr {
    Fr::from_plain(random.below(Fr::MODULUS)).expect("a number below r")
}

/// A number from 1 to r - 1.
fn random_not_zero(random: &mut Random) -> Fr {
    let mut bound = Fr::MODULUS;
    bound[0] -= 1;
    Fr::from_plain(random.below(bound)).expect("a number below r") + Fr::ONE
}

/// x * x = y, y public: one constraint, a domain of 4.
fn one_constraint() -> Circuit {
    let mut circuit = Circuit::new("one_constraint", 1);
    let x = circuit.wire(int(3));
    circuit.set(1, int(9));
    circuit.constrain_small(&[(x, 1)], &[(x, 1)], &[(1, 1)]);
    circuit
}

/// Nothing public, and the smallest domain there is.
fn no_public() -> Circuit {
    let mut circuit = Circuit::new("no_public", 0);
    let [a, b, product] = [-5, 7, -35].map(|value| circuit.wire(int(value)));
    circuit.constrain_small(&[(a, 1)], &[(b, 1)], &[(product, 1)]);
    circuit
}

/// x(i+1) = x(i)^2 + 7, `steps` times from 5; public are the first and the last.
#[must_use]
pub fn chain(name: &'static str, steps: usize) -> Circuit {
    const ADDED: i64 = 7;
    let mut circuit = Circuit::new(name, 2);
    let mut x = circuit.set(1, int(5));
    for step in 1..=steps {
        let next = circuit.value(x).square() + int(ADDED);
        let y = if step == steps { circuit.set(2, next) } else { circuit.wire(next) };
        circuit.constrain_small(&[(x, 1)], &[(x, 1)], &[(y, 1), (0, -ADDED)]);
        x = y;
    }
    circuit
}

/// x(i+1) = x(i)^5 + 7, `steps` times from 5, three constraints each, and one that makes the last
/// one public: all values are as long as they can be.
#[must_use]
pub fn power_chain(name: &'static str, steps: usize) -> Circuit {
    const ADDED: i64 = 7;
    let mut circuit = Circuit::new(name, 1);
    let mut x = circuit.wire(int(5));
    for _ in 0..steps {
        let square = circuit.wire(circuit.value(x).square());
        let fourth = circuit.wire(circuit.value(square).square());
        let next = circuit.wire(circuit.value(fourth) * circuit.value(x) + int(ADDED));
        circuit.constrain_small(&[(x, 1)], &[(x, 1)], &[(square, 1)]);
        circuit.constrain_small(&[(square, 1)], &[(square, 1)], &[(fourth, 1)]);
        circuit.constrain_small(&[(fourth, 1)], &[(x, 1)], &[(next, 1), (0, -ADDED)]);
        x = next;
    }
    circuit.set(1, circuit.value(x));
    circuit.constrain_small(&[(x, 1)], &[(0, 1)], &[(1, 1)]);
    circuit
}

/// 29 + 2 + 1 = 32 rows: none to spare.
fn full_domain() -> Circuit {
    chain("full_domain", 29)
}

/// One constraint more, and twice the domain.
fn over_domain() -> Circuit {
    chain("over_domain", 30)
}

/// Every constraint has every earlier wire in A, B and C, with coefficients of 254 bits.
fn dense() -> Circuit {
    let mut circuit = Circuit::new("dense", 3);
    let mut numbers = Random::new("dense");
    let mut live = vec![0];
    for wire in 1..=3 {
        live.push(circuit.set(wire, random(&mut numbers)));
    }
    for _ in 0..4 {
        live.push(circuit.wire(random(&mut numbers)));
    }
    for _ in 0..50 {
        let mut draw = || -> Combination {
            live.iter().map(|&wire| (wire, random_not_zero(&mut numbers))).collect()
        };
        let (a, b, mut c) = (draw(), draw(), draw());
        let value = circuit.evaluate(&a) * circuit.evaluate(&b) - circuit.evaluate(&c);
        let out = circuit.wire(value);
        c.insert(out, Fr::ONE);
        circuit.constrain(a, b, c);
        live.push(out);
    }
    circuit
}

/// 22 wires: the two public ones and 20 more, all of `value`.
fn alike(name: &'static str, value: Fr) -> (Circuit, Vec<u32>) {
    let mut circuit = Circuit::new(name, 2);
    let mut wires = vec![circuit.set(1, value), circuit.set(2, value)];
    wires.extend((0..20).map(|_| circuit.wire(value)));
    (circuit, wires)
}

/// Every wire but the constant one is 0.
#[must_use]
pub fn zeros() -> Circuit {
    let (mut circuit, wires) = alike("zeros", Fr::ZERO);
    for k in 0..20 {
        let c = if k < 19 { wires[k + 2] } else { wires[0] };
        let (a, b) = ([(wires[k], 1), (wires[k + 1], 3)], [(wires[k + 1], 1), (0, 5)]);
        circuit.constrain_small(&a, &b, &[(c, 1)]);
    }
    circuit
}

/// Every wire is 1.
fn ones() -> Circuit {
    let (mut circuit, wires) = alike("ones", Fr::ONE);
    for k in 0..20 {
        let [a, b, c] = [k, k + 1, (k + 2) % 22].map(|index| [(wires[index], 1)]);
        circuit.constrain_small(&a, &b, &c);
    }
    circuit
}

/// Wires and coefficients near r.
fn max_values() -> Circuit {
    let mut circuit = Circuit::new("max_values", 2);
    circuit.set(1, int(-1));
    circuit.set(2, int(-2));
    let [mut a, mut b] = [-1, -1].map(|value| circuit.wire(int(value)));
    for _ in 0..9 {
        let product = circuit.wire((circuit.value(a) * circuit.value(b)).double());
        circuit.constrain_small(&[(a, -1)], &[(b, -2)], &[(product, 1)]);
        (a, b) = (circuit.wire(int(-1)), product);
        circuit.constrain_small(&[(a, -1)], &[(0, -1)], &[(0, -1)]);
    }
    circuit.constrain_small(&[(1, -1), (2, -1)], &[(0, -1)], &[(0, -3)]);
    circuit
}

/// Wires that A, B or everything leaves out, with values; empty combinations.
fn infinities() -> Circuit {
    let mut circuit = Circuit::new("infinities", 4);
    let mut numbers = Random::new("inf");
    for wire in 1..=4 {
        circuit.set(wire, random(&mut numbers));
    }
    let free: Vec<u32> = (0..10).map(|_| circuit.wire(random(&mut numbers))).collect();
    let [a, b] = [12, 34].map(|value| circuit.wire(int(value)));
    let product = circuit.wire(int(12 * 34) + int(9) * circuit.value(free[0]));
    circuit.constrain_small(&[(a, 1)], &[(b, 1)], &[(product, 1), (free[0], -9)]);
    for _ in 0..6 {
        let bit = circuit.wire(bit(&mut numbers));
        circuit.constrain_small(&[(bit, 1)], &[(bit, 1), (0, -1)], &[]);
    }
    circuit.constrain_small(&[], &[(b, 5)], &[]);
    circuit.constrain_small(&[(a, 5)], &[], &[]);
    circuit.constrain_small(&[], &[], &[]);
    circuit
}

fn bit(random: &mut Random) -> Fr {
    Fr::from_u64(random.below_small(2) as u64)
}

/// Sections and coefficients in another order.
fn reordered() -> Circuit {
    let mut circuit = chain("reordered", 40);
    circuit.layout.order = Some(&[9, 4, 2, 7, 1, 8, 3, 10, 6, 5]);
    circuit.layout.is_shuffled = true;
    circuit
}

/// The order in which a fresh setup writes; no section 10.
fn setup_order() -> Circuit {
    let mut circuit = chain("setup_order", 10);
    circuit.layout.order = Some(&[1, 2, 4, 3, 9, 8, 5, 6, 7]);
    circuit
}

/// Sections with unknown numbers, one of them empty, and odd offsets for all others.
fn unknown_sections() -> Circuit {
    let mut circuit = chain("unknown_sections", 12);
    circuit.layout.front = vec![(4_000_000_000, Vec::new()), (77, b"abc".to_vec())];
    let mut last: Vec<u8> = (0..=255).collect::<Vec<u8>>().repeat(3);
    last.push(b'x');
    circuit.layout.back = vec![(11, last)];
    circuit
}

/// 70 public inputs and two constraints.
fn many_public() -> Circuit {
    let mut circuit = Circuit::new("many_public", 70);
    let mut numbers = Random::new("mp");
    for wire in 1..=70 {
        let bits: u32 = *numbers.choice(&[1, 8, 64, 253]);
        let (limb, shift) = (bits / 64, bits % 64);
        let mut bound = [0; 4];
        bound[crate::circuit::count(limb)] = 1 << shift;
        circuit.set(wire, Fr::from_plain(numbers.below(bound)).expect("a number below 2^253"));
    }
    let all: Vec<(u32, i64)> = (1..=70).map(|wire| (wire, 1)).collect();
    let total = circuit.wire(circuit.evaluate(&sum(&all)));
    let square = circuit.wire(circuit.value(total).square());
    circuit.constrain_small(&all, &[(0, 1)], &[(total, 1)]);
    circuit.constrain_small(&[(total, 1)], &[(total, 1)], &[(square, 1)]);
    circuit
}

/// 200 bits and the number that they are: the usual kind of witness.
fn bits() -> Circuit {
    let mut circuit = Circuit::new("bits", 1);
    let mut numbers = Random::new("bits");
    let wires: Vec<u32> = (0..200).map(|_| circuit.wire(bit(&mut numbers))).collect();
    for &wire in &wires {
        circuit.constrain_small(&[(wire, 1)], &[(wire, 1), (0, -1)], &[]);
    }
    let powers = (0..200).map(|exponent| Fr::from_u64(2).pow(&[exponent]));
    let packed: Combination = wires.into_iter().zip(powers).collect();
    circuit.set(1, circuit.evaluate(&packed));
    circuit.constrain(packed, sum(&[(0, 1)]), sum(&[(1, 1)]));
    circuit
}

/// One place of a matrix twice: the values add up.
fn repeated_coefficient() -> Circuit {
    let mut circuit = Circuit::new("repeated_coefficient", 1);
    let x = circuit.wire(int(3));
    circuit.set(1, int(15));
    circuit.constrain_small(&[(x, 5)], &[(0, 1)], &[(1, 1)]);
    circuit.layout.is_split = true;
    circuit
}

/// A domain of 1024.
fn chain1000() -> Circuit {
    chain("chain1000", 1000)
}

/// A domain of 2048.
fn chain2000() -> Circuit {
    chain("chain2000", 2000)
}
