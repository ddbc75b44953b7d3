/* Spans in the order they are drawn; see waterfall_tree.h. */
#include "waterfall_tree.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli_int.h"
#include "hash.h"
#include "mem.h"

enum { FOLD = 3 }; /* so many equal calls in a row are one line */

const struct waterfall_note waterfall_notes[WATERFALL_NOTES] = {
    {'E', NULL, "failed"},
    {'M', "missing", "not received, known as a parent only"},
    {'H', "hidden", "of a component that may not be seen"},
    {'S', "clockOffsetNs", "its clock differs, drawn by that of the root"},
    {'A', "asynchronous", "its caller did not wait for it"},
    {'C', "parentCycle", "its parent is below it"},
    {'D', "duplicateId", "its id occurs twice"}};

bool waterfall_failed(const json_t *span)
{
    const char *code = cli_text(json_object_get(span, "status"), "code");

    return strcasecmp(code, "error") == 0;
}

bool waterfall_has_note(const json_t *span, size_t i)
{
    const char *member = waterfall_notes[i].member;
    const json_t *value = json_object_get(span, member);

    return member ? value && !json_is_false(value) : waterfall_failed(span);
}

static uint64_t mix_text(uint64_t seed, const char *text)
{
    return hash_mix(hash_bytes(text, strlen(text), 0), seed);
}

/* A span with log lines or notes is like no other. */
static uint64_t own_signature(const struct bar_span *span, uint32_t index)
{
    const json_t *json = span->json;
    uint64_t sum = mix_text(1, cli_text(json, "component"));

    sum = mix_text(sum, cli_text(json, "spanName"));
    sum = mix_text(sum, cli_text(json, "spanKind"));
    if (json_array_size(json_object_get(json, "logs")) > 0)
        sum = hash_mix(index, sum);
    for (size_t i = 0; i < WATERFALL_NOTES; i++)
        sum = hash_mix(waterfall_has_note(json, i), sum);
    return sum;
}

/* Spans come in the order of a walk, each with its depth. */
static void load(struct waterfall *w, const json_t *list)
{
    uint32_t depth = 0;

    w->count = (uint32_t)json_array_size(list);
    w->spans = mem_zero(w->count + 1, sizeof(*w->spans));
    for (uint32_t i = 0; i < w->count; i++) {
        const json_t *json = json_array_get(list, i);
        double given = cli_number_or_0(json, "depth");

        if (given > depth)
            depth = i > 0 ? depth + 1 : 0;
        else
            depth = given > 0 ? (uint32_t)given : 0;
        w->spans[i] =
            (struct bar_span){.json = json,
                              .depth = depth,
                              .after = w->count,
                              .offset = cli_number_or_0(json, "offsetNs"),
                              .duration = cli_number_or_0(json, "durationNs")};
        w->deepest = depth > w->deepest ? depth : w->deepest;
    }
}

/* By the clock of the root: a clock that is wrong would move spans out of their
 * parents, and an hour of difference make all bars dots. */
static void correct_clocks(struct waterfall *w)
{
    double first = 0, last = 0;
    bool skewed = false;

    for (uint32_t i = 0; i < w->count; i++) {
        struct bar_span *span = &w->spans[i];

        span->shift = cli_number_or_0(span->json, "clockOffsetNs");
        span->offset -= span->shift;
        skewed |= span->shift != 0;
        if (i == 0 || span->offset < first)
            first = span->offset;
        if (i == 0 || span->offset + span->duration > last)
            last = span->offset + span->duration;
    }
    if (!skewed)
        return;
    w->length = last - first;
    for (uint32_t i = 0; i < w->count; i++) {
        w->spans[i].offset -= first;
        w->spans[i].shift += first;
    }
}

static void link_tree(struct waterfall *w)
{
    uint64_t *below = mem_zero(w->deepest + 2, sizeof(*below));
    uint32_t depth = 0;

    for (uint32_t i = 0; i < w->count; i++) {
        for (uint32_t d = w->spans[i].depth; i > 0 && d <= depth; d++)
            w->spans[w->open[d]].after = i;
        depth = w->spans[i].depth;
        w->open[depth] = i;
    }
    for (uint32_t i = w->count; i-- > 0;) {
        struct bar_span *span = &w->spans[i];

        span->signature =
            hash_mix(own_signature(span, i), below[span->depth + 1]);
        below[span->depth + 1] = 0;
        below[span->depth] = hash_mix(span->signature, below[span->depth]);
    }
    free(below);
}

uint32_t waterfall_equal(const struct waterfall *w, uint32_t i, uint32_t *next)
{
    const struct bar_span *first = &w->spans[i];
    uint32_t count = 1, at = first->after;

    while (!w->all && at < w->count && w->spans[at].depth == first->depth &&
           w->spans[at].signature == first->signature) {
        at = w->spans[at].after;
        count++;
    }
    *next = count >= FOLD ? at : i + 1;
    return count >= FOLD ? count : 1;
}

void waterfall_load(struct waterfall *w, const json_t *list)
{
    load(w, list);
    correct_clocks(w);
    w->open = mem_zero(w->deepest + 2, sizeof(*w->open));
    w->more = mem_zero(w->deepest + 3, sizeof(*w->more));
    link_tree(w);
}

void waterfall_release(struct waterfall *w)
{
    free(w->open);
    free(w->more);
    free(w->spans);
}
