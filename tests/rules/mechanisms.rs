//! The engine without the five companies: a sixth, invented one by file alone, and files with mistakes.

use super::support::*;
use backdock::domain::screen::Kind;
use backdock::domain::verdict::{Action, Coverage, Move};
use backdock::program::{CompleteWhen, Decision, Program, Situation};

/// Rents out espresso machines: three bands, a class axis, months from delivery, a fee that grows with
/// the band, business days with holidays, and a rule of its own for every mechanism.
const SIXTH: &str = r#"
id = "espresso-rental"
version = "7"
title = "Espresso rental"
currency = "EUR"
[unit]
complete_when = "either"
[rma]
number_patterns = ["'ER'9(6)", "A(2)-9(3-5)"]
validity_days = 10
reasons = ["leaks", "cold"]
[channels]
customer = ["direct"]
partner = ["reseller"]
[clock]
from = ["delivered", "ship_date"]
at = "received"
rule = "R1"
text = "day {age} since {age_from}"
holidays = [2026-05-01]
[warranty]
from = "delivered"
unit_terms_first = true
plan = true
months = 6
void_list = "abuse"
rule = "R2"
text = "until {warranty_until}"
[[brand]]
name = "Crema"
months = 12
rule = "R2"
models = { "Pro 2" = 24 }
max_replacements = 2
[[brand]]
name = "Ristretto"
[lineage]
doa_days = 7
max_replacements = 0
[quote]
valid_days = 5
release = "both"
[window.trial]
from = "delivered"
to = ["received", "today"]
business_days = 3
[list.abuse]
present = ["lime scale"]
missing = ["water filter"]
[fee.cleaning]
amount = 20
[fee.courier]
[question.kept_warm]
text = "Was it kept warm?"
answers = ["yes", "no"]
[contacts]
sales = ["sales@example.net"]
[papers]
return_address = ["Example 1"]
footer = ["Thank you"]
[[band]]
name = "trial"
days = "..6"
rule = "R3"
[[band]]
name = "covered"
days = "7.."
when = { coverage = ["in_warranty", "plan"] }
rule = "R3"
[[band]]
name = "paid"
days = "7.."
when = { coverage = ["out_of_warranty", "void"] }
rule = "R3"
[matrix]
axes = ["band", "side"]
[[cell]]
band = "trial"
side = ["customer", "partner"]
action = { do = "exchange", rule = "R4" }
[[cell]]
band = ["covered"]
side = ["customer", "partner"]
action = { do = "repair", rule = "R5" }
leg = { leg = "outbound", payer = "us", service = "rush", rule = "R5" }
[[cell]]
band = "paid"
side = "customer"
action = [
  { do = "repair", rule = "R6", when = { quote = "approved" } },
  { do = "quote", rule = "R6" },
]
charge = [
  { kind = "cleaning", fee = "cleaning", to = "side", rule = "R6" },
  { kind = "courier", fee = "courier", to = "side", rule = "R6", when = { replacements_used = "0..1" } },
]
[[cell]]
band = "paid"
side = "partner"
action = { do = "quote", rule = "R6" }
charge = { kind = "cleaning", fee = "cleaning", to = "side", rule = "R6" }
[[hold]]
code = "leaks"
rule = "R7"
when = { reason = "leaks", answer.kept_warm = ["missing", "yes"] }
blocks = "bench"
released_by = "plumber"
by_person = true
text = "{reason}: drain it first ({window.trial.day} days, trial until {window.trial.end})"
[[ask]]
question = "kept_warm"
rule = "R7"
when = { reason = "leaks" }
[[due]]
what = "call_back"
from = "received"
business_days = 2
rule = "R8"
[contradictions]
rule = "R9"
released_by = "sales"
blocks = "all"
[next]
exchange = "Swap it."
repair = "Mend it."
quote = "Quote it."
hold = "Park it."
[intake]
"#;

/// The sixth company's file with an intake row for every situation.
fn sixth_text() -> String {
    let rows = Situation::ALL.iter().map(|(name, _)| {
        format!("{name} = {{ decision = \"hold\", rule = \"R0\", code = \"{name}\", released_by = \"sales\", next = \"Park it.\" }}\n")
    });
    format!("{SIXTH}{}", rows.collect::<String>())
}

fn sixth() -> Program {
    Program::parse("sixth.toml", &sixth_text()).unwrap_or_else(|p| panic!("{p:#?}")).value
}

fn machine(change: Value) -> Value {
    with(
        json!({"channel": "direct", "brand": "crema", "model": "Solo", "delivered": "2026-04-27", "received": "2026-05-20", "today": "2026-05-20"}),
        change,
    )
}

#[test]
fn a_sixth_company_needs_only_its_file() {
    let p = sixth();
    let v = judge(&p, &machine(json!({})));
    assert_eq!((&*v.program, v.age_days, &*v.band, v.action), ("espresso-rental", Some(23), "covered", Action::Repair));
    assert_eq!((v.warranty_until, legs(&v)), (Some(date("2027-04-27")), vec!["outbound us rush R5".to_owned()]));
    assert_eq!(judge(&p, &machine(json!({"received": "2026-05-03", "today": "2026-05-03"}))).action, Action::Exchange);
    // Months: of the model, of the program, of the unit itself.
    for (change, until) in [
        (json!({"model": "pro 2"}), "2028-04-27"),
        (json!({"brand": "Ristretto"}), "2026-10-27"),
        (json!({"brand": "Other"}), "2026-10-27"),
        (json!({"warranty_months": 1}), "2026-05-27"),
        (json!({"warranty_until": "2026-05-19"}), "2026-05-19"),
    ] {
        assert_eq!(judge(&p, &machine(change)).warranty_until, Some(date(until)));
    }
    // Void by a list, saved by nothing; a plan after the warranty.
    let v = judge(&p, &machine(json!({"conditions": ["missing: Water Filter"]})));
    assert_eq!((v.coverage, v.action), (Coverage::Void, Action::Quote));
    assert_eq!(charges(&v), ["cleaning 20.00 EUR customer R6"]);
    assert_eq!(hold(&v, "courier_not_set").rule, "R6");
    assert_eq!(
        judge(&p, &machine(json!({"warranty_until": "2026-05-19", "plan_until": "2026-05-20"}))).coverage,
        Coverage::Plan
    );
    // The quotation needs both papers, within its five days.
    let quoted = |approved: &str| json!({"conditions": ["lime scale"], "rma": {"quote_issued": "2026-05-10", "approved_on": approved, "purchase_order": "2026-05-11"}});
    assert_eq!(judge(&p, &machine(quoted("2026-05-15"))).action, Action::Repair);
    assert_eq!(judge(&p, &machine(quoted("2026-05-16"))).action, Action::Quote);
    // Questions, holds that a person lifts, sentences with figures, business days over a holiday.
    let v = judge(&p, &machine(json!({"reason": "Leaks"})));
    assert_eq!(hold(&v, "leaks").text, "Leaks: drain it first (23 days, trial until 2026-04-30)");
    assert_eq!(
        (questions(&v), p.screen_word(&v).word, p.next_step(&v)),
        (vec!["kept_warm R7".to_owned()], "HOLD", "Park it.")
    );
    assert!(judge(&p, &machine(json!({"reason": "leaks", "answers": {"kept_warm": "no"}}))).holds.is_empty());
    let friday = json!({"received": "2026-04-30", "today": "2026-04-30"});
    assert_eq!(dues(&judge(&p, &machine(friday))), ["call_back 2026-05-05 R8"]);
    // Replacements: two for one brand, none for the rest; dead on arrival within seven days.
    let line = |doa: &str| json!({"ship_date": "2026-05-10", "lineage": [{"shipped": "2026-04-27", "replaced_on": "2026-05-10", "doa": doa}]});
    assert_eq!(judge(&p, &machine(line("2026-05-04"))).warranty_until, Some(date("2027-05-10")));
    assert_eq!(judge(&p, &machine(line("2026-05-05"))).warranty_until, Some(date("2027-04-27")));
}

#[test]
fn the_docks_keys_are_served() {
    let p = sixth();
    assert_eq!(
        (p.complete_when(), p.valid_until(date("2026-02-20"))),
        (CompleteWhen::Either, Some(date("2026-03-02")))
    );
    assert!(
        p.accepts_number("er123456")
            && p.accepts_number(" AB-123 ")
            && !p.accepts_number("ER12345")
            && !p.accepts_number("AB-123456")
    );
    assert_eq!(p.return_address(), ["Example 1"]);
    assert_eq!(p.contacts(backdock::domain::verdict::Role::Sales), ["sales@example.net"]);
    for (name, situation) in Situation::ALL {
        let row = p.intake(*situation);
        assert_eq!((row.decision, &*row.code, &*row.released_by), (Decision::Hold, *name, "sales"));
    }
    let a = program("voip");
    assert_eq!(a.valid_until(date("2026-01-01")), None);
    assert_eq!(a.intake(Situation::UnitAlreadyReceived).decision, Decision::Refuse);
}

#[test]
fn the_word_on_the_screen_is_the_action_unless_the_unit_is_set_aside() {
    let a = program("voip");
    let facts = json!({"channel": "direct", "brand": "Yealink", "ship_date": "2026-01-01", "reported": "2026-01-10", "today": "2026-01-10", "rma": {"diagnosed": true}});
    let word = |change: Value| {
        let v = judge(a, &with(facts.clone(), change));
        (a.screen_word(&v).word, a.screen_word(&v).kind)
    };
    assert_eq!(word(json!({})), ("REPLACE", Kind::Accept));
    assert_eq!(word(json!({"rma": {"diagnosed": null}})), ("HOLD", Kind::Hold));
    assert_eq!(word(json!({"reported": "2026-03-01", "today": "2026-03-01"})), ("DIAGNOSE", Kind::Accept));
    assert_eq!(word(json!({"reported": "2029-03-01", "today": "2029-03-01"})), ("ROUTE", Kind::Hold));
    assert_eq!(
        word(json!({"reported": "2029-03-01", "today": "2029-03-01", "rma": {"diagnosed": null}})),
        ("HOLD", Kind::Hold)
    );
    assert_eq!(word(json!({"outcome": "user_damage"})), ("HOLD", Kind::Hold));
}

/// The problems of the sixth company's file after one change.
fn broken(old: &str, new: &str) -> String {
    let text = sixth_text();
    assert!(text.contains(old), "{old}");
    let problems = Program::parse("sixth.toml", &text.replacen(old, new, 1)).expect_err("the mistake was not seen");
    problems.iter().map(|p| format!("{p}\n")).collect()
}

#[test]
fn mistakes_are_found_where_they_stand() {
    for (old, new, want) in [
        ("days = \"..6\"", "days = \"..5\"", "the bands leave a gap"),
        ("days = \"..6\"", "days = \"..7\"", "overlap on day 7 when in_warranty"),
        (
            "when = { coverage = [\"in_warranty\", \"plan\"] }",
            "when = { coverage = [\"in_warranty\"] }",
            "no band for day 7 when plan",
        ),
        (
            "band = [\"covered\"]",
            "band = [\"coverd\"]",
            "\"coverd\" is not one of none, trial, covered, paid; did you mean \"covered\"?",
        ),
        (
            "band = \"trial\"\nside = [\"customer\", \"partner\"]",
            "band = \"trial\"\nside = \"customer\"",
            "has no cell for trial x partner",
        ),
        (
            "band = \"paid\"\nside = \"partner\"",
            "band = \"paid\"\nside = [\"customer\", \"partner\"]",
            "stands for paid x customer, and so does the cell on line",
        ),
        (
            "when = { quote = \"approved\" } },\n  { do = \"quote\", rule = \"R6\" },",
            "},\n  { do = \"quote\", rule = \"R6\" },",
            "can never add anything: the row on line",
        ),
        (
            "reason = \"leaks\", answer",
            "reason = \"leak\", answer",
            "\"leak\" is not one of missing, unlisted, leaks, cold; did you mean \"leaks\"?",
        ),
        ("replacements_used = \"0..1\"", "replacements_used = \"1..0\"", "must be one range"),
        (
            "when = { reason = \"leaks\" }",
            "when = { reasn = \"leaks\" }",
            "`reasn` is nothing a condition can ask about; did you mean `reason`?",
        ),
        ("fee = \"courier\"", "fee = \"currier\"", "no [fee.currier] stands in this file; did you mean \"courier\"?"),
        (
            "channels]\ncustomer = [\"direct\"]",
            "channels]\ncustomer = [\"direct\", \"reseller\"]",
            "reseller stands on both sides",
        ),
        ("name = \"Ristretto\"", "name = \"CREMA\"", "\"CREMA\" is named twice"),
        ("exchange = \"Swap it.\"\n", "", "says nothing for exchange"),
        ("{window.trial.end}", "{window.trail.end}", "names no window of this file"),
        ("day {age} since", "day {ages} since", "did you mean {age}?"),
        (
            "no_rma = { decision = \"hold\", rule = \"R0\", code = \"no_rma\", released_by = \"sales\"",
            "no_rma = { decision = \"hold\", rule = \"R0\", code = \"no_rma\"",
            "a hold needs somebody who can release it",
        ),
        ("business_days = 3", "business_days = 3\ndays = 3", "exactly one of days, business_days, months"),
        ("void_list = \"abuse\"", "void_list = \"use\"", "names no [list.NAME] of this file"),
        ("\"'ER'9(6)\"", "\"'ER'9(6\"", "a bracket is not closed"),
        (
            "text = \"Was it kept warm?\"",
            "text = \"Was it kept warm?\"\nby_fact = true",
            "needs a question that is named like its fact",
        ),
        ("currency = \"EUR\"", "currency = \"euro\"", "three capitals"),
        ("blocks = \"bench\"", "blocks = \"bensh\"", "\"bensh\" is not one of all, bench"),
        ("id = \"espresso-rental\"", "id = \"Espresso Rental\"", "lower-case letters"),
        ("[list.abuse]", "[list.abuse]\nseen = []", "unknown key; known here: present, missing"),
        (
            "axes = [\"band\", \"side\"]",
            "axes = [\"band\", \"sight\"]",
            "\"sight\" is nothing a matrix can be laid out by",
        ),
        (
            "band = \"paid\"\nside = \"partner\"\naction = {",
            "band = \"paid\"\nside = \"partner\"\naction = { when = { band = \"trial\" },",
            "nothing satisfies its conditions on band",
        ),
        ("rule = \"R8\"", "", "due[1].rule: is required but missing"),
    ] {
        let found = broken(old, new);
        assert!(found.contains(want), "{old:?} -> {new:?}: {want:?} not in\n{found}");
        assert!(found.starts_with("sixth.toml:"), "{found}");
    }
}

#[test]
fn what_is_too_much_is_said_and_does_no_harm() {
    let brands: String = (0..300).map(|n| format!("[[brand]]\nname = \"B{n}\"\n")).collect();
    assert!(broken("[[brand]]", &format!("{brands}[[brand]]")).contains("has 302 entries; at most 126"));
    let windows: String =
        (0..200).map(|n| format!("[window.w{n}]\nfrom = \"today\"\nto = \"today\"\ndays = 1\n")).collect();
    assert!(broken("[list.abuse]", &format!("{windows}[list.abuse]")).contains("too many windows, lists"));
    let answers: Vec<String> = (0..200).map(|n| format!("\"a{n}\"")).collect();
    let answers = format!("answers = [\"yes\", \"no\", {}]", answers.join(", "));
    assert!(broken("answers = [\"yes\", \"no\"]", &answers).contains("has 203 values; at most 128"));
    let axes = "\"brand\", \"band\", \"side\", \"outcome\", \"class\", \"packaging\", \"damage\"";
    let laid_out = |n: usize| format!("axes = [{}]", vec![axes; n].join(", "));
    assert!(broken("axes = [\"band\", \"side\"]", &laid_out(1)).contains("more than 2000 places"));
    broken("axes = [\"band\", \"side\"]", &laid_out(40));
    assert!(broken("id = ", &format!("# {}\nid = ", "x".repeat(1 << 20))).contains("bytes long"));
}

#[test]
fn all_mistakes_are_listed_at_once() {
    let text = sixth_text()
        .replace("currency = \"EUR\"", "currency = 3")
        .replace("version = \"7\"", "versoin = \"7\"")
        .replace("days = \"..6\"", "days = \"x\"");
    let problems = Program::parse("sixth.toml", &text).unwrap_err();
    for want in ["currency", "versoin", "version", "band[1].days"] {
        assert!(problems.iter().any(|p| p.key == want && p.line > 0), "{want}: {problems:#?}");
    }
}

#[test]
fn open_keys_of_a_process_are_warned_of() {
    let read = Program::parse("sixth.toml", &sixth_text()).unwrap();
    let keys: Vec<&str> = read.warnings.iter().map(|w| w.key.as_str()).collect();
    assert_eq!(keys, ["fee.courier.amount"]);
}

#[test]
fn holds_are_exact() {
    // Each hold of a bare unit goes away with the fact that answers it, and only that one.
    let bare = json!({"channel": "reseller", "brand": "Polycom", "ship_date": "2026-01-01", "reported": "2026-01-10", "today": "2026-01-10"});
    let before = holds(&judge(program("voip"), &bare));
    for (code, fact) in [
        ("not_diagnosed", json!({"rma": {"diagnosed": true}})),
        ("message_needs_ticket", json!({"rma": {"ticket": "T-1"}})),
        ("vendor_rma_missing", json!({"vendor_rma": "V-1"})),
        ("distributor_unknown", json!({"distributor": "Delta"})),
    ] {
        let after = holds(&judge(program("voip"), &with(bare.clone(), fact)));
        let left: Vec<_> = before.iter().filter(|h| !h.starts_with(code)).cloned().collect();
        assert_eq!(after, left, "{code}");
        assert_eq!(after.len() + 1, before.len(), "{code}");
    }
    assert!(!judge(program("voip"), &bare).allows(Move::Bench));
}

#[test]
fn a_person_lifts_only_what_is_a_persons_to_lift() {
    let bare = json!({"channel": "reseller", "brand": "Polycom", "ship_date": "2026-01-01", "reported": "2026-01-10", "today": "2026-01-10",
        "released": {"vendor_rma_missing": {"answer": "ship it", "by": "M. Gray"}}, "answers": {"packaging": "original"}});
    let v = judge(program("voip"), &bare);
    assert!(
        is_held(&v, "vendor_rma_missing") && !v.allows(Move::VendorLeg),
        "a missing number is not a person's decision"
    );
    assert!(questions(&v).contains(&"packaging A-27".to_owned()), "the fact itself answers it, not a remark");
}
