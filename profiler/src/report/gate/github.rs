//! The result of a check as annotations for GitHub Actions: workflow commands on
//! standard output, at the line responsible if it is known and is in the
//! repository, else at the limit in the budget's file.

use std::{
    io::{self, Write},
    path::Path,
};

use super::words::{evidence, headline, sentence};
use crate::gate::{
    judged::Outcome,
    verdict::{Against, Finding, Verdict},
};

/// Writes the annotations. `root` is the repository's folder.
///
/// # Errors
/// Whatever the output reports.
pub(crate) fn write(verdict: &Verdict, root: Option<&Path>, out: &mut dyn Write) -> io::Result<()> {
    for finding in &verdict.findings {
        let level = match finding.outcome {
            Outcome::Pass => continue,
            Outcome::Warning => "warning",
            Outcome::Breach | Outcome::Inconclusive => "error",
        };
        let at = match location(verdict, finding, root) {
            Some((file, Some(line))) => format!("file={},line={line},", property(&file)),
            Some((file, None)) => format!("file={},", property(&file)),
            None => String::new(),
        };
        let title = format!("{}: {}", finding.outcome.name(), finding.name);
        let title = property(&title);
        let mut lines = vec![sentence(finding)];
        lines.extend(evidence(finding));
        writeln!(
            out,
            "::{level} {at}title={title}::{}",
            data(&lines.join("\n"))
        )?;
    }
    let level = match verdict.outcome {
        Outcome::Pass | Outcome::Warning => "notice",
        Outcome::Inconclusive | Outcome::Breach => "error",
    };
    writeln!(
        out,
        "::{level} title=modeswitch check::{}",
        data(&headline(verdict))
    )
}

/// Where an annotation belongs.
fn location(
    verdict: &Verdict,
    finding: &Finding,
    root: Option<&Path>,
) -> Option<(String, Option<u64>)> {
    let of_code = finding.code.iter().find_map(|culprit| {
        let own = culprit.file.as_deref().and_then(|file| inside(file, root));
        let own = own.map(|file| (file, culprit.line.map(u64::from)));
        own.or_else(|| caller(culprit.called_from.as_deref()?, root))
    });
    of_code.or_else(|| match &verdict.against {
        Against::Budget { file } => {
            let line = finding.line.and_then(|line| u64::try_from(line).ok());
            Some((inside(file, root).unwrap_or_else(|| file.clone()), line))
        }
        Against::Baseline => None,
    })
}

/// Where a frame, `function file:line`, is in the repository: of a library's
/// function it is the caller that can be changed.
fn caller(frame: &str, root: Option<&Path>) -> Option<(String, Option<u64>)> {
    let (_, place) = frame.split_once(" /")?;
    let (file, line) = place.rsplit_once(':')?;
    Some((inside(&format!("/{file}"), root)?, line.parse().ok()))
}

/// A path as seen from the repository's folder, if it is in there. A relative
/// one of a library, built elsewhere, is not.
fn inside(path: &str, root: Option<&Path>) -> Option<String> {
    let root = root?;
    let path = Path::new(path);
    let inside = if path.is_absolute() {
        path.strip_prefix(root).ok()?
    } else {
        return None;
    };
    Some(inside.display().to_string())
}

/// Text of a message: a line, as workflow commands have it.
fn data(text: &str) -> String {
    let text = text.replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, in which more is special.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message can neither end its line nor begin another command, and a
    /// property cannot begin another property.
    #[test]
    fn commands_cannot_be_smuggled_in() {
        assert_eq!(data("a\n::error::b 100%\r"), "a%0A::error::b 100%25%0D");
        assert_eq!(property("a,line=1::b"), "a%2Cline=1%3A%3Ab");
    }

    /// A call through a library is annotated where the program makes it.
    #[test]
    fn callers_stand_in_for_libraries() {
        let root = Some(Path::new("/home/me"));
        let expected = Some(("a b.c".to_owned(), Some(4)));
        assert_eq!(caller("main /home/me/a b.c:4", root), expected);
        assert_eq!(caller("main ./csu/libc-start.c:4", root), None);
        assert_eq!(caller("main", root), None);
    }

    /// Only files in the repository can be annotated.
    #[test]
    fn files_are_relative_to_the_repository() {
        let root = Some(Path::new("/home/me/project"));
        let inside = |path| inside(path, root);
        assert_eq!(
            inside("/home/me/project/src/a.c"),
            Some("src/a.c".to_owned())
        );
        assert_eq!(inside("/usr/src/b.c"), None);
        assert_eq!(inside("./misc/mmap64.c"), None);
    }
}
