//! A HID report descriptor (Device Class Definition for HID 1.11, 6.2.2), read for one question: where do
//! the fields of a scanned-data report, or the keys of a keyboard's report lie?
//!
//! The descriptor comes from a device and may lie. Every size is checked, memory is bounded by the
//! length of the descriptor and [`MAX_BITS`], and what cannot be used is refused with a word on why.

use std::ops::Range;

/// The longest report accepted, in bits: 4096 bytes.
pub const MAX_BITS: u32 = 8 * 4096;
/// The longest descriptor accepted, in bytes (the kernel's own limit, HID_MAX_DESCRIPTOR_SIZE).
pub const MAX_DESCRIPTOR: usize = 4096;
/// Saved global states and nested collections at most.
const DEPTH: usize = 32;

const SCANNER: u32 = 0x8c_0002;
const AIM: [u32; 3] = [0x8c_00fb, 0x8c_00fc, 0x8c_00fd];
const DATA: u32 = 0x8c_00fe;
const CONTINUED: u32 = 0x8c_00ff;
const BYTE_COUNT: u32 = 0x01_003b;
/// Generic Desktop: Keyboard and Keypad.
const KEYBOARD: u32 = 0x01_0006;
/// Page 7, where a key is its usage, and the first of its eight modifiers.
pub(super) const KEYS: u32 = 0x07_0000;
pub(super) const MODIFIER: u32 = 0x07_00e0;

/// Where a scanned-data report has what. Places count from the start of the report, its id included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// The report's id, its first byte; `None` where the device has one report without an id.
    pub id: Option<u8>,
    /// Length of the whole report, in bytes.
    pub bytes: usize,
    /// The number of data bytes: where, and whether it takes two bytes, the low one first.
    pub length: Option<(usize, bool)>,
    /// The three bytes of the AIM identifier.
    pub aim: [Option<usize>; 3],
    pub data: Range<usize>,
    /// The bit, counted from bit 0 of byte 0, that says "continued in the next report".
    pub more: Option<usize>,
}

/// Where a keyboard's report has what. Places count from the start of the report, its id included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyReport {
    pub id: Option<u8>,
    /// Length of the whole report, in bytes.
    pub bytes: usize,
    /// The bits of the eight modifiers, counted from bit 0 of byte 0.
    pub modifiers: [Option<usize>; 8],
    /// The keys that are down, a byte each.
    pub keys: Range<usize>,
}

/// Why a descriptor gives no [`Layout`] or [`KeyReport`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotRead {
    #[error("its HID descriptor breaks off in the middle")]
    Cut,
    #[error("its HID descriptor has sizes that cannot be")]
    Absurd,
    #[error("its HID descriptor has no point-of-sale bar code scanner (usage page 0x8C, usage 2)")]
    NoScanner,
    #[error("its HID descriptor has no field for decoded data")]
    NoData,
    #[error("its HID descriptor has no keyboard that tells its keys byte by byte")]
    NoKeys,
    #[error("the fields of its report do not lie on whole bytes")]
    Unaligned,
}

/// One element of an input report.
#[derive(Clone, Copy, Debug)]
struct Element {
    usage: u32,
    report: u8,
    bit: u32,
    size: u32,
    /// It holds the number of a usage, not the state of one.
    array: bool,
}

#[derive(Clone, Copy, Default)]
struct Global {
    page: u32,
    size: u32,
    count: u32,
    report: u8,
}

/// A short item: type (0 main, 1 global, 2 local), tag, value, length of the value in bytes.
struct Item {
    kind: u8,
    tag: u8,
    value: u32,
    len: usize,
}

/// Takes one item off the front. Long items (first byte 0xFE) have no meaning yet and come as type 3.
fn item(rest: &mut &[u8]) -> Result<Option<Item>, NotRead> {
    let Some((&first, tail)) = rest.split_first() else { return Ok(None) };
    if first == 0xfe {
        let skip = 2 + usize::from(*tail.first().ok_or(NotRead::Cut)?);
        *rest = tail.get(skip..).ok_or(NotRead::Cut)?;
        return Ok(Some(Item { kind: 3, tag: 0, value: 0, len: 0 }));
    }
    let len = [0, 1, 2, 4][usize::from(first & 3)];
    let bytes = tail.get(..len).ok_or(NotRead::Cut)?;
    *rest = &tail[len..];
    let value = bytes.iter().rev().fold(0, |value, b| value << 8 | u32::from(*b));
    Ok(Some(Item { kind: first >> 2 & 3, tag: first >> 4, value, len }))
}

/// The usages of the top-level collections.
///
/// # Errors
/// The descriptor cannot be read.
pub fn applications(descriptor: &[u8]) -> Result<Vec<u32>, NotRead> {
    Ok(walk(descriptor)?.applications)
}

/// Whether this interface is a point-of-sale bar code scanner.
pub fn is_scanner(descriptor: &[u8]) -> bool {
    applications(descriptor).is_ok_and(|found| found.contains(&SCANNER))
}

/// Whether this interface types like a keyboard.
pub fn is_keyboard(descriptor: &[u8]) -> bool {
    applications(descriptor).is_ok_and(|found| found.contains(&KEYBOARD))
}

/// Where the scanned-data report of this device has what. Where there are several, the first counts.
///
/// # Errors
/// There is none, or it cannot be used.
pub fn layout(descriptor: &[u8]) -> Result<Layout, NotRead> {
    let walked = walk(descriptor)?;
    if !walked.applications.contains(&SCANNER) {
        return Err(NotRead::NoScanner);
    }
    let first = walked.elements.iter().find(|e| e.usage == DATA).ok_or(NotRead::NoData)?;
    let of = |usage: u32| walked.elements.iter().filter(move |e| e.usage == usage && e.report == first.report);
    let byte = |e: &Element| e.bit.is_multiple_of(8).then_some((e.bit / 8) as usize).ok_or(NotRead::Unaligned);
    let mut data = byte(first)?..byte(first)?;
    for e in of(DATA) {
        if e.size != 8 {
            return Err(NotRead::Unaligned);
        }
        // The data is one run; a second field of the same usage is not ours.
        if byte(e)? == data.end {
            data.end += 1;
        }
    }
    let length = match of(BYTE_COUNT).next() {
        Some(e) if e.size == 8 || e.size == 16 => Some((byte(e)?, e.size == 16)),
        Some(_) => return Err(NotRead::Unaligned),
        None => None,
    };
    let mut aim = [None; 3];
    for (place, usage) in aim.iter_mut().zip(AIM) {
        *place = of(usage).find(|e| e.size == 8).map(byte).transpose()?;
    }
    // One flag, whatever room the descriptor gives it: makers that declare the vendor's bytes in front of
    // it under the same usage keep the flag itself in the last byte.
    let more = of(CONTINUED).next_back().map(|e| e.bit as usize);
    let bits = walked.bits.iter().find(|(id, _)| *id == first.report).map_or(0, |(_, bits)| *bits);
    let id = (first.report != 0).then_some(first.report);
    Ok(Layout { id, bytes: bits.div_ceil(8) as usize, length, aim, data, more })
}

/// Where the report of this keyboard has what. Where there are several, the first counts.
///
/// # Errors
/// There is none, or it cannot be used.
pub fn key_report(descriptor: &[u8]) -> Result<KeyReport, NotRead> {
    let walked = walk(descriptor)?;
    let is_key = |e: &&Element| e.array && e.usage & !0xffff == KEYS && e.size == 8;
    let first = walked.elements.iter().find(is_key).ok_or(NotRead::NoKeys)?;
    let here = || walked.elements.iter().filter(|e| e.report == first.report);
    if !first.bit.is_multiple_of(8) {
        return Err(NotRead::Unaligned);
    }
    let from = (first.bit / 8) as usize;
    let mut keys = from..from;
    for e in here().filter(is_key) {
        keys.end += usize::from(e.bit as usize == 8 * keys.end);
    }
    let mut modifiers = [None; 8];
    for (place, usage) in modifiers.iter_mut().zip(MODIFIER..) {
        *place = here().find(|e| e.usage == usage && e.size == 1 && !e.array).map(|e| e.bit as usize);
    }
    let bits = walked.bits.iter().find(|(id, _)| *id == first.report).map_or(0, |(_, bits)| *bits);
    let id = (first.report != 0).then_some(first.report);
    Ok(KeyReport { id, bytes: bits.div_ceil(8) as usize, modifiers, keys })
}

#[derive(Default)]
struct Walked {
    applications: Vec<u32>,
    /// Of a bar code scanner's and a keyboard's own collections only.
    elements: Vec<Element>,
    /// Input report id -> its length in bits, the id included.
    bits: Vec<(u8, u32)>,
}

fn walk(descriptor: &[u8]) -> Result<Walked, NotRead> {
    if descriptor.len() > MAX_DESCRIPTOR {
        return Err(NotRead::Absurd);
    }
    let (mut rest, mut out) = (descriptor, Walked::default());
    let (mut global, mut saved) = (Global::default(), Vec::new());
    let (mut usages, mut range) = (Vec::new(), (0, 0));
    let mut open = Vec::new();
    while let Some(Item { kind, tag, value, len }) = item(&mut rest)? {
        // A usage of four bytes brings its own page.
        let usage = |global: &Global| if len == 4 { value } else { global.page << 16 | value };
        match (kind, tag) {
            (1, 0) => global.page = value & 0xffff,
            (1, 7) => global.size = value,
            (1, 9) => global.count = value,
            (1, 8) => global.report = u8::try_from(value).map_err(|_| NotRead::Absurd)?,
            (1, 10) if saved.len() < DEPTH => saved.push(global),
            (1, 10) => return Err(NotRead::Absurd),
            (1, 11) => global = saved.pop().ok_or(NotRead::Absurd)?,
            (2, 0) => usages.push(usage(&global)),
            (2, 1) => range.0 = usage(&global),
            (2, 2) => {
                range.1 = usage(&global);
                // Only as many as a report could have elements.
                usages.extend((range.0..=range.1).take(256));
            }
            (0, 10) => {
                if open.len() >= DEPTH {
                    return Err(NotRead::Absurd);
                }
                let named = usages.first().copied().unwrap_or(0);
                if open.is_empty() {
                    out.applications.push(named);
                }
                open.push(named);
            }
            (0, 12) => drop(open.pop().ok_or(NotRead::Absurd)?),
            (0, 8) => {
                let ours = matches!(open.first(), Some(&(SCANNER | KEYBOARD)));
                let (padding, array) = (value & 1 == 1, value & 2 == 0);
                input(&mut out, &global, &usages, array, !padding && ours)?;
            }
            _ => {}
        }
        if kind == 0 {
            usages.clear();
            range = (0, 0);
        }
    }
    Ok(out)
}

/// One Input item: `count` elements of `size` bits, of which `ours` are kept.
fn input(out: &mut Walked, global: &Global, usages: &[u32], array: bool, ours: bool) -> Result<(), NotRead> {
    let at = match out.bits.iter().position(|(id, _)| *id == global.report) {
        Some(at) => at,
        None => {
            out.bits.push((global.report, if global.report == 0 { 0 } else { 8 }));
            out.bits.len() - 1
        }
    };
    let start = out.bits[at].1;
    let end = global.size.checked_mul(global.count).and_then(|bits| bits.checked_add(start));
    let end = end.filter(|end| *end <= MAX_BITS).ok_or(NotRead::Absurd)?;
    out.bits[at].1 = end;
    if !ours || global.size == 0 {
        return Ok(());
    }
    for n in 0..global.count {
        // Fewer usages than elements: the last one counts for the rest.
        let Some(&usage) = usages.get(n as usize).or(usages.last()) else { return Ok(()) };
        let bit = start + n * global.size;
        out.elements.push(Element { usage, report: global.report, bit, size: global.size, array });
    }
    Ok(())
}
