//! Numbers and points in the notation of proof.json and `verification_key.json`.
//!
//! Numbers are decimal strings without sign or leading zeros. A point is `[x, y, "1"]`, and
//! infinity is `["0", "1", "0"]`; in G2 each coordinate is a pair `[c0, c1]`. Nothing else is
//! accepted.

use core::fmt::Write as _;

use nalloc_bn254::curve::CurveField;
use nalloc_bn254::field::{Modulus, Montgomery};
use nalloc_bn254::{Affine, Fq, Fq2, G1Affine, G2Affine};
use serde_json::Value;

/// Why a JSON value is not a number or a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not in the notation above.
    Encoding,
    /// A number that is not below its modulus.
    Range,
    /// Not a point of the curve.
    NotOnCurve,
    /// A point of G2's curve that is not in G2.
    NotInSubgroup,
}

/// A decimal string as an element of a prime field.
pub(crate) fn number<M: Modulus>(value: &Value) -> Result<Montgomery<M>, Fault> {
    let text = value.as_str().ok_or(Fault::Encoding)?;
    let digits = text.as_bytes();
    let is_canonical = !digits.is_empty()
        && digits.iter().all(u8::is_ascii_digit)
        && (digits[0] != b'0' || digits.len() == 1);
    if !is_canonical {
        return Err(Fault::Encoding);
    }
    Montgomery::from_decimal(text).ok_or(Fault::Range)
}

/// A field whose elements have a JSON notation.
pub(crate) trait JsonField: CurveField {
    /// Reads an element.
    fn from_json(value: &Value) -> Result<Self, Fault>;

    /// Writes an element.
    fn write_json(self, out: &mut String);
}

impl JsonField for Fq {
    fn from_json(value: &Value) -> Result<Self, Fault> {
        number(value)
    }

    fn write_json(self, out: &mut String) {
        out.push('"');
        out.push_str(&self.to_decimal());
        out.push('"');
    }
}

impl JsonField for Fq2 {
    fn from_json(value: &Value) -> Result<Self, Fault> {
        let [c0, c1] = array(value)?;
        Ok(Self { c0: number(c0)?, c1: number(c1)? })
    }

    fn write_json(self, out: &mut String) {
        out.push('[');
        self.c0.write_json(out);
        out.push(',');
        self.c1.write_json(out);
        out.push(']');
    }
}

/// A point of the group of order r, or infinity.
pub(crate) fn point<F: JsonField>(value: &Value) -> Result<Affine<F>, Fault> {
    let [x, y, z] = array(value)?;
    let (x, y, z) = (F::from_json(x)?, F::from_json(y)?, F::from_json(z)?);
    if z.is_zero() {
        let is_infinity = x.is_zero() && y == F::ONE;
        return if is_infinity { Ok(Affine::INFINITY) } else { Err(Fault::Encoding) };
    }
    let point = Affine { x, y };
    match () {
        () if z != F::ONE => Err(Fault::Encoding),
        // (0, 0) would stand for infinity, and is not a point of either curve.
        () if point.is_infinity() || !point.is_on_curve() => Err(Fault::NotOnCurve),
        () if !point.is_in_subgroup() => Err(Fault::NotInSubgroup),
        () => Ok(point),
    }
}

/// Writes a point.
fn write_point<F: JsonField>(point: &Affine<F>, out: &mut String) {
    let (x, y, z) =
        if point.is_infinity() { (F::ZERO, F::ONE, F::ZERO) } else { (point.x, point.y, F::ONE) };
    out.push('[');
    x.write_json(out);
    out.push(',');
    y.write_json(out);
    out.push(',');
    z.write_json(out);
    out.push(']');
}

fn array<const N: usize>(value: &Value) -> Result<&[Value; N], Fault> {
    let elements = value.as_array().ok_or(Fault::Encoding)?;
    elements.as_slice().try_into().map_err(|_| Fault::Encoding)
}

/// A JSON object that is written field by field, in the order of the calls.
pub(crate) struct ObjectWriter {
    out: String,
}

impl ObjectWriter {
    /// An object without fields.
    pub(crate) fn new() -> Self {
        Self { out: String::new() }
    }

    fn key(&mut self, name: &str) {
        self.out.push(if self.out.is_empty() { '{' } else { ',' });
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
    }

    /// A field whose text needs no escapes.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.key(name);
        self.out.push('"');
        self.out.push_str(text);
        self.out.push('"');
    }

    /// A field that is a JSON number.
    pub(crate) fn integer(&mut self, name: &str, number: u32) {
        self.key(name);
        // Writing to a string cannot fail.
        let _infallible = write!(self.out, "{number}");
    }

    /// A point of G1.
    pub(crate) fn g1(&mut self, name: &str, point: &G1Affine) {
        self.key(name);
        write_point(point, &mut self.out);
    }

    /// A point of G2.
    pub(crate) fn g2(&mut self, name: &str, point: &G2Affine) {
        self.key(name);
        write_point(point, &mut self.out);
    }

    /// A field that is a list of points of G1.
    pub(crate) fn g1_list(&mut self, name: &str, points: &[G1Affine]) {
        self.key(name);
        self.out.push('[');
        for (index, point) in points.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            write_point(point, &mut self.out);
        }
        self.out.push(']');
    }

    /// A field that is a value of the pairing.
    pub(crate) fn pairing(&mut self, name: &str, value: &[[Fq2; 3]; 2]) {
        self.key(name);
        for (half, start) in value.iter().zip(['[', ',']) {
            self.out.push(start);
            for (coordinate, start) in half.iter().zip(['[', ',', ',']) {
                self.out.push(start);
                coordinate.write_json(&mut self.out);
            }
            self.out.push(']');
        }
        self.out.push(']');
    }

    /// The whole object.
    pub(crate) fn finish(mut self) -> String {
        self.out.push('}');
        self.out
    }
}
