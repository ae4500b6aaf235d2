//! Files opened past the page cache, and what they ask of their readers.

use std::{
    ffi::CString,
    fs::{self, File, OpenOptions},
    io,
    mem::MaybeUninit,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
        unix::{ffi::OsStrExt, fs::OpenOptionsExt},
    },
    path::Path,
};

/// Opens an existing file for reading past the page cache.
pub(crate) fn open_direct(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_DIRECT)
        .open(path)
}

/// A file in `directory` that has no name, so that it cannot remain.
pub(crate) fn nameless(directory: &Path, flags: libc::c_int) -> io::Result<File> {
    let nameless = OpenOptions::new()
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(libc::O_TMPFILE | flags)
        .open(directory);
    match nameless {
        // The filesystem has no nameless files: open a named one and take the
        // name away at once.
        Err(error)
            if matches!(
                error.raw_os_error(),
                Some(libc::EOPNOTSUPP | libc::EISDIR | libc::ENOENT)
            ) =>
        {
            unlinked(directory, flags)
        }
        other => other,
    }
}

fn unlinked(directory: &Path, flags: libc::c_int) -> io::Result<File> {
    let path = directory.join(format!(".modeswitch-workload-{}", std::process::id()));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(flags)
        .open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

/// The unit in which offsets and memory must be aligned for direct reads of
/// this open file, where the kernel tells (`statx`, 6.1 and later).
pub(crate) fn direct_alignment(file: &File) -> Option<u32> {
    let mut status = MaybeUninit::<libc::statx>::zeroed();
    // SAFETY: the empty path with AT_EMPTY_PATH means the file itself, and the
    // kernel writes one `statx` structure.
    let result = unsafe {
        libc::statx(
            file.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            libc::STATX_DIOALIGN,
            status.as_mut_ptr(),
        )
    };
    if result != 0 {
        return None;
    }
    // SAFETY: zero is a valid value of every field, and the call wrote some.
    let status = unsafe { status.assume_init() };
    let told = status.stx_mask & libc::STATX_DIOALIGN != 0;
    (told && status.stx_dio_offset_align > 0).then_some(status.stx_dio_offset_align)
}

/// The type of whatever is behind a descriptor (0: an object of the kernel), and its
/// size.
pub(crate) fn kind_and_size(fd: RawFd) -> io::Result<(libc::mode_t, u64)> {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the kernel checks the descriptor and writes one `stat` structure.
    if unsafe { libc::fstat(fd, status.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has filled it in.
    let status = unsafe { status.assume_init() };
    let size = u64::try_from(status.st_size).unwrap_or(0);
    Ok((status.st_mode & libc::S_IFMT, size))
}

/// How many of the first bytes of a file have data; the rest are holes, or have
/// been set aside and never written, which read as holes do.
pub(crate) fn data_bytes(file: &File, bytes: u64) -> io::Result<u64> {
    let (mut at, mut sum) = (0, 0);
    while let Some(data) = seek(file, at, libc::SEEK_DATA)?.filter(|&data| data < bytes) {
        let hole = seek(file, data, libc::SEEK_HOLE)?.unwrap_or(bytes);
        at = hole.min(bytes);
        sum += at - data;
    }
    Ok(sum)
}

/// The next data or hole from a place on; `None` behind the last.
fn seek(file: &File, from: u64, whence: libc::c_int) -> io::Result<Option<u64>> {
    let from = libc::off_t::try_from(from).map_err(io::Error::other)?;
    // SAFETY: the call takes integers and an open file.
    let found = unsafe { libc::lseek(file.as_raw_fd(), from, whence) };
    match u64::try_from(found) {
        Ok(found) => Ok(Some(found)),
        Err(_) => match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::ENXIO) => Ok(None),
            error => Err(error),
        },
    }
}

/// An open file with no path and no name, of memory: what tests and pipes of
/// results use.
#[cfg(test)]
pub(crate) fn memory_file() -> io::Result<File> {
    // SAFETY: the name is a constant string, and the result is checked.
    let fd = unsafe { libc::memfd_create(c"workload".as_ptr(), 0) };
    owned(fd).map(File::from)
}

/// A freshly made mount of `filesystem` that hangs in no directory tree: it is
/// reached through the descriptor alone and vanishes with it (5.2 and later).
pub(crate) fn private_mount(filesystem: &str) -> io::Result<OwnedFd> {
    const FSCONFIG_CMD_CREATE: libc::c_uint = 6;
    let name = CString::new(filesystem)?;
    // SAFETY: the name is a terminated string that outlives the call.
    let context = unsafe { libc::syscall(libc::SYS_fsopen, name.as_ptr(), 1_u32) };
    let context = owned_long(context)?;
    let none = std::ptr::null::<libc::c_char>();
    // SAFETY: this command takes neither key nor value.
    let made = unsafe {
        libc::syscall(
            libc::SYS_fsconfig,
            context.as_raw_fd(),
            FSCONFIG_CMD_CREATE,
            none,
            none,
            0,
        )
    };
    if made != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call takes three integers.
    let mount = unsafe { libc::syscall(libc::SYS_fsmount, context.as_raw_fd(), 1_u32, 0_u32) };
    owned_long(mount)
}

/// The path of a file below a directory that is known by its descriptor.
pub(crate) fn below(directory: RawFd, path: impl AsRef<Path>) -> std::path::PathBuf {
    Path::new("/proc/self/fd")
        .join(directory.to_string())
        .join(std::ffi::OsStr::from_bytes(
            path.as_ref().as_os_str().as_bytes(),
        ))
}

fn owned_long(fd: libc::c_long) -> io::Result<OwnedFd> {
    owned(libc::c_int::try_from(fd).map_err(io::Error::other)?)
}

fn owned(fd: libc::c_int) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call just before made this descriptor for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
