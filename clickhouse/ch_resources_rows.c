/* Facts as rows of callboard_resources, and back; see ch_resources.h. */
#include "buf.h"
#include "byte_reader.h"
#include "ch_attributes.h"
#include "ch_log_rows.h"
#include "ch_resources_int.h"

enum { FACTS_VERSION = 1, FACTS_MAX = 64 << 10, TEXT_MAX = 1 << 20 };

static const char *const kinds[] = {[FACT_RESOURCE] = "resource",
                                    [FACT_NAMES] = "names",
                                    [FACT_DELETED] = "deleted",
                                    [FACT_NAMESPACE] = "namespace"};

/* ---- to rows ---- */

enum resource_column {
    NAMESPACE,
    ENVIRONMENT = NAMESPACE + IDENTITY_ENVIRONMENT,
    KEY,
    KIND,
    SCHEMA_URL,
    ATTRIBUTES,
    TYPES,
    FACTS,
    SEEN_AT
};

struct ch_native *ch_resources_native(void)
{
    static const struct ch_column_def columns[] = {
        {"Namespace", "String"},      {"Project", "String"},
        {"Component", "String"},      {"Environment", "String"},
        {"ResourceId", "UInt64"},     {"Kind", "String"},
        {"SchemaUrl", "String"},      {"Attributes", "Map(String, String)"},
        {"AttributeTypes", "String"}, {"Facts", "String"},
        {"SeenAt", "DateTime64(9)"}};

    return ch_native_new(columns, sizeof(columns) / sizeof(*columns), NULL);
}

static void put_attributes(struct ch_native *native, const struct attrs *attrs)
{
    struct ch_column *map = ch_native_column(native, ATTRIBUTES);
    struct buf text;

    buf_init(&text, TEXT_MAX);
    for (uint32_t i = 0; i < attrs->count; i++) {
        text.len = 0;
        ch_put_string(ch_key(map), attr_key(&attrs->at[i]));
        ch_put_string(ch_value(map), ch_value_text(&attrs->at[i], &text));
    }
    text.len = 0;
    ch_attributes_types(&text, attrs);
    ch_put_string(ch_native_column(native, TYPES), buf_slice(&text));
    buf_release(&text);
}

static void put_facts(struct ch_column *column,
                      const struct resource_fact *fact)
{
    struct buf packed;

    buf_init(&packed, FACTS_MAX);
    buf_byte(&packed, FACTS_VERSION);
    buf_byte(&packed, (char)fact->change);
    buf_byte(&packed, (char)fact->kind);
    buf_byte(&packed, (char)fact->rule);
    buf_varint(&packed, fact->first_ns);
    buf_add(&packed, fact->sender);
    ch_put_string(column, buf_slice(&packed));
    buf_release(&packed);
}

void ch_resources_put(struct ch_native *native,
                      const struct resource_fact *fact)
{
    for (unsigned i = 0; i < IDENTITY_NAMES; i++)
        ch_put_string(ch_native_column(native, NAMESPACE + i), fact->names[i]);
    ch_put_uint(ch_native_column(native, KEY), fact->key);
    ch_put_string(ch_native_column(native, KIND),
                  slice_of(kinds[fact->change]));
    ch_put_string(ch_native_column(native, SCHEMA_URL),
                  fact->resource.schema_url);
    put_attributes(native, &fact->resource.attrs);
    put_facts(ch_native_column(native, FACTS), fact);
    ch_put_uint(ch_native_column(native, SEEN_AT),
                fact->seen_ns < INT64_MAX ? fact->seen_ns : INT64_MAX);
    ch_native_row(native);
}

/* ---- from rows ---- */

struct fact_row {
    struct slice names[IDENTITY_NAMES], schema_url, map, types, facts;
    uint64_t key, seen_ns, inserted_ns;
    struct arena *arena;
    ch_resources_visit *visit;
    void *to;
};

static void decode_row(void *arg, struct byte_reader *in)
{
    struct fact_row *row = arg;

    row->inserted_ns = ch_read_time64(in);
    row->key = ch_read_u64(in);
    for (unsigned i = 0; i < IDENTITY_NAMES; i++)
        row->names[i] = ch_read_string(in);
    row->schema_url = ch_read_string(in);
    row->map = ch_read_map(in);
    row->types = ch_read_string(in);
    row->facts = ch_read_string(in);
    row->seen_ns = ch_read_time64(in);
}

/* A row of a later version, or of somebody else, is passed over. */
static bool read_facts(struct slice packed, struct resource_fact *fact)
{
    struct byte_reader in = byte_reader_over(packed);

    if (byte_reader_u8(&in) != FACTS_VERSION)
        return false;
    fact->change = byte_reader_u8(&in);
    fact->kind = byte_reader_u8(&in);
    fact->rule = byte_reader_u8(&in);
    fact->first_ns = byte_reader_varint(&in);
    fact->sender = byte_reader_bytes(&in, byte_reader_left(&in));
    return !in.bad && fact->change >= FACT_RESOURCE &&
           fact->change <= FACT_NAMESPACE;
}

static enum status take_row(void *arg)
{
    struct fact_row *row = arg;
    struct resource_fact fact = {.key = row->key, .seen_ns = row->seen_ns};

    if (!read_facts(row->facts, &fact))
        return OK;
    for (unsigned i = 0; i < IDENTITY_NAMES; i++)
        fact.names[i] = row->names[i];
    fact.resource.schema_url = row->schema_url;
    fact.resource.id = RESOURCE_NONE;
    ch_take_attrs(row->map, row->types, row->arena, &fact.resource.attrs);
    row->visit(row->to, &fact, row->inserted_ns);
    return OK;
}

enum status ch_resources_read(struct ch_resources *resources,
                              const uint64_t *times, uint32_t count,
                              struct arena *arena, ch_resources_visit *visit,
                              void *to)
{
    struct fact_row row = {.arena = arena, .visit = visit, .to = to};
    struct ch_rows rows = {.decode = decode_row, .take = take_row, .arg = &row};
    struct ch_reader reader = {.client = resources->client,
                               .cancelled = &resources->cancelled};
    struct ch_sql sql;
    enum status status;

    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT InsertedAt, ResourceId, Namespace, Project, "
                 "Component, Environment, SchemaUrl, Attributes, "
                 "AttributeTypes, Facts, SeenAt FROM callboard_resources");
    if (times) {
        CH_SQL(&sql, " WHERE InsertedAt IN (");
        for (uint32_t i = 0; i < count; i++)
            CH_SQL_WITH(&sql, "?,", CH_NS(times[i]));
        ch_sql_cut(&sql);
        CH_SQL(&sql, ")");
    }
    CH_SQL(&sql, " ORDER BY InsertedAt");
    status = ch_select(&reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}
