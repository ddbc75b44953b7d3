/*
 * Counts log records by the constant part of their text: the template of
 * template.h over the body, or over the message member of a structured body. A
 * record without either counts as {other}, and so do the templates of a
 * component above max_templates.
 *
 * A template is identified by the hash of its whole text. The text for people
 * is made, and cut, once, when the template is new.
 */
#include "derived.h"
#include "hash.h"
#include "stats.h"
#include "tagger.h"

static struct counted_name *find_template(struct tagger *tagger,
                                          struct component *component,
                                          uint64_t hash)
{
    struct slice text = {tagger->template.split.text,
                         tagger->template.split.len};
    struct counted_name *group =
        component_group(component, tagger->limit, CARDINALITY_TEMPLATES);
    struct counted_name *name = cardinality_find(tagger->limit, group, hash);

    if (name)
        return name;
    buf_reset(&tagger->template.shown);
    template_show(&tagger->template.shown, text);
    return cardinality_add(tagger->limit, group, hash,
                           buf_slice(&tagger->template.shown),
                           tagger->options.max_templates);
}

void templates_count(struct tagger *tagger, struct component *component,
                     const struct log_record *log)
{
    struct derived_labels labels = {.family = DERIVED_FAMILY_LOGS,
                                    .kind = log->level,
                                    .identity = component->identity,
                                    .resource = component->resource};
    struct template_split *split = &tagger->template.split;
    struct slice line = log_message(log);
    struct counted_name *name = NULL;

    if (line.len > 0) {
        template_split(line, split);
        labels.template_id = hash_bytes(split->text, split->len, 0);
        name = find_template(tagger, component, labels.template_id);
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
    derived_add_count(
        derived_get(tagger->derived, &labels, log->time_ns,
                    name ? &name->hint : NULL),
        cardinality_weight(name, false, sampling_log_weight(&log->attrs)));
}
