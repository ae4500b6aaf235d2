//! Reading a whole map with a few system calls, where the kernel can: hashes from
//! Linux 5.6 on, per-CPU arrays from 5.13 on.

use std::{
    io,
    os::fd::{AsFd, AsRawFd},
};

use aya::{Pod, maps::MapData};

/// `BPF_MAP_LOOKUP_BATCH`.
const LOOKUP_BATCH: libc::c_int = 24;
/// Elements asked for at once.
const CHUNK: usize = 4096;
/// The kernel's own number for what a kind of map cannot do, which is not in
/// the C library.
const ENOTSUPP: i32 = 524;

/// The arguments, as `union bpf_attr` has them for this command.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    /// Where to go on; null at the beginning.
    in_batch: u64,
    /// Where the kernel says to go on.
    out_batch: u64,
    keys: u64,
    values: u64,
    /// Room for, then how many there were.
    count: u32,
    map_fd: u32,
    elem_flags: u64,
    flags: u64,
}

/// Every key of a map, and `parts` values for each, one after the other; none if
/// this kernel cannot do it. The types must be those of the map.
///
/// # Errors
/// If the map cannot be read.
pub(super) fn read<K, V>(map: &MapData, parts: usize) -> io::Result<Option<(Vec<K>, Vec<V>)>>
where
    K: Pod + Default,
    V: Pod + Default,
{
    let info = map.info().map_err(io::Error::other)?;
    let fits = |stated: u32, ours: usize| usize::try_from(stated).is_ok_and(|size| size == ours);
    // The kernel rounds the values of per-CPU maps up to eight bytes.
    let is_round = parts == 1 || size_of::<V>().is_multiple_of(8);
    if !fits(info.key_size(), size_of::<K>())
        || !fits(info.value_size(), size_of::<V>())
        || !is_round
    {
        return Err(io::Error::other("the map has other keys or values"));
    }
    let mut keys = vec![K::default(); CHUNK];
    let mut values = vec![V::default(); CHUNK * parts];
    let (mut all_keys, mut all_values) = (Vec::new(), Vec::new());
    // Four bytes of these are used, a bucket or an index.
    let (mut from, mut to) = (0_u64, 0_u64);
    let mut is_first = true;
    loop {
        let mut attributes = Attributes {
            in_batch: if is_first {
                0
            } else {
                (&raw mut from).expose_provenance() as u64
            },
            out_batch: (&raw mut to).expose_provenance() as u64,
            keys: keys.as_mut_ptr().expose_provenance() as u64,
            values: values.as_mut_ptr().expose_provenance() as u64,
            count: u32::try_from(CHUNK).unwrap_or(u32::MAX),
            map_fd: map.fd().as_fd().as_raw_fd().unsigned_abs(),
            ..Attributes::default()
        };
        // SAFETY: the kernel writes at most `count` keys and values, of the sizes
        // checked above and for `parts` CPUs; the buffers have room for that, and
        // any bytes are valid in them, since the types are `Pod`.
        let result = unsafe {
            libc::syscall(
                libc::SYS_bpf,
                LOOKUP_BATCH,
                &raw mut attributes,
                size_of::<Attributes>(),
            )
        };
        let error = (result != 0).then(io::Error::last_os_error);
        let code = error.as_ref().and_then(io::Error::raw_os_error);
        let is_last = code == Some(libc::ENOENT);
        match error {
            Some(_) if is_first && matches!(code, Some(libc::EINVAL | libc::ENOSPC | ENOTSUPP)) => {
                return Ok(None);
            }
            Some(error) if !is_last => return Err(error),
            _ => {}
        }
        let count = usize::try_from(attributes.count).unwrap_or(0).min(CHUNK);
        all_keys.extend_from_slice(&keys[..count]);
        all_values.extend_from_slice(&values[..count * parts]);
        if is_last || count == 0 {
            return Ok(Some((all_keys, all_values)));
        }
        is_first = false;
        from = to;
    }
}
