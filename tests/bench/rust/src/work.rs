//! What every contender gets to do, and how what it delivers is checked. Knows the frame format,
//! and no contender.

/// Bytes of a stream at most: the frames of one pass.
const STREAM_LEN: usize = 65536;

#[derive(Clone, Copy, PartialEq)]
pub enum Content {
    Binary,
    Ascii,
    Mixed,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Side {
    ServerReceives,
    ClientSends,
}

/// A row of the table.
pub struct Row {
    pub name: &'static str,
    pub side: Side,
    pub content: Content,
    pub len: usize,
}

/// The messages of one pass.
pub struct Work {
    pub text: bool,
    pub messages: Vec<Vec<u8>>,
    /// All of them as a client sends them, each with a mask key of its own.
    pub wire: Vec<u8>,
}

/// Takes what is delivered. While it is being timed, it only looks at the length and the last byte.
#[derive(Default)]
pub struct Seen {
    /// Hash everything, to compare it with what should have come.
    pub check: bool,
    pub hash: u64,
    pub sum: u64,
}

/// Numbers that are the same in each run (xorshift64).
struct Numbers(u64);

impl Seen {
    #[inline(always)]
    pub fn take(&mut self, text: bool, payload: &[u8]) {
        let last = payload.last().copied().unwrap_or(0);
        self.sum = self.sum.wrapping_add(payload.len() as u64 + u64::from(last));
        if self.check {
            self.add(u8::from(text));
            payload.len().to_le_bytes().iter().for_each(|byte| self.add(*byte));
            payload.iter().for_each(|byte| self.add(*byte));
        }
    }

    /// One step of FNV-1a.
    fn add(&mut self, byte: u8) {
        self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
}

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

impl Work {
    pub fn new(row: &Row) -> Work {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        let mut work =
            Work { text: row.content != Content::Binary, messages: Vec::new(), wire: Vec::new() };

        while work.wire.len() + header_len(row.len) + row.len <= STREAM_LEN {
            let message = payload(row.content, row.len, &mut numbers);
            let key = (numbers.next() as u32).to_le_bytes();
            append_frame(&mut work.wire, work.text, &message, key);
            work.messages.push(message);
        }
        work
    }

    /// What a contender must have delivered after one pass.
    pub fn hash(&self) -> u64 {
        let mut seen = Seen { check: true, ..Seen::default() };
        for message in &self.messages {
            seen.take(self.text, message);
        }
        seen.hash
    }
}

/// Bytes of a masked frame's header; no row has a message of 64 KiB or more.
fn header_len(len: usize) -> usize {
    if len < 126 {
        6
    } else {
        8
    }
}

fn append_frame(wire: &mut Vec<u8>, text: bool, message: &[u8], key: [u8; 4]) {
    wire.push(if text { 0x81 } else { 0x82 });
    if message.len() < 126 {
        wire.push(0x80 | message.len() as u8);
    } else {
        wire.push(0x80 | 126);
        wire.extend_from_slice(&(message.len() as u16).to_be_bytes());
    }
    wire.extend_from_slice(&key);
    wire.extend(message.iter().enumerate().map(|(i, byte)| byte ^ key[i & 3]));
}

/// Exactly `len` bytes; where no further letter fits, the rest of a text is ASCII.
fn payload(content: Content, len: usize, numbers: &mut Numbers) -> Vec<u8> {
    const LETTERS: [&str; 8] = ["語", "水", "ж", "Я", "😀", "日", "e", " "];
    let mut bytes = Vec::with_capacity(len);

    while bytes.len() < len {
        let number = (numbers.next() >> 32) as usize;
        let letter = LETTERS[number % LETTERS.len()].as_bytes();
        match content {
            Content::Binary => bytes.push(number as u8),
            Content::Mixed if bytes.len() + letter.len() <= len => bytes.extend_from_slice(letter),
            _ => bytes.push(b' ' + (number % 95) as u8),
        }
    }
    bytes
}
