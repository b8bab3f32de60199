//! What holds for all facts, not only for the examples.

use super::support::*;
use super::table::{TABLES, Table};
use backdock::domain::date::days_between;
use backdock::domain::facts::{Class, Damage, Earlier, Facts, Flag, Outcome, Packaging};
use backdock::domain::verdict::{Action, Party, Service, Verdict};
use backdock::program::{Program, SHIPPED};
use chrono::{Days, NaiveDate};
use proptest::option::of;
use proptest::prelude::*;

const BRANDS: [&str; 5] = ["Htek", "Yealink", "Grandstream", "Snom", "Polycom"];

fn any_date() -> impl Strategy<Value = NaiveDate> {
    (0u64..40_000).prop_map(|n| date("1990-01-01") + Days::new(n))
}

fn flag() -> impl Strategy<Value = Flag> {
    prop_oneof![Just(Flag::Absent), Just(Flag::No), Just(Flag::Yes), any_date().prop_map(Flag::Since)]
}

fn word<T: Copy + std::fmt::Debug + 'static>(all: &'static [(&'static str, T)]) -> impl Strategy<Value = Option<T>> {
    of((0..all.len()).prop_map(move |at| all[at].1))
}

fn text(words: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    of((0..words.len()).prop_map(|at| words[at].to_owned()))
}

prop_compose! {
    fn dates()(
        ship in of(any_date()), purchase in of(any_date()), delivered in of(any_date()), warranty in of(any_date()),
        months in of(0u32..=600), vendor in of(any_date()), plan in of(any_date()), reported in of(any_date()),
        received in of(any_date()), today in of(any_date()),
    ) -> Facts {
        Facts { ship_date: ship, purchase_date: purchase, delivered, warranty_until: warranty, warranty_months: months,
            vendor_warranty_until: vendor, plan_until: plan, reported, received, today, ..Facts::default() }
    }
}

prop_compose! {
    fn wild()(
        mut facts in dates(),
        channel in text(&["agent", "direct", "reseller", "service-provider", "distributor", "elsewhere"]),
        brand in text(&["Htek", "yealink", "Polycom", "Acme", ""]),
        reason in text(&["wrong_product", "wrong size", "arrived_damaged", "mood"]),
        packaging in word(Packaging::ALL), damage in word(Damage::ALL), outcome in word(Outcome::ALL), class in word(Class::ALL),
        flags in proptest::collection::vec(flag(), 16),
        rma_dates in (of(any_date()), of(any_date()), of(any_date()), of(any_date())),
        lineage in proptest::collection::vec((of(any_date()), of(any_date()), flag()), 0..4),
        conditions in proptest::collection::vec("[a-z][a-z:]{0,11}", 0..3),
    ) -> Facts {
        (facts.channel, facts.brand, facts.reason) = (channel, brand, reason);
        (facts.packaging, facts.damage, facts.outcome, facts.class) = (packaging, damage, outcome, class);
        let r = &mut facts.rma;
        (r.closed, r.support_request, r.diagnosed, r.qualified) = (flags[0], flags[1], flags[2], flags[3]);
        (r.consent, r.contacted, r.wants_back, r.proof_of_purchase) = (flags[4], flags[5], flags[6], flags[7]);
        r.purchase_order = flags[8];
        (r.issued, r.quote_issued, r.approved_on) = (rma_dates.0, rma_dates.1, rma_dates.2);
        facts.advance.shipped = rma_dates.3;
        (facts.advance.charged, facts.advance.original_received) = (flags[9], flags[10]);
        (facts.rush.asked, facts.rush.paid_by_customer) = (flags[11], flags[12]);
        (facts.burn_in, facts.qc, facts.rma_marked_outside) = (flags[13], flags[14], flags[15]);
        facts.lineage = lineage.into_iter().map(|(shipped, replaced_on, doa)| Earlier { serial: None, shipped, replaced_on, doa }).collect();
        facts.conditions = conditions;
        facts
    }
}

/// A unit of process A that could stand at the dock, reported `age` days after its shipment.
fn sane(brand: usize, partner: bool, outcome: Option<Outcome>, replaced_after: Option<u64>, age: u64) -> Facts {
    let first = date("2024-02-29");
    let reported = first + Days::new(age);
    let mut facts = Facts {
        brand: Some(BRANDS[brand].into()),
        channel: Some(if partner { "reseller" } else { "direct" }.into()),
        serial: Some("SN".into()),
        ship_date: Some(first + Days::new(replaced_after.unwrap_or(0))),
        reported: Some(reported),
        today: Some(reported),
        outcome,
        ..Facts::default()
    };
    if let Some(n) = replaced_after {
        facts.lineage = vec![Earlier {
            serial: Some("S0".into()),
            shipped: Some(first),
            replaced_on: Some(first + Days::new(n)),
            doa: Flag::No,
        }];
    }
    facts
}

/// What it costs the customer's side, in cents. What is quoted, by us or by the Partner Team, is above everything.
fn cost(v: &Verdict) -> i64 {
    if matches!(v.action, Action::Route | Action::Quote) {
        return i64::MAX;
    }
    let theirs = |party: Party| matches!(party, Party::Customer | Party::Partner);
    let charges: i64 = v.charges.iter().filter(|c| theirs(c.to)).map(|c| c.amount.cents()).sum();
    let legs: i64 =
        v.legs.iter().filter(|l| theirs(l.payer)).map(|l| if l.service == Service::Rush { 3_000 } else { 1_000 }).sum();
    charges + legs
}

/// A program file with nothing in one cell but a note, and how many cells it has.
fn emptied(file: &str, cell: usize) -> (String, usize) {
    let text = shipped_text(file);
    let cells: Vec<&str> = text.split("[[cell]]\n").collect();
    let altered = |(n, whole): (usize, &&str)| {
        if n != cell + 1 {
            return (*whole).to_owned();
        }
        let place: String =
            whole.lines().take_while(|line| !line.ends_with('[')).map(|line| format!("{line}\n")).collect();
        let end = whole.find("\n\n").unwrap_or(whole.len());
        format!("{place}note = [{{ rule = \"intake\", text = \"altered\" }}]\n{}", &whole[end..])
    };
    (cells.iter().enumerate().map(altered).collect::<Vec<_>>().join("[[cell]]\n"), cells.len() - 1)
}

fn judged(program: &Program, facts: &Facts) -> Verdict {
    program.verdict(facts, date("2026-06-01"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_facts_panic_and_the_same_facts_give_the_same_verdict(facts in wild()) {
        for (file, _) in SHIPPED {
            let p = program(file);
            let v = judged(p, &facts);
            prop_assert_eq!(&v, &judged(p, &facts.clone()));
            prop_assert!(!p.next_step(&v).is_empty(), "{}: nothing to do for {}", file, v.action);
            // Through JSON and back nothing changes, on either side.
            let again: Facts = serde_json::from_value(serde_json::to_value(&facts).unwrap()).unwrap();
            prop_assert_eq!(&v, &judged(p, &again));
            let json = serde_json::to_value(&v).unwrap();
            prop_assert_eq!(&serde_json::from_value::<Verdict>(json).unwrap(), &v);
        }
    }

    #[test]
    fn every_key_is_there_and_null_stands_only_where_it_may(facts in wild()) {
        for (file, _) in SHIPPED {
            let json = serde_json::to_value(judged(program(file), &facts)).unwrap();
            let map = json.as_object().unwrap();
            for key in ["program", "version", "today", "age_days", "band", "warranty_until", "coverage", "action", "advance_replacement", "legs",
                "charges", "holds", "questions", "messages", "due", "route", "vendor", "reasons"] {
                let value = map.get(key);
                prop_assert!(value.is_some(), "{} is missing", key);
                prop_assert!(!value.unwrap().is_null() || ["age_days", "warranty_until", "route"].contains(&key), "{} is null", key);
            }
            for list in ["legs", "charges", "holds", "questions", "messages", "due", "reasons"] {
                for row in map[list].as_array().unwrap() {
                    prop_assert!(row["rule"].as_str().is_some_and(|r| !r.is_empty()), "{} without a rule", list);
                }
            }
            for hold in map["holds"].as_array().unwrap() {
                prop_assert!(hold["released_by"].as_str().is_some_and(|r| !r.is_empty()));
                prop_assert!(hold["blocks"].as_array().is_some_and(|b| !b.is_empty()));
            }
            prop_assert!(map["advance_replacement"]["rule"] != "");
        }
    }

    #[test]
    fn waiting_never_makes_it_cheaper(brand in 0usize..5, partner: bool, outcome in word(Outcome::ALL), age in 0u64..1_800, wait in 0u64..400, replaced in of(31u64..600)) {
        let age = age + replaced.unwrap_or(0);
        let now = judged(program("voip"), &sane(brand, partner, outcome, replaced, age));
        let later = judged(program("voip"), &sane(brand, partner, outcome, replaced, age + wait));
        prop_assert!(cost(&now) <= cost(&later), "day {}: {:?}, day {}: {:?}", age, now, age + wait, later);
        prop_assert!(now.advance_replacement.allowed || !later.advance_replacement.allowed);
    }

    /// The same in every company's program, with its amounts filled in, over the end of a warranty of 700 days.
    #[test]
    fn waiting_is_cheaper_nowhere(which in 0usize..5, partner: bool, outcome in word(Outcome::ALL), age in 0u64..1_800, wait in 0u64..400, told in flag(), agreed: bool) {
        let (file, _) = SHIPPED[which];
        let unit = |age: u64| {
            let mut facts = sane(1, partner, outcome, None, age);
            facts.warranty_until = facts.ship_date.map(|day| day + Days::new(700));
            facts.purchase_date = facts.ship_date;
            (facts.rma.number, facts.rma.issued) = (Some("RMA1234".into()), facts.reported);
            (facts.rma.contacted, facts.rma.consent) = (told, if agreed { Flag::Yes } else { Flag::No });
            facts
        };
        let (now, later) = (judged(filled(file), &unit(age)), judged(filled(file), &unit(age + wait)));
        prop_assert!(cost(&now) <= cost(&later), "{}, day {}: {:?}, day {}: {:?}", file, age, now, age + wait, later);
    }

    /// Waiting between the report and today changes nothing: what counts is the day of the report.
    #[test]
    fn a_report_is_judged_the_same_however_late_the_unit_comes(brand in 0usize..5, partner: bool, outcome in word(Outcome::ALL), age in 0u64..1_800, wait in 0u64..400) {
        let now = sane(brand, partner, outcome, None, age);
        let mut later = now.clone();
        later.received = now.today.map(|today| today + Days::new(wait));
        later.today = later.received;
        let (now, later) = (judged(program("voip"), &now), judged(program("voip"), &later));
        prop_assert_eq!((now.age_days, &now.band, now.coverage, now.action), (later.age_days, &later.band, later.coverage, later.action));
        prop_assert_eq!((&now.legs, &now.charges), (&later.legs, &later.charges));
    }

    #[test]
    fn a_replacement_never_lengthens_the_warranty_except_after_a_dead_on_arrival(
        brand in 0usize..5, links in proptest::collection::vec((1u64..400, flag()), 1..4), age in 0u64..2_000,
    ) {
        let alone = judged(program("voip"), &sane(brand, false, None, None, age));
        let mut facts = sane(brand, false, None, None, age);
        let (first, mut shipped) = (facts.ship_date.unwrap(), facts.ship_date.unwrap());
        for (days, doa) in &links {
            let next = shipped + Days::new(*days);
            facts.lineage.push(Earlier { serial: None, shipped: Some(shipped), replaced_on: Some(next), doa: *doa });
            shipped = next;
        }
        facts.ship_date = Some(shipped);
        let v = judged(program("voip"), &facts);
        prop_assert_eq!(v.age_days, alone.age_days);
        let found = facts.lineage[0].doa;
        let dead = found.is_yes() && found.date().is_none_or(|day| (0..=30).contains(&days_between(first, day)));
        if dead {
            prop_assert!(v.warranty_until > alone.warranty_until);
        } else {
            prop_assert_eq!(v.warranty_until, alone.warranty_until);
        }
    }

    #[test]
    fn without_channel_brand_or_ship_date_nothing_is_open(brand in 0usize..5, partner: bool, outcome in word(Outcome::ALL), age in 0u64..1_800, which in 0usize..3) {
        let mut facts = sane(brand, partner, outcome, None, age);
        match which {
            0 => facts.channel = None,
            1 => facts.brand = None,
            _ => facts.ship_date = None,
        }
        let v = judged(program("voip"), &facts);
        prop_assert_eq!(open(&v), vec![]);
        prop_assert!(v.charges.is_empty());
    }

    #[test]
    fn dates_that_contradict_each_other_hold_everything(brand in 0usize..5, age in 0u64..1_800, which in 0usize..6, by in 1u64..500) {
        let mut facts = sane(brand, false, None, None, age);
        let (ship, today) = (facts.ship_date.unwrap(), facts.today.unwrap());
        match which {
            0 => facts.ship_date = Some(today + Days::new(by)),
            1 => facts.rma.issued = Some(today + Days::new(by)),
            2 => facts.lineage = vec![Earlier { shipped: Some(ship), replaced_on: Some(ship - Days::new(by)), ..Earlier::default() }],
            3 => { facts.received = Some(today); facts.purchase_date = Some(today + Days::new(by)) }
            4 => { facts.rma.quote_issued = Some(today); facts.rma.approved_on = Some(today - Days::new(by)) }
            _ => facts.reported = Some(ship - Days::new(by)),
        }
        for (file, _) in SHIPPED {
            let v = judged(program(file), &facts);
            prop_assert!(is_held(&v, "contradiction"), "{}: {:?}", file, holds(&v));
            prop_assert_eq!(open(&v), vec![], "{}", file);
        }
    }

    #[test]
    fn no_damaged_program_file_panics(at in 0usize..60_000, cut in 1usize..40, which in 0usize..5) {
        let (file, text) = SHIPPED[which];
        let start = (0..=at.min(text.len())).rev().find(|n| text.is_char_boundary(*n)).unwrap();
        let end = (start + cut..=text.len()).find(|n| text.is_char_boundary(*n)).unwrap_or(text.len());
        let damaged = format!("{}{}", &text[..start], &text[end.max(start)..]);
        if let Ok(read) = Program::parse(file, &damaged) {
            let _ = judged(&read.value, &sane(1, false, None, None, 40));
        }
    }
}

/// Every cell of every file, emptied: the units of the tables that stand in it hear so, and all others hear
/// exactly what they heard before.
#[test]
fn every_cell_stands_alone() {
    for (_, file, text) in TABLES {
        let table = Table::read(text);
        let units: Vec<Value> = table.entries.iter().map(|entry| table.facts(&entry.of)).collect();
        let mut homes = vec![0; units.len()];
        for cell in 0..emptied(file, 0).1 {
            let mutant = Program::parse("mutant.toml", &emptied(file, cell).0).unwrap().value;
            let mut own = 0;
            for (unit, facts) in units.iter().enumerate() {
                let (old, new) = (judge(program(file), facts), judge(&mutant, facts));
                if new.reasons.iter().any(|r| r.text == "altered") {
                    (own, homes[unit]) = (own + 1, homes[unit] + 1);
                } else {
                    assert_eq!(old, new, "{file}, cell {cell}");
                }
            }
            assert!(own > 0, "{file}: no unit of its table stands in cell {cell}");
        }
        assert!(homes.iter().all(|homes| *homes <= 1), "{file}: a unit in two cells");
    }
}
