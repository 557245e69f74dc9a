use std::sync::Arc;

use super::*;

/// A stream whose content can be looked at, and which can be made to fail.
#[derive(Clone, Default)]
struct Sink {
    bytes: Arc<Mutex<Vec<u8>>>,
    failure: Option<io::ErrorKind>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.failure {
            Some(kind) => Err(kind.into()),
            None => self.bytes.lock().unwrap().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.bytes.lock().unwrap().clone()).unwrap()
    }
}

/// A shell without colours and the streams that it writes to.
fn shell(verbosity: Verbosity, format: MessageFormat, out: &Sink, err: &Sink) -> Shell {
    let options = ShellOptions {
        verbosity,
        format,
        color: ColorChoice::Never,
        progress: true,
    };
    let plain = anstream::StripStream::new(Box::new(err.clone()) as Box<dyn Write + Send>);
    Shell::with_streams(
        options,
        false,
        false,
        Box::new(out.clone()),
        Box::new(plain),
    )
}

fn harbour() -> crate::model::RegistryName {
    "harbour".parse().unwrap()
}

#[test]
fn status_lines_are_cargos() {
    let (out, err) = (Sink::default(), Sink::default());
    let shell = shell(Verbosity::Normal, MessageFormat::Human, &out, &err);
    shell.event(Event::Updating {
        registry: harbour(),
    });
    shell.event(Event::Downloading {
        name: "tide-table".parse().unwrap(),
        version: "0.3.1".parse().unwrap(),
        size: Some(18_342),
    });
    shell.status("Verifying", "x\n   Verifying all is well");
    assert_eq!(
        err.text(),
        "    Updating `harbour` index\n Downloading tide-table v0.3.1 (17.9KiB)\n   Verifying x    Verifying all is well\n"
    );
    assert_eq!(out.text(), "");
}

#[test]
fn quiet_keeps_warnings_and_the_answer() {
    let (out, err) = (Sink::default(), Sink::default());
    let shell = shell(Verbosity::Quiet, MessageFormat::Human, &out, &err);
    shell.status("Updating", "x");
    shell.note("x");
    shell.warn("careful");
    shell.line("answer");
    assert_eq!(
        (out.text(), err.text()),
        ("answer\n".into(), "warning: careful\n".into())
    );
}

#[test]
fn a_fallback_is_reported_once() {
    let (out, err) = (Sink::default(), Sink::default());
    let shell = shell(Verbosity::Normal, MessageFormat::Human, &out, &err);
    for _ in 0..2 {
        let reason = "status 404".to_owned();
        shell.event(Event::FellBack {
            registry: harbour(),
            reason,
        });
    }
    let expected = "warning[MP0501]: v2 of `harbour` is not usable (status 404), using v1\n";
    assert_eq!(err.text(), expected);
}

#[test]
fn errors_have_code_chain_note_and_help() {
    let (out, err) = (Sink::default(), Sink::default());
    let shell = shell(Verbosity::Normal, MessageFormat::Json, &out, &err);
    let mut error = CommandError::trust("MP0402", "signature on `x` does not match")
        .with_note("nothing was written")
        .with_help("ask its owner");
    error.causes.push("first\nhelp: forged".to_owned());
    shell.error(&error);
    assert_eq!(
        err.text(),
        "error[MP0402]: signature on `x` does not match\n\nCaused by:\n  first\n    help: forged\n\nnote: nothing was written\nhelp: ask its owner\n"
    );
    let json: Value = serde_json::from_str(&out.text()).unwrap();
    assert_eq!(
        (&json["reason"], &json["schema"]),
        (&"error".into(), &1.into())
    );
    assert_eq!(json["code"], "MP0402");
}

#[test]
fn a_closed_pipe_is_no_failure_and_a_full_disk_is_one() {
    for (kind, fails) in [
        (io::ErrorKind::BrokenPipe, false),
        (io::ErrorKind::StorageFull, true),
    ] {
        let out = Sink {
            failure: Some(kind),
            ..Sink::default()
        };
        let err = out.clone();
        let shell = shell(Verbosity::Normal, MessageFormat::Human, &out, &err);
        shell.line("x");
        shell.status("Updating", "x");
        assert_eq!(shell.finish().is_err(), fails, "{kind}");
    }
}

#[test]
fn sizes_and_ages_are_short() {
    assert_eq!(
        [0, 1_023, 18_342, 5 << 20].map(bytes),
        ["0B", "1023B", "17.9KiB", "5.0MiB"]
    );
    assert_eq!(
        [0, 119, 3_600, 10_800, 999_999].map(age),
        ["0 s", "119 s", "60 min", "3 h", "11 days"]
    );
}
