/*
 * promql_labels - sets of labels: hashes, groups, changes.
 *
 * A set that is made here has its array in the arena it was given; texts are
 * those of the sets it was made of. A full arena gives an empty set, and
 * arena_status() says so.
 */
#ifndef PROMQL_LABELS_H
#define PROMQL_LABELS_H

#include "promql.h"

#define PROMQL_NAME SLICE("__name__")

/* Names that a clause lists: by (...), on (...), ignoring (...). */
struct promql_names {
    const struct slice *at;
    uint32_t count;
};

bool promql_names_have(const struct promql_names *names, struct slice name);

/* Those with (keep) or without these names; drop_name: never __name__. */
struct promql_labels promql_labels_pick(struct arena *arena,
                                        const struct promql_labels *labels,
                                        const struct promql_names *names,
                                        bool keep, bool drop_name);
struct promql_labels promql_labels_nameless(struct arena *arena,
                                            const struct promql_labels *labels);

/* With this label; an empty value removes it. */
struct promql_labels promql_labels_set(struct arena *arena,
                                       const struct promql_labels *labels,
                                       struct slice name, struct slice value);

/* Prometheus 3 takes any text that is not empty. */
bool promql_is_label_name(struct slice name);

/* As messages show them: x{a="b"}. A text with NUL in the arena. */
const char *promql_labels_text(struct arena *arena,
                               const struct promql_labels *labels);

/* A number as messages show it: 0.5, NaN, +Inf. */
enum { PROMQL_NUMBER_TEXT = 32 };
const char *promql_number_text(double v, char text[PROMQL_NUMBER_TEXT]);

#endif
