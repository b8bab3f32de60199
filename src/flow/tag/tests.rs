//! Orders and steps by table.

use super::*;
use crate::program::Programs;
use proptest::prelude::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

const TODAY: &str = "2026-03-10";

fn rma(number: &str) -> Rma {
    Rma {
        number: number.to_owned(),
        program: crate::program::DEFAULT.to_owned(),
        program_version: "1".to_owned(),
        customer: Some("Acme".to_owned()),
        email: None,
        issued: day("2026-03-01"),
        state: RmaState::Open,
        facts: Map::new(),
        expected: Vec::new(),
    }
}

fn verdict(rma: &Rma, program: &Program) -> Verdict {
    let facts = crate::flow::life::announced(rma, None, None, None, day(TODAY));
    let (_, case) = crate::flow::life::case_on(rma, program, &facts, day(TODAY)).unwrap();
    case.verdict
}

fn order(number: &str, kind: TagKind, packages: u32, said: &[(&str, &str)]) -> Result<(Vec<Tag>, Vec<String>), String> {
    let programs = Programs::shipped(crate::program::DEFAULT).unwrap().0;
    let known = json!({"channel": "direct", "brand": "Yealink", "model": "T46U", "ship_date": "2026-02-20",
        "reported": "2026-03-01"});
    let rma = Rma { facts: known.as_object().unwrap().clone(), ..rma(number) };
    let program = programs.default();
    let mut whole: Map<String, Value> = [
        ("company", "Acme Telecom"),
        ("street", "1 Main Street"),
        ("city", "Springfield"),
        ("state", "IL"),
        ("zip", "62701"),
        ("description", "IP phone"),
        ("return_to", "Returns Dock|1 Dock Road|Town"),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), json!(value)))
    .collect();
    for (key, value) in said {
        if value.is_empty() { drop(whole.remove(*key)) } else { drop(whole.insert((*key).to_owned(), json!(value))) }
    }
    let verdict = verdict(&rma, program);
    let today = day(TODAY);
    let wish =
        Wish { rma: &rma, program, unit: None, verdict: &verdict, kind, packages, said: &whole, today, by: "Anna" };
    request(&wish).map_err(|refused| refused.0)
}

#[test]
fn one_package_has_one_tag() {
    let (tags, told) = order("R26D1000012", TagKind::CallTag3, 3, &[]).unwrap();
    assert_eq!(tags.iter().map(|t| (t.package, t.packages)).collect::<Vec<_>>(), [(1, 3), (2, 3), (3, 3)]);
    assert_eq!((tags[0].carrier.as_str(), told.len()), ("ups", 0));
    assert_eq!(tags[0].order["country"], "US");
    assert!(order("R26D1000012", TagKind::CallTag3, 51, &[]).unwrap_err().contains("1 to 50"));
}

#[test]
fn what_a_carrier_would_refuse_is_refused_by_name() {
    for (kind, field, value, why) in [
        (TagKind::CallTag3, "description", "", "description is missing"),
        (TagKind::CallTag3, "description", "an IP phone with its power supply unit", "at most 35"),
        (TagKind::CallTag3, "street", "", "street is missing"),
        (TagKind::CallTag3, "city", "Llanfairpwllgwyngyllgogerychwyrn", "at most 30"),
        (TagKind::CallTag3, "ready", "2026-03-09", "in the past"),
        (TagKind::CallTag3, "ready", "tomorrow", "2026-03-31"),
        (TagKind::CallTag3, "earliest", "25:00", "16:30"),
        (TagKind::CallTag3, "weight", "-1", "above zero"),
        (TagKind::CallTag3, "weight", "0.0", "above zero"),
        (TagKind::CallTag3, "weight_unit", "stone", "lb or kg"),
        (TagKind::CallTag3, "fault_party", "nobody", "carrier"),
        (TagKind::CallTag3, "contakt", "Jo", "did you mean \"contact\"?"),
        (TagKind::CallTag3, "contact", "J\u{7}o", "control"),
        (TagKind::CallTag3, "return_to", "", "no return address"),
        (TagKind::Email, "carrier", "ups", "email is missing"),
        (TagKind::Email, "email", "nobody", "anna@example.com"),
        (TagKind::Print, "company", "Acme", "carrier is missing"),
    ] {
        let refused = order("R26D1000012", kind, 1, &[(field, value)]).unwrap_err();
        assert!(refused.contains(why), "{field}={value}: {refused}");
    }
    // A blank is no street.
    assert!(order("R1", TagKind::CallTag1, 1, &[("street", "  ")]).unwrap_err().contains("street is missing"));
    // Everything that is wrong is said at once.
    let refused = order("R1", TagKind::CallTag1, 1, &[("street", ""), ("weight", "x"), ("zip", "")]).unwrap_err();
    assert_eq!(refused.matches(';').count() + 1, 4, "{refused}");
    assert!(order("R1", TagKind::AddressOnly, 1, &[("street", ""), ("zip", ""), ("description", "")]).is_ok());
}

#[test]
fn what_a_carrier_would_cut_is_told() {
    let (_, told) = order(
        "RMA-10234",
        TagKind::CallTag1,
        1,
        &[("company", "Acme Telecommunications of Illinois"), ("city", "Upper Springfield")],
    )
    .unwrap();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("company has 35") && told[1].contains("prints 15") && told[2].contains("14 letters"));
}

#[test]
fn nobody_is_asked_for_a_package_while_it_is_open_who_pays() {
    let programs = Programs::shipped(crate::program::DEFAULT).unwrap().0;
    let ordered_wrong = json!({"reason": "change_of_mind"});
    for program in programs.iter() {
        let rma = Rma { facts: ordered_wrong.as_object().unwrap().clone(), ..rma("R1") };
        let verdict = verdict(&rma, program);
        let blocked = !verdict.allows(Move::Inbound);
        let said = Map::new();
        let wish = Wish {
            rma: &rma,
            program,
            unit: None,
            verdict: &verdict,
            kind: TagKind::CallTag3,
            packages: 1,
            said: &said,
            today: day(TODAY),
            by: "Anna",
        };
        let refused = request(&wish).unwrap_err().0;
        assert_eq!(refused.contains("nothing is called for yet"), blocked, "{}: {refused}", program.id());
    }
    let asks = |program: &Program| {
        !verdict(&Rma { facts: ordered_wrong.as_object().unwrap().clone(), ..rma("R1") }, program).allows(Move::Inbound)
    };
    assert!(programs.iter().any(asks), "B-35 asks who pays");
}

fn fresh(kind: TagKind) -> TagNow {
    let (tags, _) = order("R26D1000012", kind, 1, &[("carrier", "ups"), ("email", "a@b.example")]).unwrap();
    TagNow {
        tag: Tag { id: 7, ..tags[0].clone() },
        state: TagState::Requested,
        since: day(TODAY),
        attempts: 0,
        numbers: Vec::new(),
        reply: Map::new(),
    }
}

fn walk(kind: TagKind, steps: &str) -> Result<TagNow, String> {
    let mut now = fresh(kind);
    for word in steps.split(' ') {
        let (word, said) = word.split_once('+').map_or((word, None), |(w, s)| (w, s.split_once('=')));
        let said: Map<String, Value> = said.into_iter().map(|(k, v)| (k.to_owned(), json!(v))).collect();
        let step = TagStep::find(word).unwrap();
        let moved = act(&now, step, &said, day(TODAY), "Anna").map_err(|refused| refused.0)?;
        now.state = moved.to;
        now.attempts += u32::from(step == TagStep::Attempt);
        now.numbers.extend(moved.numbers);
    }
    Ok(now)
}

#[test]
fn a_tag_walks_from_the_order_to_the_dock() {
    for (kind, steps, end) in [
        (TagKind::CallTag3, "dispatch+tracking=1Z999AA10123456784 attempt pick_up travel receive", TagState::Received),
        (TagKind::CallTag3, "dispatch attempt attempt attempt", TagState::Failed),
        (TagKind::CallTag3, "dispatch attempt attempt attempt receive", TagState::Received),
        (TagKind::CallTag1, "dispatch attempt", TagState::Attempted),
        (TagKind::CallTag1, "dispatch attempt travel receive", TagState::Received),
        (TagKind::FedexTag, "dispatch attempt attempt attempt attempt", TagState::Attempted),
        (TagKind::Print, "note+tracking=9400111206206406260787 travel", TagState::InTransit),
        (TagKind::AddressOnly, "receive", TagState::Received),
        (TagKind::CallTag3, "cancel+why=mistake", TagState::Cancelled),
        (TagKind::CallTag3, "cancel+why=mistake receive", TagState::Received),
    ] {
        assert_eq!(walk(kind, steps).map(|now| now.state), Ok(end), "{steps}");
    }
    for (kind, steps, why) in [
        (TagKind::CallTag1, "dispatch attempt attempt", "there are no more"),
        (TagKind::CallTag3, "pick_up attempt", "no attempt can follow"),
        (TagKind::CallTag3, "receive receive", "no receive can follow"),
        (TagKind::CallTag3, "travel cancel+why=x", "no cancel can follow"),
        (TagKind::CallTag3, "cancel", "say why"),
        (TagKind::CallTag3, "dispatch+tracking=^XZ", "no tracking number"),
        (TagKind::CallTag3, "dispatch+on=2026-03-11", "between the order"),
        (TagKind::CallTag3, "dispatch+on=2026-03-09", "between the order"),
    ] {
        let refused = walk(kind, steps).unwrap_err();
        assert!(refused.contains(why), "{steps}: {refused}");
    }
    assert_eq!(walk(TagKind::Print, "note+tracking=1z-999 dispatch").unwrap().numbers, ["1Z999"]);
}

#[test]
fn a_tag_without_news_is_stale_after_fifteen_days() {
    let overdue_on = |state, date: &str| overdue(&TagNow { state, ..fresh(TagKind::CallTag3) }, day(date)).is_some();
    assert!(!overdue_on(TagState::Dispatched, "2026-03-24"));
    assert!(overdue_on(TagState::Dispatched, "2026-03-25"));
    assert!(overdue_on(TagState::Failed, TODAY));
    assert!(!overdue_on(TagState::Received, "2027-01-01"));
    assert!(!overdue_on(TagState::Cancelled, "2027-01-01"));
}

#[test]
fn the_papers_say_what_was_ordered() {
    let (tags, _) = order(
        "R26D1000012",
        TagKind::CallTag3,
        2,
        &[
            ("weight", "2.5"),
            ("weight_unit", "lb"),
            ("ready", "2026-03-12"),
            ("earliest", "09:00"),
            ("latest", "17:00"),
        ],
    )
    .unwrap();
    let sheet = paper("calltag-request", &tags[1]);
    assert_eq!(sheet["package"], "2 of 2, 2.5 lb");
    assert_eq!(sheet["pickup"], json!(["Acme Telecom", "1 Main Street", "Springfield IL 62701 US"]));
    assert_eq!(sheet["return_to"], json!(["Returns Dock", "1 Dock Road", "Town"]));
    assert!(sheet["kind"].as_str().unwrap().contains("driver brings the label"));
    let notice = paper("calltag-notice", &tags[0]);
    assert!(notice["window"].as_str().unwrap().starts_with("2026-03-12  09:00 to 17:00"));
    // Every field is one that the paper has.
    for (label, fields) in [("calltag-request", sheet), ("calltag-notice", notice)] {
        let def = crate::label::find(label).unwrap();
        assert!(fields.keys().all(|key| def.fields.iter().any(|f| f.name == key)), "{label}: {fields:?}");
    }
}

proptest! {
    /// Any steps in any order: no panic, nothing leaves its end but by the dock, never more attempts than
    /// the carrier makes.
    #[test]
    fn any_steps_in_any_order(steps in proptest::collection::vec(0..TagStep::ALL.len(), 0..12), kind in 0..TagKind::ALL.len()) {
        let mut now = fresh(TagKind::ALL[kind].1);
        let said: Map<String, Value> = [("why".to_owned(), json!("x"))].into_iter().collect();
        for step in steps {
            let step = TagStep::ALL[step].1;
            let Ok(moved) = act(&now, step, &said, day(TODAY), "Anna") else { continue };
            prop_assert!(!now.state.is_final() || matches!(step, TagStep::Receive | TagStep::Note));
            now.state = moved.to;
            now.attempts += u32::from(step == TagStep::Attempt);
            prop_assert!(now.tag.kind.attempts().is_none_or(|most| now.attempts <= most));
        }
    }

    #[test]
    fn no_order_panics(name in "[a-z_]{0,12}", value in "\\PC{0,60}") {
        let _ = order("R1", TagKind::CallTag3, 1, &[(name.as_str(), value.as_str())]);
    }
}
