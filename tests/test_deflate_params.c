/*
 * The negotiation of permessage-deflate, through the calls of the whole handshake. A server's row
 * is the lines of an offer, a policy, the answer ("" for none) and what was agreed; a client's row
 * is what it offers, the lines of the answer and what was agreed. Knows no codec.
 */
#include "support.h"

#include <hawser/connect.h>
#include <hawser/deflate.h>
#include <hawser/handshake.h>

#include <stdio.h>
#include <string.h>

#define TEXT(literal) ((hws_text){(literal), sizeof(literal) - 1})
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define EXT "Sec-WebSocket-Extensions: "
#define PMD "permessage-deflate"
#define S_BITS "server_max_window_bits"
#define C_BITS "client_max_window_bits"
#define S_FRESH "server_no_context_takeover"
#define C_FRESH "client_no_context_takeover"
#define END "\r\n"
#define DIGITS "99999999999999999999999999999999999999999999999999999999999999999999999999999999"
#define FAULT "HWS_ERR_EXTENSION"
#define NONE "none"
#define LARGEST "server 15, client 15"

/* Parameters: without takeover 1 or 0, of server and client; windows of server and client. */
#define PARAMS(s_fresh, c_fresh, s_bits, c_bits)                                                   \
    {                                                                                              \
        1, s_fresh, c_fresh, s_bits, c_bits, 0, {                                                  \
            0                                                                                      \
        }                                                                                          \
    }
#define REQUIRED(c_bits)                                                                           \
    {                                                                                              \
        1, 0, 0, 15, c_bits, 1, {                                                                  \
            0                                                                                      \
        }                                                                                          \
    }
#define ANY PARAMS(0, 0, 15, 15)
#define DISABLED                                                                                   \
    {                                                                                              \
        0, 1, 1, 9, 9, 0, {                                                                        \
            0                                                                                      \
        }                                                                                          \
    }

enum { HEADERS = 12, TRACE = 128, HEAD = 1024, OUT = 1024 };

typedef struct server_row {
    const char *name;
    const char *lines;
    hws_deflate_params policy;
    const char *answer;
    const char *agreed;
} server_row;

typedef struct client_row {
    const char *name;
    hws_deflate_params offers[2]; /* the second is not there when it is not enabled */
    const char *lines;
    const char *agreed;
} client_row;

static const server_row server_rows[] = {
    /* The examples of the RFC, and lists. */
    {"RFC 7692 7.1.3: the simplest offer", EXT PMD END, ANY, PMD, LARGEST},
    {"RFC 7692 7.1.3: an offer with both windows", EXT PMD "; " C_BITS "; " S_BITS "=10" END, ANY,
     PMD "; " S_BITS "=10", "server 10, client 15"},
    {"RFC 7692 7.1.3: an offer with a fallback: the first is taken",
     EXT PMD "; " C_BITS "; " S_BITS "=10, " PMD "; " C_BITS END, ANY, PMD "; " S_BITS "=10",
     "server 10, client 15"},
    {"RFC 7692 7.1.3: an offer with a fallback: the second, when the first cannot be met",
     EXT PMD "; " C_BITS "; " S_BITS "=16, " PMD "; " C_BITS END, ANY, PMD, LARGEST},
    {"RFC 7692 5.2: no field, no answer", "", ANY, "", NONE},
    {"RFC 7692 5.2: another extension alone", EXT "foo; " S_BITS "=8" END, ANY, "", NONE},
    {"RFC 7692 5.2: the parameters of another extension are not those of this one",
     EXT "foo; bar, " PMD ", baz; " S_BITS "=9" END, ANY, PMD, LARGEST},
    {"RFC 7692 5.2: an offer on the second line", EXT "foo" END EXT PMD "; " S_BITS "=9" END, ANY,
     PMD "; " S_BITS "=9", "server 9, client 15"},
    {"RFC 7692 5.2: offers on two lines keep their order",
     EXT PMD "; " S_BITS "=9" END EXT PMD "; " S_BITS "=10" END, ANY, PMD "; " S_BITS "=9",
     "server 9, client 15"},
    {"RFC 7692 5.2: a bad offer on the first line does not spoil the second",
     EXT PMD "; foo" END EXT PMD "; " C_FRESH END, ANY, PMD "; " C_FRESH,
     "server 15, client 15 fresh"},
    {"RFC 7692 5.2: several lists and empty elements", EXT ",, " PMD " ,," END, ANY, PMD, LARGEST},
    {"RFC 7692 7.1: no white space at all", EXT PMD ";" S_FRESH ";" S_BITS "=9" END, ANY,
     PMD "; " S_FRESH "; " S_BITS "=9", "server 9 fresh, client 15"},
    {"RFC 7692 7.1: the order of parameters does not matter",
     EXT PMD "; " C_BITS "=9; " S_BITS "=10; " C_FRESH "; " S_FRESH END, ANY,
     PMD "; " S_FRESH "; " C_FRESH "; " S_BITS "=10; " C_BITS "=9",
     "server 10 fresh, client 9 fresh"},
    {"RFC 7692 7: the name has case", EXT "Permessage-Deflate" END, ANY, "", NONE},
    {"RFC 7692 7: a longer name is another", EXT PMD "2, x-" PMD ", permessage" END, ANY, "", NONE},
    {"RFC 7692 7: a parameter's name is no extension's", EXT "foo; " PMD END, ANY, "", NONE},
    {"RFC 7692 7.1: the names of parameters have case", EXT PMD "; SERVER_NO_CONTEXT_TAKEOVER" END,
     ANY, "", NONE},

    /* Offers that a server has to decline. */
    {"RFC 7692 7.1: an unknown parameter declines the offer", EXT PMD "; foo" END, ANY, "", NONE},
    {"RFC 7692 7.1: an unknown parameter declines that offer only", EXT PMD "; foo, " PMD END, ANY,
     PMD, LARGEST},
    {"RFC 7692 7.1: an unknown parameter before known ones",
     EXT PMD "; foo; " S_BITS "=9; " C_FRESH END, ANY, "", NONE},
    {"RFC 7692 7.1: an unknown parameter with a known one's start",
     EXT PMD "; server_max_window" END, ANY, "", NONE},
    {"RFC 7692 7.1: server_no_context_takeover twice", EXT PMD "; " S_FRESH "; " S_FRESH END, ANY,
     "", NONE},
    {"RFC 7692 7.1: client_no_context_takeover twice", EXT PMD "; " C_FRESH "; " C_FRESH END, ANY,
     "", NONE},
    {"RFC 7692 7.1: server_max_window_bits twice, though the same",
     EXT PMD "; " S_BITS "=9; " S_BITS "=9" END, ANY, "", NONE},
    {"RFC 7692 7.1: client_max_window_bits twice, with a value and without",
     EXT PMD "; " C_BITS "; " C_BITS "=9" END, ANY, "", NONE},
    {"RFC 7692 7.1: a parameter that is there in each of two offers is no double",
     EXT PMD "; " S_BITS "=7, " PMD "; " S_BITS "=9" END, ANY, PMD "; " S_BITS "=9",
     "server 9, client 15"},
    {"RFC 7692 7.1.1.1: server_no_context_takeover has no value", EXT PMD "; " S_FRESH "=1" END,
     ANY, "", NONE},
    {"RFC 7692 7.1.1.1: nor one that could be a window", EXT PMD "; " S_FRESH "=10" END, ANY, "",
     NONE},
    {"RFC 7692 7.1.1.2: client_no_context_takeover has no value",
     EXT PMD "; " C_FRESH "=\"true\"" END, ANY, "", NONE},
    {"RFC 7692 7.1.2.1: server_max_window_bits has to have a value", EXT PMD "; " S_BITS END, ANY,
     "", NONE},

    /* Numbers. */
    {"RFC 7692 7.1.2.1: 8 is the least", EXT PMD "; " S_BITS "=8" END, ANY, PMD "; " S_BITS "=8",
     "server 8, client 15"},
    {"RFC 7692 7.1.2.1: 15 is the most, and is answered", EXT PMD "; " S_BITS "=15" END, ANY,
     PMD "; " S_BITS "=15", LARGEST},
    {"RFC 7692 7.1.2.1: 16 is too much", EXT PMD "; " S_BITS "=16" END, ANY, "", NONE},
    {"RFC 7692 7.1.2.1: 7 is too little", EXT PMD "; " S_BITS "=7" END, ANY, "", NONE},
    {"RFC 7692 7.1.2.1: 0", EXT PMD "; " S_BITS "=0" END, ANY, "", NONE},
    {"RFC 7692 7.1.2.1: 00", EXT PMD "; " S_BITS "=00" END, ANY, "", NONE},
    {"RFC 7692 7.1.2.1: a leading zero", EXT PMD "; " S_BITS "=010" END, ANY, "", NONE},
    {"RFC 7692 7.1.2.1: a leading zero before one digit", EXT PMD "; " S_BITS "=08" END, ANY, "",
     NONE},
    {"RFC 7692 7.1.2.1: 99", EXT PMD "; " S_BITS "=99" END, ANY, "", NONE},
    {"RFC 7692 7.1.2.1: 100", EXT PMD "; " S_BITS "=100" END, ANY, "", NONE},
    {"RFC 7692 7.1.2.1: 264, which is 8 in a byte", EXT PMD "; " S_BITS "=264" END, ANY, "", NONE},
    {"RFC 7692 7.1.2.1: 1034, which is 10 in a byte", EXT PMD "; " S_BITS "=1034" END, ANY, "",
     NONE},
    {"RFC 7692 7.1.2.1: 2^32 + 8", EXT PMD "; " S_BITS "=4294967304" END, ANY, "", NONE},
    {"RFC 7692 7.1.2.1: 80 digits", EXT PMD "; " S_BITS "=" DIGITS END, ANY, "", NONE},
    {"RFC 7692 7.1.2.1: a negative number", EXT PMD "; " S_BITS "=-1" END, ANY, "", NONE},
    {"RFC 7692 7.1.2.1: a plus sign", EXT PMD "; " S_BITS "=+9" END, ANY, "", NONE},
    {"RFC 7692 7.1.2.1: text behind the number", EXT PMD "; " S_BITS "=9x" END, ANY, "", NONE},
    {"RFC 7692 7.1.2.1: text before the number", EXT PMD "; " S_BITS "=x9" END, ANY, "", NONE},
    {"RFC 7692 7.1.2.1: a byte below the digits, which counts as -2", EXT PMD "; " S_BITS "=1." END,
     ANY, "", NONE},
    {"RFC 7692 7.1.2.1: a byte below the digits, which counts as -5", EXT PMD "; " S_BITS "=2+" END,
     ANY, "", NONE},
    {"RFC 7692 7.1.2.1: hexadecimal", EXT PMD "; " S_BITS "=0x9" END, ANY, "", NONE},
    {"RFC 7692 7.1.2.1: a fraction", EXT PMD "; " S_BITS "=9.0" END, ANY, "", NONE},
    {"RFC 9110 5.5: white space after a value is no part of it", EXT PMD "; " S_BITS "=9 " END, ANY,
     PMD "; " S_BITS "=9", "server 9, client 15"},
    {"RFC 6455 9.1: a quoted value is the same", EXT PMD "; " S_BITS "=\"10\"" END, ANY,
     PMD "; " S_BITS "=10", "server 10, client 15"},
    {"RFC 6455 9.1: a quoted pair in it too", EXT PMD "; " S_BITS "=\"1\\0\"" END, ANY,
     PMD "; " S_BITS "=10", "server 10, client 15"},
    {"RFC 6455 9.1: quoted pairs alone", EXT PMD "; " C_BITS "=\"\\1\\0\"" END, ANY,
     PMD "; " C_BITS "=10", "server 15, client 10"},
    {"RFC 6455 9.1: quoted garbage that is a token", EXT PMD "; " S_BITS "=\"ten\"" END, ANY, "",
     NONE},
    {"RFC 7692 7.1.2.2: the client's window has the same bounds: 8", EXT PMD "; " C_BITS "=8" END,
     ANY, PMD "; " C_BITS "=8", "server 15, client 8"},
    {"RFC 7692 7.1.2.2: the client's window has the same bounds: 7", EXT PMD "; " C_BITS "=7" END,
     ANY, "", NONE},
    {"RFC 7692 7.1.2.2: the client's window has the same bounds: 16", EXT PMD "; " C_BITS "=16" END,
     ANY, "", NONE},
    {"RFC 7692 7.1.2.2: a leading zero in the client's", EXT PMD "; " C_BITS "=09" END, ANY, "",
     NONE},

    /* Faults of the grammar are faults of the request. */
    {"RFC 6455 9.1: an empty value", EXT PMD "; " S_BITS "=" END, ANY, FAULT, ""},
    {"RFC 6455 9.1: an empty quoted value", EXT PMD "; " S_BITS "=\"\"" END, ANY, FAULT, ""},
    {"RFC 6455 9.1: quoted garbage that is no token", EXT PMD "; " S_BITS "=\"1 0\"" END, ANY,
     FAULT, ""},
    {"RFC 6455 9.1: a quoted value that is left open", EXT PMD "; " S_BITS "=\"9" END, ANY, FAULT,
     ""},
    {"RFC 6455 9.1: a semicolon at the end", EXT PMD ";" END, ANY, FAULT, ""},
    {"RFC 6455 9.1: a semicolon at the end of the second", EXT PMD ", " PMD "; " C_BITS ";" END,
     ANY, FAULT, ""},
    {"RFC 6455 9.1: two semicolons", EXT PMD ";; " S_BITS "=9" END, ANY, FAULT, ""},
    {"RFC 6455 9.1: a fault in another extension", EXT PMD END EXT "foo; =" END, ANY, FAULT, ""},

    /* What is asked for, and what is a hint. */
    {"RFC 7692 7.1.1.1: server_no_context_takeover is granted", EXT PMD "; " S_FRESH END, ANY,
     PMD "; " S_FRESH, "server 15 fresh, client 15"},
    {"RFC 7692 7.1.1.2: the hint client_no_context_takeover is taken", EXT PMD "; " C_FRESH END,
     ANY, PMD "; " C_FRESH, "server 15, client 15 fresh"},
    {"RFC 7692 7.1.2.2: client_max_window_bits without value asks for nothing",
     EXT PMD "; " C_BITS END, ANY, PMD, LARGEST},
    {"RFC 7692 7.1.2.2: a hint of 10 is taken", EXT PMD "; " C_BITS "=10" END, PARAMS(0, 0, 15, 12),
     PMD "; " C_BITS "=10", "server 15, client 10"},
    {"RFC 7692 7.1.2.2: a hint of 15 is answered", EXT PMD "; " C_BITS "=15" END, ANY,
     PMD "; " C_BITS "=15", LARGEST},
    {"RFC 7692 7.1.2.2: a hint above the policy", EXT PMD "; " C_BITS "=13" END,
     PARAMS(0, 0, 15, 12), PMD "; " C_BITS "=12", "server 15, client 12"},

    /* Policies. */
    {"RFC 7692 7.1.1.1: a server may go without takeover unasked", EXT PMD END,
     PARAMS(1, 0, 15, 15), PMD "; " S_FRESH, "server 15 fresh, client 15"},
    {"RFC 7692 7.1.1.2: a server may ask the client to, unasked", EXT PMD END, PARAMS(0, 1, 15, 15),
     PMD "; " C_FRESH, "server 15, client 15 fresh"},
    {"RFC 7692 7.1.2.1: a server may shrink its own window unasked", EXT PMD END,
     PARAMS(0, 0, 9, 15), PMD "; " S_BITS "=9", "server 9, client 15"},
    {"RFC 7692 7.1.2.1: a server's window is below what was asked for",
     EXT PMD "; " S_BITS "=12" END, PARAMS(0, 0, 9, 15), PMD "; " S_BITS "=9",
     "server 9, client 15"},
    {"RFC 7692 7.1.2.1: a server's window is not above what was asked for",
     EXT PMD "; " S_BITS "=9" END, PARAMS(0, 0, 12, 15), PMD "; " S_BITS "=9",
     "server 9, client 15"},
    {"RFC 7692 7.1.2.2: a client that can be limited is", EXT PMD "; " C_BITS END,
     PARAMS(0, 0, 15, 9), PMD "; " C_BITS "=9", "server 15, client 9"},
    {"RFC 7692 7.1.2.2: a client that cannot be limited is not", EXT PMD END, PARAMS(0, 0, 15, 9),
     PMD, LARGEST},
    {"RFC 7692 7.1.2.2: or is declined, when the policy requires it", EXT PMD END, REQUIRED(9), "",
     NONE},
    {"RFC 7692 7.1.2.2: the first offer that can be limited is taken",
     EXT PMD ", " PMD "; " C_BITS END, REQUIRED(14), PMD "; " C_BITS "=14", "server 15, client 14"},
    {"RFC 7692 7.1.2.2: to require 15 requires nothing", EXT PMD END, REQUIRED(15), PMD, LARGEST},
    {"RFC 7692 5.1: a policy that is off declines everything",
     EXT PMD "; " S_FRESH "; " S_BITS "=9, " PMD END, DISABLED, "", NONE},
    {"RFC 7692 7.1: everything at once", EXT PMD "; " C_BITS END, PARAMS(1, 1, 8, 8),
     PMD "; " S_FRESH "; " C_FRESH "; " S_BITS "=8; " C_BITS "=8",
     "server 8 fresh, client 8 fresh"},
};

static const client_row client_rows[] = {
    {"RFC 7692 7.1.3: the simplest answer", {ANY}, EXT PMD END, LARGEST},
    {"RFC 7692 7.1.3: the answer to the first of two offers",
     {PARAMS(0, 0, 10, 15), ANY},
     EXT PMD "; " S_BITS "=10" END,
     "server 10, client 15"},
    {"RFC 7692 7.1.3: the answer to the second", {PARAMS(0, 0, 10, 15), ANY}, EXT PMD END, LARGEST},
    {"RFC 7692 5.1: no answer", {ANY}, "", NONE},
    {"RFC 7692 5.1: the extension twice", {ANY, ANY}, EXT PMD ", " PMD END, FAULT},
    {"RFC 7692 5.1: the extension twice, on two lines", {ANY}, EXT PMD END EXT PMD END, FAULT},
    {"RFC 7692 5.1: twice, though the second is malformed",
     {ANY},
     EXT PMD ", " PMD "; foo" END,
     FAULT},
    {"RFC 7692 5.1: an extension that was not offered",
     {ANY},
     EXT "x-webkit-deflate-frame" END,
     FAULT},
    {"RFC 7692 5.1: one that was not offered, behind one that was",
     {ANY},
     EXT PMD ", foo" END,
     FAULT},
    {"RFC 7692 7: the name has case", {ANY}, EXT "PERMESSAGE-DEFLATE" END, FAULT},

    /* What was offered has to be met. */
    {"RFC 7692 7.1.1.1: server_no_context_takeover has to be granted",
     {PARAMS(1, 0, 15, 15)},
     EXT PMD END,
     FAULT},
    {"RFC 7692 7.1.1.1: server_no_context_takeover is granted",
     {PARAMS(1, 0, 15, 15)},
     EXT PMD "; " S_FRESH END,
     "server 15 fresh, client 15"},
    {"RFC 7692 7.1.1.1: server_no_context_takeover may come unasked",
     {ANY},
     EXT PMD "; " S_FRESH END,
     "server 15 fresh, client 15"},
    {"RFC 7692 7.1.1.2: client_no_context_takeover may come unasked",
     {ANY},
     EXT PMD "; " C_FRESH END,
     "server 15, client 15 fresh"},
    {"RFC 7692 7.1.1.2: client_no_context_takeover need not be answered, and holds all the same",
     {PARAMS(0, 1, 15, 15)},
     EXT PMD END,
     "server 15, client 15 fresh"},
    {"RFC 7692 7.1.2.2: a window of the client that is not answered holds all the same",
     {PARAMS(0, 0, 15, 10)},
     EXT PMD END,
     "server 15, client 10"},
    {"RFC 7692 7.1.2.2: nor does a larger one in the answer make it larger",
     {PARAMS(0, 0, 15, 10)},
     EXT PMD "; client_max_window_bits=12" END,
     "server 15, client 10"},
    {"RFC 7692 7.1.2.2: a smaller one makes it smaller",
     {PARAMS(0, 0, 15, 10)},
     EXT PMD "; client_max_window_bits=9" END,
     "server 15, client 9"},
    {"RFC 7692 7.1.2.2: a client that takes no limit said nothing of its window",
     {PARAMS(0, 0, 15, 0)},
     EXT PMD END,
     LARGEST},
    {"RFC 7692 7.1.1.2: an answer that fits two offers is bound by what both promised",
     {PARAMS(0, 0, 15, 11), PARAMS(1, 1, 11, 15)},
     EXT PMD "; " S_FRESH "; " S_BITS "=11" END,
     "server 11 fresh, client 11 fresh"},
    {"RFC 7692 7.1.1.2: what an offer promised that the answer does not fit does not matter",
     {PARAMS(1, 1, 15, 9), PARAMS(0, 0, 15, 11)},
     EXT PMD END,
     "server 15, client 11"},
    {"RFC 7692 7.1.2.1: server_max_window_bits has to be granted",
     {PARAMS(0, 0, 10, 15)},
     EXT PMD END,
     FAULT},
    {"RFC 7692 7.1.2.1: with a larger window it is not",
     {PARAMS(0, 0, 10, 15)},
     EXT PMD "; " S_BITS "=11" END,
     FAULT},
    {"RFC 7692 7.1.2.1: with a smaller it is",
     {PARAMS(0, 0, 10, 15)},
     EXT PMD "; " S_BITS "=9" END,
     "server 9, client 15"},
    {"RFC 7692 7.1.2.1: it may come unasked",
     {ANY},
     EXT PMD "; " S_BITS "=8" END,
     "server 8, client 15"},
    {"RFC 7692 7.1.2.1: with a window of 15", {ANY}, EXT PMD "; " S_BITS "=15" END, LARGEST},
    {"RFC 7692 7.1.2.2: client_max_window_bits may not come unasked",
     {PARAMS(0, 0, 15, 0)},
     EXT PMD "; " C_BITS "=10" END,
     FAULT},
    {"RFC 7692 7.1.2.2: not even 15", {PARAMS(0, 0, 15, 0)}, EXT PMD "; " C_BITS "=15" END, FAULT},
    {"RFC 7692 7.1.2.2: the second offer says that it may",
     {PARAMS(0, 0, 15, 0), ANY},
     EXT PMD "; " C_BITS "=10" END,
     "server 15, client 10"},
    {"RFC 7692 7.1.2.2: no offer fits all of the answer",
     {PARAMS(0, 0, 15, 0), PARAMS(1, 0, 15, 15)},
     EXT PMD "; " C_BITS "=10" END,
     FAULT},
    {"RFC 7692 7.1.2.2: client_max_window_bits of 8",
     {ANY},
     EXT PMD "; " C_BITS "=8" END,
     "server 15, client 8"},
    {"RFC 7692 7.1.2.2: in an answer client_max_window_bits has a value",
     {ANY},
     EXT PMD "; " C_BITS END,
     FAULT},
    {"RFC 7692 7.1: everything at once",
     {PARAMS(1, 1, 9, 9)},
     EXT PMD "; " C_BITS "=9;" S_BITS "=9;" S_FRESH ";" C_FRESH END,
     "server 9 fresh, client 9 fresh"},

    /* Answers that are malformed. */
    {"RFC 7692 7.1: an unknown parameter", {ANY}, EXT PMD "; foo" END, FAULT},
    {"RFC 7692 7.1: the names of parameters have case",
     {ANY},
     EXT PMD "; Server_No_Context_Takeover" END,
     FAULT},
    {"RFC 7692 7.1: a parameter twice", {ANY}, EXT PMD "; " S_FRESH "; " S_FRESH END, FAULT},
    {"RFC 7692 7.1: client_max_window_bits twice",
     {ANY},
     EXT PMD "; " C_BITS "=9; " C_BITS "=9" END,
     FAULT},
    {"RFC 7692 7.1.1.1: a value where there is none", {ANY}, EXT PMD "; " S_FRESH "=8" END, FAULT},
    {"RFC 7692 7.1.1.2: a value where there is none", {ANY}, EXT PMD "; " C_FRESH "=1" END, FAULT},
    {"RFC 7692 7.1.2.1: none where there has to be one", {ANY}, EXT PMD "; " S_BITS END, FAULT},
    {"RFC 7692 7.1.2.1: 16", {ANY}, EXT PMD "; " S_BITS "=16" END, FAULT},
    {"RFC 7692 7.1.2.1: 7", {ANY}, EXT PMD "; " S_BITS "=7" END, FAULT},
    {"RFC 7692 7.1.2.1: 0", {ANY}, EXT PMD "; " S_BITS "=0" END, FAULT},
    {"RFC 7692 7.1.2.1: a negative number", {ANY}, EXT PMD "; " S_BITS "=-1" END, FAULT},
    {"RFC 7692 7.1.2.1: a plus sign", {ANY}, EXT PMD "; " S_BITS "=+9" END, FAULT},
    {"RFC 7692 7.1.2.1: a leading zero", {ANY}, EXT PMD "; " S_BITS "=08" END, FAULT},
    {"RFC 7692 7.1.2.1: white space after a value is no part of it",
     {ANY},
     EXT PMD "; " S_BITS "=9 " END,
     "server 9, client 15"},
    {"RFC 7692 7.1.2.1: text behind the number", {ANY}, EXT PMD "; " S_BITS "=9x" END, FAULT},
    {"RFC 7692 7.1.2.1: 2^32 + 8", {ANY}, EXT PMD "; " S_BITS "=4294967304" END, FAULT},
    {"RFC 7692 7.1.2.1: 20 nines", {ANY}, EXT PMD "; " S_BITS "=99999999999999999999" END, FAULT},
    {"RFC 7692 7.1.2.2: 80 digits", {ANY}, EXT PMD "; " C_BITS "=" DIGITS END, FAULT},
    {"RFC 7692 7.1.2.2: 16", {ANY}, EXT PMD "; " C_BITS "=16" END, FAULT},
    {"RFC 6455 9.1: a quoted value is the same",
     {ANY},
     EXT PMD "; " C_BITS "=\"1\\0\"" END,
     "server 15, client 10"},
    {"RFC 6455 9.1: a quoted value that is left open",
     {ANY},
     EXT PMD "; " S_BITS "=\"9" END,
     FAULT},
    {"RFC 6455 9.1: an empty quoted value", {ANY}, EXT PMD "; " S_BITS "=\"\"" END, FAULT},
    {"RFC 6455 9.1: an empty value", {ANY}, EXT PMD "; " S_BITS "=" END, FAULT},
    {"RFC 6455 9.1: a semicolon at the end", {ANY}, EXT PMD ";" END, FAULT},
    {"RFC 6455 9.1: two semicolons", {ANY}, EXT PMD ";;" S_FRESH END, FAULT},
};

/* A head, in memory that ends where it ends. */
typedef struct message {
    hws_header headers[HEADERS];
    hws_head head;
    uint8_t *buf;
    size_t len;
} message;

static void open_message(message *m, uint8_t kind, const char *start, const char *lines) {
    char text[HEAD];
    int len = snprintf(text, sizeof text, "%s%s\r\n", start, lines);
    assert_in_range(len, 1, HEAD - 1);
    m->len = (size_t)len;
    m->buf = guard_copy(text, m->len);
    hws_head_init(&m->head, kind, m->headers, HEADERS);
    assert_int_equal(hws_head_parse(&m->head, m->buf, m->len), HWS_OK);
}

static void open_request(message *m, const char *lines) {
    open_message(m, HWS_HEAD_REQUEST,
                 "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 "Sec-WebSocket-Version: 13\r\n",
                 lines);
}

static void open_response(message *m, const char *lines) {
    open_message(m, HWS_HEAD_RESPONSE,
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
                 lines);
}

static void close_message(message *m) {
    guard_free(m->buf, m->len);
}

static void trace_agreed(char *trace, const hws_deflate_params *agreed) {
    const hws_deflate_params none = {0, 0, 0, 15, 15, 0, {0}};
    if (!agreed->enabled) {
        assert_memory_equal(agreed, &none, sizeof none);
        strcpy(trace, NONE);
        return;
    }
    snprintf(trace, TRACE, "server %u%s, client %u%s", agreed->server_max_window_bits,
             agreed->server_no_context_takeover ? " fresh" : "", agreed->client_max_window_bits,
             agreed->client_no_context_takeover ? " fresh" : "");
    assert_int_equal(agreed->require_client_max_window_bits, 0);
}

static void expect_text(const char *name, const char *have, const char *want) {
    if (strcmp(have, want) != 0) {
        fail_msg("%s: want \"%s\", have \"%s\"", name, want, have);
    }
}

/* The whole 101: what hws_handshake_accept() makes of an answer stands in it once, and it ends
 * once. */
static void expect_response(const hws_handshake *handshake, const message *m, const char *answer) {
    hws_accept_config config;
    char want[OUT];
    uint8_t out[OUT];
    size_t n = 0;
    int len = snprintf(want, sizeof want,
                       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Accept: "
                       "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n%s%s%s\r\n",
                       answer[0] != '\0' ? EXT : "", answer, answer[0] != '\0' ? END : "");
    hws_accept_config_init(&config);
    config.origin.kind = HWS_ORIGIN_ANY;
    config.extensions = hws_text_from(answer);
    assert_int_equal(
        hws_handshake_accept(handshake, &m->head, m->buf, &config, out, sizeof out, &n), HWS_OK);
    assert_int_equal(n, len);
    assert_memory_equal(out, want, n);
}

static void check_server_row(const server_row *r) {
    message m;
    hws_handshake handshake;
    hws_deflate_params agreed;
    char trace[TRACE];
    char answer[HWS_DEFLATE_TEXT_MAX + 1];
    size_t n = 0;
    open_request(&m, r->lines);
    hws_status status = hws_handshake_parse(&m.head, m.buf, &handshake);
    if (status != HWS_OK) {
        expect_text(r->name, hws_status_name(status), r->answer);
        assert_int_equal(hws_status_http(status), 400);
        close_message(&m);
        return;
    }
    memset(&agreed, 0xAA, sizeof agreed);
    assert_int_equal(hws_deflate_accept(&r->policy, &m.head, m.buf, &agreed, (uint8_t *)answer,
                                        HWS_DEFLATE_TEXT_MAX, &n),
                     HWS_OK);
    answer[n] = '\0';
    expect_text(r->name, answer, r->answer);
    trace_agreed(trace, &agreed);
    expect_text(r->name, trace, r->agreed);
    expect_response(&handshake, &m, answer);
    close_message(&m);
}

static void servers_choose_among_offers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(server_rows); i++) {
        check_server_row(&server_rows[i]);
    }
}

/* Both looks at an answer; the second only when the first approves. */
static hws_status verify(const hws_deflate_params *offers, size_t count, const message *m,
                         hws_deflate_params *agreed) {
    hws_client_config config;
    hws_accepted accepted;
    hws_key key;
    uint8_t text[2 * HWS_DEFLATE_TEXT_MAX];
    size_t n = 0;
    memcpy(key.key, "dGhlIHNhbXBsZSBub25jZQ==", HWS_KEY_LEN);
    memcpy(key.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", HWS_ACCEPT_LEN);
    hws_client_config_init(&config);
    config.host = TEXT("server.example.com");
    assert_int_equal(hws_deflate_offer(offers, count, text, sizeof text, &n), HWS_OK);
    config.extensions = (hws_text){(const char *)text, n};
    const hws_key *asked = m->head.kind == HWS_HEAD_LIST ? NULL : &key;
    hws_status status = hws_handshake_verify(&config, asked, &m->head, m->buf, &accepted);
    return status == HWS_OK ? hws_deflate_verify(offers, count, &m->head, m->buf, agreed) : status;
}

static void check_client_row(const client_row *r) {
    message m;
    hws_deflate_params agreed;
    hws_deflate_params before;
    char trace[TRACE];
    open_response(&m, r->lines);
    memset(&agreed, 0xAA, sizeof agreed);
    before = agreed;
    hws_status status = verify(r->offers, 1 + (size_t)r->offers[1].enabled, &m, &agreed);
    if (status == HWS_OK) {
        trace_agreed(trace, &agreed);
    } else {
        assert_memory_equal(&agreed, &before, sizeof agreed);
        strcpy(trace, hws_status_name(status));
    }
    expect_text(r->name, trace, r->agreed);
    close_message(&m);
}

static void clients_judge_answers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(client_rows); i++) {
        check_client_row(&client_rows[i]);
    }
}

/* RFC 6455 4.1: without an offer, any answer is one too many. */
static void nothing_is_agreed_without_an_offer(void **state) {
    hws_client_config config;
    hws_deflate_params agreed;
    hws_accepted accepted;
    hws_key key;
    message m;
    (void)state;
    memcpy(key.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", HWS_ACCEPT_LEN);
    hws_client_config_init(&config);
    open_response(&m, EXT PMD END);
    assert_int_equal(hws_handshake_verify(&config, &key, &m.head, m.buf, &accepted),
                     HWS_ERR_EXTENSION);
    assert_int_equal(hws_deflate_verify(NULL, 0, &m.head, m.buf, &agreed), HWS_ERR_EXTENSION);
    close_message(&m);
}

/* Heads that nobody looked at before. RFC 6455 9.1: an entry in which the grammar breaks is no
 * good one. */
static void broken_lists_are_no_agreement(void **state) {
    static const hws_deflate_params any = ANY;
    static const char *const lines[] = {EXT PMD ";" END, EXT PMD "; " S_BITS "=" END,
                                        EXT PMD "; " S_FRESH ";;" END};
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        hws_deflate_params agreed;
        uint8_t out[HWS_DEFLATE_TEXT_MAX];
        size_t n = 0;
        message m;
        open_request(&m, lines[i]);
        assert_int_equal(hws_deflate_accept(&any, &m.head, m.buf, &agreed, out, sizeof out, &n),
                         HWS_OK);
        assert_int_equal(n, 0);
        assert_int_equal(agreed.enabled, 0);
        close_message(&m);
        open_response(&m, lines[i]);
        assert_int_equal(hws_deflate_verify(&any, 1, &m.head, m.buf, &agreed), HWS_ERR_EXTENSION);
        close_message(&m);
    }
}

/* What other extensions a client offers beside this one is not this one's business. */
static void other_extensions_are_passed_over(void **state) {
    static const hws_deflate_params offer = PARAMS(0, 0, 12, 15);
    hws_deflate_params agreed;
    char trace[TRACE];
    message m;
    (void)state;
    open_response(&m, EXT "foo; " S_BITS "=x" END EXT PMD "; " S_BITS "=11, baz; " C_BITS END);
    assert_int_equal(hws_deflate_verify(&offer, 1, &m.head, m.buf, &agreed), HWS_OK);
    trace_agreed(trace, &agreed);
    assert_string_equal(trace, "server 11, client 15");
    close_message(&m);
}

static void add_pair(message *m, uint8_t *buf, size_t cap, hws_text name, hws_text value) {
    hws_field field = {name, value};
    assert_int_equal(hws_head_add(&m->head, buf, cap, &m->len, &field), HWS_OK);
}

/* RFC 8441 5: the fields of an extended CONNECT mean the same. */
static void extended_connect_negotiates_too(void **state) {
    static const hws_deflate_params offer = PARAMS(1, 0, 12, 15);
    static const hws_deflate_params policy = PARAMS(0, 0, 15, 10);
    uint8_t buf[HEAD];
    uint8_t text[HWS_DEFLATE_TEXT_MAX];
    uint8_t answer[HWS_DEFLATE_TEXT_MAX];
    hws_deflate_params agreed;
    hws_deflate_params client_agreed;
    hws_accept_config config;
    hws_handshake handshake;
    hws_field fields[4];
    size_t n = 0;
    size_t count = 0;
    message m = {.buf = buf};
    (void)state;
    assert_int_equal(hws_deflate_offer(&offer, 1, text, sizeof text, &n), HWS_OK);
    hws_head_init(&m.head, HWS_HEAD_LIST, m.headers, HEADERS);
    add_pair(&m, buf, sizeof buf, TEXT(":method"), TEXT("CONNECT"));
    add_pair(&m, buf, sizeof buf, TEXT(":protocol"), TEXT("websocket"));
    add_pair(&m, buf, sizeof buf, TEXT(":scheme"), TEXT("https"));
    add_pair(&m, buf, sizeof buf, TEXT(":path"), TEXT("/chat"));
    add_pair(&m, buf, sizeof buf, TEXT(":authority"), TEXT("server.example.com"));
    add_pair(&m, buf, sizeof buf, TEXT("sec-websocket-version"), TEXT("13"));
    add_pair(&m, buf, sizeof buf, TEXT("sec-websocket-extensions"),
             (hws_text){(const char *)text, n});
    assert_int_equal(hws_handshake_parse(&m.head, buf, &handshake), HWS_OK);
    n = 0;
    assert_int_equal(hws_deflate_accept(&policy, &m.head, buf, &agreed, answer, sizeof answer, &n),
                     HWS_OK);
    hws_accept_config_init(&config);
    config.origin.kind = HWS_ORIGIN_ANY;
    config.extensions = (hws_text){(const char *)answer, n};
    assert_int_equal(hws_connect_accept(&handshake, &m.head, buf, &config, fields, 4, &count),
                     HWS_OK);
    hws_head_init(&m.head, HWS_HEAD_LIST, m.headers, HEADERS);
    m.len = 0;
    for (size_t i = 0; i < count; i++) {
        add_pair(&m, buf, sizeof buf, fields[i].name, fields[i].value);
    }
    assert_int_equal(verify(&offer, 1, &m, &client_agreed), HWS_OK);
    assert_memory_equal(&agreed, &client_agreed, sizeof agreed);
    trace_agreed((char *)text, &agreed);
    assert_string_equal((char *)text, "server 12 fresh, client 10");
}

/* What an offer says. */
static void offers_are_written(void **state) {
    static const struct {
        hws_deflate_params offers[2];
        const char *text;
    } table[] = {
        {{ANY}, PMD "; " C_BITS},
        {{PARAMS(0, 0, 15, 0)}, PMD},
        {{PARAMS(0, 0, 10, 15), ANY}, PMD "; " S_BITS "=10; " C_BITS ", " PMD "; " C_BITS},
        {{PARAMS(1, 0, 15, 8)}, PMD "; " S_FRESH "; " C_BITS "=8"},
        {{PARAMS(0, 1, 14, 0)}, PMD "; " C_FRESH "; " S_BITS "=14"},
        {{PARAMS(1, 1, 10, 14)}, PMD "; " S_FRESH "; " C_FRESH "; " S_BITS "=10; " C_BITS "=14"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        char out[2 * HWS_DEFLATE_TEXT_MAX + 1];
        size_t n = 0;
        assert_int_equal(hws_deflate_offer(table[i].offers, 1 + (size_t)table[i].offers[1].enabled,
                                           (uint8_t *)out, sizeof out - 1, &n),
                         HWS_OK);
        out[n] = '\0';
        assert_string_equal(out, table[i].text);
    }
}

static void presets_are_what_they_say(void **state) {
    static const struct {
        uint8_t preset;
        hws_deflate_params params;
    } table[] = {{HWS_DEFLATE_BALANCED, PARAMS(0, 0, 12, 12)},
                 {HWS_DEFLATE_SMALL, PARAMS(1, 1, 11, 11)},
                 {HWS_DEFLATE_BEST, PARAMS(0, 0, 15, 15)}};
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        hws_deflate_params params;
        memset(&params, 0xAA, sizeof params);
        hws_deflate_params_init(&params, table[i].preset);
        assert_memory_equal(&params, &table[i].params, sizeof params);
    }
}

/* Windows out of their range are the caller's mistake: nothing is written, nothing agreed. */
static void windows_out_of_range_are_refused(void **state) {
    static const uint8_t bad[] = {0, 1, 7, 16, 255};
    hws_deflate_params agreed;
    uint8_t out[3 * HWS_DEFLATE_TEXT_MAX];
    size_t n = 3;
    message m;
    (void)state;
    memset(&agreed, 0xAA, sizeof agreed);
    hws_deflate_params before = agreed;
    open_request(&m, EXT PMD END);
    for (size_t i = 0; i < COUNT(bad); i++) {
        hws_deflate_params policies[] = {PARAMS(0, 0, bad[i], 15), PARAMS(0, 0, 15, bad[i])};
        hws_deflate_params offers[] = {ANY, PARAMS(0, 0, bad[i], 15), ANY,
                                       PARAMS(0, 0, 15, bad[i])};
        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(
                hws_deflate_accept(&policies[k], &m.head, m.buf, &agreed, out, sizeof out, &n),
                HWS_ERR_ARGUMENT);
        }
        assert_int_equal(hws_deflate_offer(offers, 2, out, sizeof out, &n), HWS_ERR_ARGUMENT);
        if (bad[i] != 0) { /* there 0 says that the client takes no limit */
            assert_int_equal(hws_deflate_offer(offers + 2, 2, out, sizeof out, &n),
                             HWS_ERR_ARGUMENT);
        }
        assert_int_equal(n, 3);
        assert_memory_equal(&agreed, &before, sizeof agreed);
    }
    assert_int_equal(hws_deflate_offer(NULL, 0, out, sizeof out, &n), HWS_ERR_ARGUMENT);
    close_message(&m);
}

/* Appended to three bytes, at every capacity: all or nothing, and nothing is agreed then. */
static void texts_are_whole_or_not_there(void **state) {
    static const hws_deflate_params both[] = {PARAMS(1, 1, 10, 10), PARAMS(0, 0, 10, 15)};
    const hws_deflate_params none = {0, 0, 0, 15, 15, 0, {0}};
    const char *answer = "abc" PMD "; " S_FRESH "; " C_FRESH "; " S_BITS "=10; " C_BITS "=10";
    const char *offer = "abc" PMD "; " S_FRESH "; " C_FRESH "; " S_BITS "=10; " C_BITS "=10, " PMD
                        "; " S_BITS "=10; " C_BITS;
    message m;
    (void)state;
    open_request(&m, EXT PMD "; " C_BITS END);
    for (size_t cap = 3; cap < strlen(offer) + 4; cap++) {
        uint8_t *out = guard_alloc(cap);
        hws_deflate_params agreed;
        size_t n = 3;
        memcpy(out, "abc", 3);
        hws_status status = hws_deflate_offer(both, 2, out, cap, &n);
        assert_int_equal(status, cap < strlen(offer) ? HWS_ERR_SPACE : HWS_OK);
        assert_int_equal(n, status == HWS_OK ? strlen(offer) : 3);
        assert_memory_equal(out, offer, n);
        n = 3;
        status = hws_deflate_accept(&both[0], &m.head, m.buf, &agreed, out, cap, &n);
        assert_int_equal(status, cap < strlen(answer) ? HWS_ERR_SPACE : HWS_OK);
        assert_int_equal(n, status == HWS_OK ? strlen(answer) : 3);
        assert_memory_equal(out, answer, n);
        assert_memory_equal(&agreed, status == HWS_OK ? &both[0] : &none, sizeof agreed);
        guard_free(out, cap);
    }
    close_message(&m);
}

/* To decline needs no room. */
static void nothing_needs_no_room(void **state) {
    static const hws_deflate_params policy = DISABLED;
    hws_deflate_params agreed;
    size_t n = 0;
    message m;
    (void)state;
    open_request(&m, EXT PMD END);
    assert_int_equal(hws_deflate_accept(&policy, &m.head, m.buf, &agreed, NULL, 0, &n), HWS_OK);
    assert_int_equal(agreed.enabled, 0);
    close_message(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_choose_among_offers),
        cmocka_unit_test(clients_judge_answers),
        cmocka_unit_test(nothing_is_agreed_without_an_offer),
        cmocka_unit_test(broken_lists_are_no_agreement),
        cmocka_unit_test(other_extensions_are_passed_over),
        cmocka_unit_test(extended_connect_negotiates_too),
        cmocka_unit_test(offers_are_written),
        cmocka_unit_test(presets_are_what_they_say),
        cmocka_unit_test(windows_out_of_range_are_refused),
        cmocka_unit_test(texts_are_whole_or_not_there),
        cmocka_unit_test(nothing_needs_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
