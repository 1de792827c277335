/* Any bytes from a client. The invariant is that of receive.h. */
#include "receive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    receive_any(HWS_ROLE_SERVER, data, size);
    return 0;
}
