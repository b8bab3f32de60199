//! Anything at all, in any order: the promises that hold whatever is done to the printer.

use std::collections::BTreeSet;

use super::super::super::fault::Kind;
use super::*;
use proptest::prelude::*;

/// One thing done to the printer.
#[derive(Clone, Debug)]
enum Act {
    Bytes(Conn, Vec<u8>),
    Label(Conn),
    Question(Conn),
    Wait(u64),
    Control(Control),
    Hangup(Conn),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let conn = 1u64..4;
    let control = prop_oneof![
        prop::sample::select(Trouble::ALL.to_vec()).prop_map(Control::Begin),
        prop::sample::select(Trouble::ALL.to_vec()).prop_map(Control::End),
        Just(Control::EndAll),
    ];
    let act = prop_oneof![
        (conn.clone(), proptest::collection::vec(any::<u8>(), 0..40)).prop_map(|(c, b)| Act::Bytes(c, b)),
        conn.clone().prop_map(Act::Label),
        conn.clone().prop_map(Act::Question),
        (0u64..500).prop_map(Act::Wait),
        control.prop_map(Act::Control),
        conn.prop_map(Act::Hangup),
    ];
    proptest::collection::vec(act, 0..60)
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let kinds: Vec<_> = Kind::all().collect();
    let fault = (prop::sample::select(kinds), 1u64..5, 0u64..400).prop_map(|(kind, label, ms)| Fault {
        kind,
        label,
        lasts: (kind.lasts() && ms > 0).then(|| Duration::from_millis(ms)),
    });
    proptest::collection::vec(fault, 0..5)
}

proptest! {
    /// Whatever is done to it: it never panics, it never prints more than it counts, and what is not
    /// connected is never answered.
    #[test]
    fn the_printer_stays_itself(acts in acts(), faults in faults()) {
        let swaps = faults.iter().any(|f| f.kind == Kind::Swap);
        let extra = faults.iter().filter(|f| f.kind == Kind::Extra).count();
        let mut e = Engine::new(Options {
            label_time: Duration::from_millis(LABEL),
            silent_in_error: false,
            faults,
            ..Options::default()
        });
        let mut now = 0;
        for act in acts {
            let known: BTreeSet<Conn> = (1..4).filter(|c| e.connected(*c)).collect();
            let (from, replies) = match act {
                Act::Bytes(c, bytes) => (Some(c), e.receive(c, &bytes, now).replies),
                Act::Label(c) => (Some(c), e.receive(c, label("x").as_bytes(), now).replies),
                Act::Question(c) => (Some(c), e.receive(c, b"~HS", now).replies),
                Act::Wait(ms) => {
                    now += ms;
                    (None, e.tick(now))
                }
                Act::Control(control) => (None, e.control(control, now)),
                Act::Hangup(c) => {
                    e.disconnect(c);
                    (None, Vec::new())
                }
            };
            for reply in replies {
                match reply {
                    Reply::Bytes { conn, .. } => prop_assert_eq!(Some(conn), from),
                    Reply::Reset { conn } => {
                        prop_assert!(known.contains(&conn) || Some(conn) == from);
                    }
                }
            }
            // Awake in the past only while there is more to do than one call may.
            prop_assert!(e.next_wake().is_none_or(|at| at >= now.saturating_sub(1)));
        }
        let whole = e.labels().iter().filter(|l| !l.damaged).count();
        if !swaps {
            let counted = usize::try_from(e.odometer() - 1000).expect("small");
            prop_assert!(counted >= whole && counted <= whole + extra);
        }
    }

    #[test]
    fn the_same_calls_give_the_same_labels(acts in acts(), faults in faults()) {
        let run = || {
            let mut e = Engine::new(Options { faults: faults.clone(), ..Options::default() });
            let mut now = 0;
            let mut seen = Vec::new();
            for act in &acts {
                match act {
                    Act::Bytes(c, bytes) => seen.extend(e.receive(*c, bytes, now).replies),
                    Act::Label(c) => seen.extend(e.receive(*c, label("x").as_bytes(), now).replies),
                    Act::Question(c) => seen.extend(e.receive(*c, b"~HS", now).replies),
                    Act::Wait(ms) => { now += ms; seen.extend(e.tick(now)); }
                    Act::Control(control) => seen.extend(e.control(*control, now)),
                    Act::Hangup(c) => e.disconnect(*c),
                }
            }
            let times: Vec<_> = e.labels().iter().map(|l| (l.number, l.at_ms, l.damaged)).collect();
            (seen, times)
        };
        prop_assert_eq!(run(), run());
    }
}
