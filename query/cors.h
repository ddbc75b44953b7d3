/*
 * cors - which web pages may read the answers.
 */
#ifndef CORS_H
#define CORS_H

#include "slice.h"

/* origins: comma list of exact origins ("https://portal.example:8443"). */
bool cors_allows(const char *origins, struct slice origin);

#endif
