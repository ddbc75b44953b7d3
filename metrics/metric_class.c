/*
 * Semantic conventions, exporters and people agree on few names, but on many
 * words: a name is split into words, the words give a class, and some words
 * beside them another one.
 */
#include "metric_class.h"

#include "name_words.h"
#include "units.h"

#define BIT(n) (UINT32_C(1) << (n))

struct class_words {
    enum metric_class class;
    const char *words; /* with a blank on both sides of each */
};

/* The first row that a name has a word of gives the class, so what is special
 * stands before what is general: cpu.time is no time. */
/* clang-format off */
static const struct class_words class_words[] = {
    {CLASS_IGNORED, " info created timestamp version build desired "
                    "uptime generation epoch "},
    {CLASS_CPU,     " cpu cpus "},
    {CLASS_RESTART, " restart restarts "},
    {CLASS_MEMORY,  " memory mem heap nonheap rss swap paging oom gc "},
    {CLASS_DROPS,   " retransmit retransmits retrans retransmitted drop drops "
                    "dropped "},
    {CLASS_QUEUE,   " queue queued queues lag backlog pending "
                    "oldest iterator visible "},
    {CLASS_ERRORS,  " error errors err errs fail failed failure failures "
                    "exception exceptions 5xx 4xx timeout timeouts timed "
                    "rejected aborted fault faults throttle throttles "
                    "throttled throttling spillover dlq deadletter dead "},
    {CLASS_SUCCESS, " success succeeded availability healthy unhealthy "
                    "up "},
    {CLASS_DISK,    " disk fs filesystem volume storage inode inodes iops io "
                    "blkio diskio "},
    {CLASS_POOL,    " connection connections conns pool thread threads "
                    "goroutine goroutines descriptor descriptors fd fds "
                    "handles sockets socket sessions active inflight "
                    "concurrent concurrency "},
    {CLASS_BYTES,   " bytes octets "},
    {CLASS_LATENCY, " latency duration lat delay elapsed rtt time seconds "
                    "milliseconds p50 p75 p90 p95 p99 p999 "},
    {CLASS_TRAFFIC, " request requests req reqs rq rate count load throughput "
                    "rps qps tps ops workload call calls hits messages records "
                    "traffic invocations total consumed "},
};

/* Words that change the class which others give. */
enum qualifier { PAGE, LIMIT, REQUEST, MAX, USAGE, LOAD, AVERAGE, NETWORK,
                 CLIENT, SERVER, FREE, NOT, COUNT, PART, QUALIFIERS,
                 DURATIONS = QUALIFIERS /* a histogram of times */ };
static const char *const qualifier_words[QUALIFIERS] = {
    [PAGE]    = " page pages paging major minor ",
    [LIMIT]   = " limit limits capacity quota ",
    [REQUEST] = " request requests ",
    [MAX]     = " max maximum ",
    [USAGE]   = " usage utilization utilisation used ",
    [LOAD]    = " load load1 load5 load15 ",
    [AVERAGE] = " average avg 1m 5m 15m load1 load5 load15 ",
    [NETWORK] = " network net tcp udp packet packets interface ",
    [CLIENT]  = " client outbound outgoing upstream egress ",
    [SERVER]  = " server inbound incoming downstream ",
    [FREE]    = " free freeable available idle remaining balance ",
    [NOT]     = " un unhealthy ",
    [COUNT]   = " count samplecount samples ",
    [PART]    = " sum bucket ", /* of a histogram, without its count */
};

#define USED_UP (BIT(CLASS_CPU) | BIT(CLASS_MEMORY) | BIT(CLASS_DISK))
#define VAGUE (BIT(CLASS_UNKNOWN) | BIT(CLASS_TRAFFIC))

/* The first row that fits decides. */
static const struct {
    uint32_t classes, with, without;
    enum metric_class result;
} corrections[] = {
    {USED_UP, BIT(LIMIT), BIT(USAGE), CLASS_LIMIT},
    {USED_UP, BIT(REQUEST), BIT(USAGE), CLASS_IGNORED},
    {BIT(CLASS_LATENCY), BIT(PART), 0, CLASS_IGNORED},
    {BIT(CLASS_LATENCY) | BIT(CLASS_ERRORS), BIT(CLIENT), 0, CLASS_CALLS},
    {BIT(CLASS_LATENCY), BIT(COUNT), 0, CLASS_TRAFFIC},
    {BIT(CLASS_SUCCESS), BIT(NOT), 0, CLASS_SUCCESS}, /* more is worse */
    {BIT(CLASS_ERRORS), BIT(PAGE), 0, CLASS_MEMORY},
    {BIT(CLASS_ERRORS), BIT(NETWORK), 0, CLASS_DROPS},
    {BIT(CLASS_DISK) | VAGUE, BIT(NETWORK), 0, CLASS_BYTES},
    {BIT(CLASS_POOL), BIT(FREE), 0, CLASS_IGNORED},
    {BIT(CLASS_POOL), BIT(MAX), 0, CLASS_LIMIT},
    {BIT(CLASS_POOL), BIT(LIMIT), 0, CLASS_LIMIT},
    {VAGUE, BIT(DURATIONS) | BIT(CLIENT), 0, CLASS_CALLS},
    {VAGUE, BIT(DURATIONS), 0, CLASS_LATENCY},
    {BIT(CLASS_UNKNOWN), BIT(LIMIT), 0, CLASS_LIMIT},
};
/* clang-format on */

enum { ROWS = sizeof(class_words) / sizeof(*class_words) };

struct name_words {
    uint32_t rows; /* bits: a word of this row of class_words is there */
    uint32_t qualifiers;
};

static void take_word(struct name_words *w, const char *word)
{
    for (uint32_t i = 0; i < ROWS; i++)
        if (name_word_is_in(class_words[i].words, word))
            w->rows |= BIT(i);
    for (uint32_t i = 0; i < QUALIFIERS; i++)
        if (name_word_is_in(qualifier_words[i], word))
            w->qualifiers |= BIT(i);
}

static struct name_words split(struct slice name)
{
    struct name_words w = {0, 0};
    char word[NAME_WORD];
    bool is_failure = false; /* 5xx may be written 5_xx */

    while (name_next_word(&name, word)) {
        take_word(&w, is_failure && !strcmp(word, "xx") ? "5xx" : word);
        is_failure = !strcmp(word, "4") || !strcmp(word, "5");
    }
    return w;
}

static bool is_time(struct slice unit)
{
    double factor;

    return unit_quantity(unit, &factor) == QUANTITY_TIME;
}

struct slice metric_bare_name(struct slice name, struct slice component)
{
    if (component.len > 0 && name.len > component.len &&
        slice_starts(name, component))
        return slice_from(name, component.len);
    return name;
}

static enum metric_class by_words(const struct name_words *w)
{
    uint32_t load_average = BIT(LOAD) | BIT(AVERAGE);

    if ((w->qualifiers & load_average) == load_average)
        return CLASS_CPU;
    for (uint32_t i = 0; i < ROWS; i++)
        if (w->rows & BIT(i))
            return class_words[i].class;
    return CLASS_UNKNOWN;
}

static enum metric_class classify(const struct metric *metric,
                                  struct name_words w, bool *less_is_worse)
{
    enum metric_class class = by_words(&w);

    if (metric->type >= METRIC_HISTOGRAM && is_time(metric->unit))
        w.qualifiers |= BIT(DURATIONS);
    *less_is_worse = false;
    for (size_t i = 0; i < sizeof(corrections) / sizeof(*corrections); i++)
        if (corrections[i].classes & BIT(class) &&
            (w.qualifiers & corrections[i].with) == corrections[i].with &&
            !(w.qualifiers & corrections[i].without))
            return corrections[i].result;
    *less_is_worse = class == CLASS_SUCCESS ||
                     (BIT(class) & USED_UP && w.qualifiers & BIT(FREE) &&
                      !(w.qualifiers & BIT(USAGE)));
    return class;
}

enum metric_class metric_class_of(const struct metric *metric,
                                  struct slice bare_name, bool *less_is_worse)
{
    return classify(metric, split(bare_name), less_is_worse);
}

enum metric_class metric_class_of_calls(const struct metric *metric,
                                        struct slice bare_name,
                                        bool *less_is_worse)
{
    struct name_words w = split(bare_name);

    w.qualifiers &= ~BIT(CLIENT);
    return classify(metric, w, less_is_worse);
}

enum metric_side metric_side_of(struct slice bare_name)
{
    struct name_words w = split(bare_name);

    return w.qualifiers & BIT(CLIENT)   ? METRIC_SIDE_CLIENT
           : w.qualifiers & BIT(SERVER) ? METRIC_SIDE_SERVER
                                        : METRIC_SIDE_UNKNOWN;
}
