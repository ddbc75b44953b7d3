/*
 * What must not change a ranking: names, the time of day, the amount of
 * traffic, components that are well, an incident that is over.
 */
#include "cause_world.h"

static const enum fault faults[] = {CODE, SLOW_NETWORK, CPU, ERRORS};
enum { FAULTS = sizeof(faults) / sizeof(*faults) };

/* The suspects in order: "2 1 0" are store, api and web, whatever their names
 * are. */
static void ranking(struct world *w, const char *const names[COMPONENTS],
                    char text[64])
{
    json_t *answer = ask_cause(w, w->fault_from, w->fault_from + 5, "");
    const json_t *list = json_object_get(answer, "suspects");
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *s = json_array_get(list, i);

        for (int component = 0; component < COMPONENTS; component++)
            if (json_number_value(json_object_get(s, "score")) >= 1 &&
                slice_equal(bed_at(s, "component"), slice_of(names[component])))
                len += (size_t)snprintf(text + len, 64 - len, "%d ", component);
    }
    json_decref(answer);
}

/* Changes a world before its data is generated. */
typedef void altered(struct world *w);

static void no_change(struct world *w)
{
    (void)w;
}

static void generate_and_rank(const char *const names[COMPONENTS],
                              enum fault fault, int at, altered *change,
                              char text[64])
{
    struct world *w = world_new(names);

    w->fault = fault;
    w->at = at;
    change(w);
    generate(w, true, true);
    ranking(w, names, text);
    world_free(w);
}

static void check_same(const char *const names[COMPONENTS], altered *change)
{
    static char usuals[FAULTS][COMPONENTS][64]; /* made once */
    char changed[64];

    for (int f = 0; f < FAULTS; f++)
        for (int at = API; at < COMPONENTS; at++) {
            char *usual = usuals[f][at];

            if (!usual[0])
                generate_and_rank(plain, faults[f], at, no_change, usual);
            generate_and_rank(names, faults[f], at, change, changed);
            CHECK(usual[0] == '0' + at);
            CHECK_TEXT(slice_of(changed), usual);
        }
}

TEST(names_do_not_matter)
{
    static const char *const turned[COMPONENTS] = {"users", "store", "web",
                                                   "api"};
    static const char *const odd[COMPONENTS] = {"z", "a-0", "M",
                                                "\xc3\xa4 \" 1"};

    check_same(turned, no_change);
    check_same(odd, no_change);
}

static void later(struct world *w)
{
    w->start_s += UINT64_C(86400) * 400 + 3600 * 7 + 60 * 13;
}

static void off_the_minute(struct world *w)
{
    w->start_s += 17;
}

TEST(time_does_not_matter)
{
    check_same(plain, later);
    check_same(plain, off_the_minute);
}

static void double_traffic(struct world *w)
{
    w->per_minute *= 2;
}

TEST(amount_of_traffic_does_not_matter)
{
    check_same(plain, double_traffic);
}

/* They answer requests of their own and are asked by nobody. */
static void add_healthy(struct world *w)
{
    char name[32];

    for (int i = 0; i < 30; i++) {
        struct span *s;
        uint32_t id;

        (void)snprintf(name, sizeof(name), "well-%d", i);
        id = bed_resource(&w->bed, "shop", name);
        for (int minute = 0; minute < 15; minute++) {
            uint64_t at = (w->start_s + (uint64_t)minute * 60 + 5) * NS_PER_S;

            s = add_span(w, (uint64_t)(i + 1) << 48 | (uint64_t)minute, 0, WEB,
                         SPAN_SERVER, "GET /well", at,
                         (uint64_t)(3 + minute % 3) * MS);
            s->resource_id = id;
            add_log(w, s, LEVEL_INFO, "well, thank you", MS);
        }
    }
}

TEST(healthy_components_beside_do_not_matter)
{
    check_same(plain, add_healthy);
}

/* The nearest quarter of an hour has an incident of another component in it;
 * compared with that, the fault would not stand out. */
TEST(baseline_avoids_an_earlier_incident)
{
    struct world *w = world_new(plain);
    char start[32], text[64];

    w->minutes = 75;
    w->fault_from = 70;
    w->early_from = 56;
    w->early_until = 66;
    w->fault = ERRORS;
    w->at = USERS;
    generate(w, true, true);
    json_t *answer = ask_cause(w, 70, 75, "");
    time_text(w->start_s + (56 - 15) * 60, start); /* ends before it */
    CHECK_TEXT(bed_at(answer, "baseline.startTime"), start);
    json_decref(answer);
    ranking(w, plain, text);
    CHECK(text[0] == '0' + USERS);
    world_free(w);
}

/* What was so before is no news, given the baseline. */
TEST(nothing_stands_out_against_the_incident_itself)
{
    struct world *w = world_new(plain);
    char more[200], from[32], until[32];

    w->fault = ERRORS;
    w->at = USERS;
    w->minutes = 20;
    generate(w, true, true);
    snprintf(more, sizeof(more),
             ",\"baseline\":{\"startTime\":\"%s\",\"endTime\":\"%s\"}",
             time_text(w->start_s + 600, from),
             time_text(w->start_s + 900, until));
    json_t *answer = ask_cause(w, 15, 20, more);
    CHECK_TEXT(bed_at(answer, "found"), "false");
    json_decref(answer);
    world_free(w);
}
