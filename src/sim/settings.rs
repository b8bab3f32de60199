//! What one format leaves behind for the next.
//!
//! Arrives: the commands of a format. Leaves: [`Settings`], with which the next format begins. Promised:
//! the printer's memory is played honestly, so that a label that relies on what an earlier one set looks
//! wrong here as it would on paper.
//!
//! Assumed, from the programming guide: `^PW ^LL ^LH ^LT ^LS ^CF ^FW ^BY ^CI ^PO ^LR` stay in force from
//! format to format until the power goes; nothing is saved (`^JU` is not supported). Without `^PW` and
//! `^LL` the stock is 104 mm wide and 152 mm long.

use std::fmt;
use std::str::FromStr;

use super::zpl::Command;

/// Print head resolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dpi {
    /// 203 dots per inch, 8 per millimetre.
    #[default]
    D203,
    /// 300 dots per inch, 12 per millimetre.
    D300,
    /// 600 dots per inch, 24 per millimetre.
    D600,
}

impl Dpi {
    /// Dots per inch.
    #[must_use]
    pub fn per_inch(self) -> u16 {
        match self {
            Self::D203 => 203,
            Self::D300 => 300,
            Self::D600 => 600,
        }
    }

    /// Dots per millimetre, as the printer itself rounds it.
    #[must_use]
    pub fn per_mm(self) -> u16 {
        match self {
            Self::D203 => 8,
            Self::D300 => 12,
            Self::D600 => 24,
        }
    }
}

impl fmt::Display for Dpi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.per_inch())
    }
}

impl FromStr for Dpi {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::D203, Self::D300, Self::D600]
            .into_iter()
            .find(|dpi| dpi.to_string() == text)
            .ok_or_else(|| format!("print head `{text}`: write 203, 300 or 600 (dots per inch)"))
    }
}

/// A quarter turn, clockwise, as ZPL's `N R I B`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Turn {
    /// As it stands.
    #[default]
    Normal,
    /// 90 degrees clockwise.
    Right,
    /// 180 degrees.
    Inverted,
    /// 270 degrees clockwise: read from the bottom up.
    Bottom,
}

impl Turn {
    /// The turn of a ZPL letter.
    #[must_use]
    pub fn from_letter(letter: u8) -> Option<Self> {
        match letter {
            b'N' => Some(Self::Normal),
            b'R' => Some(Self::Right),
            b'I' => Some(Self::Inverted),
            b'B' => Some(Self::Bottom),
            _ => None,
        }
    }
}

/// A font with its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Font {
    /// ZPL font name, `0` for the scalable one.
    pub name: u8,
    /// Character height in dots; 0 where not said.
    pub height: u32,
    /// Character width in dots; 0 where not said.
    pub width: u32,
}

/// What stays in force between formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The print head.
    pub dpi: Dpi,
    /// Label width in dots (`^PW`).
    pub width: u32,
    /// Label length in dots (`^LL`).
    pub length: u32,
    /// Label home in dots (`^LH`).
    pub home: (i32, i32),
    /// Dots the whole label is moved by: right (`^LS`, whose sign is to the left) and down (`^LT`).
    pub shift: (i32, i32),
    /// Default font (`^CF`).
    pub font: Font,
    /// Default turn (`^FW`).
    pub turn: Turn,
    /// Bar code module in dots (`^BY`).
    pub module: u32,
    /// Bar code height in dots (`^BY`).
    pub bar_height: u32,
    /// Character set number (`^CI`).
    pub charset: i64,
    /// The label is printed upside down (`^POI`).
    pub upside_down: bool,
    /// Every field is printed reversed (`^LRY`).
    pub reversed: bool,
}

/// Largest label, in dots: 32000 is the manual's bound of `^LL`; wider than 10 inches at 600 dpi is no
/// head of this family.
const LENGTH_MAX: i64 = 32_000;
const WIDTH_MAX: i64 = 6_000;

impl Settings {
    /// A printer that was just switched on.
    #[must_use]
    pub fn new(dpi: Dpi) -> Self {
        let per_mm = u32::from(dpi.per_mm());
        Self {
            dpi,
            width: 104 * per_mm,
            length: 152 * per_mm,
            home: (0, 0),
            shift: (0, 0),
            font: Font { name: b'A', height: 9, width: 5 },
            turn: Turn::Normal,
            module: 2,
            bar_height: 10,
            charset: 0,
            upside_down: false,
            reversed: false,
        }
    }

    /// Carries out a command that sets something for good; `false` where it is none.
    pub(super) fn apply(&mut self, command: &Command<'_>) -> bool {
        let mut p = command.parameters();
        match &command.name {
            b"PW" => set(&mut self.width, p.within(2, WIDTH_MAX)),
            b"LL" => set(&mut self.length, p.within(1, LENGTH_MAX)),
            b"LH" => {
                set(&mut self.home.0, p.within(0, LENGTH_MAX));
                set(&mut self.home.1, p.within(0, LENGTH_MAX));
            }
            b"LT" => set(&mut self.shift.1, p.within(-120, 120)),
            b"LS" => set(&mut self.shift.0, p.within(-9999, 9999).map(|n| -n)),
            b"CF" => {
                if let Some(name) = p.letter() {
                    self.font.name = name;
                }
                set(&mut self.font.height, p.within(0, LENGTH_MAX));
                set(&mut self.font.width, p.within(0, LENGTH_MAX));
            }
            b"FW" => {
                if let Some(turn) = p.letter().and_then(Turn::from_letter) {
                    self.turn = turn;
                }
            }
            b"BY" => {
                set(&mut self.module, p.within(1, 10));
                let _ratio = p.word();
                set(&mut self.bar_height, p.within(1, LENGTH_MAX));
            }
            b"CI" => set(&mut self.charset, p.within(0, 36)),
            b"PO" => self.upside_down = p.letter() == Some(b'I'),
            b"LR" => self.reversed = p.letter() == Some(b'Y'),
            _ => return false,
        }
        true
    }
}

/// Sets what was sent and is in range of its kind.
fn set<T: TryFrom<i64>>(place: &mut T, value: Option<i64>) {
    if let Some(value) = value.and_then(|v| T::try_from(v).ok()) {
        *place = value;
    }
}

#[cfg(test)]
mod tests {
    use super::super::zpl::commands;
    use super::*;

    #[test]
    fn settings_stay_and_are_bounded() {
        let mut s = Settings::new(Dpi::D300);
        let zpl = b"^XA^PW99999^LL400^LH10,-5^CF0,30^FWR^BY3,2,80^CI28^POI^FO1,1^XZ";
        let known: Vec<bool> = commands(zpl).map(|c| s.apply(&c)).collect();
        assert_eq!(known.iter().filter(|k| **k).count(), 8);
        assert_eq!((s.width, s.length, s.home), (6000, 400, (10, 0)));
        assert_eq!((s.font.name, s.font.height, s.font.width), (b'0', 30, 5));
        assert_eq!((s.turn, s.module, s.bar_height), (Turn::Right, 3, 80));
        assert!(s.upside_down && s.charset == 28);
    }

    #[test]
    fn a_head_is_203_300_or_600() {
        assert_eq!("300".parse(), Ok(Dpi::D300));
        assert!("200".parse::<Dpi>().is_err());
    }
}
