//! What a contestant showed with one prover.

use benchkit::record::Entry;
use benchkit::rounds::{Sample, Summary};

use super::contestants::Entrant;
use crate::figures::Figures;

#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// First proofs of processes.
    pub cold: Vec<Figures>,
    /// Later ones.
    pub warm: Vec<Figures>,
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

    /// The lines of a record.
    pub fn entries(&self, prover: &str, entrant: &Entrant) -> Vec<Entry> {
        let cases = [
            ("cold", self.cold_wall()),
            ("cold, CPU", self.cold_cpu()),
            ("warm", self.warm_wall()),
            ("warm, CPU", self.warm_cpu()),
        ];
        let entry = |(case, summary): (&str, Summary)| Entry {
            case: format!("{prover}: {case}"),
            contestant: entrant.contestant.name.to_owned(),
            settings: entrant.contestant.settings(),
            summary,
        };
        cases.map(entry).to_vec()
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
