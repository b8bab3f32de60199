//! What the station may say of a configured scanner or printer. Three answers and no fourth: a device
//! that cannot be seen is said to be lost, one that is seen but not ours to open is said to be denied;
//! nothing is ever silently missing.

use std::fmt;

/// Whether a configured device can be used now. The reason travels beside it as plain text that ends
/// with the operator's next step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// Open and listened to.
    Present,
    /// Not there: unplugged, switched off, unreachable, or its end of the line was closed.
    Lost,
    /// There, but this process may not have it: no permission, or another program holds it.
    Denied,
}

impl Presence {
    /// The word used in JSON, tables and on screens.
    pub fn as_str(self) -> &'static str {
        match self {
            Presence::Present => "present",
            Presence::Lost => "lost",
            Presence::Denied => "denied",
        }
    }
}

impl fmt::Display for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Presence;

    #[test]
    fn the_word_shown_is_the_word_in_json() {
        for p in [Presence::Present, Presence::Lost, Presence::Denied] {
            assert_eq!(serde_json::to_value(p).ok(), Some(serde_json::Value::from(p.as_str())));
        }
    }
}
