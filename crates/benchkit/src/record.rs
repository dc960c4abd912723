//! Records: one line of CSV for each case and contestant, appended to a file of benches/record/.
//!
//! The columns are those of every record, of the benchmarks for Node too; benches/record/README.md
//! says what each means, and tests compare it with the names here.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::machine::Machine;
use crate::rounds::Summary;

/// The names of the columns, in order.
pub const COLUMNS: [&str; 16] = [
    "date",
    "commit",
    "machine",
    "toolchain",
    "load",
    "benchmark",
    "case",
    "contestant",
    "settings",
    "rounds",
    "unit",
    "min",
    "median",
    "resident_bytes",
    "peak_bytes",
    "page_faults",
];

/// One case of one contestant.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What was done.
    pub case: String,
    /// Who did it.
    pub contestant: String,
    /// With which settings.
    pub settings: String,
    /// What was measured.
    pub summary: Summary,
}

/// Appends a run to `benchmark`.csv in the repository that holds the current folder.
///
/// # Errors
/// When there is no folder benches/record above, or the file cannot be written.
pub fn append(
    benchmark: &str,
    unit: &str,
    machine: &Machine,
    entries: &[Entry],
) -> io::Result<PathBuf> {
    let here = std::env::current_dir()?;
    let folder = here
        .ancestors()
        .map(|folder| folder.join("benches/record"))
        .find(|folder| folder.is_dir())
        .ok_or_else(|| io::Error::other("no folder benches/record here or above"))?;
    let file = folder.join(format!("{benchmark}.csv"));
    append_to(&file, &lines(benchmark, unit, machine, entries))?;
    Ok(file)
}

/// Appends lines to a file; a new one gets the header first.
fn append_to(file: &Path, lines: &str) -> io::Result<()> {
    let is_new = fs::metadata(file).map_or(true, |metadata| metadata.len() == 0);
    let mut text = String::new();
    if is_new {
        text += &COLUMNS.join(",");
        text.push('\n');
    }
    text += lines;
    OpenOptions::new().create(true).append(true).open(file)?.write_all(text.as_bytes())
}

fn lines(benchmark: &str, unit: &str, machine: &Machine, entries: &[Entry]) -> String {
    let mut text = String::new();
    for Entry { case, contestant, settings, summary } in entries {
        let cells: [String; COLUMNS.len()] = [
            machine.date.clone(),
            machine.commit.clone(),
            machine.description.clone(),
            machine.toolchain.clone(),
            format!("{:.2}", machine.load),
            benchmark.to_owned(),
            case.clone(),
            contestant.clone(),
            settings.clone(),
            summary.rounds.to_string(),
            unit.to_owned(),
            format!("{:.4}", summary.min),
            format!("{:.4}", summary.median),
            summary.resident_bytes.to_string(),
            summary.peak_bytes.to_string(),
            summary.page_faults.to_string(),
        ];
        let quoted: Vec<String> = cells.iter().map(|cell| quote(cell)).collect();
        writeln!(text, "{}", quoted.join(",")).expect("a string takes everything");
    }
    text
}

/// A cell as RFC 4180 has it.
fn quote(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::TempDir;

    fn machine() -> Machine {
        Machine {
            date: "2026-11-21".to_owned(),
            commit: "abc1234".to_owned(),
            description: "a \"CPU\", 2 threads".to_owned(),
            toolchain: "rustc 1".to_owned(),
            threads: 2,
            load: 0.126,
        }
    }

    #[test]
    fn a_file_gets_its_header_once_and_cells_with_commas_are_quoted() {
        let folder = TempDir::new();
        let file = folder.path().join("x.csv");
        let summary = Summary {
            rounds: 3,
            min: 1.0,
            median: 1.25,
            resident_bytes: 1,
            idle_bytes: None,
            peak_bytes: 2,
            page_faults: 3,
        };
        let entry = Entry {
            case: "a".to_owned(),
            contestant: "b".to_owned(),
            settings: "c".to_owned(),
            summary,
        };

        let lines = lines("x", "ms", &machine(), std::slice::from_ref(&entry));
        append_to(&file, &lines).expect("a file");
        append_to(&file, &lines).expect("a file");

        let line = "2026-11-21,abc1234,\"a \"\"CPU\"\", 2 threads\",rustc 1,0.13,x,a,b,c,3,ms,\
                    1.0000,1.2500,1,2,3\n";
        let text = fs::read_to_string(&file).expect("a file");
        assert_eq!(text, format!("{}\n{line}{line}", COLUMNS.join(",")));
    }

    #[test]
    fn the_columns_are_those_that_the_records_readme_explains() {
        let readme = include_str!("../../../benches/record/README.md");

        let explained: Vec<&str> =
            readme.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        assert_eq!(explained, COLUMNS);
    }
}
