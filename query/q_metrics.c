#include "route.h"

const struct route routes_metrics[] = {{0}};
