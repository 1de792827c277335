//! hawser, through a hand-written part of include/hawser/conn.h.

use std::ffi::c_void;
use std::ptr::null_mut;

use crate::work::{Seen, Work};
use crate::Contender;

const ROLE_SERVER: u8 = 0;
const ROLE_CLIENT: u8 = 1;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const WHOLE: u8 = 3;
const OK: i32 = 0;
const EVENT: i32 = 1;

type Random = unsafe extern "C" fn(*mut c_void, *mut u8, usize) -> i32;

#[repr(C)]
struct Conn {
    opaque: [u64; 48],
}

#[repr(C)]
struct Config {
    size: u32,
    role: u8,
    compression: u8,
    close_sentence: u8,
    frame_events: u8,
    max_message: u64,
    max_fragments: u64,
    random: Option<Random>,
    random_user: *mut c_void,
}

#[repr(C)]
struct Event {
    kind: u8,
    flags: u8,
    close_code: u16,
    data: *const u8,
    len: usize,
}

extern "C" {
    fn hws_conn_config_init(config: *mut Config, role: u8);
    fn hws_conn_init(conn: *mut Conn, config: *const Config) -> i32;
    fn hws_conn_size() -> usize;
    fn hws_conn_receive(
        conn: *mut Conn,
        buf: *mut u8,
        len: usize,
        used: *mut usize,
        ev: *mut Event,
    ) -> i32;
    fn hws_conn_send(
        conn: *mut Conn,
        kind: u8,
        flags: u8,
        data: *const u8,
        len: usize,
        out: *mut u8,
        cap: usize,
        n: *mut usize,
    ) -> i32;
    fn hws_entropy(user: *mut c_void, dst: *mut u8, len: usize) -> i32;
}

impl Conn {
    fn new(role: u8) -> Conn {
        let mut conn = Conn { opaque: [0; 48] };
        let mut config = Config {
            size: 0,
            role,
            compression: 0,
            close_sentence: 0,
            frame_events: 0,
            max_message: 0,
            max_fragments: 0,
            random: None,
            random_user: null_mut(),
        };

        // SAFETY: both are what the header declares, and live during the calls.
        let status = unsafe {
            assert_eq!(hws_conn_size(), size_of::<Conn>());
            hws_conn_config_init(&mut config, role);
            config.random = if role == ROLE_CLIENT { Some(hws_entropy) } else { None };
            hws_conn_init(&mut conn, &config)
        };
        assert_eq!(status, OK);
        conn
    }

    fn receive(&mut self, buf: &mut [u8], seen: &mut Seen) {
        let mut used = 0;
        let mut ev = Event { kind: 0, flags: 0, close_code: 0, data: null_mut(), len: 0 };

        // SAFETY: data and len of an event are a part of buf, or of the connection.
        unsafe {
            while hws_conn_receive(self, buf.as_mut_ptr(), buf.len(), &mut used, &mut ev) == EVENT {
                seen.take(ev.kind == TEXT, std::slice::from_raw_parts(ev.data, ev.len));
            }
        }
        assert_eq!(used, buf.len());
    }
}

/// Deliver the messages of a client's bytes to `seen`: how the senders are checked.
pub fn decode(bytes: &mut [u8], seen: &mut Seen) {
    Conn::new(ROLE_SERVER).receive(bytes, seen);
}

pub struct Receiver {
    name: &'static str,
    conn: Conn,
    wire: Vec<u8>,
    buf: Vec<u8>,
    /// Whether a pass counts the copy that a read() is, which no other contender can do without.
    reads: bool,
}

impl Receiver {
    pub fn in_place(work: &Work) -> Receiver {
        Receiver {
            name: "hawser",
            conn: Conn::new(ROLE_SERVER),
            wire: work.wire.clone(),
            buf: work.wire.clone(),
            reads: false,
        }
    }

    pub fn reading(work: &Work) -> Receiver {
        Receiver { name: "hawser with read", reads: true, ..Receiver::in_place(work) }
    }
}

impl Contender for Receiver {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare(&mut self) {
        if !self.reads {
            self.buf.copy_from_slice(&self.wire);
        }
    }

    fn pass(&mut self, seen: &mut Seen) {
        if self.reads {
            self.buf.copy_from_slice(&self.wire);
        }
        self.conn.receive(&mut self.buf, seen);
    }
}

pub struct Sender<'w> {
    conn: Conn,
    work: &'w Work,
    out: Vec<u8>,
}

impl Sender<'_> {
    pub fn new(work: &Work) -> Sender<'_> {
        Sender { conn: Conn::new(ROLE_CLIENT), work, out: vec![0; work.wire.len()] }
    }
}

impl Contender for Sender<'_> {
    fn name(&self) -> &'static str {
        "hawser"
    }

    fn pass(&mut self, seen: &mut Seen) {
        let mut n = 0;

        for message in &self.work.messages {
            // SAFETY: message and out are separate and as long as stated.
            let status = unsafe {
                hws_conn_send(
                    &mut self.conn,
                    BINARY,
                    WHOLE,
                    message.as_ptr(),
                    message.len(),
                    self.out.as_mut_ptr(),
                    self.out.len(),
                    &mut n,
                )
            };
            assert_eq!(status, OK);
        }
        if seen.check {
            decode(&mut self.out[..n], seen);
        }
    }
}
