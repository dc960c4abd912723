//! Must, aim and limit beside what was measured.

use benchkit::format::ms;
use benchkit::table::table;

/// What is asked of one figure.
#[derive(Clone, Debug)]
pub struct Goal {
    /// What is measured, with its unit.
    pub name: String,
    /// What it has to reach.
    pub must: Bound,
    /// What it should reach, and what the machine's multiply-adds alone would take.
    pub aim_and_limit: Option<(f64, f64)>,
    /// None where the other side does not run here.
    pub measured: Option<f64>,
}

/// A bound, and on which side of it a figure passes.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// A time.
    AtMost(f64),
    /// A ratio.
    AtLeast(f64),
}

impl Goal {
    /// Whether it is met; a figure that is no number is not, one that nobody could measure is.
    pub fn is_met(&self) -> bool {
        match (self.measured, self.must) {
            (None, _) => true,
            (Some(measured), Bound::AtMost(bound)) => measured <= bound,
            (Some(measured), Bound::AtLeast(bound)) => measured >= bound,
        }
    }

    fn cells(&self) -> Vec<String> {
        let must = match self.must {
            Bound::AtMost(bound) => format!("<= {bound}"),
            Bound::AtLeast(bound) => format!(">= {}x", rounded(bound)),
        };
        let share = |measured: f64, limit: f64| match self.must {
            Bound::AtMost(_) => format!("{:.0} %", 100.0 * limit / measured),
            Bound::AtLeast(_) => format!("{:.0} %", 100.0 * measured / limit),
        };
        let (aim, limit) = self.aim_and_limit.unzip();
        let shown = |figure: Option<f64>| figure.map_or_else(String::new, rounded);
        let verdict = match self.measured {
            None => "skipped",
            Some(_) if self.is_met() => "pass",
            Some(_) => "FAIL",
        };
        vec![
            self.name.clone(),
            must,
            shown(aim),
            shown(limit),
            self.measured.map_or_else(String::new, ms),
            self.measured.zip(limit).map_or_else(String::new, |(at, limit)| share(at, limit)),
            verdict.to_owned(),
        ]
    }
}

/// With two decimals at most.
fn rounded(figure: f64) -> String {
    ((figure * 100.0).round() / 100.0).to_string()
}

/// A line for each goal.
pub fn report(goals: &[Goal]) -> String {
    let header = ["target", "must", "aim", "limit", "measured", "of limit", ""];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(goals.iter().map(Goal::cells));
    table(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_fails_beyond_its_bound_and_when_its_figure_is_no_number() {
        let goal = |must, measured| Goal { name: "a".into(), must, aim_and_limit: None, measured };
        let met = [
            goal(Bound::AtMost(2.0), Some(2.0)),
            goal(Bound::AtLeast(2.0), Some(2.0)),
            goal(Bound::AtMost(2.0), None),
        ];
        let missed = [
            goal(Bound::AtMost(2.0), Some(2.01)),
            goal(Bound::AtLeast(2.0), Some(1.99)),
            goal(Bound::AtMost(2.0), Some(f64::NAN)),
            goal(Bound::AtLeast(2.0), Some(f64::NAN)),
        ];

        assert!(met.iter().all(Goal::is_met) && !missed.iter().any(Goal::is_met));
        assert!(report(&missed).lines().skip(1).all(|line| line.ends_with("FAIL")));
        assert!(report(&met).ends_with("skipped\n"));
    }
}
