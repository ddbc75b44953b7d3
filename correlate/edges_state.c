/*
 * The waiting spans as bytes. Packing and unpacking are one function for each
 * type: code_x() writes a value and returns it, or reads and returns one.
 *
 *   for each table WAITING, HELD, LATE:
 *     number of spans, then each, oldest first:
 *       key: trace id (16 bytes), span id (8)
 *       kind + 8 if an ancestor is missing; the ancestor (8 bytes)
 *       arrived_ns - that of the span before (zigzag), flags, operation (name),
 *       callers (4) of a CONSUMER, call, and but for WAITING the target
 *   number of links, then each: key of the producer, key of the CONSUMER,
 *     arrived_ns - that of the link before
 *
 *   call     protocol; 1 failed, 2 client error, 4 a weight follows; identity,
 *            port, start_ns - arrived_ns (zigzag), duration_ns, endpoint, host
 *   target   kind; of a component a call, of others name, system, host (texts)
 *   name     0 none; 1 a new name: identity, text; n + 2: the nth new name
 *   text     length, bytes
 *
 * In the state of a Kafka partition (edges->resources) an identity is not its
 * number but 0 and the key of an anchor (8 bytes), and n + 1 when it is the nth
 * again; a call is followed by `own`, + 1; and after the links come the recent
 * spans: for each bucket the number of spans, then each, newest first: hash and
 * role (8 bytes), endpoint (name) or parent (8 bytes).
 *
 * All numbers are varints. A name is written once, so long names cannot inflate
 * the state: the name remembers its number, and in which pack. The entries of
 * AWAITING_PARENT follow from the waiting spans.
 *
 * Version 5, which is read only, differs in this: the key is followed by the
 * ancestor (8 bytes, always) and arrived_ns (8 bytes, of links, too); kinds,
 * flags and protocols are one byte each.
 */
#include "edges.h"

#include <stdlib.h>

#include "array.h"

enum { NAME_NONE, NAME_NEW, NAME_KNOWN };
enum { BYTES_PER_SPAN = 56, KIND_MASK = 7, KIND_HAS_ANCESTOR = 8 };
enum { KNOWN_IDENTITIES = 256 };

struct state_codec {
    struct edges *edges;
    struct buf *out; /* NULL: unpacking */
    struct byte_reader *in;
    bool version_5;
    uint64_t arrived_ns;         /* of the span before */
    struct counted_name **names; /* unpacked so far */
    uint32_t name_count, name_room;
    uint32_t known[KNOWN_IDENTITIES]; /* identities that exist, + 1 */
    struct {
        uint32_t *at; /* packing: number + 1, by identity; else by number */
        uint32_t count, room, used;
    } identities; /* with resources */
};

/* ---- values ---- */

static uint64_t code_number(struct state_codec *codec, uint64_t value)
{
    if (!codec->out)
        return byte_reader_varint(codec->in);
    buf_varint(codec->out, value);
    return value;
}

static uint8_t code_byte(struct state_codec *codec, uint8_t value)
{
    return codec->version_5 ? byte_reader_u8(codec->in)
                            : (uint8_t)code_number(codec, value);
}

/* A time near another one. */
static uint64_t code_time(struct state_codec *codec, uint64_t time_ns,
                          uint64_t base_ns)
{
    return base_ns + (uint64_t)unzigzag(code_number(
                         codec, zigzag((int64_t)(time_ns - base_ns))));
}

static void code_bytes(struct state_codec *codec, uint8_t *bytes, size_t len)
{
    struct slice read;

    if (codec->out) {
        buf_add(codec->out, (struct slice){(const char *)bytes, len});
        return;
    }
    read = byte_reader_bytes(codec->in, len);
    if (read.len == len)
        memcpy(bytes, read.ptr, len);
}

static struct slice code_text(struct state_codec *codec, struct slice text)
{
    if (!codec->out)
        return byte_reader_slice(codec->in);
    buf_varint(codec->out, text.len);
    buf_add(codec->out, text);
    return text;
}

static void code_key(struct state_codec *codec, struct span_key *key)
{
    code_bytes(codec, key->trace_id, 16);
    code_bytes(codec, key->span_id, 8);
    if (!codec->out)
        *key = span_key(key->trace_id, key->span_id);
}

static uint64_t code_arrival(struct state_codec *codec, uint64_t arrived_ns)
{
    if (codec->version_5)
        return byte_reader_fixed(codec->in, 8);
    codec->arrived_ns = code_time(codec, arrived_ns, codec->arrived_ns);
    return codec->arrived_ns;
}

/* ---- identities ---- */

static void pack_identity(struct state_codec *codec, uint32_t identity)
{
    const struct store_resources *resources = codec->edges->resources;
    uint32_t *number =
        array_at(&codec->identities.at, &codec->identities.count, identity);

    buf_varint(codec->out, *number);
    if (*number > 0)
        return;
    *number = ++codec->identities.used;
    buf_fixed(codec->out, resources->identity_anchor(resources->arg, identity),
              8);
}

static uint32_t unpack_identity(struct state_codec *codec)
{
    const struct store_resources *resources = codec->edges->resources;
    uint64_t number = byte_reader_varint(codec->in), key;
    uint32_t *added;

    if (number > codec->identities.used) {
        byte_reader_fail(codec->in);
        return IDENTITY_NONE;
    }
    if (number > 0)
        return codec->identities.at[number - 1];
    key = byte_reader_fixed(codec->in, 8);
    if (codec->in->bad)
        return IDENTITY_NONE;
    added = array_append(&codec->identities.at, codec->identities.used++,
                         &codec->identities.room);
    *added = resources->find_identity(resources->arg, key);
    return *added;
}

static uint32_t code_identity(struct state_codec *codec, uint32_t identity)
{
    if (!codec->edges->resources)
        return (uint32_t)code_number(codec, identity);
    if (!codec->out)
        return unpack_identity(codec);
    pack_identity(codec, identity);
    return identity;
}

/* Of an identity + 1, or 0 without one. */
static uint32_t code_optional_identity(struct state_codec *codec,
                                       uint32_t identity_1)
{
    if (!codec->edges->resources)
        return (uint32_t)code_number(codec, identity_1);
    if (code_number(codec, identity_1 > 0) == 0)
        return 0;
    return code_identity(codec, identity_1 - 1) + 1; /* unknown: 0 */
}

/* ---- names ---- */

static void pack_name(struct state_codec *codec, struct counted_name *name)
{
    uint32_t pack = codec->edges->packs;

    if (!name) {
        buf_varint(codec->out, NAME_NONE);
    } else if (name->packed == pack) {
        buf_varint(codec->out, NAME_KNOWN + name->number);
    } else {
        name->packed = pack;
        name->number = codec->name_count++;
        buf_varint(codec->out, NAME_NEW);
        (void)code_identity(codec, name->identity);
        code_text(codec, name->text);
    }
}

static struct counted_name *unpack_name(struct state_codec *codec,
                                        enum cardinality_group kind)
{
    struct cardinality_limit *limit = codec->edges->context.limit;
    uint64_t number = byte_reader_varint(codec->in);
    struct counted_name *group, **name;
    uint32_t identity;
    struct slice text;

    if (number == NAME_NONE)
        return NULL;
    if (number != NAME_NEW) {
        if (number - NAME_KNOWN < codec->name_count)
            return codec->names[number - NAME_KNOWN];
        byte_reader_fail(codec->in);
        return NULL;
    }
    identity = code_identity(codec, 0);
    text = byte_reader_slice(codec->in);
    if (codec->in->bad)
        return NULL;
    name = array_append(&codec->names, codec->name_count, &codec->name_room);
    *name = NULL;
    if (identity != IDENTITY_NONE) {
        group = cardinality_group(limit, identity, kind);
        *name = cardinality_get(limit, group, text, UINT32_MAX);
    }
    codec->name_count++;
    return *name;
}

static struct counted_name *code_name(struct state_codec *codec,
                                      struct counted_name *name,
                                      enum cardinality_group kind)
{
    if (!codec->out)
        return unpack_name(codec, kind);
    pack_name(codec, name);
    return name;
}

/* ---- calls and spans ---- */

static struct component *find_component(struct state_codec *codec,
                                        uint32_t identity)
{
    uint32_t *known = &codec->known[identity % KNOWN_IDENTITIES];
    const struct call_context *context = &codec->edges->context;
    struct identity found;
    struct arena arena;

    if (codec->in->bad || identity == IDENTITY_NONE)
        return NULL;
    if (*known != identity + 1) {
        arena_init(&arena, NULL, SIZE_MAX);
        if (registry_identity(context->registry, identity, &arena, &found))
            *known = identity + 1;
        arena_release(&arena);
    }
    return *known == identity + 1
               ? components_get(context->components, identity)
               : NULL;
}

/* component becomes NULL if it is unknown. */
static void code_call(struct state_codec *codec, struct call_span *call,
                      uint64_t arrived_ns)
{
    uint8_t flags = (uint8_t)(call->failed | call->client_error << 1 |
                              (call->weight > 1) << 2);
    uint32_t identity = call->component ? call->component->identity : 0;

    call->protocol = code_byte(codec, call->protocol);
    flags = code_byte(codec, flags);
    call->failed = flags & 1;
    call->client_error = flags & 2;
    call->weight = flags & 4 ? (uint32_t)code_number(codec, call->weight) : 1;
    identity = code_identity(codec, identity);
    call->port = (uint16_t)code_number(codec, call->port);
    call->start_ns = code_time(codec, call->start_ns, arrived_ns);
    call->duration_ns = code_number(codec, call->duration_ns);
    call->endpoint = code_name(codec, call->endpoint, CARDINALITY_ENDPOINTS);
    call->host = code_name(codec, call->host, CARDINALITY_PEERS);
    if (codec->out)
        return;
    if (call->protocol > PROTOCOL_MESSAGING)
        byte_reader_fail(codec->in);
    call->component = find_component(codec, identity);
}

static void code_target(struct state_codec *codec, struct call_target *target,
                        uint64_t arrived_ns)
{
    target->kind = code_byte(codec, target->kind);
    if (target->kind == PEER_COMPONENT) {
        code_call(codec, &target->callee, arrived_ns);
    } else if (target->kind != PEER_NONE) {
        target->name = code_name(codec, target->name, CARDINALITY_PEERS);
        target->system = code_text(codec, target->system);
        target->host = code_text(codec, target->host);
    }
}

/* What a span begins with: key, kind, ancestor and arrival. */
static void code_head(struct state_codec *codec, struct unpaired_span *span)
{
    uint8_t kind = span->kind;

    code_key(codec, &span->key);
    if (codec->version_5) {
        code_bytes(codec, span->ancestor, 8);
        span->arrived_ns = code_arrival(codec, 0);
        span->kind = code_byte(codec, 0);
        return;
    }
    if (!id_is_zero(span->ancestor, 8))
        kind |= KIND_HAS_ANCESTOR;
    kind = code_byte(codec, kind);
    span->kind = kind & KIND_MASK;
    if (kind & KIND_HAS_ANCESTOR)
        code_bytes(codec, span->ancestor, 8);
    span->arrived_ns = code_arrival(codec, span->arrived_ns);
}

static void code_own(struct state_codec *codec, struct unpaired_span *span)
{
    uint32_t own =
        code_optional_identity(codec, span->own ? span->own->identity + 1 : 0);

    if (!codec->out)
        span->own = own > 0 ? find_component(codec, own - 1) : NULL;
}

/* target: NULL in a table without targets. */
static void code_span(struct state_codec *codec, struct unpaired_span *span,
                      struct call_target *target)
{
    code_head(codec, span);
    span->flags = code_byte(codec, span->flags);
    span->operation = code_name(codec, span->operation, CARDINALITY_CALLS);
    for (int i = 0; span->kind == SPAN_CONSUMER && i < UNPAIRED_MAX_CALLERS;
         i++)
        span->callers[i] = code_optional_identity(codec, span->callers[i]);
    code_call(codec, &span->call, span->arrived_ns);
    if (codec->edges->resources)
        code_own(codec, span);
    if (target)
        code_target(codec, target, span->arrived_ns);
}

static void code_link(struct state_codec *codec, struct unpaired_span *link)
{
    code_key(codec, &link->key);
    code_key(codec, &link->consumer);
    link->arrived_ns = code_arrival(codec, link->arrived_ns);
}

/* ---- tables ---- */

static void pack_table(struct state_codec *codec, enum unpaired_table table)
{
    const struct unpaired_spans *spans = &codec->edges->unpaired[table];

    (void)buf_room(codec->out, (size_t)spans->open * BYTES_PER_SPAN);
    buf_varint(codec->out, spans->open);
    for (uint32_t at = spans->oldest, next; at != UNPAIRED_NONE; at = next) {
        next = spans->at[at].newer;
        if (next != UNPAIRED_NONE) /* by age they lie anywhere in memory */
            __builtin_prefetch(&spans->at[next]);
        if (table == LINKED)
            code_link(codec, &spans->at[at]);
        else
            code_span(codec, &spans->at[at],
                      spans->targets ? &spans->targets[at] : NULL);
    }
}

/* Whether everything that the span refers to still exists. */
static bool is_complete(const struct unpaired_span *span,
                        const struct call_target *target)
{
    if (!span->call.component || span->kind > SPAN_CONSUMER)
        return false;
    if (target->kind == PEER_COMPONENT)
        return target->callee.component;
    return target->kind == PEER_NONE ||
           (target->kind < PEER_NONE && target->name);
}

static void unpack_span(struct state_codec *codec, enum unpaired_table table)
{
    struct edges *edges = codec->edges;
    struct call_target target = {.kind = PEER_NONE};
    struct unpaired_span span = {.kind = SPAN_CONSUMER};

    if (table == LINKED) {
        code_link(codec, &span);
        if (!codec->in->bad)
            edges_put(edges, LINKED, &span, NULL);
        return;
    }
    code_span(codec, &span, edges->unpaired[table].targets ? &target : NULL);
    if (codec->in->bad || !is_complete(&span, &target))
        return;
    call_target_retain(&edges->context, &span.call, &target);
    edges_put(edges, table, &span, &target);
    if (table == WAITING && !id_is_zero(span.ancestor, 8))
        edges_await_parent(edges, &span);
}

/* ---- recent spans ---- */

static void code_recent(struct state_codec *codec, struct recent_span *recent)
{
    if (codec->out)
        buf_fixed(codec->out, recent->span, 8);
    else
        recent->span = byte_reader_fixed(codec->in, 8);
    if (recent_span_role(recent) > ROLE_CONSUMER) {
        code_bytes(codec, recent->parent, 8);
        return;
    }
    recent->endpoint =
        code_name(codec, recent->endpoint, CARDINALITY_ENDPOINTS);
    if (!recent->endpoint) { /* of an unknown component, or malformed */
        recent->span = (recent->span & ~(uint64_t)ROLE_MASK) | ROLE_INTERNAL;
        memset(recent->parent, 0, 8);
    }
}

static void code_recents(struct state_codec *codec)
{
    for (uint32_t b = 0; b < RECENT_SPANS_BUCKETS; b++) {
        struct recent_span *bucket = codec->edges->recent->buckets[b];
        uint64_t count = 0;

        while (codec->out && count < RECENT_SPANS_PER_BUCKET &&
               bucket[count].span != 0)
            count++;
        count = code_number(codec, count);
        if (count > RECENT_SPANS_PER_BUCKET)
            byte_reader_fail(codec->in);
        for (uint64_t i = 0; i < count && !(codec->in && codec->in->bad); i++)
            code_recent(codec, &bucket[i]);
        if (codec->in && codec->in->bad)
            return;
    }
}

/* ---- all of it ---- */

static const enum unpaired_table packed_tables[] = {WAITING, HELD, LATE,
                                                    LINKED};
enum { PACKED_TABLES = sizeof(packed_tables) / sizeof(*packed_tables) };

void edges_pack(struct edges *edges, struct buf *out)
{
    struct state_codec codec = {.edges = edges, .out = out};

    edges->packs++;
    for (int i = 0; i < PACKED_TABLES; i++)
        pack_table(&codec, packed_tables[i]);
    if (edges->resources)
        code_recents(&codec);
    free(codec.identities.at);
}

void edges_unpack(struct edges *edges, struct byte_reader *in, bool version_5)
{
    struct state_codec codec = {
        .edges = edges, .in = in, .version_5 = version_5};

    for (int i = 0; i < PACKED_TABLES; i++)
        for (uint64_t left = byte_reader_varint(in); left > 0 && !in->bad;
             left--)
            unpack_span(&codec, packed_tables[i]);
    if (edges->resources)
        code_recents(&codec);
    free(codec.identities.at);
    free(codec.names);
}
