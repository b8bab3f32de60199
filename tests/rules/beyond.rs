//! Rules that a verdict alone cannot show: what is written to whom when an RMA is issued, a unit ships or
//! a case is closed, and when no number may be given out. The steps themselves are walked through the real
//! binary in `tests/life.rs`.

use super::support::*;
use super::table::table;
use backdock::domain::facts::Facts;
use backdock::domain::rma::{Rma, RmaState};
use backdock::domain::unit::Step;
use backdock::domain::verdict::{Role, Verdict};
use backdock::flow::{life, lists};
use backdock::message::{Fields, Owed, Templates, Terms, render};
use backdock::program::{Case, DEFAULT, Per, Program, Programs};

/// A program as a company fills it in: with its address and the foot of its papers.
fn filled(name: &str) -> Program {
    let text = shipped_text(name)
        .replace("return_address = []", "return_address = [\"Returns\", \"1 Dock Road\", \"Reno, NV 89502\"]")
        .replace("footer = []", "footer = [\"Help desk: +1 555 0100, help.example.com\"]");
    Program::parse(name, &text).unwrap().value
}

fn case(program: &Program, facts: &Value) -> Case {
    program.case(&Facts::from_json(facts).unwrap(), date("2026-03-06"))
}

/// How often and to whom `about` is written with `step`; `None`: not at all.
fn told(case: &Case, step: Option<Step>, about: &str) -> Option<(Role, String, Per)> {
    let with = |on: &[Step]| step.map_or(on.is_empty(), |step| on.contains(&step));
    let owing = case.owing.iter().find(|o| *o.message.about == *about && with(&o.on))?;
    Some((owing.message.to, owing.message.rule.to_string(), owing.per))
}

/// Subject and text of the message that `program` owes about something.
fn written(program: &Program, facts: &Value, about: &str) -> (String, String) {
    let whole = case(program, facts);
    let message = &whole.owing.iter().find(|o| *o.message.about == *about).unwrap().message;
    let rma = Rma {
        number: "R26D100001U".into(),
        program: program.id().to_string(),
        program_version: program.version().to_string(),
        customer: Some("Acme".into()),
        email: None,
        issued: date("2026-03-01"),
        state: RmaState::Open,
        facts: facts.as_object().unwrap().clone(),
        expected: vec![],
    };
    let (programs, _) = Programs::shipped(DEFAULT).unwrap();
    let (templates, _) = Templates::read(&programs).unwrap();
    let owed = Owed {
        rma: &rma,
        unit: Some("SN1"),
        to: message.to,
        about,
        rule: &message.rule,
        says: &message.text,
        cause: "test".into(),
        fields: Fields::of_unit(&rma.facts, &whole.verdict),
    };
    let terms = Terms { current: program, issued_under: program };
    let text = render::render(&templates, &owed, terms, date("2026-03-06"));
    (text.subject, text.body)
}

/// Why no number is given out; empty where one is.
fn no_number(program: &str, facts: Value, serials: &[&str]) -> String {
    let serials: Vec<String> = serials.iter().map(|s| (*s).to_owned()).collect();
    let issued =
        life::issue(super::support::program(program), facts.as_object().unwrap(), &serials, date("2026-03-06"));
    issued.err().map(|e| e.0).unwrap_or_default()
}

fn verdict(name: &str, facts: Value) -> Verdict {
    judge(program(name), &facts)
}

#[test]
fn b_03_no_number_before_the_technician_wants_it_on_the_bench() {
    table("B-03");
    let asked =
        |diagnosed: Value| no_number("security", json!({"rma": {"ticket": "T-1", "diagnosed": diagnosed}}), &[]);
    assert!(asked(json!(null)).contains("B-03") && asked(json!(false)).contains("B-03"));
    assert_eq!(asked(json!("2026-03-05")), "");
}

#[test]
fn b_04_the_rma_mail_bears_both_numbers() {
    table("B-04");
    let facts = json!({"channel": "direct", "rma": {"ticket": "T-4711", "diagnosed": true}});
    let b = filled("security");
    assert_eq!(
        told(&case(&b, &facts), Some(Step::Issue), "rma_issued"),
        Some((Role::Customer, "B-04".into(), Per::Rma))
    );
    let (subject, body) = written(&b, &facts, "rma_issued");
    assert!(subject.contains("R26D100001U") && subject.contains("T-4711"), "{subject}");
    assert!(body.contains("RMA: R26D100001U") && body.contains("Ticket: T-4711"), "{body}");
}

#[test]
fn b_05_the_rma_mail_says_all_that_the_return_needs() {
    let facts = json!({"channel": "direct", "rma": {"ticket": "T-4711", "diagnosed": true}});
    let (_, body) = written(&filled("security"), &facts, "rma_issued");
    for needed in ["R26D100001U", "outside of every box", "original packaging", "Returns\n1 Dock Road\nReno, NV 89502"]
    {
        assert!(body.contains(needed), "{needed}: {body}");
    }
    // The process sets no limit; where one does, it stands there.
    let (_, body) = written(&filled("smartwitness"), &json!({"channel": "reseller"}), "rma_issued");
    assert!(body.contains("must arrive by: 2026-03-15"), "{body}");
}

#[test]
fn b_09_out_of_stock_is_admitted() {
    table("B-09");
    let facts = |stock: Value| {
        json!({"channel": "direct", "outcome": "replace", "warranty_until": "2027-01-01", "rma": {"ticket": "T", "diagnosed": true,
            "number": "RMA1001"}, "answers": {"stock": stock}})
    };
    let out = verdict("security", facts(json!("out_of_stock")));
    assert_eq!(hold(&out, "waiting_for_stock").blocks, [backdock::domain::verdict::Move::Replace]);
    assert!(messages(&out).contains(&"customer waiting_for_stock B-09".to_owned()));
    let there = verdict("security", facts(json!("in_stock")));
    assert!(!is_held(&there, "waiting_for_stock") && !messages(&there).iter().any(|m| m.contains("waiting")));
    assert!(questions(&verdict("security", facts(json!(null)))).contains(&"stock B-09".to_owned()));
}

#[test]
fn b_11_five_business_days_on_the_way() {
    table("B-11");
    // Friday 2026-03-06: the next Friday.
    let facts = json!({"channel": "direct", "tracking": "1Z9", "rma": {"ticket": "T", "diagnosed": true}});
    let b = filled("security");
    let whole = case(&b, &facts);
    assert!(dues(&whole.verdict).contains(&"arrival 2026-03-13 B-11".to_owned()), "{:?}", dues(&whole.verdict));
    assert_eq!(told(&whole, Some(Step::Ship), "shipped"), Some((Role::Customer, "B-11".into(), Per::Unit)));
    let (_, body) = written(&b, &facts, "shipped");
    assert!(body.contains("Tracking number: 1Z9") && body.contains("Expected: 2026-03-13"), "{body}");
}

#[test]
fn b_29_an_upgrade_goes_to_the_sales_representative() {
    table("B-29");
    let facts = |upgrade: &str| json!({"channel": "direct", "received": "2026-03-05", "answers": {"upgrade": upgrade}});
    let told =
        |upgrade: &str| messages(&verdict("security", facts(upgrade))).contains(&"sales upgrade B-29".to_owned());
    assert!(told("yes") && !told("no"));
}

#[test]
fn b_30_questions_go_to_the_rma_staff() {
    let (_, body) = written(&filled("security"), &json!({"channel": "direct", "rma": {"ticket": "T"}}), "rma_issued");
    assert!(body.trim_end().ends_with("Help desk: +1 555 0100, help.example.com"), "{body}");
}

#[test]
fn b_34_a_number_for_each_of_the_six_reasons() {
    for reason in
        ["wrong_product", "arrived_defective", "arrived_damaged", "wrong_item_ordered", "wrong_size", "change_of_mind"]
    {
        assert_eq!(no_number("security", json!({"channel": "direct", "reason": reason}), &[]), "", "{reason}");
    }
    assert!(no_number("security", json!({"channel": "direct", "reason": "no_idea"}), &[]).contains("B-03"));
}

#[test]
fn b_44_one_final_message_for_each_rma() {
    table("B-44");
    for outcome in ["ntf", "repair", "replace", "user_damage"] {
        let whole = case(program("security"), &json!({"channel": "direct", "outcome": outcome}));
        assert_eq!(told(&whole, Some(Step::Close), "final"), Some((Role::Customer, "B-44".into(), Per::Rma)));
        assert_eq!(told(&whole, None, "final"), None, "not before it is closed");
    }
}

#[test]
fn c_04_the_request_names_the_versions() {
    table("C-04");
    let open = verdict("unex", json!({"channel": "direct"}));
    assert!(questions(&open).contains(&"versions C-04".to_owned()));
    let said = json!({"channel": "direct", "answers": {"versions": "fw 1.2, SDK 3"}});
    assert!(!questions(&verdict("unex", said.clone())).contains(&"versions C-04".to_owned()));
    // What was said travels with the unit's details.
    let details = Fields::of_unit(said.as_object().unwrap(), &verdict("unex", said.clone())).details;
    assert!(details.iter().any(|d| d == "versions: fw 1.2, SDK 3"), "{details:?}");
}

#[test]
fn c_05_the_request_shows_how_it_fails() {
    table("C-05");
    let open = verdict("unex", json!({"channel": "direct"}));
    assert!(questions(&open).contains(&"evidence C-05".to_owned()));
    let said = json!({"channel": "direct", "answers": {"evidence": "log in the ticket"}});
    let details = Fields::of_unit(said.as_object().unwrap(), &verdict("unex", said.clone())).details;
    assert!(details.iter().any(|d| d == "evidence: log in the ticket"), "{details:?}");
}

#[test]
fn c_06_every_paper_says_to_back_up_the_data() {
    for about in ["rma_issued", "repair_report"] {
        let facts = json!({"channel": "direct", "outcome": "repair", "answers": {"resolution": "new board"}});
        let (_, body) = written(program("unex"), &facts, about);
        assert!(body.contains("back up your data") && body.contains("not liable"), "{about}: {body}");
    }
}

#[test]
fn c_07_questions_go_to_the_sales_representative() {
    let (_, body) = written(program("unex"), &json!({"channel": "direct"}), "rma_issued");
    assert!(body.contains("Questions about an open RMA: your sales representative."), "{body}");
}

#[test]
fn d_02_no_number_before_support_has_tried_from_afar() {
    table("D-02");
    let asked = |diagnosed: bool| no_number("server", json!({"rma": {"ticket": "T-1", "diagnosed": diagnosed}}), &[]);
    assert!(asked(false).contains("D-02"), "{}", asked(false));
    assert_eq!(asked(true), "");
    // A credit needs no diagnosis.
    assert_eq!(no_number("server", json!({"class": "credit", "rma": {"ticket": "T-1"}}), &[]), "");
}

#[test]
fn d_10_to_the_published_address_unless_support_says_otherwise() {
    table("D-10");
    let d = filled("server");
    let body = |about: Value| written(&d, &json!({"channel": "direct", "rma": about}), "rma_issued").1;
    assert!(body(json!({"ticket": "T"})).contains("Send it to:\nReturns\n1 Dock Road"));
    let other = body(json!({"ticket": "T", "return_to": "Plant 2, Dock 5"}));
    assert!(other.contains("Send it to:\nPlant 2, Dock 5\n") && !other.contains("1 Dock Road"), "{other}");
}

#[test]
fn d_11_papers_without_the_number_are_a_deviation() {
    table("D-11");
    let v = |answer: Value| {
        verdict(
            "server",
            json!({"channel": "direct", "received": "2026-03-05", "answers": {"number_on_papers": answer}}),
        )
    };
    assert!(questions(&v(json!(null))).contains(&"number_on_papers D-11".to_owned()));
    assert!(reason(&v(json!("no")), "D-11").starts_with("deviation"));
    silent_on(&v(json!("yes")), &["D-11"]);
    assert_eq!(holds(&v(json!("no"))), holds(&v(json!("yes"))), "recorded, not held");
}

#[test]
fn d_12_the_number_stands_in_every_subject() {
    for name in ["voip", "security", "unex", "server", "smartwitness"] {
        let p = filled(name);
        for (_, about) in p.messages().collect::<Vec<_>>() {
            let facts = json!({"channel": "direct"});
            let whole = case(&p, &facts);
            if whole.owing.iter().any(|o| *o.message.about == *about) {
                let (subject, _) = written(&p, &facts, about);
                assert!(subject.contains("R26D100001U"), "{name} {about}: {subject}");
            }
        }
    }
}

#[test]
fn d_27_the_rma_mail_names_the_version_of_the_terms() {
    let d = filled("server");
    let (_, body) = written(&d, &json!({"channel": "direct", "rma": {"ticket": "T"}}), "rma_issued");
    assert!(body.contains(&format!("Terms: Server Technology returns, version {}", &**d.version())), "{body}");
}

#[test]
fn d_28_an_rma_is_judged_by_the_version_it_was_issued_under() {
    let old = program("server");
    let text = shipped_text("server")
        .replace("validity_days = 30", "validity_days = 20")
        .replace("version = \"2026.", "version = \"2027.");
    let (mut programs, _) = Programs::read([("server.toml", text.as_str())], "server-technology").unwrap();
    programs.keep(old.clone());
    let under =
        |version: &str| programs.issued_under("server-technology", version).unwrap().valid_until(date("2026-03-01"));
    assert_eq!(under(old.version()), Some(date("2026-03-31")));
    assert_eq!(programs.default().valid_until(date("2026-03-01")), Some(date("2026-03-21")));
}

#[test]
fn d_30_the_contact_stands_on_every_customer_paper() {
    let d = filled("server");
    for about in ["rma_issued", "finished"] {
        let (_, body) = written(&d, &json!({"channel": "direct", "rma": {"ticket": "T"}}), about);
        assert!(body.trim_end().ends_with("Help desk: +1 555 0100, help.example.com"), "{about}: {body}");
    }
}

#[test]
fn e_08_every_update_of_the_ticket_is_told() {
    table("E-08");
    let whole = case(program("smartwitness"), &json!({"channel": "reseller"}));
    let by_step = Some((Role::Customer, "E-08".to_owned(), Per::Step));
    for step in [Step::Diagnose, Step::Find, Step::Quote, Step::Repair, Step::Replace, Step::Ready, Step::Ship] {
        assert_eq!(told(&whole, Some(step), "ticket_updated"), by_step, "{step}");
    }
    // Reading E-AMB-06: what only concerns us is not told.
    for step in [Step::Note, Step::Answer, Step::Release, Step::VendorRequest] {
        assert_eq!(told(&whole, Some(step), "ticket_updated"), None, "{step}");
    }
}

#[test]
fn e_09_the_resolution_is_told_once() {
    table("E-09");
    let whole = case(program("smartwitness"), &json!({"channel": "reseller"}));
    assert_eq!(told(&whole, Some(Step::Close), "ticket_resolved"), Some((Role::Customer, "E-09".into(), Per::Rma)));
}

#[test]
fn e_17_back_to_the_address_on_its_label() {
    table("E-17");
    let v = verdict("smartwitness", json!({"channel": "reseller", "sender": "Partner Ltd, 5 High St"}));
    assert!(reason(&v, "E-17").contains("Partner Ltd, 5 High St"));
    silent_on(&v, &["E-18"]);
}

#[test]
fn e_18_the_address_on_the_ticket_goes_first() {
    table("E-18");
    let v =
        verdict("smartwitness", json!({"channel": "reseller", "sender": "Partner Ltd", "rma": {"ship_to": "Depot 9"}}));
    assert!(reason(&v, "E-18").contains("Depot 9"));
    silent_on(&v, &["E-17"]);
}

#[test]
fn e_20_a_new_account_is_registered_first() {
    table("E-20");
    let facts =
        |account: Value| json!({"account": account, "channel": "reseller", "answers": {"problem": "no picture"}});
    assert!(questions(&verdict("smartwitness", facts(json!(null)))).contains(&"registration E-20".to_owned()));
    assert!(no_number("smartwitness", facts(json!(null)), &["CAM1"]).contains("E-20"));
    assert_eq!(no_number("smartwitness", facts(json!("A-1")), &["CAM1"]), "");
}

#[test]
fn e_21_staff_create_the_rma_for_who_calls_or_writes() {
    // The same door for everybody; what counts is the account (see life.rs for the verb).
    let called = json!({"account": "A-1", "channel": "reseller", "answers": {"problem": {"answer": "no picture", "by": "phone desk"}}});
    assert_eq!(no_number("smartwitness", called, &["CAM1"]), "");
}

#[test]
fn e_22_the_ticket_describes_the_problem() {
    table("E-22");
    assert!(no_number("smartwitness", json!({"account": "A-1", "channel": "reseller"}), &["CAM1"]).contains("E-22"));
}

#[test]
fn e_23_the_ticket_names_the_serial_numbers() {
    table("E-23");
    let facts = json!({"account": "A-1", "channel": "reseller", "answers": {"problem": "no picture"}});
    assert!(no_number("smartwitness", facts.clone(), &[]).contains("E-23"));
    assert_eq!(no_number("smartwitness", facts, &["CAM1", "CAM2"]), "");
}

#[test]
fn e_24_the_answer_bears_the_number_and_the_address() {
    table("E-24");
    let (subject, body) = written(&filled("smartwitness"), &json!({"channel": "reseller"}), "rma_issued");
    assert!(subject.contains("R26D100001U"), "{subject}");
    assert!(body.contains("R26D100001U") && body.contains("Send it to:\nReturns\n1 Dock Road"), "{body}");
}

#[test]
fn e_26_the_address_label_has_the_number_in_its_attn_line() {
    use backdock::label::{Dpi, render};
    let fields = json!({"to": ["SmartWitness Returns", "5 Depot Road", "Leeds, LS1 4AB"], "rma": "R26D100001U"});
    let label = render("address", &fields, "4x6".parse().unwrap(), Dpi::D203).unwrap();
    let at = |text: &str| label.zpl.find(text).unwrap_or_else(|| panic!("{text}: {}", label.zpl));
    let lines = ["SmartWitness Returns", "ATTN: R26D100001U", "5 Depot Road", "Leeds, LS1 4AB"].map(at);
    assert!(lines.is_sorted(), "company, ATTN, street, city");
    assert!(label.zpl.contains("^BC"), "the number is a barcode too");
}

/// That the dock says PARTIAL until all have come is walked in `tests/life.rs`.
#[test]
fn d_29_complete_by_its_list_and_nothing_beside_it() {
    table("D-29");
    assert_eq!(program("server").complete_rule(), "D-29");
}

#[test]
fn e_05_in_its_entirety_as_the_ticket_says() {
    assert_eq!(program("smartwitness").complete_rule(), "E-05");
}

/// The journal's events of a morning at the door: carrier numbers, and boxes that were turned away.
fn door(scans: &[(&str, &str)]) -> Vec<lists::Turned> {
    let mut door = lists::Door::default();
    for (n, (identity, value)) in scans.iter().enumerate() {
        let rejected = *identity == "rma";
        let screen = json!({"outcome": "rma_unknown", "kind": if rejected { "reject" } else { "ask" },
            "word": if rejected { "REJECT" } else { "NOT THIS ONE" }, "title": format!("RMA {value} is not on record."),
            "why": [], "next": "", "rules": ["E-16"], "job": null});
        let session = json!({"badge": null, "rma": null, "pending": null, "since": 0, "last": null});
        let event =
            json!({"kind": "scanned", "identity": identity, "value": value, "screen": screen, "session": session});
        door.event(&format!("2026-03-0{}T09:00:00.000-06:00", n + 1), &serde_json::from_value(event).unwrap());
    }
    door.standing()
}

#[test]
fn e_35_a_rejected_shipment_is_recorded_with_time_carrier_number_and_reason() {
    let standing = door(&[("tracking", "1Z999AA10123456784"), ("rma", "RMA9999")]);
    let [box_] = &standing[..] else { panic!("{standing:?}") };
    assert_eq!(
        (box_.at.as_str(), box_.tracking.as_deref()),
        ("2026-03-02T09:00:00.000-06:00", Some("1Z999AA10123456784"))
    );
    assert_eq!((box_.title.as_str(), box_.rule.as_str()), ("RMA RMA9999 is not on record.", "E-16"));
}

#[test]
fn e_37_it_stands_on_the_list_until_it_is_scanned_out() {
    let came = [("tracking", "1Z1"), ("rma", "RMA9999"), ("tracking", "1Z2"), ("rma", "RMA8888")];
    assert_eq!(door(&came).len(), 2);
    let left = door(&[&came[..], &[("tracking", "1Z1")]].concat());
    assert_eq!(left.iter().map(|t| t.scanned.as_str()).collect::<Vec<_>>(), ["RMA8888"]);
    // The same box once more is turned away once more.
    assert_eq!(door(&[&came[..], &[("tracking", "1Z1"), ("rma", "RMA9999")]].concat()).len(), 2);
    for (age, mark) in [(0, "today"), (1, "day 1"), (3, "day 3"), (7, "day 7"), (40, "day 7")] {
        let line = lists::refused_box(&left[0], None, date("2026-03-04") + chrono::Days::new(age));
        assert_eq!(line.more[1], mark, "{age}");
    }
}
