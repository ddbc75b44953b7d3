/* Columns of every type, as ClickHouse reads them. */
#include "ch_native.h"

#include "clickhouse_kit.h"

static const struct ch_column_def columns[] = {
    {"N", "UInt32"},
    {"I", "Int64"},
    {"F", "Float64"},
    {"B", "Bool"},
    {"S", "String"},
    {"X", "FixedString(3)"},
    {"T", "DateTime64(9)"},
    {"A", "Array(UInt16)"},
    {"M", "Map(LowCardinality(String), String)"},
    {"E", "Array(Map(String, String))"},
    {"P", "Map(Int32, UInt64)"},
    {"U", "Array(Tuple(UInt8, String))"},
};
enum { N, I, F, B, S, X, T, A, M, E, P, U, COLUMNS };

static const char table[] =
    "CREATE TABLE t (N UInt32, I Int64, F Float64, B Bool, S "
    "LowCardinality(String), X FixedString(3), T DateTime64(9), A "
    "Array(UInt16), M Map(LowCardinality(String), String), E "
    "Array(Map(LowCardinality(String), String)), P Map(Int32, UInt64), U "
    "Array(Tuple(UInt8, String))) ENGINE = MergeTree ORDER BY N";

/* What SQL says of the same row. */
static const char same[] =
    "SELECT toUInt64(count()) FROM t WHERE I = -toInt64(N) AND F = N / 2 AND "
    "B = (N % 2 = 1) AND S = repeat('s', N % 300) AND X = "
    "toFixedString(leftPad(toString(N % 1000), 3, '0'), 3) AND "
    "toUnixTimestamp64Nano(T) = 1700000000000000000 + N AND A = "
    "arrayMap(x -> toUInt16(x + N), range(N % 4)) AND "
    "if(N % 3 = 0, M = map(), M = map('a', toString(N), 'b', 'x')) AND "
    "length(E) = N % 3 AND arrayAll((m, i) -> m['k'] = toString(i), E, "
    "arrayEnumerate(E)) AND if(N % 2 = 0, empty(P), P[-5] = N) AND "
    "U = if(N % 5 = 0, [(toUInt8(1), 'u'), (toUInt8(2), 'v')], [])";

static struct slice number_text(char text[24], uint32_t n, int width)
{
    return (struct slice){text, (size_t)snprintf(text, 24, "%0*u", width, n)};
}

static void put_containers(struct ch_native *native, uint32_t n)
{
    struct ch_column *array = ch_native_column(native, A);
    struct ch_column *map = ch_native_column(native, M);
    struct ch_column *maps = ch_native_column(native, E);
    struct ch_column *pairs = ch_native_column(native, P);
    struct ch_column *tuples = ch_native_column(native, U);
    char text[24];

    for (uint32_t i = 0; i < n % 4; i++)
        ch_put_uint(ch_element(array), i + n);
    if (n % 3) {
        ch_put_string(ch_key(map), SLICE("a"));
        ch_put_string(ch_value(map), number_text(text, n, 0));
        ch_put_string(ch_key(map), SLICE("b"));
        ch_put_string(ch_value(map), SLICE("x"));
    }
    for (uint32_t i = 1; i <= n % 3; i++) {
        ch_put_string(ch_key(ch_element(maps)), SLICE("k"));
        ch_put_string(ch_value(ch_element(maps)), number_text(text, i, 0));
        ch_end(ch_element(maps));
    }
    if (n % 2) {
        ch_put_int(ch_key(pairs), -5);
        ch_put_uint(ch_value(pairs), n);
    }
    for (uint32_t i = 0; n % 5 == 0 && i < 2; i++) {
        ch_put_uint(ch_part(ch_element(tuples), 0), i + 1);
        ch_put_string(ch_part(ch_element(tuples), 1),
                      i ? SLICE("v") : SLICE("u"));
        ch_end(ch_element(tuples));
    }
}

static void put_row(struct ch_native *native, uint32_t n)
{
    static char s[300];
    char text[24];

    memset(s, 's', sizeof(s));
    ch_put_uint(ch_native_column(native, N), n);
    ch_put_int(ch_native_column(native, I), -(int64_t)n);
    ch_put_float(ch_native_column(native, F), n / 2.0);
    if (n % 2) /* else the default */
        ch_put_uint(ch_native_column(native, B), 1);
    if (n % 300)
        ch_put_string(ch_native_column(native, S), (struct slice){s, n % 300});
    ch_put_string(ch_native_column(native, X), number_text(text, n % 1000, 3));
    ch_put_uint(ch_native_column(native, T), UINT64_C(1700000000000000000) + n);
    put_containers(native, n);
    ch_native_row(native);
}

static void insert(struct clickhouse_kit *kit, struct ch_native *native)
{
    struct ch_request request = {.writes = true,
                                 .zstd = true,
                                 .piece_count = 1,
                                 .deadline_ns = clickhouse_kit_soon()};
    struct ch_body body;
    struct ch_error error;
    struct ch_sql sql;

    ch_sql_init(&sql);
    ch_native_insert(native, "t", &sql);
    CHECK_EQ(ch_native_compress(native, &body), OK);
    request.sql = ch_sql_text(&sql);
    request.pieces = &(struct slice){body.ptr, body.len};
    if (!CHECK(ch_run(kit->client, &request, &error) == OK))
        printf("# %s\n", error.text);
    ch_body_release(&body);
    ch_sql_release(&sql);
}

TEST(every_type_is_read_as_it_was_put)
{
    enum { ROWS = 5000 };
    struct clickhouse_kit kit;
    struct budget budget;
    struct ch_native *native;

    clickhouse_kit_open(&kit);
    clickhouse_kit_run(&kit, table);
    budget_init(&budget, 64 << 20);
    native = ch_native_new(columns, COLUMNS, &budget);
    for (int round = 0; round < 2; round++) { /* used again */
        ch_native_reset(native);
        for (uint32_t n = 0; n < ROWS; n++)
            put_row(native, n + (uint32_t)round * ROWS);
        CHECK_EQ(ch_native_rows(native), ROWS);
        insert(&kit, native);
    }
    CHECK_EQ(clickhouse_kit_number(&kit, "SELECT count() FROM t"), 2 * ROWS);
    CHECK_EQ(clickhouse_kit_number(&kit, same), 2 * ROWS);
    ch_native_free(native);
    CHECK_EQ(budget_used(&budget), 0);
    clickhouse_kit_close(&kit);
}

/* Whatever DEFAULT the table has for it. */
TEST(columns_that_are_left_out_are_empty)
{
    static const struct ch_column_def some[] = {
        {"N", "UInt32"}, {"D", "UInt64"}, {"M", "Map(String, String)"}};
    struct clickhouse_kit kit;
    struct ch_native *native;

    clickhouse_kit_open(&kit);
    clickhouse_kit_run(&kit, "CREATE TABLE t (N UInt32, D UInt64 DEFAULT 9, E "
                             "UInt64 DEFAULT N + 1, M Map(String, String) "
                             "DEFAULT map('a', 'b')) ENGINE = MergeTree "
                             "ORDER BY N");
    native = ch_native_new(some, 3, NULL);
    for (uint32_t n = 1; n <= 3; n++) {
        ch_put_uint(ch_native_column(native, 0), n);
        ch_put_uint(ch_native_column(native, 1), 0);
        ch_native_row(native);
    }
    insert(&kit, native);
    CHECK_EQ(clickhouse_kit_number(&kit, "SELECT count() FROM t WHERE D = 0 "
                                         "AND M = map() AND E = N + 1"),
             3);
    ch_native_free(native);
    clickhouse_kit_close(&kit);
}

TEST(memory_that_is_refused)
{
    struct budget budget;
    struct ch_native *native;
    struct ch_body body;

    budget_init(&budget, 20000);
    native = ch_native_new(columns, COLUMNS, &budget);
    for (uint32_t n = 0; n < 1000; n++)
        put_row(native, n);
    CHECK_EQ(ch_native_status(native), ERR_BUSY);
    CHECK_EQ(ch_native_compress(native, &body), ERR_BUSY);
    ch_native_free(native);
    CHECK_EQ(budget_used(&budget), 0);
}
