//! Why a printer does not print, in the operator's words.
//!
//! Arrives: a [`PrinterStatus`], or what the printer room saw on the link. Leaves: a [`Fault`] with
//! a code for tables and JSON, a title for the screen and the next thing to do. The table below is
//! the only place where these texts stand; the picture of each is drawn in `src/web/page/kiosk.html`.

use super::host_status::PrinterStatus;
use std::fmt;

/// One reason not to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    // What the printer says of itself.
    HeadOpen,
    PaperOut,
    RibbonOut,
    Cutter,
    Printhead,
    OverTemperature,
    UnderTemperature,
    RamCorrupt,
    DiagnosticMode,
    PartialFormat,
    BufferFull,
    LabelWaiting,
    Paused,
    // What comparing it with the configuration says.
    WrongDpi,
    OtherPrinter,
    // What the link says.
    BufferStuck,
    Silent,
    Refused,
    Unreachable,
    Denied,
    Unplugged,
    InUse,
}

/// Fault, code, title, instruction; `{stock}` stands for the stock configured.
const TEXTS: [(Fault, &str, &str, &str); 22] = [
    (
        Fault::HeadOpen,
        "head_open",
        "Print head open",
        "Close the print head until it clicks on both sides, then press FEED.",
    ),
    (Fault::PaperOut, "paper_out", "Out of labels", "Load {stock} labels, close the head, press FEED."),
    (Fault::RibbonOut, "ribbon_out", "Out of ribbon", "Load a new ribbon, close the head, press FEED."),
    (
        Fault::Cutter,
        "cutter",
        "Cutter jammed",
        "Switch the printer off, clear the label from the cutter, switch it on.",
    ),
    (
        Fault::Printhead,
        "printhead",
        "Print head defective",
        "Switch the printer off and on; if this comes back, use another printer and call maintenance.",
    ),
    (
        Fault::OverTemperature,
        "over_temperature",
        "Print head too hot",
        "Wait; it goes on by itself when it has cooled. Lower the darkness if this comes back.",
    ),
    (
        Fault::UnderTemperature,
        "under_temperature",
        "Print head too cold",
        "Wait until the printer has warmed up; look at the print before using the labels.",
    ),
    (
        Fault::RamCorrupt,
        "ram_corrupt",
        "Printer lost its settings",
        "Switch the printer off and on, calibrate the {stock} labels, print a test page.",
    ),
    (
        Fault::DiagnosticMode,
        "diagnostic_mode",
        "Printer in diagnostic mode",
        "Switch the printer off and on; it dumps what it gets instead of printing it.",
    ),
    (
        Fault::PartialFormat,
        "partial_format",
        "Half a label received",
        "Press CANCEL on the printer, then settle the job shown as in doubt.",
    ),
    (
        Fault::BufferFull,
        "buffer_full",
        "Printer's memory full",
        "Wait until it has printed what it holds; if nothing moves, switch it off and on.",
    ),
    (Fault::LabelWaiting, "label_waiting", "Label waiting to be taken", "Take the printed label."),
    (Fault::Paused, "paused", "Printer paused", "Press PAUSE."),
    (
        Fault::WrongDpi,
        "wrong_dpi",
        "Wrong print head",
        "Set the dpi of this printer in the configuration to that of its print head.",
    ),
    (
        Fault::OtherPrinter,
        "other_printer",
        "A different printer",
        "Put the configured printer back, or enter the new one in the configuration.",
    ),
    (
        Fault::BufferStuck,
        "buffer_stuck",
        "Printer takes no data",
        "Look at the printer's display and clear what it shows; if it shows nothing, switch it off and on.",
    ),
    (
        Fault::Silent,
        "silent",
        "Printer does not answer",
        "Check labels, ribbon and print head: some printers are silent then. If all is well, switch it off and on.",
    ),
    (
        Fault::Refused,
        "refused",
        "Printer refuses the connection",
        "Wait for another station to finish; if there is none, check the printer's port in the configuration.",
    ),
    (
        Fault::Unreachable,
        "unreachable",
        "Printer not reachable",
        "Check that the printer is on and its network cable is in.",
    ),
    (
        Fault::Denied,
        "denied",
        "No permission for the printer",
        "Install the udev rules that come with backdock, then unplug the printer and plug it in.",
    ),
    (Fault::Unplugged, "unplugged", "Printer unplugged", "Plug in the printer's cable and switch the printer on."),
    (
        Fault::InUse,
        "in_use",
        "Another program has the printer",
        "Take the printer away from that program; if it is the print spooler: sudo systemctl disable --now cups.",
    ),
];

impl Fault {
    fn row(self) -> &'static (Fault, &'static str, &'static str, &'static str) {
        // The table has the order of the enum; a test holds it to that.
        &TEXTS[self as usize]
    }

    /// For tables and JSON, for example `paper_out`.
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// What is wrong, in a few words.
    pub fn title(self) -> &'static str {
        self.row().2
    }

    /// What to do, with `stock` as the configuration names it, for example `4x6`.
    pub fn instruction(self, stock: &str) -> String {
        self.row().3.replace("{stock}", stock)
    }

    /// Every fault there is.
    pub fn all() -> impl Iterator<Item = Fault> {
        TEXTS.iter().map(|row| row.0)
    }

    /// The fault with this code.
    pub fn from_code(code: &str) -> Option<Fault> {
        TEXTS.iter().find(|row| row.1 == code).map(|row| row.0)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

impl serde::Serialize for Fault {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.code())
    }
}

/// The faults `~HS` reports, the one to mend first in front; empty when nothing stops the printer.
/// A printer pauses by itself for most faults, so `Paused` comes last.
pub fn faults(status: &PrinterStatus) -> Vec<Fault> {
    let says = [
        (status.head_open, Fault::HeadOpen),
        (status.paper_out, Fault::PaperOut),
        // Direct thermal printers have no ribbon to run out of.
        (status.ribbon_out && status.thermal_transfer, Fault::RibbonOut),
        (status.over_temperature, Fault::OverTemperature),
        (status.under_temperature, Fault::UnderTemperature),
        (status.ram_corrupt, Fault::RamCorrupt),
        (status.diagnostic_mode, Fault::DiagnosticMode),
        (status.buffer_full, Fault::BufferFull),
        (status.label_waiting, Fault::LabelWaiting),
        (status.paused, Fault::Paused),
    ];
    says.into_iter().filter(|(is, _)| *is).map(|(_, fault)| fault).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zebra::{HostStatus, Query};

    fn status(line1: &str, line2: &str) -> PrinterStatus {
        let answer = format!("\x02{line1}\x03\r\n\x02{line2}\x03\r\n\x021234,0\x03\r\n");
        HostStatus.parse(answer.as_bytes()).done().expect("an answer")
    }

    const FINE: (&str, &str) = ("030,0,0,1245,000,0,0,0,000,0,0,0", "000,0,0,0,1,2,4,0,00000000,1,000");

    #[test]
    fn the_table_has_a_row_for_every_fault() {
        let mut codes: Vec<&str> = Vec::new();
        for (n, (fault, code, title, instruction)) in TEXTS.into_iter().enumerate() {
            assert_eq!(fault as usize, n, "{code} stands in the wrong place");
            assert_eq!(Fault::from_code(code), Some(fault));
            assert!(!codes.contains(&code) && !title.is_empty() && instruction.ends_with('.'), "{code}");
            codes.push(code);
        }
        assert_eq!(Fault::InUse as usize, TEXTS.len() - 1, "the last fault has the last row");
    }

    #[test]
    fn instructions_name_the_stock() {
        assert_eq!(Fault::PaperOut.instruction("4x6"), "Load 4x6 labels, close the head, press FEED.");
        assert_eq!(Fault::Paused.instruction("4x6"), "Press PAUSE.");
    }

    #[test]
    fn what_to_mend_first_comes_first() {
        assert_eq!(faults(&status(FINE.0, FINE.1)), []);
        let open = status("030,1,1,1245,003,0,0,0,000,0,0,0", "000,0,1,0,1,2,4,0,00000002,1,000");
        assert_eq!(faults(&open), [Fault::HeadOpen, Fault::PaperOut, Fault::Paused]);
    }

    #[test]
    fn a_direct_thermal_printer_lacks_no_ribbon() {
        let ribbon = |transfer| status(FINE.0, &format!("000,0,0,1,{transfer},2,4,0,00000000,1,000"));
        assert_eq!(faults(&ribbon(1)), [Fault::RibbonOut]);
        assert_eq!(faults(&ribbon(0)), []);
    }
}
