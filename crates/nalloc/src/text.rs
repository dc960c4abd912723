//! A line of text that is put together without allocating: messages come from inside an allocator.

use core::fmt;

/// Longest line; what is beyond it is left out.
const LINE_BYTES_MAX: usize = 1024;

/// A line of text of at most 1024 bytes.
pub(crate) struct Line {
    bytes: [u8; LINE_BYTES_MAX],
    used: usize,
}

impl Line {
    /// A line with the end of the line in it, formatted from `text`.
    pub(crate) fn of(text: fmt::Arguments<'_>) -> Self {
        let mut line = Self { bytes: [0; LINE_BYTES_MAX], used: 0 };
        // A line that is too long is cut, which is the only error there is.
        let _is_whole = fmt::Write::write_fmt(&mut line, text);
        line.used = line.used.min(LINE_BYTES_MAX - 1);
        line.bytes[line.used] = b'\n';
        line.used += 1;
        line
    }

    /// The bytes of the line.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.used]
    }
}

/// A number in decimal.
pub(crate) struct Number {
    digits: [u8; 10],
    first: usize,
}

impl Number {
    /// The number in decimal.
    pub(crate) fn of(mut value: u32) -> Self {
        let mut number = Self { digits: [b'0'; 10], first: 10 };
        loop {
            number.first -= 1;
            let [digit, ..] = (value % 10).to_le_bytes();
            number.digits[number.first] = b'0' + digit;
            value /= 10;
            if value == 0 {
                return number;
            }
        }
    }

    /// Its digits.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.digits[self.first..]
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LINE_BYTES_MAX - self.used;
        let length = text.len().min(room);
        self.bytes[self.used..self.used + length].copy_from_slice(&text.as_bytes()[..length]);
        self.used += length;
        if length == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_cut_and_still_ends() {
        let short = Line::of(format_args!("{}-{}", 1, "b"));
        let long = Line::of(format_args!("{}", "x".repeat(5000)));

        assert_eq!(short.as_bytes(), b"1-b\n");
        assert_eq!(long.as_bytes().len(), LINE_BYTES_MAX);
        assert!(long.as_bytes().ends_with(b"xx\n"));
    }
}
