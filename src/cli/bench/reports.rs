//! From the last byte of a scan to what it may be, side by side: HID POS reports, a wedge's keys and a serial
//! line's bytes through the pure rooms on this thread, and the serial line once more through a
//! pseudo-terminal and the scanner's own thread.

use super::super::Stop;
use super::Effort;
use super::report::{Found, Target};
use super::samples::{Samples, us};
use crate::device::{self, DeviceEvent, ScannerKind, ScannerSettings};
use crate::identify::{self, Context, Step};
use crate::scan::hid::{Decoder, Layout};
use crate::scan::keys::{self, Keyboard};
use crate::scan::{Frame, Framer, IDLE_GAP_MS, Scan, Suffix};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

/// What a unit's label carries: a GS1 element string of two reports.
const PAYLOAD: &[u8] = b"]d20109521234543213211234567890ABCDEFGHJK\x1d25000155E0A1B2C3\x1d10LOT2026-11";
/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub fn run(effort: Effort) -> Result<Found, Stop> {
    let count = effort.pick(20_000, 2_000);
    let mut found = Found::new(
        "reports",
        format!(
            "From the last report, key or byte to the identified scan; {count} scans of {} bytes a way.",
            PAYLOAD.len()
        ),
    );
    found.table.columns = vec!["way", "p50 us", "p99 us", "max us"];
    let ways: [(&str, Samples); 4] =
        [("HID POS", hid(count)), ("wedge", wedge(count)), ("serial", serial(count)), ("serial by pty", pty(count)?)];
    for (n, (name, samples)) in ways.iter().enumerate() {
        found.table.rows.push(vec![n as f64 + 1.0, us(samples.p50()), us(samples.p99()), us(samples.max())]);
        found.figure(format!("{name} (way {}), p99", n + 1), us(samples.p99()), "us", Target::Below(1000.0));
    }
    Ok(found)
}

fn identified(frame: Frame) {
    if let Frame::Payload(bytes) = frame {
        let context = Context { step: Step::Any, prefix: "", rma_pattern: &|_| false };
        black_box(identify::identify(&Scan::decode(bytes), &context));
    }
}

/// Takes the time of `last`, which is handed what `first` left; once more than counted, to warm up.
fn timed<S>(count: usize, mut first: impl FnMut() -> S, mut last: impl FnMut(S)) -> Samples {
    let mut samples = Samples::default();
    for n in 0..=count {
        let state = first();
        let began = Instant::now();
        last(state);
        if n > 0 {
            samples.push(began.elapsed());
        }
    }
    samples
}

fn hid(count: usize) -> Samples {
    let layout = Layout {
        id: Some(2),
        bytes: 64,
        length: Some((1, false)),
        aim: [Some(2), Some(3), Some(4)],
        data: 5..61,
        more: Some(63 * 8),
    };
    let (aim, data) = PAYLOAD.split_at(3);
    let pieces = data.chunks(56).count();
    let reports: Vec<Vec<u8>> = data
        .chunks(56)
        .enumerate()
        .map(|(n, piece)| {
            let mut report = vec![0; 64];
            (report[0], report[1], report[63]) = (2, piece.len() as u8, u8::from(n + 1 < pieces));
            report[2..5].copy_from_slice(aim);
            report[5..5 + piece.len()].copy_from_slice(piece);
            report
        })
        .collect();
    let first = || {
        let mut decoder = Decoder::new(layout.clone());
        reports[..pieces - 1].iter().for_each(|r| decoder.push(r, 0, &mut identified));
        decoder
    };
    timed(count, first, |mut decoder| decoder.push(&reports[pieces - 1], 0, &mut identified))
}

fn wedge(count: usize) -> Samples {
    const ENTER: u16 = 28;
    let first = || {
        let mut framer = Framer::new(Suffix::Any, 500);
        framer.push(PAYLOAD, 0, &mut identified);
        (Keyboard::new(keys::Layout::Us), framer)
    };
    timed(count, first, |(mut keyboard, mut framer)| {
        let mut bytes = Vec::new();
        keyboard.key(ENTER, true, &mut bytes);
        framer.push(&bytes, 1, &mut identified);
    })
}

fn serial(count: usize) -> Samples {
    let whole = [PAYLOAD, b"\r"].concat();
    let first = || Framer::new(Suffix::Cr, IDLE_GAP_MS);
    timed(count, first, |mut framer| framer.push(&whole, 0, &mut identified))
}

fn pty(count: usize) -> Result<Samples, Stop> {
    let fd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).map_err(Stop::failed)?;
    grantpt(&fd).and_then(|()| unlockpt(&fd)).map_err(Stop::failed)?;
    let port = ptsname(&fd, Vec::new()).map_err(Stop::failed)?.into_string().map_err(Stop::failed)?.into();
    let mut master = std::fs::File::from(fd);
    let (events, heard) = sync_channel(16);
    let stop = Arc::new(AtomicBool::new(false));
    let settings = ScannerSettings {
        name: "bench".to_owned(),
        kind: ScannerKind::Serial { port, baud: 9600 },
        suffix: Suffix::Cr,
        idle_gap_ms: IDLE_GAP_MS,
        beep: None,
    };
    let thread = device::spawn(settings, device::queue(events, stop.clone()), stop.clone(), device::Tap::default())
        .map_err(Stop::failed)?;
    let whole = [PAYLOAD, b"\r"].concat();
    let measured = scans(&mut master, &heard, &whole, count);
    stop.store(true, Ordering::Relaxed);
    drop(heard);
    thread.join().map_err(|_| Stop::failed("the scanner's thread panicked"))?;
    measured
}

fn scans(
    master: &mut std::fs::File,
    heard: &Receiver<DeviceEvent>,
    whole: &[u8],
    count: usize,
) -> Result<Samples, Stop> {
    let next = || heard.recv_timeout(PATIENCE).map_err(Stop::failed);
    // That it listens.
    next()?;
    let mut samples = Samples::default();
    for n in 0..=count {
        let began = Instant::now();
        master.write_all(whole).map_err(Stop::failed)?;
        match next()? {
            DeviceEvent::Frame { frame, .. } => identified(frame),
            DeviceEvent::State { reason, .. } => return Err(Stop::failed(reason)),
        }
        if n > 0 {
            samples.push(began.elapsed());
        }
    }
    Ok(samples)
}
