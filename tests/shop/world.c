/*
 * Requests. A request walks the operations of model.c recursively; spans are
 * written when they end, so children come before their parents, as SDKs send
 * them. Each pod buffers its own spans and log records, and sends when it has a
 * batch.
 */
#include "shop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KIND_SERVER = 2, KIND_CLIENT, KIND_PRODUCER, KIND_CONSUMER };

struct context {
    struct world *w;
    int shop;
    uint64_t trace[2];
    uint64_t customer;
};

struct outcome {
    uint64_t end_ns;
    bool failed;
};

uint64_t world_random(struct world *w)
{
    uint64_t z = w->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

double world_uniform(struct world *w)
{
    return (double)(world_random(w) >> 11) * 0x1p-53;
}

/* Log-normal around the median; latencies look like that. The normal is the
 * sum of three uniforms: near enough, and cheap. */
static uint64_t draw_ns(struct world *w, double median_ms)
{
    double n = world_uniform(w) + world_uniform(w) + world_uniform(w) - 1.5;

    return (uint64_t)(median_ms * exp(0.9 * n) * 1e6);
}

static struct component *component_of(struct world *w, int shop, int index)
{
    return &w->components[shop * SHOP_COMPONENTS + index];
}

static struct pod *some_pod(struct world *w, struct component *c)
{
    return &c->pods[world_random(w) % (uint64_t)c->pod_count];
}

static void attr_text(struct emit_span *s, const char *key, const char *text)
{
    s->attrs[s->attr_count++] = (struct emit_attr){key, EMIT_TEXT, text, 0, 0};
}

static void attr_int(struct emit_span *s, const char *key, int64_t i)
{
    s->attrs[s->attr_count++] = (struct emit_attr){key, EMIT_INT, NULL, i, 0};
}

/* ---- sending ---- */

static void send_records(struct world *w, struct component *c, struct pod *pod,
                         struct buf *records, enum send_path path)
{
    struct buf resource, body;

    buf_init(&resource, 1 << 16);
    buf_init(&body, 64 << 20);
    emit_resource(&resource, c, pod);
    emit_request(&body, buf_slice(&resource), buf_slice(records));
    sender_send(w->sender, path, buf_slice(&body));
    buf_release(&resource);
    buf_release(&body);
    buf_reset(records);
}

static void flush_spans(struct world *w, struct component *c, struct pod *pod)
{
    if (pod->span_count)
        send_records(w, c, pod, &pod->spans, SEND_TRACES);
    pod->span_count = 0;
}

static void flush_logs(struct world *w, struct component *c, struct pod *pod)
{
    if (pod->log_count)
        send_records(w, c, pod, &pod->logs, SEND_LOGS);
    pod->log_count = 0;
}

/* Reports of all pods travel together, as from a collector on the node. */
void world_flush_points(struct world *w)
{
    if (w->point_count)
        sender_send(w->sender, SEND_METRICS, buf_slice(&w->points));
    w->point_count = 0;
    buf_reset(&w->points);
}

void world_flush_pod(struct world *w, struct component *c, struct pod *pod)
{
    flush_spans(w, c, pod);
    flush_logs(w, c, pod);
}

void world_flush(struct world *w)
{
    world_flush_points(w);
    for (int i = 0; i < w->options->shops * SHOP_COMPONENTS; i++)
        for (int p = 0; p < w->components[i].pod_count; p++)
            world_flush_pod(w, &w->components[i], &w->components[i].pods[p]);
}

static void put_span(struct context *x, struct component *c, struct pod *pod,
                     const struct emit_span *span)
{
    struct world *w = x->w;
    struct emit_span other;
    struct wild_texts texts;

    w->spans_made++;
    if (!w->options->spans)
        return;
    if (w->options->wild) {
        other = *span;
        wild_describe(w, &other, &texts);
        span = &other;
    }
    emit_span(&pod->spans, span);
    if (++pod->span_count >= (uint32_t)w->options->batch)
        flush_spans(w, c, pod);
}

/* The words of model.c, %d and %x drawn. */
static void fill(struct world *w, const char *words, char *line, size_t size)
{
    size_t at = 0;

    for (; *words && at + 12 < size; words++) {
        if (words[0] != '%') {
            line[at++] = *words;
            continue;
        }
        unsigned drawn = (unsigned)(world_random(w) % 90000);
        bool hex = *++words == 'x';
        at +=
            (size_t)(hex ? snprintf(line + at, size - at, "%x", drawn)
                         : snprintf(line + at, size - at, "%u", drawn % 5000));
    }
    line[at] = '\0';
}

static void put_log(struct context *x, struct component *c, struct pod *pod,
                    const struct op_spec *op, const struct emit_span *span,
                    bool failed, const char *why)
{
    struct world *w = x->w;
    char body[300], line[240];
    int severity = failed ? 17 : 9;
    const char *words = why ? why : failed ? op->error_log : op->log;

    if (!w->options->logs)
        return;
    w->logs_made++;
    fill(w, words, line, sizeof(line));
    snprintf(body, sizeof(body),
             "level=%s component=%s thread=worker-%d "
             "msg=\"%s\"",
             failed ? "error" : "info", c->spec->name,
             (int)(world_random(w) % 16), line);
    struct emit_log log = {.time_ns = span->end_ns,
                           .trace = {span->trace[0], span->trace[1]},
                           .span = span->id,
                           .severity = severity,
                           .body = body,
                           .attr_count = 2};
    log.attrs[0] = (struct emit_attr){"log.iostream", EMIT_TEXT,
                                      failed ? "stderr" : "stdout", 0, 0};
    log.attrs[1] =
        (struct emit_attr){"logger.name", EMIT_TEXT, "shop.RequestLog", 0, 0};
    emit_log(&pod->logs, &log);
    if (++pod->log_count >= (uint32_t)w->options->batch)
        flush_logs(w, c, pod);
}

/* ---- a request ---- */

static struct outcome serve(struct context *x, int op_index, uint64_t parent,
                            uint64_t start_ns, const struct emit_span *link);

static void start_span(struct context *x, struct emit_span *s, int kind,
                       uint64_t parent, uint64_t start_ns)
{
    memset(s, 0, offsetof(struct emit_span, attrs));
    s->trace[0] = x->trace[0];
    s->trace[1] = x->trace[1];
    s->id = world_random(x->w) | 1;
    s->parent = parent;
    s->kind = kind;
    s->start_ns = start_ns;
    s->attr_count = 0;
    s->link_span = 0;
    s->exception = NULL;
}

static double target_ms(const struct world *w, const struct call_spec *call)
{
    const struct fault_spec *f = fault_now(w);

    return call->ms * (fault_hits(f, call->target) ? f->target_times : 1);
}

static void call_store(struct context *x, struct emit_span *s,
                       const struct call_spec *call)
{
    bool sql = call->kind == CALL_SQL;

    s->name = sql ? call->target : call->text;
    attr_text(s, "db.system.name", sql ? "postgresql" : "redis");
    attr_text(s, "db.namespace", sql ? call->target : "0");
    attr_text(s, "db.operation.name", sql ? "query" : call->text);
    attr_text(s, "db.query.text", call->text);
    attr_text(s, "server.address", call->target);
    attr_int(s, "server.port", sql ? 5432 : 6379);
    attr_text(s, "network.transport", "tcp");
    attr_text(s, "code.function.name", "com.acme.shop.store.Repository.run");
    attr_int(s, "network.peer.port", 5432);
    attr_int(s, "db.response.returned_rows",
             (int64_t)(world_random(x->w) % 20));
    attr_int(s, "thread.id", (int64_t)(world_random(x->w) % 64));
    s->end_ns = s->start_ns + draw_ns(x->w, target_ms(x->w, call));
}

static void call_external(struct context *x, struct emit_span *s,
                          const struct call_spec *call, char url[128])
{
    snprintf(url, 128, "https://%s%s/%llx", call->target, call->text,
             (unsigned long long)(x->customer & 0xfffff));
    s->name = "POST";
    attr_text(s, "http.request.method", "POST");
    attr_text(s, "url.full", url);
    attr_text(s, "server.address", call->target);
    attr_int(s, "server.port", 443);
    attr_int(s, "http.response.status_code", 200);
    attr_text(s, "network.protocol.version", "1.1");
    s->end_ns = s->start_ns + draw_ns(x->w, target_ms(x->w, call));
}

static bool call_component(struct context *x, struct emit_span *s,
                           const struct call_spec *call, char url[128])
{
    const struct op_spec *op = &shop_ops[call->op];
    const struct component_spec *callee = &shop_components[op->component];
    const struct fault_spec *f = fault_now(x->w);
    bool there = f && f->component && strcmp(f->component, callee->name) == 0;
    uint64_t wire_ns =
        draw_ns(x->w, there && f->wire_ms > 0 ? f->wire_ms / 2 : 0.25);
    struct outcome inside = {s->start_ns + UINT64_C(1000000000), true};

    if (!there || !f->dead)
        inside = serve(x, call->op, s->id, s->start_ns + wire_ns, NULL);
    if (f && f->timeout_ms > 0 &&
        (double)(inside.end_ns - s->start_ns) > f->timeout_ms * 1e6) {
        inside.end_ns = s->start_ns + (uint64_t)(f->timeout_ms * 1e6);
        inside.failed = true;
    }

    s->end_ns = inside.end_ns + wire_ns;
    if (call->kind == CALL_GRPC) {
        snprintf(url, 128, "%s/%s", op->method, op->route);
        s->name = url;
        attr_text(s, "rpc.system", "grpc");
        attr_text(s, "rpc.service", op->method);
        attr_text(s, "rpc.method", op->route);
        attr_int(s, "rpc.grpc.status_code", inside.failed ? 14 : 0);
    } else {
        snprintf(url, 128, "http://%s:%d%s?c=%llu", callee->name, callee->port,
                 op->route, (unsigned long long)(x->customer % 100000));
        s->name = op->method;
        attr_text(s, "http.request.method", op->method);
        attr_text(s, "url.full", url);
        attr_int(s, "http.response.status_code", inside.failed ? 502 : 200);
        attr_text(s, "network.protocol.version", "1.1");
    }
    attr_text(s, "server.address", callee->name);
    attr_int(s, "server.port", callee->port);
    attr_text(s, "network.peer.address", "10.42.0.10");
    attr_text(s, "code.function.name", "com.acme.shop.rpc.Client.invoke");
    attr_text(s, "code.file.path", "src/main/com/acme/shop/rpc/Client.java");
    attr_int(s, "thread.id", (int64_t)(world_random(x->w) % 64));
    return inside.failed;
}

static void call_publish(struct context *x, struct emit_span *s,
                         const struct call_spec *call, char name[128])
{
    snprintf(name, 128, "send %s", call->target);
    s->name = name;
    s->kind = KIND_PRODUCER;
    attr_text(s, "messaging.system", "kafka");
    attr_text(s, "messaging.operation.type", "send");
    attr_text(s, "messaging.destination.name", call->target);
    attr_text(s, "server.address", "kafka");
    attr_int(s, "server.port", 9092);
    attr_int(s, "messaging.message.body.size",
             (int64_t)(200 + world_random(x->w) % 900));
    s->end_ns = s->start_ns + draw_ns(x->w, call->ms);
}

/* The other side of the queue: a trace of its own that links back. */
static void consume(struct context *x, const struct call_spec *call,
                    const struct emit_span *producer)
{
    struct context y = {.w = x->w, .shop = x->shop, .customer = x->customer};

    y.trace[0] = world_random(x->w);
    y.trace[1] = world_random(x->w) | 1;
    serve(&y, call->op, 0, producer->end_ns + draw_ns(x->w, 40), producer);
}

static bool target_fails(const struct world *w, const struct call_spec *call)
{
    const struct fault_spec *f = fault_now(w);

    return fault_hits(f, call->target) && f->target_fails;
}

static struct outcome run_call(struct context *x, struct component *c,
                               struct pod *pod, const struct call_spec *call,
                               uint64_t parent, uint64_t start_ns)
{
    struct emit_span s;
    struct call_spec stranger;
    char text[128], host[64];
    bool failed = false;

    start_span(x, &s, KIND_CLIENT, parent, start_ns);
    if ((call->kind == CALL_HTTP || call->kind == CALL_GRPC) &&
        wild_lonely(x->w)) {
        wild_host(x->w, host);
        stranger = (struct call_spec){
            .kind = CALL_EXTERNAL, .target = host, .text = "/v1", .ms = 5};
        call = &stranger;
    }
    switch (call->kind) {
    case CALL_SQL:
    case CALL_REDIS:
        call_store(x, &s, call);
        failed = target_fails(x->w, call);
        break;
    case CALL_EXTERNAL:
        call_external(x, &s, call, text);
        failed = target_fails(x->w, call);
        break;
    case CALL_PUBLISH:
        call_publish(x, &s, call, text);
        break;
    case CALL_HTTP:
    case CALL_GRPC:
        failed = call_component(x, &s, call, text);
        break;
    case CALL_NONE:
        return (struct outcome){start_ns, false};
    }
    s.status = failed ? 2 : 0;
    s.status_message = failed ? "upstream failed" : NULL;
    put_span(x, c, pod, &s);
    if (call->kind == CALL_PUBLISH)
        consume(x, call, &s);
    return (struct outcome){s.end_ns, failed};
}

static void describe_http(struct context *x, struct emit_span *s,
                          const struct op_spec *op,
                          const struct component_spec *spec, char name[96],
                          char path[96])
{
    static const char *const agents[] = {
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5) Mobile/15E148 Safari/604.1",
        "shop-client/3.2 (okhttp 4.12)", "curl/8.5.0"};
    const char *hole = strstr(op->route, "{id}");

    snprintf(name, 96, "%s %s", op->method, op->route);
    if (hole)
        snprintf(path, 96, "%.*s%llu%s", (int)(hole - op->route), op->route,
                 (unsigned long long)(world_random(x->w) % 5000), hole + 4);
    else
        snprintf(path, 96, "%s", op->route);
    s->name = name;
    attr_text(s, "http.request.method", op->method);
    attr_text(s, "http.route", op->route);
    attr_text(s, "url.path", path);
    attr_text(s, "url.scheme", "http");
    attr_text(s, "server.address",
              spec->external ? "shop.example.com" : spec->name);
    attr_int(s, "server.port", spec->port);
    attr_text(s, "client.address", "10.42.1.7");
    attr_text(s, "network.protocol.version", "1.1");
    attr_text(s, "user_agent.original", agents[x->customer % 4]);
    attr_int(s, "enduser.id", (int64_t)(x->customer % 20000));
}

static void describe(struct context *x, struct emit_span *s,
                     const struct op_spec *op,
                     const struct component_spec *spec, char name[96],
                     char path[96])
{
    if (op->consumer) {
        snprintf(name, 96, "process %s", op->method);
        s->name = name;
        s->kind = KIND_CONSUMER;
        attr_text(s, "messaging.system", "kafka");
        attr_text(s, "messaging.operation.type", "process");
        attr_text(s, "messaging.destination.name", op->method);
        attr_text(s, "messaging.consumer.group.name", spec->name);
        attr_int(s, "messaging.kafka.offset", (int64_t)(x->w->spans_made / 7));
    } else if (op->grpc) {
        snprintf(name, 96, "%s/%s", op->method, op->route);
        s->name = name;
        attr_text(s, "rpc.system", "grpc");
        attr_text(s, "rpc.service", op->method);
        attr_text(s, "rpc.method", op->route);
        attr_text(s, "server.address", spec->name);
        attr_int(s, "server.port", spec->port);
        attr_int(s, "enduser.id", (int64_t)(x->customer % 20000));
    } else {
        describe_http(x, s, op, spec, name, path);
    }
    attr_text(s, "code.function.name", "com.acme.shop.http.Router.dispatch");
    attr_text(s, "code.file.path", "src/main/com/acme/shop/http/Router.java");
    attr_int(s, "network.peer.port",
             (int64_t)(32768 + world_random(x->w) % 512));
    attr_int(s, "thread.id", (int64_t)(world_random(x->w) % 64));
}

static void finish(struct emit_span *s, const struct op_spec *op, bool failed)
{
    s->status = failed ? 2 : 0;
    if (failed) {
        s->status_message = "request failed";
        s->exception = "upstream call failed or timed out";
    }
    if (op->grpc)
        attr_int(s, "rpc.grpc.status_code", failed ? 14 : 0);
    else if (!op->consumer)
        attr_int(s, "http.response.status_code", failed ? 500 : 200);
}

static bool calls_culprit(const struct fault_spec *f,
                          const struct call_spec *call)
{
    return (call->kind == CALL_HTTP || call->kind == CALL_GRPC) &&
           f->component &&
           strcmp(shop_components[shop_ops[call->op].component].name,
                  f->component) == 0;
}

static struct outcome serve(struct context *x, int op_index, uint64_t parent,
                            uint64_t start_ns, const struct emit_span *link)
{
    struct world *w = x->w;
    const struct op_spec *op = &shop_ops[op_index];
    struct component *c = component_of(w, x->shop, op->component);
    struct pod *pod = some_pod(w, c);
    const struct fault_spec *f = fault_now(w);
    bool here = fault_is_at(f, c, pod);
    uint64_t own_ns = draw_ns(w, op->own_ms * fault_times(f, c, pod));
    uint64_t now_ns = start_ns + own_ns / 2;
    bool failed = world_random(w) % 1000 <
                  (uint64_t)fault_errors(f, c, pod, op->error_permille);
    const char *why = here && failed && f->log ? f->log : NULL;
    struct emit_span s;
    char name[96], path[96];

    if (here && f->outlier && !w->had_outlier) {
        w->had_outlier = true;
        own_ns += UINT64_C(10000000000);
    }
    start_span(x, &s, KIND_SERVER, parent, start_ns);
    describe(x, &s, op, c->spec, name, path);
    for (int i = 0; i < MAX_CALLS && op->calls[i].kind && !why; i++) {
        if ((int)(world_random(w) % 100) >= op->calls[i].share)
            continue;
        struct outcome o = run_call(x, c, pod, &op->calls[i], s.id, now_ns);
        bool again = f && f->retries && calls_culprit(f, &op->calls[i]);

        for (int tries = again ? f->retries : 0; o.failed && tries > 0; tries--)
            o = run_call(x, c, pod, &op->calls[i], s.id, o.end_ns);
        now_ns = o.end_ns;
        failed |= o.failed;
        if (o.failed && f && f->target_log &&
            fault_hits(f, op->calls[i].target))
            why = f->target_log;
        if (o.failed)
            break;
    }
    s.end_ns = now_ns + own_ns / 2;
    if (link) {
        memcpy(s.link_trace, link->trace, sizeof(s.link_trace));
        s.link_span = link->id;
    }
    finish(&s, op, failed);
    put_span(x, c, pod, &s);
    put_log(x, c, pod, op, &s, failed, why);
    pod->cpu_seconds +=
        (double)own_ns / 1e9 /
        (here && (f->pool || f->lag) ? fault_times(f, c, pod) : 1);
    gauges_observe(pod, (double)(s.end_ns - s.start_ns) / 1e9);
    return (struct outcome){s.end_ns, failed};
}

static int draw_op(struct world *w)
{
    int total = 0;

    for (int i = 0; i < shop_op_count; i++)
        total += shop_ops[i].weight;
    int left = (int)(world_random(w) % (uint64_t)total);
    for (int i = 0; i < shop_op_count; i++)
        if ((left -= shop_ops[i].weight) < 0)
            return i;
    return 0;
}

void world_request(struct world *w, uint64_t now_ns)
{
    struct context x = {.w = w};

    x.shop = (int)(world_random(w) % (uint64_t)w->options->shops);
    x.trace[0] = world_random(w);
    x.trace[1] = world_random(w) | 1;
    x.customer = world_random(w);
    serve(&x, draw_op(w), 0, now_ns, NULL);
}
