//! The decision: could chance alone have dealt the runs to the variants like
//! this?
//!
//! The rank-sum test of Mann and Whitney, two-sided and exact: of all ways to
//! deal the same values to two groups of these sizes, the share of those whose
//! rank sum is at least as far from its mean. It holds its error rate for any
//! distribution whatever, heavy tails and ties included, which a test of means
//! over five latencies does not.

/// The probability, if the two variants are the same, of values at least as
/// far apart as these. 1 where one side has none.
#[must_use]
pub fn p_value(before: &[f64], after: &[f64]) -> f64 {
    if before.is_empty() || after.is_empty() {
        return 1.0;
    }
    let ranks = doubled_ranks(before, after);
    let ways = ways_to_sum(&ranks, before.len());
    let mean = mean_doubled(&ranks, before.len());
    share_beyond(&ways, mean, distance_of(&ranks, before.len()))
}

/// How far the rank sum of the first values is from its mean, in quarters of a
/// rank: comparable between experiments of the same size.
#[must_use]
pub fn distance(before: &[f64], after: &[f64]) -> usize {
    distance_of(&doubled_ranks(before, after), before.len())
}

/// The smallest distance with a probability of at most `level`, if there is
/// one, where no values are the same.
#[must_use]
pub fn critical_distance(before: usize, after: usize, level: f64) -> Option<usize> {
    let ranks: Vec<usize> = (1..=before + after).map(|rank| 2 * rank).collect();
    let farthest = distance_of(&ranks, before);
    let ways = ways_to_sum(&ranks, before);
    let mean = mean_doubled(&ranks, before);
    (0..=farthest).find(|&distance| share_beyond(&ways, mean, distance) <= level)
}

/// Twice the distance of the sum of the first `chosen` doubled ranks from its
/// mean over all deals, which is so a whole number.
fn distance_of(ranks: &[usize], chosen: usize) -> usize {
    let sum: usize = ranks[..chosen].iter().sum();
    (2 * sum).abs_diff(mean_doubled(ranks, chosen))
}

fn mean_doubled(ranks: &[usize], chosen: usize) -> usize {
    chosen * ranks.iter().sum::<usize>() * 2 / ranks.len()
}

/// The share of deals at least so far from the mean.
fn share_beyond(ways: &[f64], mean: usize, distance: usize) -> f64 {
    let (mut all, mut far) = (0.0, 0.0);
    for (sum, &ways) in ways.iter().enumerate() {
        all += ways;
        if (2 * sum).abs_diff(mean) >= distance {
            far += ways;
        }
    }
    far / all
}

/// The smallest probability that so many runs can ever give.
#[must_use]
pub fn smallest_p(before: usize, after: usize) -> f64 {
    let mut deals = 1.0;
    for step in 1..=after {
        deals *= float(before + step) / float(step);
    }
    (2.0 / deals).min(1.0)
}

/// The fewest runs of each variant with which a difference can be shown among
/// `comparisons` of them.
#[must_use]
pub fn runs_needed(comparisons: usize, level: f64) -> usize {
    let enough = |&runs: &usize| smallest_p(runs, runs) * float(comparisons.max(1)) <= level;
    (2..100).find(enough).unwrap_or(100)
}

/// Ranks, doubled so that the mean rank of tied values is a whole number: first
/// those of `before`.
fn doubled_ranks(before: &[f64], after: &[f64]) -> Vec<usize> {
    let values: Vec<f64> = before.iter().chain(after).copied().collect();
    values
        .iter()
        .map(|value| {
            let order = |other: &&f64| other.total_cmp(value);
            let below = values.iter().filter(|other| order(other).is_lt()).count();
            let same = values.iter().filter(|other| order(other).is_eq()).count();
            2 * below + same + 1
        })
        .collect()
}

/// In how many ways `chosen` of the ranks give each sum.
fn ways_to_sum(ranks: &[usize], chosen: usize) -> Vec<f64> {
    let mut largest: Vec<usize> = ranks.to_vec();
    largest.sort_unstable_by(|a, b| b.cmp(a));
    let most: usize = largest.iter().take(chosen).sum();
    // ways[k][s]: of the ranks so far, k chosen, with the sum s.
    let mut ways = vec![vec![0.0; most + 1]; chosen + 1];
    ways[0][0] = 1.0;
    for &rank in ranks {
        for taken in (1..=chosen).rev() {
            let (fewer, these) = ways.split_at_mut(taken);
            let Some(fewer) = fewer.last() else { continue };
            for sum in rank..=most {
                these[0][sum] += fewer[sum - rank];
            }
        }
    }
    ways.pop().unwrap_or_default()
}

fn float(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "runs are few")]
    let float = count as f64;
    float
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tabled values: complete separation of n against n is 2 in C(2n, n); one
    /// exchange of neighbours makes it 4.
    #[test]
    fn separated_runs_have_the_smallest_p() {
        let low = [1.0, 2.0, 3.0, 4.0, 5.0];
        let high = [6.0, 7.0, 8.0, 9.0, 10.0];
        assert!((p_value(&low, &high) - 2.0 / 252.0).abs() < 1e-12);
        assert!((p_value(&high, &low) - 2.0 / 252.0).abs() < 1e-12);
        assert!((smallest_p(5, 5) - 2.0 / 252.0).abs() < 1e-12);
        let nearly = [5.5, 7.0, 8.0, 9.0, 10.0];
        let mixed = [1.0, 2.0, 3.0, 4.0, 6.0];
        assert!((p_value(&mixed, &nearly) - 4.0 / 252.0).abs() < 1e-12);
    }

    /// The critical distance is the one at which the probability gets there.
    #[test]
    fn the_critical_distance_is_on_the_edge() {
        let low = [1.0, 2.0, 3.0, 4.0, 5.0];
        let high = [6.0, 7.0, 8.0, 9.0, 10.0];
        let (mixed, nearly) = ([1.0, 2.0, 3.0, 4.0, 6.0], [5.0, 7.0, 8.0, 9.0, 10.0]);
        let found = critical_distance(5, 5, 0.008).expect("reachable");
        assert!(found <= distance(&low, &high) && found > distance(&mixed, &nearly));
        assert_eq!(critical_distance(5, 5, 0.007), None);
        let near = critical_distance(5, 5, 0.05).expect("reachable");
        assert!(near < distance(&low, &high));
    }

    /// What is the same everywhere shows nothing, and neither does nothing.
    #[test]
    fn ties_are_no_evidence() {
        assert!((p_value(&[7.0; 5], &[7.0; 5]) - 1.0).abs() < 1e-12);
        assert!((p_value(&[], &[1.0]) - 1.0).abs() < 1e-12);
        // 4096 each time against 0 each time is as far apart as can be.
        assert!((p_value(&[4096.0; 5], &[0.0; 5]) - 2.0 / 252.0).abs() < 1e-12);
    }

    /// Three runs each can never reject at 5 %; six comparisons take five.
    #[test]
    fn the_runs_needed_are_those_of_the_smallest_p() {
        assert!((smallest_p(3, 3) - 0.1).abs() < 1e-12);
        assert_eq!(runs_needed(1, 0.05), 4);
        assert_eq!(runs_needed(6, 0.05), 5);
        assert_eq!(runs_needed(12, 0.05), 6);
    }
}
