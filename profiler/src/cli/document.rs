//! Reading back whatever modeswitch has written.

use std::path::Path;

use crate::{
    compare::model::{self as comparison, Compared},
    error::Error,
    experiment::{
        analyse::refuse,
        model::{Experiment, KIND},
    },
    gate::verdict::{self as check, Verdict},
    profile::{exactness, file, model::Profile},
    report::format::DocumentKind,
};

/// What a file may hold.
pub(super) enum Document {
    /// One run.
    Profile(Box<Profile>),
    /// An experiment.
    Experiment(Box<Experiment>),
    /// A comparison of saved profiles.
    Comparison(Box<Compared>),
    /// The result of a check.
    Check(Box<Verdict>),
}

impl Document {
    /// What it is.
    #[must_use]
    pub(super) const fn kind(&self) -> DocumentKind {
        match self {
            Self::Profile(_) => DocumentKind::Profile,
            Self::Experiment(_) => DocumentKind::Experiment,
            Self::Comparison(_) => DocumentKind::Comparison,
            Self::Check(_) => DocumentKind::Check,
        }
    }
}

/// Reads a file written with `--save`.
///
/// # Errors
/// [`Error::Usage`] if it holds none.
pub(super) fn load(path: &Path) -> Result<Document, Error> {
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
        Some(comparison::KIND) => {
            let found = file::interpret(&document, path)?;
            Ok(Document::Comparison(Box::new(found)))
        }
        Some(check::KIND) => {
            let found = file::interpret(&document, path)?;
            Ok(Document::Check(Box::new(found)))
        }
        Some(kind) => Err(Error::Usage(format!(
            "`{}` is a {kind}, which this version does not know: give a file written by \
             `modeswitch run --save FILE`",
            path.display()
        ))),
    }
}
