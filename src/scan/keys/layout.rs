//! Keyboard layouts as tables. A layout is data: which character each key gives alone, with Shift and with
//! AltGr. Source: the layouts of Windows, which scanners imitate.

/// The layout that a scanner is set to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    #[default]
    Us,
    Uk,
    De,
    Fr,
    Es,
    It,
}

/// The names of the layouts in the configuration.
pub const NAMES: [(&str, Layout); 6] = [
    ("us", Layout::Us),
    ("uk", Layout::Uk),
    ("de", Layout::De),
    ("fr", Layout::Fr),
    ("es", Layout::Es),
    ("it", Layout::It),
];

/// The keys in the order of the tables: left of 1; 1 to =; Q to ]; A to '; the one at Enter; the one at the
/// left Shift; Z to /.
const KEYS: [u16; 48] = [
    41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 30, 31, 32, 33, 34, 35,
    36, 37, 38, 39, 40, 43, 86, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53,
];

struct Table {
    plain: &'static str,
    shift: &'static str,
    /// Character without AltGr, character with it.
    alt_gr: &'static [(char, char)],
    /// The same with Shift too.
    alt_gr_shift: &'static [(char, char)],
    /// Characters whose keys wait for the next one, as they come alone or with Shift...
    dead: &'static str,
    /// ...and with AltGr.
    dead_alt_gr: &'static str,
}

const US: Table = Table {
    plain: "`1234567890-=qwertyuiop[]asdfghjkl;'\\\\zxcvbnm,./",
    shift: "~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:\"||ZXCVBNM<>?",
    alt_gr: &[],
    alt_gr_shift: &[],
    dead: "",
    dead_alt_gr: "",
};

const UK: Table = Table {
    plain: "`1234567890-=qwertyuiop[]asdfghjkl;'#\\zxcvbnm,./",
    shift: "¬!\"£$%^&*()_+QWERTYUIOP{}ASDFGHJKL:@~|ZXCVBNM<>?",
    alt_gr: &[('`', '¦'), ('4', '€'), ('e', 'é'), ('u', 'ú'), ('i', 'í'), ('o', 'ó'), ('a', 'á')],
    alt_gr_shift: &[('e', 'É'), ('u', 'Ú'), ('i', 'Í'), ('o', 'Ó'), ('a', 'Á')],
    dead: "",
    dead_alt_gr: "",
};

const DE: Table = Table {
    plain: "^1234567890ß´qwertzuiopü+asdfghjklöä#<yxcvbnm,.-",
    shift: "°!\"§$%&/()=?`QWERTZUIOPÜ*ASDFGHJKLÖÄ'>YXCVBNM;:_",
    alt_gr: &[
        ('2', '²'),
        ('3', '³'),
        ('7', '{'),
        ('8', '['),
        ('9', ']'),
        ('0', '}'),
        ('ß', '\\'),
        ('q', '@'),
        ('e', '€'),
        ('+', '~'),
        ('<', '|'),
        ('m', 'µ'),
    ],
    alt_gr_shift: &[],
    dead: "^´`",
    dead_alt_gr: "",
};

const FR: Table = Table {
    plain: "²&é\"'(-è_çà)=azertyuiop^$qsdfghjklmù*<wxcvbn,;:!",
    shift: "\u{0}1234567890°+AZERTYUIOP¨£QSDFGHJKLM%µ>WXCVBN?./§",
    alt_gr: &[
        ('é', '~'),
        ('"', '#'),
        ('\'', '{'),
        ('(', '['),
        ('-', '|'),
        ('è', '`'),
        ('_', '\\'),
        ('ç', '^'),
        ('à', '@'),
        (')', ']'),
        ('=', '}'),
        ('e', '€'),
        ('$', '¤'),
    ],
    alt_gr_shift: &[],
    dead: "^¨",
    dead_alt_gr: "~`",
};

const ES: Table = Table {
    plain: "º1234567890'¡qwertyuiop`+asdfghjklñ´ç<zxcvbnm,.-",
    shift: "ª!\"·$%&/()=?¿QWERTYUIOP^*ASDFGHJKLÑ¨Ç>ZXCVBNM;:_",
    alt_gr: &[
        ('º', '\\'),
        ('1', '|'),
        ('2', '@'),
        ('3', '#'),
        ('4', '~'),
        ('5', '€'),
        ('6', '¬'),
        ('`', '['),
        ('+', ']'),
        ('´', '{'),
        ('ç', '}'),
        ('e', '€'),
    ],
    alt_gr_shift: &[],
    dead: "`´^¨",
    dead_alt_gr: "~",
};

const IT: Table = Table {
    plain: "\\1234567890'ìqwertyuiopè+asdfghjklòàù<zxcvbnm,.-",
    shift: "|!\"£$%&/()=?^QWERTYUIOPé*ASDFGHJKLç°§>ZXCVBNM;:_",
    alt_gr: &[('è', '['), ('+', ']'), ('ò', '@'), ('à', '#'), ('e', '€'), ('5', '€')],
    alt_gr_shift: &[('è', '{'), ('+', '}')],
    dead: "",
    dead_alt_gr: "",
};

impl Layout {
    fn table(self) -> &'static Table {
        match self {
            Layout::Us => &US,
            Layout::Uk => &UK,
            Layout::De => &DE,
            Layout::Fr => &FR,
            Layout::Es => &ES,
            Layout::It => &IT,
        }
    }

    fn pair(self, key: u16) -> Option<(char, char)> {
        let at = KEYS.iter().position(|k| *k == key)?;
        let table = self.table();
        Some((table.plain.chars().nth(at)?, table.shift.chars().nth(at)?))
    }

    /// What a key gives, and whether it is dead. Caps Lock turns Shift round for keys that have one letter
    /// in both sizes.
    pub(super) fn character(self, key: u16, shift: bool, caps: bool) -> Option<(char, bool)> {
        let (plain, shifted) = self.pair(key)?;
        let letter = plain != shifted && plain.to_uppercase().eq([shifted]);
        let c = if shift != (caps && letter) { shifted } else { plain };
        (c != '\0').then(|| (c, self.table().dead.contains(c)))
    }

    /// The same with AltGr.
    pub(super) fn with_alt_gr(self, key: u16, shift: bool) -> Option<(char, bool)> {
        let (plain, _) = self.pair(key)?;
        let table = self.table();
        let rows = if shift { table.alt_gr_shift } else { table.alt_gr };
        let c = rows.iter().find(|(p, _)| *p == plain)?.1;
        Some((c, table.dead_alt_gr.contains(c)))
    }

    /// The key of a character, and whether Shift and AltGr belong to it; none for dead keys, which need another.
    pub(super) fn key_of(self, c: char) -> Option<(u16, bool, bool)> {
        let t = self.table();
        let key = |row: &str, c: char| row.chars().position(|of| of == c).and_then(|at| KEYS.get(at).copied());
        let with_alt_gr = |rows: &[(char, char)]| {
            let (plain, _) = rows.iter().find(|(_, given)| *given == c)?;
            key(t.plain, *plain)
        };
        if !t.dead.contains(c) {
            let ways = [(t.plain, false), (t.shift, true)];
            if let Some(found) = ways.iter().find_map(|(row, shift)| Some((key(row, c)?, *shift, false))) {
                return Some(found);
            }
        }
        if t.dead_alt_gr.contains(c) {
            return None;
        }
        let ways = [(t.alt_gr, false), (t.alt_gr_shift, true)];
        ways.iter().find_map(|(rows, shift)| Some((with_alt_gr(rows)?, *shift, true)))
    }

    /// The control character of a key with Ctrl. Where the layout gives the key no character that has one,
    /// the place of the key on a US keyboard counts: scanners send Ctrl by the place.
    pub(super) fn control(self, key: u16) -> Option<u8> {
        let of = |c: char| {
            let c = c.to_ascii_uppercase();
            ('@'..='_').contains(&c).then_some(c as u8 & 0x1f)
        };
        let pair = |layout: Layout| layout.pair(key).and_then(|(plain, shifted)| of(plain).or_else(|| of(shifted)));
        pair(self).or_else(|| pair(Layout::Us))
    }
}

/// A dead key and the letter behind it as one character, where there is one.
pub(super) fn composed(dead: char, letter: char) -> Option<char> {
    let row = match dead {
        '^' => "aâeêiîoôuûAÂEÊIÎOÔUÛ",
        '´' => "aáeéiíoóuúyýAÁEÉIÍOÓUÚYÝ",
        '`' => "aàeèiìoòuùAÀEÈIÌOÒUÙ",
        '¨' => "aäeëiïoöuüyÿAÄEËIÏOÖUÜ",
        '~' => "aãnñoõAÃNÑOÕ",
        _ => return None,
    };
    let mut pairs = row.chars();
    while let (Some(base), Some(both)) = (pairs.next(), pairs.next()) {
        if base == letter {
            return Some(both);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_character_gives_it() {
        for (name, layout) in NAMES {
            for c in (' '..='~').chain("äöüßéèàçñ€µ§".chars()) {
                let Some((key, shift, alt_gr)) = layout.key_of(c) else { continue };
                let given = if alt_gr { layout.with_alt_gr(key, shift) } else { layout.character(key, shift, false) };
                assert_eq!(given, Some((c, false)), "{name}");
            }
            assert!("aZ9@#;".chars().all(|c| layout.key_of(c).is_some()), "{name}");
        }
        assert_eq!(Layout::De.key_of('@'), Some((16, false, true)));
        assert_eq!(Layout::De.key_of('^'), None, "a dead key alone gives nothing");
    }

    #[test]
    fn every_table_has_every_key() {
        for (name, layout) in NAMES {
            let t = layout.table();
            assert_eq!((t.plain.chars().count(), t.shift.chars().count()), (KEYS.len(), KEYS.len()), "{name}");
            for (plain, _) in t.alt_gr.iter().chain(t.alt_gr_shift) {
                assert!(t.plain.contains(*plain), "{name}: {plain}");
            }
            // Whatever a label may carry of ASCII can be typed. A UK and a US keyboard need no AltGr for it.
            let all: String = [t.plain, t.shift].concat().chars().chain(t.alt_gr.iter().map(|(_, c)| *c)).collect();
            // The Italian layout has neither backquote nor tilde, nor the braces without Shift.
            let lacks = if layout == Layout::It { "`~{}" } else { "" };
            for c in ('!'..='~').filter(|c| !lacks.contains(*c)) {
                assert!(all.contains(c), "{name} lacks {c}");
            }
        }
        let mut keys = KEYS.to_vec();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 48);
    }
}
