//! Process C, rule by rule. The unit is a direct customer's radio, in warranty, undamaged, with all
//! papers in order, unless a test says otherwise.

use super::support::*;
use super::table::table;
use backdock::domain::verdict::{Action, Coverage, Move, Verdict};

fn unit(change: Value) -> Verdict {
    judge(program("unex"), &with(good(), change))
}

fn good() -> Value {
    json!({
        "channel": "direct", "brand": "Any", "model": "OBU-301", "serial": "SN1", "macs": ["00-15-65-AB-CD-EF"], "ship_date": "2025-01-01",
        "warranty_until": "2026-12-31", "reported": "2026-03-01", "received": "2026-03-05", "today": "2026-03-05",
        "packaging": "original", "damage": "none", "rma_marked_outside": true,
        "rma": {"number": "RMA3001", "issued": "2026-03-01", "support_request": "TSR-9", "diagnosed": true}
    })
}

fn oow(change: Value) -> Verdict {
    unit(with(json!({"warranty_until": "2026-02-28", "rma": {"consent": true}}), change))
}

fn quoted(issued: &str, approved: Value, today: &str) -> Verdict {
    oow(json!({"today": today, "outcome": "repair", "rma": {"quote_issued": issued, "approved_on": approved}}))
}

#[test]
fn c_01_no_support_request_holds_the_box() {
    for request in [json!(null), json!(false), json!("")] {
        let v = unit(json!({"rma": {"support_request": request}}));
        assert_eq!((&*hold(&v, "no_support_request").rule, v.allows(Move::Bench)), ("C-01", false));
    }
    assert!(unit(json!({})).allows(Move::Bench));
    table("C-01");
}

#[test]
fn c_02_the_request_names_the_model() {
    let v = unit(json!({"model": " "}));
    assert_eq!((&*hold(&v, "model_missing").rule, v.allows(Move::Close)), ("C-02", false));
    table("C-02");
}

#[test]
fn c_03_the_mac_identifies_in_any_spelling() {
    let want = unit(json!({}));
    for mac in ["001565abcdef", "00:15:65:AB:CD:EF", "0015.65ab.cdef", "00 15 65 ab cd ef"] {
        assert_eq!(unit(json!({"macs": [mac]})), want);
    }
    assert_eq!(hold(&unit(json!({"macs": []})), "mac_missing").rule, "C-03");
    use backdock::program::{Decision, Situation};
    let row = program("unex").intake(Situation::SerialMacMismatch);
    assert_eq!((row.decision, &*row.rule, &*row.code), (Decision::Hold, "C-03", "mac_differs"));
    table("C-03");
}

#[test]
fn c_08_a_missing_preliminary_diagnosis_is_said() {
    cites(&unit(json!({"rma": {"diagnosed": null}})), &["C-08"]);
    silent_on(&unit(json!({})), &["C-08"]);
    table("C-08");
}

#[test]
fn c_09_a_closed_request_holds_the_unit() {
    let v = unit(json!({"rma": {"closed": "2026-03-02"}}));
    assert_eq!((&*hold(&v, "request_closed").rule, v.allows(Move::Bench)), ("C-09", false));
    table("C-09");
}

#[test]
fn c_10_a_suspected_hardware_failure_goes_to_sales_once() {
    assert_eq!(messages(&unit(json!({}))), ["sales hardware_suspected C-10"]);
    silent_on(&unit(json!({"rma": {"diagnosed": false}})), &["C-10"]);
    table("C-10");
}

#[test]
fn c_11_out_of_warranty_needs_consent_before_the_return() {
    for consent in [json!(null), json!(false)] {
        let v = oow(json!({"rma": {"consent": consent}}));
        assert_eq!((&*hold(&v, "no_consent").rule, v.allows(Move::Bench)), ("C-11", false));
    }
    assert!(oow(json!({})).allows(Move::Bench));
    silent_on(&unit(json!({"reported": "2026-12-31", "received": "2026-12-31", "today": "2026-12-31"})), &["C-11"]);
    table("C-11");
}

#[test]
fn c_12_no_rma_number_before_the_approval() {
    assert_eq!(hold(&unit(json!({"rma": {"number": null}})), "no_rma_number").rule, "C-12");
    table("C-12");
}

#[test]
fn c_13_the_number_stands_outside_on_the_box() {
    let v = unit(json!({"rma_marked_outside": false}));
    assert_eq!((&*hold(&v, "rma_not_outside").rule, v.action), ("C-13", Action::Diagnose));
    assert!(questions(&unit(json!({"rma_marked_outside": null}))).contains(&"rma_marked_outside C-13".to_owned()));
    silent_on(&unit(json!({})), &["C-13"]);
    table("C-13");
}

#[test]
fn c_14_packaging_is_graded() {
    assert!(questions(&unit(json!({"packaging": null}))).contains(&"packaging C-14".to_owned()));
    cites(&unit(json!({"packaging": "bad"})), &["C-14"]);
    for fine in ["original", "equivalent"] {
        silent_on(&unit(json!({"packaging": fine})), &["C-14"]);
    }
    table("C-14");
}

#[test]
fn c_15_damage_from_bad_packaging_is_the_customers() {
    let v = unit(json!({"packaging": "bad", "damage": "physical"}));
    assert_eq!((v.action, v.coverage), (Action::Quote, Coverage::InWarranty));
    cites(&v, &["C-15", "C-23"]);
    for packaging in ["original", "equivalent"] {
        let v = unit(json!({"packaging": packaging, "damage": "physical"}));
        assert_eq!((v.action, legs(&v)[1].as_str()), (Action::Diagnose, "outbound us any C-17"));
        assert!(messages(&v).contains(&"supervisor carrier_claim C-15".to_owned()));
    }
    let open = unit(json!({"packaging": null, "damage": "physical"}));
    assert_eq!((&*hold(&open, "packaging_not_graded").rule, open.allows(Move::Repair)), ("C-15", false));
    table("C-15");
}

#[test]
fn c_16_the_customer_pays_to_the_service_centre() {
    for (channel, payer) in [("direct", "customer"), ("distributor", "partner")] {
        for v in [unit(json!({"channel": channel})), oow(json!({"channel": channel}))] {
            assert_eq!(legs(&v)[0], format!("inbound {payer} any C-16"));
        }
    }
    table("C-16");
}

#[test]
fn c_17_a_valid_claim_goes_back_at_our_cost() {
    assert_eq!(legs(&unit(json!({"outcome": "repair"})))[1], "outbound us any C-17");
    silent_on(&unit(json!({"damage": "liquid"})), &["C-17"]);
    silent_on(&oow(json!({})), &["C-17"]);
    table("C-17");
}

#[test]
fn c_18_sales_verifies_an_unknown_warranty() {
    let v = unit(json!({"warranty_until": null}));
    assert_eq!((&*hold(&v, "warranty_not_verified").rule, v.coverage), ("C-18", Coverage::Unknown));
    assert!(!v.allows(Move::Repair) && v.allows(Move::Bench) && v.action == Action::Diagnose);
    table("C-18");
}

#[test]
fn c_19_no_bench_before_the_check_for_customer_damage() {
    for damage in [json!(null), json!("unknown")] {
        let v = unit(json!({"damage": damage}));
        assert_eq!((&*hold(&v, "cid_check").rule, v.allows(Move::Bench)), ("C-19", false));
    }
    table("C-19");
}

#[test]
fn c_20_impact_liquid_disassembly_and_others_are_the_customers() {
    for change in [
        json!({"damage": "liquid"}),
        json!({"damage": "disassembled"}),
        json!({"damage": "other"}),
        json!({"outcome": "user_damage"}),
    ] {
        let v = unit(change.clone());
        assert_eq!(v.action, Action::Quote, "{change}");
        cites(&v, &["C-20", "C-23"]);
    }
    table("C-20");
}

#[test]
fn c_21_a_defect_in_warranty_is_free() {
    for (outcome, action) in [("repair", Action::Repair), ("replace", Action::Replace)] {
        let v = unit(json!({"outcome": outcome, "burn_in": true, "qc": true}));
        assert_eq!((v.action, v.charges.len(), v.holds.len()), (action, 0, 0));
        cites(&v, &["C-21"]);
        silent_on(&oow(json!({"outcome": outcome})), &["C-21"]);
        silent_on(&unit(json!({"outcome": outcome, "damage": "liquid"})), &["C-21"]);
    }
    table("C-21");
}

#[test]
fn c_22_out_of_warranty_is_quoted() {
    let v = oow(json!({}));
    assert_eq!((v.action, &*hold(&v, "quote_missing").rule), (Action::Quote, "C-22"));
    assert!(messages(&v).contains(&"sales quotation C-22".to_owned()));
    table("C-22");
}

#[test]
fn c_23_customer_damage_is_quoted_in_warranty_too() {
    let v = unit(json!({"damage": "liquid", "outcome": "repair"}));
    assert_eq!((v.action, &*hold(&v, "quote_missing").rule, v.allows(Move::Repair)), (Action::Quote, "C-23", false));
    assert!(messages(&v).contains(&"sales quotation C-23".to_owned()));
    table("C-23");
}

#[test]
fn c_24_a_quoted_repair_waits_for_approval_or_order() {
    let v = quoted("2026-03-01", json!(null), "2026-03-05");
    assert_eq!(
        (&*hold(&v, "quote_not_approved").rule, v.action, v.allows(Move::Repair)),
        ("C-24", Action::Quote, false)
    );
    assert!(quoted("2026-03-01", json!("2026-03-05"), "2026-03-05").allows(Move::Repair));
    // Reading C-AMB-07: either is enough.
    let order = |paper: Value| {
        oow(json!({"outcome": "repair", "rma": {"quote_issued": "2026-03-01", "purchase_order": paper}}))
    };
    assert_eq!(order(json!("PO 4711")).action, Action::Repair);
    assert_eq!(order(json!(false)).action, Action::Quote);
    let both = changed("unex", "release = \"any\"", "release = \"both\"");
    let facts = |order: Value| {
        with(
            good(),
            json!({"warranty_until": "2026-02-28", "outcome": "repair", "rma": {"consent": true, "quote_issued": "2026-03-01", "approved_on": "2026-03-02", "purchase_order": order}}),
        )
    };
    assert_eq!(judge(&both, &facts(json!(null))).action, Action::Quote);
    assert_eq!(judge(&both, &facts(json!("2026-03-04"))).action, Action::Repair);
    table("C-24");
}

#[test]
fn c_25_a_quotation_is_valid_for_30_days() {
    for (approved, today, ok) in [
        (json!("2026-03-31"), "2026-05-01", true),
        (json!("2026-04-01"), "2026-05-01", false),
        (json!(null), "2026-04-01", false),
    ] {
        let v = quoted("2026-03-01", approved.clone(), today);
        assert_eq!((is_held(&v, "quote_expired"), v.action == Action::Repair), (!ok, ok), "{approved}");
        if !ok {
            assert_eq!(hold(&v, "quote_expired").rule, "C-25");
        }
    }
    let open = quoted("2026-03-01", json!(null), "2026-03-31");
    assert!(!is_held(&open, "quote_expired") && dues(&open) == ["quote_expires 2026-03-31 C-25"]);
    table("C-25");
}

#[test]
fn c_26_no_repair_before_the_failure_analysis() {
    let v = unit(json!({}));
    assert_eq!((&*hold(&v, "no_failure_analysis").rule, v.action), ("C-26", Action::Diagnose));
    assert!(!v.allows(Move::Repair) && !is_held(&unit(json!({"outcome": "repair"})), "no_failure_analysis"));
    table("C-26");
}

#[test]
fn c_27_an_old_approval_does_not_cover_a_revised_quotation() {
    let v = quoted("2026-03-04", json!("2026-03-03"), "2026-03-05");
    assert_eq!((&*hold(&v, "quote_revised").rule, v.allows(Move::Repair)), ("C-27", false));
    table("C-27");
}

#[test]
fn c_28_the_repair_is_suspended_meanwhile() {
    let v = quoted("2026-03-04", json!("2026-03-03"), "2026-03-05");
    assert!(reason(&v, "C-28").contains("suspended"));
    silent_on(&quoted("2026-03-03", json!("2026-03-03"), "2026-03-05"), &["C-27", "C-28"]);
    table("C-28");
}

fn ntf(change: Value) -> Verdict {
    unit(with(json!({"outcome": "ntf"}), change))
}

#[test]
fn c_29_the_inspection_fee_is_a_named_persons_yes_or_no() {
    let v = ntf(json!({}));
    assert_eq!((v.action, v.charges.len(), v.allows(Move::Ship)), (Action::Return, 0, false));
    assert!(questions(&v).contains(&"ntf_inspection_fee C-29".to_owned()));
    let nameless = ntf(json!({"answers": {"ntf_inspection_fee": "yes"}}));
    assert!(
        questions(&nameless).contains(&"ntf_inspection_fee C-29".to_owned())
            && !is_held(&nameless, "ntf_inspection_not_set")
    );
    let yes = ntf(json!({"answers": {"ntf_inspection_fee": {"answer": "yes", "by": "S. Lee"}}}));
    assert_eq!(hold(&yes, "ntf_inspection_not_set").rule, "C-29");
    let no = json!({"answer": "no", "by": "S. Lee"});
    let no = ntf(json!({"answers": {"ntf_inspection_fee": no, "ntf_return_shipping": no}}));
    assert_eq!((no.holds.len(), no.charges.len(), no.allows(Move::Ship)), (0, 0, true));
    table("C-29");
}

#[test]
fn c_30_the_return_shipping_is_a_named_persons_yes_or_no() {
    let payer = |answer: &str| {
        legs(&ntf(json!({"answers": {"ntf_return_shipping": {"answer": answer, "by": "S. Lee"}}})))[1].clone()
    };
    assert_eq!((payer("yes"), payer("no")), ("outbound customer any C-30".into(), "outbound us any C-30".into()));
    assert!(questions(&ntf(json!({}))).contains(&"ntf_return_shipping C-30".to_owned()));
    table("C-30");
}

#[test]
fn c_31_repaired_units_ship_after_burn_in() {
    let v = unit(json!({"outcome": "repair", "qc": true}));
    assert_eq!((holds(&v), v.allows(Move::Ship)), (vec!["no_burn_in C-31".to_owned()], false));
    table("C-31");
}

#[test]
fn c_32_repaired_units_ship_after_the_inspection() {
    let v = unit(json!({"outcome": "repair", "burn_in": "2026-03-05"}));
    assert_eq!((holds(&v), v.allows(Move::Ship)), (vec!["no_qc C-32".to_owned()], false));
    assert!(unit(json!({"outcome": "replace"})).allows(Move::Ship), "only repaired units");
    table("C-32");
}

#[test]
fn c_33_a_repair_is_closed_with_its_report() {
    let v = unit(json!({"outcome": "repair", "burn_in": true, "qc": true}));
    assert_eq!((questions(&v), v.allows(Move::Close)), (vec!["resolution C-33".to_owned()], false));
    let mailed = |v: &Verdict| messages(v).contains(&"customer repair_report C-33".to_owned());
    assert!(!mailed(&v), "there is nothing to send yet");
    assert!(mailed(&unit(json!({"outcome": "repair", "answers": {"resolution": "new board"}}))));
    assert!(
        unit(json!({"outcome": "repair", "burn_in": true, "qc": true, "answers": {"resolution": "new board"}}))
            .allows(Move::Close)
    );
    table("C-33");
}

#[test]
fn c_34_paid_repairs_go_back_at_the_customers_cost() {
    assert_eq!(legs(&oow(json!({"outcome": "repair"})))[1], "outbound customer any C-34");
    assert_eq!(legs(&unit(json!({"damage": "liquid", "channel": "reseller"})))[1], "outbound partner any C-34");
    table("C-34");
}
