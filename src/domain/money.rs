//! Money as a rule knows it: a decimal amount with its currency's digits, never a float.

use std::fmt;

/// An amount in the currency's smallest unit (cents for USD, EUR, TWD as billed here).
/// Written in JSON and on paper as a decimal string with two digits: `"45.00"`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Amount(i64);

impl Amount {
    pub const ZERO: Amount = Amount(0);

    pub fn from_cents(cents: i64) -> Amount {
        Amount(cents)
    }

    pub fn cents(self) -> i64 {
        self.0
    }

    /// Reads `45`, `45.0`, `45.00`; up to 9 digits before the point, at most 2 behind it, an optional
    /// leading minus. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Amount, String> {
        let (minus, body) = text.strip_prefix('-').map_or((false, text), |b| (true, b));
        let (whole, part) = body.split_once('.').unwrap_or((body, "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) || whole.len() > 9 {
            return Err(format!("{text:?} is not an amount of money; write it as \"45.00\""));
        }
        if part.len() > 2 {
            return Err(format!("{text:?} has {} decimals; money has at most 2", part.len()));
        }
        let cents: i64 = format!("{whole}{part:0<2}").parse().map_err(|_| format!("{text:?} is too large"))?;
        Ok(Amount(if minus { -cents } else { cents }))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:02}", self.0.abs() / 100, self.0.abs() % 100)
    }
}

impl serde::Serialize for Amount {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Amount, D::Error> {
        Amount::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Amount;

    #[test]
    fn amounts_are_exact() {
        for (text, cents) in [("45", 4500), ("45.0", 4500), ("45.00", 4500), ("0.05", 5), ("-1.50", -150)] {
            assert_eq!(Amount::parse(text).map(Amount::cents), Ok(cents), "{text}");
        }
        for bad in ["", "-", "4.", ".5", "1.005", "1e3", "1,00", "$5", " 5", "1234567890", "--1"] {
            assert!(Amount::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Amount::from_cents(-5).to_string(), "-0.05");
    }
}
