//! What must hold, beside what was measured.

use crate::table::table;

/// A ratio that must not be above a bound.
#[derive(Clone, Debug)]
pub struct Target {
    /// What is compared with what.
    pub name: String,
    /// The largest ratio that passes.
    pub ratio_max: f64,
    /// What was measured.
    pub ratio: f64,
}

impl Target {
    /// Whether it is met; a ratio that is no number is not.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.ratio <= self.ratio_max
    }
}

/// A line for each target, with pass or FAIL.
#[must_use]
pub fn report(targets: &[Target]) -> String {
    let mut rows = vec![["target", "at most", "measured", ""].map(str::to_owned).to_vec()];
    rows.extend(targets.iter().map(|target| {
        let verdict = if target.is_met() { "pass" } else { "FAIL" };
        vec![
            target.name.clone(),
            format!("{:.2}x", target.ratio_max),
            format!("{:.2}x", target.ratio),
            verdict.to_owned(),
        ]
    }));
    table(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_fails_above_its_bound_and_when_nothing_was_measured() {
        let target = |ratio| Target { name: "a".to_owned(), ratio_max: 1.1, ratio };
        let verdicts = [1.1, 1.1001, f64::NAN].map(|ratio| target(ratio).is_met());
        assert_eq!(verdicts, [true, false, false]);

        let text = report(&[target(1.0), target(2.0)]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].ends_with("pass") && lines[2].ends_with("FAIL"), "{text}");
    }
}
