#include "call_ends.h"

#include "array.h"
#include "ascii.h"
#include "hash.h"

enum {
    MAX_NAME = 255,
    /* New peers that metrics may add: a client of random hosts must not take
     * the room of what spans and other clients call. */
    MAX_PEERS_OF_CALLER = 32,
    MAX_PEERS_OF_METRICS = MAX_PEERS / 2
};

bool call_resolver_init(struct call_resolver *r, struct candidates *candidates,
                        struct call_graph *graph)
{
    *r = (struct call_resolver){.candidates = candidates, .graph = graph};
    r->peers = arena_zero(candidates->arena, candidates->component_count + 1,
                          sizeof(*r->peers));
    return r->peers && terms_init(&r->keys, candidates->arena) &&
           terms_init(&r->names, candidates->arena);
}

/* ---- names of components ---- */

/* The component that a host name means to the one that uses it. */
static uint32_t component_of(struct call_resolver *r, uint32_t resource,
                             uint32_t reporter, struct slice host)
{
    struct candidates *c = r->candidates;
    uint64_t key = hash_bytes(host.ptr, host.len, reporter + UINT64_C(1));
    uint32_t n = terms_find(&r->keys, key), identity, *found;

    if (n != NO_INDEX)
        return r->found[n];
    if (host.len == 0 || host.len > MAX_NAME)
        return NO_INDEX;
    found = arena_append(c->arena, &r->found, r->keys.count, &r->room);
    if (!found || terms_add_key(&r->keys, key) == NO_INDEX)
        return NO_INDEX;
    identity = registry_host_component(
        c->registry, registry_identity_id(c->registry, resource), host);
    *found = identity == IDENTITY_NONE ? NO_INDEX
                                       : candidate_of_identity(c, identity);
    return *found;
}

/* "dns:///cart:7070" and "http://pay/" without what stands around the host. */
static struct slice bare_target(struct slice text)
{
    for (size_t i = 0; i + 2 < text.len; i++)
        if (slice_starts(slice_from(text, i), SLICE("://"))) {
            text = slice_from(text, i + 3);
            break;
        }
    while (text.len > 0 && text.ptr[0] == '/')
        text = slice_from(text, 1);
    return slice_split(&text, '/');
}

/* A workload or service of a Kubernetes namespace is a host of the cluster. */
static uint32_t component_in(struct call_resolver *r, uint32_t resource,
                             uint32_t reporter, struct slice name,
                             struct slice namespace)
{
    char host[2 * MAX_NAME];
    size_t len;

    name = bare_target(name);
    if (namespace.len == 0 || memchr(name.ptr ? name.ptr : "", '.', name.len) ||
        name.len > MAX_NAME || namespace.len + 8 > MAX_NAME)
        return component_of(r, resource, reporter, name);
    memcpy(host, name.ptr, name.len);
    len = name.len;
    host[len++] = '.';
    memcpy(host + len, namespace.ptr, namespace.len);
    len += namespace.len;
    memcpy(host + len, ".svc", 4);
    return component_of(r, resource, reporter, (struct slice){host, len + 4});
}

/* ProductCatalogService as productcatalogservice or product-catalog-service. */
static struct slice in_small_letters(struct slice name, bool hyphens,
                                     char text[2 * MAX_NAME])
{
    size_t len = 0;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i], small = to_lower(c);

        if (hyphens && c != small && i > 0 &&
            name.ptr[i - 1] == to_lower(name.ptr[i - 1]))
            text[len++] = '-';
        text[len++] = small;
    }
    return (struct slice){text, len};
}

/* The component that serves an RPC service, shop.v1.ProductCatalogService, is
 * often called like it, with "Service" or without. */
static uint32_t component_of_rpc(struct call_resolver *r, uint32_t resource,
                                 uint32_t reporter, struct slice service)
{
    static const struct slice ends[] = {
        {"", 0}, SLICE_INIT("service"), SLICE_INIT("-service")};
    struct slice name = slice_split(&service, '/');
    char text[2 * MAX_NAME];
    uint32_t found = NO_INDEX;

    for (size_t i = name.len; i > 0; i--)
        if (name.ptr[i - 1] == '.') {
            name = slice_from(name, i);
            break;
        }
    if (name.len > MAX_NAME)
        return NO_INDEX;
    for (int hyphens = 0; hyphens <= 1; hyphens++) {
        struct slice host = in_small_letters(name, hyphens, text);

        for (int i = 0; i < 3 && found == NO_INDEX; i++)
            if (slice_ends(host, ends[i]))
                found = component_of(
                    r, resource, reporter,
                    (struct slice){host.ptr, host.len - ends[i].len});
    }
    return found;
}

static uint32_t callee_component(struct call_resolver *r,
                                 const struct call_labels *l, uint32_t resource,
                                 uint32_t reporter)
{
    uint32_t found = NO_INDEX;

    for (uint32_t i = 0; i < l->callee_count && found == NO_INDEX; i++)
        found = component_in(r, resource, reporter, l->callee[i].text,
                             l->text[CALL_CALLEE_NAMESPACE]);
    if (found == NO_INDEX)
        found =
            component_of_rpc(r, resource, reporter, l->text[CALL_RPC_SERVICE]);
    return found;
}

/* ---- peers ---- */

static struct slice without_port(struct slice host)
{
    size_t len = host.len;

    while (len > 0 && is_digit(host.ptr[len - 1]))
        len--;
    if (len > 1 && len < host.len && host.ptr[len - 1] == ':' &&
        !memchr(host.ptr, ':', len - 1))
        host.len = len - 1;
    return host;
}

/* pay.shop.svc.cluster.local is "pay" for people. */
static struct slice service_name(struct slice host)
{
    struct slice rest = host, name = slice_split(&rest, '.');

    (void)slice_split(&rest, '.'); /* the namespace */
    return slice_equal(slice_split(&rest, '.'), SLICE("svc")) ? name : host;
}

/* A short name for one host only, and for no component. */
static struct slice unique_name(struct call_resolver *r, struct slice host)
{
    const struct candidates *c = r->candidates;
    struct slice name = service_name(host);
    uint32_t n;

    for (uint32_t i = 0; i < c->component_count; i++)
        if (slice_equal(candidate_name(c, i), name))
            return host;
    n = terms_add_text(&r->names, hash_bytes(name.ptr, name.len, 1), host);
    return n != NO_INDEX && slice_equal(r->names.at[n].text, host) ? name
                                                                   : host;
}

/* Redis numbers its databases: "0" is no name. */
static bool is_number(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.ptr[i]))
            return false;
    return true;
}

/* Kind and name as spans give them (docs/correlation.md, Edges). */
static struct slice peer_name(struct call_resolver *r,
                              const struct call_labels *l, const char **kind)
{
    struct slice host = {NULL, 0};

    for (uint32_t i = 0; i < l->callee_count && host.len == 0; i++)
        if (!l->callee[i].is_vague)
            host = without_port(bare_target(l->callee[i].text));
    *kind = "database";
    if (!is_number(l->text[CALL_DATABASE]))
        return l->text[CALL_DATABASE];
    if (l->text[CALL_DB_SYSTEM].len > 0)
        return host.len > 0 ? host : l->text[CALL_DB_SYSTEM];
    *kind = "queue";
    if (l->text[CALL_QUEUE].len > 0)
        return l->text[CALL_QUEUE];
    *kind = "external";
    return host.len > 0 ? unique_name(r, host) : l->text[CALL_RPC_SERVICE];
}

static uint32_t callee_peer(struct call_resolver *r,
                            const struct call_labels *l, uint32_t caller)
{
    struct candidates *c = r->candidates;
    const char *kind;
    struct slice name = peer_name(r, l, &kind);
    uint32_t known = c->count, found;

    if (name.len == 0 || name.len > MAX_NAME)
        return NO_INDEX;
    found = candidate_find_peer(c, slice_of(kind), name);
    if (found != NO_INDEX || !r->graph ||
        r->peer_count == MAX_PEERS_OF_METRICS ||
        r->peers[caller] == MAX_PEERS_OF_CALLER)
        return found;
    found = candidate_of_peer(c, slice_of(kind), name);
    r->peer_count += c->count - known;
    r->peers[caller] += c->count - known;
    return found;
}

/* ---- ends ---- */

/* Who called: the reporter, unless the labels know better. */
static uint32_t caller_of(struct call_resolver *r, const struct call_labels *l,
                          uint32_t resource, uint32_t reporter)
{
    uint32_t named = NO_INDEX;

    if (l->text[CALL_CALLER].len > 0)
        named = component_in(r, resource, reporter, l->text[CALL_CALLER],
                             l->text[CALL_CALLER_NAMESPACE]);
    if (named != NO_INDEX || l->is_third || l->side == METRIC_SIDE_SERVER ||
        (l->side == METRIC_SIDE_UNKNOWN && l->text[CALL_CALLER].len > 0))
        return named;
    return reporter;
}

/* What is called; NO_INDEX: it is not known. */
static uint32_t callee_of(struct call_resolver *r, const struct call_labels *l,
                          uint32_t resource, uint32_t reporter, uint32_t caller)
{
    uint32_t found = callee_component(r, l, resource, reporter);

    if (found != NO_INDEX)
        return found;
    if (l->side == METRIC_SIDE_SERVER)
        return reporter;
    return caller != NO_INDEX && (l->side == METRIC_SIDE_CLIENT || l->is_third)
               ? callee_peer(r, l, caller)
               : NO_INDEX;
}

struct call_ends call_ends_find(struct call_resolver *r,
                                const struct call_labels *l, uint32_t resource,
                                uint32_t reporter)
{
    struct call_ends ends = {.about = reporter, .caller = NO_INDEX};
    bool is_client = l->side == METRIC_SIDE_CLIENT;
    uint32_t caller, callee;

    if (l->is_neither)
        return (struct call_ends){reporter, NO_INDEX, false, true};
    if (!is_client && l->callee_count == 0 && l->text[CALL_CALLER].len == 0)
        return ends;
    caller = caller_of(r, l, resource, reporter);
    callee = callee_of(r, l, resource, reporter, caller);
    if (callee == NO_INDEX || callee == caller) {
        ends.is_unknown_callee = is_client || l->is_third;
        return ends;
    }
    if (caller != NO_INDEX && r->graph)
        call_graph_add(r->graph, caller, callee);
    ends.about = callee;
    if (callee != reporter)
        ends.caller = caller;
    return ends;
}
