/* The table in use, and which row of it holds. */
#include "prices.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "ascii.h"
#include "mem.h"
#include "reread_file.h"

enum { FILE_MAX = 1 << 20 };

struct prices {
    pthread_mutex_t lock; /* of the pointer */
    struct price_table *table;
    struct reread_file file;
};

/* ---- the table in use ---- */

static struct price_table *default_table(void)
{
    struct price_table *table = NULL;
    char error[64];

    return price_table_parse(SLICE(""), &table, error, sizeof(error)) == OK
               ? table
               : NULL;
}

static bool use_file(void *arg, const char *path, struct slice text,
                     char error[REREAD_ERROR])
{
    struct prices *prices = arg;
    struct price_table *table, *old;

    (void)path;
    if (price_table_parse(text, &table, error, REREAD_ERROR) != OK)
        return false;
    table->source = SLICE("file");
    pthread_mutex_lock(&prices->lock);
    old = prices->table;
    prices->table = table;
    pthread_mutex_unlock(&prices->lock);
    price_table_release(old);
    return true;
}

struct prices *prices_new(void)
{
    struct prices *prices = mem_zero(1, sizeof(*prices));

    pthread_mutex_init(&prices->lock, NULL);
    prices->table = default_table();
    prices->file = (struct reread_file){
        .name = "prices", .max = FILE_MAX, .use = use_file, .arg = prices};
    reread_file_init(&prices->file);
    return prices;
}

void prices_free(struct prices *prices)
{
    if (!prices)
        return;
    price_table_release(prices->table);
    reread_file_release(&prices->file);
    pthread_mutex_destroy(&prices->lock);
    free(prices);
}

bool prices_read_file(struct prices *prices, const char *path)
{
    return reread_file(&prices->file, path);
}

bool prices_note(struct prices *prices, struct buf *out)
{
    return reread_file_note(&prices->file, out);
}

struct price_table *prices_get(struct prices *prices)
{
    struct price_table *table;

    if (!prices)
        return default_table();
    pthread_mutex_lock(&prices->lock);
    table = prices->table;
    atomic_fetch_add(&table->refs, 1);
    pthread_mutex_unlock(&prices->lock);
    return table;
}

void price_table_release(struct price_table *table)
{
    if (!table || atomic_fetch_sub(&table->refs, 1) > 1)
        return;
    arena_release(&table->arena);
    free(table);
}

/* ---- which row holds ---- */

/* Prometheus writes the label a.b/c as label_a_b_c. */
static bool is_prometheus_name(struct slice key, struct slice label)
{
    if (!slice_starts(key, SLICE("label_")) || key.len != label.len + 6)
        return false;
    for (size_t i = 0; i < label.len; i++) {
        char c = label.ptr[i];

        if (!is_digit(c) && ((c | 32) < 'a' || (c | 32) > 'z'))
            c = '_';
        if (key.ptr[6 + i] != c)
            return false;
    }
    return true;
}

/* The spellings of the label of a node as a key: as it is, as the Collector has
 * it and as kube-state-metrics has it. */
static bool is_label(struct slice key, struct slice label)
{
    static const char *const before[] = {"k8s.node.label.", "k8s.node.labels."};

    if (slice_equal(key, label) || is_prometheus_name(key, label))
        return true;
    for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++) {
        struct slice prefix = slice_of(before[i]);

        if (slice_starts(key, prefix) &&
            slice_equal(slice_from(key, prefix.len), label))
            return true;
    }
    return false;
}

static bool has_label(const struct node_facts *facts, struct slice label,
                      struct slice value)
{
    for (uint32_t set = 0; set < facts->count; set++)
        for (uint32_t i = 0; i < facts->attrs[set].count; i++) {
            const struct attr *a = &facts->attrs[set].at[i];

            if (slice_equal(attr_text(a), value) &&
                is_label((struct slice){a->key, a->key_len}, label))
                return true;
        }
    return false;
}

static bool has_any(const struct node_facts *facts, const char *const *labels,
                    struct slice value)
{
    for (; *labels; labels++)
        if (has_label(facts, slice_of(*labels), value))
            return true;
    return false;
}

static bool is_met(const struct price_condition *condition,
                   const struct node_facts *facts)
{
    static const char *const pools[] = {"cloud.google.com/gke-nodepool",
                                        "eks.amazonaws.com/nodegroup",
                                        "alpha.eksctl.io/nodegroup-name",
                                        "kubernetes.azure.com/agentpool",
                                        "agentpool",
                                        "karpenter.sh/nodepool",
                                        "doks.digitalocean.com/node-pool",
                                        "k8s.node.pool",
                                        "node_pool",
                                        "nodepool",
                                        NULL};
    static const char *const types[] = {"node.kubernetes.io/instance-type",
                                        "beta.kubernetes.io/instance-type",
                                        "host.type", "instance_type", NULL};

    switch (condition->key) {
    case PRICE_NODE:
        return slice_equal(facts->name, condition->value);
    case PRICE_POOL:
        return has_any(facts, pools, condition->value);
    case PRICE_INSTANCE_TYPE:
        return has_any(facts, types, condition->value);
    case PRICE_LABEL:
        return has_label(facts, condition->label, condition->value);
    }
    return false;
}

const struct price_row *price_find(const struct price_table *table,
                                   const struct node_facts *facts)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const struct price_row *row = &table->rows[i];
        uint32_t met = 0;

        while (met < row->count && is_met(&row->conditions[met], facts))
            met++;
        if (met == row->count)
            return row;
    }
    return NULL;
}

struct price price_at(const struct price_table *table,
                      const struct price_row *row, double cores, double gib)
{
    struct price price = table->price;
    double usual;

    if (!row)
        return price;
    if (isnan(row->node_hour)) {
        for (int i = 0; i < PRICE_KINDS; i++)
            if (!isnan(row->price.of[i]))
                price.of[i] = row->price.of[i];
        return price;
    }
    usual = cores * price.of[PRICE_CPU] + gib * price.of[PRICE_MEMORY];
    for (int i = 0; usual > 0 && i < PRICE_KINDS; i++)
        price.of[i] *= row->node_hour / usual;
    return price;
}
