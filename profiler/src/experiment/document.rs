//! Reading back whatever modeswitch has written.

use std::path::Path;

use super::{
    analyse::refuse,
    model::{Experiment, KIND},
};
use crate::{
    error::Error,
    profile::{exactness, file, model::Profile},
};

/// What a file may hold.
pub enum Document {
    /// One run.
    Profile(Box<Profile>),
    /// An experiment.
    Experiment(Box<Experiment>),
}

/// Reads a file written with `--save`.
///
/// # Errors
/// [`Error::Usage`] if it holds neither.
pub fn load(path: &Path) -> Result<Document, Error> {
    let document = file::read(path)?;
    match document.kind.as_deref() {
        None => file::profile(&document, path).map(|found| Document::Profile(Box::new(found))),
        Some(KIND) => {
            let mut found: Experiment = file::interpret(&document, path)?;
            let variants = found.variants.iter_mut();
            variants
                .flat_map(|variant| &mut variant.profiles)
                .for_each(exactness::settle);
            refuse(&mut found);
            Ok(Document::Experiment(Box::new(found)))
        }
        Some(kind) => Err(Error::Usage(format!(
            "`{}` is a {kind}, and neither a profile nor an experiment: give a file written by \
             `modeswitch run --save FILE` or `experiment --save FILE`",
            path.display()
        ))),
    }
}
