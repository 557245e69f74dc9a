//! Templates out of archives that real cargo packaged.

use super::*;
use crate::install::Source as _;
use crate::install::testing::World;

fn template(files: &[(&str, &str)]) -> Result<(World, Template), TemplateError> {
    let world = World::new();
    let files: Vec<_> = files.iter().copied().chain([("src/lib.rs", "")]).collect();
    let entry = world.publish("sensor-template", "2.0.0", "", &files);
    let archive = world.shelf.archive(&entry).unwrap();
    Template::open(archive).map(|template| (world, template))
}

fn render(
    template: &Template,
    target: &Path,
    values: &[(&str, &str)],
) -> Result<usize, TemplateError> {
    let values = values.iter().map(|(k, v)| ((*k).into(), (*v).into()));
    template.render(RenderRequest {
        target,
        name: None,
        author: Some("the harbour office"),
        values: &values.collect(),
    })
}

const BOARD: (&str, &str) = (
    "template.toml",
    "[[key]]\nname = \"board\"\ndefault = \"rp2040\"\n",
);

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn makes_a_project_that_cargo_builds() {
    let (world, template) = template(&[
        BOARD,
        (
            "template/Cargo.toml.liquid",
            "[package]\nname = \"{{ name }}\"\nauthors = [\"{{ author }}\"]\nedition = \"2024\"\n",
        ),
        (
            "template/src/main.rs",
            "fn main() { println!(\"{}\", {{ crate_name }}::BOARD); }\n",
        ),
        (
            "template/src/lib.rs",
            "pub const BOARD: &str = \"{{ board | upper }}\";\n",
        ),
        ("template/README-{{name}}.md", "# {{ name }}\n"),
    ])
    .unwrap();
    let target = world.root().join("new/tide-buoy");
    assert_eq!(
        render(&template, &target, &[("board", "esp32")]).unwrap(),
        4
    );
    let readme = fs::read_to_string(target.join("README-tide-buoy.md"));
    assert_eq!(readme.unwrap(), "# tide-buoy\n");
    let output = world.raw_cargo(&target, &["run", "-q"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ESP32\n");
    assert_eq!(names(&world.root().join("new")), ["tide-buoy"]);
}

#[test]
fn binary_files_stay_as_they_are() {
    let world = World::new();
    let folder = world.package(
        "source",
        ("sensor-template", "2.0.0"),
        "",
        &[("src/lib.rs", ""), ("template/a.txt", "x")],
    );
    let bytes = b"\xff\xfe{{ name }}\0";
    fs::write(folder.join("template/a.bin"), bytes).unwrap();
    let entry = world.publish_folder(&folder, "sensor-template", "2.0.0");
    let template = Template::open(world.shelf.archive(&entry).unwrap()).unwrap();
    let target = world.root().join("buoy");
    render(&template, &target, &[]).unwrap();
    assert_eq!(fs::read(target.join("a.bin")).unwrap(), bytes);
}

#[test]
fn leaves_nothing_behind_on_failure() {
    let (world, template) = template(&[
        BOARD,
        ("template/a.txt", "{{ name }}"),
        ("template/z.txt", "{{ colour }}"),
    ])
    .unwrap();
    let folder = world.root().join("work");
    fs::create_dir_all(folder.join("taken")).unwrap();
    fs::write(folder.join("taken/file"), "mine").unwrap();
    fs::create_dir_all(folder.join("empty")).unwrap();
    let error = render(&template, &folder.join("empty"), &[]).unwrap_err();
    assert!(matches!(
        &error,
        TemplateError::Fill { path, source: FillError::Undefined(key) }
            if path == "template/z.txt" && key == "colour"
    ));
    for (target, values) in [
        ("taken", &[][..]),
        ("taken/file", &[]),
        ("0bad", &[]),
        ("buoy", &[("colour", "red")]),
        ("deep/er/buoy", &[]),
    ] {
        assert!(render(&template, &folder.join(target), values).is_err());
        assert_eq!(names(&folder), ["empty", "taken"]);
        assert_eq!(names(&folder.join("taken")), ["file"]);
    }
}

#[test]
fn takes_an_empty_folder() {
    let (world, template) = template(&[("template/a.txt", "{{ name }}")]).unwrap();
    let target = world.root().join("buoy");
    fs::create_dir(&target).unwrap();
    render(&template, &target, &[]).unwrap();
    assert_eq!(fs::read_to_string(target.join("a.txt")).unwrap(), "buoy");
}

#[test]
fn no_value_leads_out_of_the_project() {
    let (world, template) = template(&[BOARD, ("template/src/{{board}}.rs", "")]).unwrap();
    let target = world.root().join("buoy");
    for bad in ["../../x", "..", "a/b", "a\\b", "", "CON", "/x", "a:b"] {
        let error = render(&template, &target, &[("board", bad)]);
        let is_refused = matches!(error, Err(TemplateError::Path { .. }));
        // An empty value and `..` leave a harmless file name before `.rs`.
        let is_harmless = bad.is_empty() || bad == "..";
        assert!(is_refused || is_harmless, "{bad}: {error:?}");
        let _ = fs::remove_dir_all(&target);
    }
    assert!(!world.root().join("x.rs").exists());
}

#[test]
fn two_names_may_not_become_one() {
    let (world, template) = template(&[
        BOARD,
        ("template/{{board}}.rs", "1"),
        ("template/main.rs", "2"),
    ])
    .unwrap();
    let error = render(&template, &world.root().join("buoy"), &[("board", "MAIN")]);
    assert!(matches!(error, Err(TemplateError::Path { .. })));
}

#[test]
fn a_package_without_a_template_folder_is_none() {
    let error = template(&[]).err().unwrap();
    assert_eq!(
        error.to_string(),
        "`sensor-template` is not a template: it has no folder `template/`"
    );
}

#[test]
fn a_template_brings_no_repository_whose_settings_run_programs() {
    let settings = (
        "template/{{board}}/config",
        "[core]\nfsmonitor = \"sh x\"\n",
    );
    let (world, template) = template(&[BOARD, settings]).unwrap();
    let target = world.root().join("new/tide-buoy");
    for folder in [".git", ".GIT", ".g\u{200c}it", "git~1", ".hg"] {
        let error = render(&template, &target, &[("board", folder)]).unwrap_err();
        assert!(
            matches!(error, TemplateError::Path { .. }),
            "{folder}: {error}"
        );
        assert!(!target.exists());
    }
    assert_eq!(
        render(&template, &target, &[("board", ".github")]).unwrap(),
        1
    );
}
