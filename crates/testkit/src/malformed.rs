//! Keys and witnesses that must be refused, with the codes that are right for them, and what
//! `verify` must answer.
//!
//! All are made from one pair of good files: a chain of five squarings with two public wires, which
//! fills its domain of 8 and has no wire that is zero.

mod more;
mod verify;

use nalloc_bn254::{Fq, Fr};

use crate::cases::chain;
use crate::circuit::int;
use crate::files::{Section, container, wtns_head, wtns_sections, zkey_sections};
use crate::setup::Setup;

pub use verify::{VerifyCase, verify_cases};

/// Byte offsets inside of the header section of a key.
mod at {
    pub(super) const N8Q: usize = 0;
    pub(super) const Q: usize = 4;
    pub(super) const N8R: usize = 36;
    pub(super) const R: usize = 40;
    pub(super) const N_VARS: usize = 72;
    pub(super) const N_PUBLIC: usize = 76;
    pub(super) const DOMAIN: usize = 80;
    pub(super) const ALPHA1: usize = 84;
    pub(super) const BETA1: usize = 148;
    pub(super) const BETA2: usize = 212;
    pub(super) const GAMMA2: usize = 340;
    pub(super) const DELTA1: usize = 468;
    pub(super) const DELTA2: usize = 532;
}

/// A pair of files and what a prover must do with it.
#[derive(Clone, Debug)]
pub struct MalformedCase {
    /// Its name.
    pub name: &'static str,
    /// The key, or none for the good one.
    pub zkey: Option<Vec<u8>>,
    /// The witness, or none for the good one.
    pub wtns: Option<Vec<u8>>,
    /// The codes of which one is right, the best first; none for files that make a proof.
    pub codes: Vec<&'static str>,
}

impl MalformedCase {
    fn zkey(name: &'static str, bytes: Vec<u8>, codes: &[&'static str]) -> Self {
        Self { name, zkey: Some(bytes), wtns: None, codes: codes.to_vec() }
    }

    fn wtns(name: &'static str, bytes: Vec<u8>, codes: &[&'static str]) -> Self {
        Self { name, zkey: None, wtns: Some(bytes), codes: codes.to_vec() }
    }

    /// Its line of INDEX.tsv.
    #[must_use]
    pub fn index_line(&self) -> String {
        let Self { name, codes, .. } = self;
        let file = |is_own: bool, kind: &str| {
            if is_own { format!("{name}.{kind}") } else { format!("base.{kind}") }
        };
        let verdict = if codes.is_empty() { "accept" } else { "reject" };
        let codes = if codes.is_empty() { "-".to_owned() } else { codes.join("|") };
        let zkey = file(self.zkey.is_some(), "zkey");
        let wtns = file(self.wtns.is_some(), "wtns");
        format!("{name}\t{zkey}\t{wtns}\t{verdict}\t{codes}")
    }
}

/// The good files, and the parts of which they are made.
#[derive(Clone, Debug)]
pub struct Base {
    /// The good key.
    pub zkey: Vec<u8>,
    /// The good witness.
    pub wtns: Vec<u8>,
    /// The values of the wires.
    pub witness: Vec<Fr>,
    sections: Vec<Section>,
}

impl Base {
    /// Makes them.
    #[must_use]
    pub fn new() -> Self {
        let circuit = chain("malformed_base", 5);
        let sections = zkey_sections(&Setup::new(&circuit));
        Self {
            zkey: container(*b"zkey", 1, &sections),
            wtns: crate::files::wtns(&circuit.wires),
            witness: circuit.wires,
            sections,
        }
    }

    /// The key with one section changed.
    fn edited(&self, id: u32, edit: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut sections = self.sections.clone();
        let section = sections.iter_mut().find(|(other, _)| *other == id);
        edit(&mut section.expect("a section from 1 to 10").1);
        container(*b"zkey", 1, &sections)
    }

    /// The key with some bytes of a section replaced.
    fn put(&self, id: u32, offset: usize, bytes: &[u8]) -> Vec<u8> {
        self.edited(id, |section| section[offset..offset + bytes.len()].copy_from_slice(bytes))
    }

    /// The key with a number of its header replaced.
    fn put_size(&self, offset: usize, size: u32) -> Vec<u8> {
        self.put(2, offset, &size.to_le_bytes())
    }

    /// The key without a section.
    fn without(&self, id: u32) -> Vec<u8> {
        let kept = self.sections.iter().filter(|(other, _)| *other != id);
        container(*b"zkey", 1, &kept.cloned().collect::<Vec<_>>())
    }

    /// The key with more sections at its end.
    fn extended(&self, more: &[Section]) -> Vec<u8> {
        container(*b"zkey", 1, &[&self.sections, more].concat())
    }

    /// A witness of other values.
    fn with_values(values: &[Fr]) -> Vec<u8> {
        crate::files::wtns(values)
    }

    /// The witness with the bytes of one value replaced.
    fn with_raw_value(&self, index: usize, limbs: [u64; 4]) -> Vec<u8> {
        let mut sections = wtns_sections(&self.witness);
        let bytes: Vec<u8> = limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
        sections[1].1[32 * index..32 * (index + 1)].copy_from_slice(&bytes);
        container(*b"wtns", 2, &sections)
    }

    /// The witness with another first section.
    fn with_head(&self, head: Vec<u8>) -> Vec<u8> {
        let mut sections = wtns_sections(&self.witness);
        sections[0].1 = head;
        container(*b"wtns", 2, &sections)
    }

    fn count(&self) -> u32 {
        u32::try_from(self.witness.len()).unwrap_or(u32::MAX)
    }
}

impl Default for Base {
    fn default() -> Self {
        Self::new()
    }
}

/// (1, 3), which is not on the curve.
fn off_curve() -> Vec<u8> {
    [1, 3].iter().flat_map(|&x| coordinate(x)).collect()
}

fn coordinate(x: i64) -> [u8; 32] {
    use nalloc_bn254::Field as _;
    Fq::from_u64(x.unsigned_abs()).to_montgomery_le_bytes()
}

/// Every case: first those of the reference, then more.
#[must_use]
pub fn cases(base: &Base) -> Vec<MalformedCase> {
    let mut cases = good_cases(base);
    cases.extend(container_cases(base));
    cases.extend(key_cases(base));
    cases.extend(witness_cases(base));
    cases.extend(more::cases(base));
    cases
}

fn good_cases(base: &Base) -> Vec<MalformedCase> {
    let reversed: Vec<Section> = base.sections.iter().rev().cloned().collect();
    let unknown = [(99, b"x".to_vec()), (99, b"yz".to_vec())];
    vec![
        MalformedCase { name: "ok", zkey: None, wtns: None, codes: Vec::new() },
        MalformedCase::zkey("ok_sections_reversed", container(*b"zkey", 1, &reversed), &[]),
        MalformedCase::zkey("ok_no_section_10", base.without(10), &[]),
        MalformedCase::zkey("ok_unknown_section_twice", base.extended(&unknown), &[]),
    ]
}

fn container_cases(base: &Base) -> Vec<MalformedCase> {
    let cut =
        |name, len: usize| MalformedCase::zkey(name, base.zkey[..len].to_vec(), &["ERR_TRUNCATED"]);
    let start = |magic: [u8; 4], version| container(magic, version, &base.sections);
    let zkey = MalformedCase::zkey;
    vec![
        cut("zkey_truncated_in_file_header", 9),
        cut("zkey_truncated_in_section_table", 12 + 12 + 4 + 7),
        cut("zkey_truncated_in_header_section", 300),
        cut("zkey_truncated_last_byte", base.zkey.len() - 1),
        zkey("zkey_magic", start(*b"zkez", 1), &["ERR_BAD_MAGIC"]),
        zkey("zkey_is_a_wtns", base.wtns.clone(), &["ERR_BAD_MAGIC"]),
        zkey("zkey_version_3", start(*b"zkey", 3), &["ERR_UNSUPPORTED_VERSION"]),
        zkey("zkey_plonk", base.put(1, 0, &[2]), &["ERR_UNSUPPORTED_PROTOCOL"]),
        zkey("zkey_fflonk", base.put(1, 0, &[10]), &["ERR_UNSUPPORTED_PROTOCOL"]),
    ]
}

fn key_cases(base: &Base) -> Vec<MalformedCase> {
    let zkey = MalformedCase::zkey;
    let mut r_minus_2 = Fr::MODULUS;
    r_minus_2[0] -= 2;
    let r_minus_2: Vec<u8> = r_minus_2.iter().flat_map(|limb| limb.to_le_bytes()).collect();
    let (_, section_5) = &base.sections[4];
    let gamma_is_delta =
        base.edited(2, |head| head.copy_within(at::GAMMA2..at::DELTA1, at::DELTA2));
    let bad_domain = ["ERR_BAD_HEADER", "ERR_SECTION_LENGTH"];
    let off = off_curve();
    vec![
        zkey("zkey_other_r", base.put(2, at::R, &r_minus_2), &["ERR_UNSUPPORTED_CURVE"]),
        zkey("zkey_missing_section_8", base.without(8), &["ERR_SECTION_MISSING"]),
        zkey(
            "zkey_duplicate_section_5",
            base.extended(&[(5, section_5.clone())]),
            &["ERR_SECTION_DUPLICATE"],
        ),
        zkey(
            "zkey_section_9_one_point_short",
            base.edited(9, |points| points.truncate(points.len() - 64)),
            &["ERR_SECTION_LENGTH"],
        ),
        zkey("zkey_domain_not_power_of_two", base.put_size(at::DOMAIN, 7), &bad_domain),
        zkey(
            "zkey_constraint_index_is_domain",
            base.put(4, 4 + 4, &8_u32.to_le_bytes()),
            &["ERR_INDEX_RANGE"],
        ),
        zkey("zkey_A_off_curve", base.put(5, 64, &off), &["ERR_NOT_ON_CURVE", "ERR_SELF_VERIFY"]),
        zkey("zkey_alpha_off_curve", base.put(2, at::ALPHA1, &off), &["ERR_NOT_ON_CURVE"]),
        zkey("zkey_delta1_infinity", base.put(2, at::DELTA1, &[0; 64]), &["ERR_POINT_AT_INFINITY"]),
        zkey("zkey_gamma_is_delta", gamma_is_delta, &["ERR_INSECURE_KEY"]),
    ]
}

fn witness_cases(base: &Base) -> Vec<MalformedCase> {
    let wtns = MalformedCase::wtns;
    let start = |magic: [u8; 4], version| container(magic, version, &wtns_sections(&base.witness));
    let (last, rest) = base.witness.split_last().expect("a witness is not empty");
    let [mut first_is_2, mut unsatisfying] = [base.witness.clone(), base.witness.clone()];
    first_is_2[0] = int(2);
    unsatisfying[rest.len()] = *last + int(1);
    vec![
        wtns("wtns_magic", start(*b"wtnz", 2), &["ERR_BAD_MAGIC"]),
        wtns("wtns_version_3", start(*b"wtns", 3), &["ERR_UNSUPPORTED_VERSION"]),
        wtns("wtns_truncated", base.wtns[..base.wtns.len() - 40].to_vec(), &["ERR_TRUNCATED"]),
        wtns("wtns_w0_is_2", Base::with_values(&first_is_2), &["ERR_WITNESS_ONE"]),
        wtns("wtns_element_is_r", base.with_raw_value(4, Fr::MODULUS), &["ERR_NON_CANONICAL"]),
        wtns("wtns_one_element_short", Base::with_values(rest), &["ERR_WITNESS_LENGTH"]),
        wtns(
            "wtns_other_prime",
            base.with_head(wtns_head(&Fq::MODULUS, base.count())),
            &["ERR_PRIME_MISMATCH"],
        ),
        wtns("wtns_not_satisfying", Base::with_values(&unsatisfying), &["ERR_SELF_VERIFY"]),
    ]
}
