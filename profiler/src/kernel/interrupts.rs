//! `/proc/interrupts`: the kernel's own count of interrupts by CPU.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One line of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Interrupts so far, by position in the table's header.
    pub counts: Vec<u64>,
    /// What the kernel writes behind the counts.
    pub description: String,
}

/// The whole table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interrupts {
    /// The CPU of each column.
    pub cpus: Vec<u32>,
    /// Lines by their label: an IRQ number, or `LOC`, `RES`, `CAL`, …
    pub lines: BTreeMap<String, Line>,
}

impl Interrupts {
    /// Reads the table now. Empty where it cannot be read.
    #[must_use]
    pub fn read() -> Self {
        std::fs::read_to_string("/proc/interrupts")
            .map(|text| Self::parse(&text))
            .unwrap_or_default()
    }

    /// Reads the table's format.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        let cpus: Vec<u32> = lines
            .next()
            .unwrap_or_default()
            .split_ascii_whitespace()
            .filter_map(|word| word.strip_prefix("CPU")?.parse().ok())
            .collect();
        let lines = lines
            .filter_map(|line| {
                let (label, rest) = line.split_once(':')?;
                let mut words = rest.split_ascii_whitespace();
                let counts: Vec<u64> = words
                    .by_ref()
                    .take(cpus.len())
                    .map_while(|word| word.parse().ok())
                    .collect();
                let description = words.collect::<Vec<_>>().join(" ");
                Some((
                    label.trim().to_owned(),
                    Line {
                        counts,
                        description,
                    },
                ))
            })
            .collect();
        Self { cpus, lines }
    }

    /// How many interrupts of a label one CPU has had.
    #[must_use]
    pub fn count(&self, label: &str, cpu: u32) -> Option<u64> {
        let column = self.cpus.iter().position(|&found| found == cpu)?;
        self.lines.get(label)?.counts.get(column).copied()
    }

    /// How many interrupts of a label these CPUs, or all, have had since an earlier
    /// table. A line that is new began at zero; a CPU that came or went has none.
    #[must_use]
    pub fn since(&self, before: &Self, label: &str, cpus: Option<&[u32]>) -> Option<u64> {
        self.lines.get(label)?;
        let counts = cpus.unwrap_or(&self.cpus).iter().map(|&cpu| {
            let Some(after) = self.count(label, cpu) else {
                return Some(0);
            };
            after.checked_sub(before.count(label, cpu).unwrap_or(0))
        });
        counts.sum()
    }

    /// The name of a device interrupt: the last word of its description.
    #[must_use]
    pub fn device(&self, irq: u32) -> Option<&str> {
        let line = self.lines.get(&irq.to_string())?;
        line.description
            .rsplit(' ')
            .next()
            .filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
            CPU0       CPU2
  36:          7      66456 PCI-MSIX-0000:00:02.0   1-edge      nvme0q1
 LOC:      34766      36636   Local timer interrupts
 ERR:          0
";

    /// Columns are found by CPU number, not by position.
    #[test]
    fn finds_counts_by_cpu_number() {
        let table = Interrupts::parse(SAMPLE);
        assert_eq!(table.count("LOC", 2), Some(36636));
        assert_eq!(table.count("36", 0), Some(7));
        assert_eq!(table.count("LOC", 1), None);
    }

    /// A device interrupt has the name that its driver gave it.
    #[test]
    fn names_devices() {
        let table = Interrupts::parse(SAMPLE);
        assert_eq!(table.device(36), Some("nvme0q1"));
        assert_eq!(table.device(99), None);
    }
}
