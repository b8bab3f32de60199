//! A scanner typing, as sentences: `S+` Shift down, `S-` up, `C` Ctrl, `A` Alt, `G` AltGr, `L` Caps Lock,
//! a number is a key code pressed and released.

use super::*;
use proptest::prelude::*;

fn play(layout: Layout, tape: &str) -> (Vec<u8>, bool) {
    let (mut keyboard, mut out, mut spoilt) = (Keyboard::new(layout), Vec::new(), false);
    for word in tape.split_whitespace() {
        let mut key = |code, pressed| spoilt |= keyboard.key(code, pressed, &mut out) == Typed::Spoilt;
        let modifier = |c: char| match c {
            'S' => LEFT_SHIFT,
            'C' => LEFT_CTRL,
            'A' => LEFT_ALT,
            'G' => RIGHT_ALT,
            other => panic!("{other}"),
        };
        match (word, word.parse()) {
            ("L", _) => key(CAPS_LOCK, true),
            (_, Ok(code)) => {
                key(code, true);
                key(code, false);
            }
            (word, _) => key(modifier(word.chars().next().unwrap()), word.ends_with('+')),
        }
    }
    (out, spoilt)
}

fn text(layout: Layout, tape: &str) -> String {
    let (out, spoilt) = play(layout, tape);
    assert!(!spoilt, "{tape}");
    String::from_utf8(out).unwrap()
}

#[test]
fn the_scanners_layout_decides_what_a_key_means() {
    // The same keys: 1, 2, Q, Y, ; and the one left of Backspace.
    let keys = "2 3 16 21 39 13";
    for (layout, want) in [
        (Layout::Us, "12qy;="),
        (Layout::Uk, "12qy;="),
        (Layout::Fr, "&éaym="),
        (Layout::It, "12qyòì"),
        (Layout::Es, "12qyñ¡"),
    ] {
        assert_eq!(text(layout, keys), want, "{layout:?}");
    }
    assert_eq!(text(Layout::De, "2 3 16 21 39 13 57"), "12qzö´");
    // What users of other programs saw: digits typed for a French host, read as such.
    assert_eq!(text(Layout::Fr, "S+ 2 3 4 5 6 7 8 9 10 11 S-"), "1234567890");
    assert_eq!(text(Layout::Us, "S+ 30 S- 30 S+ 39 S-"), "Aa:");
}

#[test]
fn caps_lock_turns_letters_round_and_nothing_else() {
    assert_eq!(text(Layout::Us, "L 30 2 S+ 30 2 S- L 30"), "A1a!a");
    assert_eq!(text(Layout::De, "L 39 12"), "Öß");
    assert_eq!(text(Layout::Fr, "L 3"), "é");
}

#[test]
fn control_characters_come_with_ctrl_or_by_number() {
    assert_eq!(play(Layout::Us, "C+ 27 C- C+ 7 C- C+ 32 C-"), (vec![0x1d, 0x1e, 0x04], false));
    assert_eq!(play(Layout::Us, "C+ S+ 7 S- C-"), (vec![0x1e], false));
    // Where the layout has no ] of its own on a key, its place counts; its own letters come first.
    assert_eq!(play(Layout::De, "C+ 27 C- C+ 44 C-"), (vec![0x1d, 0x19], false));
    assert_eq!(play(Layout::Us, "A+ 82 80 73 A-"), (vec![0x1d], false));
    assert_eq!(play(Layout::Us, "A+ 80 73 A- 30"), (vec![0x1d, b'a'], false));
    assert_eq!(text(Layout::Us, "A+ 82 80 79 77 A-"), "\u{d8}");
    assert_eq!(text(Layout::Us, "A+ 79 80 73 A-"), "ü", "129 of code page 437");
    assert_eq!(text(Layout::Us, "A+ 82 79 80 72 A-"), "€", "0128 of Windows-1252");
    assert!(play(Layout::Us, "A+ 73 73 73 A-").1, "there is no character 999");
}

#[test]
fn alt_gr_and_dead_keys_give_the_rest() {
    assert_eq!(text(Layout::De, "G+ 16 8 9 10 11 12 27 86 G-"), "@{[]}\\~|");
    assert_eq!(text(Layout::De, "C+ A+ 16 A- C-"), "@", "Ctrl with Alt is AltGr");
    assert_eq!(text(Layout::Fr, "G+ 11 5 13 G-"), "@{}");
    assert_eq!(text(Layout::It, "G+ S+ 26 27 S- G-"), "{}");
    assert_eq!(text(Layout::De, "41 57 41 41 41 18 41 45"), "^^ê^x");
    assert_eq!(text(Layout::De, "13 18 13 S+ 18 S-"), "éÉ");
    assert_eq!(text(Layout::Fr, "G+ 8 G- 57 26 18"), "`ê");
}

#[test]
fn the_keypad_types_digits_and_both_enters_end() {
    assert_eq!(text(Layout::Us, "69 79 80 81 98 55 74 78 83 96 28 15"), "123/*-+.\r\r\t");
}

#[test]
fn a_key_without_a_character_spoils_the_scan() {
    for tape in ["59", "A+ 30 A-", "125 30", "G+ 30 G-", "C+ 2 C-", "106"] {
        assert!(play(Layout::Us, tape).1, "{tape}");
    }
    let (mut keyboard, mut out) = (Keyboard::new(Layout::Us), Vec::new());
    keyboard.key(LEFT_SHIFT, true, &mut out);
    keyboard.forget();
    keyboard.key(30, true, &mut out);
    assert_eq!(out, b"a", "a modifier whose release was lost does not stick");
}

proptest! {
    #[test]
    fn whatever_is_typed_comes_out_as_text_and_grows_by_a_few_bytes(
        keys in prop::collection::vec((0u16..300, any::<bool>()), 0..300),
        layout in prop::sample::select(layout::NAMES.map(|(_, l)| l).to_vec()),
    ) {
        let (mut keyboard, mut out) = (Keyboard::new(layout), Vec::new());
        for (code, pressed) in keys {
            let before = out.len();
            keyboard.key(code, pressed, &mut out);
            prop_assert!(out.len() - before <= 8);
        }
        prop_assert!(String::from_utf8(out).is_ok());
    }

    #[test]
    fn what_can_be_typed_is_read_back(word in "[ -~]{0,60}") {
        for (_, layout) in layout::NAMES {
            let (mut keyboard, mut out) = (Keyboard::new(layout), Vec::new());
            // The scanner's side: the first way that gives the character.
            for c in word.chars() {
                let ways = (1u16..=90).flat_map(|key| [(key, false, false), (key, true, false), (key, false, true), (key, true, true)]);
                let way = ways.into_iter().find(|&(key, shift, alt_gr)| {
                    let (mut one, mut got) = (Keyboard::new(layout), Vec::new());
                    one.down[0] = shift;
                    one.down[5] = alt_gr;
                    one.key(key, true, &mut got);
                    if one.dead == Some(c) { one.key(SPACE, true, &mut got); }
                    got == [c as u8]
                });
                let Some((key, shift, alt_gr)) = way else {
                    prop_assert!("`~".contains(c) && layout == Layout::It, "{layout:?} {c}");
                    push(c, &mut out);
                    continue;
                };
                for (modifier, down) in [(LEFT_SHIFT, shift), (RIGHT_ALT, alt_gr)] {
                    if down { keyboard.key(modifier, true, &mut out); }
                }
                keyboard.key(key, true, &mut out);
                for modifier in [LEFT_SHIFT, RIGHT_ALT] {
                    keyboard.key(modifier, false, &mut out);
                }
                if keyboard.dead.is_some() { keyboard.key(SPACE, true, &mut out); }
            }
            prop_assert_eq!(String::from_utf8(out).unwrap(), word.clone());
        }
    }
}
