/*
 * What a metric tells of, by the words of its name and by its unit. Semantic
 * conventions, exporters and people agree on few names, but on many words.
 */
#include "timeseries.h"
#include "units.h"

enum { MAX_WORD = 16 };

/* What words say; the first row that a name has a word of decides, so what is
 * particular stands before what is general: cpu.time is no time. */
struct class_rule {
    enum metric_class meaning;
    const char *words; /* with a blank before and behind each */
};

/* clang-format off */
static const struct class_rule rows[] = {
    {MEANS_NOTHING, " info created timestamp version build desired "
                    "uptime generation epoch "},
    {MEANS_CPU,     " cpu cpus throttled throttling "},
    {MEANS_RESTART, " restart restarts "},
    {MEANS_MEMORY,  " memory mem heap nonheap rss swap paging oom gc "},
    {MEANS_DROPS,   " retransmit retransmits retrans retransmitted drop drops "
                    "dropped "},
    {MEANS_QUEUE,   " queue queued queues lag backlog pending "},
    {MEANS_ERRORS,  " error errors err errs fail failed failure failures "
                    "exception exceptions 5xx timeout timeouts rejected "
                    "fault faults "},
    {MEANS_SUCCESS, " success succeeded availability healthy up "},
    {MEANS_DISK,    " disk fs filesystem volume storage inode inodes iops io "
                    "blkio diskio "},
    {MEANS_POOL,    " connection connections conns pool thread threads "
                    "goroutine goroutines descriptor descriptors fd fds "
                    "handles sockets socket sessions active inflight "},
    {MEANS_FLOW,    " bytes octets "},
    {MEANS_LATENCY, " latency duration lat delay elapsed rtt time seconds "
                    "milliseconds p50 p75 p90 p95 p99 p999 "},
    {MEANS_TRAFFIC, " request requests req reqs rate count load throughput rps "
                    "qps tps ops workload call calls hits messages records "
                    "traffic invocations total "},
};
/* clang-format on */

struct name_words {
    uint64_t rows; /* bits: a word of this row is there */
    bool page, limit, usage, load, average, network, free, request, max, client;
};

static bool is_in(const char *words, const char *word)
{
    char padded[MAX_WORD + 3];
    size_t len = strlen(word);

    padded[0] = ' ';
    memcpy(padded + 1, word, len);
    memcpy(padded + 1 + len, " ", 2);
    return strstr(words, padded) != NULL;
}

static void take_word(struct name_words *w, const char *word)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (is_in(rows[i].words, word))
            w->rows |= UINT64_C(1) << i;
    w->page |= is_in(" page pages paging major minor ", word);
    w->limit |= is_in(" limit limits capacity quota ", word);
    w->request |= is_in(" request requests ", word);
    w->max |= is_in(" max maximum ", word);
    w->usage |= is_in(" usage utilization utilisation used ", word);
    w->load |= is_in(" load load1 load5 load15 ", word);
    w->average |= is_in(" average avg 1m 5m 15m load1 load5 load15 ", word);
    w->network |= is_in(" network net tcp udp packet packets interface ", word);
    w->client |= is_in(" client outbound outgoing upstream egress ", word);
    w->free |= is_in(" free available idle ", word);
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Words are cut at marks and where a capital follows a small letter. */
static void split(struct slice name, struct name_words *w)
{
    char word[MAX_WORD + 1];
    size_t len = 0;

    for (size_t i = 0; i <= name.len; i++) {
        char c = i < name.len ? name.ptr[i] : ' ';
        bool cut = !is_upper(c) && !is_lower(c);

        cut = cut || (is_upper(c) && i > 0 && is_lower(name.ptr[i - 1]));
        if (cut && len > 0) {
            word[len < MAX_WORD ? len : MAX_WORD] = '\0';
            take_word(w, word);
            len = 0;
        }
        if (!is_upper(c) && !is_lower(c))
            continue;
        if (len < MAX_WORD)
            word[len] = is_upper(c) ? (char)(c | 0x20) : c;
        len++;
    }
}

static bool is_time(struct slice unit)
{
    double factor;

    return unit_quantity(unit, &factor) == QUANTITY_TIME;
}

struct slice bare_name(struct slice name, struct slice component)
{
    if (component.len > 0 && name.len > component.len &&
        slice_starts(name, component))
        return slice_from(name, component.len);
    return name;
}

static enum metric_class by_words(const struct name_words *w)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (w->rows >> i & 1)
            return rows[i].meaning;
    return MEANS_UNKNOWN;
}

enum metric_class meaning_of(const struct metric *metric, struct slice bare,
                             bool *falls)
{
    struct name_words w = {0};
    enum metric_class m;

    split(bare, &w);
    m = by_words(&w);
    *falls = m == MEANS_SUCCESS;
    if (w.load && w.average)
        m = MEANS_CPU;
    if ((m == MEANS_CPU || m == MEANS_MEMORY || m == MEANS_DISK) && !w.usage &&
        (w.limit || w.request))
        return w.limit ? MEANS_LIMIT : MEANS_NOTHING;
    if ((m == MEANS_LATENCY || m == MEANS_ERRORS) && w.client)
        return MEANS_CALLS;
    if (m == MEANS_ERRORS && w.page)
        return MEANS_MEMORY;
    if (m == MEANS_ERRORS && w.network)
        return MEANS_DROPS;
    if ((m == MEANS_DISK || m == MEANS_TRAFFIC || m == MEANS_UNKNOWN) &&
        w.network)
        return MEANS_FLOW;
    if (m == MEANS_CPU || m == MEANS_MEMORY || m == MEANS_DISK)
        *falls = w.free && !w.usage;
    if (m == MEANS_POOL && (w.max || w.limit || w.free))
        return w.free ? MEANS_NOTHING : MEANS_LIMIT;
    if ((m == MEANS_UNKNOWN || m == MEANS_TRAFFIC) && !w.network &&
        metric->type >= METRIC_HISTOGRAM && is_time(metric->unit))
        return w.client ? MEANS_CALLS : MEANS_LATENCY;
    return m == MEANS_UNKNOWN && w.limit ? MEANS_LIMIT : m;
}
