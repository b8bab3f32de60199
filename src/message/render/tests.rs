//! Whatever a template and hostile fields make of it, a message keeps its promises.

use super::super::template::Template;
use super::*;
use crate::domain::rma::RmaState;
use crate::program::{MessageFile, Programs};
use proptest::prelude::*;
use serde_json::json;

fn programs(files: &[(&str, &str)]) -> Programs {
    let (programs, _) = Programs::shipped("voip-reseller").unwrap();
    let files = files.iter().map(|(about, text)| MessageFile {
        name: format!("{about}.txt"),
        program: "unex".to_owned(),
        about: (*about).to_owned(),
        text: (*text).to_owned(),
    });
    let files = files.collect::<Vec<_>>();
    if files.is_empty() { programs } else { programs.with_message_files(files) }
}

fn rma(customer: &str, ticket: Option<&str>) -> Rma {
    let facts = ticket.map(|t| json!({"rma": {"ticket": t}})).unwrap_or_else(|| json!({}));
    Rma {
        number: "RMA4711".to_owned(),
        program: "unex".to_owned(),
        program_version: "1".to_owned(),
        customer: Some(customer.to_owned()),
        email: None,
        issued: "2026-03-01".parse().unwrap(),
        state: RmaState::Open,
        facts: facts.as_object().cloned().unwrap(),
        expected: Vec::new(),
    }
}

fn owed<'a>(rma: &'a Rma, to: Role, about: &'a str, says: &'a str) -> Owed<'a> {
    let reason = |text: &str| Reason { rule: "C-1".into(), text: text.to_owned() };
    let fields = Fields {
        brand: Some("Unex".to_owned()),
        model: Some("M1".to_owned()),
        reasons: vec![reason("first reason"), reason("second reason")],
        details: vec!["SECRET-ONE".to_owned(), "SECRET-TWO".to_owned()],
        ..Fields::default()
    };
    Owed { rma, unit: Some("SN1"), to, about, rule: "C-1", says, cause: "c".to_owned(), fields }
}

fn rendered(programs: &Programs, owed: &Owed) -> Rendered {
    let (templates, _) = Templates::read(programs).unwrap();
    let program = programs.get(&owed.rma.program).unwrap();
    render(&templates, owed, Terms { current: program, issued_under: program }, "2026-03-02".parse().unwrap())
}

#[test]
fn a_line_without_its_values_is_left_out_and_one_with_several_stands_for_each() {
    let text = "Subject: {customer}, RMA {rma}\n\nDear {customer},\n\nHe said {{x}}:\n- {reasons}.\n\nTracking: {tracking}\n\n{link}\n\n{unit}\n";
    let programs = programs(&[("a", text)]);
    let rma = rma("Acme", Some("T-9"));
    let said = rendered(&programs, &owed(&rma, Role::Sales, "a", ""));
    assert_eq!(said.subject, "Acme, RMA RMA4711");
    assert_eq!(
        said.body,
        "Dear Acme,\n\nHe said {x}:\n- first reason (C-1).\n- second reason (C-1).\n\nUnex M1 SN1\n\nRMA RMA4711, ticket T-9\n"
    );
}

#[test]
fn the_rma_number_is_in_every_subject_and_the_ticket_in_every_text() {
    let programs = programs(&[("a", "Subject: Hello\n\n{text}\n"), ("b", "Subject: {tracking}\n\nx {ticket} {rma}\n")]);
    let rma = rma("Acme", Some("T-9"));
    for about in ["a", "b", "no_file_for_this"] {
        for to in [Role::Customer, Role::Sales, Role::Vendor] {
            let said = rendered(&programs, &owed(&rma, to, about, "It is so."));
            assert!(said.subject.contains("RMA4711"), "{said:?}");
            assert!(said.body.contains("T-9") && said.body.contains("RMA4711"), "{said:?}");
        }
    }
    assert_eq!(rendered(&programs, &owed(&rma, Role::Sales, "a", "")).subject, "RMA RMA4711: Hello");
}

#[test]
fn our_own_people_see_that_there_is_no_ticket() {
    let rma = rma("Acme", None);
    let said = rendered(&programs(&[]), &owed(&rma, Role::Sales, "quotation", "Please."));
    assert!(said.body.contains("Ticket: none on record"), "{}", said.body);
    let said = rendered(&programs(&[]), &owed(&rma, Role::Customer, "repair_report", "Done."));
    assert!(!said.body.contains("none on record"), "{}", said.body);
}

#[test]
fn customers_read_the_footer_and_none_of_our_comments() {
    let programs = programs(&[]);
    let rma = rma("Acme", Some("T-9"));
    for program in programs.iter() {
        for (to, about) in program.messages() {
            let rma = Rma { program: program.id().to_string(), ..rma.clone() };
            let said = rendered(&programs, &owed(&rma, to, about, "It is so."));
            assert_eq!(said.body.contains("SECRET"), is_internal(to), "{about}: {}", said.body);
            assert!(said.body.contains("It is so."), "{about}: {}", said.body);
            assert!(!said.body.contains(['{', '}']), "{about}: {}", said.body);
            if to == Role::Customer {
                let footer = program.footer().join("\n");
                assert_eq!(said.body.matches(&footer).count(), if footer.is_empty() { said.body.len() + 1 } else { 1 });
            }
        }
    }
    // Even a template that slipped through: the role decides, not the file.
    let details = Template::parse("x", "Subject: a\n\nx {details}\n", true).unwrap();
    let program = programs.get("unex").unwrap();
    let owed = owed(&rma, Role::Customer, "a", "");
    let values = |f: Field| values(f, &owed, Terms { current: program, issued_under: program }, rma.issued);
    assert_eq!(line(&details.body[0], &values, "\n"), None);
}

#[test]
fn others_charges_are_not_the_customers_business() {
    let charge = |to| Charge {
        kind: "bench_fee".into(),
        amount: crate::domain::money::Amount::from_cents(4500),
        currency: "USD".into(),
        to,
        rule: "r".into(),
    };
    let rma = rma("Acme", Some("T-9"));
    let mut message = owed(&rma, Role::Customer, "a", "");
    message.fields.charges = vec![charge(Party::Vendor), charge(Party::Customer)];
    let programs = programs(&[("a", "Subject: a\n\n- {charges}\n")]);
    assert_eq!(rendered(&programs, &message).body.matches("bench fee 45.00 USD").count(), 1);
    message.to = Role::Billing;
    assert_eq!(rendered(&programs, &message).body.matches("bench fee 45.00 USD").count(), 2);
}

proptest! {
    #[test]
    fn no_field_makes_a_header_or_a_line(name in "(\\PC|[\\r\\n\\t\\x00\\x0b\\x0c\\u{85}\\u{2028}\\u{2029}]){0,700}", about in "[a-z]{1,9}") {
        let rma = rma(&name, Some(&name));
        let programs = programs(&[("a", "Subject: {customer}{ticket}{text}\n\n{customer}\n{text}\n")]);
        for about in ["a", about.as_str()] {
            let said = rendered(&programs, &owed(&rma, Role::Customer, about, &name));
            prop_assert!(!said.subject.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')), "{:?}", said.subject);
            prop_assert!(said.subject.chars().count() <= SUBJECT_MAX);
            prop_assert!(said.subject.contains("RMA4711"));
            prop_assert!(!said.body.chars().any(|c| c != '\n' && c.is_control()), "{:?}", said.body);
            prop_assert!(said.body.lines().count() < 20);
        }
    }
}
