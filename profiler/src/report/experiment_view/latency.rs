//! Latency curves of all variants.

use super::profiles;
use crate::{
    experiment::model::{Experiment, Metric, Variant},
    profile::{ledger::as_float, model::Profile},
    report::{
        profile_view::percentiles,
        units::duration_ns,
        view::{
            Block, Cell, Kind, List, Scope, Section, Table,
            chart::{Chart, Curve, Curves, PERCENTILES, Words},
            column,
        },
    },
    stats::spread::Spread,
};

/// The metrics of a curve, in its order.
const METRICS: [Metric; PERCENTILES] = [
    Metric::LatencyP50Ns,
    Metric::LatencyP90Ns,
    Metric::LatencyP99Ns,
    Metric::LatencyP999Ns,
    Metric::LatencyP9999Ns,
    Metric::LatencyP99999Ns,
    Metric::LatencyMaxNs,
];
/// The section, if any latency is known.
pub(super) fn section(experiment: &Experiment) -> Option<Section> {
    let is_known = |run: Curve| run.iter().any(Option::is_some);
    if !profiles(experiment).filter_map(curve).any(is_known) {
        return None;
    }
    let curves = experiment.variants.iter().map(series).collect();
    let words = Words::new(
        "latency-chart",
        "Latency by percentile: each run thin, their medians bold where every run tells",
        "A curve of the latency at each percentile for each variant, both axes logarithmic. The tables below have the same numbers.",
    );
    let blocks = vec![
        Block::Chart(Chart::Curves(words, curves)),
        Block::Table(medians_table(experiment)),
        Block::Table(runs(experiment)),
    ];
    Some(Section::full("latency", "Latency", blocks))
}

fn series(variant: &Variant) -> Curves {
    let runs: Vec<Curve> = variant.profiles.iter().filter_map(curve).collect();
    // A median of those runs only that had I/Os enough is no point of the curve.
    let median = medians(variant).map(|found| {
        let of_all = found.filter(|spread| spread.runs == runs.len());
        of_all.map(|spread| spread.median)
    });
    Curves {
        name: variant.name.clone(),
        median,
        runs: if runs.len() > 1 { runs } else { Vec::new() },
    }
}

fn medians(variant: &Variant) -> [Option<Spread>; PERCENTILES] {
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

/// The names of the percentiles.
fn names() -> impl Iterator<Item = &'static str> {
    let names = percentiles(&workload::summary::LatencyNs::default());
    names.into_iter().map(|(name, _)| name)
}

fn medians_table(experiment: &Experiment) -> Table {
    let variants = &experiment.variants;
    let mut columns = vec![column("percentile", Kind::Text)];
    let names_of = variants.iter().map(|found| found.name.as_str());
    columns.extend(names_of.map(|name| column(name, Kind::Number)));
    let all: Vec<_> = variants.iter().map(medians).collect();
    let rows = names().enumerate().map(|(n, name)| {
        let mut cells = vec![Cell::from(name)];
        for (variant, medians) in variants.iter().zip(&all) {
            let found = medians.get(n).copied().flatten();
            let runs = variant.profiles.len();
            let part = found.filter(|spread| spread.runs < runs);
            let part = part.map_or_else(String::new, |spread| {
                format!(" ({} of {runs} runs tell)", spread.runs)
            });
            cells.push((shown(found.map(|spread| spread.median)) + &part).into());
        }
        cells
    });
    Table {
        caption: "Latency by percentile: medians of the runs".to_owned(),
        list: List {
            what: "percentiles",
            field: "variants[].profiles[].io",
            usual: usize::MAX,
        },
        rows: rows.collect(),
        columns,
        heads: 1,
        scope: Scope::Always,
    }
}

fn runs(experiment: &Experiment) -> Table {
    let mut columns = vec![column("variant", Kind::Text), column("run", Kind::Id)];
    columns.extend(names().map(|name| column(name, Kind::Number)));
    let rows = experiment.variants.iter().flat_map(|variant| {
        let runs = (1_usize..).zip(&variant.profiles);
        runs.filter_map(move |(n, profile)| {
            let mut cells = vec![variant.name.clone(), n.to_string()];
            cells.extend(curve(profile)?.map(shown));
            Some(cells.into_iter().map(Cell::from).collect())
        })
    });
    Table {
        caption: "Latency of each run; - where it had too few I/Os to tell".to_owned(),
        list: List {
            what: "runs",
            field: "variants[].profiles[].io",
            usual: 24,
        },
        rows: rows.collect(),
        columns,
        heads: 2,
        scope: Scope::Always,
    }
}
