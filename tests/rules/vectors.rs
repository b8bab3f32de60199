//! The worked examples of the processes, T1 to T17, through the command line as anybody can repeat them:
//! `backdock verdict --program ID --json < facts.json`. One unit each, all that is said of it at once.

use super::support::*;
use backdock::domain::verdict::{Action, Coverage, Move, Verdict};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the program says on its standard output; the exit code must say whether something holds the unit.
fn said(program: &str, facts: &Value) -> Verdict {
    answered(program, facts, None)
}

fn answered(program: &str, facts: &Value, programs: Option<&Path>) -> Verdict {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backdock"));
    if let Some(dir) = programs {
        command.arg("--programs").arg(dir);
    }
    command.args(["verdict", "--program", program, "--json"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(facts.to_string().as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    let verdict: Verdict = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(if verdict.holds.is_empty() { 0 } else { 3 }));
    verdict
}

fn yealink(reported: &str, channel: &str) -> Value {
    json!({"channel": channel, "brand": "Yealink", "ship_date": "2026-01-01", "reported": reported, "today": reported})
}

#[test]
fn t1_day_30_direct() {
    let v = said("voip-reseller", &yealink("2026-01-31", "direct"));
    assert_eq!((v.age_days, v.action, v.charges.len()), (Some(30), Action::Replace, 0));
    assert!(v.advance_replacement.allowed);
    assert_eq!(legs(&v), ["inbound us ground A-21", "outbound us rush A-20"]);
    cites(&v, &["A-16", "A-20", "A-21", "A-22", "A-25", "A-68"]);
}

#[test]
fn t2_day_31_direct() {
    let v = said("voip-reseller", &yealink("2026-02-01", "direct"));
    assert!(!v.advance_replacement.allowed);
    assert_eq!(charges(&v), ["deductible 45.00 USD customer A-37"]);
    assert_eq!(legs(&v), ["inbound customer any A-35", "outbound us ground A-36"]);
    cites(&v, &["A-35", "A-36", "A-37", "A-38", "A-67"]);
}

#[test]
fn t3_day_30_reseller() {
    let v = said("voip-reseller", &yealink("2026-01-31", "reseller"));
    assert_eq!((v.action, v.charges.len(), v.advance_replacement.allowed), (Action::Replace, 0, false));
    assert_eq!(
        legs(&v),
        ["inbound partner ground A-31", "outbound us rush A-68", "to_vendor us any A-30", "from_vendor us any A-29"]
    );
    cites(&v, &["A-26", "A-27", "A-28", "A-29", "A-30", "A-31", "A-32", "A-33", "A-34"]);
}

#[test]
fn t4_the_expiry_day_counts() {
    let polycom = |reported: &str| {
        said(
            "voip-reseller",
            &json!({"channel": "direct", "brand": "Polycom", "ship_date": "2024-03-10", "reported": reported, "today": reported}),
        )
    };
    let last = polycom("2026-03-10");
    assert_eq!((last.coverage, last.route.is_none()), (Coverage::InWarranty, true));
    cites(&last, &["A-59"]);
    let after = polycom("2026-03-11");
    assert_eq!((after.action, after.route.as_deref()), (Action::Route, Some("partner_team")));
    cites(&after, &["A-59", "A-46"]);
}

#[test]
fn t5_a_start_on_29_february_ends_on_the_28th() {
    let v = said("voip-reseller", &with(yealink("2026-02-28", "agent"), json!({"ship_date": "2024-02-29"})));
    assert_eq!((v.warranty_until, v.coverage), (Some(date("2026-02-28")), Coverage::InWarranty));
    let v = said("voip-reseller", &with(yealink("2026-03-01", "agent"), json!({"ship_date": "2024-02-29"})));
    assert_eq!(v.coverage, Coverage::OutOfWarranty);
}

#[test]
fn t6_one_replacement_per_line() {
    let v = said(
        "voip-reseller",
        &json!({"channel": "direct", "brand": "Snom", "serial": "NEW", "ship_date": plus("2026-01-01", 400), "reported": plus("2026-01-01", 700), "today": plus("2026-01-01", 700),
            "lineage": [{"serial": "OLD", "shipped": "2026-01-01", "replaced_on": plus("2026-01-01", 400)}]}),
    );
    assert_eq!(
        (v.warranty_until, v.age_days, is_held(&v, "replacement_used")),
        (Some(date("2029-01-01")), Some(700), true)
    );
    cites(&v, &["A-49", "A-50", "A-51", "A-58"]);
}

#[test]
fn t7_dead_on_arrival_on_day_30() {
    for doa in [json!(true), json!("2026-01-31")] {
        let v = said(
            "voip-reseller",
            &json!({"channel": "direct", "brand": "Yealink", "ship_date": "2026-02-05", "today": "2026-03-01",
                "lineage": [{"serial": "OLD", "shipped": "2026-01-01", "replaced_on": "2026-02-05", "doa": doa}]}),
        );
        assert_eq!((v.warranty_until, is_held(&v, "replacement_used")), (Some(date("2028-02-05")), false));
        cites(&v, &["A-52"]);
    }
}

#[test]
fn t8_the_advance_and_its_original() {
    let facts = |advance: Value, today: &str| {
        with(yealink("2026-01-31", "direct"), json!({"today": today, "advance": advance}))
    };
    let back = said(
        "voip-reseller",
        &facts(json!({"shipped": "2026-03-01", "original_received": "2026-03-31"}), "2026-04-15"),
    );
    assert!(!is_held(&back, "advance_price_not_set") && back.charges.is_empty());
    for (today, billed) in [("2026-03-31", false), ("2026-04-01", true)] {
        let never = said("voip-reseller", &facts(json!({"shipped": "2026-03-01"}), today));
        assert_eq!(is_held(&never, "advance_price_not_set"), billed, "{today}");
    }
}

#[test]
fn t9_an_rma_of_30_days() {
    let server = |received: &str| {
        said(
            "server-technology",
            &json!({"received": received, "today": received, "rma": {"number": "RMA1", "issued": "2026-03-01"}}),
        )
    };
    assert!(!is_held(&server("2026-03-31"), "rma_expired"));
    assert_eq!(hold(&server("2026-04-01"), "rma_expired").rule, "D-04");
}

#[test]
fn t10_an_rma_of_14_days() {
    let smart = |received: &str| {
        said(
            "smartwitness",
            &json!({"received": received, "today": received, "rma": {"number": "RMA1", "issued": "2026-03-01"}}),
        )
    };
    assert!(!is_held(&smart("2026-03-15"), "late"));
    assert_eq!(hold(&smart("2026-03-16"), "late").rule, "E-01");
}

#[test]
fn t11_ten_business_days() {
    for (received, due) in [("2026-03-06", "2026-03-20"), ("2026-03-07", "2026-03-20"), ("2026-03-09", "2026-03-23")] {
        let v = said("server-technology", &json!({"received": received, "today": received}));
        assert!(dues(&v).contains(&format!("repair {due} D-20")), "{received}: {:?}", dues(&v));
    }
}

#[test]
fn t12_ten_business_days_over_the_holidays() {
    let facts = json!({"received": "2026-12-18", "today": "2026-12-18"});
    assert!(dues(&said("server-technology", &facts)).contains(&"repair 2027-01-01 D-20".to_owned()));
    let dir = tempfile::tempdir().unwrap();
    let text = shipped_text("server").replace("holidays = []", "holidays = [2026-12-25, 2027-01-01]");
    std::fs::write(dir.path().join("server-technology.toml"), text).unwrap();
    let later = answered("server-technology", &facts, Some(dir.path()));
    assert!(dues(&later).contains(&"repair 2027-01-05 D-20".to_owned()));
}

#[test]
fn t13_a_quotation_of_30_days() {
    let unex = |approved: &str| {
        said(
            "unex",
            &json!({"channel": "direct", "warranty_until": "2026-01-31", "outcome": "repair", "today": "2026-04-02",
            "rma": {"consent": true, "quote_issued": "2026-03-01", "approved_on": approved}}),
        )
    };
    assert_eq!((unex("2026-03-31").action, is_held(&unex("2026-03-31"), "quote_expired")), (Action::Repair, false));
    assert_eq!((unex("2026-04-01").action, &*hold(&unex("2026-04-01"), "quote_expired").rule), (Action::Quote, "C-25"));
}

#[test]
fn t14_a_mac_in_any_spelling() {
    let of = |mac: &str| said("unex", &json!({"macs": [mac], "today": "2026-03-05"}));
    let ticket = of("00-15-65-AB-CD-EF");
    assert_eq!((ticket == of("001565abcdef"), is_held(&ticket, "mac_missing")), (true, false));
    let none = said("unex", &json!({"macs": [], "today": "2026-03-05"}));
    assert_eq!(hold(&none, "mac_missing").rule, "C-03");
}

#[test]
fn t15_no_valid_number_is_rejected_late_is_held_extra_is_set_aside() {
    let of = |change: Value| {
        let facts = json!({"channel": "reseller", "account": "AC-7", "serial": "SN1", "received": "2026-03-15", "today": "2026-03-20",
            "rma": {"number": "RMA5001", "issued": "2026-03-01", "expected": ["SN1", "SN2"]}});
        said("smartwitness", &with(facts, change))
    };
    // Unknown numbers and those of other companies end at the dock, before there is a verdict.
    for rejected in
        [json!({"rma": {"number": null, "issued": null, "expected": null}}), json!({"rma": {"closed": true}})]
    {
        let v = of(rejected);
        assert_eq!((v.action, v.allows(Move::Bench)), (Action::Reject, false));
        cites(&v, &["E-16", "E-27"]);
    }
    let late = of(json!({"received": "2026-03-16"}));
    assert_eq!((&*hold(&late, "late").rule, late.action), ("E-01", Action::Diagnose));
    let extra = of(json!({"serial": "SN3"}));
    assert_eq!((&*hold(&extra, "unauthorised_item").rule, open(&extra)), ("E-06", vec![]));
    assert!(hold(&extra, "unauthorised_item").text.contains("UNAUTHORISED"));
    assert!(!is_held(&of(json!({})), "late") && !is_held(&of(json!({})), "unauthorised_item"));
}

#[test]
fn t16_no_automatic_credit_for_an_incomplete_advance_unit() {
    let v = said(
        "security-dvr",
        &json!({"channel": "direct", "outcome": "ntf", "conditions": ["missing:power supply"], "received": "2026-03-01", "today": "2026-03-01",
            "rma": {"number": "RMA1", "issued": "2026-02-01"}, "advance": {"charged": true, "shipped": "2026-02-05"}}),
    );
    assert_eq!(v.charges, []);
    cites(&v, &["B-27"]);
    assert!(!v.allows(Move::Credit));
}

#[test]
fn t17_nothing_goes_to_a_vendor_without_its_number() {
    for (brand, code, rule) in [("Htek", "vendor_rma_missing", "A-55"), ("Snom", "vendor_rma_missing", "A-61")] {
        let of = |number: Value| {
            let unit = with(
                yealink("2026-01-31", "reseller"),
                json!({"brand": brand, "distributor": "Delta", "vendor_rma": number}),
            );
            said("voip-reseller", &with(unit, json!({"rma": {"diagnosed": true}})))
        };
        for empty in [json!(null), json!(""), json!("  ")] {
            let v = of(empty);
            assert_eq!((&*hold(&v, code).rule, v.allows(Move::VendorLeg)), (rule, false));
            assert!(v.vendor.unwrap().rma_number_required);
        }
        assert!(of(json!("V-77")).allows(Move::VendorLeg));
    }
}
