//! What a contestant showed with one prover.

use benchkit::record::Entry;
use benchkit::rounds::{Sample, Summary};

use super::contestants::Entrant;
use crate::figures::Figures;

/// Ours by another: the mean of our proofs just before and after one of the other's, by that.
#[derive(Clone, Copy, Debug)]
pub struct Beside {
    wall: f64,
    cpu: f64,
}

impl Beside {
    pub fn of(other: &Figures, ours: [&Figures; 2]) -> Self {
        let mean = |value: fn(&Figures) -> f64| f64::midpoint(value(ours[0]), value(ours[1]));
        Self {
            wall: mean(|figures| figures.wall_ms) / other.wall_ms,
            cpu: mean(|figures| figures.cpu_ms) / other.cpu_ms,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// First proofs of processes.
    pub cold: Vec<Figures>,
    /// Later ones.
    pub warm: Vec<Figures>,
    /// How ours compared with each of the later ones; empty for ours.
    pub beside: Vec<Beside>,
    /// Resident once nobody had called for a while.
    pub idle_bytes: u64,
    /// What nalloc had handed out then.
    pub live_bytes: u64,
}

impl Shown {
    pub fn cold_wall(&self) -> Summary {
        summary(&self.cold, |figures| figures.wall_ms)
    }

    pub fn cold_cpu(&self) -> Summary {
        summary(&self.cold, |figures| figures.cpu_ms)
    }

    pub fn warm_wall(&self) -> Summary {
        let idle_bytes = Some(self.idle_bytes);
        Summary { idle_bytes, ..summary(&self.warm, |figures| figures.wall_ms) }
    }

    pub fn warm_cpu(&self) -> Summary {
        summary(&self.warm, |figures| figures.cpu_ms)
    }

    /// Of pairs, our time by that of this one; None for ours.
    pub fn ours_to_wall(&self) -> Option<Summary> {
        self.ours_to(|beside| beside.wall)
    }

    /// Of pairs, our CPU time by that of this one; None for ours.
    pub fn ours_to_cpu(&self) -> Option<Summary> {
        self.ours_to(|beside| beside.cpu)
    }

    fn ours_to(&self, value: fn(&Beside) -> f64) -> Option<Summary> {
        let sample = |beside| Sample {
            value: value(beside),
            resident_bytes: 0,
            peak_bytes: 0,
            page_faults: 0,
        };
        let samples: Vec<_> = self.beside.iter().map(sample).collect();
        (!samples.is_empty()).then(|| Summary::of(&samples))
    }

    /// The lines of a record, of times.
    pub fn times(&self, prover: &str, entrant: &Entrant) -> Vec<Entry> {
        let cases = [
            ("cold", self.cold_wall()),
            ("cold, CPU", self.cold_cpu()),
            ("warm", self.warm_wall()),
            ("warm, CPU", self.warm_cpu()),
        ];
        cases.map(|(case, summary)| entry(prover, case, entrant, summary)).to_vec()
    }

    /// The lines of a record, of pairs.
    pub fn ratios(&self, prover: &str, entrant: &Entrant) -> Vec<Entry> {
        let cases = [
            ("warm, ours by this", self.ours_to_wall()),
            ("warm, CPU, ours by this", self.ours_to_cpu()),
        ];
        let measured = cases.into_iter().filter_map(|(case, ratio)| Some((case, ratio?)));
        measured.map(|(case, ratio)| entry(prover, case, entrant, ratio)).collect()
    }
}

fn entry(prover: &str, case: &str, entrant: &Entrant, summary: Summary) -> Entry {
    Entry {
        case: format!("{prover}: {case}"),
        contestant: entrant.contestant.name.to_owned(),
        settings: entrant.contestant.settings(),
        summary,
    }
}

fn summary(all: &[Figures], value: fn(&Figures) -> f64) -> Summary {
    let sample = |figures: &Figures| Sample {
        value: value(figures),
        resident_bytes: figures.resident_bytes,
        peak_bytes: figures.peak_bytes,
        page_faults: figures.page_faults,
    };
    Summary::of(&all.iter().map(sample).collect::<Vec<_>>())
}
