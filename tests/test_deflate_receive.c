/*
 * Receiving with permessage-deflate (RFC 7692 6.2, 7.2.2): each rule as a stream and the trace that
 * it must leave. Sections are of RFC 7692 where no other is named. Knows the harness only.
 *
 * Of distances beyond the window zlib sees those that reach behind what it still has: bytes that
 * one call writes are all there, so a longer distance inside them is taken. The rows have their
 * distances from message to message.
 */
#include "deflate_harness.h"

enum { CLIENT = HWS_ROLE_CLIENT };

/* Empty stored blocks: 5 bytes each, and nothing comes of them. */
#define BLOCKS_5 "000000ffff000000ffff000000ffff000000ffff000000ffff"
#define BLOCKS_25 BLOCKS_5 BLOCKS_5 BLOCKS_5 BLOCKS_5 BLOCKS_5
#define BLOCKS_100 BLOCKS_25 BLOCKS_25 BLOCKS_25 BLOCKS_25
#define BLOCKS_205 BLOCKS_100 BLOCKS_100 BLOCKS_5

static const deflate_row rows[] = {
    {"7.2.3.1: a message of one block", CLIENT, "c107 f248cdc9c90700",
     .trace = "text \"Hello\"; open @9"},
    {"7.2.3.1: the same in two fragments", CLIENT, "4103 f248cd 8004 c9c90700",
     .trace = "text \"Hello\"; open @11"},
    {"7.2.3.2: a second message refers back to the first", CLIENT,
     "c107 f248cdc9c90700 c105 f200110000", .trace = "text \"Hello\"; text \"Hello\"; open @16"},
    {"7.2.3.2: it can do so again and again", CLIENT,
     "c107 f248cdc9c90700 c105 f200110000 c105 f200110000 c105 f200110000",
     .trace = "text \"Hello\"; text \"Hello\"; text \"Hello\"; text \"Hello\"; open @30"},
    {"7.2.3.2: without context takeover it must not", CLIENT, "c107 f248cdc9c90700 c105 f200110000",
     .trace = "text \"Hello\"; >close 1007; HWS_ERR_INFLATE", .no_takeover = 1},
    {"7.2.2: nor after an empty message", CLIENT, "c107 f248cdc9c90700 c101 00 c105 f200110000",
     .trace = "text \"Hello\"; text \"\"; >close 1007; HWS_ERR_INFLATE", .no_takeover = 1},
    {"7.2.3.2: without context takeover the same bytes come again", CLIENT,
     "c107 f248cdc9c90700 c107 f248cdc9c90700", .trace = "text \"Hello\"; text \"Hello\"; open @18",
     .no_takeover = 1},
    {"7.2.1: without context takeover a fragment refers back to the one before it", CLIENT,
     "410b f248cdc9c907000000ffff 8004 02130000", .trace = "text \"HelloHello\"; open @19",
     .no_takeover = 1},
    {"7.2.3.3: a stored block", CLIENT, "c10b 000500faff48656c6c6f00",
     .trace = "text \"Hello\"; open @13"},
    {"7.2.3.3: a stored block is in the window", CLIENT,
     "c10b 000500faff48656c6c6f00 c105 f200110000",
     .trace = "text \"Hello\"; text \"Hello\"; open @20"},
    {"7.2.3.4: a block with BFINAL", CLIENT, "c108 f348cdc9c9070000",
     .trace = "text \"Hello\"; open @10"},
    {"7.2.3.5: two blocks", CLIENT, "c10d f24805000000ffffcac9c90700",
     .trace = "text \"Hello\"; open @15"},
    {"7.2.3.6: an empty message", CLIENT, "c101 00", .trace = "text \"\"; open @3"},
    {"7.2.3.6: an empty binary message", CLIENT, "c201 00", .trace = "binary \"\"; open @3"},
    {"6: a plain message beside compressed ones does not touch the window", CLIENT,
     "c107 f248cdc9c90700 8105 6f6c6c6548 8209 000000000000000000 c105 f200110000",
     .trace = "text \"Hello\"; text \"olleH\"; binary \"\\00\\00\\00\\00\\00\\00\\00\\00\\00\"; "
              "text \"Hello\"; open @34"},
    {"6: nor does one in fragments", CLIENT,
     "c107 f248cdc9c90700 0102 6f6c 0002 6c65 8001 48 c105 f200110000",
     .trace = "text \"Hello\"; text \"olleH\"; text \"Hello\"; open @27"},
    {"6: nor does an empty one", CLIENT, "c107 f248cdc9c90700 8100 c105 f200110000",
     .trace = "text \"Hello\"; text \"\"; text \"Hello\"; open @18"},
    {"6.2: control frames stand between fragments", CLIENT,
     "4102 f248 8901 70 0002 cdc9 8a01 71 8900 8003 c90700 c105 f200110000",
     .trace = "ping \"p\"; >pong \"p\"; pong \"q\"; ping \"\"; >pong \"\"; text \"Hello\"; text "
              "\"Hello\"; open @28"},
    {"6.2: a Close between fragments ends it all", CLIENT, "4104 f248cdc9 8805 03e8627965",
     .trace = "close 1000 \"bye\"; >close 1000; ended @13"},
    {"6.1: the last fragment is empty", CLIENT, "4107 f248cdc9c90700 8000",
     .trace = "text \"Hello\"; open @11"},
    {"6.1: the first fragment is empty", CLIENT, "4100 8007 f248cdc9c90700",
     .trace = "text \"Hello\"; open @11"},
    {"6.1: so are fragments in the middle", CLIENT,
     "4101 f2 0000 0000 0004 48cdc9c9 0000 8002 0700", .trace = "text \"Hello\"; open @19"},
    {"6.1: an empty message in fragments", CLIENT, "4100 0000 0001 00 8000",
     .trace = "text \"\"; open @9"},
    {"6.1: fragments of one byte", CLIENT,
     "4101 f2 0001 48 0001 cd 0001 c9 0001 c9 0001 07 8001 00",
     .trace = "text \"Hello\"; open @21"},
    {"7.2.2: a message of no bytes is not an empty message", CLIENT, "c100",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: nor is one in fragments", CLIENT, "4100 0000 8000",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: nor after another message", CLIENT, "c107 f248cdc9c90700 c100",
     .trace = "text \"Hello\"; >close 1007; HWS_ERR_INFLATE"},
    {"7.2.3.4: more blocks follow the one with BFINAL", CLIENT,
     "c112 f348cdc9c90700000500faff2c20796f7500", .trace = "text \"Hello, you\"; open @20"},
    {"7.2.3.4: many blocks with BFINAL, and one that refers back over them", CLIENT,
     "c114 f348cdc9c90700010100feff614b020002530000", .trace = "text \"HelloabHello\"; open @22"},
    {"7.2.3.4: many empty blocks with BFINAL", CLIENT, "c10d 030003000300f248cdc9c90700",
     .trace = "text \"Hello\"; open @15"},
    {"7.2.3.4: the window is kept after BFINAL", CLIENT, "c108 f348cdc9c9070000 c105 f200110000",
     .trace = "text \"Hello\"; text \"Hello\"; open @17"},
    {"7.2.3.4: also when the next message starts with BFINAL and refers back", CLIENT,
     "c108 f348cdc9c9070000 c104 03130000 c105 f200110000",
     .trace = "text \"Hello\"; text \"Hello\"; text \"Hello\"; open @23"},
    {"7.2.3.4: but not without context takeover", CLIENT, "c108 f348cdc9c9070000 c105 f200110000",
     .trace = "text \"Hello\"; >close 1007; HWS_ERR_INFLATE", .no_takeover = 1},
    {"7.2.1: the empty stored block at the end has BFINAL itself", CLIENT,
     "c10b 000500faff48656c6c6f01", .trace = "text \"Hello\"; open @13"},
    {"7.2.1: and the next message starts at the byte boundary", CLIENT,
     "c10b 000500faff48656c6c6f01 c105 f200110000 c101 01 c105 f200110000",
     .trace = "text \"Hello\"; text \"Hello\"; text \"\"; text \"Hello\"; open @30"},
    {"7.2.1: it may stand in a byte of its own after a block of bits", CLIENT, "c101 01",
     .trace = "text \"\"; open @3"},
    {"7.2.2: a block with BFINAL without the block at the end", CLIENT, "c107 f348cdc9c90700",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.3.4: what follows BFINAL is no block", CLIENT, "c108 f348cdc9c9070007",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.3.4: what follows BFINAL is a stored block with a wrong length", CLIENT,
     "c10d f348cdc9c9070000aabbccdd00", .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"3.2.7 of RFC 1951: a dynamic block", CLIENT,
     "c175 "
     "344f81110021089a5590fd5778c0bebb4a4540319ca5088cb083f1817c13329976667d818086b6ef2bb4e53f72053"
     "8d6e47f0943b07aa5e1145111eab27e68039d465d8698ce9289c8720e31a08bca542b953ed7b4a50165dd3e314221"
     "774231b75f56ce5a517444160f776f7d6f73330f15697d00",
     .trace = "text [300]; open @119"},
    {"3.2.7 of RFC 1951: a dynamic block of two letters, in fragments", CLIENT,
     "4105 04c1010100 0006 00008090adfa 800b 3f22020220081002000018",
     .trace = "text \"baaaaaabaaaaaaaaaabaaaabaaaaaaabaaabaaaaaaaaaaaaaaaaaaaaaaaa\"; open @28"},
    {"3.2.7 of RFC 1951: two dynamic blocks in two messages", CLIENT,
     "c116 04c101010000008090adfa3f22020220081002000018 c116 "
     "04c101010000008090adfa3f22020220081002000018 c107 f248cdc9c90700",
     .trace = "text \"baaaaaabaaaaaaaaaabaaaabaaaaaaabaaabaaaaaaaaaaaaaaaaaaaaaaaa\"; text "
              "\"baaaaaabaaaaaaaaaabaaaabaaaaaaabaaabaaaaaaaaaaaaaaaaaaaaaaaa\"; text \"Hello\"; "
              "open @57"},
    {"7.2.2: a message ends inside a stored block", CLIENT, "c107 000500faff4865",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: the tail would be the data of a stored block", CLIENT, "c105 000400fbff",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: the tail would be the rest of the data of a stored block", CLIENT,
     "c107 000600f9ff4865", .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: the tail would be the data of a binary stored block", CLIENT, "c205 000400fbff",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: the tail would be data, and the block at the end was there before", CLIENT,
     "c10a 000000ffff000400fbff", .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: the tail would be data of a stored block with BFINAL", CLIENT, "c105 010400fbff",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: a message ends after 1 of the four bytes of a length", CLIENT, "c102 0005",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: a message ends after 2 of the four bytes of a length", CLIENT, "c103 000500",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: a message ends after 3 of the four bytes of a length", CLIENT, "c104 000500fa",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: a length of zeros is completed by the tail in the wrong place", CLIENT, "c103 000000",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: the whole tail was left in place: the next byte is missing", CLIENT, "c105 000000ffff",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.1: an empty stored block before the one at the end", CLIENT, "c106 000000ffff00",
     .trace = "text \"\"; open @8"},
    {"7.2.2: a message ends inside a fixed block, after 1 bytes", CLIENT, "c101 f2",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: a message ends inside a fixed block, after 3 bytes", CLIENT, "c103 f248cd",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: a message ends inside a fixed block, after 5 bytes", CLIENT, "c105 f248cdc9c9",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: the tail would be the end of a fixed block: the code has begun", CLIENT,
     "c106 f248cdc9c907", .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: a message ends right behind a block, without the 00", CLIENT,
     "c209 4a3c71e2c489132700", .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.1: and with it all is well", CLIENT, "c20a 4a3c71e2c48913270000",
     .trace = "binary \"a\\c8\\c8\\c8\\c8\\c8\\c8\"; open @12"},
    {"7.2.2: a message ends inside the trees of a dynamic block, after 1 bytes", CLIENT, "c101 34",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: a message ends inside the trees of a dynamic block, after 4 bytes", CLIENT,
     "c104 344f8111", .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: a message ends inside the trees of a dynamic block, after 9 bytes", CLIENT,
     "c109 344f81110021089a55", .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: a message ends inside the codes of a dynamic block", CLIENT,
     "c13c "
     "344f81110021089a5590fd5778c0bebb4a4540319ca5088cb083f1817c13329976667d818086b6ef2bb4e53f72053"
     "8d6e47f0943b07aa5e1145111ea",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: the last byte of a dynamic block is missing", CLIENT,
     "c173 "
     "344f81110021089a5590fd5778c0bebb4a4540319ca5088cb083f1817c13329976667d818086b6ef2bb4e53f72053"
     "8d6e47f0943b07aa5e1145111eab27e68039d465d8698ce9289c8720e31a08bca542b953ed7b4a50165dd3e314221"
     "774231b75f56ce5a517444160f776f7d6f73330f1569",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: in fragments, the last ones empty", CLIENT, "4103 f248cd 0000 8000",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: nothing of it is text before the end is judged", CLIENT, "4103 f248cd 8901 70 8000",
     .trace = "ping \"p\"; >pong \"p\"; >close 1007; HWS_ERR_INFLATE"},
    {"3.2.3 of RFC 1951: a block of type 3", CLIENT, "c102 0600",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"3.2.3 of RFC 1951: a block of type 3 with BFINAL", CLIENT, "c102 0700",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"3.2.3 of RFC 1951: a block of type 3 after text", CLIENT, "c108 f248cdc9c9071800",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"3.2.4 of RFC 1951: a stored length that is not its complement", CLIENT,
     "c10b 000500faf048656c6c6f00", .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"3.2.4 of RFC 1951: a stored block that would be empty but for one bit", CLIENT,
     "c106 000000fffe00", .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"3.2.7 of RFC 1951: an over-subscribed tree of code lengths", CLIENT,
     "c109 040092040000000000", .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"3.2.7 of RFC 1951: an incomplete tree of code lengths", CLIENT, "c109 040004080000000000",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"3.2.7 of RFC 1951: a tree of no code lengths", CLIENT,
     "c136 "
     "040000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "000000000000000",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"3.2.7 of RFC 1951: more than 286 symbols", CLIENT,
     "c136 "
     "fc0002040000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "000000000000000",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"3.2.7 of RFC 1951: a length repeated before the first", CLIENT,
     "c136 "
     "040002240000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "000000000000000",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"3.2.7 of RFC 1951: no code for the end of the block", CLIENT, "c10b 040080c05f1b0000000000",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"3.2.5 of RFC 1951: symbol 286", CLIENT, "c103 4a1c03",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"3.2.5 of RFC 1951: distance symbol 30", CLIENT, "c106 4a4c4a063e00",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"3.2.3 of RFC 1951: a distance before the start", CLIENT, "c104 02020000",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"3.2.3 of RFC 1951: a distance one before the start", CLIENT, "c107 4a4c4a06620000",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"3.2.3 of RFC 1951: a distance to the start", CLIENT, "c107 4a4c4a06220000",
     .trace = "text \"abcabc\"; open @9"},
    {"3.2.3 of RFC 1951: a distance one before the start of the first message", CLIENT,
     "c107 f248cdc9c90700 c104 02920000", .trace = "text \"Hello\"; >close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: the tail would be the end of the trees, and a block that ends at once", CLIENT,
     "c11a 94c0210400000000a0ffffffffff3ffbffffffffffffffffff0d",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: the tail would be the end of the trees, but for one bit that ends the block", CLIENT,
     "c11a ecd3210400000000a0ffffffffff3ffbffffffffffffffffff0d",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: the tail would be the end of the trees, to the last bit", CLIENT,
     "c11f 64dd05040000000020fffffffffffffffff9ffffffffffffffffffffffff17",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.1.2: a distance of the whole window of 8 bits", CLIENT,
     "c149 "
     "4a4c4a4e494d4bcfc8cccacec9cdcb2f282c2a2e292d2bafa8ac42c8206410320819840c420621839041c82064103"
     "20819840c420621839041c8206410320819840c42062183900100 c104 02fa1f00",
     .trace = "text [266]; text \"klm\"; open @81", .window_bits = 8},
    {"7.1.2: a distance beyond the window of 8 bits", CLIENT,
     "c149 "
     "4a4c4a4e494d4bcfc8cccacec9cdcb2f282c2a2e292d2bafa8ac42c8206410320819840c420621839041c82064103"
     "20819840c420621839041c8206410320819840c42062183900100 c104 02060000",
     .trace = "text [266]; >close 1007; HWS_ERR_INFLATE", .window_bits = 8},
    {"7.1.2: a distance of the whole window of 9 bits", CLIENT,
     "c14b "
     "4a4c4a4e494d4bcfc8cccacec9cdcb2f282c2a2e292d2bafa8ac1a9541c8206410320819840c420621839041c8206"
     "410320819840c420621839041c8206410320819840c42062103930100 c104 02c63f00",
     .trace = "text [522]; text \"klm\"; open @83", .window_bits = 9},
    {"7.1.2: a distance beyond the window of 9 bits", CLIENT,
     "c14b "
     "4a4c4a4e494d4bcfc8cccacec9cdcb2f282c2a2e292d2bafa8ac1a9541c8206410320819840c420621839041c8206"
     "410320819840c420621839041c8206410320819840c42062103930100 c105 0226000000",
     .trace = "text [522]; >close 1007; HWS_ERR_INFLATE", .window_bits = 9},
    {"7.1.2: a distance of the whole window of 10 bits", CLIENT,
     "c14f "
     "4a4c4a4e494d4bcfc8cccacec9cdcb2f282c2a2e292d2bafa8ac1a951995199541c8206410320819840c420621839"
     "041c8206410320819840c420621839041c8206410320819840c42062103920100 c105 02e67f0000",
     .trace = "text [1034]; text \"klm\"; open @88", .window_bits = 10},
    {"7.1.2: a distance beyond the window of 10 bits", CLIENT,
     "c14f "
     "4a4c4a4e494d4bcfc8cccacec9cdcb2f282c2a2e292d2bafa8ac1a951995199541c8206410320819840c420621839"
     "041c8206410320819840c420621839041c8206410320819840c42062103920100 c105 0216000000",
     .trace = "text [1034]; >close 1007; HWS_ERR_INFLATE", .window_bits = 10},
    {"7.1.2: a distance of the whole window of 11 bits", CLIENT,
     "c155 "
     "4a4c4a4e494d4bcfc8cccacec9cdcb2f282c2a2e292d2bafa8ac1a9519951995199519951995199541c8206410320"
     "819840c420621839041c8206410320819840c420621839041c8206410320819840c4206220300 c105 "
     "02d6ff0000",
     .trace = "text [2058]; text \"klm\"; open @94", .window_bits = 11},
    {"7.1.2: a distance beyond the window of 11 bits", CLIENT,
     "c155 "
     "4a4c4a4e494d4bcfc8cccacec9cdcb2f282c2a2e292d2bafa8ac1a9519951995199519951995199541c8206410320"
     "819840c420621839041c8206410320819840c420621839041c8206410320819840c4206220300 c105 "
     "0236000000",
     .trace = "text [2058]; >close 1007; HWS_ERR_INFLATE", .window_bits = 11},
    {"7.1.2: a distance of the whole window of 12 bits", CLIENT,
     "c161 "
     "4a4c4a4e494d4bcfc8cccacec9cdcb2f282c2a2e292d2bafa8ac1a951995199519951995199519951995199519951"
     "995199519951995199541c8206410320819840c420621839041c8206410320819840c420621839041c82064103208"
     "19840c00 c105 02f6ff0100",
     .trace = "text [4106]; text \"klm\"; open @106", .window_bits = 12},
    {"7.1.2: a distance beyond the window of 12 bits", CLIENT,
     "c161 "
     "4a4c4a4e494d4bcfc8cccacec9cdcb2f282c2a2e292d2bafa8ac1a951995199519951995199519951995199519951"
     "995199519951995199541c8206410320819840c420621839041c8206410320819840c420621839041c82064103208"
     "19840c00 c105 020e000000",
     .trace = "text [4106]; >close 1007; HWS_ERR_INFLATE", .window_bits = 12},
    {"7.1.2: a distance of the whole window of 13 bits", CLIENT,
     "c17c "
     "4a4c4a4e494d4bcfc8cccacec9cdcb2f282c2a2e292d2bafa8ac1a951995199519951995199519951995199519951"
     "9951995199519951995199519951995199519951995199519951995199519951995199519951995199541c8206410"
     "320819840c420621839041c8206410320819840c420621839041c8c0640000 c105 02ceff0300",
     .trace = "text [8202]; text \"klm\"; open @133", .window_bits = 13},
    {"7.1.2: a distance beyond the window of 13 bits", CLIENT,
     "c17c "
     "4a4c4a4e494d4bcfc8cccacec9cdcb2f282c2a2e292d2bafa8ac1a951995199519951995199519951995199519951"
     "9951995199519951995199519951995199519951995199519951995199519951995199519951995199541c8206410"
     "320819840c420621839041c8206410320819840c420621839041c8c0640000 c105 022e000000",
     .trace = "text [8202]; >close 1007; HWS_ERR_INFLATE", .window_bits = 13},
    {"7.1.2: a distance of the whole window of 14 bits", CLIENT,
     "c17e00b1 "
     "4a4c4a4e494d4bcfc8cccacec9cdcb2f282c2a2e292d2bafa8ac1a951995199519951995199519951995199519951"
     "995199519951995199519951995199519951995199519951995199519951995199519951995199519951995199519"
     "951995199519951995199519951995199519951995199519951995199519951995199519951995199519951995199"
     "519951995199519951995199541c8206410320819840c420621839041c82064103220190000 c105 02eeff0700",
     .trace = "text [16394]; text \"klm\"; open @188", .window_bits = 14},
    {"7.1.2: a distance beyond the window of 14 bits", CLIENT,
     "c17e00b1 "
     "4a4c4a4e494d4bcfc8cccacec9cdcb2f282c2a2e292d2bafa8ac1a951995199519951995199519951995199519951"
     "995199519951995199519951995199519951995199519951995199519951995199519951995199519951995199519"
     "951995199519951995199519951995199519951995199519951995199519951995199519951995199519951995199"
     "519951995199519951995199541c8206410320819840c420621839041c82064103220190000 c105 021e000000",
     .trace = "text [16394]; >close 1007; HWS_ERR_INFLATE", .window_bits = 14},
    {"7.1.2: a distance of the whole window of 15 bits", CLIENT,
     "c17e0147 "
     "4a4c4a4e494d4bcfc8cccacec9cdcb2f282c2a2e292d2bafa8ac1a951995199519951995199519951995199519951"
     "995199519951995199519951995199519951995199519951995199519951995199519951995199519951995199519"
     "951995199519951995199519951995199519951995199519951995199519951995199519951995199519951995199"
     "519951995199519951995199519951995199519951995199519951995199519951995199519951995199519951995"
     "199519951995199519951995199519951995199519951995199519951995199519951995199519951995199519951"
     "995199519951995199519951995199519951995199519951995199519951995199519951995199519951995199541"
     "c8206410320819840c420621839041c8206410320819840c420621839041c8206410320819840c420621839001c90"
     "000 c105 02deff0f00",
     .trace = "text [32778]; text \"klm\"; open @338", .window_bits = 15},
    {"8.1 of RFC 6455: a wrong byte that shows only when it is decompressed", CLIENT,
     "c105 cacffe0f00", .trace = ">close 1007; HWS_ERR_UTF8"},
    {"8.1 of RFC 6455: the same in a binary message is none", CLIENT, "c205 cacffe0f00",
     .trace = "binary \"ok\\ff\"; open @7"},
    {"8.1 of RFC 6455: it is found before the message is whole", CLIENT,
     "4109 000300fcff6f6bff00 8901 70 8001 00", .trace = ">close 1007; HWS_ERR_UTF8"},
    {"8.1 of RFC 6455: what stands before it is done", CLIENT,
     "4107 000200fdff6f6b 8901 70 0008 000300fcff6f6bc0 8901 71 8001 00",
     .trace = "ping \"p\"; >pong \"p\"; >close 1007; HWS_ERR_UTF8"},
    {"8.1 of RFC 6455: a code point across blocks", CLIENT,
     "c113 000100feffe2000100feff82000100feffac00", .trace = "text \"\\e2\\82\\ac\"; open @21"},
    {"8.1 of RFC 6455: a code point across fragments", CLIENT,
     "4106 000100feffe2 8901 70 0006 000100feff82 8007 000100feffac00",
     .trace = "ping \"p\"; >pong \"p\"; text \"\\e2\\82\\ac\"; open @28"},
    {"8.1 of RFC 6455: a code point across fragments inside a code", CLIENT,
     "4102 fa30 0002 7f46 8002 0300", .trace = "text \"\\f0\\9f\\98\\80\"; open @12"},
    {"8.1 of RFC 6455: a code point that is copied from the window", CLIENT,
     "c105 7ad4b40600 c105 0222080200",
     .trace = "text \"\\e2\\82\\ac\"; text \"\\e2\\82\\ac\\e2\\82\\ac\\e2\\82\\ac\"; open @14"},
    {"8.1 of RFC 6455: a half code point that is copied", CLIENT, "c105 7ad4b40600 c104 02210000",
     .trace = "text \"\\e2\\82\\ac\"; >close 1007; HWS_ERR_UTF8"},
    {"8.1 of RFC 6455: a text ends inside a code point", CLIENT, "c108 000200fdffe28200",
     .trace = ">close 1007; HWS_ERR_UTF8"},
    {"8.1 of RFC 6455: also with an empty last fragment", CLIENT, "4108 000200fdffe28200 8000",
     .trace = ">close 1007; HWS_ERR_UTF8"},
    {"8.1 of RFC 6455: the next text starts anew", CLIENT,
     "c107 000100feff6100 c107 000100feff8200", .trace = "text \"a\"; >close 1007; HWS_ERR_UTF8"},
    {"8.1 of RFC 6455: a binary message may end anywhere, and a text follows", CLIENT,
     "c208 000200fdffe28200 c107 000100feff6100",
     .trace = "binary \"\\e2\\82\"; text \"a\"; open @19"},
    {"8.1 of RFC 6455: a bad byte before bad data", CLIENT, "c107 000100feffff06",
     .trace = ">close 1007; HWS_ERR_UTF8"},
    {"7.2.2: bad data before a bad byte", CLIENT, "c10c 000100feff61060100feffff",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"7.2.2: a message that is cut is told before its code point is", CLIENT, "c107 000200fdffe282",
     .trace = ">close 1007; HWS_ERR_INFLATE"},
    {"10.4 of RFC 6455: a message of the limit", CLIENT, "c20a 000400fbff3132333400",
     .trace = "binary \"1234\"; open @12", .max_message = 4},
    {"10.4 of RFC 6455: a message of the limit in three blocks and two fragments", CLIENT,
     "420d 000200fdff3132000100feff33 8007 000100feff3400", .trace = "binary \"1234\"; open @24",
     .max_message = 4},
    {"10.4 of RFC 6455: a byte more", CLIENT, "c20b 000500faff313233343500",
     .trace = ">close 1009; HWS_ERR_MESSAGE_TOO_BIG", .max_message = 4},
    {"10.4 of RFC 6455: a byte more in a fixed block", CLIENT, "c107 32343236310500",
     .trace = ">close 1009; HWS_ERR_MESSAGE_TOO_BIG", .max_message = 4},
    {"10.4 of RFC 6455: a byte more in a fragment", CLIENT,
     "4209 000400fbff31323334 8901 70 0000 0006 000100feff35 8901 71 8001 00",
     .trace = "ping \"p\"; >pong \"p\"; >close 1009; HWS_ERR_MESSAGE_TOO_BIG", .max_message = 4},
    {"10.4 of RFC 6455: each message is counted for itself", CLIENT,
     "c20a 000400fbff3132333400 c20a 000400fbff3536373800 8204 39616263 c10a 000400fbff6465666700",
     .trace = "binary \"1234\"; binary \"5678\"; binary \"9abc\"; text \"defg\"; open @42",
     .max_message = 4},
    {"10.4 of RFC 6455: a plain message is counted too", CLIENT,
     "c20a 000400fbff3132333400 8205 3536373839",
     .trace = "binary \"1234\"; >close 1009; HWS_ERR_MESSAGE_TOO_BIG", .max_message = 4},
    {"10.4 of RFC 6455: a bad byte before the limit is what is told", CLIENT,
     "c10b 000500faff3132ff343500", .trace = ">close 1007; HWS_ERR_UTF8", .max_message = 4},
    {"10.4 of RFC 6455: a bad byte at the limit", CLIENT, "c10b 000500faff313233ff3500",
     .trace = ">close 1007; HWS_ERR_UTF8", .max_message = 4},
    {"10.4 of RFC 6455: a bad byte beyond the limit is not looked at", CLIENT,
     "c10b 000500faff31323334ff00", .trace = ">close 1009; HWS_ERR_MESSAGE_TOO_BIG",
     .max_message = 4},
    {"10.4 of RFC 6455: the limit inside a code point", CLIENT, "c10c 000600f9ff313233e282ac00",
     .trace = ">close 1009; HWS_ERR_MESSAGE_TOO_BIG", .max_message = 4},
    {"10.4 of RFC 6455: the limit before bad data", CLIENT, "c10b 000500faff313233343506",
     .trace = ">close 1009; HWS_ERR_MESSAGE_TOO_BIG", .max_message = 4},
    {"10.4 of RFC 6455: bad data at the limit", CLIENT, "c10a 000400fbff3132333406",
     .trace = ">close 1007; HWS_ERR_INFLATE", .max_message = 4},
    {"10.4 of RFC 6455: a message of the limit that is cut", CLIENT, "c109 000400fbff31323334",
     .trace = ">close 1007; HWS_ERR_INFLATE", .max_message = 4},
    {"10.4 of RFC 6455: more compressed bytes than the limit are taken", CLIENT,
     "c27e00d2 "
     "000000ffff000000ffff000000ffff000000ffff000000ffff000000ffff000000ffff000000ffff000000ffff000"
     "000ffff000000ffff000000ffff000000ffff000000ffff000000ffff000000ffff000000ffff000000ffff000000"
     "ffff000000ffff000000ffff000000ffff000000ffff000000ffff000000ffff000000ffff000000ffff000000fff"
     "f000000ffff000000ffff000000ffff000000ffff000000ffff000000ffff000000ffff000000ffff000000ffff00"
     "0000ffff000000ffff000000ffff000400fbff3132333400",
     .trace = "binary \"1234\"; open @214", .max_message = 4},
    {"10.4 of RFC 6455: a run beyond the limit, of few compressed bytes", CLIENT, "c205 6218050000",
     .trace = ">close 1009; HWS_ERR_MESSAGE_TOO_BIG", .max_message = 258},
    {"10.4 of RFC 6455: a run of the limit", CLIENT, "c205 6218050000",
     .trace = "binary [259]; open @7", .max_message = 259},
    {"10.4 of RFC 6455: as many compressed bytes as the bound and 16 for a frame", CLIENT,
     "427e0401 " BLOCKS_205 " 8014 000000ffff000000ffff000000ffff 0300030000",
     .trace = "binary \"\"; open @1051", .max_message = 4},
    {"10.4 of RFC 6455: … and one more", CLIENT, "427e0401 " BLOCKS_205 " 0015",
     .trace = ">close 1009; HWS_ERR_MESSAGE_TOO_BIG", .max_message = 4},
    {"6: RSV1 on a continuation", CLIENT, "4103 f248cd c004 c9c90700",
     .trace = ">close 1002; HWS_ERR_RSV @6"},
    {"6: RSV1 on a continuation of a plain message", CLIENT, "0101 61 c001 62",
     .trace = ">close 1002; HWS_ERR_RSV @4"},
    {"6: RSV1 on a Ping", CLIENT, "c107 f248cdc9c90700 c900",
     .trace = "text \"Hello\"; >close 1002; HWS_ERR_RSV @10"},
    {"6: RSV1 on a Ping inside a message", CLIENT, "4103 f248cd c900",
     .trace = ">close 1002; HWS_ERR_RSV @6"},
    {"6: RSV1 on a Pong", CLIENT, "ca00", .trace = ">close 1002; HWS_ERR_RSV @1"},
    {"6: RSV1 on a Close", CLIENT, "c802 03e8", .trace = ">close 1002; HWS_ERR_RSV @1"},
    {"6: RSV1 and RSV2", CLIENT, "e107 f248cdc9c90700", .trace = ">close 1002; HWS_ERR_RSV @1"},
    {"5: RSV1 where nothing was agreed", CLIENT, "c107 f248cdc9c90700",
     .trace = ">close 1002; HWS_ERR_RSV @1", .no_compression = 1},
    {"5: plain messages where nothing was agreed", CLIENT,
     "8105 48656c6c6f 0101 61 8901 70 8001 62",
     .trace = "text \"Hello\"; ping \"p\"; >pong \"p\"; text \"ab\"; open @16",
     .no_compression = 1},
    {"8.1 of RFC 6455: a plain text is validated as ever", CLIENT, "c107 f248cdc9c90700 8101 ff",
     .trace = "text \"Hello\"; >close 1007; HWS_ERR_UTF8"},
    {"5.5.1 of RFC 6455: nothing is decompressed after a Close", CLIENT, "c107 f248cdc9c90700 8800",
     .trace = "text \"Hello\"; close 1005 \"\"; >close; ended @11"},
};

static void every_rule_leaves_its_trace(void **state) {
    (void)state;
    deflate_harness_run_rows(rows, sizeof rows / sizeof rows[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_leaves_its_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
