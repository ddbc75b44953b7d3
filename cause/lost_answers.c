/*
 * Calls whose answer was not recorded, although it usually is: the spans of the
 * callee are lost, or it is silent. The time of such a call is time of the
 * callee, not of the caller itself.
 */
#include "hash.h"
#include "trace_sample.h"

struct answer_counts {
    struct interned_terms keys; /* component and name of a call */
    struct answer_count {
        uint32_t calls, answered;
    } * at;
    uint32_t room;
};

static bool is_answered(const struct trace_sample *s,
                        const struct rca_span *span)
{
    for (uint32_t i = span->first_child; i != NO_INDEX;
         i = s->spans[i].next_sibling)
        if (s->spans[i].component != span->component)
            return true;
    return false;
}

/* Calls of one name may go to several callees: the request tells them apart. */
static uint64_t key_of(const struct trace_sample *s,
                       const struct rca_span *span)
{
    return hash_mix(hash_mix(span->component, span->name),
                    s->spans[span->request].name);
}

static bool is_call(const struct rca_span *span)
{
    return span->kind == SPAN_CLIENT && span->component != NO_INDEX;
}

static bool count_calls(struct answer_counts *counts,
                        const struct trace_sample *s, struct arena *arena)
{
    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct rca_span *span = &s->spans[i];

        if (!is_call(span))
            continue;
        uint32_t known = counts->keys.count;
        uint32_t n = terms_add_key(&counts->keys, key_of(s, span));
        struct answer_count *at =
            n == NO_INDEX ? NULL
                          : arena_append(arena, &counts->at, n, &counts->room);
        if (!at)
            return false;
        if (n == known)
            *at = (struct answer_count){0};
        at->calls++;
        at->answered += is_answered(s, span);
    }
    return true;
}

bool trace_find_lost_answers(struct trace_samples *samples)
{
    struct answer_counts counts = {0};

    if (!terms_init(&counts.keys, samples->arena) ||
        !count_calls(&counts, &samples->period[BASELINE], samples->arena))
        return false;
    for (int p = 0; p < PERIODS; p++) {
        struct trace_sample *s = &samples->period[p];

        for (uint32_t i = 0; i < s->span_count; i++) {
            struct rca_span *span = &s->spans[i];
            uint32_t n = is_call(span)
                             ? terms_find(&counts.keys, key_of(s, span))
                             : NO_INDEX;

            span->lost_answer =
                n != NO_INDEX &&
                2 * counts.at[n].answered >= counts.at[n].calls &&
                !is_answered(s, span);
        }
    }
    return true;
}
