#include "labels.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

static struct labels labels;

static enum label match(const char *key)
{
    CHECK_EQ(labels_init(&labels, &registry_default_keys), OK);
    return labels_match(&labels, slice_of(key));
}

TEST(every_spelling)
{
    static const struct {
        const char *key;
        enum label label;
    } rows[] = {
        {"openchoreo.dev/component-uid", LABEL_COMPONENT_UID},
        {"k8s.pod.labels.openchoreo.dev/component-uid", LABEL_COMPONENT_UID},
        {"k8s.pod.label.openchoreo.dev/component-uid", LABEL_COMPONENT_UID},
        {"k8s.object.label.openchoreo.dev/component-uid", LABEL_COMPONENT_UID},
        {"kubernetes.labels.openchoreo_dev/component-uid", LABEL_COMPONENT_UID},
        {"label_openchoreo_dev_component_uid", LABEL_COMPONENT_UID},
        {"openchoreo_dev_component_uid", LABEL_COMPONENT_UID},
        {"openchoreo.dev_component", LABEL_COMPONENT},
        {"k8s_pod_labels_openchoreo_dev_component", LABEL_COMPONENT},
        {"kubernetes_labels_openchoreo_dev_project", LABEL_PROJECT},
        {"openchoreo.dev/namespace", LABEL_NAMESPACE},
        {"openchoreo.dev/project", LABEL_PROJECT},
        {"openchoreo.dev/environment", LABEL_ENVIRONMENT},
        {"openchoreo.dev/project-uid", LABEL_PROJECT_UID},
        {"openchoreo.dev/environment-uid", LABEL_ENVIRONMENT_UID},
        {"openchoreo.dev/resource", LABEL_RESOURCE},
        {"openchoreo.dev/resource-uid", LABEL_RESOURCE_UID},
        {"openchoreo.dev/endpoint-name", LABEL_ENDPOINT},
        {"k8s.pod.uid", LABEL_POD_UID},
        {"k8s.pod.name", LABEL_POD_NAME},
        {"k8s.namespace.name", LABEL_POD_NAMESPACE},
        {"pod", LABEL_PROMETHEUS_POD},
        {"namespace", LABEL_PROMETHEUS_NAMESPACE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (!CHECK_EQ(match(rows[i].key), rows[i].label))
            printf("# %s\n", rows[i].key);
}

TEST(other_keys)
{
    static const char *const keys[] = {
        "",
        "t",
        "http.request.method",
        "component",
        "openchoreo.dev/componen",
        "openchoreo.dev/components",
        "openchoreo.dev/component-uids",
        "penchoreo.dev/component",
        "xopenchoreo.dev/component",
        "k8s.pod.labelsopenchoreo.dev/component",
        "k8s.pod.annotations.openchoreo.dev/component",
        "k8s.pod.labels.label_openchoreo.dev/component",
        "OPENCHOREO.DEV/COMPONENT",
        "openchoreo.dev/endpoint-visibility",
        "label_pod",
        "k8s.pod.labels.namespace",
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (!CHECK_EQ(match(keys[i]), LABEL_NONE))
            printf("# %s\n", keys[i]);
}

TEST(other_key_names)
{
    struct registry_keys keys = {.component = SLICE("example.com/app."),
                                 .project = SLICE("app.group")};

    CHECK_EQ(labels_init(&labels, &keys), OK);
    CHECK_EQ(labels_match(&labels, SLICE("example.com/app.")), LABEL_COMPONENT);
    CHECK_EQ(labels_match(&labels, SLICE("example_com_app_")), LABEL_COMPONENT);
    CHECK_EQ(labels_match(&labels, SLICE("example_com_app-")), LABEL_COMPONENT);
    CHECK_EQ(labels_match(&labels, SLICE("label_app_group")), LABEL_PROJECT);
    CHECK_EQ(labels_match(&labels, SLICE("openchoreo.dev/component")),
             LABEL_NONE);
    CHECK_EQ(labels_match(&labels, SLICE("label_")), LABEL_NONE);
}

TEST(key_that_is_too_long)
{
    char text[LABELS_MAX_KEY + 1];
    struct registry_keys keys = registry_default_keys;

    memset(text, 'x', sizeof(text));
    keys.component = (struct slice){text, LABELS_MAX_KEY};
    CHECK_EQ(labels_init(&labels, &keys), OK);
    CHECK_EQ(labels_match(&labels, keys.component), LABEL_COMPONENT);
    keys.component.len++;
    CHECK_EQ(labels_init(&labels, &keys), ERR_INVALID);
}

/* Folds all of it and tries every prefix: what the table must not change. */
static enum label plain_match(const char *key)
{
    static const char *const prefixes[] = {"",
                                           "k8s_pod_labels_",
                                           "k8s_pod_label_",
                                           "k8s_object_label_",
                                           "kubernetes_labels_",
                                           "label_",
                                           "kubernetes_pod_labels_"};
    static const char *const annotations[] = {
        "", "k8s_pod_annotations_", "k8s_pod_annotation_",
        "kubernetes_annotations_", "kubernetes_pod_annotations_"};
    static const char *const tails[] = {"openchoreo_dev_namespace",
                                        "openchoreo_dev_project",
                                        "openchoreo_dev_component",
                                        "openchoreo_dev_environment",
                                        "openchoreo_dev_project_uid",
                                        "openchoreo_dev_component_uid",
                                        "openchoreo_dev_environment_uid",
                                        "openchoreo_dev_resource",
                                        "openchoreo_dev_resource_uid",
                                        "openchoreo_dev_endpoint_name",
                                        "workflows_argoproj_io_node_name",
                                        "k8s_pod_uid",
                                        "k8s_pod_name",
                                        "k8s_namespace_name",
                                        "pod",
                                        "namespace",
                                        "exported_pod",
                                        "exported_namespace",
                                        "k8s_container_name",
                                        "k8s_object_kind",
                                        "k8s_object_name",
                                        "k8s_object_uid"};
    char folded[256], want[256];
    size_t len = strlen(key);

    for (size_t i = 0; i <= len; i++)
        folded[i] = strchr("./-", key[i]) && key[i] ? '_' : key[i];
    for (unsigned t = 0; t < LABEL_COUNT; t++)
        for (size_t p = 0; p < (t < LABEL_POD_UID ? 7 : 1); p++) {
            if (t == LABEL_TASK && p == 5)
                break;
            snprintf(want, sizeof(want), "%s%s",
                     t == LABEL_TASK ? annotations[p] : prefixes[p], tails[t]);
            if (strcmp(folded, want) == 0)
                return (enum label)t;
        }
    return LABEL_NONE;
}

/* Pieces put together at random, so that near misses are frequent. */
TEST(agrees_with_plain_folding)
{
    static const char *const pieces[] = {"k8s.pod.labels.",
                                         "k8s_pod_label-",
                                         "label_",
                                         "openchoreo.dev/",
                                         "openchoreo_dev_",
                                         "component",
                                         "project",
                                         "environment",
                                         "namespace",
                                         "-uid",
                                         "_uid",
                                         ".uid",
                                         "resource",
                                         "endpoint-name",
                                         "kubernetes",
                                         ".labels.",
                                         "k8s.pod.",
                                         "uid",
                                         "name",
                                         "k8s.pod.annotations.",
                                         "kubernetes.pod_labels.",
                                         "workflows.argoproj.io/node-name",
                                         "k8s.object.",
                                         "exported_",
                                         "pod",
                                         "x"};
    int found = 0;

    CHECK_EQ(labels_init(&labels, &registry_default_keys), OK);
    for (int round = 0; round < 100000; round++) {
        char key[128] = "";
        uint32_t count = 1 + test_random(4);

        for (uint32_t i = 0; i < count; i++)
            strcat(key, pieces[test_random(sizeof(pieces) / sizeof(*pieces))]);

        enum label want = plain_match(key);

        found += want != LABEL_NONE;
        if (!CHECK_EQ(labels_match(&labels, slice_of(key)), want)) {
            printf("# %s\n", key);
            break;
        }
    }
    CHECK(found > 100);
}
