//! Which message goes next, and when again. PURE: time is an argument.
//!
//! Each other side (the mail server, every webhook) is a lane of its own. A message that failed waits
//! for its own time; a lane whose other side cannot be reached rests as a whole, so that a thousand
//! messages for a server that is down cost one try at a time and never hold up another lane.

use crate::domain::message::{MessageId, To};
use chrono::{DateTime, Duration, FixedOffset};
use std::collections::BTreeMap;

/// Between the first and the second try; doubles up to [`PAUSE_MAX`].
const PAUSE: i64 = 60;
const PAUSE_MAX: i64 = 3600;
/// Tries after which a message is given up and left to a person: five days of them.
pub const TRIES: u32 = 126;

/// How long to wait after the `attempt`-th try has failed; `None`: no more.
pub fn pause(attempt: u32) -> Option<Duration> {
    if attempt >= TRIES {
        return None;
    }
    // 2^6 minutes are more than an hour already.
    Some(Duration::seconds((PAUSE << attempt.saturating_sub(1).min(6)).min(PAUSE_MAX)))
}

/// One other side.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Lane {
    Mail,
    Webhook(String),
}

impl Lane {
    pub fn of(to: &To) -> Lane {
        match to {
            To::Role(_) => Lane::Mail,
            To::Webhook(name) => Lane::Webhook(name.clone()),
        }
    }
}

type Moment = DateTime<FixedOffset>;

#[derive(Clone, Debug, Default)]
struct Waiting {
    /// With the time of the next try, where one failed.
    messages: BTreeMap<MessageId, Option<Moment>>,
    rests_until: Option<Moment>,
    failures: u32,
}

/// The messages that wait, and the one that is out.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    lanes: BTreeMap<Lane, Waiting>,
    out: Option<(MessageId, Lane)>,
    /// The lane that went last: the others come first now.
    last: Option<Lane>,
}

impl Queue {
    /// A queue with these lanes. Messages for others are kept in the table and not here.
    pub fn new(lanes: impl IntoIterator<Item = Lane>) -> Queue {
        let lanes = lanes.into_iter().map(|lane| (lane, Waiting::default())).collect();
        Queue { lanes, ..Queue::default() }
    }

    /// Whether there is nobody to send to at all.
    pub fn has_no_lanes(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Forgets every message, to be told anew; keeps which lanes rest.
    pub fn clear(&mut self) {
        self.lanes.values_mut().for_each(|lane| lane.messages.clear());
        self.out = None;
    }

    pub fn push(&mut self, lane: &Lane, id: MessageId, next_try: Option<Moment>) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.messages.insert(id, next_try);
        }
    }

    /// It waits no longer: settled by a person.
    pub fn remove(&mut self, id: MessageId) {
        for lane in self.lanes.values_mut() {
            lane.messages.remove(&id);
        }
    }

    /// Marks a message as the one that is out.
    pub fn set_out(&mut self, lane: Lane, id: MessageId) {
        self.out = Some((id, lane));
    }

    pub fn out(&self) -> Option<MessageId> {
        self.out.as_ref().map(|(id, _)| *id)
    }

    /// The message that may go now: one at a time, the lanes in turn, the oldest of a lane first.
    pub fn next(&self, now: Moment) -> Option<(MessageId, Lane)> {
        if self.out.is_some() {
            return None;
        }
        let after = self.lanes.iter().filter(|(lane, _)| Some(*lane) > self.last.as_ref());
        let before = self.lanes.iter().filter(|(lane, _)| Some(*lane) <= self.last.as_ref());
        after.chain(before).filter(|(_, waiting)| is_due(waiting.rests_until, now)).find_map(|(lane, waiting)| {
            let (id, _) = waiting.messages.iter().find(|(_, next)| is_due(**next, now))?;
            Some((*id, lane.clone()))
        })
    }

    /// Takes a message off its lane: it goes out.
    pub fn start(&mut self, id: MessageId, lane: Lane) {
        if let Some(waiting) = self.lanes.get_mut(&lane) {
            waiting.messages.remove(&id);
        }
        self.last = Some(lane.clone());
        self.out = Some((id, lane));
    }

    /// The one that was out is back. `unreachable`: its lane rests for a while.
    pub fn back(&mut self, unreachable: bool, now: Moment) -> Option<Lane> {
        let (_, lane) = self.out.take()?;
        if let Some(waiting) = self.lanes.get_mut(&lane) {
            waiting.failures = if unreachable { waiting.failures.saturating_add(1).min(TRIES - 1) } else { 0 };
            waiting.rests_until = pause(waiting.failures).filter(|_| unreachable).map(|pause| now + pause);
        }
        Some(lane)
    }
}

/// A time further ahead than any pause comes from a clock that was wrong: it is not waited for.
fn is_due(next: Option<Moment>, now: Moment) -> bool {
    next.is_none_or(|next| next <= now || next > now + Duration::seconds(PAUSE_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Moment {
        DateTime::parse_from_rfc3339("2026-03-02T12:00:00+00:00").unwrap() + Duration::minutes(minutes)
    }

    fn erp() -> Lane {
        Lane::Webhook("erp".to_owned())
    }

    #[test]
    fn pauses_double_from_a_minute_to_an_hour_and_end_after_five_days() {
        let minutes: Vec<i64> = (1..=9).map(|n| pause(n).unwrap().num_minutes()).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        let days = (1..TRIES).filter_map(pause).sum::<Duration>().num_hours() as f64 / 24.0;
        assert!((4.9..5.2).contains(&days), "{days}");
        assert_eq!(pause(TRIES), None);
    }

    #[test]
    fn one_at_a_time_the_lanes_in_turn_the_oldest_first() {
        let mut q = Queue::new([Lane::Mail, erp()]);
        for id in 1..=4 {
            q.push(&Lane::Mail, id, None);
        }
        q.push(&erp(), 5, None);
        q.push(&Lane::Webhook("gone".to_owned()), 6, None);
        let mut order = Vec::new();
        while let Some((id, lane)) = q.next(at(0)) {
            q.start(id, lane);
            assert_eq!(q.next(at(0)), None, "one is out");
            q.back(false, at(0));
            order.push(id);
        }
        assert_eq!(order, [1, 5, 2, 3, 4]);
    }

    #[test]
    fn a_message_waits_for_its_time_and_holds_up_no_other() {
        let mut q = Queue::new([Lane::Mail]);
        q.push(&Lane::Mail, 1, Some(at(5)));
        q.push(&Lane::Mail, 2, None);
        assert_eq!(q.next(at(0)), Some((2, Lane::Mail)));
        q.remove(2);
        assert_eq!(q.next(at(4)), None);
        assert_eq!(q.next(at(5)), Some((1, Lane::Mail)));
        // A clock that was far ahead when the time was written.
        q.push(&Lane::Mail, 1, Some(at(60 * 24 * 365)));
        assert_eq!(q.next(at(0)), Some((1, Lane::Mail)));
    }

    /// A day with a server that answers nothing: how often is it asked, and does the other lane suffer?
    #[test]
    fn a_lane_that_is_down_for_a_day_is_asked_now_and_then() {
        let mut q = Queue::new([Lane::Mail, erp()]);
        (1..=100).for_each(|id| q.push(&Lane::Mail, id, None));
        let (mut asked, mut posted) = (0, 0);
        for minute in 0..24 * 60 {
            q.push(&erp(), 1000 + minute, None);
            while let Some((id, lane)) = q.next(at(minute)) {
                q.start(id, lane.clone());
                let down = lane == Lane::Mail;
                q.back(down, at(minute));
                if down {
                    asked += 1;
                    q.push(&lane, id, pause(1).map(|p| at(minute) + p));
                } else {
                    posted += 1;
                }
            }
        }
        assert!((28..=31).contains(&asked), "{asked}");
        assert_eq!(posted, 24 * 60);
        // It is up again: everything goes within the hour.
        let mut sent = 0;
        while let Some((id, lane)) = q.next(at(25 * 60)) {
            q.start(id, lane);
            q.back(false, at(25 * 60));
            sent += 1;
        }
        assert_eq!(sent, 100);
    }
}
