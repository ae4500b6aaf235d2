//! A program's file: where its parts are loaded, and how to unwind its stack.

use std::{cell::OnceCell, fs::File, ops::Range};

use anyhow::{Context, Result};
use gimli::{
    BaseAddresses, EhFrame, EhFrameHdr, EndianSlice, FrameDescriptionEntry, LittleEndian,
    ParsedEhFrameHdr, Pointer, RegisterRule, UnwindContext, UnwindSection, X86_64,
};
use memmap2::Mmap;
use object::{
    Endianness, Object, ObjectSection,
    elf::{FileHeader64, PT_GNU_EH_FRAME, PT_LOAD},
    read::elf::{ElfFile64, FileHeader, ProgramHeader},
};

use super::calls::{self, Functions};

/// Bytes as gimli reads them.
pub(super) type Bytes<'a> = EndianSlice<'a, LittleEndian>;

/// A part of the file and the addresses that it is meant for.
#[derive(Clone, Debug)]
struct Segment {
    file: Range<u64>,
    address: u64,
}

/// A 64-bit ELF file.
pub(super) struct Image {
    file: Mmap,
    segments: Vec<Segment>,
    eh_frame_hdr: Option<u64>,
    /// Where `.eh_frame` begins, if there is a table of sections that says so.
    eh_frame: Option<u64>,
    /// Where the kernel or the loader begins to run it, or 0.
    entry: u64,
    /// Whether the table of all symbols was taken out.
    pub(super) is_stripped: bool,
    /// Read when they are asked for.
    functions: OnceCell<Functions>,
    starters: OnceCell<Vec<Range<u64>>>,
}

impl Image {
    /// Reads the headers of a file.
    ///
    /// # Errors
    /// If it is no such file.
    pub(super) fn open(file: &File) -> Result<Self> {
        // SAFETY: bytes only. Whoever truncates the file while it is being read
        // ends this process by a signal, and it is made for that.
        let file = unsafe { Mmap::map(file) }.context("cannot map the file")?;
        let data = &*file;
        let header = FileHeader64::<Endianness>::parse(data)?;
        let endian = header.endian()?;
        let entry = header.e_entry(endian);
        let mut segments = Vec::new();
        let mut eh_frame_hdr = None;
        for part in header.program_headers(endian, data)? {
            let address = part.p_vaddr(endian);
            match part.p_type(endian) {
                PT_LOAD => {
                    let start = part.p_offset(endian);
                    let file = start..start.saturating_add(part.p_filesz(endian));
                    segments.push(Segment { file, address });
                }
                PT_GNU_EH_FRAME => eh_frame_hdr = Some(address),
                _ => {}
            }
        }
        let parsed = ElfFile64::<Endianness>::parse(data);
        let (is_stripped, eh_frame) = match parsed {
            Ok(elf) => (
                elf.symbol_table().is_none(),
                elf.section_by_name(".eh_frame")
                    .map(|section| section.address()),
            ),
            Err(_) => (true, None),
        };
        Ok(Self {
            file,
            segments,
            eh_frame_hdr,
            eh_frame,
            entry,
            is_stripped,
            functions: OnceCell::new(),
            starters: OnceCell::new(),
        })
    }

    /// The address that a place in the file is meant for.
    pub(super) fn address(&self, offset: u64) -> Option<u64> {
        // Segments share pages of the file: the mapping of one shows a bit of
        // its neighbour. The segment that the place is in comes first.
        let segment = self
            .segments
            .iter()
            .find(|segment| segment.file.contains(&offset))?;
        Some(segment.address.wrapping_add(offset - segment.file.start))
    }

    /// The file's bytes from an address to the end of its segment.
    fn bytes(&self, address: u64) -> Option<&[u8]> {
        self.segments.iter().find_map(|segment| {
            let within = address.checked_sub(segment.address)?;
            let start = segment.file.start.checked_add(within)?;
            if !segment.file.contains(&start) {
                return None;
            }
            let (start, end) = (usize::try_from(start), usize::try_from(segment.file.end));
            let end = end.ok()?.min(self.file.len());
            self.file.get(start.ok()?..end)
        })
    }

    fn functions(&self) -> &Functions {
        self.functions.get_or_init(|| Functions::of(&self.file))
    }

    /// Where on a stack the return address of the function at an address is, and
    /// which, by the calls of it that the program has. `bias` is what the addresses on
    /// the stack have on those in the file.
    pub(super) fn return_address(
        &self,
        address: u64,
        bias: u64,
        stack: impl Iterator<Item = u64>,
    ) -> Option<(usize, u64)> {
        let functions = self.functions();
        let callee = functions.at(address)?;
        // A frame pointer is the better witness: words on a stack may be old.
        if calls::keeps_frame_pointer(self.bytes(callee.start)?) {
            return None;
        }
        let bytes = |address| self.bytes(address);
        stack.enumerate().find(|(_, word)| {
            calls::returns_from(word.wrapping_sub(bias), &callee, functions, bytes)
        })
    }

    /// Whether a thread begins in the function at an address, by its structure: also C
    /// libraries without symbols have such functions.
    pub(super) fn begins_thread(&self, address: u64) -> bool {
        let by_table = self.unwind_info().and_then(|info| {
            let entry = info.entry(address)?;
            let mut context = UnwindContext::new();
            let row = entry
                .unwind_info_for_address(&info.frames, &info.bases, &mut context, address)
                .ok()?;
            let has_caller = row.register(X86_64::RA) != Some(RegisterRule::Undefined);
            let start = entry.initial_address();
            Some((start..start.checked_add(entry.len())?, has_caller))
        });
        let functions = || Some((self.functions().at(address)?, true));
        let Some((function, has_caller)) = by_table.or_else(functions) else {
            return false;
        };
        if !has_caller || function.contains(&self.entry) {
            return true;
        }
        // What calls `main`, or a thread's first function, has its address from outside.
        let calls_any = || {
            let start = self.bytes(function.start)?;
            let end = usize::try_from(address.checked_sub(function.start)?).ok()? + 1;
            Some(calls::ends_with_indirect_call(start.get(..end)?))
        };
        let starters = self.starters.get_or_init(|| self.starters());
        let starts = |starter: &Range<u64>| {
            starter.contains(&function.start)
                || calls::refers(starter, function.start, |at| self.bytes(at))
        };
        calls_any() == Some(true) && starters.iter().any(starts)
    }

    /// The functions of a C library that hand over where a thread begins: those that
    /// everybody calls for that, and the library's own functions that they call.
    fn starters(&self) -> Vec<Range<u64>> {
        let exported = calls::exported(&self.file);
        let known = ["__libc_start_main", "pthread_create"];
        let mut starters: Vec<Range<u64>> = known
            .iter()
            .filter_map(|&name| exported.iter().find(|(other, _)| *other == name))
            .map(|(_, function)| function.clone())
            .collect();
        for starter in starters.clone() {
            let called = calls::called(&starter, |at| self.bytes(at));
            let inner = called
                .into_iter()
                .filter(|&at| !exported.iter().any(|(_, function)| function.start == at));
            starters.extend(inner.filter_map(|at| {
                let entry = self.unwind_info()?.entry(at)?;
                (entry.initial_address() == at).then(|| at..at.saturating_add(entry.len()))
            }));
        }
        starters
    }

    /// What tells how to unwind.
    pub(super) fn unwind_info(&self) -> Option<UnwindInfo<'_>> {
        let bases = BaseAddresses::default();
        let Some(address) = self.eh_frame_hdr else {
            // Statically linked programs have no table to search by.
            let frames_at = self.eh_frame?;
            return Some(UnwindInfo {
                header: None,
                frames: EhFrame::new(self.bytes(frames_at)?, LittleEndian),
                bases: bases.set_eh_frame(frames_at),
            });
        };
        let bases = bases.set_eh_frame_hdr(address);
        let header = EhFrameHdr::new(self.bytes(address)?, LittleEndian);
        let header = header.parse(&bases, 8).ok()?;
        let Pointer::Direct(frames_at) = header.eh_frame_ptr() else {
            return None;
        };
        Some(UnwindInfo {
            header: Some(header),
            frames: EhFrame::new(self.bytes(frames_at)?, LittleEndian),
            bases: bases.set_eh_frame(frames_at),
        })
    }
}

/// `.eh_frame`, and the table that finds functions in it if there is one.
pub(super) struct UnwindInfo<'a> {
    header: Option<ParsedEhFrameHdr<Bytes<'a>>>,
    pub(super) frames: EhFrame<Bytes<'a>>,
    pub(super) bases: BaseAddresses,
}

impl<'a> UnwindInfo<'a> {
    /// The entry of the function at an address.
    pub(super) fn entry(&self, address: u64) -> Option<FrameDescriptionEntry<Bytes<'a>>> {
        let Self {
            header,
            frames,
            bases,
        } = self;
        let get_cie = EhFrame::cie_from_offset;
        match header.as_ref().and_then(ParsedEhFrameHdr::table) {
            Some(table) => table.fde_for_address(frames, bases, address, get_cie).ok(),
            None => frames.fde_for_address(bases, address, get_cie).ok(),
        }
    }
}
