//! Settings of the whole machine: files of one value.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Where the kernel shows whether transparent huge pages are on.
pub const THP_ENABLED: &str = "/sys/kernel/mm/transparent_hugepage/enabled";

/// A setting and the value that it shall have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its file.
    pub path: PathBuf,
    /// The value.
    pub value: String,
}

/// The file of a kernel setting by its name with dots.
#[must_use]
pub fn sysctl_path(name: &str) -> PathBuf {
    let name = if name.contains('/') {
        name.to_owned()
    } else {
        name.replace('.', "/")
    };
    Path::new("/proc/sys").join(name)
}

/// A setting's value. Of one that shows all choices and brackets its own, that.
///
/// # Errors
/// If the file cannot be read.
pub fn read(path: &Path) -> io::Result<String> {
    let text = fs::read_to_string(path)?;
    Ok(chosen(text.trim()).to_owned())
}

fn chosen(text: &str) -> &str {
    text.split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'))
        .map_or(text, |(choice, _)| choice)
}

/// A setting changed, to be changed back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What was asked for.
    pub setting: Setting,
    /// The value before.
    pub before: String,
    /// The value as the kernel shows it since.
    pub since: String,
}

impl Change {
    /// Makes a setting.
    ///
    /// # Errors
    /// If the kernel refuses it.
    pub fn make(setting: Setting) -> io::Result<Self> {
        let before = read(&setting.path)?;
        fs::write(&setting.path, &setting.value)?;
        let since = read(&setting.path)?;
        Ok(Self {
            setting,
            before,
            since,
        })
    }

    /// Changes it back, unless somebody else has changed it in the meantime.
    ///
    /// # Errors
    /// If it was changed by somebody else, or the kernel refuses.
    pub fn undo(&self) -> io::Result<()> {
        let now = read(&self.setting.path)?;
        if now != self.since {
            return Err(io::Error::other(format!(
                "{} was changed to `{now}` by somebody else and is left at that; it was `{}` \
                 before",
                self.setting.path.display(),
                self.before
            )));
        }
        fs::write(&self.setting.path, &self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A change is undone, but not over somebody else's.
    #[test]
    fn changes_are_undone_unless_somebody_else_came_by() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), "always [madvise] never\n").expect("written");
        assert_eq!(read(file.path()).expect("read"), "madvise");
        let setting = Setting {
            path: file.path().to_owned(),
            value: "always".to_owned(),
        };
        let change = Change::make(setting).expect("made");
        assert_eq!(read(file.path()).expect("read"), "always");
        change.undo().expect("undone");
        assert_eq!(read(file.path()).expect("read"), "madvise");
        fs::write(file.path(), "never").expect("written");
        assert!(change.undo().is_err());
        assert_eq!(read(file.path()).expect("read"), "never");
    }

    /// Dots separate, unless slashes do.
    #[test]
    fn settings_have_files() {
        let path = |name: &str| sysctl_path(name).display().to_string();
        assert_eq!(path("vm.stat_interval"), "/proc/sys/vm/stat_interval");
        assert_eq!(
            path("net/ipv4/conf/a.b/tag"),
            "/proc/sys/net/ipv4/conf/a.b/tag"
        );
    }
}
