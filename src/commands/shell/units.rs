//! Amounts as people read them.

/// A span of time in its largest unit: `40 s`, `3 h`.
#[must_use]
pub fn age(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A size as cargo writes it: `17.9KiB`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
pub fn bytes(count: u64) -> String {
    match count {
        ..1_024 => format!("{count}B"),
        1_024..1_048_576 => format!("{:.1}KiB", count as f64 / 1_024.0),
        1_048_576..1_073_741_824 => format!("{:.1}MiB", count as f64 / 1_048_576.0),
        _ => format!("{:.1}GiB", count as f64 / 1_073_741_824.0),
    }
}

/// A number of things: `1 release`, `2 releases`.
#[must_use]
pub fn count(number: usize, thing: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{end}")
}
