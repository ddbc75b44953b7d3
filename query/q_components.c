#include "route.h"

const struct route routes_components[] = {{0}};
