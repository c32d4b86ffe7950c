//! The scenarios in the binary. A file in `scenarios/` has its line here; a test compares the two.

/// Name and text: the six stories first, then one for each fault kind that they do not use.
pub(super) const BUILTINS: &[(&str, &str)] = &[
    ("not-found", include_str!("../../scenarios/not-found.toml")),
    ("server-error", include_str!("../../scenarios/server-error.toml")),
    ("partial-completion", include_str!("../../scenarios/partial-completion.toml")),
    ("slow-host", include_str!("../../scenarios/slow-host.toml")),
    ("lagging-managed-host", include_str!("../../scenarios/lagging-managed-host.toml")),
    ("lost-answer", include_str!("../../scenarios/lost-answer.toml")),
    ("faults/hang", include_str!("../../scenarios/faults/hang.toml")),
    ("faults/html-page", include_str!("../../scenarios/faults/html-page.toml")),
    ("faults/drop-field", include_str!("../../scenarios/faults/drop-field.toml")),
    ("faults/renamed-keys", include_str!("../../scenarios/faults/renamed-keys.toml")),
    ("faults/malformed-json", include_str!("../../scenarios/faults/malformed-json.toml")),
    ("faults/truncate", include_str!("../../scenarios/faults/truncate.toml")),
    ("faults/close", include_str!("../../scenarios/faults/close.toml")),
    ("faults/half-close", include_str!("../../scenarios/faults/half-close.toml")),
    ("faults/malformed-chunk", include_str!("../../scenarios/faults/malformed-chunk.toml")),
    ("faults/garbage", include_str!("../../scenarios/faults/garbage.toml")),
];
