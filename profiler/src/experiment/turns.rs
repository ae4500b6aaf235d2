//! Whose turn it is. Pure.

/// The variants of a round, in the order in which they run. Every other round
/// goes backwards: a machine that slows down steadily slows them all alike.
pub(super) fn of_round(round: u32, variants: usize) -> impl Iterator<Item = usize> {
    let is_forward = round.is_multiple_of(2);
    (0..variants).map(move |place| {
        if is_forward {
            place
        } else {
            variants - 1 - place
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A B B A: over two rounds every variant has the same mean place.
    #[test]
    fn rounds_alternate() {
        let order: Vec<usize> = (0..4).flat_map(|round| of_round(round, 3)).collect();
        assert_eq!(order, [0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0]);
    }
}
