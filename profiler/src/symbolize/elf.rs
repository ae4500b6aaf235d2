//! Functions and lines for places in one file, by blazesym.

use std::{
    borrow::Cow,
    fs::File,
    os::{fd::AsRawFd, unix::fs::MetadataExt},
    path::{Path, PathBuf},
};

use blazesym::symbolize::{
    CodeInfo, Input, Reason, Sym, Symbolized, Symbolizer,
    source::{Elf, Source},
};

use super::{
    image::Image,
    isolated::Effort,
    names::{UserCode, UserFrame},
};
use crate::untrusted;

/// Longest name or path that is kept: templates have no bound of their own.
const LONGEST: usize = 512;

/// Functions in which a thread begins, where they have names.
const BEGINNINGS: [&str; 10] = [
    "_start",
    "__libc_start_main",
    "__libc_start_call_main",
    "__libc_start_main_impl",
    "generic_start_main",
    "libc_start_main_stage2",
    "start_thread",
    "clone",
    "clone3",
    "__clone",
];

/// Looks places in a file up: offsets into it. As many answers as places.
pub(super) fn look_up(file: &File, module: &str, offsets: &[u64], effort: Effort) -> Vec<UserCode> {
    let image = match Image::open(file) {
        Ok(image) => image,
        Err(error) => {
            let reason = format!("{module} is not a program that can be read: {error:#}");
            return offsets
                .iter()
                .map(|&offset| unknown(module, Some(offset), &reason))
                .collect();
        }
    };
    let symbolizer = Symbolizer::builder()
        .enable_code_info(true)
        .enable_inlined_fns(true)
        .enable_demangling(false)
        .enable_auto_reload(false)
        .build();
    let mut elf = Elf::new(path_of(file, module));
    elf.debug_syms = effort == Effort::Full;
    let source = Source::Elf(elf);
    let one = |&offset: &u64| {
        let address = image.address(offset);
        let Some(address) = address else {
            return unknown(module, Some(offset), "nothing of the file is loaded there");
        };
        let mut code = match symbolizer.symbolize_single(&source, Input::VirtOffset(address)) {
            Ok(Symbolized::Sym(sym)) => known(module, &sym),
            Ok(Symbolized::Unknown(why)) => unknown(module, None, &words(module, &image, why)),
            Err(error) => unknown(module, None, &format!("{module} cannot be read: {error}")),
        };
        code.module_address = Some(address);
        let mut names = code.frames.iter().map(|frame| frame.function.as_str());
        code.begins_thread =
            names.any(|name| BEGINNINGS.contains(&name)) || image.begins_thread(address);
        code
    };
    let mut codes: Vec<UserCode> = offsets.iter().map(one).collect();
    // Then its symbols are elsewhere, and were found.
    let has_lines = |code: &UserCode| code.frames.iter().any(|frame| frame.line.is_some());
    if image.is_stripped && codes.iter().any(has_lines) {
        for code in codes.iter_mut().filter(|code| code.frames.is_empty()) {
            code.reason = Some(clean(&format!("no symbol of {module} covers this address")));
        }
    }
    codes
}

/// The files that are opened to look places in this one up: itself, and separate
/// debug information where it is usually found.
pub(super) fn readable(file: &File, module: &str) -> Vec<PathBuf> {
    let mut files = vec![
        format!("/proc/self/fd/{}", file.as_raw_fd()).into(),
        "/usr/lib/debug".into(),
        "/lib/debug".into(),
    ];
    let module = Path::new(module);
    if let (Some(folder), Some(name)) = (module.parent(), module.file_name()) {
        files.push(folder.join(".debug"));
        for ending in [".debug", ".dwp", ".dbg"] {
            let mut beside = name.to_owned();
            beside.push(ending);
            files.push(folder.join(beside));
        }
    }
    files
}

/// The file's path if it still leads to it, since separate debug information is
/// looked for beside it; else the open file.
fn path_of(file: &File, module: &str) -> PathBuf {
    let identity = |status: std::fs::Metadata| (status.dev(), status.ino());
    let here = std::fs::metadata(module).ok().map(identity);
    if here.is_some() && here == file.metadata().ok().map(identity) {
        Path::new(module).to_owned()
    } else {
        format!("/proc/self/fd/{}", file.as_raw_fd()).into()
    }
}

fn words(module: &str, image: &Image, why: Reason) -> String {
    if image.is_stripped {
        return format!("{module} is stripped, and what symbols are left do not cover it");
    }
    if why == Reason::MissingSyms {
        format!("{module} has no symbols")
    } else {
        format!("no symbol of {module} covers this address")
    }
}

/// A place of which nothing but the module is known.
pub(super) fn unknown(module: &str, address: Option<u64>, reason: &str) -> UserCode {
    UserCode {
        module: Some(clean(module)),
        module_address: address,
        reason: Some(clean(reason)),
        ..UserCode::default()
    }
}

fn known(module: &str, sym: &Sym<'_>) -> UserCode {
    let mut frames: Vec<UserFrame> = std::iter::once(frame(&sym.name, sym.code_info.as_deref()))
        .chain(
            sym.inlined
                .iter()
                .map(|inlined| frame(&inlined.name, inlined.code_info.as_ref())),
        )
        .collect();
    // They come as the calls are nested: the outermost first.
    frames.reverse();
    let has_line = frames.first().is_some_and(|frame| frame.line.is_some());
    UserCode {
        module: Some(clean(module)),
        module_address: None,
        frames,
        begins_thread: false,
        reason: (!has_line).then(|| format!("{} has no line for it", clean(module))),
    }
}

/// A name as the source has it. Only what begins as the languages' rules say is a
/// mangled name: to C++ a bare `t` stands for `unsigned short`, and C has functions of
/// that name.
fn demangled(name: &str) -> Cow<'_, str> {
    if !["_Z", "_R"].iter().any(|prefix| name.starts_with(prefix)) {
        return name.into();
    }
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        return format!("{rust:#}").into();
    }
    let cpp = cpp_demangle::Symbol::new(name).ok();
    cpp.and_then(|symbol| symbol.demangle().ok())
        .map_or(name.into(), Cow::Owned)
}

fn frame(name: &str, code: Option<&CodeInfo<'_>>) -> UserFrame {
    UserFrame {
        // The GNU C library's mark for its own calls of what it exports.
        function: clean(&demangled(name.strip_prefix("__GI_").unwrap_or(name))),
        file: code.map(|code| clean(&code.to_path().to_string_lossy())),
        line: code.and_then(|code| code.line).filter(|&line| line != 0),
    }
}

/// A name that strangers chose, fit to be printed.
pub(super) fn clean(name: &str) -> String {
    let mut kept: String = untrusted::line(name).chars().take(LONGEST).collect();
    if name.chars().nth(LONGEST).is_some() {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// Names of C are what they are, however short; others are as in their sources.
    #[test]
    fn names_are_demangled_by_their_own_rules() {
        for (name, expected) in [
            ("t", "t"),
            ("f", "f"),
            ("main", "main"),
            ("_ZN3foo3barEi", "foo::bar(int)"),
            (
                "_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE",
                "core::fmt::Write::write_fmt",
            ),
            ("_RNvC6_123foo3bar", "123foo::bar"),
            ("_Zebra", "_Zebra"),
        ] {
            assert_eq!(demangled(name), expected);
        }
    }

    /// Nothing that a name holds reaches a terminal as a command, or fills it.
    #[test]
    fn names_are_made_harmless() {
        assert_eq!(clean("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb ");
        assert_eq!(clean(&"x".repeat(9_999)).chars().count(), LONGEST + 1);
    }

    /// A file that is no program, or a damaged one, has a reason for each place.
    #[test]
    fn damaged_files_have_reasons() {
        let own = std::fs::read("/proc/self/exe").expect("our own file");
        for content in [&b"nonsense"[..], &own[..100], &own[..4096]] {
            let mut file = tempfile::NamedTempFile::new().expect("a file");
            file.write_all(content).expect("room");
            let codes = look_up(file.as_file(), "/x", &[0, 64, 5000], Effort::Full);
            assert_eq!(codes.len(), 3);
            assert!(codes.iter().all(|code| code.reason.is_some()), "{codes:?}");
        }
    }
}
