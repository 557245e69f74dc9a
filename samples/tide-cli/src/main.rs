//! `tide-cli [HARBOUR]`: the water level of the next 12 hours.

use std::io::{self, Write as _};

use tide_table::{HARBOURS, Harbour};

fn main() {
    let name = std::env::args().nth(1).unwrap_or_else(|| HARBOURS[0].name.to_owned());
    let Some(harbour) = HARBOURS.iter().find(|harbour| harbour.name == name) else {
        eprintln!("error: no harbour `{name}`{}", suggestion(&name));
        std::process::exit(1);
    };
    // A reader that has seen enough, as `head`, is no failure.
    let _ = print(harbour);
}

fn print(harbour: &Harbour) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{} (metres)", harbour.name)?;
    for hour in (0..=12).step_by(3) {
        writeln!(out, "{hour:>5} h  {:.2}", harbour.level(f64::from(hour)))?;
    }
    Ok(())
}

#[cfg(feature = "suggest")]
fn suggestion(name: &str) -> String {
    let near = HARBOURS.iter().find(|harbour| strsim::damerau_levenshtein(harbour.name, name) <= 2);
    near.map(|harbour| format!("; did you mean `{}`?", harbour.name)).unwrap_or_default()
}

#[cfg(not(feature = "suggest"))]
fn suggestion(_name: &str) -> &'static str {
    ""
}
