//! Just enough of the BPF Type Format to find where a structure's member lies.
//!
//! Layout: `include/uapi/linux/btf.h`, described in
//! `Documentation/bpf/btf.rst`. A header, a section of types in the order of
//! their ids (from 1), and a section of names.

use std::path::Path;

use anyhow::{Context, Result, bail};

const MAGIC: u16 = 0xeb9f;
const HEADER_BYTES: usize = 24;
const TYPE_BYTES: usize = 12;
const MEMBER_BYTES: usize = 12;
const ENUMERATOR_BYTES: usize = 8;

/// Kinds of types, of which only structures and unions are looked into.
mod kind {
    pub(super) const INT: u32 = 1;
    pub(super) const ARRAY: u32 = 3;
    pub(super) const STRUCT: u32 = 4;
    pub(super) const UNION: u32 = 5;
    pub(super) const ENUM: u32 = 6;
    pub(super) const FUNC_PROTO: u32 = 13;
    pub(super) const VAR: u32 = 14;
    pub(super) const DATASEC: u32 = 15;
    pub(super) const DECL_TAG: u32 = 17;
    pub(super) const ENUM64: u32 = 19;
}

/// One type: its kind, its name, and where its members begin.
#[derive(Clone, Copy)]
struct Type {
    kind: u32,
    has_bitfields: bool,
    name: u32,
    members: usize,
    member_count: usize,
}

/// A kernel's types.
pub struct Btf {
    data: Vec<u8>,
    types: Vec<Type>,
    names: usize,
}

impl Btf {
    /// Reads a file such as `/sys/kernel/btf/vmlinux`.
    ///
    /// # Errors
    /// If it cannot be read or is no BTF.
    pub fn read(path: &Path) -> Result<Self> {
        let data =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(data).with_context(|| format!("cannot understand {}", path.display()))
    }

    /// Understands the bytes of such a file.
    ///
    /// # Errors
    /// If they are cut short, or of a kind that is not known here.
    pub fn parse(data: Vec<u8>) -> Result<Self> {
        if data.get(..2) != Some(&MAGIC.to_le_bytes()) {
            bail!("it does not begin like BTF");
        }
        let header = |offset: usize| word(&data, offset).map(|value| value as usize);
        let body = header(4)?;
        if body < HEADER_BYTES {
            bail!("its header is too short");
        }
        let (type_offset, type_bytes) = (header(8)?, header(12)?);
        let names = body
            .checked_add(header(16)?)
            .context("its names lie nowhere")?;
        let mut at = body
            .checked_add(type_offset)
            .context("its types lie nowhere")?;
        let end = at
            .checked_add(type_bytes)
            .context("its types have no end")?;
        let mut types = Vec::new();
        while at < end {
            let info = word(&data, at + 4)?;
            let (kind, count) = ((info >> 24) & 0x1f, (info & 0xffff) as usize);
            types.push(Type {
                kind,
                has_bitfields: info >> 31 != 0,
                name: word(&data, at)?,
                members: at + TYPE_BYTES,
                member_count: count,
            });
            at += TYPE_BYTES + trailing_bytes(kind, count)?;
        }
        Ok(Self { data, types, names })
    }

    /// The byte offset of a structure's member, also one that lies in unnamed
    /// structures and unions within it.
    #[must_use]
    pub fn offset(&self, structure: &str, member: &str) -> Option<u32> {
        self.types
            .iter()
            .filter(|found| found.kind == kind::STRUCT && self.is_named(found.name, structure))
            .find_map(|found| self.bit_offset(found, member))
            .map(|bits| bits / 8)
    }

    /// The number behind a name of an enumeration.
    #[must_use]
    pub fn enumerator(&self, enumeration: &str, name: &str) -> Option<u32> {
        let mut enumerations = self
            .types
            .iter()
            .filter(|found| found.kind == kind::ENUM && self.is_named(found.name, enumeration));
        enumerations.find_map(|found| {
            (0..found.member_count).find_map(|index| {
                let at = found.members + index * ENUMERATOR_BYTES;
                let is_it = self.is_named(word(&self.data, at).ok()?, name);
                is_it.then(|| word(&self.data, at + 4).ok()).flatten()
            })
        })
    }

    fn bit_offset(&self, of: &Type, member: &str) -> Option<u32> {
        for index in 0..of.member_count {
            let at = of.members + index * MEMBER_BYTES;
            let name = word(&self.data, at).ok()?;
            let id = word(&self.data, at + 4).ok()? as usize;
            let offset = word(&self.data, at + 8).ok()?;
            // With bit fields about, the upper byte is the field's width.
            let bits = if of.has_bitfields {
                offset & 0x00ff_ffff
            } else {
                offset
            };
            if self.is_named(name, member) {
                return Some(bits);
            }
            let inner = id.checked_sub(1).and_then(|index| self.types.get(index));
            let unnamed = inner.filter(|inner| {
                self.is_named(name, "") && matches!(inner.kind, kind::STRUCT | kind::UNION)
            });
            if let Some(found) = unnamed.and_then(|inner| self.bit_offset(inner, member)) {
                return Some(bits + found);
            }
        }
        None
    }

    /// Whether the name at an offset is this one.
    fn is_named(&self, offset: u32, name: &str) -> bool {
        let start = self.names + offset as usize;
        let end = start + name.len();
        self.data.get(start..end) == Some(name.as_bytes()) && self.data.get(end) == Some(&0)
    }
}

/// How many bytes follow a type of a kind.
fn trailing_bytes(kind: u32, count: usize) -> Result<usize> {
    Ok(match kind {
        kind::INT | kind::VAR | kind::DECL_TAG => 4,
        kind::ARRAY => 12,
        kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => count * 12,
        kind::ENUM | kind::FUNC_PROTO => count * 8,
        // Pointers, qualifiers, forward declarations, functions, floats, tags.
        2 | 7..=12 | 16 | 18 => 0,
        unknown => bail!("it has types of kind {unknown}, which modeswitch does not know"),
    })
}

/// The 32-bit word at an offset.
fn word(data: &[u8], at: usize) -> Result<u32> {
    let end = at.checked_add(4).context("it is cut short")?;
    let bytes = data.get(at..end).context("it is cut short")?;
    Ok(u32::from_le_bytes(bytes.try_into()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `struct outer { int a; struct { int b; int c; }; }`, assembled by hand.
    fn sample() -> Vec<u8> {
        let names = b"\0int\0outer\0a\0b\0c\0";
        let words: [u32; 27] = [
            // 1: int
            1,
            1 << 24,
            4,
            32,
            // 2: unnamed struct of two ints
            0,
            (4 << 24) | 2,
            8,
            13,
            1,
            0,
            15,
            1,
            32,
            // 3: outer, of an int and the above
            5,
            (4 << 24) | 2,
            12,
            11,
            1,
            0,
            0,
            2,
            32,
            // 4: a pointer, which has nothing behind it
            0,
            2 << 24,
            1,
            // and the beginning of nothing
            0,
            0,
        ];
        let types: Vec<u8> = words[..25]
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("short");
        let lengths = [24, 0, length(&types), length(&types), length(names)];
        let mut data = MAGIC.to_le_bytes().to_vec();
        data.extend([1, 0]);
        data.extend(lengths.iter().flat_map(|length| length.to_le_bytes()));
        data.extend(types);
        data.extend(names);
        data
    }

    /// Members are found, also inside unnamed structures.
    #[test]
    fn finds_members() {
        let btf = Btf::parse(sample()).expect("well-formed");
        assert_eq!(btf.offset("outer", "a"), Some(0));
        assert_eq!(btf.offset("outer", "c"), Some(8));
        assert_eq!(btf.offset("outer", "d"), None);
        assert_eq!(btf.offset("int", "a"), None);
    }

    /// Whatever is cut off, the answer is an error and not a crash.
    #[test]
    fn truncated_files_are_refused_or_incomplete() {
        let whole = sample();
        for length in 0..whole.len() {
            if let Ok(btf) = Btf::parse(whole[..length].to_vec()) {
                let _ = btf.offset("outer", "c");
            }
        }
        assert!(Btf::parse(whole[..40].to_vec()).is_err());
    }

    /// The running kernel's own types have what the programs need.
    #[test]
    fn reads_this_kernel() {
        let path = Path::new(crate::kernel::layout::VMLINUX_BTF);
        if !path.exists() {
            println!(
                "SKIPPED reads_this_kernel: this kernel has no {}",
                path.display()
            );
            return;
        }
        let btf = Btf::read(path).expect("the kernel's own types");
        let offset = btf
            .offset("task_struct", "pid")
            .expect("every task has a pid");
        assert_eq!(btf.offset("task_struct", "tgid"), Some(offset + 4));
    }
}
