/*
 * Rows of series. Reading a row finds its arrays only: it may be tried several
 * times, until all of the row has arrived. ch_read_series_points.c makes points
 * of it.
 */
#include "ch_log_rows.h"
#include "ch_read_series.h"
#include "derived.h"

/* ---- the row ---- */

/* The bytes of an element: a number; 0: read as below. */
const uint8_t ch_series_sizes[CH_SERIES_ARRAYS] = {
    [CH_AT_TIME] = 8,   [CH_AT_SECOND] = 4,     [CH_AT_START] = 8,
    [CH_AT_FLAGS] = 4,  [CH_AT_CORRECTED] = 1,  [CH_AT_NUMBER] = 8,
    [CH_AT_IS_INT] = 1, [CH_AT_COUNT] = 8,      [CH_AT_SUM] = 8,
    [CH_AT_MIN] = 8,    [CH_AT_MAX] = 8,        [CH_AT_PRESENT] = 1,
    [CH_AT_SCALE] = 4,  [CH_AT_ZERO_COUNT] = 8, [CH_AT_ZERO_THRESHOLD] = 8,
    [CH_AT_OFFSET] = 4, [CH_AT_NEG_OFFSET] = 4};
/* The same of an element of an array of arrays; 0: texts, or maps of them. */
static const uint8_t inner_sizes[CH_SERIES_ARRAYS] = {
    [CH_AT_BUCKETS] = 8, [CH_AT_NEG_BUCKETS] = 8, [CH_AT_BOUNDS] = 8,
    [CH_AT_VALUES] = 8,  [CH_AT_PAIRS] = 12,      [CH_AT_EX_TIME] = 8,
    [CH_AT_EX_VALUE] = 8};

#define BIT(array) (UINT32_C(1) << CH_AT_##array)
#define TIMES      (BIT(TIME) | BIT(START) | BIT(FLAGS) | BIT(CORRECTED))
#define NUMBERS    (BIT(NUMBER) | BIT(IS_INT))
#define MOMENTS    (BIT(SUM) | BIT(MIN) | BIT(MAX) | BIT(PRESENT))
#define EXEMPLARS                                                  \
    (BIT(EX_TIME) | BIT(EX_VALUE) | BIT(EX_SPAN) | BIT(EX_TRACE) | \
     BIT(EX_ATTRS) | BIT(EX_TYPES))
#define BUCKETS (TIMES | BIT(COUNT) | MOMENTS | BIT(BUCKETS) | BIT(BOUNDS))
#define SCALES                                                          \
    (BIT(SCALE) | BIT(ZERO_COUNT) | BIT(ZERO_THRESHOLD) | BIT(OFFSET) | \
     BIT(BUCKETS) | BIT(NEG_OFFSET) | BIT(NEG_BUCKETS))
#define QUANTILES \
    (TIMES | BIT(COUNT) | BIT(SUM) | BIT(PRESENT) | BIT(BOUNDS) | BIT(VALUES))
#define MINUTES (BIT(SECOND) | BIT(NUMBER) | BIT(COUNT))

#define MINUTE_VALUES                                                          \
    (MINUTES | BIT(SUM) | BIT(MIN) | BIT(MAX) | BIT(SCALE) | BIT(ZERO_COUNT) | \
     BIT(PAIRS))
#define EXP (TIMES | BIT(COUNT) | MOMENTS | SCALES)

/* Those that a row has: by table, of points, values, counts and heads. */
static const uint32_t arrays_of[CH_SERIES_TABLES][CH_SERIES_WHATS] = {
    [CH_SERIES_GAUGE] = {TIMES | NUMBERS | EXEMPLARS, TIMES | NUMBERS,
                         TIMES | NUMBERS, BIT(TIME)},
    [CH_SERIES_SUM] = {TIMES | NUMBERS | EXEMPLARS, TIMES | NUMBERS,
                       TIMES | NUMBERS, BIT(TIME)},
    [CH_SERIES_HISTOGRAM] = {BUCKETS | EXEMPLARS, BUCKETS, TIMES | BIT(COUNT),
                             BUCKETS | EXEMPLARS},
    [CH_SERIES_EXP] = {EXP | EXEMPLARS, EXP, TIMES | BIT(COUNT), BIT(TIME)},
    [CH_SERIES_SUMMARY] = {QUANTILES, QUANTILES, TIMES | BIT(COUNT), QUANTILES},
    [CH_SERIES_DERIVED] = {MINUTE_VALUES | BIT(TUPLES), MINUTE_VALUES, MINUTES,
                           BIT(SECOND)}};

static struct slice since(const char *begin, const struct byte_reader *in)
{
    return (struct slice){begin, (size_t)(in->at - begin)};
}

static void skip_inner(struct byte_reader *in, int array)
{
    if (array == CH_AT_EX_ATTRS) {
        ch_skip_map(in);
    } else if (array == CH_AT_TUPLES) {
        (void)ch_read_u64(in);
        (void)ch_read_string(in);
        (void)ch_read_string(in);
        byte_reader_bytes(in, 9);
    } else {
        (void)ch_read_string(in);
    }
}

/* The elements of an array that is one of an array: their number and bytes. */
uint64_t ch_series_inner(struct byte_reader *in, int array, struct slice *bytes)
{
    uint64_t count = ch_read_count(in);
    const char *begin = in->at;

    if (inner_sizes[array])
        byte_reader_bytes(in, count * inner_sizes[array]);
    else
        for (uint64_t i = 0; i < count && !in->bad; i++)
            skip_inner(in, array);
    *bytes = since(begin, in);
    return in->bad ? 0 : count;
}

static void read_array(struct ch_series_row *row, int array,
                       struct byte_reader *in)
{
    uint64_t count = ch_read_count(in);
    const char *begin = in->at;
    struct slice bytes;

    if (ch_series_sizes[array])
        byte_reader_bytes(in, count * ch_series_sizes[array]);
    else
        for (uint64_t i = 0; i < count && !in->bad; i++)
            ch_series_inner(in, array, &bytes);
    row->at[array].count = count;
    row->at[array].bytes = since(begin, in);
}

static void read_shared(struct ch_series_row *row, struct byte_reader *in)
{
    row->unit = ch_read_string(in);
    row->description = ch_read_string(in);
    row->scope_name = ch_read_string(in);
    row->scope_version = ch_read_string(in);
    row->scope_schema_url = ch_read_string(in);
    row->scope_attrs = ch_read_map(in);
    row->scope_types = ch_read_string(in);
    row->scope_dropped = ch_read_u32(in);
    row->attrs = ch_read_map(in);
    row->types = ch_read_string(in);
    row->dropped = ch_read_u32(in);
    if (row->table != CH_SERIES_GAUGE && row->table != CH_SERIES_SUMMARY)
        row->temporality = ch_read_i32(in);
    if (row->table == CH_SERIES_SUM)
        row->monotonic = ch_read_u8(in);
}

void ch_series_row_read(struct ch_series_row *row, struct byte_reader *in)
{
    const char *begin = in->at;

    row->resource_key = ch_read_u64(in);
    row->series = ch_read_u64(in);
    row->name = ch_read_string(in);
    if (row->table != CH_SERIES_DERIVED) {
        read_shared(row, in);
    } else {
        row->attrs = ch_read_map(in);
        row->types = ch_read_string(in);
    }
    for (int array = 0; array < CH_SERIES_ARRAYS && !in->bad; array++)
        if (arrays_of[row->table][row->what] >> array & 1)
            read_array(row, array, in);
    row->bytes = since(begin, in);
}

void ch_series_metric_read(struct ch_series_row *row, struct byte_reader *in)
{
    uint8_t table = ch_read_u8(in);

    row->table = table < CH_SERIES_TABLES ? (enum ch_series_table)table
                                          : CH_SERIES_GAUGE;
    row->name = ch_read_string(in);
    row->unit = ch_read_string(in);
    row->description = ch_read_string(in);
    row->temporality = ch_read_i32(in);
    row->monotonic = ch_read_u8(in);
}

/* ---- the metric ---- */

void ch_series_metric(const struct ch_series_row *row, struct metric *metric)
{
    static const uint8_t types[CH_SERIES_TABLES] = {
        METRIC_GAUGE,         METRIC_SUM,     METRIC_HISTOGRAM,
        METRIC_EXP_HISTOGRAM, METRIC_SUMMARY, METRIC_SUM};

    *metric = (struct metric){.name = row->name,
                              .unit = row->unit,
                              .description = row->description,
                              .type = types[row->table],
                              .temporality = (uint8_t)row->temporality,
                              .monotonic = row->monotonic};
    if (row->table != CH_SERIES_DERIVED)
        return;
    metric->temporality = DELTA;
    metric->monotonic = true;
    metric->unit = SLICE("1");
    if (slice_ends(row->name, SLICE(".duration"))) {
        metric->type = METRIC_EXP_HISTOGRAM;
        metric->unit = SLICE("s");
        metric->monotonic = false;
    }
}
