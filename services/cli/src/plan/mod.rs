//! `callqa plan`: how many cores, pods and partitions a contact centre needs, with the arithmetic.

mod figures;

use std::path::PathBuf;

use crate::{CliError, Done, terminal};
use figures::Figures;

/// Share of the cores that a peak may take: the rest is for a node that fails and for calls that are longer.
const PEAK_UTILISATION: f64 = 0.8;
/// A day's calls are spread over so many hours of business; the peak factor says how much more than their
/// average the busiest one sees.
const BUSY_HOURS: f64 = 10.0;
/// Partitions over the analysts of today, so that twice the pods find work without a new topic.
const ROOM_TO_GROW: f64 = 2.0;
/// Days that Kafka keeps results, as `deploy/README.md` advises.
const RETENTION_DAYS: f64 = 7.0;
/// A call's event, its recording by URI: proto/README.md's example is 0.9 KiB.
const EVENT_KIB: f64 = 1.0;
/// Copies that Kafka keeps of each row.
const REPLICATION: f64 = 3.0;

/// Reckons the cores, pods, partitions and topic sizes for so many calls
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Calls a day
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    #[arg(required_unless_present = "show_figures", default_value_if("show_figures", "true", "1"))]
    calls_per_day: u64,
    /// Minutes of a call, on average
    #[arg(long, value_name = "M", value_parser = positive)]
    #[arg(required_unless_present = "show_figures", default_value_if("show_figures", "true", "1"))]
    minutes: f64,
    /// The busiest hour against the average hour of business
    #[arg(long, value_name = "P", default_value = "2.5", value_parser = at_least_one)]
    peak_factor: f64,
    /// Cores of a pod; each takes one analyst
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_024))]
    cores_per_pod: u32,
    /// What a core costs an hour, in any currency
    #[arg(long, value_name = "PRICE", value_parser = positive)]
    core_hour: Option<f64>,
    /// Measured figures of your own machines, in the form of the built-in ones (`--show-figures`)
    #[arg(long, value_name = "FILE")]
    figures: Option<PathBuf>,
    /// Prints the built-in figures, with the command that measured each, as a file for --figures
    #[arg(long)]
    show_figures: bool,
}

fn positive(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text} is no number"))?;
    if number.is_finite() && number > 0.0 { Ok(number) } else { Err(format!("{text} is not above 0")) }
}

fn at_least_one(text: &str) -> Result<f64, String> {
    positive(text)
        .and_then(|n| if n >= 1.0 { Ok(n) } else { Err(format!("{text} is less than 1, the average")) })
}

impl Args {
    /// Prints the plan.
    ///
    /// # Errors
    /// Figures that can't be read.
    pub fn run(&self) -> Result<Done, CliError> {
        if self.show_figures {
            return terminal::print(figures::BUILT_IN).map(|()| Done::Well);
        }
        let figures = match &self.figures {
            Some(path) => Figures::read(path)?,
            None => Figures::built_in()?,
        };
        terminal::print(&self.plan(&figures)).map(|()| Done::Well)
    }

    fn plan(&self, figures: &Figures) -> String {
        let calls = self.calls_per_day as f64;
        let day_minutes = calls * self.minutes;
        let day_core_hours = day_minutes / 60.0 / figures.speed;
        let peak_minutes = day_minutes / BUSY_HOURS * self.peak_factor;
        let peak_cores = peak_minutes / 60.0 / figures.speed;
        let cores = (peak_cores / PEAK_UTILISATION).ceil();
        let per_pod = f64::from(self.cores_per_pod);
        let pods = (cores / per_pod).ceil();
        let pod_mib = figures.shared_mib + per_pod * figures.analyst_mib;
        let partitions = (pods * per_pod * ROOM_TO_GROW).ceil();
        let rows_gib = day_minutes * figures.row_kib / 1_048_576.0;
        let events_gib = calls * EVENT_KIB / 1_048_576.0;
        let kept = RETENTION_DAYS * REPLICATION;
        let mut lines = vec![
            format!("{calls:.0} calls of {} min are {day_minutes:.0} call-minutes a day", self.minutes),
            format!(
                "peak hour   {day_minutes:.0} / {BUSY_HOURS} busy hours × {} = {peak_minutes:.0} call-minutes an hour",
                self.peak_factor
            ),
            format!(
                "cores       {peak_minutes:.0} / 60 / {} call-hours a core-hour = {peak_cores:.1} busy, / {PEAK_UTILISATION} = {cores:.0}",
                figures.speed
            ),
            format!("pods        {cores:.0} / {per_pod} cores = {pods:.0}, one analyst a core"),
            format!(
                "memory      {:.0} + {per_pod} × {:.0} = {pod_mib:.0} MiB a pod, {:.1} GiB in all",
                figures.shared_mib,
                figures.analyst_mib,
                pods * pod_mib / 1_024.0
            ),
            format!(
                "partitions  {pods:.0} × {per_pod} analysts × {ROOM_TO_GROW} to grow = {partitions:.0} of the calls topic"
            ),
            format!(
                "results     {day_minutes:.0} × {} KiB = {rows_gib:.2} GiB a day; × {RETENTION_DAYS} days × {REPLICATION} copies = {:.1} GiB",
                figures.row_kib,
                rows_gib * kept
            ),
            format!(
                "calls       {calls:.0} × {EVENT_KIB} KiB = {events_gib:.2} GiB a day, recordings by URI; × {RETENTION_DAYS} × {REPLICATION} = {:.1} GiB",
                events_gib * kept
            ),
            format!(
                "work        {day_minutes:.0} / 60 / {} = {day_core_hours:.0} core-hours a day, {:.3} a 1,000 call-minutes",
                figures.speed,
                1_000.0 / 60.0 / figures.speed
            ),
        ];
        if let Some(price) = self.core_hour {
            lines.push(format!(
                "cost        {cores:.0} cores × 24 h × {price} = {:.2} a day where they always run; {day_core_hours:.0} × {price} = {:.2} where they are let go",
                cores * 24.0 * price,
                day_core_hours * price
            ));
        }
        lines.push(format!("figures     {}", figures.sources));
        lines.join("\n") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(calls_per_day: u64, minutes: f64, peak_factor: f64) -> String {
        let text = r#"
            [[figure]]
            name = "call_seconds_per_cpu_second"
            value = 10.0
            command = "a"
            [[figure]]
            name = "analyst_mib"
            value = 300.0
            command = "b"
            [[figure]]
            name = "shared_mib"
            value = 500.0
            command = "b"
            [[figure]]
            name = "row_kib_per_call_minute"
            value = 8.0
            command = "c"
        "#;
        let args = Args {
            calls_per_day,
            minutes,
            peak_factor,
            cores_per_pod: 4,
            core_hour: Some(0.05),
            figures: None,
            show_figures: false,
        };
        args.plan(&Figures::parse(text).unwrap())
    }

    #[test]
    fn the_arithmetic_is_shown_and_right() {
        let plan = plan(190_000, 4.5, 2.5);
        for line in [
            "190000 calls of 4.5 min are 855000 call-minutes a day",
            "855000 / 10 busy hours × 2.5 = 213750 call-minutes an hour",
            "213750 / 60 / 10 call-hours a core-hour = 356.2 busy, / 0.8 = 446",
            "446 / 4 cores = 112, one analyst a core",
            "500 + 4 × 300 = 1700 MiB a pod, 185.9 GiB in all",
            "112 × 4 analysts × 2 to grow = 896 of the calls topic",
            "855000 × 8 KiB = 6.52 GiB a day; × 7 days × 3 copies = 137.0 GiB",
            "855000 / 60 / 10 = 1425 core-hours a day",
            "446 cores × 24 h × 0.05 = 535.20 a day",
        ] {
            assert!(plan.contains(line), "`{line}` is not in\n{plan}");
        }
    }

    #[test]
    fn a_small_centre_needs_one_pod() {
        assert!(plan(100, 3.0, 1.0).contains("1 / 4 cores = 1,"), "{}", plan(100, 3.0, 1.0));
    }

    #[test]
    fn the_built_in_figures_are_whole() {
        assert!(Figures::built_in().unwrap().speed > 0.0);
    }

    #[test]
    fn a_figure_that_is_missing_is_named() {
        let error = Figures::parse("").unwrap_err();
        assert!(error.contains("call_seconds_per_cpu_second"), "{error}");
        let twice = "[[figure]]\nname = \"call_seconds_per_cpu_second\"\nvalue = 0\ncommand = \"\"\n";
        assert!(Figures::parse(twice).unwrap_err().contains("above 0"));
    }
}
