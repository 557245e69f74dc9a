//! Harmonic tide prediction: the water level is a sum of cosines whose speeds are astronomy's and
//! whose heights and phases belong to a harbour.

/// One harmonic constituent at one harbour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constituent {
    /// Degrees per hour.
    pub speed: f64,
    /// Metres.
    pub amplitude: f64,
    /// Degrees at hour 0.
    pub phase: f64,
}

/// A harbour of this sample: a name, and made-up constituents of plausible size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Harbour {
    /// What the harbour is called.
    pub name: &'static str,
    /// Mean water level in metres.
    pub mean: f64,
    /// M2 and S2, the two that matter most.
    pub constituents: [Constituent; 2],
}

/// The harbours that the sample knows.
pub const HARBOURS: [Harbour; 2] = [
    Harbour {
        name: "north-pier",
        mean: 2.0,
        constituents: [
            Constituent { speed: 28.984_104, amplitude: 1.4, phase: 40.0 },
            Constituent { speed: 30.0, amplitude: 0.4, phase: 75.0 },
        ],
    },
    Harbour {
        name: "south-quay",
        mean: 3.1,
        constituents: [
            Constituent { speed: 28.984_104, amplitude: 2.2, phase: 110.0 },
            Constituent { speed: 30.0, amplitude: 0.7, phase: 150.0 },
        ],
    },
];

impl Harbour {
    /// Returns the water level in metres, `hour` hours after the epoch of the constituents.
    #[must_use]
    pub fn level(&self, hour: f64) -> f64 {
        let part = |c: &Constituent| c.amplitude * (c.speed * hour - c.phase).to_radians().cos();
        self.mean + self.constituents.iter().map(part).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_stays_between_the_extremes_of_its_constituents() {
        for harbour in HARBOURS {
            let reach: f64 = harbour.constituents.iter().map(|c| c.amplitude).sum();
            for hour in 0..1000 {
                let level = harbour.level(f64::from(hour) / 4.0);
                assert!((level - harbour.mean).abs() <= reach);
            }
        }
    }
}
