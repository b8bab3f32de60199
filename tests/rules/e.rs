//! Process E, rule by rule. The unit is a reseller's camera bought long ago, with all papers in order,
//! unless a test says otherwise.

use super::support::*;
use super::table::table;
use backdock::domain::verdict::{Action, Coverage, Move, Verdict};
use backdock::program::{Decision, Situation};

fn unit(change: Value) -> Verdict {
    judge(program("smart"), &with(good(), change))
}

fn good() -> Value {
    json!({
        "channel": "reseller", "account": "AC-7", "brand": "Any", "model": "CP4", "serial": "SN1", "purchase_date": "2025-06-01",
        "warranty_until": "2027-06-01", "reported": "2026-03-01", "received": "2026-03-10", "today": "2026-03-10",
        "packaging": "original", "damage": "none", "rma_marked_outside": true,
        "rma": {"number": "RMA5001", "issued": "2026-03-01", "expected": ["SN1", "SN2"]}
    })
}

/// Bought on day `n` before the report.
fn bought(n: u64, change: Value) -> Verdict {
    let purchase = (date("2026-03-01") - chrono::Days::new(n)).to_string();
    unit(with(json!({"purchase_date": purchase}), change))
}

#[test]
fn e_01_received_within_14_days_of_the_creation() {
    for (received, today, late) in [
        (json!("2026-03-15"), "2026-04-01", false),
        (json!("2026-03-16"), "2026-04-01", true),
        (json!(null), "2026-03-15", false),
        (json!(null), "2026-03-16", true),
    ] {
        let v = unit(json!({"received": received, "today": today}));
        assert_eq!((is_held(&v, "late"), v.allows(Move::Bench)), (late, !late), "{received}");
        assert_eq!(v.action, Action::Diagnose, "held first, not rejected");
        cites(&v, &["E-01"]);
    }
    let accepted = unit(
        json!({"received": "2026-03-16", "today": "2026-03-16", "released": {"late": {"answer": "accept", "by": "Supervisor 1"}}}),
    );
    assert!(accepted.allows(Move::Bench) && reason(&accepted, "E-01").contains("Supervisor 1"));
    assert!(dues(&unit(json!({"received": null}))).contains(&"must_arrive 2026-03-15 E-01".to_owned()));
    assert_eq!(program("smart").valid_until(date("2026-03-01")), Some(date("2026-03-15")));
    assert_eq!(program("smart").intake(Situation::RmaExpired).decision, Decision::Hold);
    table("E-01");
}

#[test]
fn e_02_an_end_clients_return_is_held() {
    for (channel, code) in [
        (json!("direct"), "end_client"),
        (json!("agent"), "end_client"),
        (json!(null), "channel_unknown"),
        (json!("?"), "channel_unknown"),
    ] {
        let v = unit(json!({"channel": channel}));
        assert_eq!((&*hold(&v, code).rule, v.allows(Move::Bench)), ("E-02", false), "{channel}");
    }
    for channel in ["reseller", "distributor", "service_provider"] {
        silent_on(&unit(json!({"channel": channel})), &["E-02"]);
    }
    table("E-02");
}

#[test]
fn e_03_the_partner_pays_both_ways() {
    for outcome in [json!(null), json!("repair"), json!("replace")] {
        assert_eq!(legs(&unit(json!({"outcome": outcome}))), ["inbound partner any E-03", "outbound partner any E-03"]);
    }
    table("E-03");
}

#[test]
fn e_04_dead_on_arrival_is_not_at_the_partners_cost() {
    for outcome in ["repair", "replace"] {
        assert_eq!(
            legs(&unit(json!({"class": "doa", "outcome": outcome}))),
            ["inbound us any E-04", "outbound us any E-04"]
        );
    }
    for open in [json!(null), json!("ntf"), json!("user_damage")] {
        silent_on(&unit(json!({"class": "doa", "outcome": open})), &["E-04"]);
    }
    table("E-04");
}

#[test]
fn e_06_what_is_not_on_the_rma_is_set_aside() {
    let v = unit(json!({"serial": "SN3"}));
    assert_eq!((v.action, &*hold(&v, "unauthorised_item").rule, open(&v)), (Action::Hold, "E-06", vec![]));
    silent_on(&unit(json!({"serial": "sn2"})), &["E-06", "E-07"]);
    let row = program("smart").intake(Situation::UnitNotOnRma);
    assert_eq!((&*row.code, &*row.rule), ("unauthorised_item", "E-06"));
    table("E-06");
}

#[test]
fn e_07_the_sender_hears_that_its_return_is_not_guaranteed() {
    let v = unit(json!({"serial": "SN3"}));
    let notice = v.messages.iter().find(|m| m.rule == "E-07").unwrap();
    assert!(notice.text.contains("not guaranteed"));
    table("E-07");
}

#[test]
fn e_10_every_rma_is_standard_or_advanced() {
    for (n, band) in [(0, "advanced"), (30, "advanced"), (31, "standard"), (300, "standard")] {
        assert!(reason(&bought(n, json!({})), "E-10").contains(band), "day {n}");
    }
    assert!(reason(&unit(json!({"purchase_date": null})), "E-10").contains("standard"));
    table("E-10");
}

#[test]
fn e_11_bought_within_30_days_is_advanced() {
    for (n, allowed, mode) in [(0, true, "automatic"), (30, true, "automatic"), (31, false, "none")] {
        let a = bought(n, json!({})).advance_replacement;
        assert_eq!((a.allowed, a.mode.as_str(), &*a.rule), (allowed, mode, "E-11"), "day {n}");
    }
    let unknown = unit(json!({"purchase_date": null}));
    assert_eq!((&*hold(&unknown, "purchase_date_missing").rule, unknown.allows(Move::Advance)), ("E-11", false));
    // The day of the request counts, then the RMA's, then the receipt, at last today.
    for (gone, event) in [
        (json!({"rma": {"issued": "2026-03-02"}}), "2026-03-01 (reported)"),
        (json!({"reported": null, "rma": {"issued": "2026-03-02"}}), "2026-03-02 (rma.issued)"),
        (json!({"reported": null, "rma": {"issued": null}}), "2026-03-10 (received)"),
        (
            json!({"reported": null, "rma": {"issued": null}, "received": null, "today": "2026-03-11"}),
            "2026-03-11 (today)",
        ),
    ] {
        assert!(reason(&unit(gone), "E-11").ends_with(event), "{event}");
    }
    table("E-11");
}

#[test]
fn e_12_the_advance_unit_leaves_before_the_original_is_back() {
    let v = bought(9, json!({"received": null}));
    assert_eq!((v.action, v.allows(Move::Advance), v.charges.len()), (Action::Replace, true, 0));
    assert!(legs(&v).contains(&"advance us any E-12".to_owned()));
    let back = bought(9, json!({"advance": {"shipped": "2026-03-02"}}));
    assert_eq!(back.action, Action::Diagnose, "the original is inspected");
    let works = bought(9, json!({"advance": {"shipped": "2026-03-02"}, "outcome": "ntf"}));
    assert_eq!((&*hold(&works, "advance_good_test").rule, works.charges.len()), ("E-12", 0));
    let out = bought(9, json!({"received": null, "today": "2026-03-16", "advance": {"shipped": "2026-03-02"}}));
    assert_eq!(hold(&out, "advance_not_returned").rule, "E-12");
    table("E-12");
}

#[test]
fn e_13_packaging_is_graded() {
    assert!(questions(&unit(json!({"packaging": null}))).contains(&"packaging E-13".to_owned()));
    cites(&unit(json!({"packaging": "bad"})), &["E-13"]);
    table("E-13");
}

#[test]
fn e_14_damage_on_the_way_is_never_ours() {
    for packaging in ["original", "bad"] {
        let v = unit(json!({"packaging": packaging, "damage": "physical"}));
        assert!(messages(&v).contains(&"customer transit_damage E-14".to_owned()));
    }
    silent_on(&unit(json!({})), &["E-14"]);
    table("E-14");
}

#[test]
fn e_15_the_container_bears_the_number() {
    cites(&unit(json!({"rma_marked_outside": false})), &["E-15"]);
    assert!(questions(&unit(json!({"rma_marked_outside": null}))).contains(&"rma_marked_outside E-15".to_owned()));
    table("E-15");
}

#[test]
fn e_16_without_a_valid_number_it_is_rejected() {
    for change in [json!({"rma": {"number": null, "issued": null}}), json!({"rma": {"closed": true}})] {
        let v = unit(change);
        assert_eq!(v.action, Action::Reject);
        assert_eq!(program("smart").screen_word(&v).word, "REJECT");
        cites(&v, &["E-16"]);
        assert!(!v.allows(Move::Bench) && !v.allows(Move::Advance));
    }
    let announced = unit(json!({"received": null, "rma": {"number": null, "issued": null}}));
    assert_eq!(
        (announced.action, &*hold(&announced, "no_rma_number").rule),
        (Action::Diagnose, "E-16"),
        "nothing came yet"
    );
    let e = program("smart");
    let mut codes = Vec::new();
    for situation in [Situation::NoRma, Situation::RmaUnknown, Situation::RmaClosed, Situation::RmaOtherProgram] {
        let row = e.intake(situation);
        assert_eq!((row.decision, &*row.rule), (Decision::Reject, "E-16"));
        codes.push(row.code.to_string());
    }
    codes.dedup();
    assert_eq!(codes.len(), 4, "four reasons");
    table("E-16");
}

#[test]
fn e_19_no_account_no_return_shipping() {
    assert_eq!(hold(&unit(json!({"account": null})), "no_account").rule, "E-19");
    table("E-19");
}

#[test]
fn e_25_the_number_is_visible_on_the_label() {
    cites(&unit(json!({"rma_marked_outside": false})), &["E-25"]);
    silent_on(&unit(json!({})), &["E-25"]);
    table("E-25");
}

#[test]
fn e_27_each_criterion_alone_is_not_accepted() {
    for change in [
        json!({"rma_marked_outside": false}),
        json!({"rma": {"closed": true}}),
        json!({"rma": {"number": null, "issued": null}}),
    ] {
        let v = unit(change);
        assert_eq!(v.action, Action::Reject);
        cites(&v, &["E-27"]);
    }
    silent_on(&unit(json!({})), &["E-27"]);
    table("E-27");
}

#[test]
fn e_28_rejected_goods_go_back_at_the_partners_cost() {
    assert_eq!(legs(&unit(json!({"rma": {"closed": true}}))), ["outbound partner any E-28"]);
    table("E-28");
}

#[test]
fn e_29_no_replacement_before_the_inspection() {
    let v = unit(json!({}));
    assert_eq!((&*hold(&v, "not_inspected").rule, v.action), ("E-29", Action::Diagnose));
    assert!(!v.allows(Move::Replace) && v.allows(Move::Bench));
    assert!(unit(json!({"outcome": "replace"})).allows(Move::Replace));
    // Months run from the purchase, or from our own shipping; a service plan is not known here.
    for (purchase, ship, until) in [
        (json!("2025-06-01"), json!("2025-05-01"), Some(date("2026-06-01"))),
        (json!(null), json!("2025-05-01"), Some(date("2026-05-01"))),
        (json!(null), json!(null), None),
    ] {
        let months =
            json!({"warranty_until": null, "warranty_months": 12, "purchase_date": purchase, "ship_date": ship});
        assert_eq!(unit(months).warranty_until, until);
    }
    let planned = unit(json!({"warranty_until": "2026-01-01", "plan_until": "2030-01-01"}));
    assert_eq!(planned.coverage, Coverage::OutOfWarranty);
    table("E-29");
}

#[test]
fn e_30_what_works_goes_back() {
    for outcome in ["ntf", "working"] {
        let v = unit(json!({"outcome": outcome}));
        assert_eq!(v.action, Action::Return);
        cites(&v, &["E-30"]);
    }
    table("E-30");
}

#[test]
fn e_31_what_works_goes_back_at_the_clients_cost() {
    for class in [json!(null), json!("doa"), json!("advance")] {
        assert_eq!(legs(&unit(json!({"class": class, "outcome": "working"})))[1], "outbound partner any E-31");
    }
    table("E-31");
}

#[test]
fn e_32_fixed_or_replaced_goes_to_the_reseller() {
    for (outcome, action) in [("repair", Action::Repair), ("replace", Action::Replace)] {
        let v = unit(json!({"outcome": outcome}));
        assert_eq!(v.action, action);
        cites(&v, &["E-32"]);
    }
    table("E-32");
}

#[test]
fn e_33_nothing_is_closed_without_its_resolution() {
    let v = unit(json!({"outcome": "repair", "tracking": "1Z9"}));
    assert_eq!((questions(&v), v.allows(Move::Close)), (vec!["resolution E-33".to_owned()], false));
    assert!(
        unit(json!({"outcome": "repair", "tracking": "1Z9", "answers": {"resolution": "new board"}}))
            .allows(Move::Close)
    );
    table("E-33");
}

#[test]
fn e_34_nothing_is_closed_without_its_tracking_number() {
    let v = unit(json!({"outcome": "repair", "answers": {"resolution": "new board"}}));
    assert_eq!((&*hold(&v, "no_tracking").rule, v.allows(Move::Close)), ("E-34", false));
    table("E-34");
}

#[test]
fn e_36_the_sender_hears_what_failed() {
    let v = unit(json!({"rma_marked_outside": false}));
    assert!(messages(&v).contains(&"customer shipment_rejected E-36".to_owned()));
    assert!(reason(&v, "E-27").contains("not visible"));
    table("E-36");
}
