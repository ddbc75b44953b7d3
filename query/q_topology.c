#include "route.h"

const struct route routes_topology[] = {{0}};
