/*
 * The ends that wait, as bytes:
 *
 *   number of ends, then each, oldest first:
 *     trace id (16), span id (8), hash of the parent (8), arrived_ns (8)
 *     kind, protocol, failed (1 each)
 *     identity, port, start_ns - arrived_ns (zigzag), duration_ns (varints)
 *     endpoint, host: a name each
 *   name: 0 none; 1 a new one: identity, length, text; n + 2: the nth new one
 *
 * A name is written once, so that long ones cannot blow the state up: it notes
 * the number it got, and in which save.
 */
#include "edges_int.h"

#include <stdlib.h>

#include "mem.h"

enum { NAME_NONE, NAME_NEW, NAME_KNOWN };

/* ---- writing ---- */

struct writer {
    struct buf *out;
    uint32_t save, names;
};

static void write_name(struct writer *writer, struct capped_name *name)
{
    if (!name) {
        buf_varint(writer->out, NAME_NONE);
    } else if (name->saved == writer->save) {
        buf_varint(writer->out, NAME_KNOWN + name->number);
    } else {
        name->saved = writer->save;
        name->number = writer->names++;
        buf_varint(writer->out, NAME_NEW);
        buf_varint(writer->out, name->identity);
        buf_varint(writer->out, name->text.len);
        buf_add(writer->out, name->text);
    }
}

static void write_end(struct writer *writer, const struct end *end)
{
    const struct call *call = &end->call;
    struct buf *out = writer->out;

    buf_add(out, (struct slice){(const char *)end->trace_id, 16});
    buf_add(out, (struct slice){(const char *)end->span_id, 8});
    buf_u64(out, end->parent);
    buf_u64(out, end->arrived_ns);
    buf_byte(out, (char)end->kind);
    buf_byte(out, (char)call->protocol);
    buf_byte(out, call->failed);
    buf_varint(out, call->component->identity);
    buf_varint(out, call->port);
    buf_varint(out, zigzag((int64_t)(call->start_ns - end->arrived_ns)));
    buf_varint(out, call->duration_ns);
    write_name(writer, call->endpoint);
    write_name(writer, call->host);
}

void edges_write(struct edges *edges, struct buf *out)
{
    struct writer writer = {.out = out, .save = ++edges->saves};

    buf_varint(out, edges->open);
    for (uint32_t at = edges->oldest; at != EDGES_NONE;
         at = edges->ends[at].newer)
        write_end(&writer, &edges->ends[at]);
}

/* ---- reading ---- */

enum { SEEN = 256 };

struct names {
    struct edges *edges;
    struct capped_name **at;
    uint32_t count, room;
    uint32_t seen[SEEN]; /* identities known to be, + 1; by their low bits */
};

static struct capped_name *new_name(struct names *names, struct scan *in,
                                    enum capped_kind kind)
{
    struct capped *capped = names->edges->options.capped;
    uint32_t identity = (uint32_t)scan_varint(in);
    struct slice text = scan_slice(in);
    struct capped_name *group;

    if (in->bad)
        return NULL;
    if (names->count == names->room) {
        names->room = names->room ? 2 * names->room : 64;
        names->at =
            mem_resize(names->at, names->room, sizeof(struct capped_name *));
    }
    group = capped_group(capped, identity, kind);
    names->at[names->count++] =
        group ? capped_name(capped, group, text, UINT32_MAX) : NULL;
    return names->at[names->count - 1];
}

static struct capped_name *read_name(struct names *names, struct scan *in,
                                     enum capped_kind kind)
{
    uint64_t number = scan_varint(in);

    if (number == NAME_NONE)
        return NULL;
    if (number == NAME_NEW)
        return new_name(names, in, kind);
    if (number - NAME_KNOWN < names->count)
        return names->at[number - NAME_KNOWN];
    scan_fail(in);
    return NULL;
}

static void read_bytes(struct scan *in, uint8_t *to, size_t len)
{
    struct slice bytes = scan_bytes(in, len);

    if (bytes.len == len)
        memcpy(to, bytes.ptr, len);
}

static bool is_known(struct names *names, uint32_t identity)
{
    uint32_t *seen = &names->seen[identity % SEEN];
    struct identity found;
    struct arena arena;

    if (identity == IDENTITY_NONE || *seen == identity + 1)
        return identity != IDENTITY_NONE;
    arena_init(&arena, NULL, SIZE_MAX);
    if (registry_identity(names->edges->options.registry, identity, &arena,
                          &found))
        *seen = identity + 1;
    arena_release(&arena);
    return *seen == identity + 1;
}

static void read_end(struct names *names, struct scan *in)
{
    struct edges *edges = names->edges;
    struct end end = {.parent = 0};
    struct call *call = &end.call;
    uint32_t identity;

    read_bytes(in, end.trace_id, sizeof(end.trace_id));
    read_bytes(in, end.span_id, sizeof(end.span_id));
    end.parent = scan_fixed(in, 8);
    end.arrived_ns = scan_fixed(in, 8);
    end.kind = scan_byte(in);
    call->protocol = scan_byte(in);
    call->failed = scan_byte(in) != 0;
    identity = (uint32_t)scan_varint(in);
    call->port = (uint16_t)scan_varint(in);
    call->start_ns = end.arrived_ns + (uint64_t)unzigzag(scan_varint(in));
    call->duration_ns = scan_varint(in);
    call->endpoint = read_name(names, in, CAPPED_ENDPOINTS);
    call->host = read_name(names, in, CAPPED_PEERS);
    if (call->protocol > PROTOCOL_MESSAGING || end.kind > SPAN_CONSUMER)
        scan_fail(in);
    if (in->bad || !is_known(names, identity))
        return;
    call->component = components_get(edges->options.components, identity);
    edges_put(edges, end.trace_id, end.span_id, &end);
}

void edges_read(struct edges *edges, struct scan *in)
{
    struct names names = {.edges = edges};

    for (uint64_t left = scan_varint(in); left > 0 && !in->bad; left--)
        read_end(&names, in);
    free(names.at);
}
