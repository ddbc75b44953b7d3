/*
 * serve_loss - checks at start that the journal and the database of the data
 * directory belong together and that no acknowledged data is missing.
 *
 * A loss is logged, counted (callboard_data_loss_total), and shown in /health
 * until the next start.
 */
#ifndef SERVE_LOSS_H
#define SERVE_LOSS_H

#include "buf.h"
#include "journal.h"
#include "store.h"

enum { LOSS_TEXT = 1024 };

struct serve_loss {
    char text[LOSS_TEXT]; /* empty: no loss */
    uint64_t damaged_after;
    uint64_t read_again; /* messages to be read from Kafka again */
};

/* Before the replay. Gives both the same id; the journal of another database is
 * set aside. */
MUST_CHECK enum status serve_loss_check(struct serve_loss *loss,
                                        struct journal *journal,
                                        struct store *store);

/* True if a journal entry is skipped, because its message will be read from
 * Kafka again: it comes after damage, and its offset would hide the messages
 * that were damaged. */
bool serve_loss_reads_again(const struct serve_loss *loss, struct store *store,
                            const struct batch *batch);

/* At a clean stop: from now on the journal may be missing. */
void serve_loss_note_end(struct journal *journal, struct store *store);

/* For /health. */
bool serve_loss_print(const struct serve_loss *loss, struct buf *out);

#endif
