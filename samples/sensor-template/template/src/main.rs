//! {{ name }}: prints the water level beside what a sensor on the {{ board }} measures.

use std::io::{Write as _, stdout};

fn main() {
    let harbour = tide_table::HARBOURS[0];
    // A reader that has seen enough is no failure.
    let _ = writeln!(stdout(), "{}: {:.2} m on a {{ board }}", harbour.name, harbour.level(0.0));
}
