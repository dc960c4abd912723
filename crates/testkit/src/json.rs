//! JSON as Python's `json.dumps` writes it: fields in the order in which they were put.

use core::fmt::Write as _;

use nalloc_bn254::{Affine, Fq, Fq2, Fr, G1Affine, G2Affine};

/// A JSON value whose texts need no escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// A string.
    Text(String),
    /// A number.
    Integer(u64),
    /// true or false.
    Flag(bool),
    /// An array.
    List(Vec<Json>),
    /// An object.
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    /// A string.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number in decimal.
    #[must_use]
    pub fn number(number: Fr) -> Self {
        Self::text(number.to_decimal())
    }

    /// A point of G1: `[x, y, "1"]`.
    #[must_use]
    pub fn g1(point: &G1Affine) -> Self {
        let text = |x: Fq| Self::text(x.to_decimal());
        Self::List(homogeneous(point).map(text).to_vec())
    }

    /// A point of G2: `[[x0, x1], [y0, y1], ["1", "0"]]`.
    #[must_use]
    pub fn g2(point: &G2Affine) -> Self {
        let pair = |x: Fq2| [x.c0, x.c1].map(|part| Self::text(part.to_decimal())).to_vec();
        Self::List(homogeneous(point).map(|x| Self::List(pair(x))).to_vec())
    }

    /// The same object with one field replaced.
    ///
    /// # Panics
    /// When it is no object or has no such field.
    #[must_use]
    pub fn with(mut self, name: &str, value: Self) -> Self {
        *self.get_mut(name) = value;
        self
    }

    /// The same object without one of its fields.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        if let Self::Object(fields) = &mut self {
            fields.retain(|(field, _)| *field != name);
        }
        self
    }

    /// A field of an object.
    ///
    /// # Panics
    /// When it is no object or has no such field.
    pub fn get_mut(&mut self, name: &str) -> &mut Self {
        let Self::Object(fields) = self else { panic!("{name} of what is no object") };
        let field = fields.iter_mut().find(|(field, _)| *field == name);
        &mut field.unwrap_or_else(|| panic!("no field {name}")).1
    }

    /// An array's elements.
    ///
    /// # Panics
    /// When it is no array.
    pub fn elements_mut(&mut self) -> &mut Vec<Self> {
        let Self::List(elements) = self else { panic!("elements of what is no array") };
        elements
    }

    /// `json.dumps(value)`.
    #[must_use]
    pub fn to_line(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, &Style { open: "", between: ", ", indent: None }, 0);
        out
    }

    /// `json.dumps(value, indent=1)`.
    #[must_use]
    pub fn to_indented(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, &Style { open: "\n", between: ",\n", indent: Some(" ") }, 0);
        out
    }

    fn write(&self, out: &mut String, style: &Style, depth: usize) {
        match self {
            Self::Text(text) => {
                // Writing to a string cannot fail.
                let _infallible = write!(out, "\"{text}\"");
            }
            Self::Integer(number) => out.push_str(&number.to_string()),
            Self::Flag(flag) => out.push_str(&flag.to_string()),
            Self::List(elements) => {
                let elements = elements.iter().map(|element| (None, element));
                write_all(out, style, depth, ['[', ']'], elements);
            }
            Self::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| (Some(*name), value));
                write_all(out, style, depth, ['{', '}'], fields);
            }
        }
    }
}

/// What stands between the parts of an array or object.
struct Style {
    open: &'static str,
    between: &'static str,
    indent: Option<&'static str>,
}

fn write_all<'j>(
    out: &mut String,
    style: &Style,
    depth: usize,
    [open, close]: [char; 2],
    parts: impl ExactSizeIterator<Item = (Option<&'static str>, &'j Json)>,
) {
    let is_empty = parts.len() == 0;
    let indent = |depth: usize| style.indent.unwrap_or_default().repeat(depth);
    out.push(open);
    for (index, (name, value)) in parts.enumerate() {
        out.push_str(if index == 0 { style.open } else { style.between });
        out.push_str(&indent(depth + 1));
        if let Some(name) = name {
            let _infallible = write!(out, "\"{name}\": ");
        }
        value.write(out, style, depth + 1);
    }
    if !is_empty {
        out.push_str(style.open);
        out.push_str(&indent(depth));
    }
    out.push(close);
}

fn homogeneous<F: nalloc_bn254::curve::CurveField>(point: &Affine<F>) -> [F; 3] {
    if point.is_infinity() { [F::ZERO, F::ONE, F::ZERO] } else { [point.x, point.y, F::ONE] }
}
