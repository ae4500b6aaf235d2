//! Many questions, one error rate.

/// Holm's adjustment of probabilities for having asked all of these questions:
/// with the adjusted ones, the chance that *any* "different" is wrong is the
/// level. The order is kept.
#[must_use]
pub fn adjusted(probabilities: &[f64]) -> Vec<f64> {
    adjusted_at_most(probabilities, probabilities.len())
}

/// The same where at most so many of the questions can be answered wrongly at once,
/// because each of the others waits for the right answer to one of them: its
/// probability is not below that one's, and it stands behind it.
///
/// Of the right "same", those that can be the first to be called "different" are at
/// most `at_most`, since each that waits is matched by one that differs; and with
/// every one found to differ there is one fewer. So Holm's argument holds.
#[must_use]
pub fn adjusted_at_most(probabilities: &[f64], at_most: usize) -> Vec<f64> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    let mut adjusted = vec![1.0; probabilities.len()];
    let mut least: f64 = 0.0;
    for (rank, &place) in order.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "questions are few")]
        let questions = (probabilities.len() - rank).min(at_most) as f64;
        least = least.max(probabilities[place] * questions).min(1.0);
        adjusted[place] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holm's own scheme: the smallest by all, the next by one less, never
    /// falling.
    #[test]
    fn steps_down_and_never_falls() {
        let found = adjusted(&[0.01, 0.04, 0.03, 0.005]);
        let expected = [0.03, 0.06, 0.06, 0.02];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        // One that waits costs the others nothing until it is its turn.
        let found = adjusted_at_most(&[0.01, 0.03, 0.01], 2);
        for (found, expected) in found.iter().zip([0.02, 0.03, 0.02]) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        assert!(adjusted(&[]).is_empty());
        assert!(adjusted(&[0.9, 0.8]).iter().all(|&p| p <= 1.0));
    }
}
