//! What the heap is told at start-up: the machine's limits, and the environment.
//!
//! A value that cannot be read is named on standard error with what was found and what can be
//! written, and the default holds. So is a variable with our prefix that nobody knows, with the
//! known one that looks most like it. Each is said once, for all of this is read once.

use core::ffi::CStr;
use core::str;

use super::{
    BACKGROUND, CACHE_BOUND, CACHE_LIMIT, CACHE_LIMIT_BYTES_MAX, CACHE_LIMIT_DIVISOR, CPU,
    FALLBACK, HUGE_PAGES, MEMORY_LIMIT, NAMES, RANGE_BYTES_MAX, RANGE_BYTES_MIN_AT_FIRST,
    RANGE_RAM_FACTOR, STATS, Setting, TEST_PREFIX, TRACE, VERBOSE,
};
use crate::os::{Os, probe};
use crate::text::Line;

/// Longest value that can be right, but for paths; longer ones are shown in part.
const VALUE_BYTES_MAX: usize = 64;
/// Longest name that is compared with the known ones.
const NAME_BYTES_MAX: usize = 48;
/// Longest path of a file for statistics or a trace.
pub(crate) const PATH_BYTES_MAX: usize = 1024;

/// Whether huge pages are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Huge {
    /// Unless the system never gives any.
    Auto,
    Always,
    Never,
}

impl Huge {
    /// How it is written.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

/// What the heap was told at start-up.
#[expect(clippy::struct_excessive_bools, reason = "each stands for a variable of its own")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Length of the address range to ask for first.
    pub(crate) range_bytes: u64,
    /// No single request beyond RAM and swap can succeed, as in the kernel's own heuristic.
    pub(crate) request_bytes_max: u64,
    /// See `set_cache_limit`.
    pub(crate) cache_limit_bytes: u64,
    /// Whether the cache limit holds during work too.
    pub(crate) is_always_bound: bool,
    /// See `set_memory_limit`.
    pub(crate) memory_limit_bytes: Option<u64>,
    pub(crate) huge: Huge,
    pub(crate) has_helper: bool,
    /// Whether statistics are told at exit.
    pub(crate) is_told_at_exit: bool,
    /// Whether there is a trace.
    pub(crate) is_traced: bool,
    pub(crate) is_verbose: bool,
}

impl Settings {
    /// Reads limits and environment.
    pub(crate) fn read<O: Os>(os: &O) -> Self {
        let machine = os.machine();
        let wanted = machine.ram_bytes.saturating_mul(RANGE_RAM_FACTOR);
        let wanted = wanted.clamp(RANGE_BYTES_MIN_AT_FIRST, RANGE_BYTES_MAX);
        // Half of a limited address space stays for everybody else.
        let range_bytes = wanted.min(machine.address_bytes_max / 2);

        let usable = machine.ram_bytes.min(machine.address_bytes_max);
        let usable = usable.min(probe::cgroup_limit_bytes(os));
        let default = (usable / CACHE_LIMIT_DIVISOR).min(CACHE_LIMIT_BYTES_MAX);
        let bytes = |text: &str| bytes_of(text, usable);
        let bound = value(os, &CACHE_BOUND, bytes);
        let limit = value(os, &CACHE_LIMIT, bytes);
        let _checked =
            value(os, &CPU, |text| matches!(text, "auto" | "avx2" | "baseline").then_some(()));
        let _checked = value(os, &FALLBACK, flag_of);
        name_unknown_variables(os);
        Self {
            range_bytes,
            request_bytes_max: machine.ram_bytes.saturating_add(machine.swap_bytes),
            cache_limit_bytes: match (bound, limit) {
                (Some(bound), Some(limit)) => bound.min(limit),
                (one, other) => one.or(other).unwrap_or(default),
            },
            is_always_bound: bound.is_some(),
            memory_limit_bytes: value(os, &MEMORY_LIMIT, |text| bytes(text).filter(|&n| n > 0)),
            huge: value(os, &HUGE_PAGES, huge_of).unwrap_or(Huge::Auto),
            has_helper: value(os, &BACKGROUND, flag_of).unwrap_or(true),
            is_told_at_exit: stats_destination(os, &mut [0; PATH_BYTES_MAX]).is_some(),
            is_traced: trace_path(os, &mut [0; PATH_BYTES_MAX]).is_some(),
            is_verbose: value(os, &VERBOSE, flag_of).unwrap_or(false),
        }
    }
}

/// Where the statistics go when the process exits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination<'a> {
    StandardError,
    File(&'a CStr),
}

/// Where the statistics go at exit, if anywhere; a path is kept in `buffer`.
pub(crate) fn stats_destination<'a, O: Os>(
    os: &O,
    buffer: &'a mut [u8; PATH_BYTES_MAX],
) -> Option<Destination<'a>> {
    let length = os.variable(STATS.name, buffer)?;
    if length >= PATH_BYTES_MAX {
        complain(os, &STATS, &buffer[..VALUE_BYTES_MAX]);
        return None;
    }
    match &buffer[..length] {
        b"" | b"0" => None,
        b"1" => Some(Destination::StandardError),
        _ => CStr::from_bytes_until_nul(buffer).ok().map(Destination::File),
    }
}

/// Where a trace goes, if anywhere, as it was written; it is kept in `buffer`.
pub(crate) fn trace_path<'a, O: Os>(
    os: &O,
    buffer: &'a mut [u8; PATH_BYTES_MAX],
) -> Option<&'a [u8]> {
    let length = os.variable(TRACE.name, buffer)?;
    if length >= PATH_BYTES_MAX {
        complain(os, &TRACE, &buffer[..VALUE_BYTES_MAX]);
        return None;
    }
    match &buffer[..length] {
        b"" | b"0" => None,
        // Who means "on" has not said where.
        b"1" => {
            complain(os, &TRACE, b"1");
            None
        }
        path => Some(path),
    }
}

/// The value of a variable; None, said on standard error, when `parse` cannot read it.
fn value<O: Os, T>(os: &O, setting: &Setting, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    let mut buffer = [0; VALUE_BYTES_MAX];
    let length = os.variable(setting.name, &mut buffer)?;
    let text = buffer.get(..length).and_then(|bytes| str::from_utf8(bytes).ok());
    let parsed = text.and_then(|text| parse(text.trim()));
    if parsed.is_none() {
        complain(os, setting, &buffer[..length.min(VALUE_BYTES_MAX)]);
    }
    parsed
}

#[cold]
fn complain<O: Os>(os: &O, setting: &Setting, found: &[u8]) {
    let Setting { name, forms, default } = *setting;
    let (name, found) = (name.to_bytes().escape_ascii(), found.escape_ascii());
    let line = Line::of(format_args!(
        "nalloc: {name}: expected {forms}, found \"{found}\"; the default holds: {default}"
    ));
    os.tell(line.as_bytes());
}

/// A number of bytes: `1000000`, `512M`, `2G`, or a percentage of `whole`.
fn bytes_of(text: &str, whole: u64) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let shift = match unit.trim_start() {
        "" => 0,
        "K" | "k" => 10,
        "M" | "m" => 20,
        "G" | "g" => 30,
        "T" | "t" => 40,
        "%" if number <= 100 => {
            let part = u128::from(whole) * u128::from(number) / 100;
            return u64::try_from(part).ok();
        }
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

fn flag_of(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

fn huge_of(text: &str) -> Option<Huge> {
    [Huge::Auto, Huge::Always, Huge::Never].into_iter().find(|huge| huge.name() == text)
}

/// Names every variable with our prefix that nobody knows.
fn name_unknown_variables<O: Os>(os: &O) {
    os.each_variable(&mut |entry| {
        let name = entry.split(|&byte| byte == b'=').next().unwrap_or(entry);
        let is_ours = name.starts_with(b"NALLOC_") && !name.starts_with(TEST_PREFIX);
        let is_known = NAMES.iter().any(|known| known.to_bytes() == name);
        if is_ours && !is_known && name.len() <= NAME_BYTES_MAX {
            let nearest = NAMES.iter().min_by_key(|known| distance(known.to_bytes(), name));
            let nearest = nearest.map_or(&b""[..], |known| known.to_bytes()).escape_ascii();
            let line = Line::of(format_args!(
                "nalloc: {}: unknown variable, not used; the nearest known one is {nearest}",
                name.escape_ascii()
            ));
            os.tell(line.as_bytes());
        }
    });
}

/// How many bytes have to be put in, taken out or changed to make one name the other.
fn distance(one: &[u8], other: &[u8]) -> usize {
    let mut row = [0; NAME_BYTES_MAX + 1];
    for (k, cell) in row.iter_mut().enumerate() {
        *cell = k;
    }
    for (k, &a) in one.iter().enumerate() {
        let mut corner = row[0];
        row[0] = k + 1;
        for (j, &b) in other.iter().enumerate() {
            let changed = corner + usize::from(a != b);
            corner = row[j + 1];
            row[j + 1] = changed.min(corner + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::fake::Fake;

    fn fake() -> Fake {
        Fake::new(1, 4096)
    }

    #[test]
    fn bytes_are_read_in_every_form() {
        let whole = 1 << 30;
        let cases = [
            ("0", Some(0)),
            ("54321", Some(54321)),
            ("8k", Some(8 << 10)),
            ("512M", Some(512 << 20)),
            ("2 G", Some(2 << 30)),
            ("3T", Some(3 << 40)),
            ("25%", Some(whole / 4)),
            ("100 %", Some(whole)),
            ("101%", None),
            ("", None),
            ("M", None),
            ("-1", None),
            ("1.5G", None),
            ("2GiB", None),
            ("99999999999999999999", None),
            ("18446744073709551615K", None),
        ];
        for (text, bytes) in cases {
            assert_eq!(bytes_of(text, whole), bytes, "{text}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_read_is_named_with_its_forms_and_the_default_holds() {
        let fake = fake()
            .with_variable("NALLOC_CACHE_LIMIT", "lots")
            .with_variable("NALLOC_THP", "sometimes")
            .with_variable("NALLOC_BACKGROUND", "yes")
            .with_variable("NALLOC_CPU", "avx9")
            .with_variable("NALLOC_FALLBACK", "true")
            .with_variable("NALLOC_MEMORY_LIMIT", "0");

        let settings = Settings::read(&&fake);

        // The fake machine's address space is 512 MiB.
        assert_eq!(settings.cache_limit_bytes, 64 << 20);
        assert_eq!((settings.huge, settings.has_helper), (Huge::Auto, true));
        assert_eq!(settings.memory_limit_bytes, None);
        let told = fake.told();
        assert_eq!(told.lines().count(), 6, "{told}");
        assert!(told.contains("nalloc: NALLOC_THP: expected auto, always or never, found"));
        assert!(told.contains("\"sometimes\"; the default holds: auto\n"), "{told}");
        assert!(told.contains("512M, 2G, 25%), found \"lots\""), "{told}");
    }

    #[test]
    fn an_unknown_variable_names_the_nearest_known_one() {
        let fake = fake()
            .with_variable("NALLOC_CACHE_LIMITS", "1")
            .with_variable("NALLOC_TPH", "auto")
            .with_variable("NALLOC_TEST_CHILD", "x")
            .with_variable("MALLOC_ARENA_MAX", "1");

        let _settings = Settings::read(&&fake);

        let told = fake.told();
        assert_eq!(told.lines().count(), 2, "{told}");
        assert!(told.contains("NALLOC_CACHE_LIMITS: unknown variable"), "{told}");
        assert!(told.contains("nearest known one is NALLOC_CACHE_LIMIT\n"), "{told}");
        assert!(told.contains("nearest known one is NALLOC_THP\n"), "{told}");
    }

    #[test]
    fn settings_are_read_in_every_form_without_a_word() {
        let fake = fake()
            .with_variable("NALLOC_CACHE_LIMIT", "10M")
            .with_variable("ZK_NALLOC_CACHE_BYTES", "1M")
            .with_variable("NALLOC_MEMORY_LIMIT", "50%")
            .with_variable("NALLOC_THP", "never")
            .with_variable("NALLOC_BACKGROUND", "0")
            .with_variable("NALLOC_VERBOSE", "1")
            .with_variable("NALLOC_CPU", "baseline")
            .with_variable("NALLOC_STATS", "/tmp/stats");

        let settings = Settings::read(&&fake);

        assert_eq!((settings.cache_limit_bytes, settings.is_always_bound), (1 << 20, true));
        assert_eq!(settings.memory_limit_bytes, Some(256 << 20));
        assert_eq!((settings.huge, settings.has_helper), (Huge::Never, false));
        assert!(settings.is_verbose && settings.is_told_at_exit);
        let mut buffer = [0; PATH_BYTES_MAX];
        let destination = stats_destination(&&fake, &mut buffer);
        assert_eq!(destination, Some(Destination::File(c"/tmp/stats")));
        assert_eq!(fake.told(), "");
    }
}
