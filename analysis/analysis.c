/* The routes of this module: the tables of its files. */
#include "analysis.h"

static const struct route *const tables[] = {NULL};

const struct query_surface analysis_surface = {tables, NULL};
