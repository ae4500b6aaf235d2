//! Advice as text.

use std::io::{self, Write};

use super::{
    prose,
    style::{Look, STRONG},
};
use crate::profile::model::Advice;

/// Writes what saves most, a paragraph each.
///
/// # Errors
/// Whatever the output reports.
pub fn write(advice: &[Advice], most: usize, look: Look, out: &mut dyn Write) -> io::Result<()> {
    for (number, piece) in (1..).zip(advice.iter().take(most)) {
        let finding = format!("{number}. {}", piece.finding);
        prose::sentence(out, look, STRONG, &finding)?;
        prose::labelled(out, look, "   evidence", &piece.evidence)?;
        prose::labelled(out, look, "   what to do", &piece.fix)?;
        prose::labelled(out, look, "   would save", &piece.expected_saving)?;
    }
    Ok(())
}
