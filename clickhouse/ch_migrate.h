/*
 * ch_migrate - makes the tables in ClickHouse, or adds to those of an older
 * version what they do not have.
 *
 * Several instances may do it at once: every statement may be repeated, and the
 * version is noted last.
 *
 * Threads: any. Errors: ERR_UNSUPPORTED: the tables are those of a newer
 * version of the program, or of somebody else; the others are ClickHouse's.
 */
#ifndef CH_MIGRATE_H
#define CH_MIGRATE_H

#include "ch_client.h"
#include "ch_schema.h"

/* error is always set. */
MUST_CHECK enum status ch_migrate(struct ch_client *client,
                                  const struct ch_schema_options *options,
                                  struct ch_error *error);

#endif
