/*
 * url - splits what senders put into URL attributes into host and path.
 *
 * Understood are absolute URLs ("http://u:p@h:80/a?b#c"), URLs without a scheme
 * ("//h/a", "h:80/a"), origins ("/a?b"), relative paths ("a/b"), authorities
 * alone ("h:443", of CONNECT) and "*".
 *
 * Threads: any.
 */
#ifndef URL_H
#define URL_H

#include "slice.h"

struct url {
    struct slice authority; /* empty if the URL names no host */
    struct slice path;      /* without query and fragment; may be empty */
    bool relative;          /* the path does not begin with '/' */
};

/* Never fails: a text that is no URL is a relative path. */
struct url url_split(struct slice text);

/* The host of an authority, without user, port and the brackets of IPv6. */
struct slice url_host(struct slice authority);

/* True for an IP address, with or without a port. */
bool url_is_address(struct slice host);

/* True for a name that looks like one of the internet: it has a dot, is no
 * address and has none of the suffixes of a cluster. */
bool url_is_public_host(struct slice host);

#endif
