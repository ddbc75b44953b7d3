/*
 * log_patterns - log records of a search, grouped by their pattern: the
 * constant text of template.h, which is also what is counted at ingest.
 *
 * Without filters but levels the counts are those of the derived series, exact
 * for any window. With others the matching lines are read, the newest up to a
 * bound, and counted by their own templates.
 */
#ifndef LOG_PATTERNS_H
#define LOG_PATTERNS_H

#include "log_reply.h"
#include "log_templates.h"
#include "map.h"

enum {
    PATTERN_LINES = 20000,  /* that are read, at most */
    PATTERN_COMPONENTS = 5, /* of a pattern, that are named */
    PATTERN_BARS = 60,      /* of the histogram, at most */
    PATTERN_EXAMPLES = 100,
};

struct pattern_component {
    const struct identity *identity;
    double count;
};

struct pattern_example {
    uint64_t time_ns; /* 0: there is none */
    struct slice log;
    const struct identity *identity;
    uint8_t trace_id[16], span_id[8];
};

struct log_pattern {
    uint64_t key;
    struct slice text, id;
    uint8_t level; /* enum level */
    double count, before;
    uint64_t first_ns, last_ns;
    struct pattern_component components[PATTERN_COMPONENTS];
    uint32_t component_count; /* that log it */
    struct pattern_example example;
    bool joined; /* it is counted in another */
};

struct log_patterns {
    struct query_request *request;
    struct scope_filter scope;
    struct window window;
    struct log_query query; /* filters, window, resources */
    struct log_ids ids;
    bool filtered; /* by more than scope, window and levels */

    struct log_pattern *at;
    uint32_t count, room;
    struct map index;
    double levels[LEVEL_COUNT], total;
    struct grid bars;
    double (*bar_counts)[LEVEL_COUNT];
    struct log_record *lines; /* newest first */
    uint32_t line_count;
    bool truncated; /* there are more lines than were read */
};

/* By level and pattern, in the arena; NULL: it is full. */
struct log_pattern *log_pattern_at(struct log_patterns *p, uint64_t id,
                                   uint8_t level);
void log_pattern_component(struct log_pattern *pattern,
                           const struct identity *identity, double count);

/* Has answered with query_fail on failure. */
MUST_CHECK enum status log_patterns_read(struct log_patterns *p);
/* An example of each of the first `shown` patterns that has none yet. */
MUST_CHECK enum status log_patterns_examples(struct log_patterns *p,
                                             uint32_t shown);

#endif
