//! What came out of the printer, held against what the spooler says of it.

use backdock::sim::engine::Label;
use std::collections::BTreeMap;

/// What a spooler says of a label.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said {
    /// It is out.
    Printed,
    /// A person must look: in doubt, given up, still waiting.
    Ask,
    /// Nothing: it no longer knows the job that it had taken.
    Unknown,
}

/// Labels by what became of them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Count {
    pub asked: usize,
    pub came: usize,
    /// Did not come out, and nobody is told.
    pub lost: usize,
    /// Came out more than once.
    pub doubled: usize,
    /// A person is told to look, and how many of these labels did come out.
    pub ask: usize,
    pub ask_came: usize,
    /// Paper with anything else on it than a label that was asked for.
    pub waste: usize,
}

impl Count {
    /// `asked`: the bytes of each label and what is said of it; no two have the same.
    pub fn of<'a>(asked: impl IntoIterator<Item = (&'a str, Said)>, paper: &[Label]) -> Count {
        let mut out: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for label in paper {
            *out.entry(label.zpl.trim_ascii().to_vec()).or_default() += 1;
        }
        let mut count = Count::default();
        for (zpl, said) in asked {
            let came = out.remove(zpl.as_bytes().trim_ascii()).unwrap_or(0);
            count.asked += 1;
            count.came += usize::from(came > 0);
            count.doubled += usize::from(came > 1);
            count.lost += usize::from(came == 0 && said != Said::Ask);
            count.ask += usize::from(said == Said::Ask);
            count.ask_came += usize::from(said == Said::Ask && came > 0);
        }
        count.waste = out.values().sum();
        count
    }
}
