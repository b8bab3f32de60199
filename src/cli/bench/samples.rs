//! Times and chances: percentiles of what was measured, and a schedule that does not wait for anybody.

use crate::sim::dice::Dice;
use std::time::{Duration, Instant};

/// Measured durations.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    pub fn push(&mut self, took: Duration) {
        self.0.push(took);
    }

    pub fn extend(&mut self, other: Samples) {
        self.0.extend(other.0);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The smallest sample that at least `part` (0 to 1) of them do not exceed; zero without samples.
    pub fn percentile(&self, part: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (part * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or_default()
    }

    pub fn p50(&self) -> Duration {
        self.percentile(0.50)
    }

    pub fn p99(&self) -> Duration {
        self.percentile(0.99)
    }

    pub fn max(&self) -> Duration {
        self.percentile(1.0)
    }
}

/// Milliseconds and microseconds, with what is behind the point.
pub fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

pub fn us(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6
}

/// The middle one; of an even number, between the middle two. Zero of nothing.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len();
    match n {
        0 => 0.0,
        _ => (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0,
    }
}

/// When `count` scans are due, from now on: 6 to 10 ms apart by chance. Whoever measures sends at
/// these times and never waits for the last answer, so that a stall counts for every scan it held up.
pub fn schedule(count: usize, dice: &mut Dice) -> Vec<Duration> {
    let mut at = Duration::from_millis(10);
    let next = |_| {
        at += Duration::from_micros(6_000 + dice.below(4_001));
        at
    };
    (0..count).map(next).collect()
}

/// Sleeps until `due`; returns the moment from which a sample counts: now, or, where the caller comes
/// too late because its last sample took so long, when it was due.
pub fn at(due: Instant) -> Instant {
    let now = Instant::now();
    if now > due {
        return due;
    }
    std::thread::sleep(due - now);
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(ms: &[u64]) -> Samples {
        Samples(ms.iter().map(|n| Duration::from_millis(*n)).collect())
    }

    #[test]
    fn percentiles_are_samples_that_were_there() {
        let hundred = samples(&(1..=100).rev().collect::<Vec<_>>());
        assert_eq!(hundred.p50(), Duration::from_millis(50));
        assert_eq!(hundred.p99(), Duration::from_millis(99));
        assert_eq!(hundred.max(), Duration::from_millis(100));
        assert_eq!(samples(&[7]).p99(), Duration::from_millis(7));
        assert_eq!(samples(&[]).p99(), Duration::ZERO);
    }

    #[test]
    fn the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median([]), 0.0);
    }

    #[test]
    fn a_schedule_goes_on_in_steps_of_6_to_10_ms() {
        let due = schedule(1000, &mut Dice(1));
        assert_eq!(due, schedule(1000, &mut Dice(1)));
        for pair in due.windows(2) {
            let step = (pair[1] - pair[0]).as_micros();
            assert!((6_000..=10_000).contains(&step), "{step}");
        }
    }

    #[test]
    fn who_comes_late_counts_from_when_it_was_due() {
        let due = Instant::now();
        while Instant::now() == due {}
        assert_eq!(at(due), due);
        let soon = Instant::now() + Duration::from_millis(2);
        assert!(at(soon) >= soon);
    }
}
