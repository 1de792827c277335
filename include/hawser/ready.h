/**
 * @file
 * Which endpoints have something to do: a list that they put themselves on.
 *
 * A program may send on any endpoint at any time. What that queues has to be written, and perhaps
 * it needs another deadline: with a hws_ready in the configuration of its endpoints the program
 * finds those afterwards, without looking at all of them and without being called back.
 */
#ifndef HAWSER_READY_H
#define HAWSER_READY_H

#include <hawser/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A list of endpoints that something happened to outside their next(): see hws_ready_next(). */
typedef struct hws_ready {
    struct hws_endpoint *first; /**< Private; NULL at the start. */
} hws_ready;

/**
 * Take an endpoint off the list of those to which something happened outside their next(): there is
 * output, an event, another deadline, or receiving goes on. Write, call next(), ask for wants and
 * timeout; it comes on the list again when something more happens.
 *
 * @param ready  The list of their configuration.
 * @return       An endpoint, or NULL.
 */
HWS_API struct hws_endpoint *hws_ready_next(hws_ready *ready);

#ifdef __cplusplus
}
#endif

#endif
