//! `~HI`, host identification: which printer is this, and how fine is its head?
//!
//! Arrives: one frame `STX model,Vx.y.z,dots/mm,memory[,options] ETX` (ZPL programming guide, `~HI`).
//! Leaves: [`Identity`]. The dots per millimetre are checked against the dpi configured: a 300 dpi
//! label on a 203 dpi head is half a label.

use super::reply::{Query, Reply, frames};

/// The question `~HI`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostIdentification;

/// What the printer says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// For example `ZD420-203dpi ZPL`.
    pub model: String,
    /// For example `V84.20.18Z`.
    pub firmware: String,
    /// 6, 8, 12 or 24.
    pub dots_per_mm: u8,
    /// As the printer writes it, for example `8176KB`.
    pub memory: String,
    /// What else it lists; empty on most models.
    pub options: String,
}

impl Query for HostIdentification {
    type Answer = Identity;

    fn to_bytes(&self) -> Vec<u8> {
        b"~HI\r\n".to_vec()
    }

    fn parse(&self, received: &[u8]) -> Reply<Identity> {
        for (text, used) in frames(received) {
            let mut fields = text.splitn(5, ',').map(str::trim);
            let (Some(model), Some(firmware), Some(dots), Some(memory)) =
                (fields.next(), fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            // The firmware's V is what tells this frame from those of ~HS, which are all numbers.
            if model.is_empty() || !firmware.starts_with('V') {
                continue;
            }
            return match dots.parse() {
                Ok(dots_per_mm @ (6 | 8 | 12 | 24)) => Reply::Done {
                    value: Identity {
                        model: model.to_owned(),
                        firmware: firmware.to_owned(),
                        dots_per_mm,
                        memory: memory.to_owned(),
                        options: fields.next().unwrap_or("").to_owned(),
                    },
                    used,
                },
                _ => {
                    Reply::Bad { reason: format!("~HI: {dots:?} dots per millimetre; heads have 6, 8, 12 or 24"), used }
                }
            };
        }
        Reply::Incomplete
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANSWER: &[u8] = b"\x02ZT410-300dpi ZPL,V75.20.01Z,12,65536KB,X\x03\r\n";

    #[test]
    fn model_firmware_dots_memory_options() {
        let id = HostIdentification.parse(ANSWER).done().expect("an answer");
        assert_eq!(id.model, "ZT410-300dpi ZPL");
        assert_eq!(id.firmware, "V75.20.01Z");
        assert_eq!((id.dots_per_mm, id.memory.as_str(), id.options.as_str()), (12, "65536KB", "X"));
    }

    #[test]
    fn options_may_be_missing_and_a_status_answer_is_not_it() {
        let late = b"\x02030,0,0,1245,000,0,0,0,000,0,0,0\x03\r\n\x02ZD421,V93,8,1KB\x03";
        let id = HostIdentification.parse(late).done().expect("an answer");
        assert_eq!((id.model.as_str(), id.options.as_str()), ("ZD421", ""));
    }

    #[test]
    fn a_head_that_does_not_exist_is_refused() {
        let reply = HostIdentification.parse(b"\x02ZD421,V93,7,1KB\x03");
        assert!(matches!(reply, Reply::Bad { used: 17, .. }), "{reply:?}");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = HostIdentification.parse(&bytes);
        }

        #[test]
        fn where_it_is_cut_changes_nothing(cut in 0..ANSWER.len()) {
            let early = HostIdentification.parse(&ANSWER[..cut]);
            if cut < ANSWER.len() - 2 {
                prop_assert_eq!(early, Reply::Incomplete);
            } else {
                prop_assert_eq!(early, HostIdentification.parse(ANSWER));
            }
        }
    }
}
