/*
 * OTLP protobuf, written front to back: a message's length is known by
 * writing it into a scratch buf first (records are small).
 */
#include "shop.h"

#include <stdio.h>
#include <string.h>

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static _Thread_local struct buf scratch, inner;

static struct buf *fresh(struct buf *b)
{
    if (!b->cap)
        buf_init(b, 1 << 20);
    buf_reset(b);
    return b;
}

void pb_tag(struct buf *out, uint32_t field, uint32_t wire)
{
    buf_varint(out, (uint64_t)field << 3 | wire);
}

void pb_bytes(struct buf *out, uint32_t field, struct slice s)
{
    pb_tag(out, field, BYTES);
    buf_varint(out, s.len);
    buf_add(out, s);
}

void pb_uint(struct buf *out, uint32_t field, uint64_t v)
{
    pb_tag(out, field, VARINT);
    buf_varint(out, v);
}

void pb_fixed64(struct buf *out, uint32_t field, uint64_t v)
{
    pb_tag(out, field, FIXED64);
    buf_fixed(out, v, 8);
}

void pb_double(struct buf *out, uint32_t field, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    pb_fixed64(out, field, bits);
}

static size_t varint_size(uint64_t v)
{
    size_t n = 1;

    for (; v >= 128; v >>= 7)
        n++;
    return n;
}

void emit_attr(struct buf *out, uint32_t field, const struct emit_attr *a)
{
    size_t key = strlen(a->key);
    size_t text = a->type == EMIT_TEXT ? strlen(a->text) : 0;
    size_t value = a->type == EMIT_TEXT   ? 1 + varint_size(text) + text
                   : a->type == EMIT_INT  ? 1 + varint_size((uint64_t)a->i)
                   : a->type == EMIT_BOOL ? 2
                                          : 9;

    pb_tag(out, field, BYTES);
    buf_varint(out,
               1 + varint_size(key) + key + 1 + varint_size(value) + value);
    pb_bytes(out, 1, (struct slice){a->key, key});
    pb_tag(out, 2, BYTES);
    buf_varint(out, value);
    switch (a->type) {
    case EMIT_TEXT:
        pb_bytes(out, 1, (struct slice){a->text, text});
        break;
    case EMIT_INT:
        pb_uint(out, 3, (uint64_t)a->i);
        break;
    case EMIT_DOUBLE:
        pb_double(out, 4, a->d);
        break;
    case EMIT_BOOL:
        pb_uint(out, 2, a->i != 0);
        break;
    }
}

static void put_id(struct buf *out, uint32_t field, const uint64_t *words,
                   size_t count)
{
    pb_bytes(out, field, (struct slice){(const char *)words, count * 8});
}

static void put_exception(struct buf *out, const struct emit_span *s)
{
    struct buf *b = fresh(&inner);
    struct emit_attr type = {"exception.type", EMIT_TEXT, "UpstreamError", 0,
                             0};
    struct emit_attr text = {"exception.message", EMIT_TEXT, s->exception, 0,
                             0};

    pb_fixed64(b, 1, s->end_ns);
    pb_bytes(b, 2, SLICE("exception"));
    emit_attr(b, 3, &type);
    emit_attr(b, 3, &text);
    pb_bytes(out, 11, buf_slice(b));
}

void emit_span(struct buf *out, const struct emit_span *s)
{
    struct buf *b = fresh(&scratch);

    put_id(b, 1, s->trace, 2);
    put_id(b, 2, &s->id, 1);
    if (s->parent)
        put_id(b, 4, &s->parent, 1);
    pb_bytes(b, 5, slice_of(s->name));
    pb_uint(b, 6, (uint64_t)s->kind);
    pb_fixed64(b, 7, s->start_ns);
    pb_fixed64(b, 8, s->end_ns);
    for (int i = 0; i < s->attr_count; i++)
        emit_attr(b, 9, &s->attrs[i]);
    if (s->exception)
        put_exception(b, s);
    if (s->link_span) {
        struct buf *link = fresh(&inner);

        put_id(link, 1, s->link_trace, 2);
        put_id(link, 2, &s->link_span, 1);
        pb_bytes(b, 13, buf_slice(link));
    }
    if (s->status) {
        struct buf *status = fresh(&inner);

        if (s->status_message)
            pb_bytes(status, 2, slice_of(s->status_message));
        pb_uint(status, 3, (uint64_t)s->status);
        pb_bytes(b, 15, buf_slice(status));
    }
    pb_tag(b, 16, FIXED32);
    buf_fixed(b, 0x101, 4);
    pb_bytes(out, 2, buf_slice(b));
}

void emit_log(struct buf *out, const struct emit_log *l)
{
    struct buf *b = fresh(&scratch);
    struct buf *body = fresh(&inner);

    pb_fixed64(b, 1, l->time_ns);
    pb_fixed64(b, 11, l->time_ns + 1500000);
    pb_uint(b, 2, (uint64_t)l->severity);
    if (l->severity_text)
        pb_bytes(b, 3, slice_of(l->severity_text));
    pb_bytes(body, 1, slice_of(l->body));
    pb_bytes(b, 5, buf_slice(body));
    for (int i = 0; i < l->attr_count; i++)
        emit_attr(b, 6, &l->attrs[i]);
    if (l->span) {
        put_id(b, 9, l->trace, 2);
        put_id(b, 10, &l->span, 1);
    }
    if (l->event_name)
        pb_bytes(b, 12, slice_of(l->event_name));
    pb_bytes(out, 2, buf_slice(b));
}

void emit_text(struct buf *out, const char *key, const char *value)
{
    struct emit_attr a = {key, EMIT_TEXT, value, 0, 0};

    emit_attr(out, 1, &a);
}

void emit_node_name(const struct component *c, const struct pod *pod,
                    char name[16])
{
    snprintf(name, 16, "node-%d",
             3 * (int)((c->spec - shop_components) % 3) +
                 (int)((pod - c->pods) % 3));
}

void emit_resource(struct buf *out, const struct component *c,
                   const struct pod *pod)
{
    char image[64], node[16];

    snprintf(image, sizeof(image), "registry.example/%s", c->spec->name);
    emit_node_name(c, pod, node);
    emit_text(out, "service.name", c->spec->name);
    emit_text(out, "service.namespace", c->project);
    emit_text(out, "service.version", pod->version);
    emit_text(out, "service.instance.id", pod->uid);
    emit_text(out, "deployment.environment.name", "production");
    emit_text(out, "telemetry.sdk.language", c->spec->language);
    emit_text(out, "telemetry.sdk.name", "opentelemetry");
    emit_text(out, "k8s.namespace.name", "dp-acme-shop-production-1a2b3c4d");
    emit_text(out, "k8s.pod.name", pod->name);
    emit_text(out, "k8s.pod.uid", pod->uid);
    emit_text(out, "k8s.pod.ip", pod->ip);
    emit_text(out, "k8s.node.name", node);
    emit_text(out, "k8s.container.name", "main");
    emit_text(out, "container.image.name", image);
    emit_text(out, "container.image.tag", pod->version);
    emit_text(out, "openchoreo.dev/namespace", "acme");
    emit_text(out, "openchoreo.dev/project", c->project);
    emit_text(out, "openchoreo.dev/component", c->spec->name);
    emit_text(out, "openchoreo.dev/environment", "production");
    emit_text(out, "openchoreo.dev/project-uid", c->project_uid);
    emit_text(out, "openchoreo.dev/component-uid", c->uid);
    emit_text(out, "openchoreo.dev/environment-uid",
              "e1aa0000-0000-4000-8000-000000000001");
    emit_text(out, "k8s.pod.label.pod-template-hash", pod->hash);
}

void emit_request(struct buf *out, struct slice resource, struct slice records)
{
    const struct slice scope = SLICE("\x0a\x0ashop-model\x12\x03"
                                     "1.0");
    size_t scoped = 1 + varint_size(scope.len) + scope.len + records.len;
    size_t all = 1 + varint_size(resource.len) + resource.len + 1 +
                 varint_size(scoped) + scoped;

    pb_tag(out, 1, BYTES);
    buf_varint(out, all);
    pb_bytes(out, 1, resource);
    pb_tag(out, 2, BYTES);
    buf_varint(out, scoped);
    pb_bytes(out, 1, scope);
    buf_add(out, records);
}
