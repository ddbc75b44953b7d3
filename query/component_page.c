/*
 * GET /api/v1/components/{namespace}/{project}/{component}: the page in one
 * answer. Over any window it reads series and events, never spans or log
 * records: examples of traces come from the exemplars of the histograms.
 */
#include "component_page.h"
#include "clock.h"

/* The step that the portal's charts use for a range of this length. */
static uint64_t default_step(uint64_t length_ns)
{
    static const struct {
        uint64_t length_ns, step_ns;
    } steps[] = {
        {10 * NS_PER_MIN, 15 * NS_PER_S},  {30 * NS_PER_MIN, 30 * NS_PER_S},
        {NS_PER_HOUR, NS_PER_MIN},         {NS_PER_DAY, 5 * NS_PER_MIN},
        {7 * NS_PER_DAY, 30 * NS_PER_MIN}, {14 * NS_PER_DAY, NS_PER_HOUR}};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (length_ns <= steps[i].length_ns)
            return steps[i].step_ns;
    return 2 * NS_PER_HOUR;
}

static enum status read_request(struct component_page *page)
{
    struct query_request *request = page->request;
    struct window *window = &page->window;
    uint64_t step_ns;

    params_query_scope(request, &page->scope);
    page->scope.namespace = request->parts[0];
    page->scope.project = request->parts[1];
    page->scope.component = request->parts[2];
    params_query_range(request, NS_PER_HOUR, &window->start_ns,
                       &window->end_ns);
    step_ns = default_step(window->end_ns - window->start_ns);
    if (params_query_step(request, window->end_ns - window->start_ns,
                          &step_ns) != OK)
        return request->failed;
    page->filter = (struct page_filter){query_param(request, "endpoint"),
                                        query_param(request, "operation")};
    params_query_bool(request, "heat", &page->with_heat);
    params_query_bool(request, "exemplars", &page->with_exemplars);
    if (params_query_number(request, "spark", 0, SPARK_STEPS_MAX,
                            &page->steps) != OK)
        return request->failed;
    window_init(window, request->now_ns);
    window->step_seconds = (double)step_ns / (double)NS_PER_S;
    page->grid =
        grid_make(window->start_ns, window->end_ns, step_ns, request->now_ns);
    return params_select(request, &page->scope, &page->resources);
}

/* In all environments of the page, or, of a component that was never seen, by
 * its names. */
static bool may_see(const struct component_page *page, enum action action,
                    uint32_t environments)
{
    const struct viewer viewer = {page->request->viewer.grants, action};
    const union scope_names names = {
        {page->scope.namespace, page->scope.project, page->scope.component,
         page->scope.environment}};
    bool may = environments > 0 || viewer_covers(&viewer, &names);

    for (uint32_t i = 0; i < environments; i++)
        may &= viewer_sees(&viewer, &page->info[i].identity);
    return may || (page->request->asker &&
                   params_may_see(page->request, action, &page->scope) == OK);
}

static void withhold(struct component_page *page, uint32_t environments)
{
    static const struct {
        struct slice name;
        enum action action;
    } parts[PAGE_PARTS] = {
        [PAGE_LOG_TEMPLATES] = {SLICE_INIT("logTemplates"), ACTION_LOGS_VIEW},
        [PAGE_EXAMPLES] = {SLICE_INIT("traces"), ACTION_TRACES_VIEW},
        [PAGE_EVENTS] = {SLICE_INIT("changes"), ACTION_EVENTS_VIEW},
    };

    for (int i = 0; i < PAGE_PARTS; i++) {
        page->shows[i] = may_see(page, parts[i].action, environments);
        if (!page->shows[i])
            page->withheld[page->withheld_count++] = parts[i].name;
    }
}

/* The component as the registry knows it, or only the names of the request. */
static void find_component(struct component_page *page)
{
    uint32_t count = 0;

    page->info = registry_components(page->request->services->registry,
                                     &page->scope, &page->request->viewer,
                                     page->request->arena, &count);
    withhold(page, count);
    if (count == 0) {
        page->info = NULL;
        page->identity =
            (struct identity){.rule = RULE_NONE,
                              .namespace = page->scope.namespace,
                              .project = page->scope.project,
                              .component = page->scope.component,
                              .environment = page->scope.environment};
        return;
    }
    page->identity = page->info->identity;
    for (uint32_t i = 1; i < count; i++) /* several environments */
        for (int signal = 0; signal < SIGNAL_COUNT; signal++)
            if (page->info[i].last_seen_ns[signal] >
                page->info->last_seen_ns[signal])
                page->info->last_seen_ns[signal] =
                    page->info[i].last_seen_ns[signal];
    if (count > 1)
        page->identity.environment = page->scope.environment;
}

static enum status read_and_reply(struct component_page *page)
{
    enum status s;

    find_component(page);
    if (page->request->failed != OK) /* a decision is awaited */
        return page->request->failed;
    s = page_read_series(page);
    if (s == OK)
        s = page_read_usage(page);
    return s == OK ? page_reply(page) : s;
}

enum status component_page(struct query_request *request)
{
    struct component_page *page = arena_zero(request->arena, 1, sizeof(*page));

    if (!page)
        return arena_status(request->arena);
    page->request = request;
    enum status s = read_request(page);
    if (s != OK)
        return s;
    struct catalog_snapshot *snapshot = catalog_get(request->services->catalog);
    page->declared =
        catalog_component(snapshot, page->scope.namespace, page->scope.project,
                          page->scope.component);
    s = read_and_reply(page);
    catalog_release(snapshot);
    return s;
}
