#include "event_rules.h"

#include "cause.h"
#include "slice.h"

#define DOWN  EVIDENCE_AVAILABILITY
#define USED  EVIDENCE_RESOURCE
#define MOVED EVIDENCE_CHANGE

/* The first row that fits an event is its rule. Reasons are those of kubelet,
 * scheduler, controllers and node-problem-detector, of a container's status,
 * and of OpenChoreo's releases. */
/* clang-format off */
static const struct event_rule rules[] = {
    /* a container was killed for its memory */
    {"OOMKilled",  NULL, "killed for using more memory than its limit (OOMKilled)", "memory", USED, false, false, 1},
    {"OOMKilling", NULL, "killed for using more memory than its limit (OOMKilled)", "memory", USED, false, false, 1},
    {"SystemOOM",  NULL, "a process was killed because its node ran out of memory", "memory", USED, false, false, .8},
    /* it does not start, or not for long */
    {"BackOff", "pulling image", "its image cannot be pulled (ImagePullBackOff)", "image", DOWN, true, true, .8},
    {"BackOff", NULL, "a container fails again and again (CrashLoopBackOff)", "crash", DOWN, false, false, 1},
    {"CrashLoopBackOff", NULL, "a container fails again and again (CrashLoopBackOff)", "crash", DOWN, false, false, 1},
    {"ImagePullBackOff", NULL, "its image cannot be pulled (ImagePullBackOff)", "image", DOWN, false, true, .8},
    {"ErrImagePull",     NULL, "its image cannot be pulled (ErrImagePull)", "image", DOWN, false, true, .8},
    {"ErrImageNeverPull", NULL, "its image is not on the node (ErrImageNeverPull)", "image", DOWN, false, false, .8},
    {"InvalidImageName", NULL, "its image has an invalid name", "image", DOWN, true, false, .8},
    {"InspectFailed",    NULL, "its image cannot be read", "image", DOWN, true, false, .8},
    {"Failed", "ErrImagePull", "its image cannot be pulled (ErrImagePull)", "image", DOWN, false, true, .8},
    {"Failed", "ImagePullBackOff", "its image cannot be pulled (ImagePullBackOff)", "image", DOWN, false, true, .8},
    {"Failed", "pull image", "its image cannot be pulled", "image", DOWN, true, true, .8},
    {"Failed", NULL, "a container cannot be started", "crash", DOWN, true, false, .8},
    {"CreateContainerConfigError", NULL, "a container lacks its ConfigMap or Secret (CreateContainerConfigError)", "config", DOWN, false, false, .8},
    {"CreateContainerError", NULL, "a container cannot be created (CreateContainerError)", "crash", DOWN, false, false, .8},
    {"RunContainerError", NULL, "a container cannot be started (RunContainerError)", "crash", DOWN, false, false, .8},
    {"ContainerCannotRun", NULL, "a container cannot be started (ContainerCannotRun)", "crash", DOWN, false, false, .8},
    {"Error", NULL, "a container ended with an error", "crash", DOWN, false, false, .5},
    {"Restarted", NULL, "its containers restarted", "restart", DOWN, false, false, .5},
    {"Killing", "failed liveness probe", "restarted because its liveness probe failed", "probe", DOWN, false, false, .7},
    {"Killing", "failed startup probe", "restarted because its startup probe failed", "probe", DOWN, false, false, .7},
    {"Unhealthy", "iveness probe", "its liveness probe fails", "probe", DOWN, true, true, .4},
    {"Unhealthy", NULL, "its readiness probe fails", "probe", DOWN, true, true, .3},
    /* its pods have no place */
    {"FailedScheduling", NULL, "a pod cannot be scheduled (FailedScheduling)", "scheduling", DOWN, true, true, .7},
    {"FailedCreate", NULL, "a pod cannot be created", "scheduling", DOWN, true, false, .7},
    {"FailedMount", NULL, "a volume cannot be mounted (FailedMount)", "volume", DOWN, true, true, .6},
    {"FailedAttachVolume", NULL, "a volume cannot be attached (FailedAttachVolume)", "volume", DOWN, true, true, .6},
    {"FailedMapVolume", NULL, "a volume cannot be mapped (FailedMapVolume)", "volume", DOWN, true, true, .6},
    {"FailedCreatePodSandBox", NULL, "a pod gets no network (FailedCreatePodSandBox)", "network", DOWN, true, true, .6},
    {"Evicted", NULL, "a pod was evicted", "eviction", DOWN, true, false, .7},
    {"Preempted", NULL, "a pod was displaced by one of higher priority (Preempted)", "eviction", DOWN, false, false, .7},
    {"Preempting", NULL, "a pod was displaced by one of higher priority (Preempted)", "eviction", DOWN, false, false, .7},
    {"TaintManagerEviction", "Marking", "a pod was removed from its node", "eviction", DOWN, true, false, .7},
    {"NodeNotReady", NULL, "a node with its pods is not ready (NodeNotReady)", "node", DOWN, false, false, .8},
    {"NodeLost", NULL, "a node with its pods is lost", "node", DOWN, false, false, .8},
    {"BackoffLimitExceeded", NULL, "its job failed too often (BackoffLimitExceeded)", "crash", DOWN, false, false, .5},
    {"DeadlineExceeded", NULL, "its job took too long (DeadlineExceeded)", "crash", DOWN, false, false, .5},
    /* somebody changed it */
    {"version",      NULL, NULL, "change", MOVED, false, false, .97},
    {"image",        NULL, NULL, "change", MOVED, false, false, .95},
    {"pod-template", NULL, NULL, "change", MOVED, false, false, .93},
    {"DeploymentStarted",   NULL, "a release started", "change", MOVED, false, false, 1},
    {"DeploymentFailed",    NULL, "a release failed", "change", MOVED, false, false, 1},
    {"DeploymentSucceeded", NULL, "a release succeeded", "change", MOVED, false, false, .9},
    {"DeploymentRecovered", NULL, "a release recovered", "change", MOVED, false, false, 0},
    {"Reloaded", NULL, "its configuration changed", "change", MOVED, true, false, 1},
    {"OperationCompleted", NULL, "synchronised by Argo CD", "change", MOVED, true, false, .7},
    {"ScalingReplicaSet", NULL, NULL, "change", MOVED, false, false, .7},
    /* An autoscaler follows the load. */
    {"SuccessfulRescale", NULL, "scaled by its autoscaler", "change", MOVED, true, false, .3},
    {"FailedGetResourceMetric", NULL, "its autoscaler gets no metrics", "event", MOVED, true, true, .2},
};
/* clang-format on */

enum { RULES = sizeof(rules) / sizeof(*rules) };
_Static_assert((int)RULES <= (int)EVENT_MAX_REASONS,
               "EVENT_MAX_REASONS is too small");

const struct event_rule event_rule_other = {.reason = "",
                                            .class = "event",
                                            .kind = MOVED,
                                            .is_quoted = true,
                                            .strength = .3};

static bool has_part(struct slice text, const char *part)
{
    struct slice wanted = slice_of(part ? part : "");

    for (size_t at = 0; at + wanted.len <= text.len; at++)
        if (bytes_equal(text.ptr + at, wanted.ptr, wanted.len))
            return true;
    return wanted.len == 0;
}

const struct event_rule *event_rule_find(struct slice reason,
                                         struct slice message)
{
    for (size_t i = 0; i < RULES; i++)
        if (slice_equal(reason, slice_of(rules[i].reason)) &&
            has_part(message, rules[i].part))
            return &rules[i];
    return NULL;
}

uint32_t event_rule_reasons(struct slice reasons[EVENT_MAX_REASONS])
{
    uint32_t n = 0;

    for (size_t i = 0; i < RULES; i++) {
        struct slice reason = slice_of(rules[i].reason);

        if (n == 0 || !slice_equal(reason, reasons[n - 1]))
            reasons[n++] = reason;
    }
    return n;
}
