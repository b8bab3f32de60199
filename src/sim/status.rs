//! The printer's answers, as the ZPL programming guide and the Set-Get-Do reference lay them out.
//!
//! Arrives: a [`State`], the printer at one moment. Leaves: the bytes of an answer.
//!
//! Assumed: communication settings `030` and print width mode `4` in `~HS`; no line end after a quoted
//! Set-Get-Do answer; `~HI` with four fields, since options are listed only where fitted; the lead-in
//! and padding of `~HQ` answers as captures of a ZT411 show them. Bits of `~HQES`: 0x1 media,
//! 0x2 ribbon, 0x4 head open, 0x10 head too hot, 0x10000 paused (table "Error Flags" of `~HQ`).

/// The printer at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Model as `~HI` tells it.
    pub model: String,
    /// Firmware version, with its leading `V`.
    pub firmware: String,
    /// Serial number.
    pub serial: String,
    /// Print head, in dots per inch.
    pub dots_per_inch: u16,
    /// Print head, in dots per millimetre, as the printer rounds it.
    pub dots_per_mm: u16,
    /// Lifetime label count.
    pub total_labels: u64,
    /// Label count since somebody reset it.
    pub user_labels: u64,
    /// Label length in dots.
    pub label_length: u32,
    /// Formats that wait.
    pub formats: usize,
    /// Labels of the current format that are not out yet.
    pub remaining: u64,
    /// The receive buffer is full.
    pub buffer_full: bool,
    /// A format is open.
    pub partial: bool,
    /// No media.
    pub paper_out: bool,
    /// No ribbon.
    pub ribbon_out: bool,
    /// Head up.
    pub head_open: bool,
    /// Head too hot.
    pub over_temperature: bool,
    /// Paused.
    pub paused: bool,
    /// A ribbon is used (`^MTT`).
    pub thermal_transfer: bool,
    /// `^MM` as `~HS` numbers it: 0 rewind, 1 peel-off, 2 tear-off, 3 cutter, 4 applicator.
    pub print_mode: u8,
}

/// Formats and labels of `~HS` have three and eight digits.
const FORMATS_MAX: usize = 999;
const REMAINING_MAX: u64 = 99_999_999;

/// The three lines of `~HS`.
pub fn host_status(s: &State) -> Vec<u8> {
    let f = u8::from;
    let one = format!(
        "030,{},{},{:04},{:03},{},0,{},000,0,0,{}",
        f(s.paper_out),
        f(s.paused),
        s.label_length.min(9999),
        s.formats.min(FORMATS_MAX),
        f(s.buffer_full),
        f(s.partial),
        f(s.over_temperature),
    );
    let two = format!(
        "000,0,{},{},{},{},4,0,{:08},1,000",
        f(s.head_open),
        f(s.ribbon_out),
        f(s.thermal_transfer),
        s.print_mode,
        s.remaining.min(REMAINING_MAX),
    );
    [one, two, "1234,0".to_owned()].iter().flat_map(|line| format!("\x02{line}\x03\r\n").into_bytes()).collect()
}

/// `~HI`: model, firmware, dots per millimetre, memory.
pub fn host_identification(s: &State) -> Vec<u8> {
    format!("\x02{},{},{},8176KB\x03\r\n", s.model, s.firmware, s.dots_per_mm).into_bytes()
}

/// `~HM`: memory in KB: total, most available, now available.
pub fn memory() -> Vec<u8> {
    b"8176,8176,8176\r\n".to_vec()
}

/// `~HQES`: errors and warnings.
pub fn errors(s: &State) -> Vec<u8> {
    let bits = u32::from(s.paper_out)
        | u32::from(s.ribbon_out) << 1
        | u32::from(s.head_open) << 2
        | u32::from(s.over_temperature) << 4
        | u32::from(s.paused) << 16;
    let flag = u8::from(bits != 0);
    query_answer(
        "PRINTER STATUS",
        &[format!("ERRORS:         {flag} 00000000 {bits:08X}"), "WARNINGS:       0 00000000 00000000".to_owned()],
    )
}

/// `~HQSN`: the serial number.
pub fn serial_number(s: &State) -> Vec<u8> {
    query_answer("SERIAL NUMBER", std::slice::from_ref(&s.serial))
}

fn query_answer(title: &str, lines: &[String]) -> Vec<u8> {
    let mut text = format!("\x02\r\n\r\n  {title:<40}\r\n");
    for line in lines {
        text.push_str(&format!("   {line:<39}\r\n"));
    }
    text.push('\x03');
    text.into_bytes()
}

/// `getvar`: the quoted value, `"?"` for a name the printer does not have.
pub fn variable(s: &State, name: &str) -> Vec<u8> {
    let value = match name {
        "odometer.total_label_count" => s.total_labels.to_string(),
        "odometer.user_label_count" => s.user_labels.to_string(),
        "device.unique_id" => s.serial.clone(),
        "device.product_name" => s.model.split([' ', '-']).next().unwrap_or("").to_owned(),
        "device.languages" => "hybrid_xml_zpl".to_owned(),
        "head.resolution.in_dpi" => s.dots_per_inch.to_string(),
        "head.latch" => if s.head_open { "open" } else { "ok" }.to_owned(),
        "media.type" => "label".to_owned(),
        "media.status" => if s.paper_out { "out" } else { "ok" }.to_owned(),
        "ezpl.print_method" => if s.thermal_transfer { "thermal trans" } else { "direct thermal" }.to_owned(),
        "appl.name" => s.firmware.clone(),
        _ => "?".to_owned(),
    };
    format!("\"{value}\"").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idle() -> State {
        State {
            model: "ZD421-203dpi ZPL".into(),
            firmware: "V93.21.26Z".into(),
            serial: "D2J250000001".into(),
            dots_per_inch: 203,
            dots_per_mm: 8,
            total_labels: 1500,
            user_labels: 12,
            label_length: 812,
            formats: 0,
            remaining: 0,
            buffer_full: false,
            partial: false,
            paper_out: false,
            ribbon_out: false,
            head_open: false,
            over_temperature: false,
            paused: false,
            thermal_transfer: false,
            print_mode: 2,
        }
    }

    #[test]
    fn the_lines_have_the_fields_and_widths_of_the_manual() {
        assert_eq!(
            String::from_utf8_lossy(&host_status(&idle())),
            "\x02030,0,0,0812,000,0,0,0,000,0,0,0\x03\r\n\
             \x02000,0,0,0,0,2,4,0,00000000,1,000\x03\r\n\
             \x021234,0\x03\r\n"
        );
        let busy = State {
            paper_out: true,
            ribbon_out: true,
            head_open: true,
            over_temperature: true,
            paused: true,
            partial: true,
            buffer_full: true,
            thermal_transfer: true,
            formats: 7,
            remaining: 25,
            label_length: 123_456,
            ..idle()
        };
        assert_eq!(
            String::from_utf8_lossy(&host_status(&busy)),
            "\x02030,1,1,9999,007,1,0,1,000,0,0,1\x03\r\n\
             \x02000,0,1,1,1,2,4,0,00000025,1,000\x03\r\n\
             \x021234,0\x03\r\n"
        );
    }

    #[test]
    fn error_bits_stand_where_the_manual_puts_them() {
        let cases = [
            (idle(), "0 00000000 00000000"),
            (State { paper_out: true, paused: true, ..idle() }, "1 00000000 00010001"),
            (State { ribbon_out: true, head_open: true, ..idle() }, "1 00000000 00000006"),
            (State { over_temperature: true, ..idle() }, "1 00000000 00000010"),
        ];
        for (state, wanted) in cases {
            let text = String::from_utf8(errors(&state)).expect("ASCII");
            assert!(text.starts_with("\x02\r\n\r\n  PRINTER STATUS"), "{text}");
            assert!(text.contains(&format!("ERRORS:         {wanted}")), "{text}");
            assert!(text.contains("WARNINGS:       0 00000000 00000000"), "{text}");
            assert!(text.ends_with("\r\n\x03"), "{text}");
        }
    }

    #[test]
    fn identification_and_variables() {
        let s = idle();
        assert_eq!(host_identification(&s), b"\x02ZD421-203dpi ZPL,V93.21.26Z,8,8176KB\x03\r\n");
        for (name, value) in [
            ("odometer.total_label_count", "\"1500\""),
            ("odometer.user_label_count", "\"12\""),
            ("device.unique_id", "\"D2J250000001\""),
            ("device.product_name", "\"ZD421\""),
            ("head.resolution.in_dpi", "\"203\""),
            ("no.such.thing", "\"?\""),
        ] {
            assert_eq!(variable(&s, name), value.as_bytes(), "{name}");
        }
    }
}
