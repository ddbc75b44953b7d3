/*
 * Counts log records by the constant part of their text: the template of
 * template.h over the body, or over the message member of a structured body. A
 * record without either counts as {other}, and so do the templates of a
 * component above max_templates.
 *
 * A template is identified by the hash of its whole text. The text for people
 * is made, and cut, once, when the template is new. A new text that has words
 * which may be hexadecimal ids ("beef") is counted as the template with these
 * masked, where that is known: most ids have a digit, and have made it so.
 */
#include <string.h>

#include "derived.h"
#include "hash.h"
#include "stats.h"
#include "tagger.h"

/* Of a template that is not known yet: the one that it is with hexadecimal
 * words masked, if that is known, from ids that have digits; NULL: none. */
static struct counted_name *find_masked(struct tagger *tagger,
                                        struct counted_name *group,
                                        uint64_t *hash)
{
    struct template_split *masked = &tagger->template.masked;
    const struct template_split *split = &tagger->template.split;
    struct counted_name *name;
    uint64_t of_masked;

    memcpy(masked->text, split->text, split->len);
    masked->len = split->len;
    if (!template_mask_hex(masked))
        return NULL;
    of_masked = hash_bytes(masked->text, masked->len, 0);
    name = cardinality_find(tagger->limit, group, of_masked);
    if (name)
        *hash = of_masked;
    return name;
}

static struct counted_name *find_template(struct tagger *tagger,
                                          struct component *component,
                                          uint64_t *of_text)
{
    struct slice text = {tagger->template.split.text,
                         tagger->template.split.len};
    uint64_t hash = *of_text;
    struct counted_name *group =
        component_group(component, tagger->limit, CARDINALITY_TEMPLATES);
    struct counted_name *name = cardinality_find(tagger->limit, group, hash);

    if (!name)
        name = find_masked(tagger, group, of_text);
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
        name = find_template(tagger, component, &labels.template_id);
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
