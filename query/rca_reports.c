/*
 * Stored reports (rca_reports.h), in a fixed number of slots, so that the
 * database has a bound, too. The number of a report in the order of arrival is
 * stored beside it, since a sender chooses the time of its alert, but not when
 * it arrives.
 */
#include "rca_reports.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "mem.h"

enum report_field {
    ID,
    ALERT,
    TIMESTAMP,
    STATUS,
    SUMMARY,
    NAMESPACE,
    PROJECT,
    ENVIRONMENT,
    REQUIRED,
    COMPONENT = REQUIRED,
    FIELDS
};
static const char *const fields[FIELDS] = {
    "reportId",  "alertId", "timestamp",   "status",   "summary",
    "namespace", "project", "environment", "component"};

struct stored_report {
    uint64_t time_ns, number; /* number: order of arrival; 0: a free slot */
    char *text;               /* the document, then its fields */
    struct slice document, field[FIELDS];
};

struct rca_reports {
    pthread_mutex_t lock;
    struct stored_report reports[RCA_MAX_REPORTS];
    uint64_t last_number;
    rca_reports_save *save;
    void *arg;
};

struct rca_reports *rca_reports_new(rca_reports_save *save, void *arg)
{
    struct rca_reports *rca = mem_zero(1, sizeof(*rca));

    pthread_mutex_init(&rca->lock, NULL);
    rca->save = save;
    rca->arg = arg;
    return rca;
}

void rca_reports_free(struct rca_reports *rca)
{
    if (!rca)
        return;
    for (int i = 0; i < RCA_MAX_REPORTS; i++)
        free(rca->reports[i].text);
    pthread_mutex_destroy(&rca->lock);
    free(rca);
}

static struct slice put_text(char **at, struct slice text)
{
    struct slice copy = {*at, text.len};

    slice_copy(*at, text);
    *at += text.len;
    return copy;
}

static enum status read_document(struct slice text,
                                 struct stored_report *report)
{
    const char *end = text.len ? memchr(text.ptr, '\n', text.len) : NULL;
    json_t *json = json_loadb(
        text.ptr, end ? (size_t)(end - text.ptr) : text.len, 0, NULL);
    struct slice field[FIELDS];
    size_t len = text.len;
    enum status status = OK;
    char *at;

    for (int i = 0; i < FIELDS; i++) {
        const json_t *value = json_object_get(json, fields[i]);

        field[i] =
            (struct slice){json_string_value(value), json_string_length(value)};
        len += field[i].len;
        if (!field[i].ptr && i < REQUIRED)
            status = ERR_INVALID;
    }
    if (status == OK &&
        !clock_parse_rfc3339(field[TIMESTAMP], &report->time_ns))
        status = ERR_INVALID;
    if (status == OK) {
        report->text = at = mem_alloc(len + 1);
        report->document = put_text(&at, text);
        for (int i = 0; i < FIELDS; i++)
            report->field[i] = put_text(&at, field[i]);
    }
    json_decref(json);
    return status;
}

static void put_in(struct rca_reports *rca, uint32_t slot,
                   const struct stored_report *report)
{
    free(rca->reports[slot].text);
    rca->reports[slot] = *report;
}

static bool is_same(const struct stored_report *a,
                    const struct stored_report *b)
{
    return a->number && slice_equal(a->field[ID], b->field[ID]) &&
           slice_equal(a->field[NAMESPACE], b->field[NAMESPACE]);
}

/* Two instances may have put a report with one id: the newer one stays. */
static void drop_same(struct rca_reports *rca,
                      const struct stored_report *report)
{
    for (int i = 0; i < RCA_MAX_REPORTS; i++)
        if (is_same(&rca->reports[i], report)) {
            free(rca->reports[i].text);
            rca->reports[i] = (struct stored_report){.number = 0};
        }
}

void rca_reports_load(struct rca_reports *rca, uint32_t slot, uint64_t number,
                      struct slice document)
{
    struct stored_report report = {0};

    if (slot >= RCA_MAX_REPORTS || read_document(document, &report) != OK)
        return;
    report.number = number ? number : rca->last_number + 1;
    if (report.number > rca->last_number)
        rca->last_number = report.number;
    drop_same(rca, &report);
    put_in(rca, slot, &report);
}

enum status rca_reports_reload(struct rca_reports *rca,
                               enum status (*load)(void *arg,
                                                   struct rca_reports *into),
                               void *arg)
{
    struct rca_reports *new = rca_reports_new(NULL, NULL);
    enum status status;

    /* Held while it loads: what is put meanwhile would be missing. */
    pthread_mutex_lock(&rca->lock);
    status = load(arg, new);
    if (status == OK)
        for (int i = 0; i < RCA_MAX_REPORTS; i++) {
            struct stored_report old = rca->reports[i];

            rca->reports[i] = new->reports[i];
            new->reports[i] = old;
        }
    if (status == OK && new->last_number > rca->last_number)
        rca->last_number = new->last_number;
    pthread_mutex_unlock(&rca->lock);
    rca_reports_free(new);
    return status;
}

/* Both in use. */
static bool same_namespace(const struct stored_report *a,
                           const struct stored_report *b)
{
    return a->number && b->number &&
           slice_equal(a->field[NAMESPACE], b->field[NAMESPACE]);
}

static uint32_t count_like(const struct rca_reports *rca,
                           const struct stored_report *one)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < RCA_MAX_REPORTS; i++)
        count += same_namespace(&rca->reports[i], one);
    return count;
}

/* The oldest report of the namespace that has most. */
static uint32_t slot_to_replace(const struct rca_reports *rca)
{
    uint32_t best = 0, most = 0;

    for (uint32_t i = 0; i < RCA_MAX_REPORTS; i++) {
        uint32_t count = count_like(rca, &rca->reports[i]);

        if (count > most || (count == most && rca->reports[i].number <
                                                  rca->reports[best].number)) {
            most = count;
            best = i;
        }
    }
    return best;
}

/* The slot of this id in this namespace; else a free one; else that of the
 * report to replace. */
static uint32_t slot_for(const struct rca_reports *rca,
                         const struct stored_report *report)
{
    uint32_t unused = RCA_MAX_REPORTS;

    for (uint32_t i = 0; i < RCA_MAX_REPORTS; i++) {
        const struct stored_report *k = &rca->reports[i];

        if (is_same(k, report))
            return i;
        if (!k->number && unused == RCA_MAX_REPORTS)
            unused = i;
    }
    return unused < RCA_MAX_REPORTS ? unused : slot_to_replace(rca);
}

enum status rca_reports_put(struct rca_reports *rca, struct slice text)
{
    struct stored_report report = {0};

    if (text.len > RCA_MAX_BYTES)
        return ERR_TOO_BIG;
    enum status status = read_document(text, &report);
    if (status != OK)
        return status;
    pthread_mutex_lock(&rca->lock);
    uint32_t slot = slot_for(rca, &report);
    const struct stored_report *old = &rca->reports[slot];
    /* A report that is written again does not become a newer one. */
    bool again = is_same(old, &report);

    report.number = again ? old->number : rca->last_number + 1;
    if (rca->save)
        status = rca->save(rca->arg, slot, report.number, report.document);
    if (status == OK) {
        if (!again)
            rca->last_number = report.number;
        put_in(rca, slot, &report);
    } else {
        free(report.text);
    }
    pthread_mutex_unlock(&rca->lock);
    return status;
}

static bool field_fits(struct slice wanted, struct slice has)
{
    return wanted.len == 0 || slice_equal(wanted, has);
}

static bool in_scope(const struct stored_report *k,
                     const struct rca_scope *scope)
{
    const union scope_names names = {{k->field[NAMESPACE], k->field[PROJECT],
                                      k->field[COMPONENT],
                                      k->field[ENVIRONMENT]}};

    return field_fits(scope->namespace, names.namespace) &&
           field_fits(scope->project, names.project) &&
           field_fits(scope->environment, names.environment) && scope->seen &&
           scope->seen(scope->arg, &names);
}

struct slice rca_reports_get(struct rca_reports *rca, struct slice id,
                             const struct rca_scope *scope, struct arena *arena)
{
    const struct stored_report *found = NULL;
    struct slice text = {NULL, 0};

    pthread_mutex_lock(&rca->lock);
    for (int i = 0; i < RCA_MAX_REPORTS; i++) {
        const struct stored_report *k = &rca->reports[i];

        if (k->number && slice_equal(k->field[ID], id) && in_scope(k, scope) &&
            (!found || k->number > found->number))
            found = k;
    }
    if (found)
        text = arena_copy(arena, found->document);
    pthread_mutex_unlock(&rca->lock);
    return text;
}

static bool report_matches(const struct stored_report *k,
                           const struct rca_filter *f)
{
    return k->number && k->time_ns >= f->start_ns && k->time_ns < f->end_ns &&
           field_fits(f->status, k->field[STATUS]) && in_scope(k, &f->scope);
}

static int by_time(const void *left, const void *right)
{
    const struct stored_report *a = *(const struct stored_report *const *)left;
    const struct stored_report *b = *(const struct stored_report *const *)right;

    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return slice_compare(a->field[ID], b->field[ID]);
}

struct rca_summary *rca_reports_list(struct rca_reports *rca,
                                     const struct rca_filter *filter,
                                     struct arena *arena, uint32_t *count,
                                     uint64_t *total)
{
    const struct stored_report *found[RCA_MAX_REPORTS];
    struct rca_summary *rows;
    uint32_t n = 0;

    pthread_mutex_lock(&rca->lock);
    for (int i = 0; i < RCA_MAX_REPORTS; i++)
        if (report_matches(&rca->reports[i], filter))
            found[n++] = &rca->reports[i];
    qsort(found, n, sizeof(found[0]), by_time);
    *total = n;
    *count = n < filter->limit ? n : filter->limit;
    rows = arena_zero(arena, *count + 1, sizeof(*rows));
    for (uint32_t i = 0; rows && i < *count; i++) {
        const struct stored_report *k =
            found[filter->ascending ? i : n - 1 - i];

        rows[i] = (struct rca_summary){
            .id = arena_copy(arena, k->field[ID]),
            .alert_id = arena_copy(arena, k->field[ALERT]),
            .summary = arena_copy(arena, k->field[SUMMARY]),
            .status = arena_copy(arena, k->field[STATUS]),
            .time_ns = k->time_ns};
    }
    pthread_mutex_unlock(&rca->lock);
    return rows;
}
