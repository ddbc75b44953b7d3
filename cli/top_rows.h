/*
 * top_rows - the components that `callboard top` shows: answers of
 * /api/v1/components as rows, which of them are shown, in which order.
 */
#ifndef TOP_ROWS_H
#define TOP_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum top_column {
    TOP_NAME,
    TOP_RATE,
    TOP_ERRORS,
    TOP_P50,
    TOP_P99,
    TOP_CPU,
    TOP_CPU_SHARE, /* of the limit */
    TOP_MEMORY,
    TOP_MEMORY_SHARE,
    TOP_RESTARTS,
    TOP_TREND,
    TOP_COLUMNS
};

/* As on the component page: under 20 requests there is no judgement. */
enum top_health { TOP_OK, TOP_SILENT, TOP_WARNING, TOP_BAD };

struct top_row {
    const char *namespace, *project, *component, *environment;
    double values[TOP_COLUMNS]; /* NAN: not known */
    const json_t *trend;        /* requests per second */
    enum top_health health;
};

/* All zero: empty. */
struct top_rows {
    struct top_row *at;
    uint32_t count, room;
    json_t **answers; /* the rows point into them */
    uint32_t answer_count, answer_room;
};

/* Adds the components of an answer, which it takes over. */
void top_rows_add(struct top_rows *rows, json_t *answer);
void top_rows_release(struct top_rows *rows);

/* What is shown; "": all. */
struct top_choice {
    char filter[128]; /* part of a name, in any case */
    char project[256], environment[256];
    enum top_column sort;
    bool reverse;
};

/* Rows of the choice in their order, from malloc; *count of them. Unknown
 * values come last either way. */
uint32_t *top_rows_choose(const struct top_rows *rows,
                          const struct top_choice *choice, uint32_t *count);

enum top_name_kind { TOP_NAMESPACE, TOP_PROJECT, TOP_ENVIRONMENT };

/* The name after `current` in their order; "" after the last one. */
const char *top_rows_next(const struct top_rows *rows, enum top_name_kind kind,
                          const char *current);
/* Whether rows differ in it. */
bool top_rows_many(const struct top_rows *rows, enum top_name_kind kind);

#endif
