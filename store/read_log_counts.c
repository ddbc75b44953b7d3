/*
 * How many log records match, by time and level. Each block is met once: if all
 * of it lies in one step, and its summary answers the query, it is not opened;
 * else its rows are matched level by level, so that bodies are searched once.
 */
#include "log_blocks.h"

struct log_counting {
    struct reader *reader;
    const struct log_query *query;
    const struct log_counts *out;
};

static uint64_t step_of(const struct log_counts *out, uint64_t ns)
{
    return (ns - out->start_ns) / out->step_ns;
}

static void add(const struct log_counts *out, uint64_t ns, int level,
                uint64_t count)
{
    uint64_t step = step_of(out, ns);

    if (ns >= out->start_ns && step < out->steps)
        out->counts[step][level] += count;
}

static void count_memory(const struct log_counting *c)
{
    struct memtables_cursor cursor = memtables_cursor(c->reader, STREAM_LOGS);
    const struct log_record *log;

    while ((log = memtables_next_log(&cursor)))
        if (match_log(log, c->query))
            add(c->out, log->time_ns, log->level, 1);
}

static enum status count_level(const struct log_counting *c,
                               struct block *block, int level)
{
    struct log_query q = *c->query;
    const uint64_t *times;
    uint64_t *rows, matches;
    enum status status;

    q.levels = 1u << level;
    status = block_match_logs(block, &q, &rows, &matches);
    if (status == OK && matches > 0)
        status = block_times(block, &times);
    if (status != OK || matches == 0)
        return status;
    for (uint32_t word = 0; word < (block_count(block) + 63) / 64; word++)
        for (uint64_t bits = rows[word]; bits; bits &= bits - 1)
            add(c->out, times[64 * word + (uint32_t)__builtin_ctzll(bits)],
                level, 1);
    return OK;
}

static enum status count_rows(const struct log_counting *c,
                              const struct block_row *row,
                              const uint64_t counts[LEVEL_COUNT])
{
    struct open_block open;
    enum status status = block_cursor_open(c->reader, row->id, &open);

    if (status != OK)
        return status;
    for (int level = 0; level < LEVEL_COUNT && status == OK; level++)
        if (counts[level] > 0)
            status = count_level(c, open.block, level);
    block_cursor_close(c->reader, &open);
    return status;
}

static bool in_one_step(const struct log_counting *c,
                        const struct block_row *row)
{
    return log_summary_is_exact(c->query, row) &&
           row->min_ns >= c->out->start_ns &&
           step_of(c->out, row->min_ns) == step_of(c->out, row->max_ns);
}

static enum status visit_block(void *arg, const struct block_row *row,
                               bool *stop)
{
    const struct log_counting *c = arg;
    uint64_t counts[LEVEL_COUNT];
    struct db_stmt stmt;
    struct slice summary;
    enum status status;

    (void)stop;
    if (c->query->levels != 0 && !(c->query->levels & row->levels))
        return OK;
    status = block_summary(c->reader, row->id, &stmt, &summary);
    if (status != OK)
        return status;
    status = log_summary_counts(c->query, summary, counts);
    bool may_match = log_filters_may_match(c->query, summary);
    block_summary_end(&stmt);
    if (status != OK || !may_match)
        return status;
    if (!in_one_step(c, row))
        return count_rows(c, row, counts);
    for (int level = 0; level < LEVEL_COUNT; level++)
        add(c->out, row->min_ns, level, counts[level]);
    return OK;
}

enum status embedded_count_logs(struct reader *reader,
                                const struct log_query *query,
                                const struct log_counts *out)
{
    struct log_counting c = {reader, query, out};

    count_memory(&c);
    return reader_status(
        reader,
        block_walk_each(block_walk(reader, WALK_OLDEST,
                                   query->events ? KIND_EVENTS : KIND_LOGS,
                                   query->start_ns, query->end_ns),
                        visit_block, &c));
}
