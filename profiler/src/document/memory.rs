//! The part of the profile document that is about memory.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{code::AllocationRow, run::ProcessMemory};

/// Page faults by memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Memory {
    /// Page faults by detail.
    pub faults_by_kind: BTreeMap<String, u64>,
    /// Page faults by mapping.
    pub by_mapping: Vec<MappingRow>,
    /// Where the program asked the kernel for memory, the most first.
    #[serde(default)]
    pub allocations: Vec<AllocationRow>,
    /// What the command's processes held, or null if nobody looked.
    #[serde(default)]
    pub process: Option<ProcessMemory>,
}

/// Page faults in one mapping.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MappingRow {
    /// What it is: `heap`, `stack`, `file`, `anonymous`, `shared_anonymous`,
    /// `hugetlb`, `special` (the kernel's own), `none` (nothing was there) or
    /// `unknown`.
    pub kind: String,
    /// Its size.
    pub bytes: u64,
    /// The file, if there is one: at the least its own name.
    pub path: Option<String>,
    /// The call that made it, or null if that is not known.
    pub allocated_at: Option<String>,
    /// The whole call chain behind it, innermost first.
    #[serde(default)]
    pub allocation_stack: Option<Vec<String>>,
    /// Page faults.
    pub faults: u64,
    /// Pages that had any, of 4 KiB each.
    pub distinct_pages: u64,
    /// Whether there was no room to name all pages: then there were more.
    #[serde(default)]
    pub pages_are_lower_bound: bool,
    /// Page faults for each page, of the pages that could be named; null if none.
    #[serde(default)]
    pub faults_per_page: Option<f64>,
    /// Its first address, in hexadecimal, or null if that is not known.
    #[serde(default)]
    pub start: Option<String>,
    /// Its process, or 0 for all together.
    #[serde(default)]
    pub tgid: u32,
    /// Page faults by kind.
    #[serde(default)]
    pub by_kind: BTreeMap<String, u64>,
    /// Page faults by phase.
    #[serde(default)]
    pub phases: BTreeMap<String, u64>,
}
