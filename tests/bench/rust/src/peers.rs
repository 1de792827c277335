//! The contenders that are Rust: as their documentation shows them, with their own defaults.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload};
use tungstenite::{Message, WebSocket};

use crate::hawser;
use crate::wire::{Kept, Wire};
use crate::work::{Seen, Work};
use crate::Contender;

const TUNGSTENITE: &str = "tungstenite";
const FAST: &str = "fastwebsockets";

/// The cheapest executor there is: a stream in memory never has to wait.
fn finish<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a stream in memory waits for nothing"),
    }
}

/// Send; when `seen` is to check it, keep what is written and decode it.
fn send_checked(kept: &Kept, seen: &mut Seen, send: impl FnOnce()) {
    if seen.check {
        kept.replace(Some(Vec::new()));
    }
    send();
    if let Some(mut bytes) = kept.take() {
        hawser::decode(&mut bytes, seen);
    }
}

pub struct TungsteniteReceiver {
    socket: WebSocket<Wire>,
    count: usize,
}

impl TungsteniteReceiver {
    pub fn new(work: &Work) -> TungsteniteReceiver {
        let role = tungstenite::protocol::Role::Server;
        let socket = WebSocket::from_raw_socket(Wire::reading(&work.wire), role, None);
        TungsteniteReceiver { socket, count: work.messages.len() }
    }
}

impl Contender for TungsteniteReceiver {
    fn name(&self) -> &'static str {
        TUNGSTENITE
    }

    fn pass(&mut self, seen: &mut Seen) {
        for _ in 0..self.count {
            match self.socket.read().expect("a message") {
                Message::Text(text) => seen.take(true, text.as_bytes()),
                Message::Binary(bytes) => seen.take(false, &bytes),
                other => panic!("{other:?} was not sent"),
            }
        }
    }
}

pub struct TungsteniteSender {
    socket: WebSocket<Wire>,
    messages: Vec<Bytes>,
    kept: Kept,
}

impl TungsteniteSender {
    pub fn new(work: &Work) -> TungsteniteSender {
        let kept = Kept::default();
        let role = tungstenite::protocol::Role::Client;
        let socket = WebSocket::from_raw_socket(Wire::writing(&kept), role, None);
        let messages = work.messages.iter().map(|message| Bytes::copy_from_slice(message));
        TungsteniteSender { socket, messages: messages.collect(), kept }
    }
}

impl Contender for TungsteniteSender {
    fn name(&self) -> &'static str {
        TUNGSTENITE
    }

    fn pass(&mut self, seen: &mut Seen) {
        send_checked(&self.kept, seen, || {
            for message in &self.messages {
                self.socket.write(Message::Binary(message.clone())).expect("room");
            }
            self.socket.flush().expect("room");
        });
    }
}

pub struct FastReceiver {
    socket: FragmentCollector<Wire>,
    count: usize,
}

impl FastReceiver {
    pub fn new(work: &Work) -> FastReceiver {
        let role = fastwebsockets::Role::Server;
        let socket = fastwebsockets::WebSocket::after_handshake(Wire::reading(&work.wire), role);
        FastReceiver { socket: FragmentCollector::new(socket), count: work.messages.len() }
    }
}

impl Contender for FastReceiver {
    fn name(&self) -> &'static str {
        FAST
    }

    fn pass(&mut self, seen: &mut Seen) {
        finish(async {
            for _ in 0..self.count {
                let frame = self.socket.read_frame().await.expect("a message");
                seen.take(frame.opcode == OpCode::Text, &frame.payload);
            }
        });
    }
}

pub struct FastSender<'w> {
    socket: fastwebsockets::WebSocket<Wire>,
    work: &'w Work,
    kept: Kept,
}

impl FastSender<'_> {
    pub fn new(work: &Work) -> FastSender<'_> {
        let kept = Kept::default();
        let role = fastwebsockets::Role::Client;
        let socket = fastwebsockets::WebSocket::after_handshake(Wire::writing(&kept), role);
        FastSender { socket, work, kept }
    }
}

impl Contender for FastSender<'_> {
    fn name(&self) -> &'static str {
        FAST
    }

    fn pass(&mut self, seen: &mut Seen) {
        send_checked(&self.kept, seen, || {
            finish(async {
                for message in &self.work.messages {
                    let frame = Frame::binary(Payload::Borrowed(message));
                    self.socket.write_frame(frame).await.expect("room");
                }
            });
        });
    }
}
