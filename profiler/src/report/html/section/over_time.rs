//! Entries over time.

use maud::html;

use crate::{
    profile::model::Profile,
    report::{
        html::{
            chart::{
                frame::Words,
                timeline::{self, Input, Row},
            },
            page::Section,
            prose::alarm,
        },
        units::{count, duration_ns},
    },
};

/// The section, if a timeline was recorded.
#[must_use]
pub fn section(profile: &Profile) -> Option<Section> {
    let found = profile.timeline.as_ref()?;
    let input = Input {
        starts_ns: &found.starts_ns,
        ends_ns: &found.ends_ns,
        rows: found
            .rows
            .iter()
            .map(|row| Row {
                cause: &row.cause,
                detail: &row.detail,
                counts: &row.counts,
            })
            .collect(),
    };
    let words = Words {
        id: "timeline",
        title: "Entries per second over time, by cause",
        text: "A column for each slot of time, as high as its entries per second and divided by cause. The table below has the busiest slot of each cause.",
    };
    let lost: u64 = found.losses.iter().sum();
    let body = html! {
        (timeline::chart(words, &input)?)
        @if lost != 0 { (alarm(&format!("{} entries could not be put into a slot", count(lost)))) }
        p.note {
            "An interval of " (duration_ns(found.interval_ns)) " was asked for. The edge of a slot is the moment at which the counters were read, which took up to "
            (duration_ns(found.reading_ns)) "; heights are rates, since slots differ in length."
        }
    };
    Some(Section::new("over-time", "Over time", body))
}
