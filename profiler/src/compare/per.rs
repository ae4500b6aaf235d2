//! What counts are set in proportion to.

use serde::{Deserialize, Serialize};

/// What entries are set in proportion to.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Nothing: as many as there are in a run.
    #[default]
    Run,
    /// A second of the run or the phase.
    Second,
    /// A million I/Os, as the program itself counts them.
    MillionIos,
}

impl Per {
    /// As budgets write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Second => "second",
            Self::MillionIos => "million_ios",
        }
    }

    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Run => "per run",
            Self::Second => "per second",
            Self::MillionIos => "per million I/Os",
        }
    }
}

/// A [`Per`] as comparisons write it: `per_run`.
pub mod prefixed {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::Per;

    const ALL: [(Per, &str); 3] = [
        (Per::Run, "per_run"),
        (Per::Second, "per_second"),
        (Per::MillionIos, "per_million_ios"),
    ];

    /// Writes it.
    ///
    /// # Errors
    /// Whatever the output reports.
    pub fn serialize<S: Serializer>(per: &Per, out: S) -> Result<S::Ok, S::Error> {
        let name = ALL.iter().find(|(known, _)| known == per);
        name.map_or("per_run", |(_, name)| name).serialize(out)
    }

    /// Reads it.
    ///
    /// # Errors
    /// If it is none of them.
    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Per, D::Error> {
        let found = String::deserialize(input)?;
        let known = ALL.iter().find(|(_, name)| *name == found);
        known
            .map(|&(per, _)| per)
            .ok_or_else(|| D::Error::custom(format!("`{found}` is no basis of a comparison")))
    }

    /// Its schema.
    #[must_use]
    pub fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names = ALL.map(|(_, name)| name);
        schemars::json_schema!({ "type": "string", "enum": names })
    }
}
