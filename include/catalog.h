/*
 * catalog - what the control plane declared: projects, environments and
 * components with their endpoints and dependencies.
 *
 * It is one JSON document (PUT /api/v1/catalog, or the file given by
 * --catalog), stored as text and parsed into an immutable snapshot. Unknown
 * members are stored and otherwise ignored. Shape: docs/correlation.md,
 * "Catalogue".
 *
 * Purpose:    lookup of declared components and endpoints.
 * Ownership:  the caller owns the catalogue. A snapshot is a reference that the
 *             reader releases; what it points to is valid until then.
 * Threads:    any. Concurrent puts run one after the other; each is in use and
 *             stored as a whole.
 * Errors:     catalog_put() returns a status and names the wrong member.
 */
#ifndef CATALOG_H
#define CATALOG_H

#include "arena.h"
#include "buf.h"
#include "grant.h"
#include "record.h"
#include "status.h"

struct catalog;

enum { CATALOG_MAX_BYTES = 8 * 1024 * 1024, CATALOG_MAX_ENDPOINTS = 64 };

enum visibility {
    VISIBLE_PROJECT = 1,
    VISIBLE_NAMESPACE = 2,
    VISIBLE_INTERNAL = 4,
    VISIBLE_EXTERNAL = 8
};

struct catalog_endpoint {
    struct slice name;
    struct slice type; /* HTTP, gRPC, GraphQL, Websocket, TCP, UDP */
    struct slice base_path;
    uint16_t port;        /* that callers use */
    uint16_t target_port; /* that the component listens on; default: port */
    uint8_t visibility;   /* bits */
};

struct catalog_dependency {
    struct slice namespace, project, component, endpoint;
};

struct catalog_component {
    struct slice namespace, project, name, uid;
    const struct catalog_endpoint *endpoints;
    const struct catalog_dependency *dependencies;
    uint32_t endpoint_count, dependency_count;
};

struct catalog_snapshot;

struct catalog *catalog_new(void);
void catalog_free(struct catalog *catalog);

/* Stores every document from now on; on return it is on disk. */
typedef enum status catalog_persist(void *arg, struct slice json);
void catalog_set_persist(struct catalog *catalog, catalog_persist *keep,
                         void *arg);

/* Replaces the whole catalogue. ERR_INVALID or ERR_TOO_BIG, with *detail (in
 * the arena) naming the wrong member: nothing has changed. Otherwise it is in
 * use, and the status is that of storing it. */
MUST_CHECK enum status catalog_put(struct catalog *catalog, struct slice json,
                                   struct arena *arena, struct slice *detail);

/* The same for what is stored already: it is not stored again. */
MUST_CHECK enum status catalog_reload(struct catalog *catalog,
                                      struct slice json, struct arena *arena,
                                      struct slice *detail);

/* The same for the entries of one namespace: those of others stay. An entry of
 * another namespace: ERR_FORBIDDEN, and nothing has changed. */
MUST_CHECK enum status catalog_put_part(struct catalog *catalog,
                                        struct slice namespace,
                                        struct slice json, struct arena *arena,
                                        struct slice *detail);

/* The document as it was put, "{}" at first. */
void catalog_text(struct catalog *catalog, struct buf *out);

/* A document of the entries that the viewer may see, of the namespace (empty:
 * of any). ERR_BUSY: there is no memory for it. */
MUST_CHECK enum status catalog_text_seen(struct catalog *catalog,
                                         const struct viewer *viewer,
                                         struct slice namespace,
                                         struct buf *out);

/* A reference to the present snapshot, to be released. The generation grows
 * with every put. */
struct catalog_snapshot *catalog_get(struct catalog *catalog);
void catalog_release(struct catalog_snapshot *snapshot);
uint64_t catalog_generation(const struct catalog_snapshot *snapshot);

/* NULL if it is not declared. */
const struct catalog_component *catalog_component(
    const struct catalog_snapshot *snapshot, struct slice namespace,
    struct slice project, struct slice component);
uint32_t catalog_count(const struct catalog_snapshot *snapshot);
const struct catalog_component *catalog_at(
    const struct catalog_snapshot *snapshot, uint32_t index);

/* The declared endpoint: by port or target port (0: unknown), else by the
 * longest base path that is a prefix of path. Of several with one port, the one
 * with the longest such base path, else the first. NULL: none. */
const struct catalog_endpoint *catalog_match_endpoint(
    const struct catalog_component *component, uint16_t port,
    struct slice path);

#endif
