//! Policies that many want, by name: `audit --policy-example NAME`. They are asked of registries and a lock
//! file at once ([`join`](super::join)), and each row is a finding.

use super::examples::{Example, Parameter};

/// Every policy.
pub const POLICIES: [Example; 5] = [
    Example {
        name: "no-copyleft",
        about: "nothing under a copyleft license without another choice",
        query: include_str!("policies/no-copyleft.rq"),
        parameters: &[],
    },
    Example {
        name: "nothing-unsigned",
        about: "nothing that its owners have not signed, wherever it comes from",
        query: include_str!("policies/nothing-unsigned.rq"),
        parameters: &[],
    },
    Example {
        name: "nothing-younger-than-a-week",
        about: "no release that its registry has had for less than seven days",
        query: include_str!("policies/nothing-younger-than-a-week.rq"),
        parameters: &[],
    },
    Example {
        name: "only-known-owners",
        about: "nothing that others than these have released",
        query: include_str!("policies/only-known-owners.rq"),
        parameters: &[Parameter {
            name: "owners",
            about: "ids of publishers, separated by commas",
        }],
    },
    Example {
        name: "msrv",
        about: "nothing that needs a newer Rust than a member above it promises",
        query: include_str!("policies/msrv.rq"),
        parameters: &[],
    },
];
