//! Tables of text: the first column to the left, the others to the right.

use std::fmt::Write as _;

/// Aligns rows of equally many cells; the first row is the header.
///
/// # Panics
/// When rows differ in length.
#[must_use]
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    assert!(rows.iter().all(|row| row.len() == columns), "rows differ in length: {rows:?}");
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let written = if at == 0 {
                write!(line, "{cell:<width$}")
            } else {
                write!(line, "  {cell:>width$}")
            };
            written.expect("a string takes everything");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["pattern", "glibc"], ["a", "123456"], ["long pattern", "1"]];
        let rows: Vec<_> = rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect();

        let expected = "pattern        glibc\na             123456\nlong pattern       1\n";
        assert_eq!(table(&rows), expected);
    }
}
