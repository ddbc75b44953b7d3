/*
 * serve_loss - whether journal and database of the data folder belong together,
 * and whether anything that was acknowledged is missing between them.
 *
 * What is missing is said once in the log, counted
 * (callboard_data_loss_total), and noted in /health until the next start.
 */
#ifndef SERVE_LOSS_H
#define SERVE_LOSS_H

#include "buf.h"
#include "journal.h"
#include "store.h"

enum { LOSS_TEXT = 1024 };

struct serve_loss {
    char text[LOSS_TEXT]; /* empty: nothing is missing */
    uint64_t damaged_after;
    uint64_t read_again; /* messages left to Kafka */
};

/* Before the journal is read back. Gives both the same id; a journal of another
 * database is set aside. */
MUST_CHECK enum status serve_loss_check(struct serve_loss *loss,
                                        struct journal *journal,
                                        struct store *store);

/* True if this entry is to be read from its partition again and not from the
 * journal: it lies behind damage, and the offset in it would hide the message
 * that was there. */
bool serve_loss_reads_again(const struct serve_loss *loss, struct store *store,
                            const struct batch *batch);

/* At a clean stop: the journal may be missing from here on. */
void serve_loss_note_end(struct journal *journal, struct store *store);

/* For /health. */
bool serve_loss_print(const struct serve_loss *loss, struct buf *out);

#endif
