#include "route.h"

const struct route routes_logs[] = {{0}};
