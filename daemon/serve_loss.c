/*
 * The store knows up to which entry it has the data of the journal (the
 * watermark of each stream). The journal is truncated only up to the watermark
 * of the derived stream, so if
 *
 *   its first file begins later    the entries between are lost: the database
 *                                  is new, or an older copy
 *   it ends before a watermark     it was lost or emptied, or is an older copy:
 *                                  the data after the last commit is lost
 *   its id is different            it belongs to another database
 *
 * At a clean stop the database holds all data and records this as the text
 * journal.end: then it can be moved without its journal. At the next start that
 * record is removed, and the journal's id is saved, before any request is
 * acknowledged. So a database that has an id and was not stopped must have a
 * journal, even if nothing was committed yet.
 */
#include "serve_loss.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "serve_int.h"
#include "stats.h"

#define NO_ENTRY UINT64_MAX /* journal.end of an empty journal */

struct watermarks {
    uint64_t highest, derived;
};

static struct watermarks watermarks_of(struct store *store)
{
    struct watermarks w = {0, store_watermark(store, STREAM_DERIVED)};

    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        uint64_t mark = store_watermark(store, (enum stream)stream);

        w.highest = mark > w.highest ? mark : w.highest;
    }
    return w;
}

/* ---- numbers saved in the store; 0: never saved ---- */

static enum status load_number(struct store *store, const char *name,
                               uint64_t *number)
{
    size_t len;

    *number = 0;
    return serve_load_value(store, name, number, sizeof(*number), &len);
}

static void save_number(struct store *store, const char *name, uint64_t number)
{
    metadata_save_value(store_metadata(store), name,
                        (struct slice){(const char *)&number, sizeof(number)});
}

/* ---- losses ---- */

/* Logs, counts and keeps a loss for /health. last: 0 if not known. */
static void report(struct serve_loss *loss, enum stats_id counter,
                   const char *what, uint64_t first, uint64_t last)
{
    size_t used = strlen(loss->text);
    char range[64];

    if (last > 0)
        snprintf(range, sizeof(range), "lsn %" PRIu64 " to %" PRIu64, first,
                 last);
    else
        snprintf(range, sizeof(range), "from lsn %" PRIu64 " on", first);
    stats_add(counter, 1);
    log_error("daemon", what, log_text("range", range));
    snprintf(loss->text + used, sizeof(loss->text) - used, "%s%s (%s)",
             used ? "; " : "", what, range);
}

/* known: the database has an id of it. An emptied file has no id. */
static bool is_missing(const struct journal_recovered *found, bool known,
                       struct watermarks w)
{
    if (!found->any)
        return known || w.highest > 0;
    return known && found->id == 0 && found->last_lsn == 0;
}

static void compare(struct serve_loss *loss,
                    const struct journal_recovered *found, struct watermarks w,
                    bool known, bool clean)
{
    if (loss->text[0] == '\0' && is_missing(found, known, w) && !clean)
        report(
            loss, STATS_LOST_JOURNAL,
            "the journal is missing or empty: records acknowledged after the "
            "last commit of the database are lost",
            w.highest + 1, 0);
    else if (found->any && found->last_lsn < w.highest && !clean)
        report(loss, STATS_LOST_JOURNAL,
               "the journal ends before the database: it was emptied or "
               "truncated, or is an older copy; records acknowledged after the "
               "last commit of the database are lost",
               w.highest + 1, 0);
    if (found->any && found->after > w.derived)
        report(loss, STATS_LOST_DATABASE,
               w.highest == 0
                   ? "the database is missing or empty, and the "
                     "journal does not reach back to the first entry"
                   : "the database is an older copy: entries between "
                     "it and the journal are lost",
               w.derived + 1, found->after);
    if (found->damaged_after != UINT64_MAX) { /* counted and logged there */
        size_t used = strlen(loss->text);

        snprintf(loss->text + used, sizeof(loss->text) - used,
                 "%sthe journal is damaged: entries after lsn %" PRIu64
                 " are lost, see the log and *.damaged",
                 used ? "; " : "", found->damaged_after);
    }
}

/* Gives both the same id. */
static enum status link_ids(struct serve_loss *loss, struct journal *journal,
                            struct store *store,
                            struct journal_recovered *found, bool *known)
{
    uint64_t id;
    enum status status = load_number(store, "journal.id", &id);

    if (status != OK)
        return status;
    *known = id != 0;
    if (id == 0) {
        save_number(store, "journal.id", journal_id(journal));
        return OK;
    }
    status = journal_set_id(journal, id);
    if (status != OK || found->id == 0 || found->id == id)
        return status;
    report(loss, STATS_LOST_JOURNAL,
           "the journal belongs to another database: its files were renamed to "
           "*.foreign, and the database has no journal of its own",
           found->after + 1, found->last_lsn);
    *found = journal_recovered(journal);
    return OK;
}

enum status serve_loss_check(struct serve_loss *loss, struct journal *journal,
                             struct store *store)
{
    struct journal_recovered found = journal_recovered(journal);
    struct watermarks w = watermarks_of(store);
    bool known = false, clean;
    uint64_t end;
    enum status status = load_number(store, "journal.end", &end);

    *loss = (struct serve_loss){.damaged_after = found.damaged_after};
    if (status == OK)
        status = link_ids(loss, journal, store, &found, &known);
    if (status != OK)
        return status;
    clean = end == NO_ENTRY ? w.highest == 0
                            : end > 0 && end == w.derived && w.highest <= end;
    compare(loss, &found, w, known, clean);
    if (end > 0) /* from now on the journal is needed */
        save_number(store, "journal.end", 0);
    if ((end > 0 || !known) && metadata_sync(store_metadata(store)) != OK)
        log_warn(
            "daemon",
            "cannot write to the database now: a loss of the journal before "
            "the next commit will not be detected",
            LOG_NONE);
    return OK;
}

bool serve_loss_reads_again(const struct serve_loss *loss, struct store *store,
                            const struct batch *batch)
{
    return batch->source && batch->lsn > loss->damaged_after &&
           batch->lsn > store_watermark(store, stream_of(batch->signal));
}

void serve_loss_note_end(struct journal *journal, struct store *store)
{
    if (journal && store) {
        uint64_t last = journal_last_written_lsn(journal);

        save_number(store, "journal.end", last > 0 ? last : NO_ENTRY);
    }
}

bool serve_loss_print(const struct serve_loss *loss, struct buf *out)
{
    if (loss->text[0] == '\0')
        return false;
    buf_format(out, "data loss found at start: %s", loss->text);
    return true;
}
