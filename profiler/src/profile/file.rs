//! Profiles in files.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufReader, Read, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, error::Category};

use super::{
    exactness,
    model::{Profile, SCHEMA_VERSION},
};
use crate::{error::Error, sys::files, untrusted};

/// A file that holds a document of a schema that this version knows. It is read piece
/// by piece: what strangers measured can be large.
pub struct Document {
    source: Source,
    /// What it is, if not a profile.
    pub kind: Option<String>,
}

enum Source {
    File(PathBuf),
    /// What came through a pipe, which cannot be read twice.
    Bytes(Vec<u8>),
}

impl Source {
    fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        match self {
            Self::File(path) => {
                let file = fs::File::open(path).map_err(serde_json::Error::io)?;
                serde_json::from_reader(BufReader::with_capacity(1 << 16, file))
            }
            Self::Bytes(bytes) => serde_json::from_slice(bytes),
        }
    }
}

/// All of it, unless it does not even begin like a document: some devices never end.
fn read_piped(path: &Path) -> io::Result<Vec<u8>> {
    let mut pipe = fs::File::open(path)?;
    let mut bytes = Vec::new();
    (&mut pipe).take(1 << 16).read_to_end(&mut bytes)?;
    if bytes.trim_ascii_start().starts_with(b"{") {
        pipe.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Whether a path on the command line stands for standard input or output.
#[must_use]
pub fn is_stdio(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The file that a path on the command line stands for: `-` is standard input.
#[must_use]
pub fn input(path: &Path) -> &Path {
    if is_stdio(path) {
        Path::new("/dev/stdin")
    } else {
        path
    }
}

/// What every document begins with.
#[derive(Deserialize)]
struct Head {
    schema_version: Option<Value>,
    kind: Option<Value>,
}

/// Opens a document that modeswitch has written, of a schema that it knows.
///
/// # Errors
/// [`Error::Usage`] if the file cannot be read or holds no such document.
pub fn read(path: &Path) -> Result<Document, Error> {
    let shown = path.display();
    let unreadable = |error: io::Error| {
        Error::Usage(format!(
            "cannot read `{shown}`: {error}: check the path and its permissions"
        ))
    };
    let place = input(path);
    let source = if fs::metadata(place).map_err(unreadable)?.is_file() {
        Source::File(place.to_owned())
    } else {
        Source::Bytes(read_piped(place).map_err(unreadable)?)
    };
    let no_head = || {
        Error::Usage(format!(
            "`{shown}` is JSON but not a profile (it has no `schema_version`): give a file \
             written by `modeswitch run --save FILE`"
        ))
    };
    let head: Head = source.parse().map_err(|error| match error.classify() {
        Category::Io => unreadable(error.into()),
        Category::Data => no_head(),
        Category::Syntax | Category::Eof => Error::Usage(format!(
            "`{shown}` is not a profile: it is not JSON ({error}): give a file written by \
             `modeswitch run --save FILE`"
        )),
    })?;
    let kind = head.kind.as_ref().and_then(Value::as_str);
    let kind = kind.map(str::to_owned);
    match head.schema_version.as_ref().and_then(Value::as_u64) {
        Some(version) if version == u64::from(SCHEMA_VERSION) => Ok(Document { source, kind }),
        Some(version) => Err(Error::Usage(format!(
            "`{shown}` is a profile of schema {version}, and this version of modeswitch reads \
             schema {SCHEMA_VERSION}: use the version that wrote it, or a newer one"
        ))),
        None => Err(no_head()),
    }
}

/// Makes sense of a document.
///
/// # Errors
/// [`Error::Usage`] if parts of it are missing or wrong.
pub fn interpret<T: DeserializeOwned>(document: &Document, path: &Path) -> Result<T, Error> {
    document.source.parse().map_err(|error| {
        Error::Usage(format!(
            "`{}` is a damaged profile: {error}: measure again, or restore the file",
            path.display()
        ))
    })
}

/// Makes sense of a profile.
///
/// # Errors
/// [`Error::Usage`] if parts of it are missing or wrong.
pub fn profile(document: &Document, path: &Path) -> Result<Profile, Error> {
    let mut profile = interpret(document, path)?;
    exactness::settle(&mut profile);
    Ok(profile)
}

/// Checks that a profile is one run and not the sum of several, whose spread would
/// be lost and whose counts are larger.
///
/// # Errors
/// [`Error::Usage`] if it is not.
pub fn check_single(profile: &Profile, path: &Path) -> Result<(), Error> {
    if profile.runs == 1 {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "`{}` is the sum of {} runs, but single runs are needed: give the file of each",
        path.display(),
        profile.runs
    )))
}

/// Checks that no file is given twice, under whatever names: its run would be
/// counted twice, and look like two that agree.
///
/// # Errors
/// [`Error::Usage`] if one is.
pub fn check_distinct(files: &[PathBuf]) -> Result<(), Error> {
    let mut seen = BTreeMap::new();
    for file in files {
        // One that cannot be read is spoken of when it is.
        let Ok(meta) = fs::metadata(input(file)) else {
            continue;
        };
        if let Some(first) = seen.insert((meta.dev(), meta.ino()), file) {
            let name = if first == file {
                String::new()
            } else {
                format!(", as `{}` before", first.display())
            };
            return Err(Error::Usage(format!(
                "`{}` is given twice{name}, so its run would count twice: name each file once",
                file.display()
            )));
        }
    }
    Ok(())
}

/// A moment as a profile writes it, in nanoseconds since 1970.
#[must_use]
pub fn unix_ns(rfc3339: &str) -> Option<u64> {
    let moment = humantime::parse_rfc3339(rfc3339).ok()?;
    let since = moment.duration_since(std::time::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

/// Writes a document as JSON, whole or not at all.
///
/// # Errors
/// [`Error::Output`] if it cannot be written; the file is then as it was.
pub fn save(document: &impl serde::Serialize, path: &Path) -> Result<(), Error> {
    save_with(path, |file| untrusted::write_json(document, file))
}

/// Writes anything to a file, whole or not at all: [`files::write_whole`].
///
/// # Errors
/// [`Error::Output`] if it cannot be written; the file is then as it was.
pub fn save_with(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    files::write_whole(path, fill).map_err(|error| {
        Error::Output(format!(
            "cannot write `{}`: {error}: nothing was written; choose another place",
            path.display()
        ))
    })
}

/// Checks that a file can be written before a measurement is spent on it.
///
/// # Errors
/// [`Error::Output`] if its folder does not exist or may not be written to.
pub fn check_writable(path: &Path) -> Result<(), Error> {
    files::check_writable(path).map_err(|error| {
        Error::Output(format!(
            "cannot write `{}`: {error}: check the folder and its permissions, or choose another \
             place",
            path.display()
        ))
    })
}
