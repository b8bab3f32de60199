//! Process B, rule by rule. The unit is a direct customer's recorder bought on 2026-01-01, in warranty,
//! with all papers in order, unless a test says otherwise.

use super::support::*;
use super::table::table;
use backdock::domain::verdict::{Action, Coverage, Move, Verdict};

const BOUGHT: &str = "2026-01-01";

fn unit(change: Value) -> Verdict {
    judge(program("security"), &with(good(), change))
}

fn good() -> Value {
    json!({
        "channel": "direct", "brand": "Any", "model": "DVR-8", "serial": "SN1", "purchase_date": BOUGHT, "ship_date": BOUGHT,
        "warranty_until": "2028-01-01", "reported": "2026-01-20", "received": "2026-01-22", "today": "2026-01-22",
        "rma": {"number": "RMA2001", "issued": "2026-01-20", "ticket": "T-1", "diagnosed": true, "proof_of_purchase": true}
    })
}

/// Reported (and received) on day `n` after the purchase.
fn on_day(n: u64, change: Value) -> Verdict {
    let day = plus(BOUGHT, n);
    unit(with(json!({"reported": day, "received": day, "today": day, "rma": {"issued": day}}), change))
}

fn oow(change: Value) -> Verdict {
    unit(with(json!({"warranty_until": "2026-01-19"}), change))
}

#[test]
fn b_01_no_ticket_holds_the_box() {
    let v = unit(json!({"rma": {"ticket": null}}));
    assert_eq!((&*hold(&v, "no_ticket").rule, v.allows(Move::Bench)), ("B-01", false));
    assert_eq!(unit(json!({})).holds, []);
    table("B-01");
}

#[test]
fn b_02_no_troubleshooting_holds_the_unit() {
    assert_eq!(hold(&unit(json!({"rma": {"diagnosed": false}})), "not_troubleshot").rule, "B-02");
    assert!(!is_held(&unit(json!({"class": "unwanted", "rma": {"diagnosed": null}})), "not_troubleshot"));
    table("B-02");
}

#[test]
fn b_06_diagnosis_is_due_on_the_day_of_receipt() {
    assert!(dues(&unit(json!({}))).contains(&"diagnosis 2026-01-22 B-06".to_owned()));
    assert!(unit(json!({"today": "2026-01-23"})).allows(Move::Bench), "a target, never a block");
    table("B-06");
}

#[test]
fn b_07_resolution_is_due_two_business_days_after_the_receipt() {
    // 2026-01-22 is a Thursday.
    assert!(dues(&unit(json!({"outcome": "repair"}))).contains(&"resolution 2026-01-26 B-07".to_owned()));
    table("B-07");
}

#[test]
fn b_08_an_undiscovered_fault_is_extended_not_late() {
    assert!(reason(&unit(json!({"today": "2026-01-23"})), "B-08").ends_with("extended"));
    silent_on(&unit(json!({})), &["B-08"]);
    silent_on(&unit(json!({"today": "2026-01-23", "outcome": "repair"})), &["B-08"]);
    table("B-08");
}

#[test]
fn b_10_repaired_units_go_ground() {
    let v = unit(json!({"outcome": "repair"}));
    assert_eq!((v.action, legs(&v)), (Action::Repair, vec!["outbound us ground B-10".to_owned()]));
    assert_eq!(legs(&oow(json!({"outcome": "repair"}))), ["outbound customer ground B-10"]);
    table("B-10");
}

#[test]
fn b_12_expedited_only_with_its_charge() {
    let asked = |paid: Value| unit(json!({"outcome": "repair", "rush": {"asked": true, "paid_by_customer": paid}}));
    let v = asked(json!(true));
    assert_eq!(legs(&v), ["outbound customer rush B-12"]);
    assert_eq!(hold(&v, "expedited_not_set").rule, "B-12", "the price is not named in the process");
    let v = asked(json!(null));
    assert_eq!(legs(&v), ["outbound us ground B-10"]);
    assert!(reason(&v, "B-12").contains("refused"));
    table("B-12");
}

#[test]
fn b_13_out_of_warranty_is_received_all_the_same() {
    let v = oow(json!({}));
    assert_eq!((v.coverage, v.action, v.allows(Move::Bench)), (Coverage::OutOfWarranty, Action::Diagnose, true));
    cites(&v, &["B-13"]);
    assert_eq!(unit(json!({"warranty_until": "2026-01-20"})).coverage, Coverage::InWarranty);
    silent_on(&unit(json!({})), &["B-14"]);
    // Months run from the purchase, or from our own shipping where that is not on record.
    for (purchase, ship, until) in [
        (json!("2026-01-01"), json!("2025-12-01"), Some(date("2027-01-01"))),
        (json!(null), json!("2025-12-01"), Some(date("2026-12-01"))),
        (json!(null), json!(null), None),
    ] {
        let v =
            unit(json!({"warranty_until": null, "warranty_months": 12, "purchase_date": purchase, "ship_date": ship}));
        assert_eq!(v.warranty_until, until);
    }
    table("B-13");
}

#[test]
fn b_14_diagnosis_and_estimate_are_free() {
    assert_eq!(charges(&oow(json!({}))), [""; 0]);
    cites(&oow(json!({})), &["B-14"]);
    table("B-14");
}

#[test]
fn b_15_out_of_warranty_the_customer_hears_the_cost_first() {
    let v = oow(json!({"outcome": "repair"}));
    assert_eq!((v.action, &*hold(&v, "cost_not_told").rule), (Action::Quote, "B-15"));
    assert!(messages(&v).contains(&"customer estimate B-15".to_owned()));
    assert!(!is_held(&oow(json!({"outcome": "repair", "rma": {"contacted": "2026-01-22"}})), "cost_not_told"));
    assert!(!is_held(&oow(json!({})), "cost_not_told"), "diagnosis goes on");
    table("B-15");
}

#[test]
fn b_16_out_of_warranty_nothing_goes_on_without_consent() {
    let told = json!({"outcome": "replace", "rma": {"contacted": true, "consent": null}});
    assert_eq!(
        (hold(&oow(told.clone()), "no_consent").rule.to_string(), oow(told).allows(Move::Replace)),
        ("B-16".into(), false)
    );
    let v = oow(json!({"outcome": "replace", "rma": {"contacted": true, "consent": true}}));
    assert_eq!((v.action, v.holds.len()), (Action::Replace, 0));
    silent_on(&unit(json!({"outcome": "replace"})), &["B-15", "B-16"]);
    table("B-16");
}

#[test]
fn b_17_dead_on_arrival_by_manufacturing_defect_is_replaced() {
    for outcome in ["repair", "replace"] {
        let v = on_day(30, json!({"class": "doa", "outcome": outcome, "warranty_until": null}));
        assert_eq!((v.action, v.holds.len()), (Action::Replace, 0), "{outcome}");
        cites(&v, &["B-17"]);
    }
    let abused = unit(json!({"class": "doa", "outcome": "user_damage"}));
    assert_eq!((abused.action, abused.allows(Move::Replace)), (Action::Hold, false));
    silent_on(&on_day(31, json!({"class": "doa", "outcome": "replace"})), &["B-17"]);
    let undated = unit(json!({"class": "doa", "outcome": "replace", "purchase_date": null}));
    assert_eq!(hold(&undated, "doa_date_missing").rule, "B-17");
    table("B-17");
}

#[test]
fn b_18_dead_on_arrival_costs_nothing() {
    let v = unit(json!({"class": "doa", "outcome": "replace"}));
    assert_eq!(v.charges, []);
    cites(&v, &["B-18"]);
    table("B-18");
}

#[test]
fn b_19_dead_on_arrival_ships_free_both_ways() {
    assert_eq!(
        legs(&unit(json!({"class": "doa", "outcome": "replace"}))),
        ["inbound us any B-19", "outbound us ground B-19"]
    );
    table("B-19");
}

#[test]
fn b_20_advance_replacement_within_30_days_of_the_purchase() {
    for (n, allowed, mode) in [(0, true, "charge_first"), (30, true, "charge_first"), (31, false, "none")] {
        let a = on_day(n, json!({"ship_date": "2025-12-01"})).advance_replacement;
        assert_eq!((a.allowed, a.mode.as_str(), &*a.rule), (allowed, mode, "B-20"), "day {n}");
    }
    assert!(!unit(json!({"class": "exchange"})).advance_replacement.allowed);
    let unknown = unit(json!({"purchase_date": null}));
    assert!(!unknown.advance_replacement.allowed && questions(&unknown).contains(&"purchase_date B-20".to_owned()));
    assert!(messages(&on_day(31, json!({"class": "advance"}))).contains(&"customer advance_refused B-20".to_owned()));
    // The day of the report counts, then the RMA's, then the receipt, at last today.
    for (gone, event) in [
        (json!({}), "2026-01-20 (reported)"),
        (json!({"reported": null, "rma": {"issued": "2026-01-21"}}), "2026-01-21 (rma.issued)"),
        (json!({"reported": null, "rma": {"issued": null}}), "2026-01-22 (received)"),
        (
            json!({"reported": null, "rma": {"issued": null}, "received": null, "today": "2026-01-23"}),
            "2026-01-23 (today)",
        ),
    ] {
        assert!(reason(&unit(gone), "B-20").ends_with(event), "{event}");
    }
    table("B-20");
}

#[test]
fn b_21_the_advance_is_charged_before_it_leaves() {
    let v = unit(json!({"class": "advance"}));
    assert_eq!((&*hold(&v, "advance_not_charged").rule, v.allows(Move::Advance)), ("B-21", false));
    assert_eq!(hold(&v, "advance_price_not_set").rule, "B-21");
    assert_eq!(
        charges(&judge(filled("security"), &with(good(), json!({"class": "advance"})))),
        ["advance 10.00 USD customer B-21"]
    );
    assert!(unit(json!({"class": "advance", "advance": {"charged": "2026-01-21"}})).allows(Move::Advance));
    table("B-21");
}

fn refund(change: Value) -> Vec<String> {
    charges(&judge(
        filled("security"),
        &with(
            with(
                good(),
                json!({"class": "advance", "advance": {"charged": true, "shipped": "2026-01-20"}, "outcome": "replace"}),
            ),
            change,
        ),
    ))
}

#[test]
fn b_22_the_advance_is_given_back_once_the_original_is_back_and_defective() {
    assert_eq!(refund(json!({})), ["advance_refund -10.00 USD customer B-23"]);
    assert_eq!(refund(json!({"received": null})), [""; 0]);
    assert_eq!(refund(json!({"received": null, "advance": {"original_received": "2026-01-21"}})).len(), 1);
    assert_eq!(refund(json!({"outcome": "ntf"})), [""; 0]);
    cites(&unit(json!({"advance": {"charged": true, "shipped": "2026-01-20"}, "outcome": "repair"})), &["B-22"]);
    table("B-22");
}

#[test]
fn b_23_a_direct_purchase_is_reimbursed_to_the_customer() {
    assert_eq!(refund(json!({"channel": "direct"})), ["advance_refund -10.00 USD customer B-23"]);
    table("B-23");
}

#[test]
fn b_24_a_purchase_through_a_distributor_is_reimbursed_there() {
    assert_eq!(
        refund(json!({"channel": "distributor", "distributor": "Delta"})),
        ["advance_refund -10.00 USD partner B-24"]
    );
    table("B-24");
}

#[test]
fn b_25_an_advance_request_needs_number_and_proof() {
    let v = unit(json!({"class": "advance", "rma": {"number": null}}));
    assert_eq!((&*hold(&v, "advance_number_missing").rule, v.allows(Move::Advance)), ("B-25", false));
    let v = unit(json!({"class": "advance", "rma": {"proof_of_purchase": null}}));
    assert_eq!((&*hold(&v, "advance_proof_missing").rule, v.advance_replacement.allowed), ("B-25", true));
    table("B-25");
}

#[test]
fn b_26_no_fault_found_goes_back_at_our_cost() {
    for outcome in ["ntf", "working"] {
        let v = unit(json!({"outcome": outcome}));
        assert_eq!((v.action, legs(&v)), (Action::Return, vec!["outbound us ground B-26".to_owned()]));
    }
    table("B-26");
}

fn nff(change: Value) -> Verdict {
    unit(with(
        json!({"outcome": "ntf", "packaging": "original", "advance": {"charged": true, "shipped": "2026-01-20"}}),
        change,
    ))
}

#[test]
fn b_27_an_incomplete_advance_unit_earns_no_credit() {
    let back = |complete: Value| nff(json!({"answers": {"keep_or_return": "return", "advance_complete": complete}}));
    for open in [json!(null), json!("no"), json!("yes"), json!({"answer": "no", "by": "B7"})] {
        let v = back(open.clone());
        assert_eq!(
            (&*hold(&v, "advance_incomplete").rule, v.allows(Move::Credit), v.charges.len()),
            ("B-27", false, 0),
            "{open}"
        );
    }
    let v = back(json!({"answer": "yes", "by": "B7"}));
    assert!(!is_held(&v, "advance_incomplete"));
    let facts = with(
        good(),
        json!({"outcome": "ntf", "advance": {"charged": true, "shipped": "2026-01-20"},
        "answers": {"keep_or_return": "return", "advance_complete": {"answer": "yes", "by": "B7"}}}),
    );
    assert_eq!(charges(&judge(filled("security"), &facts)), ["advance_refund -10.00 USD customer B-27"]);
    table("B-27");
}

#[test]
fn b_28_the_customer_may_keep_the_advance_unit() {
    let v = nff(json!({"rma": {"contacted": "2026-01-22"}}));
    assert!(messages(&v).contains(&"customer keep_or_return B-28".to_owned()));
    assert!(questions(&v).contains(&"keep_or_return B-28".to_owned()));
    assert!(dues(&v).contains(&"advance_choice 2026-02-21 B-28".to_owned()));
    let kept = nff(json!({"answers": {"keep_or_return": "keep"}}));
    assert!(reason(&kept, "B-28").contains("charge stands"));
    assert_eq!((kept.charges.len(), is_held(&kept, "advance_incomplete")), (0, false));
    let silence = |today: &str| nff(json!({"today": today, "rma": {"contacted": "2026-01-22"}}));
    assert!(silence("2026-02-21").reasons.iter().all(|r| !r.text.contains("counts as kept")));
    assert!(reason(&silence("2026-02-22"), "B-28").contains("counts as kept"));
    table("B-28");
}

const OURS: [&str; 3] = ["wrong_product", "arrived_defective", "arrived_damaged"];
const THEIRS: [&str; 3] = ["wrong_item_ordered", "wrong_size", "change_of_mind"];

#[test]
fn b_31_our_or_the_carriers_fault_goes_through_sales() {
    for reason in OURS {
        assert!(messages(&unit(json!({"reason": reason}))).contains(&"sales wrong_or_damaged B-31".to_owned()));
    }
    silent_on(&unit(json!({"reason": "change of mind"})), &["B-31"]);
    table("B-31");
}

#[test]
fn b_32_the_customers_change_of_mind_goes_through_sales() {
    for reason in THEIRS {
        assert!(messages(&unit(json!({"reason": reason}))).contains(&"sales ordered_wrong B-32".to_owned()));
    }
    silent_on(&unit(json!({"reason": "something else"})), &["B-31", "B-32", "B-35"]);
    table("B-32");
}

#[test]
fn b_33_sales_and_the_rma_department_replace_and_fetch() {
    for reason in OURS.iter().chain(&THEIRS) {
        cites(&unit(json!({"reason": reason})), &["B-33"]);
    }
    table("B-33");
}

#[test]
fn b_35_a_call_tag_for_the_six_reasons() {
    for reason in OURS {
        assert_eq!(legs(&unit(json!({"reason": reason})))[0], "inbound us ground B-35");
    }
    for reason in THEIRS {
        let v = unit(json!({"reason": reason}));
        assert_eq!((&*hold(&v, "call_tag_payer").rule, v.allows(Move::Inbound)), ("B-35", false));
        assert!(v.legs.iter().all(|l| l.leg.as_str() != "inbound"), "nobody said who pays");
        for (payer, leg) in [("us", "inbound us ground B-35"), ("customer", "inbound customer ground B-35")] {
            let v = unit(json!({"reason": reason, "answers": {"call_tag_payer": {"answer": payer, "by": "M. Gray"}}}));
            assert_eq!((&*legs(&v)[0], v.allows(Move::Inbound)), (leg, true));
        }
    }
    silent_on(&unit(json!({"reason": null})), &["B-35"]);
    table("B-35");
}

fn unwanted(n: u64, change: Value) -> Verdict {
    on_day(n, with(json!({"class": "unwanted", "outcome": "working"}), change))
}

#[test]
fn b_36_unwanted_products_come_back_within_30_days() {
    let v = unwanted(30, json!({"answers": {"credit_or_exchange": "exchange"}}));
    assert_eq!(v.action, Action::Exchange);
    assert_eq!(unwanted(30, json!({"class": "credit"})).action, Action::Credit);
    assert_eq!(unwanted(30, json!({"class": "exchange"})).action, Action::Exchange);
    let late = unwanted(31, json!({}));
    assert_eq!((late.action, messages(&late)), (Action::Return, vec!["customer unwanted_refused B-36".to_owned()]));
    // From the delivery where it is known: day 31 since the purchase, day 30 since the delivery.
    assert_eq!(unwanted(31, json!({"delivered": plus(BOUGHT, 1)})).action, Action::Credit);
    let undated = unwanted(9, json!({"purchase_date": null, "ship_date": null}));
    assert_eq!((&*hold(&undated, "date_missing").rule, undated.allows(Move::Credit)), ("B-36", false));
    table("B-36");
}

#[test]
fn b_37_unwanted_needs_the_benchs_working() {
    let v = unwanted(9, json!({"outcome": null}));
    assert_eq!(v.action, Action::Diagnose);
    cites(&v, &["B-37"]);
    let broken = unwanted(9, json!({"outcome": "repair"}));
    assert_eq!(broken.action, Action::Repair);
    silent_on(&broken, &["B-36"]);
    table("B-37");
}

/// The program with lists and a fee, as a company would fill them in.
fn listed() -> backdock::program::Program {
    let text = shipped_text("security");
    let text = text.replacen("present = []\nmissing = []", "present = [\"scratches\"]\nmissing = [\"manual\"]", 1);
    let text = text.replacen("present = []\nmissing = []", "present = [\"burn marks\"]\nmissing = [\"seal\"]", 1);
    backdock::program::Program::parse(
        "listed.toml",
        &text.replace("[fee.restocking]\n# amount = \"0.00\"", "[fee.restocking]\namount = \"30\""),
    )
    .unwrap()
    .value
}

fn listed_unit(conditions: Value, change: Value) -> Verdict {
    let facts = with(with(good(), json!({"class": "credit", "outcome": "working", "conditions": conditions})), change);
    judge(&listed(), &facts)
}

#[test]
fn b_38_a_restocking_fee_for_what_the_list_names() {
    for (conditions, hit) in [
        (json!(["present:scratches"]), true),
        (json!(["Scratches"]), true),
        (json!(["missing:manual"]), true),
        (json!(["missing manual"]), true),
        (json!(["missing:scratches"]), false),
        (json!(["manual"]), false),
        (json!([]), false),
    ] {
        let want: &[&str] = if hit { &["restocking 30.00 USD customer B-38"] } else { &[] };
        assert_eq!(charges(&listed_unit(conditions.clone(), json!({}))), want, "{conditions}");
    }
    // The shipped lists are empty: no fee, and a warning.
    assert_eq!(charges(&unit(json!({"class": "credit", "outcome": "working", "conditions": ["scratches"]}))), [""; 0]);
    let read = backdock::program::Program::parse("b.toml", shipped_text("security")).unwrap();
    assert!(read.warnings.iter().any(|w| w.key == "list.restocking" && w.message.contains("empty")));
    table("B-38");
}

#[test]
fn b_39_the_warranty_is_void_for_what_the_list_names() {
    let v = listed_unit(json!(["burn marks"]), json!({"class": null, "outcome": "repair"}));
    assert_eq!((v.coverage, v.action), (Coverage::Void, Action::Quote));
    assert!(reason(&v, "B-39").contains("burn marks"));
    assert_eq!(listed_unit(json!([]), json!({"class": null, "outcome": "repair"})).coverage, Coverage::InWarranty);
    table("B-39");
}

#[test]
fn b_40_no_fee_without_evidence() {
    let v = listed_unit(json!(["scratches"]), json!({}));
    assert_eq!((questions(&v), v.allows(Move::Charge)), (vec!["condition_evidence B-40".to_owned()], false));
    let v = listed_unit(
        json!(["scratches"]),
        json!({"answers": {"condition_evidence": {"answer": "top cover, photo 17", "by": "B7"}}}),
    );
    assert!(v.allows(Move::Charge));
    assert!(
        questions(&listed_unit(json!(["seal", "missing:seal"]), json!({"class": null})))
            .contains(&"condition_evidence B-40".to_owned())
    );
    table("B-40");
}

#[test]
fn b_41_arrived_damaged_opens_a_carrier_claim() {
    let v = unit(json!({"reason": "arrived_damaged"}));
    assert!(messages(&v).contains(&"supervisor carrier_claim B-41".to_owned()));
    assert!(questions(&v).contains(&"carrier_claim B-41".to_owned()) && !v.allows(Move::Close));
    silent_on(&unit(json!({"reason": "wrong_product"})), &["B-41"]);
    table("B-41");
}

#[test]
fn b_42_an_unknown_channel_holds_every_credit() {
    for channel in [json!(null), json!("marketplace")] {
        let v = unit(json!({"channel": channel}));
        assert_eq!((&*hold(&v, "channel_unknown").rule, v.allows(Move::Credit)), ("B-42", false));
    }
    assert!(reason(&unit(json!({"channel": "distributor", "distributor": "Delta"})), "B-42").contains("Delta"));
    table("B-42");
}

#[test]
fn b_43_the_purchase_is_proven_and_not_after_the_receipt() {
    let v = unit(json!({"channel": "distributor", "rma": {"proof_of_purchase": false}}));
    assert_eq!((&*hold(&v, "purchase_not_proven").rule, v.allows(Move::Credit)), ("B-43", false));
    let v = unit(json!({"purchase_date": "2026-01-23", "today": "2026-02-01"}));
    assert_eq!((&*hold(&v, "contradiction").rule, open(&v)), ("B-43", vec![]));
    assert!(hold(&v, "contradiction").text.contains("purchase_date 2026-01-23 is after received 2026-01-22"));
    table("B-43");
}

#[test]
fn without_a_warranty_on_record_the_money_waits() {
    let v = unit(json!({"warranty_until": null}));
    assert_eq!((v.coverage, v.action, v.allows(Move::Bench)), (Coverage::Unknown, Action::Diagnose, true));
    assert!(!v.allows(Move::Repair) && is_held(&v, "warranty_unknown"));
    assert_eq!(unit(json!({"warranty_until": null, "warranty_months": 12})).warranty_until, Some(date("2027-01-01")));
    let v = unit(json!({"warranty_until": null, "outcome": "repair"}));
    assert_eq!(v.action, Action::Hold);
}
