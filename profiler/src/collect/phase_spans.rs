//! When the program was in which phase, from looks at its phase page.
//!
//! The page says when the present phase was entered and how long all stays in
//! each were. Between two looks the program may have been in other phases: of
//! one such stay all is known, of several only how long they were.

use profiler_common::phase::{COUNT, PhasePage, UNMARKED, fixed_name};

use crate::document::phase::PhaseSpan;

/// Stays kept at most: a program may change its phase all the time.
const MOST: usize = 4096;

/// The beginning of a stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Start {
    phase: usize,
    at_ns: u64,
    exact: bool,
}

/// What was seen so far.
#[derive(Default)]
pub(super) struct Spans {
    begun_ns: u64,
    starts: Vec<Start>,
    /// When the last stay that is kept ended, if there were too many.
    cut_ns: Option<u64>,
    marks: u32,
    elapsed_ns: [u64; COUNT],
}

impl Spans {
    /// The window began at this moment.
    pub(super) fn begin(page: &PhasePage, begun_ns: u64) -> Self {
        let first = Start {
            phase: clamp(page.current),
            at_ns: begun_ns,
            exact: page.marks != 0 || page.current == UNMARKED,
        };
        Self {
            begun_ns,
            starts: vec![first],
            cut_ns: None,
            marks: page.marks,
            elapsed_ns: page.elapsed_ns,
        }
    }

    /// Takes down what the page says now.
    pub(super) fn look(&mut self, page: &PhasePage, now_ns: u64) {
        let current = clamp(page.current);
        let Some(last) = self.starts.last().copied() else {
            return;
        };
        if page.marks == 0 {
            if current != last.phase {
                // Nobody knows when that stay ended.
                if let Some(last) = self.starts.last_mut() {
                    last.exact = false;
                }
                self.enter(current, now_ns, false);
            }
            return;
        }
        let marks = page.marks.wrapping_sub(self.marks);
        if marks == 0 {
            return;
        }
        let grown = |phase: usize| page.elapsed_ns[phase].saturating_sub(self.elapsed_ns[phase]);
        // The stay seen last is among those that have grown, unless nothing was
        // marked then.
        let between: Vec<(usize, u64)> = (0..COUNT)
            .filter(|&phase| phase != last.phase || self.marks == 0)
            .map(|phase| (phase, grown(phase)))
            .filter(|&(_, ns)| ns != 0)
            .collect();
        let all: u64 = between.iter().map(|(_, ns)| ns).sum();
        let mut at_ns = page.entered_ns.saturating_sub(all);
        let is_known = between.len() < 2 && marks <= 2;
        for (phase, ns) in between {
            self.enter(phase, at_ns, is_known);
            at_ns += ns;
        }
        self.enter(current, page.entered_ns, true);
        self.marks = page.marks;
        self.elapsed_ns = page.elapsed_ns;
    }

    fn enter(&mut self, phase: usize, at_ns: u64, exact: bool) {
        let earliest = self.starts.last().map_or(0, |last| last.at_ns);
        let at_ns = at_ns.max(earliest);
        if self.starts.len() < MOST {
            self.starts.push(Start {
                phase,
                at_ns,
                exact,
            });
        } else {
            self.cut_ns.get_or_insert(at_ns);
        }
    }

    /// All stays of a window that ended at this moment.
    pub(super) fn finish(&self, page: &PhasePage, ended_ns: u64) -> Vec<PhaseSpan> {
        let end_ns = self.cut_ns.unwrap_or(ended_ns);
        let ends = self.starts.iter().skip(1).map(|start| start.at_ns);
        let spans = self.starts.iter().zip(ends.chain([end_ns]));
        let spans = spans.filter(|(start, end_ns)| *end_ns > start.at_ns);
        spans
            .map(|(start, end_ns)| PhaseSpan {
                name: name(page, u16::try_from(start.phase).unwrap_or_default()),
                start_ns: start.at_ns.saturating_sub(self.begun_ns),
                duration_ns: end_ns.min(ended_ns).saturating_sub(start.at_ns),
                exact: start.exact,
            })
            .collect()
    }
}

/// An index for any number that a program may have stored.
pub(super) fn clamp(phase: u32) -> usize {
    usize::try_from(phase).map_or(COUNT - 1, |phase| phase.min(COUNT - 1))
}

/// A phase's fixed name, or the program's own, or a number.
pub(super) fn name(page: &PhasePage, number: u16) -> String {
    if let Some(fixed) = fixed_name(u32::from(number)) {
        return fixed.to_owned();
    }
    let bytes = page.names[clamp(u32::from(number))];
    let length = bytes
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(bytes.len());
    let own = String::from_utf8_lossy(&bytes[..length]);
    if own.is_empty() {
        format!("phase_{number}")
    } else {
        own.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use profiler_common::phase::{NAME_BYTES, SETUP, STEADY, TEARDOWN};

    use super::*;

    /// A page as the marker keeps it.
    struct Marker(PhasePage);

    impl Marker {
        fn new() -> Self {
            Self(PhasePage {
                current: 0,
                marks: 0,
                entered_ns: 0,
                elapsed_ns: [0; COUNT],
                names: [[0; NAME_BYTES]; COUNT],
            })
        }

        fn enter(&mut self, phase: u32, now_ns: u64) {
            let page = &mut self.0;
            if page.marks != 0 {
                page.elapsed_ns[clamp(page.current)] += now_ns - page.entered_ns;
            }
            page.entered_ns = now_ns;
            page.marks += 1;
            page.current = phase;
        }
    }

    fn shown(spans: &[PhaseSpan]) -> Vec<(&str, u64, u64, bool)> {
        spans
            .iter()
            .map(|span| (&span.name[..], span.start_ns, span.duration_ns, span.exact))
            .collect()
    }

    /// A phase that came and went between two looks is known all the same.
    #[test]
    fn one_short_stay_is_exact() {
        let mut marker = Marker::new();
        let mut spans = Spans::begin(&marker.0, 1_000);
        marker.enter(SETUP, 1_010);
        marker.enter(STEADY, 1_030);
        spans.look(&marker.0, 1_050);
        spans.look(&marker.0, 1_100);
        marker.enter(TEARDOWN, 1_120);
        spans.look(&marker.0, 1_150);
        let found = spans.finish(&marker.0, 1_200);
        let expected = [
            ("unmarked", 0, 10, true),
            ("setup", 10, 20, true),
            ("steady", 30, 90, true),
            ("teardown", 120, 80, true),
        ];
        assert_eq!(shown(&found), expected);
    }

    /// Of several short stays the lengths are known and the order is not, which
    /// is said.
    #[test]
    fn several_short_stays_are_marked() {
        let mut marker = Marker::new();
        let mut spans = Spans::begin(&marker.0, 0);
        marker.enter(STEADY, 10);
        marker.enter(SETUP, 20);
        marker.enter(TEARDOWN, 35);
        spans.look(&marker.0, 50);
        let found = spans.finish(&marker.0, 60);
        let expected = [
            ("unmarked", 0, 10, true),
            ("setup", 10, 15, false),
            ("steady", 25, 10, false),
            ("teardown", 35, 25, true),
        ];
        assert_eq!(shown(&found), expected);
    }

    /// Where the program keeps no times, a look is all there is; and stays never
    /// overlap, however many there are.
    #[test]
    fn plain_marks_and_too_many() {
        let mut page = Marker::new().0;
        let mut spans = Spans::begin(&page, 0);
        for now_ns in 1..=10_000_u64 {
            page.current = u32::try_from(now_ns % 2).expect("small");
            spans.look(&page, now_ns);
        }
        let found = spans.finish(&page, 20_000);
        assert_eq!(found.len(), MOST);
        assert!(!found[0].exact && !found[1].exact);
        let mut pairs = found.windows(2);
        assert!(pairs.all(|pair| pair[0].start_ns + pair[0].duration_ns == pair[1].start_ns));
        let last = found.last().expect("many");
        assert_eq!((last.start_ns, last.duration_ns), (4_095, 1));
    }
}
