/*
 * What senders put into spans when nobody cares about cardinality: each has an
 * URL, a session, an address and a user agent of its own, and half of the calls
 * to other components go to hosts that send no spans. It packs half as well as
 * the tidy shop, and nothing of it is seen twice.
 */
#include "shop.h"

#include <stdio.h>
#include <string.h>

static const char *const systems[] = {
    "Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7",
    "X11; Linux x86_64", "iPhone; CPU iPhone OS 17_4 like Mac OS X",
    "Linux; Android 14; Pixel 8"};

static unsigned below(struct world *w, unsigned bound)
{
    return (unsigned)(world_random(w) % bound);
}

static void text(struct emit_span *s, const char *key, const char *value)
{
    s->attrs[s->attr_count++] = (struct emit_attr){key, EMIT_TEXT, value, 0, 0};
}

static void number(struct emit_span *s, const char *key, int64_t i)
{
    s->attrs[s->attr_count++] = (struct emit_attr){key, EMIT_INT, NULL, i, 0};
}

static void address(struct world *w, char out[20])
{
    snprintf(out, 20, "10.%u.%u.%u", below(w, 256), below(w, 256),
             below(w, 256));
}

static void session(struct world *w, char out[40])
{
    snprintf(out, 40, "%016llx%016llx", (unsigned long long)world_random(w),
             (unsigned long long)world_random(w));
}

/* {id} of a route becomes a number. */
static void path_of(struct world *w, const char *route, char *out, size_t size)
{
    const char *hole = strstr(route, "{id}");

    if (hole)
        snprintf(out, size, "%.*s%u%s", (int)(hole - route), route,
                 below(w, 100000000), hole + 4);
    else
        snprintf(out, size, "%s/%u", route, below(w, 100000000));
}

static const char *value_of(const struct emit_span *s, const char *key)
{
    for (int i = 0; i < s->attr_count; i++)
        if (strcmp(s->attrs[i].key, key) == 0 && s->attrs[i].text)
            return s->attrs[i].text;
    return NULL;
}

static void describe_server(struct world *w, struct emit_span *s,
                            struct wild_texts *t)
{
    const char *route = value_of(s, "http.route");
    const char *host = value_of(s, "server.address");
    char id[40];

    session(w, id);
    path_of(w, route ? route : "/rpc", t->path, sizeof(t->path));
    snprintf(t->query, sizeof(t->query), "session=%s&page=%u", id,
             below(w, 50));
    address(w, t->address);
    snprintf(t->agent, sizeof(t->agent),
             "Mozilla/5.0 (%s) AppleWebKit/537.%u (KHTML, like Gecko) "
             "Chrome/%u.0.%u.%u Safari/537.36",
             systems[below(w, 5)], below(w, 100), 90 + below(w, 40),
             4000 + below(w, 3000), below(w, 250));
    s->attr_count = 0;
    text(s, "http.request.method", "GET");
    text(s, "http.route", route ? route : "/rpc");
    text(s, "url.path", t->path);
    text(s, "url.query", t->query);
    text(s, "url.scheme", "https");
    text(s, "server.address", host ? host : "localhost");
    number(s, "server.port", 8080);
    text(s, "client.address", t->address);
    number(s, "client.port", 1024 + below(w, 60000));
    text(s, "user_agent.original", t->agent);
    number(s, "http.response.status_code", s->status == 2 ? 500 : 200);
}

static void describe_client(struct world *w, struct emit_span *s,
                            struct wild_texts *t)
{
    const char *host = value_of(s, "server.address");
    char id[40];

    session(w, id);
    snprintf(t->path, sizeof(t->path), "%s", host ? host : "localhost");
    snprintf(t->query, sizeof(t->query), "https://%s:8443/v1/%s/%u/%u?sid=%s",
             t->path, s->name, below(w, 100000000), below(w, 1000), id);
    address(w, t->address);
    s->attr_count = 0;
    text(s, "http.request.method", "GET");
    text(s, "url.full", t->query);
    text(s, "server.address", t->path);
    number(s, "server.port", 8443);
    text(s, "network.peer.address", t->address);
    text(s, "network.protocol.version", "1.1");
    number(s, "http.response.body.size", below(w, 1000000));
    number(s, "http.response.status_code", s->status == 2 ? 502 : 200);
    number(s, "thread.id", below(w, 512));
}

static void describe_statement(struct world *w, struct emit_span *s,
                               struct wild_texts *t)
{
    const char *system = value_of(s, "db.system.name");
    const char *host = value_of(s, "server.address");
    char id[40];

    session(w, id);
    snprintf(t->path, sizeof(t->path), "%s", host ? host : "db");
    snprintf(t->query, sizeof(t->query),
             "SELECT id, total FROM orders WHERE customer_id = %u AND "
             "token = '%s' LIMIT %u",
             below(w, 100000000), id, below(w, 100));
    address(w, t->address);
    s->attr_count = 0;
    text(s, "db.system.name", system);
    text(s, "db.operation.name", "SELECT");
    text(s, "db.collection.name", "orders");
    text(s, "db.query.text", t->query);
    text(s, "server.address", t->path);
    number(s, "server.port", 5432);
    text(s, "network.peer.address", t->address);
    number(s, "db.response.returned_rows", below(w, 5000));
    number(s, "thread.id", below(w, 512));
}

bool wild_lonely(struct world *w)
{
    return w->options->wild && world_random(w) % 2;
}

void wild_host(struct world *w, char host[64])
{
    snprintf(host, 64, "svc-%04x.zone-%u.example", below(w, 65536),
             below(w, 20));
}

void wild_describe(struct world *w, struct emit_span *s, struct wild_texts *t)
{
    if (s->kind == WILD_SERVER)
        describe_server(w, s, t);
    else if (value_of(s, "db.system.name"))
        describe_statement(w, s, t);
    else if (s->kind == WILD_CLIENT)
        describe_client(w, s, t);
}
