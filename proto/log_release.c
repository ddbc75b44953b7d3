/*
 * Releases of OpenChoreo: Kubernetes events whose message is a JSON object.
 * They become change events: commit, phase and release are attributes, the body
 * is a sentence, and the uids of the message become attributes that identify
 * the component.
 */
#include "buf.h"
#include "derived.h"
#include "log_json.h"
#include "log_normalize.h"

static const struct {
    struct slice reason;
    const char *phase; /* if the message has none */
} reasons[] = {
    {SLICE_INIT("DeploymentStarted"), "started"},
    {SLICE_INIT("DeploymentSucceeded"), "succeeded"},
    {SLICE_INIT("DeploymentFailed"), "failed"},
    {SLICE_INIT("DeploymentRecovered"), "recovered"},
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

static void add_part(struct buf *out, const char *before, struct slice text)
{
    if (text.len > 0)
        buf_format(out, "%s%.*s", before, (int)text.len, text.ptr);
}

enum { SHORT_COMMIT = 7 }; /* as git shows it */

/* "release cart-5d9 (commit 1a2b3c4) failed: image not found" */
static struct slice sentence(struct arena *arena, const struct attr *message,
                             const char *phase)
{
    struct slice commit =
        slice_truncate(log_map_text(message, "commit"), SHORT_COMMIT);
    struct slice text;
    struct buf out;

    buf_init(&out, LOG_MAX_BODY);
    buf_add(&out, SLICE("release"));
    add_part(&out, " ", log_map_text(message, "componentReleaseName"));
    add_part(&out, " (commit ", commit);
    buf_format(&out, "%s %s", commit.len > 0 ? ")" : "", phase);
    add_part(&out, ": ", log_map_text(message, "failureReason"));
    text = arena_copy(arena, buf_slice(&out));
    buf_release(&out);
    return text;
}

void log_release(struct log_normalizer *n, struct slice reason)
{
    struct log_record *log = n->log;
    const char *phase = NULL;
    struct attr message;

    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (slice_equal(reason, reasons[i].reason))
            phase = reasons[i].phase;
    if (!phase || attr_text(&log->body).len == 0 ||
        !log_json_map(n->d, attr_text(&log->body), &message))
        return;
    normalizer_add_text(n, DERIVED_CHANGE_KIND, SLICE("release"));
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        normalizer_add_text(n, members[i][1],
                            log_map_text(&message, members[i][0]));
    normalizer_add_text(n, DERIVED_CHANGE_PHASE, slice_of(phase));
    log->event_name = SLICE(DERIVED_CHANGE);
    if (log->severity == 0 && log->severity_text.len == 0 &&
        slice_equal(reason, SLICE("DeploymentFailed")))
        log->severity_text = SLICE("Warning");
    normalizer_set_body(log, sentence(n->d->arena, &message, phase));
}
