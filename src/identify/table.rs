//! Tables that are files of their own beside this one (`*.tsv`): cells between tabs, `#` begins a line of
//! words for people. They are cut into rows while the program is compiled, so that no scan pays for it and
//! a row with too few or too many cells never gets as far as a program.

/// How many rows a table has.
pub const fn count(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut rows) = (0, 0);
    while at < bytes.len() {
        let end = line_end(bytes, at);
        if is_row(bytes, at, end) {
            rows += 1;
        }
        at = end + 1;
    }
    rows
}

/// The rows of a table, `C` cells each; `R` is its [`count`].
pub const fn rows<const R: usize, const C: usize>(text: &str) -> [[&str; C]; R] {
    let bytes = text.as_bytes();
    let mut table = [[""; C]; R];
    let (mut at, mut row) = (0, 0);
    while at < bytes.len() {
        let end = line_end(bytes, at);
        if is_row(bytes, at, end) {
            let (mut from, mut cell) = (at, 0);
            while cell < C {
                let mut to = from;
                while to < end && bytes[to] != b'\t' {
                    to += 1;
                }
                assert!((to == end) == (cell == C - 1), "a row has too few or too many cells");
                table[row][cell] = text.split_at(to).0.split_at(from).1;
                from = to + 1;
                cell += 1;
            }
            row += 1;
        }
        at = end + 1;
    }
    table
}

const fn line_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at] != b'\n' {
        at += 1;
    }
    at
}

const fn is_row(bytes: &[u8], at: usize, end: usize) -> bool {
    end > at && bytes[at] != b'#'
}

/// Whether `text` looks like `picture`: `d` a digit, `u` a capital letter, `x` either, `h` a hexadecimal
/// digit (capital); `~` behind a sign any number of it, none included; all else stands for itself.
pub fn fits(picture: &str, text: &str) -> bool {
    fitting(picture.as_bytes(), text.as_bytes())
}

fn fitting(picture: &[u8], text: &[u8]) -> bool {
    let is = |sign: u8, b: u8| match sign {
        b'd' => b.is_ascii_digit(),
        b'u' => b.is_ascii_uppercase(),
        b'x' => b.is_ascii_digit() || b.is_ascii_uppercase(),
        b'h' => b.is_ascii_digit() || (b'A'..=b'F').contains(&b),
        sign => sign == b,
    };
    match (picture, text) {
        ([], text) => text.is_empty(),
        ([sign, b'~', after @ ..], text) => {
            let most = text.iter().take_while(|b| is(*sign, **b)).count();
            (0..=most).rev().any(|n| fitting(after, &text[n..]))
        }
        ([sign, after @ ..], [b, rest @ ..]) => is(*sign, *b) && fitting(after, rest),
        (_, []) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_lines_that_are_neither_empty_nor_for_people() {
        const TEXT: &str = "# who\twhat\n\na\tb\n\u{e9}\t\nc\td";
        const ROWS: [[&str; 2]; count(TEXT)] = rows(TEXT);
        assert_eq!(ROWS, [["a", "b"], ["\u{e9}", ""], ["c", "d"]]);
        assert_eq!(count(""), 0);
    }

    #[test]
    #[should_panic(expected = "too few or too many")]
    fn a_row_has_all_its_cells_and_no_more() {
        let _: [[&str; 2]; 1] = rows("a\tb\tc");
    }

    #[test]
    fn a_picture_is_looked_at_sign_by_sign() {
        for (picture, yes, no) in [
            ("20uudd", "20AB12", "20A112"),
            ("hh", "F0", "G0"),
            ("xx", "A1", "a1"),
            ("ABd~", "AB123", "ABC"),
            ("ABd~", "AB", "A"),
            ("xxd~.", "A112.", "A112"),
            ("$+x~$-", "$+CP0$-", "$CP0$-"),
            ("", "", "x"),
            ("d", "1", "\u{e9}"),
        ] {
            assert!(fits(picture, yes), "{picture} {yes}");
            assert!(!fits(picture, no), "{picture} {no}");
        }
    }
}
