/* serve_surfaces - the modules whose routes are served on the query port. */
#ifndef SERVE_SURFACES_H
#define SERVE_SURFACES_H

#include "query_request.h"

extern const struct query_surface *const serve_surfaces[]; /* NULL at the end */

#endif
