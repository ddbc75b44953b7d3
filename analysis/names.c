/* Members that several answers of this module have. */
#include "names.h"

const struct reply_table scope_names_table =
    REPLY_TABLE(struct identity, REPLY(struct identity, "namespace", namespace),
                REPLY(struct identity, "project", project),
                REPLY(struct identity, "component", component),
                REPLY_OPTIONAL(struct identity, "environment", environment));
