/* The graph as JSON. */
#include "topology.h"

static void reply_node_members(struct topology *t, const struct node *node)
{
    struct jsonw *w = &t->request->json;
    static const char *const kinds[] = {"component", "gateway", "external"};

    jsonw_member_text(w, "kind", slice_of(kinds[node->kind]));
    reply_text(t->request, "namespace", node->identity.namespace);
    reply_text(t->request, "project", node->identity.project);
    reply_uid(t->request, "projectUid", node->identity.project_uid);
    reply_text(t->request, "component", node->identity.component);
    reply_uid(t->request, "componentUid", node->identity.component_uid);
    reply_text(t->request, "service", node->service);
    reply_text(t->request, "name", node->name);
    if (node->kind == NODE_EXTERNAL) {
        reply_text(t->request, "host",
                   node->host.len ? node->host : node->name);
        jsonw_member_text(w, "externalKind", slice_of(node->external));
        reply_text(t->request, "system", node->system);
    }
}

static void reply_metrics(struct topology *t, const struct tally *tally)
{
    struct jsonw *w = &t->request->json;
    bool any = tally->requests > 0;

    jsonw_member_open(w, "metrics", '{');
    jsonw_member_double(w, "requestCount", tally->requests);
    jsonw_member_double(w, "unsuccessfulRequestCount",
                        tally->errors + tally->client_errors);
    jsonw_member_double(w, "meanLatency", any ? hist_mean(&tally->hist) : 0);
    jsonw_member_double(w, "latencyP50",
                        any ? hist_quantile(&tally->hist, .5) : 0);
    jsonw_member_double(w, "latencyP90",
                        any ? hist_quantile(&tally->hist, .9) : 0);
    jsonw_member_double(w, "latencyP99",
                        any ? hist_quantile(&tally->hist, .99) : 0);
    jsonw_close(w, '}');
}

static void name_node(struct buf *out, const struct node *node)
{
    if (node->kind == NODE_GATEWAY)
        buf_add(out, SLICE("gateway:"));
    else if (node->kind == NODE_EXTERNAL)
        buf_add(out, SLICE("external:"));
    buf_add(out, node->kind == NODE_COMPONENT ? node->identity.component
                                              : node->name);
    if (node->kind == NODE_COMPONENT && node->service.len > 0) {
        buf_byte(out, ':');
        buf_add(out, node->service);
    }
}

static void reply_edge(struct topology *t, const struct tally *tally)
{
    const struct edge *edge = tally->item;
    struct jsonw *w = &t->request->json;
    struct buf id;

    buf_init(&id, 4096);
    name_node(&id, &edge->source);
    buf_add(&id, SLICE("->"));
    name_node(&id, &edge->target);
    jsonw_open(w, '{');
    jsonw_member_text(w, "id", buf_slice(&id));
    jsonw_member_open(w, "source", '{');
    reply_node_members(t, &edge->source);
    jsonw_close(w, '}');
    jsonw_member_open(w, "target", '{');
    reply_node_members(t, &edge->target);
    jsonw_close(w, '}');
    /* The only one that OpenChoreo's contract has. */
    jsonw_member_text(w, "protocol", SLICE("http"));
    reply_text(t->request, "applicationProtocol", edge->protocol);
    if (edge->queue)
        jsonw_member_text(w, "via", SLICE("queue"));
    if (edge->source.kind == NODE_COMPONENT &&
        edge->target.kind == NODE_COMPONENT) {
        /* A dependency is on an endpoint, a queue is none: that it is not
         * declared says nothing. */
        if (edge->declared || !edge->queue)
            jsonw_member_bool(w, "declared", edge->declared);
        jsonw_member_bool(w, "observed", edge->observed);
    }
    reply_metrics(t, tally);
    jsonw_close(w, '}');
    buf_release(&id);
}

/* What was used, or is declared and asked for. Its nodes are wanted. */
static bool is_shown(struct topology *t, const struct tally *tally)
{
    struct edge *edge = tally->item;
    struct tally *a = topology_node(t, &edge->source);
    struct tally *b = topology_node(t, &edge->target);

    edge->observed = !tally_is_empty(tally);
    if (!a || !b || (!edge->observed && !(edge->declared && t->declared)))
        return false;
    ((struct node *)a->item)->wanted = ((struct node *)b->item)->wanted = true;
    return true;
}

/* Those that are not shown are left out of the list. */
static void drop_hidden(struct topology *t, struct tally **edges)
{
    struct tally **to = edges;

    for (; *edges; edges++)
        if (is_shown(t, *edges))
            *to++ = *edges;
    *to = NULL;
}

enum status topology_reply(struct topology *t)
{
    struct jsonw *w = &t->request->json;
    struct tally **edges = tally_sorted(&t->edges), **nodes;

    if (edges)
        drop_hidden(t, edges); /* may add nodes */
    nodes = tally_sorted(&t->nodes);
    if (!nodes || !edges)
        return arena_status(t->request->arena);
    jsonw_open(w, '{');
    jsonw_member_open(w, "nodes", '[');
    for (; *nodes; nodes++)
        if (((struct node *)(*nodes)->item)->wanted) {
            jsonw_open(w, '{');
            reply_node_members(t, (*nodes)->item);
            reply_metrics(t, *nodes);
            jsonw_close(w, '}');
        }
    jsonw_close(w, ']');
    jsonw_member_open(w, "edges", '[');
    for (; *edges; edges++)
        reply_edge(t, *edges);
    jsonw_close(w, ']');
    jsonw_member_open(w, "summary", '{');
    jsonw_member_time(w, "startTime", t->start_ns);
    jsonw_member_time(w, "endTime", t->end_ns);
    jsonw_member_time(w, "generatedAt", t->request->now_ns);
    jsonw_close(w, '}');
    jsonw_close(w, '}');
    return OK;
}
