//! What v2 documents hold, keep and refuse.

use proptest::prelude::*;

use super::*;
use crate::formats::{arbitrary, v1};

const BASE: &str = "https://registry.example.org/market/";

const LINES: &str = concat!(
    r#"{"name":"tide-table","vers":"0.3.1","deps":["#,
    r#"{"name":"m","req":"^0.2.4","features":["sin","cos"],"optional":true,"default_features":false,"target":"cfg(unix)","kind":"normal","package":"libm-lite"},"#,
    r#"{"name":"serde","req":"^1","features":[],"optional":false,"default_features":true,"target":null,"kind":"normal","registry":"sparse+https://other.example.org/"},"#,
    r#"{"name":"probe","req":"*","features":[],"optional":false,"default_features":true,"target":null,"kind":"dev"}],"#,
    r#""cksum":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","features":{"default":["std"],"std":[]},"features2":{"fast":["dep:m"]},"yanked":false,"#,
    r#""rust_version":"1.74","pubtime":"2026-11-20T09:14:03Z","v":2,"marketplace":{"schema":1,"size":18342,"description":"Harmonic \"tides\"","license":"MIT OR Apache-2.0","#,
    r#""keywords":["tides","embedded"],"kinds":["library","binary:tides"],"publisher":"harbour","trust":"signed"}}"#,
    "\n"
);

fn package() -> PackageName {
    "tide-table".parse().unwrap()
}

fn document() -> Document {
    v1::decode(&package(), LINES.as_bytes()).unwrap()
}

fn turtle() -> String {
    String::from_utf8(encode(&document(), BASE)).unwrap()
}

fn refusal(turtle: &str) -> V2Error {
    decode(&package(), turtle.as_bytes(), BASE).unwrap_err()
}

/// The example with one text replaced by another.
fn changed(from: &str, to: &str) -> String {
    let turtle = turtle();
    assert!(turtle.contains(from), "{from}");
    turtle.replacen(from, to, 1)
}

#[test]
fn the_example_reads_as_it_should() {
    insta::with_settings!({snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"), prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("v2-document", turtle());
    });
    assert_eq!(
        decode(&package(), turtle().as_bytes(), BASE),
        Ok(document())
    );
    assert_eq!(v1::encode(&document()), LINES.as_bytes());
}

#[test]
fn reads_the_same_triples_in_another_order_and_form() {
    let document = document();
    let turtle = turtle().replace(" ;\n", "\n;\t").replace("mp:", "ours:");
    assert_eq!(decode(&package(), turtle.as_bytes(), BASE), Ok(document));
}

#[test]
fn refuses_what_does_not_follow_from_the_releases() {
    let lie = V2Error::NotWhatReleasesSay(package());
    for (from, to) in [
        ("mp:rustVersionMinor 74", "mp:rustVersionMinor 56"),
        ("mp:rustVersionMinor 74 ;", ""),
        ("mp:sortKey \"a0a3a1~\"", "mp:sortKey \"b\""),
        (
            "mp:dependsOn <packages/libm-lite/#package>,",
            "mp:dependsOn ",
        ),
        (
            "<http://spdx.org/licenses/MIT>",
            "<http://spdx.org/licenses/0BSD>",
        ),
        ("mp:latest", "mp:newest"),
        ("mp:trust \"signed\"", "mp:trust \"signed\"@en"),
        ("mp:size 18342", "mp:size 018342"),
        ("mp:position 0", "mp:position 1"),
        (
            "mp:on <packages/libm-lite/#package>",
            "mp:on <packages/libm/#package>",
        ),
        ("a mp:Package,", "a mp:Package, mp:Release,"),
        (
            "mp:keywordList \"[\\\"tides\\\",\\\"embedded\\\"]\"",
            "mp:keywordList \"[\\\"tides\\\"]\"",
        ),
        ("cos\\\"]\"^^rdf:JSON", "cos\\\"] \"^^rdf:JSON"),
    ] {
        assert_eq!(refusal(&changed(from, to)), lie, "{from}");
    }
    let more = turtle() + "<https://elsewhere.example.org/> a mp:Package .";
    assert_eq!(refusal(&more), lie);
    assert_eq!(
        decode(
            &package(),
            turtle().as_bytes(),
            "https://other.example.org/"
        ),
        Err(V2Error::NoNode(
            "https://other.example.org/packages/tide-table/#package".into()
        ))
    );
}

#[test]
fn refuses_values_that_are_none() {
    for (from, to) in [
        ("mp:sha256 \"ba", "mp:sha256 \"BA"),
        ("doap:revision \"0.3.1\"", "doap:revision \"0.3\""),
        ("mp:requirement \"^1\"", "mp:requirement \"one\""),
        ("mp:kind mp:Dev", "mp:kind mp:Other"),
        ("mp:trust \"signed\"", "mp:trust \"certified\""),
        ("mp:yanked false", "mp:yanked false, true"),
        ("mp:yanked false", "mp:yanked 0"),
        ("mp:optional true ;", ""),
        (
            "<publishers/harbour/#publisher>",
            "<publishers/../harbour/#publisher>",
        ),
        ("^^xsd:dateTime", "^^xsd:dateTime, \"2027-01-01T00:00:00Z\""),
        ("mp:yanked false", "mp:commit \"HEAD\" ; mp:yanked false"),
        ("mp:features \"{", "mp:features \"{\\\"std\\\":[],"),
    ] {
        assert!(
            matches!(refusal(&changed(from, to)), V2Error::Value { .. }),
            "{from}"
        );
    }
}

#[test]
fn says_where_the_syntax_is_wrong() {
    let error = refusal(&changed("mp:schema 1", "mp:schema 1 1"));
    let V2Error::Syntax { line, column, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!((*line, *column), (11, 17));
    assert_eq!(error.fault(), V2Fault::Malformed);
    assert!(matches!(refusal("<a> <b>"), V2Error::Syntax { .. }));
    assert!(decode(&package(), b"\xff", BASE).is_err());
}

#[test]
fn a_newer_schema_is_named_as_such_whatever_else_is_new() {
    let newer = changed("mp:schema 1", "mp:schema 2").replace("mp:sha256", "mp:sha512");
    assert_eq!(refusal(&newer), V2Error::UnknownSchema("2".into()));
    assert_eq!(refusal(&newer).fault(), V2Fault::UnknownSchema);
}

#[test]
fn refuses_what_is_too_large() {
    let start = turtle();
    for text in [
        start.clone() + &"[".repeat(1 << 20),
        start.clone() + "<a> <b> " + &"(".repeat(9),
        start.clone() + "<a> <b> <" + &"c".repeat(5000) + "> .",
        format!("{start}@prefix p: <x:{}> . p:a p:b p:c .", "y".repeat(5000)),
        start.clone() + "<a> <b> \"" + &"c".repeat(9 << 20) + "\" .",
        " ".repeat(usize::try_from(MAX_DOCUMENT_BYTES).unwrap() + 1),
    ] {
        assert_eq!(refusal(&text).fault(), V2Fault::SizeLimit);
    }
    assert_eq!(
        refusal(&(start.clone() + "_:a <b> <c> .")),
        V2Error::BlankNode
    );
    assert_eq!(refusal(&(start + "<a> <b> [] .")), V2Error::BlankNode);
}

#[test]
fn foreign_lines_survive_and_cannot_speak_against_the_release() {
    let line = LINES.replacen(
        "\"yanked\":false",
        "\"yanked\":null,\"extra\":{\"b\":\"\\\"\",\"a\":1}",
        1,
    );
    let document = v1::decode(&package(), line.as_bytes()).unwrap();
    let turtle = String::from_utf8(encode(&document, BASE)).unwrap();
    assert_eq!(decode(&package(), turtle.as_bytes(), BASE), Ok(document));
    let other = turtle.replacen("\\\"extra\\\":", "\\\"cksum\\\":", 1);
    assert!(matches!(
        refusal(&other),
        V2Error::Value {
            property: "mp:foreignLine",
            ..
        }
    ));
}

#[test]
fn refuses_a_version_that_stands_twice() {
    let mut document = document();
    let mut twice = document.entries[0].clone();
    twice.release.version.build = "other".parse().unwrap();
    document.entries.push(twice);
    let bytes = encode(&document, BASE);
    assert!(matches!(
        decode(&package(), &bytes, BASE),
        Err(V2Error::DuplicateVersion { .. })
    ));
}

#[test]
fn packs_hold_documents_one_after_the_other() {
    let second = Document {
        package: "empty".parse().unwrap(),
        entries: Vec::new(),
    };
    let mut pack = encode(&document(), BASE);
    pack.extend(encode(&second, BASE));
    assert_eq!(
        decode_pack(&pack, BASE),
        Ok(vec![document(), second.clone()])
    );
    assert_eq!(decode_pack(b"", BASE), Ok(vec![]));
    pack.extend(encode(&second, BASE));
    assert_eq!(
        decode_pack(&pack, BASE),
        Err(V2Error::PackageTwice(second.package))
    );
    assert_eq!(
        decode_pack(b"# nothing\n", BASE),
        Err(V2Error::NotOnePackage)
    );
}

proptest! {
    #[test]
    fn both_formats_hold_the_same(document in arbitrary::document()) {
        let name = &document.package;
        let lines = v1::encode(&document);
        let turtle = encode(&document, BASE);
        let from_lines = v1::decode(name, &lines).unwrap();
        let from_turtle = decode(name, &turtle, BASE).unwrap();
        prop_assert_eq!(&from_lines, &document);
        prop_assert_eq!(&from_turtle, &document);
        prop_assert_eq!(triples(&document, BASE), parse(&turtle).unwrap().into_triples());
        prop_assert_eq!(encode(&from_lines, BASE), turtle);
        prop_assert_eq!(v1::encode(&from_turtle), lines);
    }

    #[test]
    fn a_difference_is_that_of_the_triples(
        document in arbitrary::document(),
        other in arbitrary::entry(),
        kept in any::<[bool; 5]>(),
        yanked in any::<[bool; 5]>(),
        turned: bool,
    ) {
        let mut before = document.clone();
        let mut after = document.clone();
        for (entry, yanked) in after.entries.iter_mut().zip(yanked) {
            entry.yanked = entry.yanked.take().filter(|_| yanked);
        }
        let mut kept = kept.into_iter().chain([true]);
        after.entries.retain(|_| kept.next().unwrap_or(true));
        if let Some(entry) = before.entries.last_mut() {
            let release = entry.release.clone();
            *entry = Entry { release, ..other };
        }
        if turned {
            std::mem::swap(&mut before, &mut after);
        }
        let all = |of: &Document| triples(of, BASE).into_iter().collect::<HashSet<_>>();
        let (first, second) = (all(&before), all(&after));
        let between = difference(Some(&before), Some(&after), BASE);
        prop_assert_eq!(&between.gone, &(&first - &second));
        prop_assert_eq!(&between.new, &(&second - &first));
        let from_nothing = difference(None, Some(&after), BASE);
        prop_assert_eq!(from_nothing, Difference { gone: HashSet::new(), new: second });
        let to_nothing = difference(Some(&before), None, BASE);
        prop_assert_eq!(to_nothing, Difference { gone: first, new: HashSet::new() });
    }

    #[test]
    fn statements_hold_the_whole_release(release in arbitrary::release()) {
        let value = v1::release_to_json(&release);
        prop_assert_eq!(v1::release_from_json(&value).unwrap(), release);
    }

    #[test]
    fn any_text_is_refused_or_says_what_its_releases_say(cut in 0..3000_usize, byte: u8) {
        let mut bytes = turtle().into_bytes();
        let place = cut.min(bytes.len() - 1);
        bytes[place] = byte;
        if let Ok(read) = decode(&package(), &bytes, BASE) {
            let again = encode(&read, BASE);
            prop_assert_eq!(decode(&package(), &again, BASE), Ok(read));
        }
    }
}
