/*
 * top_fetch - requests of `callboard top` on a thread of its own, so that keys
 * are answered while a server is slow or away.
 *
 * One request at a time. The answer is announced on a descriptor.
 */
#ifndef TOP_FETCH_H
#define TOP_FETCH_H

#include <jansson.h>

#include "cli_int.h"

struct top_fetch;

/* The server must outlive it. NULL after a message. */
struct top_fetch *top_fetch_start(const struct cli_server *server);
/* Does not wait for a request that is on its way. */
void top_fetch_stop(struct top_fetch *fetch);

int top_fetch_descriptor(const struct top_fetch *fetch);
bool top_fetch_is_busy(struct top_fetch *fetch);

/* Asks for a path, and for all further pages of its answer; text: the body of a
 * POST, or "". Not while it is busy. */
void top_fetch_ask(struct top_fetch *fetch, struct slice path,
                   struct slice text);

enum { TOP_PAGES_MAX = 64 };

/* What came: pages[0 .. count - 1], the caller's; 0: none, and why. False if
 * nothing has come. */
bool top_fetch_take(struct top_fetch *fetch, json_t *pages[TOP_PAGES_MAX],
                    uint32_t *count, char error[CLI_ERROR]);

/* The same at once, without a thread. */
uint32_t top_fetch_pages(const struct cli_server *server, struct slice path,
                         struct slice text, json_t *pages[TOP_PAGES_MAX],
                         char error[CLI_ERROR]);

#endif
