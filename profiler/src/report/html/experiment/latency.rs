//! Latency curves of all variants.

use maud::{Markup, html};

use crate::{
    experiment::model::{Experiment, Metric, Variant},
    profile::{ledger::as_float, model::Profile},
    report::{
        html::{
            chart::{
                curves::{self, Curve, LENGTH, Series},
                frame::Words,
            },
            page::Section,
            table::{Column, Kind, more, table},
        },
        io::percentiles,
        units::duration_ns,
    },
    stats::spread::Spread,
};

/// The metrics of a curve, in its order.
const METRICS: [Metric; LENGTH] = [
    Metric::LatencyP50Ns,
    Metric::LatencyP90Ns,
    Metric::LatencyP99Ns,
    Metric::LatencyP999Ns,
    Metric::LatencyP9999Ns,
    Metric::LatencyP99999Ns,
    Metric::LatencyMaxNs,
];
/// Runs in the table.
const RUNS: usize = 100;

/// The section, if any latency is known.
#[must_use]
pub fn section(experiment: &Experiment) -> Option<Section> {
    let series: Vec<Series> = experiment.variants.iter().map(series).collect();
    let words = Words {
        id: "latency-chart",
        title: "Latency by percentile: each run thin, their medians bold where every run tells",
        text: "A curve of the latency at each percentile for each variant, both axes logarithmic. The tables below have the same numbers.",
    };
    let chart = curves::chart(words, &series)?;
    let body = html! { (chart) (medians_table(experiment)) (runs(experiment)) };
    Some(Section::new("latency", "Latency", body))
}

fn series(variant: &Variant) -> Series {
    let runs: Vec<Curve> = variant.profiles.iter().filter_map(curve).collect();
    // A median of those runs only that had I/Os enough is no point of the curve.
    let median = medians(variant).map(|found| {
        let of_all = found.filter(|spread| spread.runs == runs.len());
        of_all.map(|spread| spread.median)
    });
    Series {
        name: variant.name.clone(),
        median,
        runs: if runs.len() > 1 { runs } else { Vec::new() },
    }
}

fn medians(variant: &Variant) -> [Option<Spread>; LENGTH] {
    METRICS.map(|metric| {
        let values = variant
            .profiles
            .iter()
            .filter_map(|profile| metric.of(profile));
        Spread::of(values)
    })
}

fn curve(profile: &Profile) -> Option<Curve> {
    let found = percentiles(&profile.io.as_ref()?.latency_ns);
    Some(found.map(|(_, ns)| ns.map(as_float)))
}

fn shown(ns: Option<f64>) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a latency, not negative and far below u64's limit"
    )]
    ns.map_or_else(|| "-".to_owned(), |ns| duration_ns(ns.round() as u64))
}

fn medians_table(experiment: &Experiment) -> Markup {
    let variants = &experiment.variants;
    let mut columns: Vec<Column<'_>> = vec![("percentile", Kind::Text)];
    columns.extend(
        variants
            .iter()
            .map(|found| (found.name.as_str(), Kind::Number)),
    );
    let all: Vec<_> = variants.iter().map(medians).collect();
    let rows = curves::names().enumerate().map(|(n, name)| {
        let mut cells = vec![name.to_owned()];
        for (variant, medians) in variants.iter().zip(&all) {
            let found = medians.get(n).copied().flatten();
            let runs = variant.profiles.len();
            let part = found.filter(|spread| spread.runs < runs);
            let part = part.map_or_else(String::new, |spread| {
                format!(" ({} of {runs} runs tell)", spread.runs)
            });
            cells.push(shown(found.map(|spread| spread.median)) + &part);
        }
        cells
    });
    table(
        "Latency by percentile: medians of the runs",
        &columns,
        1,
        rows,
    )
}

fn runs(experiment: &Experiment) -> Markup {
    let mut columns: Vec<Column<'_>> = vec![("variant", Kind::Text), ("run", Kind::Number)];
    columns.extend(curves::names().map(|name| (name, Kind::Number)));
    let all = || {
        experiment.variants.iter().flat_map(|variant| {
            let runs = (1_usize..).zip(&variant.profiles);
            runs.filter_map(move |(n, profile)| Some((variant, n, curve(profile)?)))
        })
    };
    let rows = all().take(RUNS).map(|(variant, n, curve)| {
        let mut cells = vec![variant.name.clone(), n.to_string()];
        cells.extend(curve.map(shown));
        cells
    });
    html! {
        (table("Latency of each run; - where it had too few I/Os to tell", &columns, 2, rows))
        (more(all().count(), RUNS, "runs", "variants[].profiles[].io"))
    }
}
