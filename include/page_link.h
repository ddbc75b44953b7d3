/*
 * page_link - addresses of our pages, for people who read an answer.
 *
 * Purpose:   "https://host/ui/component?ns=acme&project=shop&component=cart".
 * Ownership: the text is in the request's arena.
 * Threads:   one request, one thread.
 * Errors:    an empty text: the address of the pages is not configured
 *   (--page-url, --base-url), or the arena is full.
 */
#ifndef PAGE_LINK_H
#define PAGE_LINK_H

#include "query_request.h"

struct page_link {
    const char *page; /* "component", "trace", "logs", "cause", ... */
    struct scope_filter scope;
    struct slice id;           /* of a trace or a report, or empty */
    uint64_t start_ns, end_ns; /* 0: none */
};

struct slice page_link_text(const struct query_request *request,
                            const struct page_link *link);

#endif
