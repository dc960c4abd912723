//! What `verify` must answer.

use nalloc_bn254::{Fq, Fr};

use crate::cases::zeros;
use crate::circuit::int;
use crate::files::vk_json;
use crate::json::Json;
use crate::oracle;
use crate::setup::Setup;

/// A key, public signals and a proof, and whether they belong together.
#[derive(Clone, Debug)]
pub struct VerifyCase {
    /// Its name.
    pub name: &'static str,
    /// `verification_key.json`.
    pub vk: Json,
    /// `public.json`.
    pub public: Json,
    /// `proof.json`.
    pub proof: Json,
    /// The answer.
    pub expect: bool,
}

impl VerifyCase {
    /// As an element of verify.json.
    #[must_use]
    pub fn to_json(&self) -> Json {
        Json::Object(vec![
            ("name", Json::text(self.name)),
            ("vk", self.vk.clone()),
            ("publicSignals", self.public.clone()),
            ("proof", self.proof.clone()),
            ("expect", Json::Flag(self.expect)),
        ])
    }
}

/// A number plus a modulus, which no field element can be: as decimal.
fn plus(number: &str, modulus: &[u64; 4]) -> String {
    let mut digits: Vec<u8> = number.bytes().rev().map(|digit| digit - b'0').collect();
    let modulus = decimal(modulus);
    let mut carry = 0;
    for k in 0..=digits.len().max(modulus.len()) {
        if k == digits.len() {
            digits.push(0);
        }
        let sum = digits[k] + modulus.get(k).copied().unwrap_or(0) + carry;
        (digits[k], carry) = (sum % 10, sum / 10);
    }
    let text: String = digits.iter().rev().map(|&digit| char::from(b'0' + digit)).collect();
    text.trim_start_matches('0').to_owned()
}

/// The decimal digits of a number, least significant first.
fn decimal(number: &[u64; 4]) -> Vec<u8> {
    let mut limbs = *number;
    let mut digits = Vec::new();
    while limbs != [0; 4] {
        let mut rest = 0;
        for limb in limbs.iter_mut().rev() {
            let wide = u128::from(rest) << 64 | u128::from(*limb);
            let [quotient, remainder] = [wide / 10, wide % 10].map(u64::try_from);
            // The rest is below 10, so the quotient fits.
            (*limb, rest) = (quotient.unwrap_or(0), remainder.unwrap_or(0));
        }
        digits.push(u8::try_from(rest).unwrap_or(0));
    }
    digits
}

/// Every case.
///
/// # Panics
/// Never: the fields that it changes are there.
#[must_use]
pub fn verify_cases() -> Vec<VerifyCase> {
    let circuit = zeros();
    let setup = Setup::new(&circuit);
    let proof = oracle::prove(&setup, &circuit.wires, (int(3), int(4))).to_json();
    let public =
        |signals: &[&str]| Json::List(signals.iter().map(|&signal| Json::text(signal)).collect());
    let case = |name, expect, public: Json, proof: Json| VerifyCase {
        name,
        vk: vk_json(&setup),
        public,
        proof,
        expect,
    };
    let good = public(&["0", "0"]);
    let signals = |name, signals: &[&str]| case(name, false, public(signals), proof.clone());
    let changed = |name, field: &str, edit: &dyn Fn(&mut Vec<Json>)| {
        let mut changed = proof.clone();
        edit(changed.get_mut(field).elements_mut());
        case(name, false, good.clone(), changed)
    };
    let (mut pi_a, mut pi_c) = (proof.clone(), proof.clone());
    let (pi_a, pi_c) = (pi_a.get_mut("pi_a").clone(), pi_c.get_mut("pi_c").clone());
    vec![
        case("ok", true, good.clone(), proof.clone()),
        signals("one_public_short", &["0"]),
        signals("no_publics", &[]),
        signals("one_public_too_many", &["0", "0", "0"]),
        signals("public_changed", &["1", "0"]),
        signals("public_plus_r", &[&plus("0", &Fr::MODULUS), "0"]),
        signals("leading_zero", &["00", "0"]),
        signals("hex_public", &["0x0", "0"]),
        signals("negative_public", &["-0", "0"]),
        changed("A_plus_q", "pi_a", &|a| {
            if let Json::Text(x) = &mut a[0] {
                *x = plus(x, &Fq::MODULUS);
            }
        }),
        changed("A_off_curve", "pi_a", &|a| *a = ["1", "3", "1"].map(Json::text).to_vec()),
        changed("A_not_affine", "pi_a", &|a| a[2] = Json::text("2")),
        changed("B_coordinates_swapped", "pi_b", &|b| {
            b[..2].iter_mut().for_each(|pair| pair.elements_mut().reverse());
        }),
        case(
            "A_and_C_swapped",
            false,
            good.clone(),
            proof.clone().with("pi_a", pi_c).with("pi_c", pi_a),
        ),
        case("missing_pi_c", false, good.clone(), proof.clone().without("pi_c")),
        case("no_curve_field", true, good.clone(), proof.clone().without("curve")),
    ]
}
