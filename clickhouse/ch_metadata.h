/*
 * ch_metadata - metadata.h over the table callboard_values.
 *
 * A row is a value of a kind and a name; of several the one with the highest
 * version counts. A version is the microsecond of ClickHouse's clock and ten
 * random bits, and above every version that was read: the last who saves wins,
 * as a whole. What is deleted has the highest version of all, for ever; what is
 * created once has one that falls with time, so the first who saves wins.
 *
 *   kind     name                  value
 *   value    of metadata.h         of metadata_save_value()
 *   catalog  ""                    the document
 *   report   made for each report  the document
 *   token    its id                one API token, as JSON
 */
#ifndef CH_METADATA_H
#define CH_METADATA_H

#include <pthread.h>

#include "ch_client.h"
#include "store_ops.h"

enum { CH_REPORTS = 128, CH_REPORT_NAME = 33 };

struct ch_pending_value {
    struct ch_pending_value *next;
    struct slice name, value; /* behind it */
};

/* Which entry a report has. */
struct ch_report_slot {
    char name[CH_REPORT_NAME]; /* "": none */
    uint64_t number;
};

struct ch_metadata {
    struct metadata_head head; /* first: it is a struct metadata */
    struct ch_client *client;
    const atomic_bool *stopping;
    pthread_mutex_t lock;
    struct ch_pending_value *pending; /* saved, not sent yet */
    uint64_t version;                 /* the highest that was given or read */
    struct ch_report_slot reports[CH_REPORTS];
};

void ch_metadata_open(struct ch_metadata *metadata, struct ch_client *client,
                      const atomic_bool *stopping);
void ch_metadata_close(
    struct ch_metadata *metadata); /* sends what is pending */

/* Sends what was saved without metadata_sync(). */
MUST_CHECK enum status ch_metadata_flush(struct ch_metadata *metadata);

/* ---- ch_values.c: rows of the table ---- */

enum ch_version_kind { CH_VERSION_NEXT, CH_VERSION_FIRST, CH_VERSION_LAST };

struct ch_value_row {
    const char *kind;
    struct slice name, value;
    enum ch_version_kind version;
    bool deleted; /* then the version is CH_VERSION_LAST */
};

/* All rows or none, repeated a few times if that may help. */
MUST_CHECK enum status ch_values_put(struct ch_metadata *metadata,
                                     const struct ch_value_row *rows,
                                     uint32_t count);
/* The entries of a kind, or the one of a name (not NULL), the oldest first. */
typedef void ch_value_visit(void *arg, struct slice name, struct slice value);
MUST_CHECK enum status ch_values_load(struct ch_metadata *metadata,
                                      const char *kind,
                                      const struct slice *name,
                                      ch_value_visit *visit, void *arg);

#endif
