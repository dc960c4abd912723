//! What one proof took.

use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use benchkit::usage::{reset_peak, usage};

/// Time, faults and memory of one proof.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// From call to return, in ms.
    pub wall_ms: f64,
    /// Of all threads, in user and kernel mode, in ms.
    pub cpu_ms: f64,
    /// Pages that the kernel had to give.
    pub page_faults: u64,
    /// Resident after it.
    pub resident_bytes: u64,
    /// The most that was resident during it.
    pub peak_bytes: u64,
}

impl Figures {
    /// Measures a piece of work of this process.
    pub fn of(work: impl FnOnce()) -> Self {
        reset_peak();
        let faults_before = usage().page_faults;
        let (cpu_before, started) = (cpu_ms(), Instant::now());
        work();
        let (wall_ms, cpu_ms) = (started.elapsed().as_secs_f64() * 1e3, cpu_ms() - cpu_before);
        let after = usage();
        Self {
            wall_ms,
            cpu_ms,
            page_faults: after.page_faults - faults_before,
            resident_bytes: after.resident_bytes,
            peak_bytes: after.peak_bytes,
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wall_ms, cpu_ms, page_faults, resident_bytes, peak_bytes } = self;
        write!(f, "{wall_ms} {cpu_ms} {page_faults} {resident_bytes} {peak_bytes}")
    }
}

impl FromStr for Figures {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected five figures, got {text:?}");
        let mut words = text.split(' ');
        let mut next = || words.next().ok_or_else(wrong);
        let time = |word: &str| word.parse().map_err(|_| wrong());
        let count = |word: &str| word.parse().map_err(|_| wrong());
        Ok(Self {
            wall_ms: time(next()?)?,
            cpu_ms: time(next()?)?,
            page_faults: count(next()?)?,
            resident_bytes: count(next()?)?,
            peak_bytes: count(next()?)?,
        })
    }
}

/// What all threads of this process have used of processors, in ms.
fn cpu_ms() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists on every Linux, and the struct is ours.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(status, 0, "no clock of this process");
    #[allow(clippy::cast_precision_loss)] // 2^53 seconds do not pass.
    let seconds = time.tv_sec as f64;
    #[allow(clippy::cast_precision_loss)] // At most 10^9.
    let nanoseconds = time.tv_nsec as f64;
    seconds * 1e3 + nanoseconds / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_as_they_are_written() {
        let figures = Figures::of(|| drop(vec![1_u8; 1 << 20]));
        assert_eq!(figures.to_string().parse(), Ok(figures));
        assert!("1 2 3".parse::<Figures>().is_err());
    }
}
