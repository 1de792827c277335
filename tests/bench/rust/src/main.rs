//! Times hawser beside WebSocket crates, in one process and round by round.
//!
//! Usage: hawser-bench-rust ROUNDS
//!
//! Prints lines of `row,contender,ns`: the median over the rounds of nanoseconds per message. A
//! round is one pass of each contender over the same messages. What each delivers is checked first.

mod hawser;
mod peers;
mod wire;
mod work;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use work::Content::{Ascii, Binary, Mixed};
use work::Side::{ClientSends, ServerReceives};
use work::{Content, Row, Seen, Side, Work};

const ROWS: [Row; 10] = [
    row("server receive binary 16 B", ServerReceives, Binary, 16),
    row("server receive binary 125 B", ServerReceives, Binary, 125),
    row("server receive binary 1 KiB", ServerReceives, Binary, 1024),
    row("server receive binary 16 KiB", ServerReceives, Binary, 16384),
    row("server receive text ASCII 125 B", ServerReceives, Ascii, 125),
    row("server receive text ASCII 4 KiB", ServerReceives, Ascii, 4096),
    row("server receive text mixed 125 B", ServerReceives, Mixed, 125),
    row("server receive text mixed 4 KiB", ServerReceives, Mixed, 4096),
    row("client send 125 B", ClientSends, Binary, 125),
    row("client send 1 KiB", ClientSends, Binary, 1024),
];

const fn row(name: &'static str, side: Side, content: Content, len: usize) -> Row {
    Row { name, side, content, len }
}

/// Somebody who can do the work of a row.
trait Contender {
    fn name(&self) -> &'static str;

    /// What has to be done before a pass and is not timed.
    fn prepare(&mut self) {}

    /// Receive or send all messages once.
    fn pass(&mut self, seen: &mut Seen);
}

fn contenders<'w>(side: Side, work: &'w Work) -> Vec<Box<dyn Contender + 'w>> {
    match side {
        ServerReceives => vec![
            Box::new(hawser::Receiver::in_place(work)),
            Box::new(hawser::Receiver::reading(work)),
            Box::new(peers::TungsteniteReceiver::new(work)),
            Box::new(peers::FastReceiver::new(work)),
        ],
        ClientSends => vec![
            Box::new(hawser::Sender::new(work)),
            Box::new(peers::TungsteniteSender::new(work)),
            Box::new(peers::FastSender::new(work)),
        ],
    }
}

fn check(row: &Row, work: &Work, contender: &mut dyn Contender) {
    let mut seen = Seen { check: true, ..Seen::default() };
    contender.prepare();
    contender.pass(&mut seen);
    assert_eq!(seen.hash, work.hash(), "{}: {} delivered other bytes", row.name, contender.name());
}

/// Nanoseconds of one pass.
fn time(contender: &mut dyn Contender) -> u64 {
    let mut seen = Seen::default();
    contender.prepare();
    let start = Instant::now();
    contender.pass(&mut seen);
    let elapsed = start.elapsed();
    black_box(seen.sum);
    elapsed.as_nanos() as u64
}

fn median(mut times: Vec<u64>) -> u64 {
    times.sort_unstable();
    times[times.len() / 2]
}

fn run(row: &Row, rounds: usize) {
    let work = Work::new(row);
    let mut contenders = contenders(row.side, &work);
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];

    for contender in &mut contenders {
        check(row, &work, contender.as_mut());
    }
    for _ in 0..rounds {
        for (i, contender) in contenders.iter_mut().enumerate() {
            times[i].push(time(contender.as_mut()));
        }
    }
    for (contender, times) in contenders.iter().zip(times) {
        let ns = median(times) as f64 / work.messages.len() as f64;
        println!("{},{},{ns:.1}", row.name, contender.name());
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rounds = match arguments.as_slice() {
        [rounds] => rounds.parse().unwrap_or(0),
        _ => 0,
    };

    if rounds == 0 {
        eprintln!("Usage: hawser-bench-rust ROUNDS (at least 1)");
        return ExitCode::from(2);
    }
    for row in &ROWS {
        run(row, rounds);
    }
    ExitCode::SUCCESS
}
