/* Parts of an answer with an action of their own; see withheld.h. */
#include "withheld.h"

#include "registry.h"

struct part_access part_access(struct query_request *request,
                               enum action action,
                               const struct scope_filter *scope)
{
    struct part_access access = {.viewer = {request->viewer.grants, action}};

    access.all =
        registry_may_ask(request->services->registry, scope, &access.viewer,
                         false) ||
        (request->asker && params_may_see(request, action, scope) == OK);
    return access;
}
