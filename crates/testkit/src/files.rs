//! `.zkey`, `.wtns`, `.r1cs` and `verification_key.json` from the writing side.

use nalloc_bn254::curve::CurveField;
use nalloc_bn254::{Affine, Field, Fq, Fr};

use crate::circuit::{Circuit, Combination};
use crate::json::Json;
use crate::python::Random;
use crate::setup::{Coefficient, Setup};

/// A section: its number and its bytes.
pub type Section = (u32, Vec<u8>);

/// The files of one circuit.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// The circuit's name.
    pub name: &'static str,
    /// Its proving key.
    pub zkey: Vec<u8>,
    /// Its witness.
    pub wtns: Vec<u8>,
    /// Its constraints.
    pub r1cs: Vec<u8>,
    /// Its verification key.
    pub vk_json: String,
}

impl Fixture {
    /// The files of `circuit`.
    ///
    /// # Panics
    /// When the circuit's wires do not satisfy it.
    #[must_use]
    pub fn new(circuit: &Circuit) -> Self {
        let setup = Setup::new(circuit);
        Self {
            name: circuit.name,
            zkey: zkey(circuit, &setup),
            wtns: wtns(&circuit.wires),
            r1cs: r1cs(circuit),
            vk_json: vk_json(&setup).to_indented(),
        }
    }
}

/// A file: magic, version, number of sections, sections.
#[must_use]
pub fn container(magic: [u8; 4], version: u32, sections: &[Section]) -> Vec<u8> {
    let mut file = magic.to_vec();
    file.extend(version.to_le_bytes());
    file.extend(u32::try_from(sections.len()).unwrap_or(u32::MAX).to_le_bytes());
    for (id, bytes) in sections {
        file.extend(id.to_le_bytes());
        file.extend((bytes.len() as u64).to_le_bytes());
        file.extend(bytes);
    }
    file
}

/// The proving key of a circuit, laid out as the circuit says.
///
/// # Panics
/// When the layout asks for a section that there is not.
#[must_use]
pub fn zkey(circuit: &Circuit, setup: &Setup) -> Vec<u8> {
    let layout = &circuit.layout;
    let mut setup = setup.clone();
    if layout.is_shuffled {
        Random::new(circuit.name).shuffle(&mut setup.coefficients);
    }
    let mut sections = zkey_sections(&setup);
    if let Some(order) = layout.order {
        let find = |&id: &u32| sections.iter().find(|(other, _)| *other == id).cloned();
        sections = order.iter().map(|id| find(id).expect("a section from 1 to 10")).collect();
    }
    let all = [layout.front.clone(), sections, layout.back.clone()].concat();
    container(*b"zkey", 1, &all)
}

/// The sections of a key, from 1 to 10.
#[must_use]
pub fn zkey_sections(setup: &Setup) -> Vec<Section> {
    let mut head = Vec::new();
    for (modulus, n8) in [(Fq::MODULUS, 32_u32), (Fr::MODULUS, 32)] {
        head.extend(n8.to_le_bytes());
        head.extend(modulus.iter().flat_map(|limb| limb.to_le_bytes()));
    }
    let sizes = [setup.n_vars, setup.n_public, setup.domain_size];
    head.extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
    head.extend(points(&[setup.alpha1, setup.beta1]));
    head.extend(points(&[setup.beta2, setup.gamma2]));
    head.extend(points(&[setup.delta1]));
    head.extend(points(&[setup.delta2]));

    let records = u32::try_from(setup.coefficients.len()).unwrap_or(u32::MAX);
    let mut coefficients = records.to_le_bytes().to_vec();
    coefficients.extend(setup.coefficients.iter().flat_map(coefficient));

    vec![
        (1, 1_u32.to_le_bytes().to_vec()),
        (2, head),
        (3, points(&setup.ic)),
        (4, coefficients),
        (5, points(&setup.a)),
        (6, points(&setup.b1)),
        (7, points(&setup.b2)),
        (8, points(&setup.l)),
        (9, points(&setup.h)),
        (10, vec![0; 68]),
    ]
}

/// Points in little-endian Montgomery form.
///
/// # Panics
/// Never: each point has room for its bytes.
#[must_use]
pub fn points<F: CurveField>(points: &[Affine<F>]) -> Vec<u8> {
    let mut bytes = vec![0; points.len() * Affine::<F>::BYTES];
    for (point, out) in points.iter().zip(bytes.chunks_exact_mut(Affine::<F>::BYTES)) {
        point.write_montgomery(out).expect("room for a point");
    }
    bytes
}

/// One record of section 4; the stored value of x is x * 2^512 mod r.
fn coefficient(record: &Coefficient) -> Vec<u8> {
    let words = [record.matrix, record.row, record.signal];
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let two_to_256 = Fr::from_u64(2).pow(&[256]);
    bytes.extend((record.value * two_to_256).to_montgomery_le_bytes());
    bytes
}

/// A witness.
#[must_use]
pub fn wtns(values: &[Fr]) -> Vec<u8> {
    container(*b"wtns", 2, &wtns_sections(values))
}

/// The sections of a witness.
#[must_use]
pub fn wtns_sections(values: &[Fr]) -> Vec<Section> {
    let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
    let values = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    vec![(1, wtns_head(&Fr::MODULUS, count)), (2, values)]
}

/// The first section of a witness of `count` values modulo `prime`.
#[must_use]
pub fn wtns_head(prime: &[u64; 4], count: u32) -> Vec<u8> {
    let mut head = 32_u32.to_le_bytes().to_vec();
    head.extend(prime.iter().flat_map(|limb| limb.to_le_bytes()));
    head.extend(count.to_le_bytes());
    head
}

/// The constraints; all public wires are declared as public inputs.
fn r1cs(circuit: &Circuit) -> Vec<u8> {
    let n_vars = u32::try_from(circuit.wires.len()).unwrap_or(u32::MAX);
    let constraints = u32::try_from(circuit.constraints.len()).unwrap_or(u32::MAX);
    let mut head = 32_u32.to_le_bytes().to_vec();
    head.extend(Fr::MODULUS.iter().flat_map(|limb| limb.to_le_bytes()));
    let sizes = [n_vars, 0, circuit.n_public, n_vars - 1 - circuit.n_public];
    head.extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
    head.extend(u64::from(n_vars).to_le_bytes());
    head.extend(constraints.to_le_bytes());
    let combinations = circuit.constraints.iter().flatten().flat_map(combination).collect();
    let labels = (0..u64::from(n_vars)).flat_map(u64::to_le_bytes).collect();
    container(*b"r1cs", 1, &[(1, head), (2, combinations), (3, labels)])
}

fn combination(terms: &Combination) -> Vec<u8> {
    let mut bytes = u32::try_from(terms.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
    for (wire, factor) in terms {
        bytes.extend(wire.to_le_bytes());
        bytes.extend(factor.to_le_bytes());
    }
    bytes
}

/// The verification key of a setup.
#[must_use]
pub fn vk_json(setup: &Setup) -> Json {
    Json::Object(vec![
        ("protocol", Json::text("groth16")),
        ("curve", Json::text("bn128")),
        ("nPublic", Json::Integer(setup.n_public.into())),
        ("vk_alpha_1", Json::g1(&setup.alpha1)),
        ("vk_beta_2", Json::g2(&setup.beta2)),
        ("vk_gamma_2", Json::g2(&setup.gamma2)),
        ("vk_delta_2", Json::g2(&setup.delta2)),
        ("IC", Json::List(setup.ic.iter().map(Json::g1).collect())),
    ])
}
