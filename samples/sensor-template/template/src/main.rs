//! {{ name }}: prints the water level beside what a sensor on the {{ board }} measures.

fn main() {
    let harbour = tide_table::HARBOURS[0];
    println!("{}: {:.2} m on a {{ board }}", harbour.name, harbour.level(0.0));
}
