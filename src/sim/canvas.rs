//! Dots: a bitmap, and how one is stamped onto another.
//!
//! Arrives: dots to ink, or a field's own bitmap with the place and turn it is to have. Leaves: the
//! label. Promised: nothing outside the bitmap is touched, and nothing panics, whatever the coordinates.

use super::settings::Turn;

/// What ink does to the dots it meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Black over all.
    Black,
    /// White over all.
    White,
    /// Black on white and white on black (`^FR`).
    Reverse,
}

/// A bitmap of one bit per dot; a set bit is black.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bitmap {
    width: u32,
    height: u32,
    /// Bytes per row; rows begin on a byte, and bits beyond the width are clear.
    stride: usize,
    bits: Vec<u8>,
}

impl Bitmap {
    /// An empty (white) bitmap.
    pub fn new(width: u32, height: u32) -> Self {
        let stride = width.div_ceil(8) as usize;
        Self { width, height, stride, bits: vec![0; stride * height as usize] }
    }

    /// Width in dots.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in dots.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// All rows, most significant bit first; a set bit is black.
    pub fn bits(&self) -> &[u8] {
        &self.bits
    }

    /// The byte and bit of a dot; `None` outside.
    fn place(&self, x: i32, y: i32) -> Option<(usize, u8)> {
        let (x, y) = (u32::try_from(x).ok()?, u32::try_from(y).ok()?);
        (x < self.width && y < self.height).then(|| (y as usize * self.stride + x as usize / 8, 0x80 >> (x % 8)))
    }

    /// Whether the dot is black; what is outside is white.
    pub fn black(&self, x: i32, y: i32) -> bool {
        self.place(x, y).is_some_and(|(byte, bit)| self.bits[byte] & bit != 0)
    }

    /// Inks one dot.
    pub fn ink(&mut self, x: i32, y: i32, ink: Ink) {
        if let Some((byte, bit)) = self.place(x, y) {
            match ink {
                Ink::Black => self.bits[byte] |= bit,
                Ink::White => self.bits[byte] &= !bit,
                Ink::Reverse => self.bits[byte] ^= bit,
            }
        }
    }

    /// Makes a rectangle black.
    pub fn bar(&mut self, x: u32, y: u32, width: u32, height: u32) {
        let right = x.saturating_add(width).min(self.width);
        let bottom = y.saturating_add(height).min(self.height);
        for y in y..bottom {
            for x in x..right {
                self.ink(signed(x), signed(y), Ink::Black);
            }
        }
    }

    /// Stamps `field`, turned, with the top left corner of what it then covers at `at`.
    pub fn stamp(&mut self, field: &Self, at: (i32, i32), turn: Turn, ink: Ink) {
        let (w, h) = (signed(field.width), signed(field.height));
        for y in 0..h {
            for x in 0..w {
                if field.black(x, y) {
                    let (dx, dy) = match turn {
                        Turn::Normal => (x, y),
                        Turn::Right => (h - 1 - y, x),
                        Turn::Inverted => (w - 1 - x, h - 1 - y),
                        Turn::Bottom => (y, w - 1 - x),
                    };
                    self.ink(at.0.saturating_add(dx), at.1.saturating_add(dy), ink);
                }
            }
        }
    }

    /// The same, upside down.
    pub fn upside_down(&self) -> Self {
        let mut turned = Self::new(self.width, self.height);
        turned.stamp(self, (0, 0), Turn::Inverted, Ink::Black);
        turned
    }
}

/// How many dots one label's fields may still take, so that a hostile format cannot hang the drawing.
#[derive(Clone, Debug)]
pub struct Budget {
    dots: u64,
}

impl Budget {
    /// So many dots for all fields together.
    pub fn new(dots: u64) -> Self {
        Self { dots }
    }

    /// An empty bitmap, if there are dots enough.
    ///
    /// # Errors
    /// What to warn of.
    pub fn bitmap(&mut self, width: u32, height: u32) -> Result<Bitmap, String> {
        self.spend(u64::from(width) * u64::from(height))?;
        Ok(Bitmap::new(width, height))
    }

    /// Takes dots off.
    ///
    /// # Errors
    /// What to warn of, when there are not enough.
    pub fn spend(&mut self, dots: u64) -> Result<(), String> {
        match self.dots.checked_sub(dots) {
            Some(left) => {
                self.dots = left;
                Ok(())
            }
            None => Err(format!("another field of {dots} dots is too much to draw")),
        }
    }
}

/// Where the point (`x`, `y`) of a `width` by `height` field goes when the field is turned.
pub fn turned_point((x, y): (i32, i32), (width, height): (i32, i32), turn: Turn) -> (i32, i32) {
    match turn {
        Turn::Normal => (x, y),
        Turn::Right => (height - y, x),
        Turn::Inverted => (width - x, height - y),
        Turn::Bottom => (y, width - x),
    }
}

/// Dots as a coordinate; sizes here are far below the bound.
pub fn signed(dots: u32) -> i32 {
    i32::try_from(dots).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(bitmap: &Bitmap) -> Vec<String> {
        (0..signed(bitmap.height))
            .map(|y| (0..signed(bitmap.width)).map(|x| if bitmap.black(x, y) { '#' } else { '.' }).collect())
            .collect()
    }

    #[test]
    fn a_stamp_turns_clockwise_about_its_own_corner() {
        // An L: its foot to the right.
        let mut field = Bitmap::new(2, 3);
        field.bar(0, 0, 1, 3);
        field.bar(1, 2, 1, 1);
        let cases = [
            (Turn::Normal, vec!["#..", "#..", "##."]),
            (Turn::Right, vec!["###", "#..", "..."]),
            (Turn::Inverted, vec!["##.", ".#.", ".#."]),
            (Turn::Bottom, vec!["..#", "###", "..."]),
        ];
        for (turn, wanted) in cases {
            let mut label = Bitmap::new(3, 3);
            label.stamp(&field, (0, 0), turn, Ink::Black);
            assert_eq!(shape(&label), wanted, "{turn:?}");
        }
    }

    #[test]
    fn reverse_shows_on_black_and_the_edge_is_safe() {
        let mut label = Bitmap::new(4, 1);
        label.bar(0, 0, 2, 1);
        let mut field = Bitmap::new(9, 9);
        field.bar(0, 0, 9, 9);
        label.stamp(&field, (1, 0), Turn::Normal, Ink::Reverse);
        assert_eq!(shape(&label), ["#.##"]);
        label.stamp(&field, (i32::MAX, i32::MIN), Turn::Right, Ink::Black);
        label.ink(-1, 0, Ink::Black);
        assert_eq!(shape(&label), ["#.##"]);
    }
}
