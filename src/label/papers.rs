//! Every paper but the unit label: what stands on it, in order. A paper is a row here; how it is laid out
//! is [`super::sheet`]'s. Long, as a table of twenty papers is.
//!
//! L2 to L15 are the numbers of the five processes' papers. None of them looks like a carrier's label.
//! `job` is the code of this very print ([`crate::domain::label_code`]); it stands in the QR code.

use super::sheet::Part::{self, *};
use super::{Field, Kind, LabelDef, Stock, optional, required};

const LINES: Kind = Kind::List;
const TEXT: Kind = Kind::Text;

/// The barcodes that work a dock without a keyboard: what is done, what is answered, which option.
const COMMANDS: &[&[&str]] = &[
    &["DONE", "CANCEL", "UNDO", "REPRINT", "NOTTHERE", "HOLD", "PHOTO", "SUPERVISOR"],
    &["YES", "NO", "OTHER", "UNKNOWN"],
    &["OPT1", "OPT2", "OPT3", "OPT4", "OPT5", "OPT6", "OPT7", "OPT8", "OPT9"],
];

const fn line(caption: &'static str, field: &'static str) -> Part {
    Line { caption, field }
}

macro_rules! paper {
    ($name:literal, $title:literal, $stock:expr, [$($field:expr),* $(,)?], [$($part:expr),* $(,)?]) => {
        LabelDef {
            name: $name,
            title: $title,
            fields: {
                const FIELDS: &[Field] = &[
                    $($field,)* optional("copy", Kind::Count), optional("copy_by", TEXT), optional("copy_why", TEXT),
                ];
                FIELDS
            },
            stock: $stock,
            design: |fields, stock, dpi| {
                const PARTS: &[Part] = &[Copied, $($part),*];
                super::sheet_of($name, PARTS, &fields, stock, dpi)
            },
        }
    };
}

const SMALL: Stock = Stock::inches(4, 3);
const LARGE: Stock = Stock::inches(4, 6);

pub(super) const PAPERS: &[LabelDef] = &[
    paper!(
        "box",
        "box i of n of an RMA (L2)",
        SMALL,
        [
            required("rma"),
            required("box"),
            required("boxes"),
            optional("customer", TEXT),
            optional("received", TEXT),
            optional("job", TEXT)
        ],
        [
            Count { word: "Box", field: "box", of: "boxes" },
            Number { field: "rma" },
            line("CUSTOMER", "customer"),
            line("RECEIVED", "received")
        ]
    ),
    paper!(
        "traveller",
        "bench or failure analysis traveller (L3)",
        LARGE,
        [
            required("rma"),
            required("serial"),
            required("brand"),
            required("model"),
            optional("verdict", TEXT),
            optional("reasons", LINES),
            optional("questions", LINES),
            optional("holds", LINES),
            optional("checks", LINES),
            optional("due", TEXT),
            optional("customer", TEXT),
            optional("ticket", TEXT),
            optional("lineage", LINES),
            optional("job", TEXT)
        ],
        [
            Word { caption: "Bench traveller", field: "verdict", stops: false },
            Number { field: "rma" },
            Bars { caption: "S/N", field: "serial" },
            line("BRAND", "brand"),
            line("MODEL", "model"),
            line("DUE", "due"),
            line("TICKET", "ticket"),
            Checks { field: "checks", fixed: &[] },
            List { caption: "QUESTIONS", field: "questions" },
            List { caption: "HOLDS", field: "holds" },
            List { caption: "WHY", field: "reasons" },
            List { caption: "EARLIER UNITS", field: "lineage" },
            line("CUSTOMER", "customer")
        ]
    ),
    paper!(
        "hold",
        "HOLD tag with its reason (L4)",
        SMALL,
        [
            required("rma"),
            required("reason"),
            required("released_by"),
            optional("code", TEXT),
            optional("rule", TEXT),
            optional("serial", TEXT),
            optional("since", TEXT),
            optional("job", TEXT)
        ],
        [
            Title { text: "HOLD", stops: true },
            Reason { field: "reason" },
            Number { field: "rma" },
            line("RELEASED BY", "released_by"),
            line("S/N", "serial"),
            line("SINCE", "since"),
            line("CODE", "code"),
            line("RULE", "rule")
        ]
    ),
    paper!(
        "reject",
        "REJECT label (L5)",
        SMALL,
        [
            required("reason"),
            required("date"),
            optional("rma", TEXT),
            optional("tracking", TEXT),
            optional("rule", TEXT)
        ],
        [
            Title { text: "REJECT", stops: true },
            Reason { field: "reason" },
            line("DATE", "date"),
            line("RMA", "rma"),
            line("TRACKING", "tracking"),
            line("RULE", "rule")
        ]
    ),
    paper!(
        "return-to-sender",
        "return to sender, at the sender's expense (L5)",
        LARGE,
        [
            Field { name: "to", required: true, kind: Kind::List },
            required("reason"),
            optional("rma", TEXT),
            optional("payer", TEXT),
            optional("from", LINES),
            optional("rule", TEXT)
        ],
        [
            Title { text: "Return to sender", stops: true },
            Address { field: "to", attn: "" },
            Prose { field: "reason" },
            line("FREIGHT PAID BY", "payer"),
            line("RMA", "rma"),
            line("RULE", "rule"),
            Block { caption: "FROM", field: "from" }
        ]
    ),
    paper!(
        "unauthorised",
        "UNAUTHORISED ITEM tag (L6)",
        SMALL,
        [
            required("rma"),
            required("serial"),
            optional("model", TEXT),
            optional("received", TEXT),
            optional("rule", TEXT),
            optional("job", TEXT)
        ],
        [
            Title { text: "Unauthorised item", stops: true },
            Number { field: "rma" },
            Bars { caption: "S/N", field: "serial" },
            line("MODEL", "model"),
            line("RECEIVED", "received"),
            line("RULE", "rule")
        ]
    ),
    paper!(
        "routing",
        "routing tag to a team (L7)",
        SMALL,
        [
            required("team"),
            required("rma"),
            optional("serial", TEXT),
            optional("reason", TEXT),
            optional("rule", TEXT),
            optional("job", TEXT)
        ],
        [
            Word { caption: "Route to", field: "team", stops: true },
            Number { field: "rma" },
            line("S/N", "serial"),
            Prose { field: "reason" },
            line("RULE", "rule")
        ]
    ),
    paper!(
        "vendor",
        "to a vendor or distributor, with its RMA number (L8)",
        LARGE,
        [
            Field { name: "to", required: true, kind: Kind::List },
            required("vendor_rma"),
            required("rma"),
            optional("serials", LINES),
            optional("payer", TEXT),
            optional("rule", TEXT),
            optional("from", LINES)
        ],
        [
            Address { field: "to", attn: "vendor_rma" },
            Number { field: "vendor_rma" },
            line("OUR RMA", "rma"),
            Block { caption: "UNITS", field: "serials" },
            line("FREIGHT PAID BY", "payer"),
            line("RULE", "rule"),
            Block { caption: "FROM", field: "from" }
        ]
    ),
    paper!(
        "packing-list",
        "packing list of a shipment (L8)",
        LARGE,
        [
            required("rma"),
            Field { name: "items", required: true, kind: Kind::List },
            optional("vendor_rma", TEXT),
            optional("to", LINES),
            optional("date", TEXT),
            optional("job", TEXT)
        ],
        [
            Title { text: "Packing list", stops: false },
            Number { field: "rma" },
            line("VENDOR RMA", "vendor_rma"),
            line("DATE", "date"),
            Checks { field: "items", fixed: &[] },
            Block { caption: "TO", field: "to" }
        ]
    ),
    paper!(
        "return",
        "back to customer or partner: service and payer (L9)",
        LARGE,
        [
            Field { name: "to", required: true, kind: Kind::List },
            required("rma"),
            required("service"),
            required("payer"),
            optional("serial", TEXT),
            optional("rule", TEXT),
            optional("from", LINES),
            optional("job", TEXT)
        ],
        [
            Word { caption: "", field: "service", stops: false },
            Address { field: "to", attn: "" },
            Number { field: "rma" },
            line("S/N", "serial"),
            line("FREIGHT PAID BY", "payer"),
            line("RULE", "rule"),
            Block { caption: "FROM", field: "from" }
        ]
    ),
    paper!(
        "address",
        "address for the customer's box, ATTN: the RMA number, no postage (L11)",
        LARGE,
        [
            Field { name: "to", required: true, kind: Kind::List },
            required("rma"),
            optional("valid_until", TEXT),
            optional("from", LINES),
            optional("job", TEXT)
        ],
        [
            Address { field: "to", attn: "rma" },
            Number { field: "rma" },
            line("MUST ARRIVE BY", "valid_until"),
            Block { caption: "FROM", field: "from" }
        ]
    ),
    paper!(
        "calltag-request",
        "request for a call tag (L10)",
        LARGE,
        [
            required("rma"),
            required("kind"),
            Field { name: "pickup", required: true, kind: Kind::List },
            Field { name: "return_to", required: true, kind: Kind::List },
            required("description"),
            required("package"),
            optional("phone", TEXT),
            optional("ready", TEXT),
            optional("reason", TEXT),
            optional("payer", TEXT),
            optional("rule", TEXT),
            optional("outbound", TEXT),
            optional("ticket", TEXT),
            optional("instructions", TEXT),
            optional("job", TEXT)
        ],
        [
            Title { text: "Call tag request", stops: false },
            Number { field: "rma" },
            line("KIND", "kind"),
            line("PACKAGE", "package"),
            line("DESCRIPTION", "description"),
            Block { caption: "PICK UP AT", field: "pickup" },
            line("PHONE", "phone"),
            line("READY", "ready"),
            Block { caption: "RETURN TO", field: "return_to" },
            line("PAID BY", "payer"),
            line("RULE", "rule"),
            line("REASON", "reason"),
            line("OUTBOUND", "outbound"),
            line("TICKET", "ticket"),
            Prose { field: "instructions" }
        ]
    ),
    paper!(
        "calltag-notice",
        "notice to the customer: the driver brings the label (L10)",
        LARGE,
        [
            required("rma"),
            required("window"),
            optional("customer", TEXT),
            optional("carrier", TEXT),
            optional("contact", TEXT),
            optional("steps", LINES),
            optional("footer", LINES),
            optional("job", TEXT)
        ],
        [
            Title { text: "The driver brings the label", stops: false },
            Number { field: "rma" },
            line("WINDOW", "window"),
            line("CARRIER", "carrier"),
            Checks {
                field: "steps",
                fixed: &[
                    "Close the box.",
                    "Write the RMA number on its outside.",
                    "Give it to the driver: the label comes with him."
                ]
            },
            line("CUSTOMER", "customer"),
            line("CONTACT", "contact"),
            Block { caption: "", field: "footer" }
        ]
    ),
    paper!(
        "rma-sheet",
        "RMA authorisation (L12)",
        LARGE,
        [
            required("rma"),
            required("program"),
            Field { name: "return_to", required: true, kind: Kind::List },
            optional("ticket", TEXT),
            optional("customer", TEXT),
            optional("issued", TEXT),
            optional("valid_until", TEXT),
            optional("units", LINES),
            optional("packing", LINES),
            optional("footer", LINES),
            optional("job", TEXT)
        ],
        [
            Title { text: "RMA authorisation", stops: false },
            Number { field: "rma" },
            line("MUST ARRIVE BY", "valid_until"),
            Block { caption: "SEND TO", field: "return_to" },
            line("TICKET", "ticket"),
            line("CUSTOMER", "customer"),
            line("ISSUED", "issued"),
            Block { caption: "UNITS", field: "units" },
            Checks {
                field: "packing",
                fixed: &[
                    "Original packaging, or one that protects as well.",
                    "The RMA number on the outside of every box and on all papers."
                ]
            },
            line("TERMS", "program"),
            Block { caption: "", field: "footer" }
        ]
    ),
    paper!(
        "checklist",
        "condition and accessory checklist (L13)",
        LARGE,
        [
            required("rma"),
            required("serial"),
            Field { name: "items", required: true, kind: Kind::List },
            optional("model", TEXT),
            optional("seen_by", TEXT),
            optional("photo", TEXT),
            optional("job", TEXT)
        ],
        [
            Title { text: "Condition checklist", stops: false },
            Number { field: "rma" },
            line("S/N", "serial"),
            line("MODEL", "model"),
            Checks { field: "items", fixed: &[] },
            line("SEEN BY", "seen_by"),
            line("PHOTO", "photo")
        ]
    ),
    paper!(
        "quote",
        "quotation (L14)",
        LARGE,
        [
            required("rma"),
            required("amount"),
            required("valid_until"),
            optional("number", TEXT),
            optional("serial", TEXT),
            optional("customer", TEXT),
            optional("lines", LINES),
            optional("rule", TEXT),
            optional("footer", LINES),
            optional("job", TEXT)
        ],
        [
            Word { caption: "Quotation", field: "amount", stops: false },
            line("VALID UNTIL", "valid_until"),
            Number { field: "rma" },
            line("QUOTATION", "number"),
            line("S/N", "serial"),
            line("CUSTOMER", "customer"),
            List { caption: "FOR", field: "lines" },
            line("RULE", "rule"),
            Block { caption: "", field: "footer" }
        ]
    ),
    paper!(
        "charge",
        "charge slip (L14)",
        SMALL,
        [
            required("rma"),
            required("amount"),
            required("kind"),
            optional("party", TEXT),
            optional("serial", TEXT),
            optional("evidence", TEXT),
            optional("rule", TEXT),
            optional("date", TEXT),
            optional("job", TEXT)
        ],
        [
            Word { caption: "Charge", field: "amount", stops: false },
            Number { field: "rma" },
            line("FOR", "kind"),
            line("TO", "party"),
            line("S/N", "serial"),
            line("DATE", "date"),
            line("RULE", "rule"),
            Prose { field: "evidence" }
        ]
    ),
    paper!(
        "credit",
        "credit slip (L14)",
        SMALL,
        [
            required("rma"),
            required("amount"),
            required("party"),
            optional("kind", TEXT),
            optional("serial", TEXT),
            optional("evidence", TEXT),
            optional("rule", TEXT),
            optional("date", TEXT),
            optional("job", TEXT)
        ],
        [
            Word { caption: "Credit", field: "amount", stops: false },
            Number { field: "rma" },
            line("TO", "party"),
            line("FOR", "kind"),
            line("S/N", "serial"),
            line("DATE", "date"),
            line("RULE", "rule"),
            Prose { field: "evidence" }
        ]
    ),
    paper!(
        "qc",
        "TEST, QC or release tag (L15)",
        SMALL,
        [
            required("rma"),
            required("serial"),
            required("result"),
            optional("by", TEXT),
            optional("date", TEXT),
            optional("checks", LINES),
            optional("rule", TEXT),
            optional("job", TEXT)
        ],
        [
            Word { caption: "", field: "result", stops: false },
            Number { field: "rma" },
            Bars { caption: "S/N", field: "serial" },
            line("BY", "by"),
            line("DATE", "date"),
            Checks { field: "checks", fixed: &[] },
            line("RULE", "rule")
        ]
    ),
    paper!(
        "wall-sheet",
        "command and answer barcodes for the wall",
        LARGE,
        [optional("codes", LINES)],
        [Title { text: "Scan to command", stops: false }, Wall { field: "codes", fixed: COMMANDS }]
    ),
    paper!(
        "scanner-test",
        "barcodes that tell how a scanner is set (backdock doctor scanner)",
        LARGE,
        [],
        [Title { text: "Scan all, 11 last", stops: false }, Probes]
    ),
];
