//! Files at paths that others may have had a hand in.
//!
//! In a folder where everybody may create files (`/tmp`), a link or a file may be a
//! trap for whoever has more rights. The kernel refuses to follow or to open those
//! of other users there, if `fs.protected_symlinks`, `protected_regular` and
//! `protected_fifos` say so. Here it is always refused, and in every part of a path.

use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, BufWriter, Write},
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::fs::OpenOptionsExt,
    },
    path::{Component, Path},
    sync::atomic::{AtomicU32, Ordering},
};

use nix::{
    errno::Errno,
    fcntl::{AtFlags, OFlag, openat, readlinkat, renameat},
    sys::{
        stat::{FileStat, Mode, SFlag, fchmod, fstat, fstatat},
        statfs::{PROC_SUPER_MAGIC, fstatfs},
    },
    unistd::{Gid, Uid, UnlinkatFlags, fchown, geteuid, unlinkat},
};

/// Links that are followed in one path, as many as the kernel follows.
const MOST_LINKS: u32 = 40;
/// Names that are tried for a file beside the one to be written.
const MOST_NAMES: u32 = 100;

/// Where a path leads: a name in a folder that is held open, so that nobody can
/// put another in its place.
struct Place {
    folder: OwnedFd,
    name: OsString,
    /// What is there now.
    found: Option<(OwnedFd, FileStat)>,
}

/// Writes a file whole or not at all: who reads it at any moment sees the old or
/// the new. A file that is there keeps its mode and its owner, and a link stays one.
/// What is no regular file (a terminal, a pipe) is written to directly.
///
/// # Errors
/// If it cannot be written, and then it is as it was; or if the way to it is not to
/// be trusted.
pub fn write_whole(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let place = Place::find(path)?;
    if let Some(file) = place.special()? {
        let file = reopen(file, File::options().write(true))?;
        let mut buffered = BufWriter::new(file);
        fill(&mut buffered)?;
        return buffered.flush();
    }
    let mut draft = place.draft()?;
    let mut buffered = BufWriter::new(&mut draft.file);
    fill(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    draft.file.sync_all()?;
    renameat(
        &place.folder,
        draft.name.as_os_str(),
        &place.folder,
        place.name.as_os_str(),
    )?;
    draft.is_in_place = true;
    Ok(())
}

/// Checks that a file can be written, without writing it.
///
/// # Errors
/// As for [`write_whole`].
pub fn check_writable(path: &Path) -> io::Result<()> {
    let place = Place::find(path)?;
    if place.special()?.is_none() {
        place.draft()?;
    }
    Ok(())
}

/// Opens a regular file that is there, without waiting for anybody.
///
/// # Errors
/// If there is no such file, or the way to it is not to be trusted.
pub fn open_regular(path: &Path, options: &mut std::fs::OpenOptions) -> io::Result<File> {
    match Place::find(path)?.found {
        Some((file, found)) if kind(&found) == SFlag::S_IFREG => reopen(&file, options),
        Some(_) => Err(refusal("it is not a regular file")),
        None => Err(Errno::ENOENT.into()),
    }
}

impl Place {
    fn find(path: &Path) -> io::Result<Self> {
        let mut left: VecDeque<OsString> = parts(path).collect();
        let mut folder = open_folder(".")?;
        let mut links = 0;
        while let Some(name) = left.pop_front() {
            if name == "/" {
                folder = open_folder("/")?;
                continue;
            }
            let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let file = match openat(&folder, name.as_os_str(), flags, Mode::empty()) {
                Ok(file) => file,
                Err(Errno::ENOENT) if left.is_empty() => {
                    return Ok(Self {
                        folder,
                        name,
                        found: None,
                    });
                }
                Err(error) => return Err(error.into()),
            };
            let status = fstat(&file)?;
            let kind = kind(&status);
            if kind == SFlag::S_IFLNK {
                links += 1;
                if links > MOST_LINKS {
                    return Err(Errno::ELOOP.into());
                }
                check_owner(&folder, &status, &name)?;
                let target = readlinkat(&folder, name.as_os_str())?;
                if is_magic(&folder, &name, &target)? {
                    // An open file that has no path.
                    let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
                    let file = openat(&folder, name.as_os_str(), flags, Mode::empty())?;
                    let status = fstat(&file)?;
                    return Ok(Self {
                        folder,
                        name,
                        found: Some((file, status)),
                    });
                }
                for part in parts(Path::new(&target))
                    .collect::<Vec<_>>()
                    .into_iter()
                    .rev()
                {
                    left.push_front(part);
                }
            } else if left.is_empty() {
                if kind == SFlag::S_IFREG || kind == SFlag::S_IFIFO {
                    check_owner(&folder, &status, &name)?;
                }
                return Ok(Self {
                    folder,
                    name,
                    found: Some((file, status)),
                });
            } else {
                folder = file;
            }
        }
        Err(Errno::EISDIR.into())
    }

    /// What is to be written to as it is, if it is no regular file.
    fn special(&self) -> io::Result<Option<&OwnedFd>> {
        let Some((file, status)) = &self.found else {
            return Ok(None);
        };
        match kind(status) {
            SFlag::S_IFDIR => Err(refusal("it is a folder: name a file in it")),
            SFlag::S_IFBLK => Err(refusal("it is a block device")),
            SFlag::S_IFREG if status.st_nlink != 0 => Ok(None),
            _ => Ok(Some(file)),
        }
    }

    /// A file beside it, to be put in its place, with the mode and the owner that it
    /// will have.
    fn draft(&self) -> io::Result<Draft<'_>> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mode = if self.found.is_some() { 0o600 } else { 0o666 };
        let mode = Mode::from_bits_truncate(mode);
        let mut tried = 0;
        let (file, name) = loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = OsString::from(format!(".modeswitch-{}-{number}", std::process::id()));
            match openat(&self.folder, name.as_os_str(), flags, mode) {
                Ok(file) => break (File::from(file), name),
                Err(Errno::EEXIST) if tried < MOST_NAMES => tried += 1,
                Err(error) => return Err(error.into()),
            }
        };
        let draft = Draft {
            folder: &self.folder,
            name,
            file,
            is_in_place: false,
        };
        if let Some((_, old)) = &self.found {
            let new = fstat(&draft.file)?;
            let (uid, gid) = (old.st_uid, old.st_gid);
            if (new.st_uid, new.st_gid) != (uid, gid) {
                let owner = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
                fchown(&draft.file, owner.0, owner.1).map_err(|error| {
                    refusal(&format!(
                        "it belongs to user {uid} and group {gid}, and cannot be replaced by a \
                         file of theirs ({})",
                        error.desc()
                    ))
                })?;
            }
            // Who writes to a file takes its set-user-id bits away.
            fchmod(&draft.file, Mode::from_bits_truncate(old.st_mode & 0o777))?;
        }
        Ok(draft)
    }
}

/// A file that is not in its place yet.
struct Draft<'a> {
    folder: &'a OwnedFd,
    name: OsString,
    file: File,
    is_in_place: bool,
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.is_in_place {
            let _it_is_gone = unlinkat(
                self.folder,
                self.name.as_os_str(),
                UnlinkatFlags::NoRemoveDir,
            );
        }
    }
}

/// Refuses what another user may have put there for us to find.
fn check_owner(folder: impl AsFd, found: &FileStat, name: &OsStr) -> io::Result<()> {
    let folder = fstat(folder)?;
    let is_shared = folder.st_mode & libc::S_ISVTX != 0 && folder.st_mode & 0o022 != 0;
    let owner = found.st_uid;
    if !is_shared || owner == geteuid().as_raw() || owner == folder.st_uid {
        return Ok(());
    }
    let what = if kind(found) == SFlag::S_IFLNK {
        "a link"
    } else {
        "a file"
    };
    Err(refusal(&format!(
        "`{}` is {what} of user {owner} in a folder where others may write, and may be a trap",
        name.display()
    )))
}

/// Whether a link of `/proc` leads to an open file that its text does not lead to.
fn is_magic(folder: &OwnedFd, name: &OsStr, target: &OsStr) -> io::Result<bool> {
    if fstatfs(folder)?.filesystem_type() != PROC_SUPER_MAGIC {
        return Ok(false);
    }
    let identity = |path: &OsStr| {
        let status = fstatat(folder, path, AtFlags::empty())?;
        nix::Result::Ok((status.st_dev, status.st_ino))
    };
    let file = identity(name)?;
    Ok(identity(target) != Ok(file))
}

fn parts(path: &Path) -> impl Iterator<Item = OsString> + '_ {
    path.components()
        .filter(|part| !matches!(part, Component::CurDir))
        .map(|part| part.as_os_str().to_owned())
}

fn open_folder(path: &str) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    nix::fcntl::open(path, flags, Mode::empty())
}

/// Opens what a handle stands for.
fn reopen(file: &OwnedFd, options: &mut std::fs::OpenOptions) -> io::Result<File> {
    options
        .custom_flags(libc::O_NOCTTY | libc::O_CLOEXEC)
        .open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

fn kind(status: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(status.st_mode & SFlag::S_IFMT.bits())
}

fn refusal(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why.to_owned())
}
