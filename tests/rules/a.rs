//! Process A, rule by rule. The unit is an agent's or direct client's phone shipped on 2026-01-01
//! unless a test says otherwise; `day(n)` is the same phone reported on day n with all papers in order.
//! One file for 68 rules, longer than others, so that it can be read beside the process.

use super::support::*;
use super::table::table;
use backdock::domain::verdict::{Action, Coverage, Move, Verdict};

const SHIPPED_ON: &str = "2026-01-01";
/// The five brands with their months.
const BRANDS: [(&str, u32, &str); 5] = [
    ("Htek", 48, "A-53"),
    ("Yealink", 24, "A-56"),
    ("Grandstream", 24, "A-57"),
    ("Snom", 36, "A-58"),
    ("Polycom", 24, "A-59"),
];

fn a(facts: &Value) -> Verdict {
    judge(program("voip"), facts)
}

/// A direct client's phone reported on day `n`, with every paper in order.
fn day(n: u64) -> Value {
    let reported = plus(SHIPPED_ON, n);
    json!({
        "channel": "direct", "brand": "Yealink", "model": "T54W", "serial": "SN1", "ship_date": SHIPPED_ON,
        "reported": reported, "received": plus(&reported, 3), "today": plus(&reported, 3),
        "distributor": "Delta Supply", "packaging": "original", "vendor_rma": "V-77",
        "rma": {"number": "RMA1001", "issued": reported, "ticket": "T-4711", "diagnosed": true, "qualified": true},
        "answers": {"why_not_on_site": "loose handset cable"}
    })
}

fn partner(n: u64) -> Value {
    with(day(n), json!({"channel": "reseller"}))
}

fn on(facts: Value, change: Value) -> Verdict {
    a(&with(facts, change))
}

/// The same unit as the second of its line: the first was replaced on day 400.
fn second(n: u64) -> Value {
    with(
        day(n),
        json!({"brand": "Snom", "serial": "SN2", "ship_date": plus(SHIPPED_ON, 400),
        "lineage": [{"serial": "SN1", "shipped": SHIPPED_ON, "replaced_on": plus(SHIPPED_ON, 400)}]}),
    )
}

#[test]
fn a_01_no_diagnosis_on_the_ticket_holds_the_unit() {
    for (diagnosed, held) in
        [(json!(null), true), (json!(false), true), (json!(true), false), (json!("2026-01-09"), false)]
    {
        for channel in ["agent", "direct"] {
            let v = on(day(9), json!({"channel": channel, "rma": {"diagnosed": diagnosed}}));
            assert_eq!(is_held(&v, "not_diagnosed"), held, "{channel} {diagnosed}");
            assert_eq!(v.allows(Move::Bench), !held);
            assert_eq!(v.action, Action::Replace, "a hold, not a rejection");
            if held {
                assert_eq!(hold(&v, "not_diagnosed").rule, "A-01");
                assert_eq!(hold(&v, "not_diagnosed").text, "no diagnosis on the ticket");
            }
        }
    }
    table("A-01");
}

#[test]
fn a_02_an_unqualified_ticket_is_flagged_early_and_still_judged() {
    let early = on(day(9), json!({"rma": {"qualified": false}}));
    assert!(reason(&early, "A-02").starts_with("early"));
    assert_eq!((early.action, holds(&early)), (Action::Replace, holds(&a(&day(9)))));
    silent_on(&a(&day(9)), &["A-02", "A-08"]);
    table("A-02");
}

#[test]
fn a_03_a_received_unit_is_diagnosed_here_before_the_vendor() {
    let v = a(&day(40));
    assert!(reason(&v, "A-03").contains("diagnosed here"));
    assert!(!v.allows(Move::VendorLeg) && v.allows(Move::Bench));
    silent_on(&on(day(40), json!({"received": null})), &["A-03"]);
    silent_on(&a(&partner(40)), &["A-03"]);
    table("A-03");
}

#[test]
fn a_04_the_vendor_waits_for_the_confirmation_here_and_for_warranty() {
    assert_eq!(hold(&a(&day(40)), "confirm_onsite").rule, "A-04");
    let confirmed = on(day(40), json!({"outcome": "replace"}));
    assert!(confirmed.allows(Move::VendorLeg), "{:?}", holds(&confirmed));
    assert!(on(day(40), json!({"outcome": "ntf"})).vendor.is_none());
    // Confirmed, but the warranty ended the day before the report: A-46.
    let over = on(day(731), json!({"outcome": "replace"}));
    assert_eq!((over.action, over.vendor.is_none(), over.allows(Move::VendorLeg)), (Action::Route, true, false));
    cites(&over, &["A-46"]);
    // Ours is in play, the vendor's own is not: the vendor's part is locked, the client's is not.
    for (until, locked) in [("2026-02-10", false), ("2026-02-09", true)] {
        let v = on(day(40), json!({"outcome": "replace", "vendor_warranty_until": until}));
        assert_eq!(is_held(&v, "vendor_warranty_over"), locked, "{until}");
        assert_eq!((v.vendor.is_none(), v.action), (locked, Action::Replace));
    }
    let ours = on(day(40), json!({"outcome": "replace", "vendor_warranty_until": "2035-01-01"}));
    assert!(ours.vendor.is_some() && ours.allows(Move::VendorLeg));
    table("A-04");
}

#[test]
fn a_05_credit_or_replacement_is_recorded_before_closing() {
    let v = on(day(40), json!({"outcome": "replace"}));
    assert_eq!(questions(&v), ["vendor_result A-05"]);
    assert!(!v.allows(Move::Close));
    for answer in ["credit", "replacement"] {
        assert_eq!(
            questions(&on(day(40), json!({"outcome": "replace", "answers": {"vendor_result": answer}}))),
            [""; 0]
        );
    }
    let other = on(day(40), json!({"outcome": "replace", "answers": {"vendor_result": "a cake"}}));
    assert_eq!(questions(&other), ["vendor_result A-05"]);
    table("A-05");
}

#[test]
fn a_06_a_replacement_from_the_vendor_ships_only_after_its_test() {
    let came = json!({"outcome": "replace", "answers": {"vendor_result": "replacement"}});
    let untested = on(day(40), came.clone());
    assert_eq!(hold(&untested, "replacement_not_tested").rule, "A-06");
    assert!(!untested.allows(Move::Ship));
    let tested = with(came, json!({"qc": "2026-02-10"}));
    assert!(on(day(40), tested).allows(Move::Ship));
    assert!(on(day(40), json!({"outcome": "replace", "answers": {"vendor_result": "credit"}})).allows(Move::Ship));
    table("A-06");
}

#[test]
fn a_07_no_diagnosis_holds_a_partners_unit() {
    for channel in ["reseller", "service_provider", "service provider", "Service-Provider"] {
        let v = on(day(9), json!({"channel": channel, "rma": {"diagnosed": null}}));
        assert_eq!(hold(&v, "not_diagnosed").rule, "A-07", "{channel}");
    }
    assert!(!is_held(&a(&partner(9)), "not_diagnosed"));
    table("A-07");
}

#[test]
fn a_08_a_partners_unqualified_ticket_is_flagged_early() {
    let v = on(partner(9), json!({"rma": {"qualified": null}}));
    assert!(reason(&v, "A-08").starts_with("early"));
    silent_on(&v, &["A-02"]);
    table("A-08");
}

#[test]
fn a_09_a_partners_vendor_rma_needs_no_confirmation_here() {
    let (ours, theirs) = (a(&day(40)), a(&partner(40)));
    assert!(!ours.allows(Move::VendorLeg) && theirs.allows(Move::VendorLeg));
    cites(&theirs, &["A-09"]);
    silent_on(&ours, &["A-09"]);
    let over = on(partner(40), json!({"vendor_warranty_until": "2026-02-09"}));
    assert_eq!(hold(&over, "vendor_warranty_over").rule, "A-09");
    table("A-09");
}

#[test]
fn a_10_a_partners_vendor_result_is_recorded_before_closing() {
    let v = a(&partner(40));
    assert_eq!(questions(&v), ["vendor_result A-10"]);
    assert!(!v.allows(Move::Close));
    table("A-10");
}

#[test]
fn a_11_the_replacement_goes_to_the_reseller() {
    assert!(reason(&a(&partner(40)), "A-11").contains("never to the end client"));
    silent_on(&a(&day(40)), &["A-11"]);
    silent_on(&on(partner(40), json!({"outcome": "ntf"})), &["A-11"]);
    table("A-11");
}

#[test]
fn a_12_age_counts_from_the_first_ship_date() {
    let v = a(&second(700));
    assert_eq!(v.age_days, Some(700));
    assert!(reason(&v, "A-12").starts_with("day 700 since 2026-01-01, counted to 2027-12-02 (reported)"));
    // A dead-on-arrival restarts the warranty, not the age.
    let doa = on(
        day(40),
        json!({"ship_date": "2026-02-05", "serial": "SN2",
        "lineage": [{"serial": "SN1", "shipped": SHIPPED_ON, "replaced_on": "2026-02-05", "doa": "2026-01-31"}]}),
    );
    assert_eq!(doa.age_days, Some(40));
    // The day of the report counts, then the RMA's, then the receipt, then today: never an earlier one.
    for (facts, age, event) in [
        (json!({}), 40, "reported"),
        (json!({"reported": null, "rma": {"issued": plus(SHIPPED_ON, 41)}}), 41, "rma.issued"),
        (json!({"reported": null, "rma": {"issued": null}}), 43, "received"),
        (
            json!({"reported": null, "rma": {"issued": null}, "received": null, "today": plus(SHIPPED_ON, 50)}),
            50,
            "today",
        ),
    ] {
        let v = on(day(40), facts);
        assert_eq!(v.age_days, Some(age));
        assert!(reason(&v, "A-12").contains(event), "{event}");
        assert_eq!(v.questions.iter().any(|q| q.code == "reported"), event != "reported");
    }
    table("A-12");
}

#[test]
fn a_12_without_the_first_ship_date_nothing_is_told() {
    for facts in [json!({"ship_date": null}), json!({"lineage": [{"serial": "SN0"}]})] {
        let v = on(day(9), facts);
        assert_eq!((v.age_days, v.warranty_until, &*v.band, v.coverage), (None, None, "none", Coverage::Unknown));
        assert_eq!((v.action, &*hold(&v, "ship_date_missing").rule), (Action::Hold, "A-12"));
        assert_eq!((open(&v), v.advance_replacement.allowed), (vec![], false));
    }
}

#[test]
fn a_12_an_age_below_zero_is_no_age() {
    let v = on(day(0), json!({"reported": "2025-12-31"}));
    assert_eq!((v.age_days, &*v.band, v.action, open(&v)), (None, "none", Action::Hold, vec![]));
}

#[test]
fn a_13_day_0_to_30_is_within_30_days() {
    for n in [0, 1, 29, 30] {
        assert_eq!(a(&day(n)).band, "within_30_days", "day {n}");
    }
    assert_eq!(a(&day(31)).band, "in_warranty");
    assert!(reason(&a(&day(30)), "A-13").starts_with("day 30 of 30"));
    table("A-13");
}

#[test]
fn a_14_day_31_to_the_last_day_of_warranty_is_in_warranty() {
    for n in [31, 32, 365, 729, 730] {
        assert_eq!(a(&day(n)).band, "in_warranty", "day {n}");
        cites(&a(&day(n)), &["A-14"]);
    }
    assert_eq!(a(&day(731)).band, "after_warranty");
    table("A-14");
}

#[test]
fn a_15_the_day_after_the_last_one_is_after_warranty() {
    assert_eq!(a(&day(730)).coverage, Coverage::InWarranty);
    let v = a(&day(731));
    assert_eq!((v.coverage, &*v.band), (Coverage::OutOfWarranty, "after_warranty"));
    assert!(reason(&v, "A-15").contains("2028-01-01"));
    table("A-15");
}

#[test]
fn a_16_within_30_days_direct_is_replace() {
    for channel in ["agent", "direct"] {
        for n in [0, 30] {
            let v = on(day(n), json!({"channel": channel}));
            assert_eq!(v.action, Action::Replace);
            cites(&v, &["A-16"]);
        }
        let v = on(day(31), json!({"channel": channel}));
        assert_eq!(v.action, Action::Diagnose);
        silent_on(&v, &["A-16"]);
    }
    // Reading A-AMB-23: the bench's outcome decides what goes back; a repair needs the customer's yes.
    let repair = on(day(30), json!({"outcome": "repair"}));
    assert_eq!((repair.action, repair.allows(Move::Repair)), (Action::Repair, false));
    assert!(on(day(30), json!({"outcome": "repair", "rma": {"consent": true}})).allows(Move::Repair));
    assert_eq!(on(day(30), json!({"outcome": "ntf"})).action, Action::Return);
    table("A-16");
}

#[test]
fn a_17_original_packaging_is_asked_and_otherwise_managements_decision() {
    assert!(a(&day(30)).allows(Move::Replace));
    for packaging in ["equivalent", "bad"] {
        let v = on(day(30), json!({"packaging": packaging}));
        assert_eq!((&*hold(&v, "packaging_decision").rule, v.action), ("A-17", Action::Replace));
        assert!(!v.allows(Move::Replace) && v.allows(Move::Bench));
        let released = on(
            day(30),
            json!({"packaging": packaging, "released": {"packaging_decision": {"answer": "take it", "by": "M. Gray"}}}),
        );
        assert!(released.allows(Move::Replace));
        assert!(reason(&released, "A-17").contains("M. Gray: take it"));
        let nameless = on(day(30), json!({"packaging": packaging, "released": {"packaging_decision": "take it"}}));
        assert!(is_held(&nameless, "packaging_decision"), "without a name nobody decided");
    }
    for open in [json!(null), json!("unknown")] {
        let v = on(day(30), json!({"packaging": open}));
        assert_eq!((questions(&v), v.allows(Move::Close)), (vec!["packaging A-17".to_owned()], false));
    }
    assert_eq!(questions(&on(day(31), json!({"packaging": null}))), [""; 0]);
    table("A-17");
}

#[test]
fn a_18_why_it_did_not_work_must_be_answered() {
    let v = on(day(30), json!({"answers": {"why_not_on_site": null}}));
    assert_eq!((questions(&v), v.allows(Move::Close)), (vec!["why_not_on_site A-18".to_owned()], false));
    assert!(a(&day(30)).allows(Move::Close));
    for other in [on(day(31), json!({"answers": null})), on(partner(30), json!({"answers": null}))] {
        assert!(!questions(&other).contains(&"why_not_on_site A-18".to_owned()));
    }
    table("A-18");
}

#[test]
fn a_19_management_is_told_once_with_the_ticket() {
    assert_eq!(messages(&a(&day(30))), ["management within_30_days A-19"]);
    assert!(a(&day(30)).messages[0].text.contains("never on the customer's copy"));
    let v = on(day(30), json!({"rma": {"ticket": null}}));
    assert_eq!((&*hold(&v, "message_needs_ticket").rule, v.allows(Move::Close)), ("A-19", false));
    assert_eq!(messages(&a(&day(31))), [""; 0]);
    table("A-19");
}

#[test]
fn a_20_we_pay_to_ship_the_replacement() {
    assert_eq!(legs(&a(&day(30)))[1], "outbound us rush A-20");
    silent_on(&a(&day(31)), &["A-20"]);
    table("A-20");
}

#[test]
fn a_21_we_pay_ground_back_to_us() {
    for outcome in [json!(null), json!("ntf"), json!("repair"), json!("replace")] {
        assert_eq!(legs(&on(day(30), json!({"outcome": outcome})))[0], "inbound us ground A-21");
    }
    silent_on(&a(&day(31)), &["A-21"]);
    table("A-21");
}

#[test]
fn a_22_an_advance_replacement_may_be_offered_up_to_day_30() {
    let v = a(&day(30)).advance_replacement;
    assert_eq!((v.allowed, v.mode.as_str(), &*v.rule), (true, "ship_first", "A-22"));
    let v = a(&day(31)).advance_replacement;
    assert_eq!((v.allowed, v.mode.as_str(), &*v.rule), (false, "none", "A-38"));
    table("A-22");
}

#[test]
fn a_23_an_advance_replacement_needs_a_ticket() {
    let asked = json!({"class": "advance", "rma": {"ticket": null}});
    let v = on(day(30), asked);
    assert_eq!((&*hold(&v, "advance_needs_ticket").rule, v.allows(Move::Advance)), ("A-23", false));
    assert!(v.advance_replacement.allowed, "date, channel and class allow it");
    assert!(on(day(30), json!({"class": "advance"})).allows(Move::Advance));
    table("A-23");
}

#[test]
fn a_24_the_advance_is_billed_when_the_original_stays_out_past_day_30() {
    let advance = |returned: Value, received: Value, today: &str| {
        on(
            day(30),
            json!({"class": "advance", "received": received, "today": today,
            "advance": {"shipped": "2026-03-01", "serial": "SN9", "original_received": returned}}),
        )
    };
    // No price is named in the process: the bill is a hold, never an invented amount.
    let billed = |v: &Verdict| v.holds.iter().any(|h| h.code == "advance_price_not_set" && h.rule == "A-24");
    for (returned, received, today, bill) in [
        (json!("2026-03-31"), json!(null), "2026-05-01", false),
        (json!("2026-04-01"), json!(null), "2026-05-01", true),
        (json!(null), json!("2026-03-31"), "2026-05-01", false),
        (json!(null), json!("2026-04-01"), "2026-05-01", true),
        (json!(null), json!(null), "2026-03-31", false),
        (json!(null), json!(null), "2026-04-01", true),
        (json!(false), json!(null), "2026-04-01", true),
    ] {
        let v = advance(returned.clone(), received.clone(), today);
        assert_eq!(billed(&v), bill, "{returned} {received} {today}");
        assert_eq!(v.charges, []);
        assert!(reason(&v, "A-24").contains("2026-03-01"));
    }
    assert_eq!(dues(&advance(json!(null), json!(null), "2026-03-02")), ["original_back 2026-03-31 A-24"]);
    assert_eq!(dues(&advance(json!("2026-03-20"), json!(null), "2026-05-01")), [""; 0]);
    // Back, but nobody knows since when: neither billed nor forgotten.
    let undated = advance(json!(true), json!(null), "2026-05-01");
    assert!(!billed(&undated) && !undated.allows(Move::Charge));
    assert_eq!(hold(&undated, "return_date_missing").rule, "A-24");
    // With a price in the file it is a charge to the client.
    let priced = changed("voip", "# amount = \"0.00\"", "amount = \"189.00\"");
    let facts = with(day(30), json!({"received": null, "today": "2026-04-01", "advance": {"shipped": "2026-03-01"}}));
    assert_eq!(charges(&judge(&priced, &facts)), ["advance_not_returned 189.00 USD customer A-24"]);
    table("A-24");
}

#[test]
fn a_25_no_deductible_within_30_days() {
    for outcome in [json!(null), json!("ntf"), json!("repair"), json!("replace")] {
        let v = on(day(30), json!({"outcome": outcome}));
        assert_eq!(charges(&v), [""; 0]);
        cites(&v, &["A-25"]);
    }
    assert_eq!(charges(&a(&day(31))), ["deductible 45.00 USD customer A-37"]);
    table("A-25");
}

#[test]
fn a_26_within_30_days_reseller_is_replace() {
    for channel in ["reseller", "service_provider"] {
        let v = on(partner(30), json!({"channel": channel}));
        assert_eq!(v.action, Action::Replace);
        cites(&v, &["A-26"]);
        assert_eq!(on(partner(31), json!({"channel": channel})).action, Action::Diagnose);
    }
    table("A-26");
}

#[test]
fn a_27_a_partners_packaging_is_asked_and_otherwise_managements_decision() {
    let v = on(partner(30), json!({"packaging": "bad"}));
    assert_eq!((&*hold(&v, "packaging_decision").rule, v.action), ("A-27", Action::Replace));
    assert!(questions(&on(partner(30), json!({"packaging": null}))).contains(&"packaging A-27".to_owned()));
    table("A-27");
}

#[test]
fn a_28_management_is_told_of_a_partners_unit() {
    assert_eq!(messages(&a(&partner(30))), ["management within_30_days A-28"]);
    assert_eq!(hold(&on(partner(30), json!({"rma": {"ticket": null}})), "message_needs_ticket").rule, "A-28");
    table("A-28");
}

#[test]
fn a_29_we_pay_from_the_distributor_back_to_us() {
    assert!(legs(&a(&partner(30))).contains(&"from_vendor us any A-29".to_owned()));
    silent_on(&a(&partner(31)), &["A-29", "A-30"]);
    table("A-29");
}

#[test]
fn a_30_we_pay_to_the_distributor() {
    assert!(legs(&a(&partner(30))).contains(&"to_vendor us any A-30".to_owned()));
    silent_on(&on(partner(30), json!({"outcome": "ntf"})), &["A-29", "A-30"]);
    table("A-30");
}

#[test]
fn a_31_the_partner_pays_ground_to_us() {
    assert_eq!(legs(&a(&partner(30)))[0], "inbound partner ground A-31");
    table("A-31");
}

#[test]
fn a_32_no_advance_replacement_for_partners() {
    for n in [0, 30] {
        let v = a(&partner(n)).advance_replacement;
        assert_eq!((v.allowed, v.mode.as_str(), &*v.rule), (false, "none", "A-32"));
    }
    table("A-32");
}

#[test]
fn a_33_the_refusal_says_to_keep_spares() {
    let v = on(partner(30), json!({"class": "advance"}));
    let refusal = v.messages.iter().find(|m| m.about == "advance_refused").unwrap();
    assert!(refusal.rule == "A-33" && refusal.text.contains("keep a spare or two"));
    assert!(a(&partner(30)).messages.iter().all(|m| m.about != "advance_refused"), "nobody asked");
    table("A-33");
}

#[test]
fn a_34_no_deductible_for_partners_within_30_days() {
    assert_eq!(charges(&a(&partner(30))), [""; 0]);
    cites(&a(&partner(30)), &["A-34"]);
    assert_eq!(charges(&a(&partner(31))), ["deductible 45.00 USD partner A-42"]);
    table("A-34");
}

#[test]
fn a_35_past_day_30_the_client_pays_to_us() {
    assert_eq!(legs(&a(&day(31)))[0], "inbound customer any A-35");
    assert_eq!(legs(&a(&day(730)))[0], "inbound customer any A-35");
    table("A-35");
}

#[test]
fn a_36_past_day_30_we_pay_ground_back() {
    for (outcome, rule) in
        [(json!(null), "A-36"), (json!("repair"), "A-36"), (json!("replace"), "A-36"), (json!("ntf"), "A-64")]
    {
        assert_eq!(legs(&on(day(31), json!({"outcome": outcome})))[1], format!("outbound us ground {rule}"));
    }
    table("A-36");
}

#[test]
fn a_37_45_dollars_deductible_per_phone() {
    for (outcome, due) in [
        (json!(null), true),
        (json!("repair"), true),
        (json!("replace"), true),
        (json!("ntf"), false),
        (json!("working"), false),
    ] {
        let v = on(day(31), json!({"outcome": outcome}));
        let want: &[&str] = if due { &["deductible 45.00 USD customer A-37"] } else { &[] };
        assert_eq!(charges(&v), want, "{outcome}");
    }
    // One line per phone, each by its own band: two at day 31 and one at day 30 make 90 dollars.
    let total: i64 = [30, 31, 31].iter().flat_map(|n| a(&day(*n)).charges).map(|c| c.amount.cents()).sum();
    assert_eq!(total, 9_000);
    table("A-37");
}

#[test]
fn a_38_no_advance_replacement_past_day_30() {
    let v = on(day(31), json!({"class": "advance"}));
    assert_eq!((v.advance_replacement.allowed, &*v.advance_replacement.rule), (false, "A-38"));
    assert_eq!(messages(&v), ["customer advance_refused A-38"]);
    table("A-38");
}

#[test]
fn a_39_past_day_30_the_partner_pays_to_us() {
    assert_eq!(legs(&a(&partner(31)))[0], "inbound partner any A-39");
    table("A-39");
}

#[test]
fn a_40_past_day_30_we_pay_ground_back_to_the_partner() {
    assert_eq!(legs(&a(&partner(31))), ["inbound partner any A-39", "outbound us ground A-40"]);
    table("A-40");
}

#[test]
fn a_41_no_advance_replacement_for_partners_past_day_30() {
    let v = on(partner(31), json!({"class": "advance"}));
    assert_eq!((v.advance_replacement.allowed, &*v.advance_replacement.rule), (false, "A-41"));
    assert_eq!(messages(&v), ["customer advance_refused A-41"]);
    table("A-41");
}

#[test]
fn a_42_45_dollars_deductible_for_partners() {
    for (outcome, n) in [(json!("repair"), 1), (json!("replace"), 1), (json!("ntf"), 0)] {
        assert_eq!(on(partner(31), json!({"outcome": outcome})).charges.len(), n, "{outcome}");
    }
    assert_eq!(charges(&a(&partner(31))), ["deductible 45.00 USD partner A-42"]);
    table("A-42");
}

#[test]
fn a_43_past_day_30_the_outcome_decides() {
    for (outcome, action) in [
        (json!(null), Action::Diagnose),
        (json!("ntf"), Action::Return),
        (json!("working"), Action::Return),
        (json!("repair"), Action::Repair),
        (json!("replace"), Action::Replace),
    ] {
        for facts in [day(31), partner(31)] {
            assert_eq!(on(facts, json!({"outcome": outcome})).action, action, "{outcome}");
        }
    }
    let open = on(day(31), json!({"outcome": "user_damage"}));
    assert_eq!((open.action, &*hold(&open, "user_damage").rule), (Action::Hold, "A-43"));
    table("A-43");
}

#[test]
fn a_45_an_unknown_channel_is_held_in_no_column() {
    for channel in [json!(null), json!("distributor"), json!("wholesale"), json!("direct client x")] {
        for n in [9, 40, 800] {
            let v = on(day(n), json!({"channel": channel}));
            assert_eq!((&*hold(&v, "channel_unknown").rule, v.action), ("A-45", Action::Hold), "{channel}");
            assert_eq!((open(&v), v.legs.len(), v.charges.len(), v.advance_replacement.allowed), (vec![], 0, 0, false));
        }
    }
    let columns = [["agent", "direct"], ["reseller", "service_provider"]];
    for [one, other] in columns {
        for n in [30, 31, 731] {
            assert_eq!(on(day(n), json!({"channel": one})), on(day(n), json!({"channel": other})));
        }
    }
    table("A-45");
}

#[test]
fn a_46_after_warranty_goes_to_the_partner_team() {
    let v = a(&day(731));
    assert_eq!((v.action, v.route.as_deref()), (Action::Route, Some("partner_team")));
    assert_eq!(messages(&v), ["partner_team out_of_warranty A-46"]);
    assert_eq!((&*hold(&v, "partner_team").rule, v.vendor.is_none(), v.legs.len()), ("A-46", true, 0));
    assert!(!v.allows(Move::VendorLeg) && !v.allows(Move::Bench));
    let word = program("voip").screen_word(&v);
    assert_eq!(word.word, "ROUTE");
    assert_eq!(a(&day(730)).route, None);
    table("A-46");
}

#[test]
fn a_47_a_partners_unit_after_warranty_goes_to_the_partner_team() {
    let v = a(&partner(731));
    assert_eq!(
        (v.action, v.route.as_deref(), messages(&v)),
        (Action::Route, Some("partner_team"), vec!["partner_team out_of_warranty A-47".to_owned()])
    );
    assert_eq!(hold(&v, "partner_team").rule, "A-47");
    table("A-47");
}

#[test]
fn a_48_the_brand_sets_the_length_from_the_first_ship_date() {
    for (start, months, end) in [
        ("2024-02-29", "Yealink", "2026-02-28"),
        ("2024-02-29", "Htek", "2028-02-29"),
        ("2024-02-29", "Snom", "2027-02-28"),
        ("2024-03-31", "Polycom", "2026-03-31"),
        ("2023-12-31", "Grandstream", "2025-12-31"),
        ("2022-02-28", "Yealink", "2024-02-28"),
    ] {
        for (day, coverage) in
            [(date(end), Coverage::InWarranty), (date(end).succ_opt().unwrap(), Coverage::OutOfWarranty)]
        {
            let v = on(
                day_of(start),
                json!({"brand": months, "reported": day.to_string(), "rma": {"issued": null}, "received": null, "today": day.to_string()}),
            );
            assert_eq!((v.warranty_until, v.coverage), (Some(date(end)), coverage), "{start} {months} {day}");
        }
    }
    // A date in the shipment file does not replace the table.
    assert_eq!(
        on(day(40), json!({"warranty_until": "2040-01-01", "warranty_months": 120})).warranty_until,
        Some(date("2028-01-01"))
    );
    for (brand, code) in [(json!(null), "brand_missing"), (json!("Acme"), "unlisted_brand")] {
        let v = on(day(40), json!({"brand": brand}));
        assert_eq!(
            (&*hold(&v, code).rule, v.coverage, v.action, open(&v)),
            ("A-48", Coverage::Unknown, Action::Hold, vec![])
        );
    }
    assert_eq!(on(day(40), json!({"brand": "YEALINK"})), on(day(40), json!({"brand": "yealink"})));
    table("A-48");
}

fn day_of(ship_date: &str) -> Value {
    with(day(0), json!({"ship_date": ship_date}))
}

#[test]
fn a_49_a_used_replacement_refuses_the_next_one() {
    let v = a(&second(700));
    assert_eq!(hold(&v, "replacement_used").text, "replacement already used: SN1, 2027-02-05");
    assert_eq!((v.action, v.allows(Move::Replace), v.allows(Move::Bench)), (Action::Diagnose, false, true));
    cites(&v, &["A-49"]);
    let beyond = on(second(700), json!({"outcome": "replace"}));
    assert_eq!(
        (beyond.action, beyond.route.as_deref(), beyond.charges.len()),
        (Action::Route, Some("partner_team"), 0)
    );
    let repaired = on(second(700), json!({"outcome": "repair"}));
    assert_eq!((repaired.action, is_held(&repaired, "replacement_used")), (Action::Repair, false));
    assert!(!is_held(&on(day(700), json!({"outcome": "replace"})), "replacement_used"));
    // Within 30 days too: a second replacement after a dead-on-arrival is used up by the third failure.
    let third = on(
        day(20),
        json!({"serial": "SN3", "ship_date": "2026-01-15", "lineage": [
        {"serial": "SN1", "shipped": SHIPPED_ON, "replaced_on": "2026-01-06", "doa": "2026-01-04"},
        {"serial": "SN2", "shipped": "2026-01-06", "replaced_on": "2026-01-15", "doa": "2026-01-12"}]}),
    );
    assert_eq!((third.action, third.advance_replacement.allowed), (Action::Diagnose, false));
    assert_eq!(hold(&third, "replacement_used").text, "replacement already used: SN2, 2026-01-15");
    table("A-49");
}

#[test]
fn a_50_the_count_follows_the_line_of_units() {
    let v = a(&second(700));
    assert!(reason(&v, "A-50").contains("count in this line of units: 1; the first unit was SN1"));
    silent_on(&a(&day(700)), &["A-50"]);
    table("A-50");
}

#[test]
fn a_51_a_replacement_inherits_the_end_of_warranty() {
    let first = on(day(700), json!({"brand": "Snom"}));
    let v = a(&second(700));
    assert_eq!((v.warranty_until, first.warranty_until), (Some(date("2029-01-01")), Some(date("2029-01-01"))));
    cites(&v, &["A-51"]);
    silent_on(&v, &["A-52"]);
    assert_eq!(
        on(
            second(700),
            json!({"reported": "2029-01-01", "rma": {"issued": null}, "received": null, "today": "2029-01-01"})
        )
        .coverage,
        Coverage::InWarranty
    );
    assert_eq!(
        on(
            second(700),
            json!({"reported": "2029-01-02", "rma": {"issued": null}, "received": null, "today": "2029-01-02"})
        )
        .coverage,
        Coverage::OutOfWarranty
    );
    table("A-51");
}

#[test]
fn a_52_dead_on_arrival_by_day_30_restarts_the_warranty_once() {
    let doa = |found: Value, replaced: &str| {
        on(
            day(60),
            json!({"serial": "SN2", "ship_date": "2026-02-05",
            "lineage": [{"serial": "SN1", "shipped": SHIPPED_ON, "replaced_on": replaced, "doa": found}]}),
        )
    };
    for (found, replaced, restarts) in [
        (json!("2026-01-31"), "2026-02-05", true),
        (json!("2026-02-01"), "2026-02-05", false),
        (json!(true), "2026-02-05", true),
        (json!(true), "2026-01-31", true),
        (json!(true), "2026-02-01", false),
        (json!(false), "2026-01-31", false),
        (json!(null), "2026-01-31", false),
    ] {
        let v = doa(found.clone(), replaced);
        let (until, used) = if restarts { ("2028-02-05", false) } else { ("2028-01-01", true) };
        assert_eq!(
            (v.warranty_until, is_held(&v, "replacement_used")),
            (Some(date(until)), used),
            "{found} {replaced}"
        );
        cites(&v, &[if restarts { "A-52" } else { "A-51" }]);
    }
    // The replacement of a replacement: one restart only, and the restarted dates stay.
    let twice = on(
        day(60),
        json!({"serial": "SN3", "ship_date": "2026-02-20", "lineage": [
        {"serial": "SN1", "shipped": SHIPPED_ON, "replaced_on": "2026-01-10", "doa": "2026-01-05"},
        {"serial": "SN2", "shipped": "2026-01-10", "replaced_on": "2026-02-20", "doa": "2026-01-20"}]}),
    );
    assert_eq!((twice.warranty_until, is_held(&twice, "replacement_used")), (Some(date("2028-01-10")), true));
    let unknown = on(
        day(60),
        json!({"serial": "SN2", "ship_date": null, "lineage": [{"serial": "SN1", "shipped": SHIPPED_ON, "doa": "2026-01-05"}]}),
    );
    assert_eq!((unknown.warranty_until, open(&unknown)), (None, vec![]));
    table("A-52");
}

fn brand_row(brand: &str) {
    let (name, months, rule) = BRANDS.iter().find(|(name, ..)| *name == brand).unwrap();
    let end = date(SHIPPED_ON) + chrono::Months::new(*months);
    let last = (end - date(SHIPPED_ON)).num_days() as u64;
    for (n, coverage) in [(last, Coverage::InWarranty), (last + 1, Coverage::OutOfWarranty)] {
        let v = on(day(n), json!({"brand": name}));
        assert_eq!((v.warranty_until, v.coverage), (Some(end), coverage), "{name} day {n}");
        cites(&v, &["A-48", rule]);
    }
    let once = on(
        second(300),
        json!({"brand": name, "ship_date": plus(SHIPPED_ON, 100), "lineage": [{"serial": "SN1", "shipped": SHIPPED_ON, "replaced_on": plus(SHIPPED_ON, 100)}]}),
    );
    assert!(is_held(&once, "replacement_used"), "{name}: at most one replacement");
    assert!(!is_held(&on(day(300), json!({"brand": name})), "replacement_used"), "{name}: one is free");
}

#[test]
fn a_53_htek_4_years() {
    brand_row("Htek");
    table("A-53");
}

#[test]
fn a_54_htek_at_most_one_replacement() {
    let v = on(second(700), json!({"brand": "Htek"}));
    cites(&v, &["A-54", "A-49"]);
    silent_on(&on(day(700), json!({"brand": "Htek"})), &["A-54"]);
    table("A-54");
}

#[test]
fn a_55_nothing_goes_to_htek_without_their_number() {
    let htek = |change: Value| on(with(partner(40), json!({"brand": "Htek"})), change);
    let v = htek(json!({"vendor_rma": null}));
    assert_eq!((&*hold(&v, "vendor_rma_missing").rule, v.allows(Move::VendorLeg)), ("A-55", false));
    let v = htek(json!({}));
    assert!(v.allows(Move::VendorLeg));
    let vendor = v.vendor.unwrap();
    assert_eq!((&*vendor.send_to, vendor.rma_number_required, &*vendor.rule), ("Htek", true, "A-55"));
    assert!(htek(json!({"distributor": null})).allows(Move::VendorLeg), "no distributor is involved");
    table("A-55");
}

#[test]
fn a_56_yealink_2_years() {
    brand_row("Yealink");
    table("A-56");
}

#[test]
fn a_57_grandstream_2_years() {
    brand_row("Grandstream");
    table("A-57");
}

#[test]
fn a_58_snom_3_years() {
    brand_row("Snom");
    table("A-58");
}

#[test]
fn a_59_polycom_2_years() {
    brand_row("Polycom");
    table("A-59");
}

#[test]
fn a_60_four_brands_go_to_the_units_own_distributor() {
    for brand in ["Yealink", "Grandstream", "Snom", "Polycom"] {
        for distributor in ["Delta Supply", "Omega Telecom"] {
            let v = on(partner(40), json!({"brand": brand, "distributor": distributor}));
            let vendor = v.vendor.unwrap();
            assert_eq!((&*vendor.send_to, &*vendor.rule), (distributor, "A-60"));
        }
        let v = on(partner(40), json!({"brand": brand, "distributor": null}));
        assert_eq!((&*hold(&v, "distributor_unknown").rule, v.allows(Move::VendorLeg)), ("A-60", false));
        assert_eq!(v.vendor.unwrap().send_to, "unknown");
    }
    table("A-60");
}

#[test]
fn a_61_nothing_goes_to_the_distributor_without_a_number() {
    for brand in ["Yealink", "Grandstream", "Snom", "Polycom"] {
        for number in [json!(null), json!(""), json!("  ")] {
            let v = on(partner(40), json!({"brand": brand, "vendor_rma": number}));
            assert_eq!((&*hold(&v, "vendor_rma_missing").rule, v.allows(Move::VendorLeg)), ("A-61", false));
            assert!(v.vendor.unwrap().rma_number_required);
        }
        assert!(on(partner(40), json!({"brand": brand})).allows(Move::VendorLeg));
    }
    table("A-61");
}

fn ntf(n: u64, change: Value) -> Verdict {
    on(day(n), with(json!({"outcome": "ntf"}), change))
}

#[test]
fn a_62_no_trouble_found_goes_back() {
    for n in [0, 30, 31, 730] {
        for facts in [day(n), partner(n)] {
            let v = on(facts, json!({"outcome": "ntf"}));
            assert_eq!(v.action, Action::Return);
            assert!(v.charges.is_empty() && v.vendor.is_none());
            cites(&v, &["A-62"]);
        }
    }
    let advance = ntf(
        9,
        json!({"advance": {"shipped": "2026-01-10", "original_received": "2026-01-12"}, "rma": {"wants_back": true}}),
    );
    assert_eq!((&*hold(&advance, "ntf_with_advance").rule, advance.allows(Move::Ship)), ("A-62", false));
    table("A-62");
}

#[test]
fn a_63_first_ask_whether_they_want_it_back() {
    let v = ntf(9, json!({"rma": {"contacted": "2026-01-12"}}));
    assert_eq!((&*hold(&v, "contact_first").rule, v.allows(Move::Ship)), ("A-63", false));
    assert!(messages(&v).contains(&"customer want_it_back A-63".to_owned()));
    assert_eq!(
        dues(&v),
        [
            "remind_want_it_back 2026-01-19 A-63",
            "remind_want_it_back 2026-01-26 A-63",
            "list_open_answer 2026-02-11 A-63"
        ]
    );
    let yes = ntf(9, json!({"rma": {"wants_back": true}}));
    assert_eq!((yes.holds.len(), yes.allows(Move::Ship)), (0, true));
    let no = ntf(9, json!({"rma": {"wants_back": false}}));
    assert_eq!((&*hold(&no, "not_wanted_back").rule, no.allows(Move::Ship)), ("A-63", false));
    table("A-63");
}

#[test]
fn a_64_back_by_ground_unless_they_want_rush_and_pay() {
    for (asked, paid, leg) in [
        (json!(null), json!(null), "outbound us ground A-64"),
        (json!(true), json!(null), "outbound us ground A-64"),
        (json!(true), json!(false), "outbound us ground A-64"),
        (json!(false), json!(true), "outbound us ground A-64"),
        (json!(true), json!(true), "outbound customer rush A-64"),
    ] {
        for n in [9, 40] {
            let v = ntf(n, json!({"rush": {"asked": asked, "paid_by_customer": paid}}));
            assert_eq!(legs(&v)[1], leg, "{asked} {paid}");
            let refused = v.reasons.iter().any(|r| r.text.starts_with("rush refused"));
            assert_eq!(refused, asked == json!(true) && paid != json!(true));
        }
    }
    let partner = on(partner(40), json!({"outcome": "ntf", "rush": {"asked": true, "paid_by_customer": true}}));
    assert_eq!(legs(&partner)[1], "outbound partner rush A-64");
    table("A-64");
}

/// After the bench: `outcome` on day `n` gives the action, the service of the outbound leg, and the rule.
fn back(n: u64, outcome: &str, service: &str, rule: &str, silent: &str) {
    for facts in [day(n), partner(n)] {
        let v = on(facts, json!({"outcome": outcome, "rma": {"consent": true}}));
        let leg = v.legs.iter().find(|l| l.leg.as_str() == "outbound").unwrap();
        assert_eq!((v.action.as_str(), leg.service.as_str(), leg.payer.as_str()), (outcome, service, "us"));
        cites(&v, &[rule]);
        silent_on(&v, &[silent]);
    }
}

#[test]
fn a_65_repaired_goes_ground_from_day_31() {
    back(31, "repair", "ground", "A-65", "A-66");
    table("A-65");
}

#[test]
fn a_66_repaired_goes_rush_up_to_day_30() {
    back(30, "repair", "rush", "A-66", "A-65");
    table("A-66");
}

#[test]
fn a_67_replaced_goes_ground_from_day_31() {
    back(31, "replace", "ground", "A-67", "A-68");
    table("A-67");
}

#[test]
fn a_68_replaced_goes_rush_up_to_day_30() {
    back(30, "replace", "rush", "A-68", "A-67");
    table("A-68");
}

#[test]
fn a_44_each_cell_stands_alone() {
    let text = shipped_text("voip");
    let before = program("voip");
    let cells: Vec<usize> = text.match_indices("[[cell]]").map(|(at, _)| at).collect();
    assert_eq!(cells.len(), 6);
    let units: Vec<Value> = [day(9), partner(9), day(40), partner(40), day(800), partner(800)].into();
    for (cell, start) in cells.iter().enumerate() {
        // Another action in this one cell.
        let at = start + text[*start..].find("{ do = \"").unwrap() + 8;
        let end = at + text[at..].find('"').unwrap();
        let mutant = format!("{}quote{}", &text[..at], &text[end..]).replace("[next]", "[next]\nquote = \"Quote it.\"");
        let mutant = backdock::program::Program::parse("mutant.toml", &mutant).unwrap().value;
        for (unit, facts) in units.iter().enumerate() {
            let (old, new) = (judge(before, facts), judge(&mutant, facts));
            assert_eq!(old == new, unit != cell, "cell {cell}, unit {unit}");
        }
    }
}
