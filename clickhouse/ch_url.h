/*
 * ch_url - http[s]://[user[:password]@]host[:port]/database in its parts.
 */
#ifndef CH_URL_H
#define CH_URL_H

#include <stdbool.h>

#include "slice.h"

enum { CH_URL_MAX = 4096 };

/* From malloc, percent-decoded but for base; ch_url_release(). */
struct ch_url {
    char *base;                       /* "https://host:8443/" */
    char *user, *password, *database; /* user, password: "" without */
    char *place;                      /* "host:8443/database" */
    bool has_password;                /* in the text: "user:password@" */
};

/* False, *why is static, and nothing is to be released. */
bool ch_url_parse(struct ch_url *url, const char *text, const char **why);
void ch_url_release(struct ch_url *url); /* clears the password */

#endif
