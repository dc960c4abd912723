//! `Proof` and public signals, and their texts: proof.json and public.json.

use nalloc_bn254::file::index;
use nalloc_bn254::{Fr, G1Affine, G2Affine};
use serde_json::Value;

use crate::json::{Fault, JsonField, ObjectWriter, number, point};
use crate::verify::VerifyFailure;

/// The longest text of a proof that is looked at; one without white space has about 720 bytes.
const PROOF_BYTES_MAX: usize = 64 << 10;
/// The longest text of public signals that is looked at: this, and as much again for each signal as
/// a number of 77 digits and generous white space need.
const PUBLIC_BYTES_MAX: usize = 4 << 10;
const PUBLIC_BYTES_EACH_MAX: usize = 256;

/// A Groth16 proof. The points may be any: verification checks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// A, in G1.
    pub a: G1Affine,
    /// B, in G2.
    pub b: G2Affine,
    /// C, in G1.
    pub c: G1Affine,
}

impl Proof {
    /// The text of proof.json.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut object = ObjectWriter::new();
        object.g1("pi_a", &self.a);
        object.g2("pi_b", &self.b);
        object.g1("pi_c", &self.c);
        object.text("protocol", "groth16");
        object.text("curve", "bn128");
        object.finish()
    }

    /// Reads the text of a proof.json, whose points must be of their groups. The curve may be left
    /// out.
    ///
    /// # Errors
    /// [`VerifyFailure::ProofEncoding`], [`VerifyFailure::NotOnCurve`],
    /// [`VerifyFailure::NotInSubgroup`].
    pub fn from_json(text: &[u8]) -> Result<Self, VerifyFailure> {
        let wrong = |field| VerifyFailure::ProofEncoding { field };
        let value = parse(text, PROOF_BYTES_MAX).filter(Value::is_object);
        let value = value.ok_or(wrong(None))?;
        let is = |field: &str, expected: &str| {
            value.get(field).map(|text| text.as_str() == Some(expected))
        };
        if is("protocol", "groth16") != Some(true) {
            return Err(wrong(Some("protocol")));
        }
        if is("curve", "bn128") == Some(false) {
            return Err(wrong(Some("curve")));
        }
        Ok(Self {
            a: read_point(&value, "pi_a")?,
            b: read_point(&value, "pi_b")?,
            c: read_point(&value, "pi_c")?,
        })
    }
}

fn read_point<F: JsonField>(
    value: &Value,
    field: &'static str,
) -> Result<nalloc_bn254::Affine<F>, VerifyFailure> {
    // An absent field is no point either.
    point(value.get(field).unwrap_or(&Value::Null)).map_err(|fault| match fault {
        Fault::Encoding | Fault::Range => VerifyFailure::ProofEncoding { field: Some(field) },
        Fault::NotOnCurve => VerifyFailure::NotOnCurve { field },
        Fault::NotInSubgroup => VerifyFailure::NotInSubgroup { field },
    })
}

/// The text of public.json.
#[must_use]
pub fn public_to_json(signals: &[Fr]) -> String {
    let signals: Vec<String> =
        signals.iter().map(|signal| format!("\"{}\"", signal.to_decimal())).collect();
    format!("[{}]", signals.join(","))
}

/// Reads the text of a public.json with `expected` signals.
pub(crate) fn public_from_json(text: &[u8], expected: u32) -> Result<Vec<Fr>, VerifyFailure> {
    let count = index(expected);
    let bytes_max = count.saturating_mul(PUBLIC_BYTES_EACH_MAX).saturating_add(PUBLIC_BYTES_MAX);
    let value = parse(text, bytes_max);
    let signals = value.as_ref().and_then(Value::as_array);
    let wrong_count = VerifyFailure::PublicCount { expected, got: signals.map(Vec::len) };
    let signals = signals.filter(|signals| signals.len() == count).ok_or(wrong_count)?;
    let signals = signals.iter().enumerate();
    signals.map(|(index, signal)| read_signal(signal, index)).collect()
}

fn read_signal(value: &Value, index: usize) -> Result<Fr, VerifyFailure> {
    number(value).map_err(|_| VerifyFailure::PublicRange { index })
}

fn parse(text: &[u8], bytes_max: usize) -> Option<Value> {
    if text.len() > bytes_max {
        return None;
    }
    serde_json::from_slice(text).ok()
}
