//! The program files that come with the daemon. Their names are the only place in the sources where a
//! company shows: they are files of the package, not rules.

/// `(file name, text)` of each, in the order they are listed.
pub const SHIPPED: &[(&str, &str)] = &[
    ("voip-reseller.toml", include_str!("../../programs/voip-reseller.toml")),
    ("security-dvr.toml", include_str!("../../programs/security-dvr.toml")),
    ("unex.toml", include_str!("../../programs/unex.toml")),
    ("server-technology.toml", include_str!("../../programs/server-technology.toml")),
    ("smartwitness.toml", include_str!("../../programs/smartwitness.toml")),
];

/// The templates of their messages, by path below `messages`.
pub(super) const MESSAGES: &[(&str, &str)] = &[
    ("security-dvr/advance_refused.txt", include_str!("../../programs/messages/security-dvr/advance_refused.txt")),
    ("security-dvr/call_tag.txt", include_str!("../../programs/messages/security-dvr/call_tag.txt")),
    ("security-dvr/carrier_claim.txt", include_str!("../../programs/messages/security-dvr/carrier_claim.txt")),
    ("security-dvr/estimate.txt", include_str!("../../programs/messages/security-dvr/estimate.txt")),
    ("security-dvr/final.txt", include_str!("../../programs/messages/security-dvr/final.txt")),
    ("security-dvr/keep_or_return.txt", include_str!("../../programs/messages/security-dvr/keep_or_return.txt")),
    ("security-dvr/ordered_wrong.txt", include_str!("../../programs/messages/security-dvr/ordered_wrong.txt")),
    ("security-dvr/rma_issued.txt", include_str!("../../programs/messages/security-dvr/rma_issued.txt")),
    ("security-dvr/shipped.txt", include_str!("../../programs/messages/security-dvr/shipped.txt")),
    ("security-dvr/unwanted_credit.txt", include_str!("../../programs/messages/security-dvr/unwanted_credit.txt")),
    ("security-dvr/unwanted_refused.txt", include_str!("../../programs/messages/security-dvr/unwanted_refused.txt")),
    ("security-dvr/upgrade.txt", include_str!("../../programs/messages/security-dvr/upgrade.txt")),
    ("security-dvr/waiting_for_stock.txt", include_str!("../../programs/messages/security-dvr/waiting_for_stock.txt")),
    ("security-dvr/wrong_or_damaged.txt", include_str!("../../programs/messages/security-dvr/wrong_or_damaged.txt")),
    (
        "server-technology/carrier_claim.txt",
        include_str!("../../programs/messages/server-technology/carrier_claim.txt"),
    ),
    (
        "server-technology/credit_refused.txt",
        include_str!("../../programs/messages/server-technology/credit_refused.txt"),
    ),
    ("server-technology/finished.txt", include_str!("../../programs/messages/server-technology/finished.txt")),
    ("server-technology/rma_issued.txt", include_str!("../../programs/messages/server-technology/rma_issued.txt")),
    ("server-technology/estimate.txt", include_str!("../../programs/messages/server-technology/estimate.txt")),
    ("smartwitness/rma_issued.txt", include_str!("../../programs/messages/smartwitness/rma_issued.txt")),
    ("smartwitness/shipment_rejected.txt", include_str!("../../programs/messages/smartwitness/shipment_rejected.txt")),
    ("smartwitness/ticket_resolved.txt", include_str!("../../programs/messages/smartwitness/ticket_resolved.txt")),
    ("smartwitness/ticket_updated.txt", include_str!("../../programs/messages/smartwitness/ticket_updated.txt")),
    ("smartwitness/transit_damage.txt", include_str!("../../programs/messages/smartwitness/transit_damage.txt")),
    ("smartwitness/unauthorised_item.txt", include_str!("../../programs/messages/smartwitness/unauthorised_item.txt")),
    ("unex/carrier_claim.txt", include_str!("../../programs/messages/unex/carrier_claim.txt")),
    ("unex/hardware_suspected.txt", include_str!("../../programs/messages/unex/hardware_suspected.txt")),
    ("unex/quotation.txt", include_str!("../../programs/messages/unex/quotation.txt")),
    ("unex/repair_report.txt", include_str!("../../programs/messages/unex/repair_report.txt")),
    ("unex/rma_issued.txt", include_str!("../../programs/messages/unex/rma_issued.txt")),
    ("unex/service_quotation.txt", include_str!("../../programs/messages/unex/service_quotation.txt")),
    (
        "voip-reseller/advance_not_returned.txt",
        include_str!("../../programs/messages/voip-reseller/advance_not_returned.txt"),
    ),
    ("voip-reseller/advance_refused.txt", include_str!("../../programs/messages/voip-reseller/advance_refused.txt")),
    ("voip-reseller/list_open_answer.txt", include_str!("../../programs/messages/voip-reseller/list_open_answer.txt")),
    ("voip-reseller/original_back.txt", include_str!("../../programs/messages/voip-reseller/original_back.txt")),
    (
        "voip-reseller/remind_want_it_back.txt",
        include_str!("../../programs/messages/voip-reseller/remind_want_it_back.txt"),
    ),
    ("voip-reseller/out_of_warranty.txt", include_str!("../../programs/messages/voip-reseller/out_of_warranty.txt")),
    ("voip-reseller/replacement_used.txt", include_str!("../../programs/messages/voip-reseller/replacement_used.txt")),
    ("voip-reseller/want_it_back.txt", include_str!("../../programs/messages/voip-reseller/want_it_back.txt")),
    ("voip-reseller/within_30_days.txt", include_str!("../../programs/messages/voip-reseller/within_30_days.txt")),
];

/// The id of the program that is served where nothing else is asked for.
pub const DEFAULT: &str = "voip-reseller";
