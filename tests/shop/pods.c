/*
 * Pods of components, and how a new version replaces them.
 */
#include "shop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

static void uuid(struct world *w, char out[40])
{
    uint64_t a = world_random(w), b = world_random(w);

    snprintf(out, 40, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(a >> 32),
             (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
             (unsigned)(b >> 48 & 0xfff),
             (unsigned long long)(b & 0xffffffffffff));
}

static void new_pod(struct world *w, struct component *c, struct pod *pod,
                    const char *version, const char *hash)
{
    uint64_t r = world_random(w);

    snprintf(pod->version, sizeof(pod->version), "%s", version);
    snprintf(pod->hash, sizeof(pod->hash), "%s", hash);
    snprintf(pod->name, sizeof(pod->name), "%s-production-%s-%05llx",
             c->spec->name, hash, (unsigned long long)(r & 0xfffff));
    snprintf(pod->ip, sizeof(pod->ip), "10.42.%d.%d", (int)(r >> 20 & 15),
             (int)(r >> 24 & 255));
    uuid(w, pod->uid);
    pod->cpu_seconds = pod->sum = 0;
    pod->periods = pod->throttled = pod->retransmits = 0;
    pod->count = 0;
    pod->restarts = 0;
    pod->full_from_ns = 0;
    memset(pod->buckets, 0, sizeof(pod->buckets));
}

void world_init(struct world *w, const struct shop_options *options,
                struct sender *sender)
{
    int count = options->shops * SHOP_COMPONENTS;

    memset(w, 0, sizeof(*w));
    w->options = options;
    w->random = options->seed;
    w->sender = sender;
    buf_init(&w->points, 64 << 20);
    w->components = calloc((size_t)count, sizeof(*w->components));
    if (!w->components)
        abort();
    for (int i = 0; i < count; i++) {
        struct component *c = &w->components[i];
        int shop = i / SHOP_COMPONENTS;
        char hash[12];

        c->spec = &shop_components[i % SHOP_COMPONENTS];
        snprintf(c->project, sizeof(c->project), shop ? "shop-%d" : "shop",
                 shop + 1);
        snprintf(c->project_uid, sizeof(c->project_uid),
                 "9c1e0000-0000-4000-8000-%012d", shop + 1);
        uuid(w, c->uid);
        snprintf(hash, sizeof(hash), "%08x", (unsigned)world_random(w));
        c->pod_count = options->pods;
        for (int p = 0; p < c->pod_count; p++) {
            buf_init(&c->pods[p].spans, 64 << 20);
            buf_init(&c->pods[p].logs, 64 << 20);
            new_pod(w, c, &c->pods[p], c->spec->image_version, hash);
        }
    }
}

void world_free(struct world *w)
{
    for (int i = 0; i < w->options->shops * SHOP_COMPONENTS; i++)
        for (int p = 0; p < w->components[i].pod_count; p++) {
            buf_release(&w->components[i].pods[p].spans);
            buf_release(&w->components[i].pods[p].logs);
        }
    buf_release(&w->points);
    free(w->components);
}

/* A part of the pods is a canary: its release has not succeeded yet. */
void world_rollout(struct world *w, uint64_t now_ns, bool one_pod)
{
    struct component *c = &w->components[SHOP_CHECKOUT];
    char hash[12];

    snprintf(hash, sizeof(hash), "%08x", (unsigned)world_random(w));
    snprintf(w->release, sizeof(w->release), "checkout-%s", hash);
    for (int i = 0; i < 3; i++)
        w->commit[i] = (uint64_t)c->uid[i] * UINT64_C(0x9e3779b97f4a7c15) ^
                       strtoull(hash, NULL, 16);
    event_release(w, c, now_ns, "Started");
    for (int p = 0; p < (one_pod ? 1 : c->pod_count); p++) {
        struct pod *pod = &c->pods[p];

        world_flush_pod(w, c, pod);
        event_send(w, c, pod, now_ns, "Killing", "Stopping container main");
        new_pod(w, c, pod, "1.5.0", hash);
        events_of_start(w, c, pod, now_ns);
    }
    w->succeeds_ns = one_pod ? 0 : now_ns + 45 * NS_PER_S;
}
