//! Scanners that type: key events in, the bytes of the payload out.
//!
//! A key event says which key moved, not which character is meant. The scanner chose the key by the
//! keyboard layout that *it* is set to, so that one counts here ([`layout`]), whatever the station's own
//! keyboard is. Key codes are the kernel's (`linux/input-event-codes.h`).
//!
//! | what the scanner types | what comes out |
//! |---|---|
//! | key, Shift, AltGr, Caps Lock | the layout's character, in UTF-8; a dead key waits for the next one |
//! | keypad | digits and signs, whatever Num Lock says |
//! | Enter, Tab | CR, TAB: the framing behind this file knows what ends a scan |
//! | Ctrl with a character of `@A-Z[\]^_` | the control character: Ctrl+] is GS, Ctrl+^ RS, Ctrl+D EOT |
//! | Alt held, digits on the keypad | the character of that number: Windows-1252 behind a 0, else code page 437 |
//!
//! A key that stands for no character is no reason to go on as if nothing had been there: the scan is
//! spoilt. Caps Lock is counted from "off"; whoever opens the device switches its light off to say so.

pub mod layout;
pub mod stream;

pub use layout::Layout;

/// What one key event came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Typed {
    /// Nothing yet: a modifier, a release, the first half of a character.
    Nothing,
    /// Bytes were added.
    Added,
    /// A key without a meaning here: the scan under way is not what was on the label.
    Spoilt,
}

const BACKSPACE: u16 = 14;
const TAB: u16 = 15;
const ENTER: u16 = 28;
const LEFT_CTRL: u16 = 29;
const LEFT_SHIFT: u16 = 42;
const RIGHT_SHIFT: u16 = 54;
const LEFT_ALT: u16 = 56;
const SPACE: u16 = 57;
const CAPS_LOCK: u16 = 58;
const NUM_LOCK: u16 = 69;
const SCROLL_LOCK: u16 = 70;
const KEYPAD_ENTER: u16 = 96;
const RIGHT_CTRL: u16 = 97;
const RIGHT_ALT: u16 = 100;

/// The keypad: key code, character.
const KEYPAD: [(u16, u8); 17] = [
    (55, b'*'),
    (71, b'7'),
    (72, b'8'),
    (73, b'9'),
    (74, b'-'),
    (75, b'4'),
    (76, b'5'),
    (77, b'6'),
    (78, b'+'),
    (79, b'1'),
    (80, b'2'),
    (81, b'3'),
    (82, b'0'),
    (83, b'.'),
    (98, b'/'),
    (117, b'='),
    (121, b','),
];

/// The upper half of code page 437, from 128 on.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
                     └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The keyboard of one scanner.
#[derive(Clone, Debug)]
pub struct Keyboard {
    layout: Layout,
    /// Modifiers that are down: left and right are counted apart.
    down: [bool; 6],
    caps: bool,
    /// A dead key waits for the letter it belongs to.
    dead: Option<char>,
    /// The number typed on the keypad while Alt is down: value, digits, whether a 0 came first.
    code: Option<(u32, u8, bool)>,
}

const MODIFIERS: [u16; 6] = [LEFT_SHIFT, RIGHT_SHIFT, LEFT_CTRL, RIGHT_CTRL, LEFT_ALT, RIGHT_ALT];

impl Keyboard {
    pub fn new(layout: Layout) -> Keyboard {
        Keyboard { layout, down: [false; 6], caps: false, dead: None, code: None }
    }

    /// Events were lost: which keys are down is not known any more. Caps Lock is taken to be as it was.
    pub fn forget(&mut self) {
        *self = Keyboard { caps: self.caps, ..Keyboard::new(self.layout) };
    }

    /// Takes one event: a key code, and whether it went down. The kernel's own repeats are none: a scanner
    /// holds no key.
    pub fn key(&mut self, code: u16, pressed: bool, out: &mut Vec<u8>) -> Typed {
        let before = out.len();
        if let Some(at) = MODIFIERS.iter().position(|m| *m == code) {
            self.down[at] = pressed;
            if code == LEFT_ALT && !pressed {
                let typed = self.code.take();
                return typed.map_or(Typed::Nothing, |typed| by_number(typed, out));
            }
            return Typed::Nothing;
        }
        if !pressed {
            return Typed::Nothing;
        }
        let [shift_l, shift_r, ctrl_l, ctrl_r, alt, alt_gr] = self.down;
        let (shift, ctrl) = (shift_l || shift_r, ctrl_l || ctrl_r);
        let keypad = KEYPAD.iter().find(|(key, _)| *key == code).map(|(_, c)| *c);
        match (code, keypad) {
            (CAPS_LOCK, _) => {
                self.caps = !self.caps;
                return Typed::Nothing;
            }
            (NUM_LOCK | SCROLL_LOCK, _) => return Typed::Nothing,
            (ENTER | KEYPAD_ENTER, _) => self.put('\r', out),
            (TAB, _) => self.put('\t', out),
            (BACKSPACE, _) => self.put('\u{8}', out),
            // Some scanners keep Ctrl down as well; the number is meant all the same.
            (_, Some(c)) if alt && c.is_ascii_digit() => {
                let (value, digits, zero) = self.code.unwrap_or((0, 0, c == b'0'));
                let value = value.saturating_mul(10).saturating_add(u32::from(c - b'0'));
                self.code = Some((value, digits.saturating_add(1), zero));
                return Typed::Nothing;
            }
            (_, Some(c)) => self.put(char::from(c), out),
            (SPACE, _) if !alt => self.put(' ', out),
            // Ctrl with Alt is AltGr, as on Windows.
            _ if alt_gr || (ctrl && alt) => match self.layout.with_alt_gr(code, shift) {
                Some((c, dead)) => self.character(c, dead, out),
                None => return Typed::Spoilt,
            },
            _ if alt => return Typed::Spoilt,
            _ if ctrl => match self.layout.control(code) {
                Some(c) => self.put(char::from(c), out),
                None => return Typed::Spoilt,
            },
            _ => match self.layout.character(code, shift, self.caps) {
                Some((c, dead)) => self.character(c, dead, out),
                None => return Typed::Spoilt,
            },
        }
        if out.len() > before { Typed::Added } else { Typed::Nothing }
    }

    fn character(&mut self, c: char, dead: bool, out: &mut Vec<u8>) {
        match (dead, self.dead) {
            // The same dead key twice is the character itself.
            (true, None) => self.dead = Some(c),
            (true, Some(waiting)) if waiting == c => {
                self.dead = None;
                push(c, out);
            }
            _ => self.put(c, out),
        }
    }

    fn put(&mut self, c: char, out: &mut Vec<u8>) {
        match self.dead.take() {
            None => push(c, out),
            Some(dead) if c == ' ' => push(dead, out),
            Some(dead) => match layout::composed(dead, c) {
                Some(both) => push(both, out),
                None => {
                    push(dead, out);
                    push(c, out);
                }
            },
        }
    }
}

fn push(c: char, out: &mut Vec<u8>) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// What `text` becomes when a scanner types it on the keyboard `by` and it is read as one typed on `read`. A key
/// that gives nothing there leaves nothing; `None` where `by` has no key of its own for a character.
pub fn misread(text: &str, by: Layout, read: Layout) -> Option<Vec<u8>> {
    let (mut keyboard, mut out) = (Keyboard::new(read), Vec::new());
    for c in text.chars() {
        let (key, shift, alt_gr) = if c == ' ' { (SPACE, false, false) } else { by.key_of(c)? };
        let steps = [(LEFT_SHIFT, shift), (RIGHT_ALT, alt_gr), (key, true)].into_iter().filter(|(_, pressed)| *pressed);
        let down: Vec<u16> = steps.map(|(code, _)| code).collect();
        let events = down.iter().map(|code| (*code, true)).chain(down.iter().rev().map(|code| (*code, false)));
        for (code, pressed) in events {
            keyboard.key(code, pressed, &mut out);
        }
    }
    // Whatever comes next, a dead key alone comes out in front of it.
    if let Some(dead) = keyboard.dead.take() {
        push(dead, &mut out);
    }
    Some(out)
}

/// A character by the number typed with Alt.
fn by_number((value, _, zero): (u32, u8, bool), out: &mut Vec<u8>) -> Typed {
    let c = match value {
        0..128 => char::from_u32(value),
        128..256 if zero => {
            // In range by the arm above.
            let byte = [value as u8];
            encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte).0.chars().next()
        }
        128..256 => CP437.chars().nth(value as usize - 128),
        _ => None,
    };
    match c {
        Some(c) => {
            push(c, out);
            Typed::Added
        }
        None => Typed::Spoilt,
    }
}

#[cfg(test)]
mod tests;
