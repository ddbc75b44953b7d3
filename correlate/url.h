/*
 * url - host and path of what senders put into attributes of URLs: absolute
 * ("http://u:p@h:80/a?b#c"), of the network ("//h/a"), without a scheme
 * ("h:80/a"), of an origin ("/a?b"), relative ("a/b"), an authority alone
 * ("h:443", of CONNECT), "*".
 *
 * Threads  any.
 */
#ifndef URL_H
#define URL_H

#include "slice.h"

struct url {
    struct slice authority; /* empty: there is none */
    struct slice path; /* without query and fragment; empty: there is none */
    bool relative;     /* the path lacks its '/' in front */
};

/* Never fails: what is no URL is a relative path. */
struct url url_split(struct slice text);

/* The host of an authority, or of what is a host with or without a port:
 * without user, port and the brackets of IPv6. */
struct slice url_host(struct slice authority);

#endif
