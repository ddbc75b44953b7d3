#include "log_blocks.h"

bool log_inside_times(const struct log_query *q, const struct block_row *row)
{
    return row->min_ns >= q->start_ns && row->max_ns < q->end_ns;
}

bool log_summary_is_exact(const struct log_query *q,
                          const struct block_row *row)
{
    return log_inside_times(q, row) && q->phrase.len == 0 &&
           q->word_count == 0 && q->attr_count == 0 && q->any_count == 0 &&
           !q->trace_id && !q->span_id;
}

bool log_filters_may_match(const struct log_query *q, struct slice summary)
{
    if (q->trace_id && !id_is_zero(q->trace_id, 16) &&
        !summary_may_have_trace(summary, q->trace_id))
        return false;
    if (q->phrase.len > 0 && !summary_may_have_phrase(summary, q->phrase))
        return false;
    for (uint32_t i = 0; i < q->word_count; i++)
        if (!summary_may_have_word(summary, q->words[i]))
            return false;
    return true;
}

enum status log_summary_counts(const struct log_query *q, struct slice summary,
                               uint64_t counts[LEVEL_COUNT])
{
    memset(counts, 0, LEVEL_COUNT * sizeof(*counts));
    if (!summary_counts(summary, q->resources, counts))
        return ERR_CORRUPT;
    for (int level = 0; level < LEVEL_COUNT; level++)
        if (q->levels != 0 && !(q->levels >> level & 1))
            counts[level] = 0;
    return OK;
}
