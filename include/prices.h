/*
 * prices - what a core and a GiB of memory cost by the hour (docs/costs.md).
 *
 *     currency: EUR
 *     default: {coreHour: 0.03, gibHour: 0.004}
 *     nodes:
 *       - {pool: batch, coreHour: 0.012, gibHour: 0.0016}
 *       - {instanceType: m5.xlarge, nodeHour: 0.192}
 *       - {labels: {disk: ssd}, coreHour: 0.05}
 *
 * The first row counts of which all conditions are met (node, pool,
 * instanceType, labels), by the attributes of the node or of the pod. Without a
 * file: the prices that OpenCost has by default.
 *
 * Purpose:   the file of --prices.
 * Ownership: a table is shared; price_table_release() ends its use.
 * Threads:   any; the file is read by one at a time.
 * Errors:    while a file cannot be used, the prices read before are; /health
 *            and the log say why, with line and column.
 */
#ifndef PRICES_H
#define PRICES_H

#include <stdatomic.h>

#include "arena.h"
#include "buf.h"
#include "record.h"
#include "status.h"

enum price_of { PRICE_CPU, PRICE_MEMORY, PRICE_KINDS };

/* Per core hour, per GiB hour. */
struct price {
    double of[PRICE_KINDS];
};

enum { PRICE_MAX_ROWS = 1000, PRICE_MAX_CONDITIONS = 16 };

/* What is compared: the name, the pool, the instance type, or a label. */
enum price_key { PRICE_NODE, PRICE_POOL, PRICE_INSTANCE_TYPE, PRICE_LABEL };
struct price_condition {
    enum price_key key;
    struct slice label, value; /* label: of PRICE_LABEL */
};

struct price_row {
    struct price_condition conditions[PRICE_MAX_CONDITIONS];
    uint32_t count;
    struct price price; /* NAN: that of the default */
    double node_hour;   /* NAN: none; in place of the price */
};

struct price_table {
    struct slice currency;
    struct slice source; /* "default", or that it is a file */
    struct price price;  /* where no row fits */
    const struct price_row *rows;
    uint32_t count;
    struct arena arena;
    atomic_uint refs;
};

struct prices;

struct prices *prices_new(void);
void prices_free(struct prices *prices); /* NULL is fine */
/* Reads the file if it has changed; "": the default. False: it cannot be used.
 */
bool prices_read_file(struct prices *prices, const char *path);
/* Writes what is wrong with it now; false: nothing. */
bool prices_note(struct prices *prices, struct buf *out);

/* The table in use; NULL: the default. */
struct price_table *prices_get(struct prices *prices);
void price_table_release(struct price_table *table);

/* ERR_INVALID: error says where and why. */
MUST_CHECK enum status price_table_parse(struct slice text,
                                         struct price_table **table,
                                         char *error, size_t size);

/* The row for a node of this name (may be empty) with these attributes; NULL:
 * the default holds. */
struct node_facts {
    struct slice name;
    const struct attrs *attrs; /* several sets */
    uint32_t count;
};
const struct price_row *price_find(const struct price_table *table,
                                   const struct node_facts *facts);

/* Of a row (NULL: the default) on a node with this capacity: a price by the
 * hour of the node is split as the default prices are to each other. 0 cores:
 * the capacity is not known, and such a row does not count. */
struct price price_at(const struct price_table *table,
                      const struct price_row *row, double cores, double gib);

#endif
