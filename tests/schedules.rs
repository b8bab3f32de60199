//! The proof of the queue: ten thousand fault schedules over the real core with its real database and
//! the real dialogue, against virtual printers, with time as an argument.
//!
//! A schedule is drawn from its seed ([`plan`]): what the printer does wrong, what happens to the cable,
//! when the daemon is killed (kill -9: everything that is not committed is gone), when the disk is full.
//! When all is mended and every label has come to rest, an operator settles what is in doubt by what
//! really lies there, by word or by scanning it; then ([`judge`]):
//! - labels that came out = labels recorded as printed, those an operator said so of included;
//! - none is lost, none came twice unless the printer itself did that and the journal says so;
//! - nothing hangs, the order was kept, no paper holds anything else, and the journal verifies.
//!
//! What is not asked: a printer that counts a label too much while another one is lost. Its books are
//! even then, and nobody outside can tell; so a schedule has the one or the other.
//!
//! A failure names its seed and tells what happened step by step;
//! `SEED=n cargo nextest run --test schedules --no-capture` plays and tells any one, `FROM=n` plays the
//! ten thousand from n on.

#[path = "schedules/cable.rs"]
mod cable;
#[path = "schedules/judge.rs"]
mod judge;
#[path = "schedules/link.rs"]
mod link;
#[path = "schedules/plan.rs"]
mod plan;
#[path = "schedules/station.rs"]
mod station;
#[path = "schedules/world.rs"]
mod world;

use backdock::sim::dice::Dice;
use backdock::sim::engine::Options;
use link::Queue;
use plan::{Act, Moment, Plan, When};
use station::{Bench, copy, scan, unit};
use std::ops::Range;
use std::time::Duration;
use world::World;

/// Schedules played by the tests together.
const SCHEDULES: u64 = 10_000;
/// Journals are verified in every schedule whose seed this divides.
const VERIFIED: u64 = 20;

/// Plays one schedule.
fn play<'b>(bench: &'b Bench, seed: u64, queue: Queue, told: bool) -> (World<'b>, Result<(), String>) {
    let mut dice = Dice(seed);
    let plan = Plan::draw(&mut dice);
    let mut world = World::new(bench, plan, dice, queue, told);
    let done = world.play().and_then(|()| if seed.is_multiple_of(VERIFIED) { judge::verified(&world) } else { Ok(()) });
    (world, done)
}

fn schedules(seeds: Range<u64>) {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a whole number"));
    let only = number("SEED");
    let seeds = match only {
        // One of the tests plays it, whichever it would belong to.
        Some(seed) if seeds.contains(&(seed % SCHEDULES)) => seed..seed + 1,
        Some(_) => return,
        None => {
            let from = number("FROM").unwrap_or(0);
            from + seeds.start..from + seeds.end
        }
    };
    let bench = Bench::new();
    for seed in seeds {
        let failed = play(&bench, seed, Queue::Honest, false).1.is_err();
        if failed || only.is_some() {
            let (world, done) = play(&bench, seed, Queue::Honest, true);
            println!("{}", world.told.as_deref().unwrap_or_default());
            if let Err(why) = done {
                panic!("seed {seed}: {why}\nSEED={seed} cargo nextest run --test schedules tells it step by step");
            }
        }
    }
}

/// Several tests, so that they run side by side.
macro_rules! schedules {
    ($($name:ident $from:literal)*) => { $(#[test] fn $name() { schedules($from..$from + 1_000); })* };
}

schedules! {
    seeds_0 0  seeds_1 1_000  seeds_2 2_000  seeds_3 3_000  seeds_4 4_000
    seeds_5 5_000  seeds_6 6_000  seeds_7 7_000  seeds_8 8_000  seeds_9 9_000
}

/// How many of these schedules a queue fails, and the first reasons.
fn caught(queue: Queue, seeds: Range<u64>) -> Vec<String> {
    let bench = Bench::new();
    seeds.filter_map(|seed| play(&bench, seed, queue, false).1.err()).collect()
}

#[test]
fn a_queue_that_sends_again_after_a_write_error_is_caught() {
    let why = caught(Queue::Resends, 0..600);
    assert!(why.iter().any(|w| w.contains("is printed and came out 2 times")), "no label came twice: {why:#?}");
}

#[test]
fn a_queue_that_believes_its_own_writing_is_caught() {
    let why = caught(Queue::Believes, 0..300);
    assert!(why.iter().any(|w| w.contains("is printed and came out 0 times")), "no label was lost: {why:#?}");
}

/// Plays a plan that a test wrote itself; its world at the end.
fn played(bench: &Bench, plan: Plan) -> World<'_> {
    let mut world = World::new(bench, plan, Dice(1), Queue::Honest, true);
    let done = world.play().and_then(|()| judge::verified(&world));
    done.unwrap_or_else(|why| panic!("{}\n{why}", world.told.as_deref().unwrap_or_default()));
    world
}

fn states(world: &World) -> Vec<&'static str> {
    world.jobs().expect("the jobs").iter().map(|job| job.state.word()).collect()
}

#[test]
fn a_count_that_goes_backwards_proves_nothing_and_stops_nothing() {
    let bench = Bench::new();
    for at in [1, 7, 12, 20] {
        let acts = vec![(When::Nth(Moment::Arrived, at), Act::Rewind(3))];
        let world = played(&bench, Plan { acts, calm: 5_000, piece: 64, ..Plan::healthy(4) });
        let doubts = world.told.as_deref().unwrap_or_default().matches("the printer's count went back from").count();
        assert!(doubts <= 1, "one group at most is unproved");
        assert_eq!(states(&world), ["printed"; 4]);
        assert_eq!(judge::came(&world).len(), 4);
    }
}

#[test]
fn a_printer_that_talks_in_between_is_understood() {
    let bench = Bench::new();
    for seed in 0..40 {
        let mut world = World::new(&bench, Plan { chatty: true, ..Plan::healthy(6) }, Dice(seed), Queue::Honest, true);
        let done = world.play();
        let told = world.told.as_deref().unwrap_or_default();
        assert_eq!(done, Ok(()), "seed {seed}\n{told}");
        assert!(!told.contains("InDoubt"), "seed {seed}: nothing was wrong with it\n{told}");
    }
}

#[test]
fn a_disk_that_is_full_in_the_middle_of_a_job() {
    let bench = Bench::new();
    for moment in [Moment::Committed, Moment::Writing, Moment::Wrote, Moment::Told] {
        for nth in 1..6 {
            let full = (When::Nth(moment, nth), Act::Full(4_000));
            let kill = (When::At(2_000), Act::Kill(0));
            for acts in [vec![full], vec![full, kill]] {
                let world = played(&bench, Plan { acts, kernel: 400, calm: 6_000, ..Plan::healthy(4) });
                assert_eq!(states(&world), ["printed"; 4], "{moment:?} {nth}");
            }
        }
    }
}

/// The queue holds numbers, not labels: ten thousand of them wait in the database.
#[test]
fn ten_thousand_jobs_wait_for_a_printer_that_is_off() {
    const UNITS: usize = 200;
    const JOBS: usize = 10_000;
    let bench = Bench::with(UNITS, 0);
    let options = Options { label_time: Duration::ZERO, ..Options::default() };
    let acts = vec![(When::At(0), Act::Power(3_000))];
    let mut world =
        World::new(&bench, Plan { acts, calm: 4_000, options, ..Plan::healthy(0) }, Dice(1), Queue::Honest, false);
    world.run_until(1_000).expect("it waits");
    let before = resident();
    world.owe((0..JOBS).map(|n| if n < UNITS { scan(&unit(n + 1)) } else { copy(&unit(n % UNITS + 1)) }));
    let grown = resident().saturating_sub(before);
    assert!(grown < 16 << 20, "{JOBS} labels that wait take {grown} bytes of memory");
    let done = world.play().and_then(|()| judge::verified(&world));
    assert_eq!(done, Ok(()));
    assert_eq!(states(&world), vec!["printed"; JOBS]);
}

/// Bytes of memory that this process holds.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("proc");
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).expect("the resident size");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") << 10
}
