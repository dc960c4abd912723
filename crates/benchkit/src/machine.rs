//! The machine that figures belong to, in one line, as benches/node/_bench.ts writes it too.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

/// Load above which a run is not undisturbed, per thread of the machine.
const LOAD_MAX: f64 = 0.5;

/// What a record says of where and when it was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// The day, in UTC.
    pub date: String,
    /// The commit, with `+` when files differ from it.
    pub commit: String,
    /// CPU, threads, memory, kernel and the state of huge pages.
    pub description: String,
    /// The compiler.
    pub toolchain: String,
    /// Threads that may run at once.
    pub threads: usize,
    /// Load average of the minute before.
    pub load: f64,
}

impl Machine {
    /// This machine, now.
    #[must_use]
    pub fn current() -> Self {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let root = Path::new("/");
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            date: date_of_day(since_epoch.as_secs() / 86_400),
            commit: commit(),
            description: describe(root, threads),
            toolchain: env!("BENCHKIT_TOOLCHAIN").to_owned(),
            threads,
            load: load(root),
        }
    }

    /// A warning when other programs are at work.
    #[must_use]
    pub fn disturbance(&self) -> Option<String> {
        let threads = u32::try_from(self.threads).map_or(1.0, f64::from);
        (self.load > LOAD_MAX * threads)
            .then(|| format!("load {:.2} before the start: other programs are at work", self.load))
    }
}

/// CPU, threads, memory, kernel and huge pages, from the files below `root`.
fn describe(root: &Path, threads: usize) -> String {
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    let cpu_info = read("proc/cpuinfo");
    let field = |name: &str| {
        let mut fields = cpu_info.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
    };
    // Some architectures name no model; some names stand for several generations of a processor.
    let model = field("model name").unwrap_or(std::env::consts::ARCH);
    let generation = field("cpu family").zip(field("model"));
    let generation = generation
        .map_or_else(String::new, |(family, model)| format!(" (family {family}, model {model})"));
    let memory_bytes = crate::usage::kib_field(&read("proc/meminfo"), "MemTotal").unwrap_or(0);
    let memory_gib = (memory_bytes + (1 << 29)) >> 30;
    let kernel = read("proc/sys/kernel/osrelease");
    let modes = read("sys/kernel/mm/transparent_hugepage/enabled");
    let mode = modes.split(['[', ']']).nth(1).unwrap_or("absent");
    let kernel = kernel.trim();
    format!("{model}{generation}, {threads} threads, {memory_gib} GiB, Linux {kernel}, THP {mode}")
}

/// Whether huge pages are for those who ask: otherwise nobody gets them, or everybody.
#[must_use]
pub fn is_advice_heard() -> bool {
    let modes = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled");
    modes.is_ok_and(|modes| modes.contains("[madvise]"))
}

/// Bytes that programs can have before the machine swaps or refuses.
#[must_use]
pub fn available_bytes() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    crate::usage::kib_field(&text, "MemAvailable").unwrap_or(0)
}

fn load(root: &Path) -> f64 {
    let text = fs::read_to_string(root.join("proc/loadavg")).unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0.0)
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short", "HEAD"]) else { return "unknown".to_owned() };
    // A record that was just written does not change what was measured.
    let changes = git(&["status", "--porcelain", "--", ":/", ":(exclude,top)benches/record"]);
    if changes.is_some_and(|text| text.is_empty()) { commit } else { format!("{commit}+") }
}

/// Year, month and day of a day since 1970, by the eras of 400 years of the Gregorian calendar.
fn date_of_day(day: u64) -> String {
    // Days are counted from the first of March of the year 0, so that leap days end a year.
    let day = day + 719_468;
    let (era, day_of_era) = (day / 146_097, day % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day_of_month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::TempDir;

    fn tree(files: &[(&str, &str)]) -> TempDir {
        let root = TempDir::new();
        for (path, text) in files {
            let file = root.path().join(path);
            fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            fs::write(file, text).expect("a file");
        }
        root
    }

    #[test]
    fn a_machine_is_described_by_what_the_kernel_shows() {
        let root = tree(&[
            (
                "proc/cpuinfo",
                "cpu family\t: 25\nmodel\t\t: 17\nmodel name\t: Some CPU 9\nmodel name\t: X\n",
            ),
            ("proc/meminfo", "MemTotal:       16252928 kB\nMemFree: 1 kB\n"),
            ("proc/sys/kernel/osrelease", "6.1.0-x\n"),
            ("proc/loadavg", "1.25 0.50 0.10 1/2 3\n"),
            ("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"),
        ]);

        let text = describe(root.path(), 8);

        assert_eq!(
            text,
            "Some CPU 9 (family 25, model 17), 8 threads, 16 GiB, Linux 6.1.0-x, THP madvise"
        );
        assert!((load(root.path()) - 1.25).abs() < 1e-9);
    }

    #[test]
    fn a_machine_that_shows_little_is_described_all_the_same() {
        let text = describe(tree(&[]).path(), 1);

        let arch = std::env::consts::ARCH;
        assert_eq!(text, format!("{arch}, 1 threads, 0 GiB, Linux , THP absent"));
    }

    #[test]
    fn days_become_dates_across_leap_years() {
        let dates = [(0, "1970-01-01"), (11_016, "2000-02-29"), (11_017, "2000-03-01")];
        for (day, date) in dates.into_iter().chain([(20_778, "2026-11-21"), (24_836, "2037-12-31")])
        {
            assert_eq!(date_of_day(day), date);
        }
    }
}
