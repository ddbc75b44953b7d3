/* The routes of the list of components and of the page of one. */
#include "component.h"

const struct route routes_components[] = {
    {"GET", "/api/v1/components", component_list, NULL, 0, 0,
     &component_list_table},
    {"GET", "/api/v1/components/{}/{}/{}", component_page, NULL, 0, 0,
     &component_page_table},
    {0},
};
