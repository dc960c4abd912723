//! Secrets in environment variables, without a copy on the way: JavaScript would make a string of
//! it, which nobody can wipe.

use std::ffi::{CString, c_char, c_int};

use base64ct::{Base64Unpadded, Encoding as _};

use crate::error::{Failure, INVALID_ARG};

unsafe extern "C" {
    fn unsetenv(name: *const c_char) -> c_int;
}

#[derive(Clone, Copy)]
enum Encoding {
    Hex,
    Base64,
}

/// The text of a variable that is an encoding of at least one byte, by its length.
pub struct Text<'a> {
    name: &'a str,
    encoding: Encoding,
    /// Without padding.
    digits: &'a [u8],
}

impl Text<'_> {
    /// How many bytes it stands for.
    pub fn decoded_len(&self) -> usize {
        match self.encoding {
            Encoding::Hex => self.digits.len() / 2,
            Encoding::Base64 => self.digits.len() / 4 * 3 + self.digits.len() % 4 * 3 / 4,
        }
    }

    /// Fills `out`, which has `decoded_len` bytes, in a time that depends on the length alone.
    pub fn decode(&self, out: &mut [u8]) -> Result<(), Failure> {
        let is_decoded = match self.encoding {
            Encoding::Hex => base16ct::mixed::decode(self.digits, out).is_ok(),
            Encoding::Base64 => Base64Unpadded::decode(self.digits, out).is_ok(),
        };
        if is_decoded { Ok(()) } else { Err(self.refuse()) }
    }

    fn refuse(&self) -> Failure {
        refuse(self.name, self.encoding)
    }
}

/// The value itself is never quoted.
fn refuse(name: &str, encoding: Encoding) -> Failure {
    let expected = match encoding {
        Encoding::Hex => "an even number of hexadecimal digits, at least two",
        Encoding::Base64 => "base64 of at least one byte",
    };
    Failure::new(INVALID_ARG, format!("{name}: expected {expected}, got another text"))
}

fn c_name(name: &str) -> Result<CString, Failure> {
    CString::new(name).map_err(|_| {
        Failure::new(INVALID_ARG, "name: expected text without a NUL character, got one with")
    })
}

/// Hands `make` the text of the variable `name`.
pub fn decode<T>(
    name: &str,
    encoding: &str,
    make: impl FnOnce(&Text<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let encoding = if encoding == "hex" { Encoding::Hex } else { Encoding::Base64 };
    let c_name = c_name(name)?;
    // SAFETY: as for all of C's environment, no other thread may use it meanwhile; Node does so
    // only when JavaScript says so.
    unsafe {
        nalloc::with_variable(&c_name, |value| {
            let text = value.ok_or_else(|| {
                let message =
                    format!("{name}: expected an environment variable that is set, got none");
                Failure::new(INVALID_ARG, message)
            })?;
            make(&text_of(name, encoding, text)?)
        })
    }
}

/// The digits of `text`, if there may be any.
fn text_of<'a>(name: &'a str, encoding: Encoding, text: &'a [u8]) -> Result<Text<'a>, Failure> {
    let digits = match encoding {
        Encoding::Base64 if text.len().is_multiple_of(4) => without_padding(text),
        Encoding::Hex | Encoding::Base64 => text,
    };
    let text = Text { name, encoding, digits };
    let is_odd = matches!(encoding, Encoding::Hex) && !digits.len().is_multiple_of(2);
    if is_odd || text.decoded_len() == 0 { Err(text.refuse()) } else { Ok(text) }
}

fn without_padding(text: &[u8]) -> &[u8] {
    let once = text.strip_suffix(b"=").unwrap_or(text);
    once.strip_suffix(b"=").unwrap_or(once)
}

/// Overwrites the value of the variable `name` and removes it.
pub fn remove(name: &str) -> Result<(), Failure> {
    let c_name = c_name(name)?;
    // SAFETY: as in `decode`; the name ends with NUL.
    unsafe {
        nalloc::with_variable(&c_name, |value| value.map(nalloc::wipe));
        unsetenv(c_name.as_ptr());
    }
    Ok(())
}
