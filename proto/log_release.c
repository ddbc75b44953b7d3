/*
 * Releases of OpenChoreo: Kubernetes events whose message is a JSON object.
 * They become change events: commit, phase and release are attributes, and the
 * text is a sentence. The uids in the message stamp the record.
 */
#include "buf.h"
#include "derived.h"
#include "log_json.h"
#include "log_shape.h"

static const struct {
    struct slice reason;
    const char *phase; /* if the message does not say */
} reasons[] = {
    {{"DeploymentStarted", 17}, "started"},
    {{"DeploymentSucceeded", 19}, "succeeded"},
    {{"DeploymentFailed", 16}, "failed"},
    {{"DeploymentRecovered", 19}, "recovered"},
};

static const char *const members[][2] = {
    {"commit", DERIVED_CHANGE_COMMIT},
    {"commitAuthoredAt", DERIVED_CHANGE_COMMIT_TIME},
    {"phase", DERIVED_CHANGE_PHASE},
    {"componentReleaseName", DERIVED_CHANGE_RELEASE},
    {"failureReason", DERIVED_CHANGE_FAILURE},
    {"projectUid", "openchoreo.dev/project-uid"},
    {"componentUid", "openchoreo.dev/component-uid"},
    {"environmentUid", "openchoreo.dev/environment-uid"},
};

static struct slice text_at(const struct attr *map, const char *key)
{
    struct attrs entries = {map->items, map->len, 0};
    const struct attr *found = attrs_find(&entries, slice_of(key));

    return found ? attr_text(found) : (struct slice){NULL, 0};
}

static void add_part(struct buf *out, const char *before, struct slice text)
{
    if (text.len > 0)
        buf_format(out, "%s%.*s", before, (int)text.len, text.ptr);
}

/* "release cart-5d9 failed: commit 1a2b3c4, image not found" */
static struct slice sentence(struct arena *arena, const struct attr *message,
                             const char *phase)
{
    struct slice commit = text_at(message, "commit"), text;
    struct buf out;

    buf_init(&out, LOG_MAX_BODY);
    buf_add(&out, SLICE("release"));
    add_part(&out, " ", text_at(message, "componentReleaseName"));
    buf_format(&out, " %s", phase);
    add_part(&out, ": commit ", commit);
    add_part(&out, commit.len > 0 ? ", " : ": ",
             text_at(message, "failureReason"));
    text = arena_copy(arena, buf_slice(&out));
    buf_release(&out);
    return text;
}

void log_release(struct shaped *shaped, struct slice reason)
{
    struct log_record *log = shaped->log;
    const char *phase = NULL;
    struct attr message;

    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (slice_equal(reason, reasons[i].reason))
            phase = reasons[i].phase;
    if (!phase || attr_text(&log->body).len == 0 ||
        !log_json_map(shaped->d, attr_text(&log->body), &message))
        return;
    shaped_add_text(shaped, DERIVED_CHANGE_KIND, SLICE("release"));
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        shaped_add_text(shaped, members[i][1],
                        text_at(&message, members[i][0]));
    shaped_add_text(shaped, DERIVED_CHANGE_PHASE, slice_of(phase));
    log->event_name = SLICE(DERIVED_CHANGE);
    if (log->severity == 0 && log->severity_text.len == 0 &&
        slice_equal(reason, SLICE("DeploymentFailed")))
        log->severity_text = SLICE("Warning");
    shaped_set_body(log, sentence(shaped->d->arena, &message, phase));
}
