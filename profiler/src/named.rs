//! Names in documents.

use std::{borrow::Cow, cmp::Ordering, fmt, hash, ops::Deref};

use profiler_common::cause::CauseKind;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Something that has a name in documents.
pub trait Name: Copy + PartialEq {
    /// The name.
    fn name(self) -> &'static str;
    /// What has this name.
    fn of(name: &str) -> Option<Self>;
}

/// A name in a document: one that this version knows, or another one, which is
/// kept as it is.
#[derive(Clone, Debug)]
pub enum Named<T> {
    /// One that this version knows.
    Known(T),
    /// One that it does not.
    Other(String),
}

/// The cause of entries.
pub type CauseName = Named<CauseKind>;

impl Name for CauseKind {
    fn name(self) -> &'static str {
        self.name()
    }

    fn of(name: &str) -> Option<Self> {
        Self::from_name(name)
    }
}

impl<T: Name> Named<T> {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(known) => known.name(),
            Self::Other(name) => name,
        }
    }

    /// What it is, if this version knows it.
    #[must_use]
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(known) => Some(*known),
            Self::Other(_) => None,
        }
    }
}

impl<T: Name> From<T> for Named<T> {
    fn from(known: T) -> Self {
        Self::Known(known)
    }
}

impl<T: Name> From<&str> for Named<T> {
    fn from(name: &str) -> Self {
        T::of(name).map_or_else(|| Self::Other(name.to_owned()), Self::Known)
    }
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl<T: Name> Deref for Named<T> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<T: Name> fmt::Display for Named<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self)
    }
}

impl<T: Name> PartialEq for Named<T> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl<T: Name> Eq for Named<T> {}

impl<T: Name> PartialEq<T> for Named<T> {
    fn eq(&self, other: &T) -> bool {
        self.known() == Some(*other)
    }
}

impl<T: Name> PartialOrd for Named<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Name> Ord for Named<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl<T: Name> hash::Hash for Named<T> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl<T: Name> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de, T: Name> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        Ok(Self::from(&*name))
    }
}

impl<T: Name> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Name".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names are kept, whether they are known or not.
    #[test]
    fn names_are_kept() {
        for (name, kind) in [("syscall", Some(CauseKind::Syscall)), ("novel", None)] {
            let written = serde_json::json!(name);
            let read: CauseName = serde_json::from_value(written.clone()).expect("a name");
            assert_eq!(read.known(), kind);
            assert_eq!(serde_json::to_value(&read).expect("JSON"), written);
        }
    }
}
