//! The pen's way over the label: which field stands where, turned how, and what is in it.
//!
//! Arrives: commands, one by one. Leaves: a [`Drawn`] at each `^FS` that ends a field with something in
//! it. What stays from field to field (`^LH ^BY ^FW ^CF`) is kept here, as the printer keeps it.

use super::lexer::{Command, unescaped};

/// How a field is turned, clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Turn {
    #[default]
    None,
    Right,
    Over,
    Left,
}

impl Turn {
    fn of(letter: Option<u8>) -> Option<Turn> {
        match letter? {
            b'N' => Some(Turn::None),
            b'R' => Some(Turn::Right),
            b'I' => Some(Turn::Over),
            b'B' => Some(Turn::Left),
            _ => None,
        }
    }
}

/// What kind of thing the field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::label) enum Content<'a> {
    Text {
        font: u8,
        height: Option<i32>,
        width: Option<i32>,
    },
    /// A barcode command; its `^BY` stands in the [`Drawn`].
    Barcode(Command<'a>),
    Box {
        width: i32,
        height: i32,
        thickness: i32,
    },
    Graphic {
        width: i32,
        height: i32,
    },
}

/// `^FB` or `^TB`: the room a text is broken into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::label) struct Block {
    /// `^TB`, whose `<` has a meaning.
    pub text_block: bool,
    pub width: i32,
    pub lines: i32,
}

/// One field, ended.
#[derive(Debug, Clone)]
pub(super) struct Drawn<'a> {
    /// Where its data, or its drawing, stands in the source.
    pub at: usize,
    /// The origin with `^LH` added.
    pub x: i32,
    pub y: i32,
    /// `^FT`: the origin is on the baseline instead of at the upper left.
    pub typeset: bool,
    /// The origin is the right end.
    pub right: bool,
    pub turn: Turn,
    pub content: Content<'a>,
    /// Narrowest bar, wide to narrow, height.
    pub bars: Bars,
    pub block: Option<Block>,
    /// White where it meets black.
    pub reverse: bool,
    /// As it is printed, `^FH` undone.
    pub data: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bars {
    pub module: i32,
    pub ratio: f32,
    pub height: i32,
}

/// The field that is being written.
#[derive(Debug, Clone, Default)]
struct Open<'a> {
    at: Option<usize>,
    origin: Option<(i32, i32)>,
    typeset: bool,
    right: bool,
    turn: Option<Turn>,
    content: Option<Content<'a>>,
    hex: Option<u8>,
    block: Option<Block>,
    clock: bool,
    reverse: bool,
    data: Option<&'a [u8]>,
}

#[derive(Debug, Clone)]
pub(in crate::label) struct Pen<'a> {
    home: (i32, i32),
    bars: Bars,
    turn: Turn,
    /// `^CF`: font, height, width.
    font: (u8, Option<i32>, Option<i32>),
    field: Open<'a>,
}

impl<'a> Pen<'a> {
    pub fn new() -> Pen<'a> {
        // What the programming guide says of a printer that was just switched on.
        let bars = Bars { module: 2, ratio: 3.0, height: 10 };
        Pen { home: (0, 0), bars, turn: Turn::None, font: (b'A', None, None), field: Open::default() }
    }

    /// What the open field would be if its data came now.
    pub fn content(&self) -> Content<'a> {
        let (font, height, width) = self.font;
        self.field.content.unwrap_or(Content::Text { font, height, width })
    }

    /// The open field's hex indicator.
    pub fn hex(&self) -> Option<u8> {
        self.field.hex
    }

    pub fn block(&self) -> Option<Block> {
        self.field.block
    }

    /// Whether the open field prints the clock.
    pub fn clock(&self) -> bool {
        self.field.clock
    }

    /// Follows one command, for those who only ask where the pen is.
    pub fn pass(&mut self, c: &Command<'a>) {
        self.follow(c);
    }

    /// Follows one command; `Some` when it ended a field in which something is.
    pub(super) fn follow(&mut self, c: &Command<'a>) -> Option<Drawn<'a>> {
        let p = c.parameters();
        if let Some(font) = c.font() {
            // The letter behind the font, and the sizes.
            self.field.turn = Turn::of(p.letter(0)).or(self.field.turn);
            let same = |n| if font == self.font.0 { n } else { None };
            let (height, width) = (p.number(1).or(same(self.font.1)), p.number(2));
            // A font before a barcode is that of its text line.
            if !matches!(self.field.content, Some(Content::Barcode(_))) {
                self.field.content = Some(Content::Text { font, height, width });
            }
            return None;
        }
        match &c.name {
            b"LH" => self.home = (p.number(0).unwrap_or(self.home.0), p.number(1).unwrap_or(self.home.1)),
            b"BY" => {
                let ratio = std::str::from_utf8(p.word(1)).ok().and_then(|w| w.parse::<f32>().ok());
                self.bars.module = p.number(0).unwrap_or(self.bars.module).clamp(1, 100);
                self.bars.ratio = ratio.filter(|r| (2.0..=3.0).contains(r)).unwrap_or(self.bars.ratio);
                self.bars.height = p.number(2).unwrap_or(self.bars.height).clamp(1, 32_000);
            }
            b"FW" => self.turn = Turn::of(p.letter(0)).unwrap_or(self.turn),
            b"CF" => {
                let font = p.letter(0).unwrap_or(self.font.0);
                self.font = (font, p.number(1), p.number(2));
            }
            b"FO" | b"FT" => {
                self.field.origin = Some((p.number(0).unwrap_or(0), p.number(1).unwrap_or(0)));
                self.field.typeset = c.name == *b"FT";
                self.field.right = p.number(2) == Some(1);
            }
            b"FH" => {
                let own = c.data.trim_ascii().first().copied();
                self.field.hex = Some(own.unwrap_or(b'_'));
            }
            b"FB" | b"TB" => {
                let text_block = c.name == *b"TB";
                // ^FBwidth,lines; ^TBturn,width,height.
                let (width, lines) = if text_block { (p.number(1), None) } else { (p.number(0), p.number(1)) };
                let (width, lines) = (width.unwrap_or(0), lines.unwrap_or(1).clamp(1, 9999));
                self.field.block = Some(Block { text_block, width, lines });
            }
            b"FC" => self.field.clock = true,
            b"FR" => self.field.reverse = true,
            b"GB" => {
                let thickness = p.number(2).unwrap_or(1).max(1);
                let side = |n| p.number(n).unwrap_or(0).clamp(thickness.min(32_000), 32_000);
                self.draw(c, Content::Box { width: side(0), height: side(1), thickness });
            }
            b"GC" => {
                let side = p.number(0).unwrap_or(3).clamp(3, 4095);
                self.draw(c, Content::Graphic { width: side, height: side });
            }
            b"GD" | b"GE" => {
                let side = |n| p.number(n).unwrap_or(3).clamp(1, 32_000);
                self.draw(c, Content::Graphic { width: side(0), height: side(1) });
            }
            b"GF" => {
                let (total, row) = (p.number(2).unwrap_or(0).max(0), p.number(3).unwrap_or(1).max(1));
                self.draw(c, Content::Graphic { width: row.saturating_mul(8), height: total / row });
            }
            b"FD" | b"FV" => {
                self.field.at = Some(c.at);
                self.field.data = Some(c.data);
            }
            b"FS" | b"XZ" => return self.end(),
            [b'B', _] if c.prefix == b'^' => {
                self.field.turn = Turn::of(p.letter(0)).or(self.field.turn);
                self.field.content = Some(Content::Barcode(*c));
            }
            _ => {}
        }
        None
    }

    fn draw(&mut self, c: &Command<'a>, content: Content<'a>) {
        self.field.at = Some(c.at);
        self.field.content = Some(content);
    }

    fn end(&mut self) -> Option<Drawn<'a>> {
        let content = self.content();
        let field = std::mem::take(&mut self.field);
        let (x, y) = field.origin.unwrap_or((0, 0));
        Some(Drawn {
            at: field.at?,
            x: x.saturating_add(self.home.0),
            y: y.saturating_add(self.home.1),
            typeset: field.typeset,
            right: field.right,
            turn: field.turn.unwrap_or(self.turn),
            content,
            bars: self.bars,
            block: field.block,
            reverse: field.reverse,
            data: unescaped(field.data.unwrap_or_default(), field.hex),
        })
    }
}
