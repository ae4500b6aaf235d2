//! `modeswitch schema`.

use anyhow::Result;
use clap::Args;
use schemars::{Schema, generate::SchemaSettings};
use serde_json::json;

use super::output;
use crate::{
    compare::model::Compared, exit_code, experiment::model::Experiment, gate::verdict::Verdict,
    profile::model::Profile, profile::model::SCHEMA_VERSION, report::format::DocumentKind,
};

const EXAMPLES: &str = "\
Examples:
  modeswitch schema > profile.schema.json
      describe what `modeswitch run --format json` and --save write
  modeswitch schema experiment
      describe what `modeswitch experiment --format json` writes";

/// Print the JSON Schema of a document that modeswitch writes
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct SchemaArgs {
    /// The document to describe.
    #[arg(value_enum, default_value_t, value_name = "DOCUMENT")]
    document: DocumentKind,
}

/// The schema of a document of schema version [`SCHEMA_VERSION`], draft 2020-12.
#[must_use]
pub fn schema(document: DocumentKind) -> Schema {
    let settings = SchemaSettings::draft2020_12();
    let mut generator = settings.into_generator();
    let (mut schema, kind) = match document {
        DocumentKind::Profile => (generator.root_schema_for::<Profile>(), None),
        DocumentKind::Experiment => (
            generator.root_schema_for::<Experiment>(),
            Some(crate::experiment::model::KIND),
        ),
        DocumentKind::Comparison => (
            generator.root_schema_for::<Compared>(),
            Some(crate::compare::model::KIND),
        ),
        DocumentKind::Check => (
            generator.root_schema_for::<Verdict>(),
            Some(crate::gate::verdict::KIND),
        ),
    };
    let properties = schema.get_mut("properties");
    if let Some(properties) = properties.and_then(serde_json::Value::as_object_mut) {
        properties.insert(
            "schema_version".to_owned(),
            json!({"const": SCHEMA_VERSION}),
        );
        if let Some(kind) = kind {
            properties.insert("kind".to_owned(), json!({"const": kind}));
        }
    }
    schema
}

/// Carries the command out.
///
/// # Errors
/// [`crate::error::Error::Output`] if standard output cannot be written.
pub fn run(args: &SchemaArgs) -> Result<u8> {
    let schema = schema(args.document);
    output::print_with(false, |out| {
        serde_json::to_writer_pretty(&mut *out, &schema)?;
        writeln!(out)
    })?;
    Ok(exit_code::SUCCESS)
}
