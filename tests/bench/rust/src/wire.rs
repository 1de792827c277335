//! A stream in memory. Reading never ends: the same bytes come again and again, and no read crosses
//! their end, so that each pass starts with empty buffers. Writing costs nothing, unless it is kept.

use std::cell::RefCell;
use std::io::{Read, Result, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Where what is written goes: nowhere while it is None.
pub type Kept = Rc<RefCell<Option<Vec<u8>>>>;

pub struct Wire {
    input: Vec<u8>,
    at: usize,
    kept: Kept,
}

impl Wire {
    pub fn reading(input: &[u8]) -> Wire {
        Wire { input: input.to_vec(), at: 0, kept: Kept::default() }
    }

    pub fn writing(kept: &Kept) -> Wire {
        Wire { input: Vec::new(), at: 0, kept: kept.clone() }
    }

    /// The next bytes of the stream, at most `cap`.
    fn next(&mut self, cap: usize) -> &[u8] {
        let start = if self.at == self.input.len() { 0 } else { self.at };
        self.at = self.input.len().min(start + cap);
        &self.input[start..self.at]
    }
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let bytes = self.next(buf.len());
        buf[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if let Some(kept) = self.kept.borrow_mut().as_mut() {
            kept.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let cap = buf.remaining();
        buf.put_slice(self.next(cap));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        Poll::Ready(self.write(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }
}
