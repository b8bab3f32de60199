//! Process D, rule by rule. The unit is a direct customer's power strip under factory warranty, with
//! all papers in order, unless a test says otherwise.

use super::support::*;
use super::table::table;
use backdock::domain::verdict::{Action, Coverage, Move, Verdict};

fn unit(change: Value) -> Verdict {
    judge(program("server"), &with(good(), change))
}

fn good() -> Value {
    json!({
        "channel": "direct", "brand": "Any", "model": "PDU-24", "serial": "SN1", "ship_date": "2025-01-01", "warranty_until": "2026-12-31",
        "reported": "2026-03-01", "received": "2026-03-06", "today": "2026-03-06",
        "packaging": "original", "damage": "none", "rma_marked_outside": true,
        "rma": {"number": "RMA4001", "issued": "2026-03-01", "ticket": "T-1"}
    })
}

fn uncovered(change: Value) -> Verdict {
    unit(with(json!({"warranty_until": "2026-02-28"}), change))
}

#[test]
fn d_01_the_help_desk_comes_first() {
    let v = unit(json!({"rma": {"number": null, "ticket": null}}));
    assert_eq!((&*hold(&v, "no_ticket").rule, v.allows(Move::Bench)), ("D-01", false));
    assert_eq!(unit(json!({})).holds, []);
    table("D-01");
}

#[test]
fn d_03_no_return_without_an_rma_number() {
    let v = unit(json!({"rma": {"number": null}}));
    assert_eq!((&*hold(&v, "no_rma_number").rule, v.allows(Move::Bench)), ("D-03", false));
    table("D-03");
}

#[test]
fn d_04_an_rma_is_valid_for_30_days() {
    for (received, today, held) in [
        (json!("2026-03-31"), "2026-05-01", false),
        (json!("2026-04-01"), "2026-05-01", true),
        (json!(null), "2026-03-31", false),
        (json!(null), "2026-04-01", true),
    ] {
        let v = unit(json!({"received": received, "today": today}));
        assert_eq!((is_held(&v, "rma_expired"), v.allows(Move::Bench)), (held, !held), "{received} {today}");
        cites(&v, &["D-04"]);
    }
    let extended = json!({"rma_expired": {"answer": "storm delayed the carrier", "by": "Supervisor 2"}});
    let v = unit(json!({"received": "2026-04-01", "today": "2026-04-01", "released": extended}));
    assert!(!is_held(&v, "rma_expired") && v.allows(Move::Bench));
    assert!(reason(&v, "D-04").contains("storm delayed the carrier"), "never silent");
    assert_eq!(program("server").valid_until(date("2026-03-01")), Some(date("2026-03-31")));
    table("D-04");
}

#[test]
fn d_05_uncovered_products_are_charged_material_and_labour() {
    let v = uncovered(json!({"outcome": "repair"}));
    assert_eq!((v.coverage, v.action), (Coverage::OutOfWarranty, Action::Quote));
    for code in ["material_not_set", "labour_not_set", "no_consent"] {
        assert_eq!(hold(&v, code).rule, "D-05");
    }
    let agreed = uncovered(json!({"outcome": "repair", "rma": {"consent": true}}));
    assert_eq!(
        (agreed.action, is_held(&agreed, "no_consent"), agreed.allows(Move::Repair)),
        (Action::Repair, false, true)
    );
    let priced = shipped_text("server")
        .replace("[fee.material]\n# amount = \"0.00\"", "[fee.material]\namount = 80")
        .replace("[fee.labour]\n# amount = \"0.00\"", "[fee.labour]\namount = 120.50");
    let priced = backdock::program::Program::parse("priced.toml", &priced).unwrap().value;
    let v = judge(&priced, &with(good(), json!({"warranty_until": "2026-02-28", "channel": "reseller"})));
    assert_eq!(charges(&v), ["material 80.00 USD partner D-05", "labour 120.50 USD partner D-05"]);
    assert_eq!(judge(&priced, &good()).charges, []);
    let unknown = unit(json!({"warranty_until": null}));
    assert_eq!((&*hold(&unknown, "coverage_unknown").rule, unknown.action), ("D-05", Action::Diagnose));
    table("D-05");
}

#[test]
fn d_06_a_service_plan_covers_like_the_warranty() {
    for (plan, coverage) in [("2026-03-01", Coverage::Plan), ("2026-02-28", Coverage::OutOfWarranty)] {
        let v = uncovered(json!({"plan_until": plan}));
        assert_eq!(v.coverage, coverage, "{plan}");
    }
    let v = uncovered(json!({"plan_until": "2026-12-31", "outcome": "repair"}));
    assert_eq!((v.action, v.charges.len(), is_held(&v, "no_consent")), (Action::Repair, 0, false));
    cites(&v, &["D-06"]);
    assert_eq!(unit(json!({"warranty_until": null, "plan_until": "2026-12-31"})).coverage, Coverage::Plan);
    table("D-06");
}

#[test]
fn d_07_packaging_is_graded() {
    assert!(questions(&unit(json!({"packaging": null}))).contains(&"packaging D-07".to_owned()));
    cites(&unit(json!({"packaging": "bad"})), &["D-07"]);
    table("D-07");
}

#[test]
fn d_08_damage_from_bad_packaging_is_the_customers() {
    let v = unit(json!({"packaging": "bad", "damage": "physical", "outcome": "repair"}));
    assert_eq!((v.action, legs(&v)[1].as_str()), (Action::Quote, "outbound customer any D-26"));
    cites(&v, &["D-08"]);
    let carrier = unit(json!({"packaging": "original", "damage": "physical", "outcome": "repair"}));
    assert_eq!((carrier.action, legs(&carrier)[1].as_str()), (Action::Repair, "outbound us any D-25"));
    assert!(messages(&carrier).contains(&"supervisor carrier_claim D-08".to_owned()));
    table("D-08");
}

#[test]
fn d_09_improper_handling_is_the_customers() {
    for change in [json!({"damage": "liquid"}), json!({"damage": "disassembled"}), json!({"outcome": "user_damage"})] {
        let v = unit(change.clone());
        cites(&v, &["D-09", "D-26"]);
        assert!(!v.allows(Move::Repair), "{change}");
    }
    table("D-09");
}

#[test]
fn d_13_every_container_bears_the_number() {
    let v = unit(json!({"rma_marked_outside": false}));
    assert_eq!((&*hold(&v, "box_unmarked").rule, v.allows(Move::Bench)), ("D-13", false));
    assert!(questions(&unit(json!({"rma_marked_outside": null}))).contains(&"rma_marked_outside D-13".to_owned()));
    table("D-13");
}

#[test]
fn d_14_the_recertification_fee_is_a_named_persons_yes_or_no() {
    for class in ["credit", "exchange"] {
        let v = unit(json!({"class": class, "purchase_date": "2026-02-20"}));
        assert!(questions(&v).contains(&"recertification_fee D-14".to_owned()) && !v.allows(Move::Close));
        let yes = unit(
            json!({"class": class, "purchase_date": "2026-02-20", "answers": {"recertification_fee": {"answer": "yes", "by": "C. May"}}}),
        );
        assert_eq!(hold(&yes, "recertification_not_set").rule, "D-14");
    }
    silent_on(&unit(json!({"outcome": "repair"})), &["D-14"]);
    table("D-14");
}

#[test]
fn d_15_credit_is_asked_for_within_30_days_of_the_purchase() {
    let asked = |purchase: &str| unit(json!({"class": "credit", "purchase_date": purchase}));
    assert_eq!(asked("2026-01-30").action, Action::Credit, "day 30");
    let late = asked("2026-01-29");
    assert_eq!((late.action, messages(&late)), (Action::Return, vec!["customer credit_refused D-15".to_owned()]));
    // The request counts, not the receipt: asked on day 30, received on day 50.
    let v = unit(
        json!({"class": "credit", "purchase_date": "2026-01-30", "received": "2026-03-21", "today": "2026-03-21"}),
    );
    assert_eq!(v.action, Action::Credit);
    let undated = unit(json!({"class": "credit"}));
    assert_eq!((&*hold(&undated, "purchase_date_missing").rule, undated.allows(Move::Credit)), ("D-15", false));
    table("D-15");
}

#[test]
fn d_16_not_original_packaging_is_a_deviation() {
    let v = unit(json!({"class": "exchange", "packaging": "equivalent"}));
    assert!(reason(&v, "D-16").starts_with("deviation") && v.allows(Move::Bench));
    silent_on(&unit(json!({"packaging": "equivalent"})), &["D-16"]);
    table("D-16");
}

#[test]
fn d_17_not_like_new_is_a_deviation() {
    let v = unit(json!({"class": "credit", "purchase_date": "2026-02-20", "damage": "physical"}));
    assert!(reason(&v, "D-17").starts_with("deviation"));
    assert_eq!(v.action, Action::Credit);
    table("D-17");
}

#[test]
fn d_18_the_receipt_is_the_log() {
    assert!(reason(&unit(json!({})), "D-18").contains("2026-03-06"));
    silent_on(&unit(json!({"received": null})), &["D-18"]);
    table("D-18");
}

#[test]
fn d_19_the_problem_is_analysed() {
    for v in [unit(json!({})), uncovered(json!({})), unit(json!({"warranty_until": null}))] {
        assert_eq!(v.action, Action::Diagnose);
        cites(&v, &["D-19"]);
    }
    table("D-19");
}

#[test]
fn d_20_repaired_within_ten_business_days() {
    for (received, due) in [("2026-03-06", "2026-03-20"), ("2026-03-09", "2026-03-23")] {
        assert_eq!(dues(&unit(json!({"received": received, "today": "2026-03-10"}))), [format!("repair {due} D-20")]);
    }
    assert_eq!(dues(&unit(json!({"class": "credit", "purchase_date": "2026-02-20"}))), [""; 0]);
    table("D-20");
}

#[test]
fn d_21_saturdays_and_sundays_do_not_count() {
    for received in ["2026-03-07", "2026-03-08"] {
        let v = unit(json!({"received": received, "today": "2026-03-10"}));
        assert_eq!(dues(&v), ["repair 2026-03-20 D-20"]);
        cites(&v, &["D-21"]);
    }
    // Nothing else is left out: over Christmas the tenth business day is New Year's.
    let christmas = unit(json!({"received": "2026-12-18", "today": "2026-12-18"}));
    assert!(dues(&christmas).contains(&"repair 2027-01-01 D-20".to_owned()));
    table("D-21");
}

#[test]
fn d_22_what_works_is_repackaged_and_returned() {
    let v = unit(json!({"outcome": "ntf"}));
    assert_eq!(v.action, Action::Return);
    cites(&v, &["D-22"]);
    table("D-22");
}

#[test]
fn d_23_nothing_is_closed_before_the_customer_is_told() {
    let v = unit(json!({"outcome": "repair", "tracking": "1Z9"}));
    assert_eq!((holds(&v), v.allows(Move::Close)), (vec!["customer_not_told D-23".to_owned()], false));
    table("D-23");
}

#[test]
fn d_24_closed_when_repaired_shipped_and_told() {
    let told = json!({"contacted": true});
    let v = unit(json!({"outcome": "repair", "rma": told}));
    assert_eq!((holds(&v), v.allows(Move::Close)), (vec!["not_shipped D-24".to_owned()], false));
    let v = unit(json!({"tracking": "1Z9", "rma": told}));
    assert_eq!(holds(&v), ["not_repaired D-24"]);
    assert!(unit(json!({"outcome": "repair", "tracking": "1Z9", "rma": told})).allows(Move::Close));
    table("D-24");
}

#[test]
fn d_25_covered_products_go_back_at_our_cost() {
    for v in [unit(json!({})), uncovered(json!({"plan_until": "2026-12-31"}))] {
        assert_eq!(legs(&v)[1], "outbound us any D-25");
    }
    table("D-25");
}

#[test]
fn d_26_uncovered_products_go_back_at_the_customers_cost() {
    assert_eq!(legs(&uncovered(json!({})))[1], "outbound customer any D-26");
    assert_eq!(legs(&uncovered(json!({"channel": "distributor"})))[1], "outbound partner any D-26");
    table("D-26");
}
