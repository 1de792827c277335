/**
 * @file
 * One WebSocket connection after its handshake: bytes in, events out; messages in, bytes out.
 *
 * The receive loop:
 *
 *     size_t used = 0;
 *     hws_event ev;
 *     while (hws_conn_receive(&conn, buf, len, &used, &ev) == HWS_EVENT) {
 *         … look at ev, send …
 *         hws_conn_reply(&conn, out, cap, &n);
 *     }
 *
 * Lifetime. A hws_conn is a value of fixed size in the caller's memory. It holds no pointer into
 * any buffer, needs no release, and may be moved or copied between calls. hws_conn_init() makes it
 * new, whatever it held.
 *
 * Split invariance. Whole messages, control events, status, close code, error offset, bytes
 * consumed, and replies that are taken after each call do not depend on how the stream was cut
 * into calls. Only the pieces of a message follow the cuts.
 *
 * Laziness. One call parses to the next event and not further. What stands before a fault is
 * delivered before the fault is known, and can be answered before it.
 *
 * Errors. A fault of the peer is sticky: each later receive returns it again, with nothing
 * consumed. It stops receiving, not sending; hws_conn_reply() then yields the Close frame that the
 * fault calls for. A mistake of the caller (HWS_ERR_ARGUMENT, _STATE, _SPACE, _SEND_UTF8, or
 * HWS_ERR_RANDOM when his source failed) changes nothing: correct it and call again.
 *
 * Bounds. At most 125 bytes of an arriving control payload and one owed Pong are kept. A server
 * owes at most (bytes in) + 4 bytes of replies, a client 3 × (bytes in) + 8, and never more than
 * two frames at a time (close_sentence adds up to 123 bytes to the last one).
 */
#ifndef HAWSER_CONN_H
#define HAWSER_CONN_H

#include <hawser/base.h>
#include <hawser/frame.h>
#include <hawser/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Types of events and of what is sent. They are the opcodes of RFC 6455 5.2, and FRAME. */
enum {
    HWS_TEXT = HWS_OPCODE_TEXT,
    HWS_BINARY = HWS_OPCODE_BINARY,
    HWS_CLOSE = HWS_OPCODE_CLOSE,
    HWS_PING = HWS_OPCODE_PING,
    HWS_PONG = HWS_OPCODE_PONG,
    HWS_FRAME = 16 /**< A frame header, when the configuration asks for it: see
                        hws_conn_get_frame(). */
};

/** Flags of events and of what is sent: the place of a piece in its message. */
enum {
    HWS_FIRST = 1,     /**< Starts a message. */
    HWS_FINAL = 2,     /**< Ends a message. */
    HWS_WHOLE = 3,     /**< Both: the message in one piece. */
    HWS_COMPRESSED = 4 /**< The payload belongs to a compressed message (RFC 7692 6): on every
                            received piece of one; when sending, given with HWS_FIRST and allowed on
                          the later pieces. */
};

/** Limits and special values. */
enum {
    HWS_DEFAULT_MAX_MESSAGE = 16777216, /**< Bytes of a message, unless configured. */
    HWS_DEFAULT_MAX_FRAGMENTS = 131072, /**< Frames of a message, unless configured. */
    HWS_CLOSE_EMPTY = 0,                /**< To hws_conn_close(): a Close without code. */
    HWS_REPLY_MAX = 262                 /**< Bytes that hws_conn_reply() adds at most. */
};

/** hws_conn_config.max_message and max_fragments: no limit. A choice to be made by name. */
#define HWS_UNLIMITED UINT64_MAX

/** Close codes (RFC 6455 7.4.1 and the IANA registry). */
enum {
    HWS_CLOSE_NORMAL = 1000,
    HWS_CLOSE_GOING_AWAY = 1001,
    HWS_CLOSE_PROTOCOL_ERROR = 1002,
    HWS_CLOSE_UNSUPPORTED = 1003,
    HWS_CLOSE_NO_CODE = 1005,  /**< Reported, never sent: a Close frame without code. */
    HWS_CLOSE_ABNORMAL = 1006, /**< Reported, never sent: the stream ended without Close. */
    HWS_CLOSE_INVALID_DATA = 1007,
    HWS_CLOSE_POLICY = 1008,
    HWS_CLOSE_TOO_BIG = 1009,
    HWS_CLOSE_EXTENSION = 1010,
    HWS_CLOSE_INTERNAL = 1011,
    HWS_CLOSE_RESTART = 1012,
    HWS_CLOSE_TRY_LATER = 1013,
    HWS_CLOSE_BAD_GATEWAY = 1014
};

/** What to do with the socket now. See hws_conn_socket(). */
enum {
    HWS_SOCKET_OPEN = 0,  /**< Keep it open, in both directions. */
    HWS_SOCKET_WAIT = 1,  /**< Both Closes are through, and the server closes first (RFC 6455
                               7.1.1): read until the end of the stream or a deadline, then close. */
    HWS_SOCKET_DRAIN = 2, /**< Nothing more to send: shut down writing, read and discard until the
                               end of the stream or a deadline, then close. To close at once would
                               reset the connection, and the peer could lose our Close. */
    HWS_SOCKET_CLOSE = 3  /**< The peer has closed it: close. */
};

/** Who sent a Close frame first. See hws_closing. */
enum {
    HWS_NOBODY = 0,
    HWS_OWN = 1, /**< We did. */
    HWS_PEER = 2 /**< The peer did. */
};

/** Room for one connection. */
typedef struct hws_conn {
    uint64_t opaque[48]; /**< Private. */
} hws_conn;

/** How a connection behaves. Start from hws_conn_config_init(). */
typedef struct hws_conn_config {
    uint32_t size;          /**< sizeof(hws_conn_config), set by hws_conn_config_init(). */
    uint8_t role;           /**< HWS_ROLE_SERVER or HWS_ROLE_CLIENT. */
    uint8_t compression;    /**< 1: permessage-deflate was negotiated, RSV1 marks compressed
                                 messages (RFC 7692 6). Default 0. */
    uint8_t close_sentence; /**< 1: Closes for a fault carry its sentence as reason. Default 0: no
                                 reason, the peer learns the code alone. */
    uint8_t frame_events;   /**< 1: an event HWS_FRAME comes for every frame header. Default 0. */
    uint64_t max_message;   /**< Bytes of a received message; more fails with 1009. A compressed
                                 one may take hws_deflate_bound() of it, and 16 for each frame;
                                 who decompresses it counts what comes out. Default
                                 HWS_DEFAULT_MAX_MESSAGE. */
    uint64_t max_fragments; /**< Frames of a received message, at least 1; more fails with 1008.
                                 Default HWS_DEFAULT_MAX_FRAGMENTS. */
    hws_random random;      /**< Source of mask keys. Needed by clients; NULL for servers. */
    void *random_user;      /**< Handed to `random`. */
} hws_conn_config;

/** What was received. */
typedef struct hws_event {
    uint8_t type;        /**< HWS_TEXT, _BINARY, _CLOSE, _PING, _PONG or _FRAME. Every piece of a
                              message has the message's type. */
    uint8_t flags;       /**< HWS_FIRST, HWS_FINAL, HWS_COMPRESSED. Control events are HWS_WHOLE. */
    uint16_t close_code; /**< HWS_CLOSE only: the code, 1005 when the frame had none. Else 0. */
    const uint8_t *data; /**< Payload, unmasked. A Close's is the reason alone. Of a control frame
                              it is always whole, and may lie in the hws_conn: it lives until the
                              next call with this connection or until the buffer changes. */
    size_t len;          /**< Bytes in data. */
} hws_event;

/** An event in a form for other languages: fixed width, positions instead of pointers. */
typedef struct hws_record {
    uint64_t offset;     /**< Of the payload, from the start of what `source` says. */
    uint64_t len;        /**< Bytes of payload. */
    uint16_t close_code; /**< As in hws_event. */
    uint8_t type;        /**< As in hws_event. */
    uint8_t flags;       /**< As in hws_event. */
    uint8_t source;      /**< HWS_SOURCE_BUFFER or HWS_SOURCE_CONN. */
    uint8_t reserved[3]; /**< Zeros. */
} hws_record;

/** Where the payload of a record lies. */
enum {
    HWS_SOURCE_BUFFER = 0, /**< In the buffer that was received from. */
    HWS_SOURCE_CONN = 1    /**< In the hws_conn itself, as it is until the next call. */
};

/** The fault that ended a connection. */
typedef struct hws_conn_error {
    hws_status status; /**< What it was: its sentence and section are in status.h. HWS_OK: none. */
    uint16_t close_code; /**< The code that our Close carries for it. */
    uint16_t reserved;   /**< Zero. */
    uint64_t offset;     /**< Bytes of the stream up to and with the one at which it was judged. */
} hws_conn_error;

/** How a connection is ending, or ended. */
typedef struct hws_closing {
    uint16_t code;       /**< The Connection Close Code (RFC 6455 7.1.5): the peer's; 1005 when his
                              Close had none; 1006 when the stream ended without; 0 so far. */
    uint16_t own_code;   /**< The code in our Close; 1005 when it had none; 0: not sent so far. */
    uint8_t first;       /**< Who sent a Close first: HWS_NOBODY, HWS_OWN or HWS_PEER. */
    uint8_t clean;       /**< 1 when a Close was both sent and received (RFC 6455 7.1.4). */
    uint8_t reserved[2]; /**< Zeros. */
    uint32_t reason_len; /**< Bytes in reason. */
    const uint8_t *reason; /**< The peer's reason (7.1.6). Lies in the hws_conn, until its next
                                init. */
} hws_closing;

/**
 * Fill a configuration with the defaults.
 *
 * @param config  The configuration.
 * @param role    HWS_ROLE_SERVER or HWS_ROLE_CLIENT.
 */
HWS_API void hws_conn_config_init(hws_conn_config *config, uint8_t role);

/**
 * Start a connection whose handshake is done. No byte of it has been received yet.
 *
 * @param conn    Where to keep it; what it held does not matter.
 * @param config  How it behaves; not needed after the call.
 * @return        HWS_OK; HWS_ERR_ARGUMENT for an unknown role or size, no fragments, no random.
 */
HWS_API hws_status hws_conn_init(hws_conn *conn, const hws_conn_config *config);

/** Bytes that one hws_conn needs. @return sizeof(hws_conn), for languages without this header. */
HWS_API size_t hws_conn_size(void);

/**
 * Decode the next event from bytes received from the peer.
 *
 * Call in a loop while it returns HWS_EVENT. After HWS_OK everything is consumed and the buffer is
 * free. A small frame that is whole in the buffer is one event; a message that arrives in parts
 * gives pieces as they come, so a message of any size needs no memory. A piece of text may end
 * inside a code point. After the peer's Close all bytes are consumed and ignored (RFC 6455 5.5.1).
 *
 * @param conn  Connection.
 * @param buf   Bytes just read; NULL when len is 0. Payload is unmasked in place (RFC 6455 5.3).
 * @param len   Bytes in buf.
 * @param used  In and out: where to go on in buf; start with 0. At an error: up to and with the
 *              byte at which it was judged: the first or second of a header, the last of its
 *              length, the first wrong one of a text, the last of a Close frame.
 * @param ev    Filled when HWS_EVENT is returned, else undefined. ev->data lies in buf or in conn.
 * @return      HWS_EVENT; HWS_OK when buf is consumed; HWS_ERR_RSV … HWS_ERR_EOF, sticky: send
 *              what hws_conn_reply() yields; HWS_ERR_ARGUMENT when used > len.
 */
HWS_API hws_status hws_conn_receive(hws_conn *conn, uint8_t *buf, size_t len, size_t *used,
                                    hws_event *ev);

/**
 * The same, but payload of data frames is written somewhere else, in the same single pass.
 *
 * For assembling messages without moving bytes twice. `src` is not changed. A piece is at most
 * `cap` bytes; control payloads come from the conn.
 *
 * @param conn  Connection.
 * @param src   Bytes just read.
 * @param len   Bytes in src.
 * @param used  In and out: where to go on in src.
 * @param dst   Where payload goes. It may be `src` itself or lie before it in one array, so that
 *              payload slides down over what was read; it must not overlap `src` in another way.
 * @param cap   Room in dst.
 * @param ev    As above; ev->data of a data event is dst.
 * @return      As above; and HWS_ERR_SPACE (not sticky) when payload is there but `cap` is 0: go on
 *              with the same `used`, which counts a header that was consumed before it.
 */
HWS_API hws_status hws_conn_receive_into(hws_conn *conn, const uint8_t *src, size_t len,
                                         size_t *used, uint8_t *dst, size_t cap, hws_event *ev);

/**
 * Decode many events in one call, for languages in which a call is dear.
 *
 * It stops when the input is consumed, when the array is full, after a control record (so that each
 * Ping can be answered, and a payload that lies in the conn can be read) or a HWS_FRAME record (so
 * that hws_conn_get_frame() can be asked), or at an error. Records before an error are never lost:
 * look at `count` first, then at the status.
 *
 * @param conn     Connection.
 * @param buf      Bytes just read. Payload is unmasked in place.
 * @param len      Bytes in buf.
 * @param used     In and out: where to go on in buf.
 * @param records  Array to fill.
 * @param cap      Its elements, at least 1.
 * @param count    Set to the number of records filled.
 * @return         HWS_EVENT: call again, there may be more; HWS_OK: all is consumed; or an error
 *                 as hws_conn_receive(); HWS_ERR_ARGUMENT also when cap is 0.
 */
HWS_API hws_status hws_conn_receive_batch(hws_conn *conn, uint8_t *buf, size_t len, size_t *used,
                                          hws_record *records, size_t cap, size_t *count);

/**
 * Tell that the stream has ended: the peer closed or shut down his side, or the connection broke.
 *
 * A TLS stream that ended without close_notify and a reset HTTP/2 stream are no clean ends of a
 * stream, but this is the call for them too: clean means that both Closes went through.
 *
 * @param conn  Connection. Without a Close of the peer, later receives return HWS_ERR_EOF.
 * @return      HWS_OK when the end was clean (RFC 6455 7.1.4), else HWS_ERR_EOF. The close code is
 *              in hws_conn_get_closing(), 1006 when there was no Close (7.1.5).
 */
HWS_API hws_status hws_conn_receive_eof(hws_conn *conn);

/**
 * Write what the protocol owes the peer: a Pong for the newest Ping (RFC 6455 5.5.3), a Close as
 * answer to his (5.5.1), a Close for his fault (7.1.7).
 *
 * Call it after each event to answer every Ping. A Pong is owed no more when receiving has ended
 * and our Close is out. Nothing owed writes nothing and is HWS_OK. The order against other output
 * is the caller's: between frames, also between fragments of a message.
 *
 * @param conn  Connection.
 * @param out   Buffer to append to. HWS_REPLY_MAX free bytes are always enough.
 * @param cap   Its size.
 * @param n     In and out: bytes in out.
 * @return      HWS_OK, HWS_ERR_SPACE or HWS_ERR_RANDOM.
 */
HWS_API hws_status hws_conn_reply(hws_conn *conn, uint8_t *out, size_t cap, size_t *n);

/**
 * Bytes that hws_conn_reply() would add now.
 *
 * @param conn  Connection.
 * @return      0 when nothing is owed.
 */
HWS_API size_t hws_conn_reply_len(const hws_conn *conn);

/**
 * Append one frame: a message, a fragment of one, a Ping or a Pong.
 *
 * A message of unknown length goes out as fragments: HWS_FIRST on the first, HWS_FINAL on the last,
 * each with the type of the message. Control frames and replies may stand between them. Text is
 * validated over all fragments (RFC 6455 5.6); text that was compressed is not (RFC 7692 6.1): it
 * has to be validated before. A client's frame is masked with a fresh key (5.3).
 *
 * @param conn   Connection.
 * @param type   HWS_TEXT, HWS_BINARY, HWS_PING or HWS_PONG.
 * @param flags  HWS_WHOLE for a message in one frame and for Ping and Pong; HWS_COMPRESSED beside
 *               HWS_FIRST when the payload is compressed.
 * @param data   Payload; NULL when len is 0.
 * @param len    Bytes in data; at most 125 for Ping and Pong.
 * @param out    Buffer to append to; must not overlap data.
 * @param cap    Its size; the frame takes len + 14 bytes at most.
 * @param n      In and out: bytes in out.
 * @return       HWS_OK; HWS_ERR_ARGUMENT for a type, flags or length that no frame can have;
 *               HWS_ERR_STATE after our Close, for a FIRST inside a message, or without one for a
 *               piece that is not FIRST or of another type; HWS_ERR_SEND_UTF8; HWS_ERR_SPACE;
 *               HWS_ERR_RANDOM.
 */
HWS_API hws_status hws_conn_send(hws_conn *conn, uint8_t type, uint8_t flags, const uint8_t *data,
                                 size_t len, uint8_t *out, size_t cap, size_t *n);

/**
 * Append the header alone, for writev(): the payload follows from where it lies. Servers only,
 * because a client's payload has to be masked.
 *
 * The frame counts as sent: the caller must send exactly these `len` bytes after the header.
 *
 * @param conn   Connection of a server.
 * @param type   As hws_conn_send().
 * @param flags  As hws_conn_send().
 * @param data   Payload, which is validated when it is text, not copied.
 * @param len    Bytes in data.
 * @param out    Buffer to append the header to; 2 to 10 bytes.
 * @param cap    Its size.
 * @param n      In and out: bytes in out.
 * @return       As hws_conn_send(); HWS_ERR_ARGUMENT for a client.
 */
HWS_API hws_status hws_conn_send_header(hws_conn *conn, uint8_t type, uint8_t flags,
                                        const uint8_t *data, size_t len, uint8_t *out, size_t cap,
                                        size_t *n);

/**
 * Append the header alone, and mask the payload where it lies: zero copy for both roles.
 *
 * @param conn   Connection. For a server the payload stays as it is.
 * @param type   As hws_conn_send().
 * @param flags  As hws_conn_send().
 * @param data   Payload. On HWS_OK it is what has to follow the header on the wire; on an error it
 *               is unchanged.
 * @param len    Bytes in data.
 * @param out    Buffer to append the header to; 2 to 14 bytes.
 * @param cap    Its size.
 * @param n      In and out: bytes in out.
 * @return       As hws_conn_send().
 */
HWS_API hws_status hws_conn_send_in_place(hws_conn *conn, uint8_t type, uint8_t flags,
                                          uint8_t *data, size_t len, uint8_t *out, size_t cap,
                                          size_t *n);

/**
 * Judge whether a frame could be sent now: a whole one that was encoded before goes out past this.
 *
 * @param conn   Connection.
 * @param type   As hws_conn_send().
 * @param flags  As hws_conn_send().
 * @return       HWS_OK; HWS_ERR_ARGUMENT; HWS_ERR_STATE.
 */
HWS_API hws_status hws_conn_judge(const hws_conn *conn, uint8_t type, uint8_t flags);

/**
 * Append a Close: start the closing handshake (RFC 6455 7.1.2), or answer the peer's Close or fault
 * with a code of one's own in place of the one that hws_conn_reply() would send.
 *
 * It may stand inside a fragmented message, which then stays unfinished (5.5.1). After it nothing
 * can be sent but the Pongs of hws_conn_reply(); what the peer sends before his Close is still
 * delivered.
 *
 * @param conn    Connection.
 * @param code    1000 … 1003, 1007 … 1014, 3000 … 4999 (7.4), or HWS_CLOSE_EMPTY for none.
 * @param reason  UTF-8 for the peer's log; NULL when len is 0.
 * @param len     Bytes of reason, at most 123; 0 without code.
 * @param out     Buffer to append to.
 * @param cap     Its size; at most 131 bytes are added.
 * @param n       In and out: bytes in out.
 * @return        HWS_OK; HWS_ERR_ARGUMENT for a code that must not be sent or a reason too long;
 *                HWS_ERR_SEND_UTF8; HWS_ERR_STATE when our Close is out already; HWS_ERR_SPACE;
 *                HWS_ERR_RANDOM.
 */
HWS_API hws_status hws_conn_close(hws_conn *conn, uint16_t code, const uint8_t *reason, size_t len,
                                  uint8_t *out, size_t cap, size_t *n);

/**
 * Fail the connection for a reason that the application or a layer above found (RFC 6455 7.1.7).
 *
 * Receiving ends with `status`, and hws_conn_reply() owes the Close that belongs to it.
 *
 * @param conn    Connection.
 * @param status  An error with a close code that can be sent: hws_status_close_code().
 * @return        HWS_OK; HWS_ERR_ARGUMENT for another status; HWS_ERR_STATE when receiving has
 *                ended already.
 */
HWS_API hws_status hws_conn_fail(hws_conn *conn, hws_status status);

/**
 * What to do with the socket, once all output so far has been written. While a reply is owed, that
 * is HWS_SOCKET_OPEN, even after the end of the peer's stream: he may read still.
 *
 * @param conn  Connection.
 * @return      HWS_SOCKET_OPEN, _WAIT, _DRAIN or _CLOSE.
 */
HWS_API uint8_t hws_conn_socket(const hws_conn *conn);

/**
 * Whether data can be sent: from the start until our Close.
 *
 * @param conn  Connection.
 * @return      1 or 0.
 */
HWS_API uint8_t hws_conn_can_send(const hws_conn *conn);

/**
 * Whether the peer may still have something to say: until his Close, his fault or the end of the
 * stream.
 *
 * @param conn  Connection.
 * @return      1 or 0.
 */
HWS_API uint8_t hws_conn_can_receive(const hws_conn *conn);

/**
 * The fault that ended the connection, if any.
 *
 * @param conn   Connection.
 * @param error  Filled; status HWS_OK when there was no fault.
 */
HWS_API void hws_conn_get_error(const hws_conn *conn, hws_conn_error *error);

/**
 * How the connection is ending or ended.
 *
 * @param conn     Connection.
 * @param closing  Filled.
 */
HWS_API void hws_conn_get_closing(const hws_conn *conn, hws_closing *closing);

/**
 * Bytes of the current data frame's payload that have not been received: what may be read straight
 * into place. 0 between frames and inside headers and control frames.
 *
 * @param conn  Connection.
 * @return      Bytes.
 */
HWS_API uint64_t hws_conn_payload_left(const hws_conn *conn);

/**
 * Bytes of the current message that have been received.
 *
 * @param conn  Connection.
 * @return      Bytes; 0 between messages, and once receiving has ended.
 */
HWS_API uint64_t hws_conn_message_len(const hws_conn *conn);

/**
 * Type of the message that is being received, from its first header on.
 *
 * @param conn  Connection.
 * @return      HWS_TEXT, HWS_BINARY; 0 between messages, and once receiving has ended.
 */
HWS_API uint8_t hws_conn_message_type(const hws_conn *conn);

/**
 * Frames that have been received, each from its complete header on.
 * @param conn  Connection.
 * @return      Frames since hws_conn_init().
 */
HWS_API uint64_t hws_conn_frames(const hws_conn *conn);

/**
 * The header of the frame that the last HWS_FRAME event announced.
 *
 * Meant for traces; valid until the next receive. While payload_left is not 0: of that frame.
 *
 * @param conn   Connection.
 * @param frame  Filled.
 */
HWS_API void hws_conn_get_frame(const hws_conn *conn, hws_frame *frame);

#ifdef __cplusplus
}
#endif

#endif
