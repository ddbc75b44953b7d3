/*
 * Kubernetes' events, as the collector's k8s events receiver sends them with
 * the labels of the object, and releases of the control plane.
 */
#include "shop.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"

static const struct {
    const char *reason;
    bool warns;
} kinds[] = {{"Unhealthy", true}, {"BackOff", true}, {"OOMKilling", true}};

static bool is_warning(const char *reason)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (strcmp(kinds[i].reason, reason) == 0)
            return kinds[i].warns;
    return false;
}

static void put_resource(struct buf *out, const struct component *c,
                         const struct pod *pod)
{
    char deployment[64];

    snprintf(deployment, sizeof(deployment), "%s-production", c->spec->name);
    const char *const pairs[][2] = {
        {"k8s.object.kind", pod ? "Pod" : "Deployment"},
        {"k8s.object.name", pod ? pod->name : deployment},
        {"k8s.object.uid", pod ? pod->uid : c->uid},
        {"k8s.object.label.openchoreo.dev/namespace", "acme"},
        {"k8s.object.label.openchoreo.dev/project", c->project},
        {"k8s.object.label.openchoreo.dev/component", c->spec->name},
        {"k8s.object.label.openchoreo.dev/environment", "production"},
        {"k8s.object.label.openchoreo.dev/project-uid", c->project_uid},
        {"k8s.object.label.openchoreo.dev/component-uid", c->uid},
        {"k8s.object.label.openchoreo.dev/environment-uid",
         "e1aa0000-0000-4000-8000-000000000001"}};

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        emit_text(out, pairs[i][0], pairs[i][1]);
}

/* The `count`th since `first_ns`. */
static void send_event(struct world *w, struct component *c, struct pod *pod,
                       uint64_t now_ns, const char *reason, const char *message,
                       uint32_t count, uint64_t first_ns)
{
    struct buf resource, records, body;
    bool warns = is_warning(reason);
    struct emit_log log = {.time_ns = now_ns,
                           .severity = warns ? 13 : 9,
                           .severity_text = warns ? "Warning" : "Normal",
                           .body = message,
                           .attr_count = 4};
    time_t first_s = (time_t)(first_ns / NS_PER_S);
    char start[40];
    struct tm tm;

    if (!w->options->logs)
        return;
    gmtime_r(&first_s, &tm);
    strftime(start, sizeof(start), "%Y-%m-%d %H:%M:%S +0000 UTC", &tm);
    log.attrs[0] =
        (struct emit_attr){"k8s.event.reason", EMIT_TEXT, reason, 0, 0};
    log.attrs[1] = (struct emit_attr){"k8s.namespace.name", EMIT_TEXT,
                                      "dp-acme-shop-production-1a2b3c4d", 0, 0};
    log.attrs[2] =
        (struct emit_attr){"k8s.event.count", EMIT_INT, NULL, count, 0};
    log.attrs[3] =
        (struct emit_attr){"k8s.event.start_time", EMIT_TEXT, start, 0, 0};
    buf_init(&resource, 1 << 16);
    buf_init(&records, 1 << 16);
    buf_init(&body, 1 << 16);
    put_resource(&resource, c, pod);
    emit_log(&records, &log);
    emit_request(&body, buf_slice(&resource), buf_slice(&records));
    sender_send(w->sender, SEND_LOGS, buf_slice(&body));
    w->logs_made++;
    buf_release(&resource);
    buf_release(&records);
    buf_release(&body);
}

void event_send(struct world *w, struct component *c, struct pod *pod,
                uint64_t now_ns, const char *reason, const char *message)
{
    send_event(w, c, pod, now_ns, reason, message, 1, now_ns);
}

void event_release(struct world *w, struct component *c, uint64_t now_ns,
                   const char *phase)
{
    char message[512], reason[32];

    snprintf(message, sizeof(message),
             "{\"renderedReleaseUid\":\"%s\",\"componentReleaseName\":\"%s\","
             "\"projectUid\":\"%s\",\"componentUid\":\"%s\","
             "\"environmentUid\":\"e1aa0000-0000-4000-8000-000000000001\","
             "\"commit\":\"%016llx%016llx%08x\",\"phase\":\"%s\"}",
             c->uid, w->release, c->project_uid, c->uid,
             (unsigned long long)w->commit[0], (unsigned long long)w->commit[1],
             (unsigned)w->commit[2], phase);
    snprintf(reason, sizeof(reason), "Deployment%s", phase);
    event_send(w, c, NULL, now_ns, reason, message);
}

void events_of_start(struct world *w, struct component *c, struct pod *pod,
                     uint64_t now_ns)
{
    char text[200], node[16];

    emit_node_name(c, pod, node);
    snprintf(text, sizeof(text), "Scaled up replica set %s-production-%s to %d",
             c->spec->name, pod->hash, (int)(pod - c->pods) + 1);
    event_send(w, c, NULL, now_ns, "ScalingReplicaSet", text);
    snprintf(text, sizeof(text), "Successfully assigned dp-acme-shop/%s to %s",
             pod->name, node);
    event_send(w, c, pod, now_ns + NS_PER_S, "Scheduled", text);
    snprintf(text, sizeof(text),
             "Successfully pulled image \"registry.example/%s:%s\" in 2.31s",
             c->spec->name, pod->version);
    event_send(w, c, pod, now_ns + 3 * NS_PER_S, "Pulled", text);
    event_send(w, c, pod, now_ns + 3 * NS_PER_S, "Created",
               "Created container main");
    event_send(w, c, pod, now_ns + 4 * NS_PER_S, "Started",
               "Started container main");
    snprintf(text, sizeof(text),
             "Readiness probe failed: Get \"http://%s:%d/ready\": dial tcp "
             "%s:%d: connect: connection refused",
             pod->ip, c->spec->port, pod->ip, c->spec->port);
    event_send(w, c, pod, now_ns + 6 * NS_PER_S, "Unhealthy", text);
}

static void send_back_off(struct world *w, struct component *c, struct pod *pod,
                          uint64_t now_ns, uint32_t count)
{
    char text[200];

    snprintf(text, sizeof(text),
             "Back-off restarting failed container main in pod %s_"
             "dp-acme-shop(%s)",
             pod->name, pod->uid);
    send_event(w, c, pod, now_ns, "BackOff", text, count, w->fault_since_ns);
}

/* A pod that answers nothing does not start: once a minute. */
void events_of_fault(struct world *w, struct component *c, struct pod *pod,
                     uint64_t now_ns)
{
    const struct fault_spec *f = fault_now(w);
    char text[120];

    if (!f || !f->dead || !fault_is_at(f, c, pod) ||
        now_ns < pod->told_ns + NS_PER_MIN)
        return;
    pod->told_ns = now_ns;
    pod->told++;
    pod->restarts++;
    snprintf(text, sizeof(text),
             "Readiness probe failed: dial tcp %s:%d: connect: connection "
             "refused",
             pod->ip, c->spec->port);
    send_event(w, c, pod, now_ns, "Unhealthy", text, 6 * pod->told,
               w->fault_since_ns);
    send_back_off(w, c, pod, now_ns + NS_PER_S, pod->told);
}

void events_of_kill(struct world *w, struct component *c, struct pod *pod,
                    uint64_t now_ns)
{
    char text[160];

    snprintf(text, sizeof(text),
             "Memory cgroup out of memory: Killed process %u (%s) "
             "total-vm:412356kB, anon-rss:261104kB, oom_score_adj:984",
             1000 + (unsigned)pod->count % 9000, c->spec->language);
    event_send(w, c, pod, now_ns, "OOMKilling", text);
    if (pod->restarts > 1)
        send_back_off(w, c, pod, now_ns + NS_PER_S, pod->restarts - 1);
    event_send(w, c, pod, now_ns + 2 * NS_PER_S, "Started",
               "Started container main");
}
