#include "block_write.h"

static bool is_empty(const struct block_write *write)
{
    return store_block_rows(write->block) == 0;
}

static enum status commit(struct block_write *write, bool announce)
{
    const struct partition_options *o = write->options;
    bool saved = write->saves && !announce;
    struct block_note note = {.has_checkpoint = write->has_checkpoint || saved,
                              .checkpoint =
                                  saved ? write->to : write->checkpoint,
                              .announced = announce,
                              .to = write->to,
                              .idle_ns = announce ? write->idle_ns : 0};
    char text[BLOCK_NOTE_SIZE];
    struct partition_commit made = {.epoch = write->epoch,
                                    .offset =
                                        announce ? write->from : write->to,
                                    .stored = !announce};

    block_note_write(&note, text);
    made.metadata = slice_of(text);
    return o->commit(o->commit_arg, &made);
}

static enum status try_step(struct block_write *write)
{
    switch (write->step) {
    case BLOCK_ANNOUNCE:
        return commit(write, true);
    case BLOCK_WRITE:
        return store_block_write(write->block, slice_of(write->token),
                                 &write->cancelled);
    default:
        return commit(write, false);
    }
}

static enum status run(struct partition_job *job)
{
    struct block_write *write = (struct block_write *)(void *)job;

    while (write->step != BLOCK_DONE) {
        enum status status = write->cancelled ? ERR_STOPPING : try_step(write);

        if (status == ERR_CANCELLED && write->cancelled)
            status = ERR_STOPPING;
        if (status != OK)
            return status;
        job->failures = 0;
        write->step++;
    }
    return OK;
}

void block_write_begin(struct block_write *write, bool announced)
{
    write->job.run = run;
    if (is_empty(write))
        write->step = write->saves ? BLOCK_WRITE : BLOCK_COMMIT;
    else
        write->step = announced ? BLOCK_WRITE : BLOCK_ANNOUNCE;
}
