/*
 * What operators are told: /metrics and /health.
 */
#include "clock.h"
#include "partition_int.h"

/* A write that fails once is no news. */
#define NOTE_NS (3 * NS_PER_S)

bool partition_note(struct partition_tasks *tasks, struct buf *out)
{
    enum status failure;
    uint64_t since_ns, now_ns = clock_monotonic_ns();
    uint32_t failing =
        partition_jobs_failing(&tasks->context.jobs, &failure, &since_ns);

    if (failing == 0 || now_ns - since_ns < NOTE_NS)
        return false;
    buf_format(out,
               "partitions: the store takes no blocks (%s); %u wait, for %llu "
               "s; reading goes on when it does",
               status_text(failure), failing,
               (unsigned long long)((now_ns - since_ns) / NS_PER_S));
    return true;
}

static void print(struct buf *out, const char *name, const char *type,
                  const char *help, unsigned long long value)
{
    buf_format(out,
               "# HELP callboard_partition_%s %s\n"
               "# TYPE callboard_partition_%s %s\n"
               "callboard_partition_%s %llu\n",
               name, help, name, type, name, value);
}

void partition_print(struct partition_tasks *tasks, struct buf *out)
{
    struct task_context *c = &tasks->context;
    uint32_t running = 0;

    pthread_mutex_lock(&tasks->lock);
    for (uint32_t i = 0; i < tasks->count; i++)
        running += tasks->at[i]->phase == TASK_RUNNING;
    pthread_mutex_unlock(&tasks->lock);
    print(out, "tasks", "gauge",
          "Partitions of this instance that are where their last owner was.",
          running);
    print(out, "blocks_total", "counter", "Blocks with messages stored.",
          c->counters.blocks);
    print(out, "idle_blocks_total", "counter",
          "Blocks stored because calls had waited long enough.",
          c->counters.idle_blocks);
    print(out, "rows_total", "counter", "Rows of these blocks.",
          c->counters.rows);
    print(out, "checkpoints_total", "counter", "States of partitions stored.",
          c->counters.checkpoints);
    print(out, "takeovers_total", "counter", "Partitions taken over.",
          c->counters.takeovers);
    print(out, "read_again_total", "counter",
          "Messages read again to come to the state of the last owner.",
          c->counters.read_again);
    print(out, "lost_blocks_total", "counter",
          "Blocks left to another owner, since the partition was lost.",
          c->counters.refused);
    print(out, "retries_total", "counter",
          "Times that storing or loading failed and was tried again.",
          c->jobs.retries);
    print(out, "jobs_waiting", "gauge",
          "Blocks and states that are being stored or loaded.",
          partition_jobs_count(&c->jobs));
}
