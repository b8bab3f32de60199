//! What goes wrong in one schedule, and when: drawn from its seed before it begins.

use backdock::sim::dice::Dice;
use backdock::sim::engine::Options;
use backdock::sim::fault::{Fault, Kind, Trouble};
use std::time::Duration;

/// Moments of the queue's work at which something may strike, beside plain times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// A batch is durable; the labels that may leave have not been handed on.
    Committed,
    /// The labels lie in the printer thread's mailbox.
    Handed,
    /// A part of a label's bytes is in the kernel.
    Writing,
    /// All its bytes are; nobody has been told.
    Wrote,
    /// The printer said something that the core has not written down.
    Told,
    /// A piece of a label's bytes reached the printer.
    Arrived,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum When {
    /// Milliseconds since the start.
    At(u64),
    /// The so-many-th time, from 1.
    Nth(Moment, u64),
}

/// What happens. Times are in milliseconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Act {
    /// kill -9 of the daemon, and a new start after a while.
    Kill(u64),
    /// The daemon is stopped in order and started again.
    Restart,
    /// The connection is reset, by the printer or on the way.
    Reset,
    /// The cable is out: nothing passes either way, and nobody is told.
    Cut(u64),
    /// The printer is switched off and on.
    Power(u64),
    /// Something at the printer.
    Trouble(Trouble, u64),
    /// Another printer is put at the address; its count.
    Swap(u64),
    /// The first printer is put back.
    SwapBack,
    /// The lifetime count is set back to this.
    Rewind(u64),
    /// The station's disk is full.
    Full(u64),
    /// One more unit is scanned.
    Scan,
    /// Another host prints a label of its own.
    Foreign,
    /// Somebody settles what is in doubt, if the printers rest.
    Look,
}

#[derive(Clone, Debug)]
pub struct Plan {
    /// Labels queued at the start.
    pub jobs: usize,
    pub options: Options,
    pub acts: Vec<(When, Act)>,
    /// Bytes that the kernel takes before a write blocks.
    pub kernel: usize,
    /// Bytes that pass the cable at a time, and what that takes.
    pub piece: usize,
    pub latency: u64,
    /// What the kernel has of a closed connection still arrives; otherwise closing throws it away. The
    /// first never together with [`Act::Cut`]: a link must not deliver a label minutes after it gave up.
    pub lingers: bool,
    /// Between its answers the printer says other things, in some language.
    pub chatty: bool,
    /// The count will say more than came of the queue's labels.
    pub overcounts: bool,
    /// From then on nothing goes wrong any more.
    pub calm: u64,
}

const LASTS: u64 = 20_000;

impl Plan {
    /// Nothing goes wrong.
    pub fn healthy(jobs: usize) -> Plan {
        Plan {
            jobs,
            options: Options { label_time: Duration::from_millis(20), ..Options::default() },
            acts: Vec::new(),
            kernel: 4096,
            piece: 4096,
            latency: 0,
            lingers: true,
            chatty: false,
            overcounts: false,
            calm: 0,
        }
    }

    pub fn draw(dice: &mut Dice) -> Plan {
        let jobs = 1 + dice.below(super::station::QUEUED_MAX as u64) as usize;
        let odometer = dice.pick(&[0, 1, 3, 1_000, 99_999]);
        // A count that says too much while a label is lost comes out even in the printer's own books;
        // nobody can see that from outside. So where it does, nothing is lost.
        let lie = dice.one_in(8).then(|| dice.below(3));
        let gentle = lie.is_some();
        let cuts = !gentle && dice.one_in(3);
        let kinds: Vec<Kind> = Kind::all().filter(|kind| may_strike(*kind, gentle)).collect();
        let mut faults: Vec<Fault> = (0..dice.below(4))
            .map(|_| {
                let kind = dice.pick(&kinds);
                fault(kind, 1 + dice.below(jobs as u64 + 1), dice)
            })
            .collect();
        let mut acts: Vec<(When, Act)> = (0..dice.below(5)).map(|_| (when(dice), act(dice, gentle, cuts))).collect();
        match lie {
            Some(0) => faults.push(fault(Kind::Extra, 1 + dice.below(jobs as u64), dice)),
            Some(1) => {
                // Nobody loads paper faster.
                let lasts = Some(Duration::from_millis(3_000 + dice.below(9_000)));
                faults.push(Fault { kind: Kind::Reprint, label: 1 + dice.below(jobs as u64), lasts });
            }
            Some(_) => acts.push((when(dice), Act::Foreign)),
            None if dice.one_in(10) => acts.push((when(dice), Act::Rewind(dice.below(odometer + 1)))),
            None if dice.one_in(10) => {
                // Its count may happen to be just what the first one's should become.
                acts.push((when(dice), Act::Swap(odometer + dice.below(4))));
                if dice.one_in(2) {
                    acts.push((when(dice), Act::SwapBack));
                }
            }
            None => {}
        }
        // A start does not know what the printer went through. That it tells its count late besides, and
        // has just printed a label again or forgotten its count, is more than can be seen.
        let starts = acts.iter().any(|(_, act)| matches!(act, Act::Kill(_) | Act::Restart));
        let moves = lie == Some(1) || acts.iter().any(|(_, act)| matches!(act, Act::Rewind(_)));
        let late = dice.pick(&[0, 0, 40, 1_000]);
        let options = Options {
            faults,
            odometer,
            label_time: Duration::from_millis(dice.pick(&[0, 20, 250, 900])),
            settle: Duration::from_millis(if moves && starts { 0 } else { late }),
            silent_in_error: dice.one_in(2),
            // One label or two, or any number.
            receive_buffer: dice.pick(&[1_200, 4_096, 1 << 20]),
            ..Options::default()
        };
        Plan {
            jobs,
            options,
            acts,
            kernel: dice.pick(&[30, 400, 4_096, 65_536]),
            piece: dice.pick(&[9, 64, 512, 8_192]),
            latency: dice.pick(&[0, 0, 1, 5]),
            lingers: gentle || (!cuts && dice.one_in(2)),
            chatty: dice.one_in(6),
            overcounts: gentle,
            calm: 2_000 + dice.below(LASTS),
        }
    }
}

/// Whether a fault of the printer may be in a schedule; `gentle`: only if it loses no label.
fn may_strike(kind: Kind, gentle: bool) -> bool {
    match kind {
        Kind::Extra | Kind::Reprint => false,
        Kind::Reset | Kind::Swap | Kind::LostLabel => !gentle,
        Kind::Begin(Trouble::PowerOff | Trouble::Refuse) => !gentle,
        Kind::Begin(_) | Kind::PaperOutMid => true,
    }
}

fn fault(kind: Kind, label: u64, dice: &mut Dice) -> Fault {
    let lasts = Duration::from_millis(dice.pick(&[50, 900, 5_000, LASTS]) + dice.below(1_000));
    Fault { kind, label, lasts: kind.lasts().then_some(lasts) }
}

fn when(dice: &mut Dice) -> When {
    use Moment::*;
    match dice.below(3) {
        0 => When::At(dice.below(9_000)),
        1 => When::At(dice.below(600)),
        _ => {
            let moment = dice.pick(&[Committed, Handed, Writing, Wrote, Told, Arrived]);
            When::Nth(moment, 1 + dice.below(if moment == Told { 12 } else { 8 }))
        }
    }
}

fn act(dice: &mut Dice, gentle: bool, cuts: bool) -> Act {
    let lasts = dice.pick(&[20, 800, 4_000, 12_000]) + dice.below(2_000);
    match dice.below(if gentle { 8 } else { 15 }) {
        0 | 1 => Act::Kill(dice.pick(&[0, 0, 300, 4_000])),
        2 => {
            let hand = [Trouble::PaperOut, Trouble::HeadOpen, Trouble::Paused, Trouble::OverTemperature];
            Act::Trouble(dice.pick(&hand), lasts)
        }
        3 => Act::Trouble(dice.pick(&[Trouble::Silent, Trouble::Half, Trouble::Garbage]), lasts),
        4 => Act::Trouble(Trouble::NeverRead, lasts),
        5 => Act::Full(lasts),
        6 => Act::Scan,
        7 => Act::Look,
        8 => Act::Restart,
        9 | 10 => Act::Reset,
        11 | 12 if cuts => Act::Cut(lasts),
        11 => Act::Trouble(Trouble::Refuse, lasts),
        _ => Act::Power(lasts),
    }
}
