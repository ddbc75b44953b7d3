#include "partition_task.h"

#include <stdio.h>
#include <stdlib.h>

#include "byte_reader.h"
#include "clock.h"
#include "log.h"
#include "mem.h"

/* A partition without messages for so long may be idle. */
#define IDLE_NS (2 * NS_PER_S)
/* Until what other instances added to the registry before the checkpoint is
 * known here. */
#define LEARN_NS NS_PER_S

enum { STATE_VERSION = 1, STATE_MAX = 64 << 20 };

static enum task_phase phase_of(const struct partition_task *task)
{
    return (enum task_phase)task->phase;
}

static struct store_block *new_block(const struct partition_task *task)
{
    const struct partition_options *o = &task->context->options;

    return store_block_new(o->store, slice_of(task->topic), task->partition,
                           o->budget);
}

/* ---- closing a block ---- */

static void save_state(struct partition_task *task)
{
    struct buf state;

    buf_init(&state, STATE_MAX);
    buf_varint(&state, STATE_VERSION);
    buf_varint(&state, task->idle_ns);
    correlator_save(task->correlator, &state);
    store_block_set_checkpoint(task->open, task->next, buf_slice(&state));
    buf_release(&state);
}

static bool is_checkpoint_due(const struct partition_task *task)
{
    uint64_t now = task->newest_ns, then = task->checkpoint_ns;

    if (task->has_checkpoint && task->checkpoint == task->next)
        return false;
    return task->finishing || !task->has_checkpoint ||
           (now > then ? now - then : then - now) >=
               task->context->options.checkpoint_ns;
}

/* idle_ns: of a block without messages, else 0. repeated: it was announced. */
static void close_block(struct partition_task *task, uint64_t to,
                        uint64_t idle_ns, bool repeated)
{
    struct block_write *write = mem_zero(1, sizeof(*write));

    correlator_flush(task->correlator);
    task->next = to;
    task->idle_ns = idle_ns;
    *write =
        (struct block_write){.options = &task->context->options,
                             .block = task->open,
                             .epoch = task->epoch,
                             .from = task->from,
                             .to = to,
                             .idle_ns = idle_ns,
                             .has_checkpoint = task->has_checkpoint,
                             .checkpoint = task->checkpoint,
                             .saves = idle_ns > 0 || is_checkpoint_due(task),
                             .newest_ns = task->newest_ns};
    block_token_write(slice_of(task->topic), task->partition, task->from, to,
                      task->first_ns, idle_ns, write->token);
    if (write->saves)
        save_state(task);
    block_write_begin(write, repeated);
    task->writing = write;
    task->open = new_block(task);
    task->from = to;
    task->messages = 0;
    task->first_ns = 0;
    partition_jobs_add(&task->context->jobs, &write->job);
}

static void free_write(struct partition_task *task)
{
    store_block_free(task->writing->block);
    free(task->writing);
    task->writing = NULL;
}

/* The block is stored, or it is not ours any more. */
static void end_write(struct partition_task *task)
{
    struct block_write *write = task->writing;
    struct task_context *context = task->context;

    if (write->step != BLOCK_DONE) {
        context->counters.refused++;
        log_warn("partition", "lost while a block was stored",
                 log_text("topic", task->topic),
                 log_uint("partition", task->partition),
                 log_uint("from", write->from), log_uint("to", write->to));
        partition_task_end(task);
        return;
    }
    if (write->saves) {
        task->has_checkpoint = true;
        task->checkpoint = write->to;
        task->checkpoint_ns = write->newest_ns;
        context->counters.checkpoints++;
    }
    context->counters.blocks += write->idle_ns == 0;
    context->counters.idle_blocks += write->idle_ns > 0;
    context->counters.rows += store_block_rows(write->block);
    free_write(task);
}

/* ---- the output of the correlator ---- */

static void add_output(void *arg, struct batch *batch)
{
    struct partition_task *task = arg;

    if (phase_of(task) != TASK_CATCHING_UP)
        store_block_add(task->open, batch);
    batch_free(batch);
}

/* ---- start ---- */

static enum status load(struct partition_job *job)
{
    struct task_load *load = (struct task_load *)(void *)job;
    const struct partition_task *task = load->task;
    enum status status;

    if (load->cancelled)
        return ERR_STOPPING;
    arena_reset(&load->arena);
    status = store_load_checkpoint(
        task->context->options.store, slice_of(task->topic), task->partition,
        task->note.checkpoint, &load->arena, &load->state);
    load->missing = status == ERR_NOT_FOUND;
    return load->missing ? OK : status;
}

struct partition_task *partition_task_new(
    struct task_context *context, const struct partition_assignment *assignment)
{
    struct partition_task *task = mem_zero(1, sizeof(*task));

    task->context = context;
    snprintf(task->topic, sizeof(task->topic), "%.*s",
             SLICE_ARGS(assignment->topic));
    task->partition = assignment->partition;
    task->epoch = assignment->epoch;
    task->committed = assignment->committed;
    task->note = block_note_read(assignment->metadata, assignment->committed);
    arena_init(&task->load.arena, NULL, SIZE_MAX);
    task->load.task = task;
    task->load.job.run = load;
    if (task->note.has_checkpoint)
        partition_jobs_add(&context->jobs, &task->load.job);
    else
        task->load.job.done = task->load.missing = true;
    return task;
}

void partition_task_free(struct partition_task *task)
{
    if (task->writing)
        free_write(task);
    store_block_free(task->open);
    correlator_close(task->correlator);
    arena_release(&task->load.arena);
    free(task);
}

static void open_correlator(struct partition_task *task)
{
    const struct partition_options *o = &task->context->options;
    struct correlator_options options = o->correlator;
    enum status status;

    options.append = add_output;
    options.append_arg = task;
    options.changes = task->context->changes;
    status = correlator_open(&task->correlator, &options, o->store, o->registry,
                             o->catalog);
    if (status != OK) /* nothing of it reads the store */
        abort();
}

/* Of the checkpoint, with when it was idle; false: it cannot be used. */
static bool restore(struct partition_task *task)
{
    struct byte_reader in = byte_reader_over(task->load.state);
    enum status status = ERR_NOT_FOUND;

    if (!task->load.missing) {
        status =
            byte_reader_varint(&in) == STATE_VERSION ? OK : ERR_UNSUPPORTED;
        task->idle_ns = byte_reader_varint(&in);
    }
    if (status == OK)
        status = correlator_restore(
            task->correlator, (struct slice){in.at, byte_reader_left(&in)});
    if (status == OK)
        return true;
    log_error(
        "partition",
        "the saved state cannot be used: calls in progress may be counted "
        "apart",
        log_text("topic", task->topic), log_uint("partition", task->partition),
        log_uint("offset", task->note.checkpoint),
        log_text("reason", status_text(status)));
    correlator_close(task->correlator);
    open_correlator(task);
    return false;
}

/* All before the committed offset is done. */
static void reach_committed(struct partition_task *task)
{
    const struct block_note *note = &task->note;

    correlator_flush(task->correlator); /* the last owner stored it */
    task->from = task->next = task->committed;
    task->messages = 0;
    task->first_ns = 0;
    task->phase = note->announced ? TASK_REPEATING : TASK_RUNNING;
    if (!note->announced || note->idle_ns == 0)
        return;
    /* The state is the last thing that an idle block stores: if it is there,
     * this only commits. */
    if (task->idle_ns != note->idle_ns)
        correlator_expire(task->correlator, note->idle_ns);
    close_block(task, task->committed, note->idle_ns, true);
    task->phase = TASK_RUNNING;
}

static void begin(struct partition_task *task)
{
    bool restored = false;

    open_correlator(task);
    if (task->note.has_checkpoint)
        restored = restore(task);
    task->has_checkpoint = restored;
    task->checkpoint = task->note.checkpoint;
    task->open = new_block(task);
    task->next = restored ? task->note.checkpoint : task->committed;
    task->phase = TASK_CATCHING_UP;
    arena_release(&task->load.arena);
    log_info("partition", "taken over", log_text("topic", task->topic),
             log_uint("partition", task->partition),
             log_uint("checkpoint", task->next),
             log_uint("committed", task->committed),
             log_uint("announced",
                      task->note.announced ? task->note.to : task->committed));
    task->context->counters.takeovers++;
    task->start_offset = task->next;
    task->started = true;
    if (task->next == task->committed)
        reach_committed(task);
}

/* ---- messages ---- */

static bool is_large(const struct partition_task *task)
{
    const struct partition_options *o = &task->context->options;

    return store_block_rows(task->open) >= o->block_rows ||
           store_block_bytes(task->open) >= o->block_bytes;
}

static void close_repeated(struct partition_task *task)
{
    uint64_t next = task->next;

    close_block(task, task->note.to, 0, true);
    task->phase = TASK_RUNNING;
    if (next > task->next)
        task->next = next;
}

/* What has to happen before a message at this offset is taken. */
static void before(struct partition_task *task, uint64_t offset)
{
    if (phase_of(task) == TASK_CATCHING_UP && offset >= task->committed)
        reach_committed(task);
    if (phase_of(task) == TASK_REPEATING && offset >= task->note.to)
        close_repeated(task);
}

static void after(struct partition_task *task)
{
    if (phase_of(task) == TASK_CATCHING_UP && task->next >= task->committed)
        reach_committed(task);
    if (phase_of(task) == TASK_REPEATING && task->next >= task->note.to)
        close_repeated(task);
    if (phase_of(task) != TASK_RUNNING || !is_large(task))
        return;
    if (!task->writing)
        close_block(task, task->next, 0, false);
    else
        task->full = true;
}

void partition_task_take(struct partition_task *task, struct batch *batch,
                         uint64_t now_ns)
{
    uint64_t offset = batch->source->offset;

    if (!task->started || phase_of(task) == TASK_GONE || offset < task->next) {
        batch_done(batch, ERR_STOPPING);
        batch_free(batch);
        return;
    }
    before(task, offset);
    if (phase_of(task) == TASK_CATCHING_UP)
        task->context->counters.read_again++;
    if (task->messages++ == 0) {
        task->first_ns = batch->received_ns;
        task->opened_ns = now_ns;
    }
    task->newest_ns = batch->received_ns;
    task->last_ns = now_ns;
    task->idle_ns = 0;
    task->waits_known = false;
    batch->lsn = offset + 1;
    correlator_take(task->correlator, batch);
    task->next = offset + 1;
    after(task);
}

/* ---- between messages ---- */

static bool is_old(const struct partition_task *task, uint64_t now_ns)
{
    return task->messages > 0 &&
           now_ns - task->opened_ns >= task->context->options.block_age_ns;
}

/* Looks through all that waits, so only once after the last message. */
static uint64_t last_waits_since(struct partition_task *task)
{
    if (!task->waits_known)
        task->waits_since_ns = correlator_last_waits_since(task->correlator);
    task->waits_known = true;
    return task->waits_since_ns;
}

static void close_if_idle(struct partition_task *task, uint64_t now_ns,
                          uint64_t wall_ns)
{
    uint64_t last_ns, over_ns;

    if (task->messages > 0 || now_ns - task->last_ns < IDLE_NS)
        return;
    last_ns = last_waits_since(task);
    /* Not later than needed: where reading is behind, older messages may still
     * come, and must find what was counted too early. */
    over_ns = last_ns + task->context->options.correlator.edge_wait_ns;
    if (last_ns == 0 || over_ns > wall_ns)
        return;
    correlator_expire(task->correlator, over_ns);
    task->waits_known = false;
    close_block(task, task->next, over_ns, false);
}

static bool has_unsaved(const struct partition_task *task)
{
    return task->messages > 0 ||
           !(task->has_checkpoint && task->checkpoint == task->next);
}

static void close_if_due(struct partition_task *task, uint64_t now_ns,
                         uint64_t wall_ns, bool pressure)
{
    if (task->finishing) {
        if (has_unsaved(task))
            close_block(task, task->next, 0, false);
        return;
    }
    if (is_large(task) || is_old(task, now_ns) ||
        (pressure && store_block_rows(task->open) > 0))
        close_block(task, task->next, 0, false);
    else
        close_if_idle(task, now_ns, wall_ns);
}

void partition_task_tick(struct partition_task *task, uint64_t now_ns,
                         uint64_t wall_ns, bool pressure)
{
    if (phase_of(task) == TASK_LOADING && task->load.job.done) {
        if (task->loaded_ns == 0)
            task->loaded_ns = now_ns;
        if (task->load.missing || !task->context->options.learn ||
            now_ns - task->loaded_ns >= LEARN_NS)
            begin(task);
    }
    if (task->writing && task->writing->job.done)
        end_write(task);
    if (phase_of(task) != TASK_RUNNING || task->writing)
        return;
    close_if_due(task, now_ns, wall_ns, pressure);
    task->full = task->writing && is_large(task);
}

/* ---- end ---- */

void partition_task_finish(struct partition_task *task)
{
    task->finishing = true;
}

bool partition_task_is_finished(const struct partition_task *task)
{
    return phase_of(task) == TASK_GONE ||
           (phase_of(task) == TASK_RUNNING && !task->writing &&
            !has_unsaved(task)) ||
           /* Not yet where the last owner was: nothing new to store. */
           ((phase_of(task) == TASK_LOADING ||
             phase_of(task) == TASK_CATCHING_UP ||
             phase_of(task) == TASK_REPEATING) &&
            !task->writing);
}

void partition_task_end(struct partition_task *task)
{
    task->phase = TASK_GONE;
    task->load.cancelled = true;
    if (task->writing)
        task->writing->cancelled = true;
    store_block_free(task->open);
    task->open = NULL;
    correlator_close(task->correlator);
    task->correlator = NULL;
}

bool partition_task_is_over(const struct partition_task *task)
{
    return phase_of(task) == TASK_GONE && task->load.job.done &&
           (!task->writing || task->writing->job.done);
}
