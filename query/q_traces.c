#include "route.h"

const struct route routes_traces[] = {{0}};
