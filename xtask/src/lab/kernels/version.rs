//! The order of Debian's version numbers.

use std::cmp::Ordering;

/// As `dpkg --compare-versions` has it: epoch, upstream version, revision.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (Parts::of(a), Parts::of(b));
    a.epoch
        .cmp(&b.epoch)
        .then_with(|| compare_part(a.upstream, b.upstream))
        .then_with(|| compare_part(a.revision, b.revision))
}

struct Parts<'a> {
    epoch: u64,
    upstream: &'a str,
    revision: &'a str,
}

impl<'a> Parts<'a> {
    fn of(version: &'a str) -> Self {
        let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self {
            epoch: epoch.parse().unwrap_or(0),
            upstream,
            revision,
        }
    }
}

/// Alternating runs of other characters and digits.
fn compare_part(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    while !(a.is_empty() && b.is_empty()) {
        let (text_a, rest_a) = split(a, |c| !c.is_ascii_digit());
        let (text_b, rest_b) = split(b, |c| !c.is_ascii_digit());
        let (number_a, rest_a) = split(rest_a, |c| c.is_ascii_digit());
        let (number_b, rest_b) = split(rest_b, |c| c.is_ascii_digit());
        let value = |digits: &str| digits.parse::<u64>().unwrap_or(0);
        let order = weights(text_a)
            .cmp(weights(text_b))
            .then_with(|| value(number_a).cmp(&value(number_b)));
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// A tilde sorts before the end, and letters before everything else.
fn weights(text: &str) -> impl Iterator<Item = u32> + '_ {
    let weight = |c: char| match c {
        '~' => 0,
        c if c.is_ascii_alphabetic() => u32::from(c),
        c => u32::from(c) + 256,
    };
    text.chars().map(weight).chain([1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_debians_order() {
        let ascending = [
            "5.10.223-1",
            "5.10.262-1",
            "6.1.170-2",
            "6.1.187-1~deb11u1",
            "6.1.187-1",
            "6.9-1",
            "6.12~rc1-1",
            "6.12-1",
            "6.12-1+b1",
            "7.3.4-1~bpo13+1",
            "1:2.0-1",
        ];
        for (low, pair) in ascending.windows(2).enumerate() {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{low}: {pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        assert_eq!(compare("6.1-1", "6.1-1"), Ordering::Equal);
    }
}
