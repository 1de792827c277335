/*
 * Base: the two helpers that belong to no object. Knows no protocol.
 */
#include <hawser/base.h>
#include <hawser/version.h>

hws_text hws_text_from(const char *string) {
    hws_text text = {string, 0};
    if (string == NULL) {
        return text;
    }
    /* volatile, lest a compiler makes a call of strlen() from the loop: the core asks for none. */
    const volatile char *bytes = string;
    while (bytes[text.len] != '\0') {
        text.len++;
    }
    return text;
}

uint32_t hws_version(void) {
    return HWS_VERSION_MAJOR * UINT32_C(1000000) + HWS_VERSION_MINOR * UINT32_C(1000) +
           HWS_VERSION_PATCH;
}
