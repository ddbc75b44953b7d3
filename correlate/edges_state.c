/*
 * The spans that wait, are held or are late, as bytes:
 *
 *   for each table, number of spans, then each, oldest first:
 *     key: trace id (16), span id (8); span above (8), arrived_ns (8)
 *     kind (1), flags (1), operation (a name), of a CONSUMER those it has met
 *     (4 varints), call; but for those that wait
 * kind of the target (1), target call: protocol, 1 failed or 2 client error (1
 * each); identity, port, start_ns - arrived_ns (zigzag), duration_ns (varints);
 * endpoint, host: a name each target: a component's is a call; no target is
 * nothing; else a name, then system and host: length, text name: 0 none; 1 a
 * new one: identity, length, text; n + 2: the nth new one
 *
 * then the number of links, each: key of the producer, of the CONSUMER that
 * waits (24 each), arrived_ns (8). Who asks is known by those that wait.
 *
 * A name is written once, so that long ones cannot blow the state up: it notes
 * the number it got, and in which save.
 */
#include "edges_int.h"

#include <stdlib.h>

#include "array.h"

enum { NAME_NONE, NAME_NEW, NAME_KNOWN };
enum { END_BYTES = 64 }; /* what one comes to, mostly */

/* ---- writing ---- */

struct writer {
    struct buf *out;
    uint32_t save, names;
};

static void write_name(struct writer *writer, struct limited_name *name)
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

static void write_call(struct writer *writer, const struct call_span *call,
                       uint64_t arrived_ns)
{
    struct buf *out = writer->out;

    buf_byte(out, (char)call->protocol);
    buf_byte(out, (char)(call->failed | call->client_error << 1 |
                         (call->weight > 1) << 2));
    if (call->weight > 1)
        buf_varint(out, call->weight);
    buf_varint(out, call->component->identity);
    buf_varint(out, call->port);
    buf_varint(out, zigzag((int64_t)(call->start_ns - arrived_ns)));
    buf_varint(out, call->duration_ns);
    write_name(writer, call->endpoint);
    write_name(writer, call->host);
}

static void write_text(struct buf *out, struct slice text)
{
    buf_varint(out, text.len);
    buf_add(out, text);
}

static void write_key(struct buf *out, const struct span_key *key)
{
    buf_add(out, (struct slice){(const char *)key->trace_id, 16});
    buf_add(out, (struct slice){(const char *)key->span_id, 8});
}

static void write_end(struct writer *writer, const struct unpaired_span *end,
                      const struct call_target *target)
{
    struct buf *out = writer->out;

    write_key(out, &end->key);
    buf_add(out, (struct slice){(const char *)end->above, sizeof(end->above)});
    buf_fixed(out, end->arrived_ns, 8);
    buf_byte(out, (char)end->kind);
    buf_byte(out, (char)end->flags);
    write_name(writer, end->operation);
    for (int i = 0; end->kind == SPAN_CONSUMER && i < UNPAIRED_MAX_CALLERS; i++)
        buf_varint(out, end->met[i]);
    write_call(writer, &end->call, end->arrived_ns);
    if (!target)
        return;
    buf_byte(out, (char)target->kind);
    if (target->kind == PEER_COMPONENT) {
        write_call(writer, &target->callee, end->arrived_ns);
    } else if (target->kind != PEER_NONE) {
        write_name(writer, target->name);
        write_text(out, target->system);
        write_text(out, target->host);
    }
}

static void write_links(const struct unpaired_spans *links, struct buf *out)
{
    buf_varint(out, links->open);
    for (uint32_t at = links->oldest; at != UNPAIRED_NONE;
         at = links->at[at].newer) {
        write_key(out, &links->at[at].key);
        write_key(out, &links->at[at].reader);
        buf_fixed(out, links->at[at].arrived_ns, 8);
    }
}

void edges_pack(struct edges *edges, struct buf *out)
{
    struct writer writer = {.out = out, .save = ++edges->saves};

    for (int table = 0; table <= LATE; table++) {
        const struct unpaired_spans *spans = &edges->spans[table];

        (void)buf_room(out, (size_t)spans->open * END_BYTES);
        buf_varint(out, spans->open);
        for (uint32_t at = spans->oldest, next; at != UNPAIRED_NONE;
             at = next) {
            next = spans->at[at].newer;
            if (next != UNPAIRED_NONE) /* in memory they are in no order */
                __builtin_prefetch(&spans->at[next]);
            write_end(&writer, &spans->at[at],
                      spans->targets ? &spans->targets[at] : NULL);
        }
    }
    write_links(&edges->spans[LINKED], out);
}

/* ---- reading ---- */

enum { SEEN = 256 };

struct names {
    struct edges *edges;
    struct limited_name **at;
    uint32_t count, room;
    uint32_t seen[SEEN]; /* identities known to be, + 1; by their low bits */
};

static struct limited_name *new_name(struct names *names,
                                     struct byte_reader *in,
                                     enum cardinality_group kind)
{
    struct cardinality_limit *limit = names->edges->options.limit;
    uint32_t identity = (uint32_t)byte_reader_varint(in);
    struct slice text = byte_reader_slice(in);
    struct limited_name *group;

    if (in->bad)
        return NULL;
    struct limited_name **name =
        array_append(&names->at, names->count, &names->room);
    group = cardinality_group(limit, identity, kind);
    *name = group ? cardinality_get(limit, group, text, UINT32_MAX) : NULL;
    names->count++;
    return names->at[names->count - 1];
}

static struct limited_name *read_name(struct names *names,
                                      struct byte_reader *in,
                                      enum cardinality_group kind)
{
    uint64_t number = byte_reader_varint(in);

    if (number == NAME_NONE)
        return NULL;
    if (number == NAME_NEW)
        return new_name(names, in, kind);
    if (number - NAME_KNOWN < names->count)
        return names->at[number - NAME_KNOWN];
    byte_reader_fail(in);
    return NULL;
}

static void read_bytes(struct byte_reader *in, uint8_t *to, size_t len)
{
    struct slice bytes = byte_reader_bytes(in, len);

    if (bytes.len == len)
        memcpy(to, bytes.ptr, len);
}

static void read_key(struct byte_reader *in, struct span_key *key)
{
    uint8_t trace_id[16] = {0}, span_id[8] = {0};

    read_bytes(in, trace_id, 16);
    read_bytes(in, span_id, 8);
    *key = span_key(trace_id, span_id);
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

static void read_call(struct names *names, struct byte_reader *in,
                      uint64_t arrived_ns, struct call_span *call)
{
    uint32_t identity;
    uint8_t outcome;

    call->protocol = byte_reader_u8(in);
    outcome = byte_reader_u8(in);
    call->failed = outcome & 1;
    call->client_error = outcome & 2;
    call->weight = outcome & 4 ? (uint32_t)byte_reader_varint(in) : 1;
    identity = (uint32_t)byte_reader_varint(in);
    call->port = (uint16_t)byte_reader_varint(in);
    call->start_ns = arrived_ns + (uint64_t)unzigzag(byte_reader_varint(in));
    call->duration_ns = byte_reader_varint(in);
    call->endpoint = read_name(names, in, CARDINALITY_ENDPOINTS);
    call->host = read_name(names, in, CARDINALITY_PEERS);
    if (call->protocol > PROTOCOL_MESSAGING)
        byte_reader_fail(in);
    if (!in->bad && is_known(names, identity))
        call->component =
            components_get(names->edges->options.components, identity);
}

/* False if it is to something that is not known any more. */
static bool read_target(struct names *names, struct byte_reader *in,
                        const struct unpaired_span *end,
                        struct call_target *target)
{
    target->kind = byte_reader_u8(in);
    if (target->kind == PEER_COMPONENT) {
        read_call(names, in, end->arrived_ns, &target->callee);
        return target->callee.component;
    }
    if (target->kind == PEER_NONE)
        return true;
    target->name = read_name(names, in, CARDINALITY_PEERS);
    target->system = byte_reader_slice(in);
    target->host = byte_reader_slice(in);
    return target->kind < PEER_NONE && target->name;
}

static void read_end(struct names *names, struct byte_reader *in,
                     enum unpaired_table table)
{
    struct edges *edges = names->edges;
    struct call_target target = {.kind = PEER_NONE};
    struct unpaired_span end = {.kind = 0};
    bool good = true;

    read_key(in, &end.key);
    read_bytes(in, end.above, sizeof(end.above));
    end.arrived_ns = byte_reader_fixed(in, 8);
    end.kind = byte_reader_u8(in);
    if (end.kind > SPAN_CONSUMER)
        byte_reader_fail(in);
    end.flags = byte_reader_u8(in);
    end.operation = read_name(names, in, CARDINALITY_CALLS);
    for (int i = 0; end.kind == SPAN_CONSUMER && i < UNPAIRED_MAX_CALLERS; i++)
        end.met[i] = (uint32_t)byte_reader_varint(in);
    read_call(names, in, end.arrived_ns, &end.call);
    if (edges->spans[table].targets)
        good = read_target(names, in, &end, &target);
    if (in->bad || !good || !end.call.component)
        return;
    call_target_retain(&edges->options, &end.call, &target);
    edges_put(edges, table, &end, &target);
    if (table == WAITING && !id_is_zero(end.above, 8))
        edges_await_parent(edges, &end);
}

static void read_link(struct edges *edges, struct byte_reader *in)
{
    struct unpaired_span link = {.kind = SPAN_CONSUMER};

    read_key(in, &link.key);
    read_key(in, &link.reader);
    link.arrived_ns = byte_reader_fixed(in, 8);
    if (!in->bad)
        edges_put(edges, LINKED, &link, NULL);
}

void edges_unpack(struct edges *edges, struct byte_reader *in)
{
    struct names names = {.edges = edges};

    for (int table = 0; table <= LATE; table++)
        for (uint64_t left = byte_reader_varint(in); left > 0 && !in->bad;
             left--)
            read_end(&names, in, (enum unpaired_table)table);
    for (uint64_t left = byte_reader_varint(in); left > 0 && !in->bad; left--)
        read_link(edges, in);
    free(names.at);
}
