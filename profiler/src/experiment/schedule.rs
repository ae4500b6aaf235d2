//! The order of runs. Pure.

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
    use workload::rng::Rng;

    use super::*;
    use crate::stats::{
        holm::adjusted,
        rank_test::p_value,
        simulation::{normal, uniform},
    };

    /// A B B A: over two rounds every variant has the same mean place.
    #[test]
    fn rounds_alternate() {
        let order: Vec<usize> = (0..4).flat_map(|round| of_round(round, 3)).collect();
        assert_eq!(order, [0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0]);
    }

    /// What a machine does over the time of an experiment: one value for each run,
    /// in the order in which they are made.
    type Weather = fn(usize, &mut Rng) -> Vec<f64>;

    /// It slows down steadily, by five standard deviations in all.
    fn slowing(count: usize, rng: &mut Rng) -> Vec<f64> {
        #[expect(clippy::cast_precision_loss, reason = "runs are few")]
        let trend = |place: usize| 5.0 * place as f64 / count as f64;
        (0..count).map(|place| trend(place) + normal(rng)).collect()
    }

    /// Each run is much like the one before: nine tenths of its deviation stay.
    fn sluggish(count: usize, rng: &mut Rng) -> Vec<f64> {
        let mut now = normal(rng);
        let values = std::iter::repeat_with(|| {
            now = 0.9 * now + (1.0_f64 - 0.81).sqrt() * normal(rng);
            now
        });
        values.take(count).collect()
    }

    /// Somewhere in the middle something else begins to run.
    fn interrupted(count: usize, rng: &mut Rng) -> Vec<f64> {
        let mut is_on = false;
        #[expect(clippy::cast_precision_loss, reason = "runs are few")]
        let chance = 1.0 / count as f64;
        let values = std::iter::repeat_with(|| {
            is_on |= uniform(rng) < 2.0 * chance;
            normal(rng) + if is_on { 4.0 } else { 0.0 }
        });
        values.take(count).collect()
    }

    /// Experiments with a machine that drifts.
    const DRIFTING: u32 = 300;

    /// Of these experiments with six numbers each, those that find a difference
    /// where there is none, if run `place` belongs to the variant `whose(place)`.
    fn invented(
        weather: Weather,
        count: usize,
        whose: impl Fn(usize) -> usize,
        seed: u64,
    ) -> usize {
        let mut rng = Rng::new(seed);
        let finds_any = |_: &u32| {
            let numbers: Vec<f64> = (0..6)
                .map(|_| {
                    let mut sides = [Vec::new(), Vec::new()];
                    for (place, value) in weather(2 * count, &mut rng).into_iter().enumerate() {
                        sides[whose(place)].push(value);
                    }
                    p_value(&sides[0], &sides[1])
                })
                .collect();
            adjusted(&numbers).iter().any(|&p| p <= 0.05)
        };
        (0..DRIFTING).filter(finds_any).count()
    }

    /// A machine that drifts is no difference, whatever way it drifts, because the
    /// variants take turns: run one after the other they would differ all the time.
    #[test]
    fn a_machine_that_drifts_is_no_difference() {
        let weathers: [(&str, Weather); 3] = [
            ("slowing", slowing),
            ("sluggish", sluggish),
            ("interrupted", interrupted),
        ];
        for (name, weather) in weathers {
            for count in [5, 8] {
                let rounds = u32::try_from(count).expect("few");
                let order: Vec<usize> = (0..rounds).flat_map(|round| of_round(round, 2)).collect();
                let in_turn = invented(weather, count, |place| order[place], 19);
                // 5 %, and what 300 trials may stray, three standard errors.
                assert!(in_turn <= 26, "{name}, {count} runs in turn: {in_turn}");
                let in_line = invented(weather, count, |place| usize::from(place >= count), 19);
                assert!(in_line > 52, "{name}, {count} runs in line: {in_line}");
            }
        }
    }
}
