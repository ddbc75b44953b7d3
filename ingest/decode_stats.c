#include "decode_stats.h"

#include "stats.h"

static uint8_t fixed_of(const struct batch *batch, uint32_t i)
{
    switch (batch->signal) {
    case SIGNAL_SPANS:
        return batch->spans[i].fixed;
    case SIGNAL_LOGS:
        return batch->logs[i].fixed;
    default:
        return batch->points[i].fixed;
    }
}

void decode_stats_add(const struct batch *batch)
{
    uint32_t times = 0, ends = 0;

    for (uint32_t i = 0; i < batch->count; i++) {
        uint8_t fixed = fixed_of(batch, i);

        times += (fixed & FIXED_TIME) != 0;
        ends += (fixed & FIXED_END) != 0;
    }
    stats_add(STATS_CUT_VALUES, batch->cut);
    stats_add(STATS_FIXED_TIMES, times);
    stats_add(STATS_FIXED_ENDS, ends);
    stats_add(STATS_REJECTED_OLD, batch->rejected_old);
}
