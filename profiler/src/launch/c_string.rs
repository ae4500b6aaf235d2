//! Text for the kernel, which ends it with a zero byte.

use std::ffi::CString;

use crate::error::Error;

/// A C string, or an error where there is a zero byte inside.
pub(super) fn c_string(bytes: &[u8]) -> Result<CString, Error> {
    CString::new(bytes).map_err(|error| {
        Error::Usage(format!(
            "an argument or variable has a zero byte in it: {error}"
        ))
    })
}
