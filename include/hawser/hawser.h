/**
 * @file
 * hawser, a WebSocket protocol library: everything of the core.
 *
 * | header      | what it is for                                                    |
 * |-------------|-------------------------------------------------------------------|
 * | endpoint.h  | one side of a connection, all of it but the socket                |
 * | prepared.h  | messages that are encoded once and sent to many                   |
 * | conn.h      | an open connection: bytes in, events out; messages in, bytes out  |
 * | message.h   | whole messages instead of pieces                                  |
 * | http.h      | one HTTP head, and responses                                      |
 * | handshake.h | opening a connection, both sides                                  |
 * | connect.h   | opening one over HTTP/2 and HTTP/3                                |
 * | deflate.h   | compressed messages                                               |
 * | codec.h     | what compresses them                                              |
 * | extension.h | the list of extensions in a head                                  |
 * | uri.h       | ws:// and wss://                                                  |
 * | auth.h      | credentials, cookies and tokens in a request                      |
 * | keepalive.h | Pings and deadlines                                               |
 * | counters.h  | what happened, in numbers                                         |
 * | ready.h     | which endpoints have something to do                              |
 * | rate.h      | rate limits                                                       |
 * | trace.h     | frames and heads as lines of text                                 |
 * | fixed.h     | an allocator over one block of memory                             |
 * | filter.h    | what encrypts a connection                                        |
 * | status.h    | every error, its sentence and its RFC section                     |
 * | frame.h     | frame headers, for tools                                          |
 * | utf8.h      | validation of text                                                |
 * | key_pool.h  | a random source for mask keys over a slower one                    |
 * | kernel.h    | which form of the loops over payload runs                         |
 *
 * Adapters have headers of their own: loop.h, uv.h, blocking.h, tls.h, deflate_zlib.h, entropy.h,
 * allocator.h.
 */
#ifndef HAWSER_HAWSER_H
#define HAWSER_HAWSER_H

#include <hawser/auth.h>
#include <hawser/base.h>
#include <hawser/codec.h>
#include <hawser/conn.h>
#include <hawser/connect.h>
#include <hawser/counters.h>
#include <hawser/deflate.h>
#include <hawser/endpoint.h>
#include <hawser/extension.h>
#include <hawser/filter.h>
#include <hawser/fixed.h>
#include <hawser/frame.h>
#include <hawser/handshake.h>
#include <hawser/http.h>
#include <hawser/keepalive.h>
#include <hawser/kernel.h>
#include <hawser/key_pool.h>
#include <hawser/message.h>
#include <hawser/prepared.h>
#include <hawser/rate.h>
#include <hawser/ready.h>
#include <hawser/status.h>
#include <hawser/trace.h>
#include <hawser/uri.h>
#include <hawser/utf8.h>
#include <hawser/version.h>

#endif
