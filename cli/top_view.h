/*
 * top_view - the screen of `callboard top` as lines of text.
 */
#ifndef TOP_VIEW_H
#define TOP_VIEW_H

#include "term_line.h"
#include "top_state.h"

/* What is known besides the rows. */
struct top_facts {
    const char *server;
    const char *error;    /* why there is no newer answer; "" if there is one */
    uint64_t answered_ns; /* wall clock; 0: never */
    uint64_t now_ns;
    double window_s, interval_s;
    const json_t *component; /* the page of the selected one, or NULL */
    json_t *const *logs;     /* oldest first */
    uint32_t log_count;
};

/* At most look->rows lines of at most look->columns columns. */
void top_view(struct buf *out, const struct term_look *look,
              struct top_state *state, const struct top_rows *rows,
              const struct top_facts *facts);

/* The table alone, with all rows. */
void top_view_table(struct buf *out, const struct term_look *look,
                    struct top_state *state, const struct top_rows *rows);

#endif
