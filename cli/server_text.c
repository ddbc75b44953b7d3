/* How a server is, as text; see server_text.h. */
#include "server_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli_table.h"
#include "human.h"

enum { LABEL = 10, PARTITIONS = 10 };

/* clang-format off */
static const struct cli_column streams[] = {
    {"SIGNAL", "stream", FORMAT_TEXT, 0},
    {"RECEIVED", "accepted", FORMAT_COUNT, 0},
    {"MEAN", "perSecond", FORMAT_RATE, COLUMN_LESS},
    {"LAST", "lastReceived", FORMAT_AGE, 0},
    {"LAG", "lagSeconds", FORMAT_SECONDS, COLUMN_WIDE},
    {"REJECTED", "rejected", FORMAT_COUNT, COLUMN_LESS},
    {"STORED", "records", FORMAT_COUNT, 0},
    {"BLOCKS", "blocks", FORMAT_COUNT, COLUMN_WIDE},
    {"ON DISK", "bytes", FORMAT_BYTES, 0},
    {"KEPT", "kept", FORMAT_TEXT, 0},
    {.head = NULL}};
/* clang-format on */

static const char *bytes_of(char text[HUMAN_TEXT], const json_t *object,
                            const char *member)
{
    return human_bytes(text, cli_number(object, member));
}

static struct term_line begin(struct buf *out, const struct term_look *look,
                              const char *label)
{
    struct term_line line = term_begin(out, look);

    term_cell(&line, slice_of(label), LABEL, TERM_LEFT);
    return line;
}

/* ---- who answers, and whether it is well ---- */

static void write_notes(struct buf *out, const struct term_look *look,
                        const json_t *notes)
{
    for (size_t i = 0; i < json_array_size(notes); i++) {
        const char *note = json_string_value(json_array_get(notes, i));
        struct term_line line = begin(out, look, "Note");

        term_paint(&line, TERM_YELLOW);
        term_puts(&line, note ? note : "");
        term_paint(&line, TERM_PLAIN);
        term_end(&line);
    }
}

static void write_head(struct buf *out, const struct term_look *look,
                       const json_t *answer)
{
    bool well = strcmp(cli_text(answer, "status"), "healthy") == 0;
    struct term_line line = begin(out, look, "Callboard");
    char text[HUMAN_TEXT];

    term_printf(&line, "%s, up %s, ", cli_text(answer, "version"),
                human_seconds(text, cli_number(answer, "uptimeSeconds")));
    term_paint(&line, well ? TERM_GREEN : TERM_RED);
    term_puts(&line, cli_text(answer, "status"));
    if (!well)
        term_printf(&line, ": %s", cli_text(answer, "error"));
    term_paint(&line, TERM_PLAIN);
    term_end(&line);
    write_notes(out, look, json_object_get(answer, "notes"));
}

/* ---- signals ---- */

/* How long a stream is kept; derived series as metrics. */
static json_t *kept(const json_t *answer, const char *stream)
{
    char member[64], text[HUMAN_TEXT];
    double seconds;

    (void)snprintf(member, sizeof(member), "%sSeconds",
                   strcmp(stream, "derived") == 0 ? "metrics" : stream);
    seconds = cli_number(json_object_get(answer, "retention"), member);
    if (!isfinite(seconds))
        return NULL;
    return json_string(seconds > 0 ? human_seconds(text, seconds) : "no limit");
}

/* What is stored of a stream, and what of its signal came in. */
static json_t *make_row(const json_t *answer, const json_t *stream)
{
    const json_t *signals = cli_at(answer, "system.signals");
    double uptime = cli_number(answer, "uptimeSeconds");
    const char *name = cli_text(stream, "stream");
    json_t *row = json_copy((json_t *)(uintptr_t)stream);

    json_object_set_new(row, "kept", kept(answer, name));
    for (size_t i = 0; i < json_array_size(signals); i++) {
        json_t *signal = json_array_get(signals, i);

        if (strcmp(cli_text(signal, "signal"), name) != 0)
            continue;
        json_object_update(row, signal);
        if (uptime > 0)
            json_object_set_new(
                row, "perSecond",
                json_real(cli_number_or_0(signal, "accepted") / uptime));
    }
    return row;
}

static void write_streams(struct buf *out, const struct cli_call *call,
                          const json_t *answer)
{
    const json_t *stored = cli_at(answer, "system.streams");
    json_t *rows = json_array();

    for (size_t i = 0; i < json_array_size(stored); i++)
        json_array_append_new(rows,
                              make_row(answer, json_array_get(stored, i)));
    buf_byte(out, '\n');
    cli_table(out, &call->screen, call->output == OUTPUT_WIDE, streams, rows,
              true);
    buf_byte(out, '\n');
    json_decref(rows);
}

/* ---- what it holds ---- */

static void write_sizes(struct buf *out, const struct term_look *look,
                        const json_t *answer)
{
    const json_t *system = json_object_get(answer, "system"),
                 *limits = json_object_get(answer, "limits"),
                 *retention = json_object_get(answer, "retention");
    struct term_line line;
    char a[HUMAN_TEXT], b[HUMAN_TEXT];

    /* Of several instances none has a journal or a memtable. */
    if (cli_number(system, "journalMaxBytes") > 0) {
        line = begin(out, look, "Journal");
        term_printf(&line, "%s of %s", bytes_of(a, system, "journalBytes"),
                    bytes_of(b, system, "journalMaxBytes"));
        term_end(&line);
    }
    line = begin(out, look, "Memory");
    if (cli_number(system, "journalMaxBytes") > 0)
        term_printf(&line, "%s in the memtable, ",
                    bytes_of(a, system, "memtableBytes"));
    term_printf(&line, "%s for ingest, limit %s",
                bytes_of(a, system, "ingestMemoryBytes"),
                bytes_of(b, limits, "memoryBytes"));
    term_end(&line);
    line = begin(out, look, "Store");
    bytes_of(a, system, "databaseBytes");
    if (cli_number(retention, "bytes") > 0)
        term_printf(&line, "%s of %s", a, bytes_of(b, retention, "bytes"));
    else
        term_printf(&line, "%s, no limit", a);
    term_end(&line);
    line = begin(out, look, "Senders");
    term_printf(&line, "%s resources, %s without a component",
                human_count(a, cli_number(system, "resources")),
                human_count(b, cli_number(system, "unassignedResources")));
    term_end(&line);
}

/* ---- Kafka ---- */

static void write_partition(struct buf *out, const struct term_look *look,
                            const json_t *partition)
{
    double lag = cli_number(partition, "lag");
    struct term_line line = begin(out, look, "");
    char text[HUMAN_TEXT];

    term_printf(&line, "%s/%.0f  %s", cli_text(partition, "topic"),
                cli_number_or_0(partition, "partition"),
                isfinite(lag) ? human_count(text, lag) : "not known");
    term_end(&line);
}

/* Those that lag most first, one whose lag is not known before all others. */
static int compare(const void *a, const void *b)
{
    const json_t *const *one = a, *const *other = b;
    double x = cli_number(*one, "lag"), y = cli_number(*other, "lag");

    if (!isfinite(x) || !isfinite(y))
        return (isfinite(x) ? 1 : 0) - (isfinite(y) ? 1 : 0);
    return (x < y) - (x > y);
}

static void write_partitions(struct buf *out, const struct term_look *look,
                             const json_t *kafka)
{
    size_t count = json_array_size(kafka);
    const json_t **sorted = calloc(count, sizeof(*sorted));

    for (size_t i = 0; sorted && i < count; i++)
        sorted[i] = json_array_get(kafka, i);
    if (sorted)
        qsort(sorted, count, sizeof(*sorted), compare);
    for (size_t i = 0; sorted && i < count && i < PARTITIONS; i++)
        if (cli_number(sorted[i], "lag") != 0) /* or not known */
            write_partition(out, look, sorted[i]);
    free(sorted);
}

static void write_kafka(struct buf *out, const struct term_look *look,
                        const json_t *system)
{
    const json_t *kafka = json_object_get(system, "kafka");
    struct term_line line;
    char a[HUMAN_TEXT], b[HUMAN_TEXT];
    double lag = 0;

    if (json_array_size(kafka) == 0)
        return;
    for (size_t i = 0; i < json_array_size(kafka); i++)
        lag += cli_number_or_0(json_array_get(kafka, i), "lag");
    line = begin(out, look, "Kafka");
    term_printf(
        &line, "%s partitions, %s messages behind, %s dead letters",
        human_count(a, cli_number(system, "kafkaPartitions")),
        human_count(b, lag),
        human_count((char[HUMAN_TEXT]){0}, cli_number(system, "deadLetters")));
    term_end(&line);
    write_partitions(out, look, kafka);
}

/* ---- */

static void write_retention(struct buf *out, const struct term_look *look,
                            const json_t *answer)
{
    static const char *const signals[] = {"traces", "logs", "metrics"};
    struct term_line line = begin(out, look, "Kept");

    for (size_t i = 0; i < 3; i++) {
        json_t *text = kept(answer, signals[i]);

        term_printf(&line, "%s%s %s", i > 0 ? ", " : "", signals[i],
                    text ? json_string_value(text) : "-");
        json_decref(text);
    }
    term_end(&line);
}

void server_text(struct buf *out, const struct term_look *look,
                 const struct cli_call *call, const json_t *answer)
{
    const json_t *system = json_object_get(answer, "system");

    write_head(out, look, answer);
    if (!system) {
        write_retention(out, look, answer);
        return;
    }
    write_streams(out, call, answer);
    write_sizes(out, look, answer);
    write_kafka(out, look, system);
}
