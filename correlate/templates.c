/*
 * A template is known by the hash of its whole text; what people read of it is
 * made, and cut, once, when it is new.
 */
#include "templates.h"

#include "derived.h"
#include "hash.h"
#include "sampling.h"
#include "stats.h"

void templates_init(struct templates *templates, uint32_t max_templates)
{
    buf_init(&templates->shown, 4 * TEMPLATE_MAX_LINE);
    templates->max_templates = max_templates;
}

void templates_release(struct templates *templates)
{
    buf_release(&templates->shown);
}

static struct slice message_of(const struct log_record *log)
{
    static const char *const keys[] = {"message", "msg", "log", "event"};

    if (log->body.type == VALUE_STRING)
        return attr_text(&log->body);
    if (log->body.type != VALUE_MAP)
        return (struct slice){NULL, 0};
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        struct attrs members = {.at = log->body.items, .count = log->body.len};
        const struct attr *member = attrs_find(&members, slice_of(keys[i]));

        if (member && member->type == VALUE_STRING)
            return attr_text(member);
    }
    return (struct slice){NULL, 0};
}

static struct limited_name *find_name(struct templates *templates,
                                      struct cardinality_limit *limit,
                                      struct limited_name *group, uint64_t hash)
{
    struct slice text = {templates->split.text, templates->split.len};
    struct limited_name *name = cardinality_find(limit, group, hash);

    if (name)
        return name;
    buf_reset(&templates->shown);
    template_show(&templates->shown, text);
    return cardinality_add(limit, group, hash, buf_slice(&templates->shown),
                           templates->max_templates);
}

void templates_count(struct templates *templates,
                     struct cardinality_limit *limit,
                     struct derived_table *derived,
                     const struct component *component,
                     const struct log_record *log)
{
    struct derived_labels labels = {.family = DERIVED_FAMILY_LOGS,
                                    .kind = log->level,
                                    .identity = component->identity,
                                    .resource = component->resource};
    struct limited_name *group =
        cardinality_group(limit, component->identity, CARDINALITY_TEMPLATES);
    struct slice line = message_of(log);
    struct limited_name *name = NULL;
    uint32_t none = UINT32_MAX;
    struct derived_series *series;

    if (group && line.len > 0) {
        template_split(line, &templates->split);
        labels.template_id =
            hash_bytes(templates->split.text, templates->split.len, 0);
        name = find_name(templates, limit, group, labels.template_id);
    }
    labels.text[TEXT_NAME] = SLICE(DERIVED_OTHER);
    if (name && !name->is_other) {
        labels.text[TEXT_NAME] = name->text;
    } else {
        labels.template_id = 0;
        stats_add(STATS_TEMPLATES_OTHER, 1);
    }
    labels.hash =
        hash_mix(labels.template_id, DERIVED_FAMILY_LOGS << 8 | log->level);
    series =
        derived_get(derived, &labels, log->time_ns, name ? &name->hint : &none);
    if (series)
        derived_add_count(
            series,
            cardinality_weight(name, false, sampling_log_weight(&log->attrs)));
}
