//! The piece of paper and the printer's fineness: what a label is laid out on.
//!
//! Arrives: `"4x6"` (inches), `"102x152mm"`, a dpi number. Leaves: [`Stock`] and [`Dpi`], which
//! together give the label's size in dots. A stock is kept in micrometres, so that 4 inches and
//! 101.6 mm are the same paper and nothing is lost before the one rounding to dots.

use super::LabelError;
use std::fmt;
use std::str::FromStr;

/// The size of one label, width across the print head first. Reads and writes as `4x6` (inches) or
/// `102x152mm`; 10 to 220 mm wide (the widest Zebra head is 8.5 inches) and 10 to 1000 mm long.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stock {
    /// Micrometres.
    width: u32,
    height: u32,
}

impl Stock {
    /// From inches, the unit label stock is sold in. `const`, for the registry's defaults.
    pub const fn inches(width: u32, height: u32) -> Stock {
        Stock { width: width * 25_400, height: height * 25_400 }
    }

    /// Width across the print head, millimetres.
    pub fn width_mm(self) -> f32 {
        self.width as f32 / 1000.0
    }

    /// Length in feed direction, millimetres.
    pub fn height_mm(self) -> f32 {
        self.height as f32 / 1000.0
    }

    /// Width and height in whole dots, rounded down: a dot that is not wholly on the paper is not
    /// on the label.
    pub fn dots(self, dpi: Dpi) -> (u16, u16) {
        let dots = |um: u32| {
            let n = u64::from(um) * u64::from(dpi.per_inch()) / 25_400;
            u16::try_from(n).unwrap_or(u16::MAX)
        };
        (dots(self.width), dots(self.height))
    }
}

/// Reads one side: decimal digits with at most three behind the point, in micrometres.
fn side(text: &str, unit_um: u64) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |s: &str, max| (1..=max).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole, 4) || !digits(part, 3) {
        return None;
    }
    let thousandths: u64 = format!("{whole}{part:0<3}").parse().ok()?;
    u32::try_from(thousandths * unit_um / 1000).ok()
}

impl FromStr for Stock {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Stock, LabelError> {
        let bad = |why: &'static str| LabelError::BadStock { given: text.chars().take(40).collect(), why };
        let lower = text.trim().to_ascii_lowercase();
        let (size, unit_um) = match (lower.strip_suffix("mm"), lower.strip_suffix("in")) {
            (Some(size), _) => (size.trim_end(), 1_000),
            (_, Some(size)) => (size.trim_end(), 25_400),
            _ => (lower.as_str(), 25_400),
        };
        let parsed = size.split_once('x').and_then(|(w, h)| Some((side(w, unit_um)?, side(h, unit_um)?)));
        let Some((width, height)) = parsed else {
            return Err(bad("not two numbers with an x between them"));
        };
        if !(10_000..=220_000).contains(&width) {
            return Err(bad("the width is not between 10 and 220 mm"));
        }
        if !(10_000..=1_000_000).contains(&height) {
            return Err(bad("the length is not between 10 and 1000 mm"));
        }
        Ok(Stock { width, height })
    }
}

impl fmt::Display for Stock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = |um: u32, one: u32| {
            let text = format!("{:.3}", f64::from(um) / f64::from(one));
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        };
        // Quarter inches are how inch stock is sold; anything else was meant in millimetres.
        if self.width.is_multiple_of(6_350) && self.height.is_multiple_of(6_350) {
            write!(f, "{}x{}", unit(self.width, 25_400), unit(self.height, 25_400))
        } else {
            write!(f, "{}x{}mm", unit(self.width, 1_000), unit(self.height, 1_000))
        }
    }
}

impl fmt::Debug for Stock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stock({self})")
    }
}

/// The print head's fineness in dots per inch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dpi {
    D203,
    D300,
    D600,
}

impl Dpi {
    pub const ALL: [Dpi; 3] = [Dpi::D203, Dpi::D300, Dpi::D600];

    /// 203, 300 or 600. `None` for a head that Zebra does not make.
    pub fn from_number(dpi: u32) -> Option<Dpi> {
        Dpi::ALL.into_iter().find(|d| d.per_inch() == dpi)
    }

    /// Dots per inch.
    pub fn per_inch(self) -> u32 {
        match self {
            Dpi::D203 => 203,
            Dpi::D300 => 300,
            Dpi::D600 => 600,
        }
    }

    /// What the printer itself answers to `~HI`: 8, 12 or 24 dots/mm. Rounded by the printer; the
    /// dots are 8.0, 11.8 and 23.6 to the millimetre.
    pub fn per_mm_reported(self) -> u8 {
        match self {
            Dpi::D203 => 8,
            Dpi::D300 => 12,
            Dpi::D600 => 24,
        }
    }

    /// A length on paper in dots, not yet rounded.
    pub fn dots(self, mm: f32) -> f32 {
        mm * self.per_inch() as f32 / 25.4
    }
}

impl FromStr for Dpi {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Dpi, LabelError> {
        let number = text.trim().parse().ok();
        number.and_then(Dpi::from_number).ok_or_else(|| LabelError::BadDpi { given: text.chars().take(40).collect() })
    }
}

impl fmt::Display for Dpi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.per_inch())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_is_read_as_it_is_sold() {
        for (text, shown, dots) in [
            ("4x3", "4x3", (812, 609)),
            ("4x6in", "4x6", (812, 1218)),
            (" 2.25X1.25 ", "2.25x1.25", (456, 253)),
            ("102x152mm", "102x152mm", (815, 1214)),
            ("101.6 x 152.4 mm", "4x6", (812, 1218)),
        ] {
            let stock: Stock = text.replace(" x ", "x").parse().expect(text);
            assert_eq!((stock.to_string().as_str(), stock.dots(Dpi::D203)), (shown, dots), "{text}");
            assert_eq!(stock.to_string().parse::<Stock>().as_ref(), Ok(&stock), "what is shown can be read");
        }
        assert_eq!(Stock::inches(4, 6).dots(Dpi::D300), (1200, 1800));
        assert_eq!(Stock::inches(4, 6).dots(Dpi::D600), (2400, 3600));
    }

    #[test]
    fn what_is_no_stock_is_refused() {
        for text in [
            "", "4", "4x", "x3", "4x3x2", "-4x3", "4,5x3", "1e1x3", "4x3cm", "9x6", "0.1x3", "4x50", "99999x3",
            "4.0001x3",
        ] {
            let error = text.parse::<Stock>().expect_err(text).to_string();
            assert!(error.ends_with("write it as 4x6 (inches) or 102x152mm"), "{error}");
        }
    }

    #[test]
    fn heads_that_exist() {
        for dpi in Dpi::ALL {
            assert_eq!(dpi.to_string().parse(), Ok(dpi));
            let reported = dpi.per_inch() as f32 / 25.4;
            assert!((f32::from(dpi.per_mm_reported()) - reported).abs() < 0.4);
        }
        assert!("204".parse::<Dpi>().is_err() && "".parse::<Dpi>().is_err());
    }
}
