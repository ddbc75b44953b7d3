/*
 * Callers and callees: from calls by all labels to one group for each peer, and
 * in it one for each pair of endpoints.
 */
#include "array.h"
#include "component_page.h"
#include "derived.h"
#include "reply_metrics.h"

void page_peers_init(struct component_page *page, struct page_peers *peers,
                     enum red_source source)
{
    struct arena *arena = page->request->arena;
    const struct grid *now = &page->window.now, *before = &page->window.before;
    const struct red *red = &peers->red;

    red_init(&peers->red, source);
    red_table_init(&peers->calls, arena, now, red_call_labels, red);
    red_table_init(&peers->calls_before, arena, before, red_call_labels, red);
    red_table_init(&peers->now, arena, now, NULL, red);
    red_table_init(&peers->before, arena, before, NULL, red);
    red_table_init(&peers->by_endpoint, arena, now, NULL, red);
}

/* ---- grouping ---- */

static struct call_peer peer_of(struct component_page *page,
                                const struct metric_group *calls)
{
    const struct identity *identity =
        reply_peer_identity(page->request, &calls->labels[CALL_PEER_ID]);
    struct call_peer peer = {.kind = metric_label(calls, CALL_PEER_KIND),
                             .name = metric_label(calls, CALL_PEER_NAME),
                             .system = metric_label(calls, CALL_PEER_SYSTEM),
                             .host = metric_label(calls, CALL_PEER_HOST)};

    if (identity == &identity_hidden) /* all such are one */
        peer = (struct call_peer){.kind = SLICE("external"),
                                  .name = SLICE(PEER_HIDDEN),
                                  .hidden = true};
    else if (identity)
        peer.identity = *identity;
    return peer;
}

static uint64_t peer_key(const struct call_peer *peer)
{
    uint64_t key = key_identity(1, &peer->identity);

    return key_text(key_text(key_text(key, peer->kind), peer->name),
                    peer->system);
}

/* Calls know the endpoint of the component, no operation. */
static bool is_wanted(const struct component_page *page,
                      const struct metric_group *calls)
{
    const struct slice endpoint = page->filter.endpoint;

    return endpoint.len == 0 ||
           slice_equal(endpoint, metric_label(calls, CALL_ENDPOINT));
}

static bool add_to_endpoint(struct page_peers *peers, struct call_peer *peer,
                            uint64_t peer_key, const struct metric_group *calls,
                            bool queue)
{
    struct peer_endpoint named = {
        .endpoint = metric_label(calls, CALL_ENDPOINT),
        .peer_endpoint = peer->hidden ? (struct slice){NULL, 0}
                                      : metric_label(calls, CALL_PEER_ENDPOINT),
        .protocol = metric_label(calls, CALL_PROTOCOL),
        .via = queue ? "queue" : NULL,
        .peer = peer};
    uint64_t key =
        key_text(key_text(peer_key, named.endpoint), named.peer_endpoint);
    struct metric_group *group =
        metric_group_with(&peers->by_endpoint, key_text(key, named.protocol),
                          sizeof(struct peer_endpoint));
    struct peer_endpoint *item = group ? group->item : NULL;

    if (!item)
        return false;
    if (!item->peer)
        *item = named;
    return metric_group_add(&peers->by_endpoint, group, calls);
}

static bool add_calls(struct component_page *page, struct page_peers *peers,
                      struct metric_group *calls)
{
    struct call_peer *item, peer = peer_of(page, calls);
    bool queue =
        (peer.identity.component.len > 0 || peer.hidden) &&
        slice_equal(metric_label(calls, CALL_PROTOCOL), SLICE("messaging"));
    uint64_t key = peer_key(&peer);
    struct metric_group *group =
        metric_group_with(&peers->now, key, sizeof(peer));

    if (!group)
        return false;
    item = group->item;
    if (!item->calls)
        *item = peer;
    item->direct |= !queue;
    item->via = item->direct ? NULL : "queue";
    calls->next = item->calls;
    item->calls = calls;
    return metric_group_add(&peers->now, group, calls) &&
           add_to_endpoint(peers, item, key, calls, queue);
}

static bool add_before(struct component_page *page, struct page_peers *peers,
                       const struct metric_group *calls)
{
    const struct call_peer peer = peer_of(page, calls);
    struct metric_group *group =
        metric_group_at(&peers->before, peer_key(&peer));

    return group && metric_group_add(&peers->before, group, calls);
}

/* Endpoints and protocol of a peer are those of most calls. */
static void name_peer(struct page_peers *peers, struct call_peer *peer)
{
    const struct metric_table *calls = &peers->calls;
    const struct metric_expr *requests = peers->red.requests;

    peer->endpoint =
        metric_top_label(calls, peer->calls, CALL_ENDPOINT, requests);
    if (!peer->hidden)
        peer->peer_endpoint =
            metric_top_label(calls, peer->calls, CALL_PEER_ENDPOINT, requests);
    peer->protocol =
        metric_top_label(calls, peer->calls, CALL_PROTOCOL, requests);
}

/* Those with most calls of each peer. */
static bool list_endpoints(struct page_peers *peers)
{
    struct metric_group **groups =
        metric_sorted(&peers->by_endpoint, peers->red.requests);

    for (uint32_t i = 0; groups && i < peers->by_endpoint.count; i++) {
        struct call_peer *peer =
            ((struct peer_endpoint *)groups[i]->item)->peer;
        struct metric_group **last;

        if (peer->endpoint_count == PAGE_PEER_ENDPOINTS)
            continue;
        last = arena_append(peers->now.arena, &peer->by_endpoint,
                            peer->endpoint_count, &peer->endpoint_room);
        if (!last)
            return false;
        *last = groups[i];
        peer->endpoint_count++;
    }
    return groups;
}

bool page_peers_group(struct component_page *page, struct page_peers *peers)
{
    for (uint32_t i = 0; i < peers->calls.count; i++)
        if (is_wanted(page, peers->calls.groups[i]) &&
            !add_calls(page, peers, peers->calls.groups[i]))
            return false;
    for (uint32_t i = 0; i < peers->calls_before.count; i++)
        if (is_wanted(page, peers->calls_before.groups[i]) &&
            !add_before(page, peers, peers->calls_before.groups[i]))
            return false;
    for (uint32_t i = 0; i < peers->now.count; i++)
        name_peer(peers, peers->now.groups[i]->item);
    return list_endpoints(peers);
}

/* ---- answering ---- */

static const struct reply_table peer_identity_table = REPLY_TABLE(
    struct identity, REPLY_OPTIONAL(struct identity, "namespace", namespace),
    REPLY_OPTIONAL(struct identity, "project", project),
    REPLY_OPTIONAL(struct identity, "component", component),
    REPLY_OPTIONAL(struct identity, "environment", environment),
    REPLY_UID(struct identity, "componentUid", component_uid));
static const struct reply_table peer_endpoint_table = REPLY_TABLE(
    struct peer_endpoint,
    REPLY_OPTIONAL(struct peer_endpoint, "endpoint", endpoint),
    REPLY_OPTIONAL(struct peer_endpoint, "peerEndpoint", peer_endpoint),
    REPLY_OPTIONAL(struct peer_endpoint, "protocol", protocol),
    REPLY_OPTIONAL(struct peer_endpoint, "via", via),
    REPLY_INLINE(struct peer_endpoint, figures, 0, &figures_table));
const struct reply_table page_peer_table = REPLY_TABLE(
    struct call_peer, REPLY(struct call_peer, "kind", kind),
    REPLY_INLINE(struct call_peer, identity, 0, &peer_identity_table),
    REPLY_OPTIONAL(struct call_peer, "name", name),
    REPLY_OPTIONAL(struct call_peer, "system", system),
    REPLY_OPTIONAL(struct call_peer, "host", host),
    REPLY_OPTIONAL(struct call_peer, "endpoint", endpoint),
    REPLY_OPTIONAL(struct call_peer, "peerEndpoint", peer_endpoint),
    REPLY_OPTIONAL(struct call_peer, "protocol", protocol),
    REPLY_OPTIONAL(struct call_peer, "via", via),
    REPLY_INLINE(struct call_peer, figures, 0, &figures_table),
    REPLY_OBJECT(struct call_peer, "previous", previous, 0, &figures_table),
    REPLY_LIST(struct call_peer, "endpoints", endpoints, &peer_endpoint_table));

/* The peers while they are written. */
struct peer_list {
    struct page_peers *peers;
    struct metric_group **groups; /* most calls first */
    const struct call_peer *peer; /* whose endpoints are written */
};

static const void *endpoint_item(void *arg, uint32_t i)
{
    struct peer_list *list = arg;
    const struct page_peers *peers = list->peers;
    const struct metric_group *group = list->peer->by_endpoint[i];
    struct peer_endpoint *item = group->item;

    figures_set(&item->figures, &peers->red, &peers->by_endpoint, group);
    return item->figures.count < RED_NONE ? NULL : item;
}

static const void *peer_item(void *arg, uint32_t i)
{
    struct peer_list *list = arg;
    const struct page_peers *peers = list->peers;
    const struct metric_group *group = list->groups[i];
    struct call_peer *peer = group->item;

    figures_set(&peer->figures, &peers->red, &peers->now, group);
    if (peer->figures.count < RED_NONE)
        return NULL;
    figures_set(&peer->previous, &peers->red, &peers->before,
                metric_group_find(&peers->before, group->key));
    list->peer = peer;
    peer->endpoints = (struct reply_list){
        .count = peer->endpoint_count, .item = endpoint_item, .arg = list};
    return peer;
}

struct reply_list page_peers_list(struct page_peers *peers)
{
    struct peer_list *list = arena_zero(peers->now.arena, 1, sizeof(*list));

    if (!list)
        return (struct reply_list){0};
    *list = (struct peer_list){
        peers, metric_sorted(&peers->now, peers->red.requests), NULL};
    return (struct reply_list){.count = list->groups ? peers->now.count : 0,
                               .item = peer_item,
                               .arg = list};
}
