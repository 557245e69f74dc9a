//! Paths that would leave the folder, hide, collide, or mean something else on another system.

use tar::EntryType;

use super::fixture::{Tar, assert_refused};

#[track_caller]
fn assert_path_refused(path: &str, reason: &str) {
    assert_refused(&Tar::new().file(path, b"x").pack(), reason);
}

#[test]
fn refuses_an_absolute_path() {
    assert_path_refused(
        "/etc/passwd",
        "`/etc/passwd` in the archive is an absolute path",
    );
}

#[test]
fn refuses_dot_dot() {
    assert_path_refused(
        "buoy-1.0.0/../../up",
        "`buoy-1.0.0/../../up` in the archive has a `.` or `..` part",
    );
}

#[test]
fn refuses_a_single_dot() {
    assert_path_refused(
        "./buoy-1.0.0/here",
        "`./buoy-1.0.0/here` in the archive has a `.` or `..` part",
    );
}

#[test]
fn refuses_an_empty_part() {
    assert_path_refused(
        "buoy-1.0.0//x",
        "`buoy-1.0.0//x` in the archive has an empty part",
    );
}

#[test]
fn refuses_a_file_with_a_slash_at_its_end() {
    assert_path_refused(
        "buoy-1.0.0/x/",
        "`buoy-1.0.0/x/` in the archive has an empty part",
    );
}

#[test]
fn refuses_a_path_without_bytes() {
    assert_path_refused("", "`` in the archive has an empty part");
}

#[test]
fn refuses_another_folder() {
    assert_path_refused(
        "boat-1.0.0/x",
        "`boat-1.0.0/x` in the archive is outside of the package's folder",
    );
}

#[test]
fn refuses_a_file_beside_the_folder() {
    assert_path_refused("x", "`x` in the archive is outside of the package's folder");
}

#[test]
fn refuses_a_file_in_place_of_the_folder() {
    assert_path_refused(
        "buoy-1.0.0",
        "`buoy-1.0.0` in the archive is outside of the package's folder",
    );
}

#[test]
fn refuses_a_backslash() {
    assert_path_refused(
        r"buoy-1.0.0/a\..\..\b",
        r"`buoy-1.0.0/a\\..\\..\\b` in the archive has the character '\\', which is not allowed in names",
    );
}

#[test]
fn refuses_a_drive_letter() {
    assert_path_refused(
        "C:/x",
        "`C:/x` in the archive has the character ':', which is not allowed in names",
    );
}

#[test]
fn refuses_an_alternate_stream() {
    assert_path_refused(
        "buoy-1.0.0/x.rs:hidden",
        "`buoy-1.0.0/x.rs:hidden` in the archive has the character ':', which is not allowed in names",
    );
}

#[test]
fn refuses_control_characters() {
    assert_path_refused(
        "buoy-1.0.0/a\u{1b}[2J",
        "`buoy-1.0.0/a\\u{1b}[2J` in the archive has the character '\\u{1b}', which is not allowed in names",
    );
}

#[test]
fn refuses_names_that_turn_the_direction_of_text() {
    assert_path_refused(
        "buoy-1.0.0/\u{202e}sr.bil",
        "`buoy-1.0.0/\\u{202e}sr.bil` in the archive has the character '\\u{202e}', which is not allowed in names",
    );
}

#[test]
fn refuses_what_is_not_utf_8() {
    let tar = Tar::new().entry(b"buoy-1.0.0/\xff", EntryType::Regular, 0o644, b"x");
    assert_refused(
        &tar.pack(),
        "`buoy-1.0.0/\u{fffd}` in the archive is not UTF-8",
    );
}

#[test]
fn refuses_a_dot_at_the_end() {
    assert_path_refused(
        "buoy-1.0.0/src./x",
        "`buoy-1.0.0/src./x` in the archive has a part that ends in a dot or a space",
    );
}

#[test]
fn refuses_a_space_at_the_end() {
    assert_path_refused(
        "buoy-1.0.0/lib.rs ",
        "`buoy-1.0.0/lib.rs ` in the archive has a part that ends in a dot or a space",
    );
}

#[test]
fn refuses_device_names() {
    assert_path_refused(
        "buoy-1.0.0/src/Aux.rs",
        "`buoy-1.0.0/src/Aux.rs` in the archive has a part that Windows reserves for a device",
    );
}

#[test]
fn refuses_cargos_own_mark() {
    for path in [
        "buoy-1.0.0/.cargo-ok",
        "buoy-1.0.0/.Cargo-OK",
        "buoy-1.0.0/.cargo-ok/x",
    ] {
        let reason = format!("`{path}` in the archive is a mark that only cargo may write");
        assert_path_refused(path, &reason);
    }
}

#[test]
fn refuses_a_part_that_is_too_long() {
    let path = format!("buoy-1.0.0/{}", "x".repeat(256));
    let reason = format!("`{}` in the archive is too long", &path[..120]);
    assert_refused(&Tar::new().long_file(&path, b"x").pack(), &reason);
}

#[test]
fn refuses_a_path_that_is_too_long() {
    let path = format!("buoy-1.0.0{}", "/folder".repeat(72));
    let reason = format!("`{}` in the archive is too long", &path[..120]);
    assert_refused(&Tar::new().long_file(&path, b"x").pack(), &reason);
}

#[test]
fn refuses_folders_nested_too_deep() {
    let path = format!("buoy-1.0.0{}", "/d".repeat(64));
    let reason = format!("`{}` in the archive is too long", &path[..120]);
    assert_refused(&Tar::new().long_file(&path, b"x").pack(), &reason);
}

#[test]
fn refuses_the_same_file_twice() {
    assert_path_refused(
        "buoy-1.0.0/Cargo.toml",
        "`buoy-1.0.0/Cargo.toml` is in the archive twice",
    );
}

#[test]
fn refuses_files_that_differ_only_in_case() {
    assert_path_refused(
        "buoy-1.0.0/cargo.TOML",
        "`buoy-1.0.0/Cargo.toml` and `buoy-1.0.0/cargo.TOML` in the archive differ only in case",
    );
}

#[test]
fn refuses_folders_that_differ_only_in_case() {
    let tar = Tar::new()
        .file("buoy-1.0.0/Ärger/a", b"")
        .file("buoy-1.0.0/ärger/b", b"");
    assert_refused(
        &tar.pack(),
        "`buoy-1.0.0/Ärger` and `buoy-1.0.0/ärger` in the archive differ only in case",
    );
}

#[test]
fn refuses_a_file_that_a_later_path_needs_as_a_folder() {
    assert_path_refused(
        "buoy-1.0.0/Cargo.toml/x",
        "`buoy-1.0.0/Cargo.toml` in the archive is both a file and a folder",
    );
}

#[test]
fn refuses_a_file_in_place_of_a_folder() {
    let tar = Tar::new()
        .file("buoy-1.0.0/src/lib.rs", b"")
        .file("buoy-1.0.0/src", b"");
    assert_refused(
        &tar.pack(),
        "`buoy-1.0.0/src` in the archive is both a file and a folder",
    );
}
