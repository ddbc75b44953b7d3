/*
 * Parts of the catalogue's document: the entries of one namespace, or those
 * that somebody may see. In: a document that was accepted. Out: a document.
 *
 * Members that are no list of entries belong to nobody, and are in the whole
 * document only.
 */
#include <jansson.h>
#include <stdlib.h>

#include "catalog_int.h"

static const char *const sections[] = {"projects", "environments",
                                       "components"};
enum { PROJECTS, ENVIRONMENTS, COMPONENTS, SECTIONS };

static struct slice text_of(const json_t *entry, const char *name)
{
    const json_t *value = json_object_get(entry, name);

    return (struct slice){json_string_value(value), json_string_length(value)};
}

static struct slice namespace_of(const json_t *entry)
{
    struct slice text = text_of(entry, "namespace");

    return text.len > 0 ? text : SLICE("default");
}

/* What an entry is about. */
static union scope_names names_of(int section, const json_t *entry)
{
    union scope_names names = {.namespace = namespace_of(entry)};

    if (section == PROJECTS)
        names.project = text_of(entry, "name");
    else if (section == ENVIRONMENTS)
        names.environment = text_of(entry, "name");
    else
        names.project = text_of(entry, "project");
    if (section == COMPONENTS)
        names.component = text_of(entry, "name");
    return names;
}

/* Adds the entries of `from` for which `wanted` is true. False: no memory. */
typedef bool is_wanted(void *arg, const union scope_names *names);

static bool add_entries(json_t *to, const json_t *from, is_wanted *wanted,
                        void *arg)
{
    bool good = true;

    for (int i = 0; i < SECTIONS; i++) {
        json_t *old = json_object_get(from, sections[i]);
        json_t *list = json_object_get(to, sections[i]);

        if (!list && old) {
            list = json_array();
            good &= json_object_set_new(to, sections[i], list) == 0;
        }
        for (size_t k = 0; good && k < json_array_size(old); k++) {
            json_t *entry = json_array_get(old, k);
            union scope_names names = names_of(i, entry);

            if (wanted(arg, &names))
                good = json_array_append(list, entry) == 0;
        }
    }
    return good;
}

static enum status write(const json_t *document, bool good, struct buf *out)
{
    char *text = good ? json_dumps(document, JSON_COMPACT) : NULL;

    if (!text)
        return ERR_BUSY;
    buf_add(out, slice_of(text));
    free(text);
    return OK;
}

static json_t *load(struct slice text)
{
    return json_loadb(text.ptr, text.len, 0, NULL);
}

struct seen_part {
    const struct viewer *viewer;
    struct slice namespace;
};

static bool is_seen(void *arg, const union scope_names *names)
{
    const struct seen_part *part = arg;

    return (part->namespace.len == 0 ||
            slice_equal(part->namespace, names->namespace)) &&
           grants_overlap(part->viewer->grants, part->viewer->action, names);
}

enum status catalog_part_seen(struct slice text, const struct viewer *viewer,
                              struct slice namespace, struct buf *out)
{
    struct seen_part part = {viewer, namespace};
    json_t *all = load(text), *seen = json_object();
    enum status s =
        write(seen, all && seen && add_entries(seen, all, is_seen, &part), out);

    json_decref(all);
    json_decref(seen);
    return s;
}

static bool is_other(void *arg, const union scope_names *names)
{
    return !slice_equal(*(const struct slice *)arg, names->namespace);
}

static bool is_any(void *arg, const union scope_names *names)
{
    (void)arg;
    (void)names;
    return true;
}

bool catalog_part_is_of(struct slice text, struct slice namespace)
{
    json_t *part = load(text);
    bool is_of = part;

    for (int i = 0; i < SECTIONS; i++) {
        const json_t *list = json_object_get(part, sections[i]);

        for (size_t k = 0; k < json_array_size(list); k++)
            is_of &=
                slice_equal(namespace_of(json_array_get(list, k)), namespace);
    }
    json_decref(part);
    return is_of;
}

enum status catalog_part_replace(struct slice text, struct slice part,
                                 struct slice namespace, struct buf *out)
{
    json_t *all = load(text), *new = load(part);
    /* Other members stay. */
    json_t *merged = json_copy(all);
    bool good = all && new &&merged;

    for (int i = 0; good && i < SECTIONS; i++)
        (void)json_object_del(merged, sections[i]);
    good = good && add_entries(merged, all, is_other, &namespace) &&
           add_entries(merged, new, is_any, NULL);

    enum status s = write(merged, good, out);

    json_decref(all);
    json_decref(new);
    json_decref(merged);
    return s;
}
