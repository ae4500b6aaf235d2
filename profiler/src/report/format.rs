//! The documents that modeswitch writes, and the formats that each of them has.

use clap::{
    ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};

/// A document that modeswitch writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DocumentKind {
    /// A profile: one run.
    #[default]
    Profile,
    /// An experiment: several variants, measured and compared.
    Experiment,
    /// A comparison of saved profiles.
    Comparison,
    /// The verdict of `check`.
    Check,
}

impl DocumentKind {
    /// What it is, with its article.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Profile => "a profile",
            Self::Experiment => "an experiment",
            Self::Comparison => "a comparison",
            Self::Check => "the result of a check",
        }
    }

    /// The formats that it has.
    pub fn formats(self) -> impl Iterator<Item = Format> {
        let all = Format::value_variants().iter().copied();
        all.filter(move |format| format.documents().contains(&self))
    }

    /// Reads the name of one of its formats, and offers no other one.
    #[must_use]
    pub fn format_parser(self) -> impl TypedValueParser<Value = Format> {
        let names = self
            .formats()
            .filter_map(|format| format.to_possible_value());
        PossibleValuesParser::new(names).try_map(|name| Format::from_str(&name, false))
    }
}

/// Declares the formats, each with what it is for and the documents that have it.
macro_rules! formats {
    ($($(#[$meta:meta])+ $format:ident: $($document:ident)+;)+) => {
        /// How a document is printed.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
        pub enum Format {
            $($(#[$meta])+ $format,)+
        }

        impl Format {
            /// The documents that have it.
            #[must_use]
            pub const fn documents(self) -> &'static [DocumentKind] {
                match self {
                    $(Self::$format => &[$(DocumentKind::$document),+],)+
                }
            }
        }
    };
}

formats! {
    /// Tables for people, fitted to the terminal.
    #[default]
    Table: Profile Experiment Comparison Check;
    /// The same with every row, and nothing cut whatever the terminal's width.
    Wide: Profile Experiment Comparison Check;
    /// One JSON document: everything that is known.
    Json: Profile Experiment Comparison Check;
    /// GitHub-flavoured Markdown, for issues and job summaries.
    Markdown: Profile Experiment Comparison Check;
    /// One row for each cause, phase and thread, and for each instruction.
    Csv: Profile;
    /// Collapsed stacks, for flame graph tools.
    Folded: Profile;
    /// A flame graph as one SVG file.
    Flamegraph: Profile;
    /// A trace for Perfetto or `chrome://tracing`.
    Trace: Profile;
    /// Metrics for Prometheus, such as the node exporter's textfile collector reads.
    Openmetrics: Profile;
    /// One HTML page, for a browser: it needs no network and runs no script.
    Html: Profile Experiment Comparison Check;
    /// `JUnit` XML: a test case for each limit.
    Junit: Check;
    /// Annotations for GitHub Actions, at the lines responsible.
    Github: Check;
}

impl Format {
    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether escape sequences for emphasis have a place in it.
    #[must_use]
    pub const fn is_for_terminals(self) -> bool {
        matches!(self, Self::Table | Self::Wide)
    }

    /// Whether it is JSON, of whatever form.
    #[must_use]
    pub const fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Trace)
    }
}

/// Names of a document's formats, as a sentence lists them.
#[must_use]
pub fn list(document: DocumentKind) -> String {
    let names: Vec<String> = document.formats().map(Format::name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A command takes the formats of its document, by name, and no others.
    #[test]
    fn documents_have_their_formats() {
        assert_eq!(
            list(DocumentKind::Check),
            "table, wide, json, markdown, html, junit, github"
        );
        let read = |document: DocumentKind, name: &'static str| {
            let argument = clap::Arg::new("format").value_parser(document.format_parser());
            let command = clap::Command::new("x").no_binary_name(true).arg(argument);
            let matches = command.try_get_matches_from([name]).ok()?;
            matches.get_one::<Format>("format").copied()
        };
        assert_eq!(read(DocumentKind::Profile, "csv"), Some(Format::Csv));
        assert_eq!(read(DocumentKind::Experiment, "csv"), None);
        assert_eq!(read(DocumentKind::Check, "junit"), Some(Format::Junit));
    }
}
