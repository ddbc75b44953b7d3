#include "decode_stats.h"

#include "stats.h"

static uint8_t fixed_of(const struct batch *batch, uint32_t i)
{
    switch (batch->signal) {
    case SIGNAL_SPANS:
        return batch->spans[i].corrected;
    case SIGNAL_LOGS:
        return batch->logs[i].corrected;
    default:
        return batch->points[i].corrected;
    }
}

void decode_stats_add(const struct batch *batch)
{
    uint32_t times = 0, ends = 0;

    for (uint32_t i = 0; i < batch->count; i++) {
        uint8_t corrected = fixed_of(batch, i);

        times += (corrected & CORRECTED_TIME) != 0;
        ends += (corrected & CORRECTED_END) != 0;
    }
    stats_add(STATS_ATTRIBUTES_TRUNCATED, batch->truncated);
    stats_add(STATS_CORRECTED_TIMES, times);
    stats_add(STATS_CORRECTED_ENDS, ends);
    stats_add(STATS_REJECTED_OLD, batch->rejected_old);
}
