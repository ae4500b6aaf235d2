//! What reports look like, kept in files.

/// Holds a text against the snapshot of this name in a folder of `tests/data`.
#[track_caller]
pub(crate) fn assert_same(folder: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("../../data/{folder}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Whether tests are to write what they find instead of judging it.
pub(crate) fn is_update() -> bool {
    std::env::var_os("INSTA_UPDATE").is_some_and(|value| value == "always")
}
