//! What pictures are drawn of.

use crate::stats::bootstrap::Interval;

/// A chart's name and what it shows, in words.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// Its anchor; unique on the page.
    pub id: String,
    /// Its name.
    pub title: String,
    /// What it shows, for who does not see it.
    pub text: String,
}

impl Words {
    /// A name and a description.
    #[must_use]
    pub fn new(id: impl Into<String>, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            text: text.into(),
        }
    }
}

/// A picture.
#[derive(Debug)]
pub enum Chart {
    /// Amounts side by side.
    Bars(Words, Bars),
    /// Entries over time.
    Timeline(Words, Timeline),
    /// Latency by percentile.
    Curves(Words, Vec<Curves>),
    /// Ratios on a logarithmic axis, with the picture's anchor.
    Ratios(String, Vec<Ratio>),
    /// Every run's value of one number.
    Runs(Words, Runs),
}

/// Amounts, all to one scale.
#[derive(Clone, Debug, Default)]
pub struct Bars {
    /// What the colours stand for.
    pub series: Vec<String>,
    /// The things that there is an amount of.
    pub rows: Vec<BarRow>,
}

/// One thing that there is an amount of.
#[derive(Clone, Debug, Default)]
pub struct BarRow {
    /// Its name.
    pub label: String,
    /// Its bars, one below the other.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Clone, Debug, Default)]
pub struct Bar {
    /// What it is made of: series and amount.
    pub parts: Vec<(usize, f64)>,
    /// What is written behind it.
    pub text: String,
}

impl Bar {
    /// One piece of one series.
    #[must_use]
    pub fn whole(series: usize, amount: f64, text: String) -> Self {
        Self {
            parts: vec![(series, amount)],
            text,
        }
    }
}

/// Entries in slots of time, which need not be of one length.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// When each slot begins, in order.
    pub starts_ns: Vec<u64>,
    /// When each ends.
    pub ends_ns: Vec<u64>,
    /// Entries of each cause in each slot, by its name, most entries first.
    pub rows: Vec<(String, Vec<u64>)>,
}

/// How many percentiles a curve has.
pub const PERCENTILES: usize = 7;

/// Latencies at each percentile, in nanoseconds, where they are known.
pub type Curve = [Option<f64>; PERCENTILES];

/// The curves of one variant.
#[derive(Clone, Debug, Default)]
pub struct Curves {
    /// Its name.
    pub name: String,
    /// The median over its runs, or its only run.
    pub median: Curve,
    /// Each run, if there are several.
    pub runs: Vec<Curve>,
}

/// One ratio.
#[derive(Clone, Debug, Default)]
pub struct Ratio {
    /// Of what.
    pub label: String,
    /// The same in words.
    pub text: String,
    /// After by before.
    pub ratio: f64,
    /// Its interval.
    pub interval: Option<Interval>,
    /// Whether it was judged to differ from 1.
    pub differs: bool,
    /// Whether it was judged at all.
    pub is_judged: bool,
}

/// Every run's value of one number.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    /// The variants.
    pub rows: Vec<RunsRow>,
    /// Where the axis ends, which begins at 0.
    pub end: f64,
    /// What stands there.
    pub end_words: String,
}

/// The runs of one variant.
#[derive(Clone, Debug, Default)]
pub struct RunsRow {
    /// Its name and its median in words.
    pub label: String,
    /// Each run's value.
    pub values: Vec<f64>,
    /// Their median.
    pub median: f64,
}
