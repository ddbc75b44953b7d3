/*
 * grant - what a subject may do, and where.
 *
 * A grant is a set of actions on a scope: namespace, project, component and
 * environment, each an exact name or "*". There are only grants that allow, so
 * their order does not matter.
 *
 * Purpose:    vocabulary of access, http, ingest, registry and query.
 * Ownership:  the texts of a grant are borrowed; whoever makes it says how long
 *             they last.
 * Threads:    plain values.
 * Errors:     none; what is not known is not allowed.
 */
#ifndef GRANT_H
#define GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include "identity.h"
#include "slice.h"

/* The roles that contain an action. */
enum {
    ROLE_VIEWER = 1,
    ROLE_EDITOR = 2,
    ROLE_INGEST = 4,
    ROLE_AGENT = 8,
    ROLE_OPERATOR = 16,
    ROLE_ADMIN = 32,
    ROLE_READERS = ROLE_VIEWER | ROLE_EDITOR | ROLE_AGENT | ROLE_ADMIN,
};

/* clang-format off */
/*    name                   text                    roles */
#define ACTION_TABLE(X)                                                        \
    X(ACTION_LOGS_VIEW,      "logs:view",            ROLE_READERS)             \
    X(ACTION_EVENTS_VIEW,    "events:view",          ROLE_READERS)             \
    X(ACTION_METRICS_VIEW,   "metrics:view",         ROLE_READERS)             \
    X(ACTION_TRACES_VIEW,    "traces:view",          ROLE_READERS)             \
    X(ACTION_ALERTS_VIEW,    "alerts:view",          ROLE_READERS)             \
    X(ACTION_INCIDENTS_VIEW, "incidents:view",       ROLE_READERS)             \
    X(ACTION_INCIDENTS_UPDATE, "incidents:update",   ROLE_EDITOR | ROLE_ADMIN) \
    X(ACTION_FINOPS_VIEW,    "finops:view",          ROLE_READERS)             \
    X(ACTION_RCA_VIEW,       "rcareport:view",       ROLE_READERS)             \
    X(ACTION_RCA_UPDATE,     "rcareport:update",                               \
      ROLE_EDITOR | ROLE_AGENT | ROLE_ADMIN)                                   \
    X(ACTION_DELIVERY_VIEW,  "deliveryinsights:view", ROLE_READERS)            \
    X(ACTION_CATALOG_VIEW,   "catalog:view",         ROLE_READERS)             \
    X(ACTION_CATALOG_UPDATE, "catalog:update",       ROLE_EDITOR | ROLE_ADMIN) \
    X(ACTION_RULES_UPDATE,   "alertrules:update",    ROLE_EDITOR | ROLE_ADMIN) \
    X(ACTION_WRITE,          "telemetry:write",      ROLE_INGEST | ROLE_ADMIN) \
    X(ACTION_PLATFORM_LOGS,  "platformlogs:view",    ROLE_ADMIN)               \
    X(ACTION_AUDIT_LOGS,     "auditlogs:view",       ROLE_ADMIN)               \
    X(ACTION_DEAD_LETTERS,   "deadletters:view",                               \
      ROLE_OPERATOR | ROLE_ADMIN)                                              \
    X(ACTION_SYSTEM_VIEW,    "system:view",          ROLE_OPERATOR | ROLE_ADMIN) \
    X(ACTION_ACCESS_ADMIN,   "access:admin",         ROLE_ADMIN)
/* clang-format on */

/* ACTION_NONE, the value of a route that says nothing, is never allowed. */
enum action {
    ACTION_NONE,
#define ACTION_NAME(name, text, roles) name,
    ACTION_TABLE(ACTION_NAME)
#undef ACTION_NAME
        ACTION_COUNT,
    ACTION_ANY, /* of a route: any subject that is known */
    ACTION_OPEN /* of a route: everybody, without a credential */
};

/* Of a route: where the scope comes from that the grants must cover. */
enum scope_from {
    SCOPE_NONE,       /* none: only a grant in namespace "*" covers it */
    SCOPE_QUERY,      /* query parameters */
    SCOPE_NARROWED,   /* the same, and what they leave out is narrowed to what
                         may be seen */
    SCOPE_PATH,       /* namespace, project, component */
    SCOPE_PATH_SPACE, /* namespace, environment */
    SCOPE_BODY,       /* the body; the handler compares it */
    SCOPE_OBJECT,     /* that of the object with this id; the handler does */
    SCOPE_RECORDS     /* each resource that is sent; the receiver does */
};

/* A bit for each action. */
typedef uint32_t action_set;

#define ACTION_BIT(action) ((action_set)1 << (action))

/* Names of a scope; an empty one: the scope is not restricted to one name. In
 * a grant each is a name or "*". */
union scope_names {
    struct {
        struct slice namespace, project, component, environment;
    };
    struct slice name[IDENTITY_NAMES];
};

struct grant {
    action_set actions;
    union scope_names scope;
};

/* Of a subject: borrowed, constant while it is in use. */
struct grants {
    const struct grant *at;
    uint32_t count;
};

/* Who queries: what the grants cover with the action may be seen. A pointer
 * that is NULL sees nothing. */
struct viewer {
    struct grants grants;
    enum action action;
};

/* Sees all: of the program itself. */
extern const struct viewer viewer_all;

/* The text of an action; "" if there is none. */
const char *action_text(enum action action);
/* The actions of a role or of an action, by its name; 0: unknown. */
action_set actions_named(struct slice name);

/* One grant has the action on all of the scope. A scope that leaves out what
 * the grant fixes is wider than the grant, so not covered. */
bool grants_cover(struct grants grants, enum action action,
                  const union scope_names *scope);
/* One grant has the action, in any scope: the answer to a list is restricted
 * to what grants_cover(). */
bool grants_have(struct grants grants, enum action action);
/* Records of this identity may be seen with the action. */
bool grants_cover_identity(struct grants grants, enum action action,
                           const struct identity *identity);

/* A grant has the action, and a scope that overlaps: a list of it may have
 * entries that are covered. */
bool grants_overlap(struct grants grants, enum action action,
                    const union scope_names *scope);

/* The action on everything: nothing need be compared. */
bool viewer_sees_all(const struct viewer *viewer);
bool viewer_covers(const struct viewer *viewer, const union scope_names *scope);
bool viewer_sees(const struct viewer *viewer, const struct identity *identity);

/* The one namespace in which the grants have the action. Empty: several, all,
 * or none. */
struct slice grants_namespace(struct grants grants, enum action action);

#endif
