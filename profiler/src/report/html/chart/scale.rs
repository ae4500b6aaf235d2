//! From values to places.

/// A place or a length as a part of the chart's width.
#[must_use]
pub fn percent(part: f64) -> String {
    format!("{:.3}%", part.clamp(0.0, 1.0) * 100.0)
}

/// Part of a whole, from 0 to 1.
#[must_use]
pub fn part(value: f64, whole: f64) -> f64 {
    if whole > 0.0 && value.is_finite() {
        (value / whole).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

/// Decades between two values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogScale {
    low: f64,
    high: f64,
}

impl LogScale {
    /// Whole decades around some values. Nothing if none is above 0.
    #[must_use]
    pub fn around(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let logs = values
            .into_iter()
            .filter(|value| value.is_finite() && *value > 0.0)
            .map(f64::log10);
        let (low, high) = logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), log| {
            (low.min(log), high.max(log))
        });
        if !low.is_finite() {
            return None;
        }
        let (low, high) = (low.floor(), high.ceil());
        let high = if high > low { high } else { low + 1.0 };
        Some(Self { low, high })
    }

    /// Where a value is, from 0 to 1.
    #[must_use]
    pub fn place(&self, value: f64) -> f64 {
        if value <= 0.0 {
            return 0.0;
        }
        ((value.log10() - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// The powers of ten on it.
    #[must_use]
    pub fn ticks(&self) -> Vec<f64> {
        let mut ticks = Vec::new();
        let mut log = self.low;
        while log <= self.high {
            ticks.push(10_f64.powf(log));
            log += 1.0;
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scale holds all its values, between its first tick and its last.
    #[test]
    fn decades_hold_their_values() {
        let scale = LogScale::around([12_000.0, 59.0, 0.0, f64::NAN]).expect("values");
        assert_eq!(scale.ticks().len(), 5, "{:?}", scale.ticks());
        assert!(scale.place(59.0) > 0.0 && scale.place(12_000.0) < 1.0);
        assert!((scale.place(1_000.0) - 0.5).abs() < 1e-9);
        assert_eq!(LogScale::around([0.0]), None);
        let one = LogScale::around([100.0]).expect("a value");
        assert!(one.place(100.0).abs() < 1e-9);
    }
}
