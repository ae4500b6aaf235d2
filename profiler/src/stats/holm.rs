//! Many questions, one error rate.

/// Holm's adjustment of probabilities for having asked all of these questions:
/// with the adjusted ones, the chance that *any* "different" is wrong is the
/// level. The order is kept.
#[must_use]
pub fn adjusted(probabilities: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    let mut adjusted = vec![1.0; probabilities.len()];
    let mut least: f64 = 0.0;
    for (rank, &place) in order.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "questions are few")]
        let questions = (probabilities.len() - rank) as f64;
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
        assert!(adjusted(&[]).is_empty());
        assert!(adjusted(&[0.9, 0.8]).iter().all(|&p| p <= 1.0));
    }
}
