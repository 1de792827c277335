/*
 * Statuses: one table with all that is to be said about each. Knows every status by name and none
 * by its group.
 */
#include <hawser/status.h>

typedef struct row {
    hws_status status;
    const char *name;
    const char *sentence;
    const char *section;
    uint16_t close_code; /* RFC 6455 7.4.1 */
    uint16_t http;       /* RFC 9110 15 */
} row;

/* A status and its name. */
#define STATUS(name) (name), #name

static const row rows[] = {
    {STATUS(HWS_OK), "Done.", "", 0, 0},
    {STATUS(HWS_EVENT), "Done, and there is an event.", "", 0, 0},
    {STATUS(HWS_NEED_MORE), "The bytes so far are good but not complete.", "", 0, 0},
    {STATUS(HWS_MORE), "The output is full, and there is more.", "", 0, 0},
    {STATUS(HWS_BACKPRESSURE), "Done, and much waits to be sent.", "", 0, 0},

    {STATUS(HWS_ERR_ARGUMENT), "An argument is outside what the function takes.", "", 0, 0},
    {STATUS(HWS_ERR_STATE), "The call is not possible in this state.", "", 0, 0},
    {STATUS(HWS_ERR_SPACE), "The output buffer is too small.", "", 0, 0},
    {STATUS(HWS_ERR_RANDOM), "The random source failed.", "RFC 6455 10.3", 0, 0},
    {STATUS(HWS_ERR_SEND_UTF8), "The text to be sent is not valid UTF-8.", "RFC 6455 5.6", 0, 0},
    {STATUS(HWS_ERR_FIELD), "A field or a text for an HTTP head is not allowed there.",
     "RFC 9110 5.5", 0, 0},
    {STATUS(HWS_ERR_MEMORY), "There is no memory left.", "", 0, 0},
    {STATUS(HWS_ERR_FULL), "The queue has no room for it.", "", 0, 0},

    {STATUS(HWS_ERR_RSV), "A frame has a reserved bit set that no extension gave a meaning.",
     "RFC 6455 5.2", 1002, 0},
    {STATUS(HWS_ERR_OPCODE), "A frame has a reserved opcode.", "RFC 6455 5.2", 1002, 0},
    {STATUS(HWS_ERR_CONTROL_FRAGMENTED), "A control frame is fragmented.", "RFC 6455 5.5", 1002, 0},
    {STATUS(HWS_ERR_CONTROL_LENGTH), "A control frame has a payload of more than 125 bytes.",
     "RFC 6455 5.5", 1002, 0},
    {STATUS(HWS_ERR_CONTINUATION), "A continuation frame has no message to continue.",
     "RFC 6455 5.4", 1002, 0},
    {STATUS(HWS_ERR_INTERLEAVED), "A new message starts inside an unfinished message.",
     "RFC 6455 5.4", 1002, 0},
    {STATUS(HWS_ERR_UNMASKED), "A frame from a client is not masked.", "RFC 6455 5.1", 1002, 0},
    {STATUS(HWS_ERR_MASKED), "A frame from a server is masked.", "RFC 6455 5.1", 1002, 0},
    {STATUS(HWS_ERR_LENGTH_NOT_MINIMAL), "A payload length is written in more bytes than it needs.",
     "RFC 6455 5.2", 1002, 0},
    {STATUS(HWS_ERR_LENGTH_TOP_BIT), "A 64-bit payload length has its top bit set.", "RFC 6455 5.2",
     1002, 0},
    {STATUS(HWS_ERR_CLOSE_LENGTH), "A Close frame has a payload of one byte.", "RFC 6455 5.5.1",
     1002, 0},
    {STATUS(HWS_ERR_CLOSE_CODE), "A Close frame has a code that must not be sent.", "RFC 6455 7.4",
     1002, 0},
    {STATUS(HWS_ERR_CLOSE_REASON), "The reason in a Close frame is not valid UTF-8.",
     "RFC 6455 5.5.1", 1007, 0},
    {STATUS(HWS_ERR_UTF8), "A text message is not valid UTF-8.", "RFC 6455 8.1", 1007, 0},
    {STATUS(HWS_ERR_MESSAGE_TOO_BIG), "A message is larger than the limit.", "RFC 6455 10.4", 1009,
     0},
    {STATUS(HWS_ERR_FRAGMENTS), "A message has more fragments than the limit.", "RFC 6455 10.4",
     1008, 0},
    {STATUS(HWS_ERR_DATA), "A payload does not fit its type or extension.", "RFC 6455 7.4.1", 1007,
     0},
    {STATUS(HWS_ERR_UNSUPPORTED), "The application does not take this type of data.",
     "RFC 6455 7.4.1", 1003, 0},
    {STATUS(HWS_ERR_POLICY), "A message is against a rule of the application.", "RFC 6455 7.4.1",
     1008, 0},
    {STATUS(HWS_ERR_INTERNAL), "The application met an unexpected condition.", "RFC 6455 7.4.1",
     1011, 0},
    {STATUS(HWS_ERR_EOF), "The peer ended the stream too early.", "RFC 6455 7.1.5", 1006, 0},
    {STATUS(HWS_ERR_INFLATE), "A compressed message is not valid DEFLATE data.", "RFC 7692 7.2.2",
     1007, 0},
    {STATUS(HWS_ERR_PONG_TIMEOUT), "A Ping was not answered in time.", "RFC 6455 5.5.2", 1011, 0},
    {STATUS(HWS_ERR_IDLE), "There was no message for longer than is allowed.", "RFC 6455 7.4.1",
     1001, 0},
    {STATUS(HWS_ERR_RATE), "More came in a time than is allowed.", "RFC 6455 7.4.1", 1008, 0},
    {STATUS(HWS_ERR_SLOW), "The peer reads more slowly than there is to send.", "RFC 6455 7.4",
     1013, 0},

    {STATUS(HWS_ERR_HEAD_TOO_LARGE), "The HTTP head is larger than the limit.", "RFC 9110 5.4", 0,
     431},
    {STATUS(HWS_ERR_TARGET_TOO_LONG), "The request line is longer than the limit.", "RFC 9112 3", 0,
     414},
    {STATUS(HWS_ERR_FIELD_TOO_LONG), "A field line is longer than the limit.", "RFC 9110 5.4", 0,
     431},
    {STATUS(HWS_ERR_TOO_MANY_FIELDS), "The HTTP head has more fields than the limit.",
     "RFC 9110 5.4", 0, 431},
    {STATUS(HWS_ERR_LINE_END), "The HTTP head holds a CR or LF that is not part of CRLF.",
     "RFC 9112 2.2", 0, 400},
    {STATUS(HWS_ERR_REQUEST_LINE),
     "The request line is not a method, a target and an HTTP version.", "RFC 9112 3", 0, 400},
    {STATUS(HWS_ERR_STATUS_LINE),
     "The status line is not an HTTP version, three digits and a reason.", "RFC 9112 4", 0, 0},
    {STATUS(HWS_ERR_HTTP_VERSION), "This version of HTTP cannot be used here.", "RFC 9112 2.3", 0,
     505},
    {STATUS(HWS_ERR_FIELD_NAME), "A field name is empty, or is not a token right before the colon.",
     "RFC 9112 5.1", 0, 400},
    {STATUS(HWS_ERR_FIELD_VALUE), "A field value holds a forbidden byte.", "RFC 9110 5.5", 0, 400},
    {STATUS(HWS_ERR_FIELD_FOLDED), "A field line is continued on the next line.", "RFC 9112 5.2", 0,
     400},
    {STATUS(HWS_ERR_CONTENT_LENGTH), "Content-Length is not one number.", "RFC 9112 6.3", 0, 400},
    {STATUS(HWS_ERR_TRANSFER_ENCODING),
     "Transfer-Encoding is unknown, or stands beside Content-Length.", "RFC 9112 6.1", 0, 400},
    {STATUS(HWS_ERR_METHOD), "The method of a WebSocket handshake is not GET.", "RFC 6455 4.2.1", 0,
     405},
    {STATUS(HWS_ERR_TARGET), "The request target is neither a path nor an http or https URI.",
     "RFC 9112 3.2", 0, 400},
    {STATUS(HWS_ERR_HOST), "The Host field is missing, doubled or malformed.", "RFC 9112 3.2", 0,
     400},
    {STATUS(HWS_ERR_UPGRADE), "The Upgrade field does not name websocket.", "RFC 6455 4.2.1", 0,
     400},
    {STATUS(HWS_ERR_CONNECTION), "The Connection field does not name Upgrade.", "RFC 6455 4.2.1", 0,
     400},
    {STATUS(HWS_ERR_KEY), "Sec-WebSocket-Key is missing, doubled or not the base64 of 16 bytes.",
     "RFC 6455 4.2.1", 0, 400},
    {STATUS(HWS_ERR_VERSION), "Sec-WebSocket-Version is not 13.", "RFC 6455 4.4", 0, 426},
    {STATUS(HWS_ERR_VERSION_FIELD), "Sec-WebSocket-Version is missing or doubled.",
     "RFC 6455 4.2.1", 0, 400},
    {STATUS(HWS_ERR_BODY), "A handshake request has a body.", "RFC 6455 4.1", 0, 400},
    {STATUS(HWS_ERR_SUBPROTOCOL),
     "Sec-WebSocket-Protocol is malformed, or names a subprotocol that was not offered.",
     "RFC 6455 11.3.4", 0, 400},
    {STATUS(HWS_ERR_EXTENSION),
     "Sec-WebSocket-Extensions is malformed, or has what was not offered.", "RFC 6455 9.1", 0, 400},
    {STATUS(HWS_ERR_ORIGIN), "The Origin of the request is not allowed here.", "RFC 6455 10.2", 0,
     403},
    {STATUS(HWS_ERR_ACCEPT), "Sec-WebSocket-Accept is missing, doubled or wrong.", "RFC 6455 4.1",
     0, 0},
    {STATUS(HWS_ERR_REFUSED), "The server answered with another status than 101.", "RFC 6455 4.1",
     0, 0},
    {STATUS(HWS_ERR_PSEUDO_FIELD), "The pseudo-header fields of an extended CONNECT are wrong.",
     "RFC 8441 4", 0, 400},
    {STATUS(HWS_ERR_ABSENT), "The request has no such credentials, cookie or parameter.",
     "RFC 9110 11.4", 0, 403},

    {STATUS(HWS_ERR_URI_SCHEME), "The URI does not start with ws:// or wss://.", "RFC 6455 3", 0,
     0},
    {STATUS(HWS_ERR_URI_HOST), "The host of the URI is missing or malformed.", "RFC 3986 3.2.2", 0,
     0},
    {STATUS(HWS_ERR_URI_IDNA), "The host of the URI is not ASCII; write it in its xn-- form.",
     "RFC 3986 3.2.2", 0, 0},
    {STATUS(HWS_ERR_URI_PORT), "The port of the URI is not a number from 1 to 65535.",
     "RFC 3986 3.2.3", 0, 0},
    {STATUS(HWS_ERR_URI_USERINFO), "The user name or password of the URI is malformed.",
     "RFC 3986 3.2.1", 0, 0},
    {STATUS(HWS_ERR_URI_CHARACTER),
     "The URI holds a byte that must be percent-encoded, or a malformed percent-encoding.",
     "RFC 3986 2.1", 0, 0},
    {STATUS(HWS_ERR_URI_FRAGMENT), "The URI has a fragment, which WebSocket URIs must not have.",
     "RFC 6455 3", 0, 0},

    {STATUS(HWS_ERR_TIMEOUT), "The deadline passed.", "", 0, 408},
    {STATUS(HWS_ERR_CLOSED), "The connection is closed.", "", 0, 0},
    {STATUS(HWS_ERR_RESOLVE), "The host name has no address.", "", 0, 0},
    {STATUS(HWS_ERR_CONNECT), "No address of the host took the connection.", "", 0, 0},
    {STATUS(HWS_ERR_RESET), "The peer reset the connection.", "", 0, 0},
    {STATUS(HWS_ERR_SYSTEM), "A system call failed.", "", 0, 0},
    {STATUS(HWS_ERR_TLS), "TLS failed, or is needed and not available.", "", 0, 0},
    {STATUS(HWS_ERR_STALLED), "The peer took no byte for too long.", "", 0, 0},
};

/* What is said about a value that is no status. */
static const row unknown = {0, "HWS_ERR_?", "The status is unknown.", "", 0, 0};

static const row *find(hws_status status) {
    size_t i = 0;
    while (i < sizeof rows / sizeof rows[0]) {
        if (rows[i].status == status) {
            return &rows[i];
        }
        i++;
    }
    return &unknown;
}

const char *hws_status_name(hws_status status) {
    return find(status)->name;
}

const char *hws_status_sentence(hws_status status) {
    return find(status)->sentence;
}

const char *hws_status_section(hws_status status) {
    return find(status)->section;
}

uint16_t hws_status_close_code(hws_status status) {
    return find(status)->close_code;
}

uint16_t hws_status_http(hws_status status) {
    return find(status)->http;
}
