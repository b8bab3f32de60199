//! The kernel's key events of one scanner, as they come, turned into bytes: where the kernel had to drop events
//! (SYN_DROPPED), and where a key has no meaning, the scan under way is spoilt.

use super::{Keyboard, Layout, Typed};
use std::collections::VecDeque;

/// One event of an input device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyEvent {
    /// A key code, and 0 for up, 1 for down, 2 for the kernel's own repeat.
    Key(u16, i32),
    /// SYN_REPORT: what belongs together is complete.
    Report,
    /// SYN_DROPPED: events were lost, up to the next [`KeyEvent::Report`].
    Dropped,
}

/// What events came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    Bytes(Vec<u8>),
    Spoilt,
}

/// The keyboard of one scanner and what it typed.
pub struct Typist {
    keyboard: Keyboard,
    /// Between SYN_DROPPED and the next SYN_REPORT nothing counts.
    lost: bool,
    steps: VecDeque<Step>,
}

impl Typist {
    pub fn new(layout: Layout) -> Typist {
        Typist { keyboard: Keyboard::new(layout), lost: false, steps: VecDeque::new() }
    }

    /// The device was opened: no key is down, and nothing is being lost.
    pub fn begin(&mut self) {
        self.keyboard.forget();
        self.lost = false;
    }

    pub fn take(&mut self, event: KeyEvent) {
        match event {
            KeyEvent::Dropped => {
                self.lost = true;
                self.keyboard.forget();
                self.steps.push_back(Step::Spoilt);
            }
            KeyEvent::Report => self.lost = false,
            KeyEvent::Key(code, value @ 0..=1) if !self.lost => {
                let mut bytes = Vec::new();
                if self.keyboard.key(code, value == 1, &mut bytes) == Typed::Spoilt {
                    self.steps.push_back(Step::Spoilt);
                }
                match self.steps.back_mut() {
                    Some(Step::Bytes(held)) => held.extend(bytes),
                    _ if bytes.is_empty() => {}
                    _ => self.steps.push_back(Step::Bytes(bytes)),
                }
            }
            KeyEvent::Key(..) => {}
        }
    }

    /// The next step, at most `most` bytes of it.
    pub fn next(&mut self, most: usize) -> Option<Step> {
        match self.steps.pop_front()? {
            Step::Spoilt => Some(Step::Spoilt),
            Step::Bytes(mut bytes) => {
                let rest = bytes.split_off(bytes.len().min(most));
                if !rest.is_empty() {
                    self.steps.push_front(Step::Bytes(rest));
                }
                Some(Step::Bytes(bytes))
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}
