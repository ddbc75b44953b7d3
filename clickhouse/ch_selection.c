#include "ch_selection.h"

#include "store_resources.h"

/* Two names may differ only in what is not part of the key. */
static void add_names(struct ch_sql *sql,
                      const struct resource_selection *selection)
{
    CH_SQL(sql, " AND (Namespace, Project, Component, Environment) IN (");
    for (uint32_t i = 0; i < selection->name_count; i++) {
        const struct identity *name = &selection->names[i];

        CH_SQL_WITH(sql, "(?,?,?,?),", CH_STR(name->namespace),
                    CH_STR(name->project), CH_STR(name->component),
                    CH_STR(name->environment));
    }
    ch_sql_cut(sql);
    CH_SQL(sql, ")");
}

static enum status add(struct ch_reader *reader, struct ch_sql *sql,
                       const struct bitmap *resources, bool derived, bool keys,
                       struct arena *work, bool *none)
{
    const struct store_resources *of = reader->resources;
    const struct resource_selection *selection;

    *none = false;
    if (!resources)
        return OK;
    selection = of->select(of->arg, resources, derived, work);
    if (!selection)
        return arena_status(work);
    *none = selection->key_count == 0;
    if (*none)
        return OK;
    if (selection->name_count > 0)
        add_names(sql, selection);
    if (keys)
        CH_SQL_WITH(sql, " AND ResourceId IN ?",
                    CH_U64S(selection->keys, selection->key_count));
    return ch_sql_status(sql);
}

enum status ch_selection_add(struct ch_reader *reader, struct ch_sql *sql,
                             const struct bitmap *resources, bool derived,
                             struct arena *work, bool *none)
{
    return add(reader, sql, resources, derived, true, work, none);
}

enum status ch_selection_add_names(struct ch_reader *reader, struct ch_sql *sql,
                                   const struct bitmap *resources, bool derived,
                                   struct arena *work, bool *none)
{
    return add(reader, sql, resources, derived, false, work, none);
}

uint32_t ch_resource_id(struct ch_resource_ids *ids, uint64_t key)
{
    if (!ids->kept || ids->key != key) {
        ids->id = ids->resources->find(ids->resources->arg, key);
        ids->key = key;
        ids->kept = true;
    }
    return ids->id;
}
