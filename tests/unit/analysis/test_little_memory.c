/* Routes over metrics with any amount of memory: refused with a reason, or the
 * whole answer. The memory ends at any allocation, so what was half read must
 * not be looked at. */
#define CALL_POINTS 128
#include "call_points.h"

#define RANGE "startTime=2026-08-21T08:00:00Z&endTime=2026-08-21T08:10:00Z"
#define SPACE "namespace=acme&" RANGE

enum { COMPONENTS = 40, STEP = 1000, MOST = 64 << 20 };

static struct bed bed;
static char names[COMPONENTS][16];

/* A chain, in which each also calls a database of its own. */
static void put_chain(void)
{
    static const char catalog[] =
        "{\"components\":[{\"namespace\":\"acme\",\"project\":\"shop\","
        "\"name\":\"c1\",\"dependencies\":[{\"component\":\"c9\"}]}]}";
    uint32_t ids[COMPONENTS], resource;
    struct point *p;

    for (int i = 0; i < COMPONENTS; i++) {
        snprintf(names[i], sizeof(names[i]), "c%d", i);
        resource = bed_resource(&bed, "shop", names[i]);
        ids[i] = registry_derived_resource(
            bed.registry, registry_identity_id(bed.registry, resource));
    }
    for (int i = 0; i < COMPONENTS; i++) {
        p = call_put(&bed, DERIVED_DURATION, ids[i], 600);
        call_tell(p, DERIVED_ENDPOINT, names[i]);
        p = call_put(&bed, DERIVED_OUT_DURATION, ids[i], 60);
        call_tell(p, DERIVED_PEER_KIND, "database");
        call_tell(p, DERIVED_PEER_NAME, names[i]);
        if (i == 0)
            continue;
        p = call_put(&bed, DERIVED_OUT_DURATION, ids[i - 1], 60);
        call_tell(p, DERIVED_PEER_ENDPOINT, names[i]);
        call_tell_peer(&bed, p, ids[i]);
    }
    json_decref(bed_ask(&bed, "PUT", "/api/v1/catalog", catalog));
    CHECK_EQ(bed.status, 200);
}

/* With more and more memory, until it is enough. */
static void ask_with_little(const char *method, const char *path,
                            const char *body)
{
    size_t memory = 0, len;
    int refused = 0;
    json_t *answer;

    bed.max_memory = SIZE_MAX;
    json_decref(bed_ask(&bed, method, path, body));
    if (!CHECK_EQ(bed.status, 200))
        CHECK_TEXT(slice_of(bed.text), path);
    len = bed.len;
    do {
        bed.max_memory = memory += STEP;
        answer = bed_ask(&bed, method, path, body);
        CHECK(json_is_object(answer));
        json_decref(answer);
        refused += bed.status == 413;
    } while (bed.status == 413 && memory < MOST);
    CHECK_EQ(bed.status, 200);
    CHECK(refused > 2);
    CHECK(bed.len + 8 > len && bed.len < len + 8); /* but for tookMs */
}

TEST(memory_that_ends_anywhere_is_a_refusal)
{
    static const char *const paths[] = {
        "/api/v1/dependencies?depth=8&" SPACE,
        "/api/v1/dependencies?project=shop&component=c7&depth=8&" SPACE,
        "/api/v1/blast-radius?project=shop&component=c30&depth=8&" SPACE,
        "/api/v1/capacity?project=shop&component=c3&" SPACE,
        "/api/v1/compare?" SPACE,
        "/api/v1/changes?" SPACE,
        "/api/v1/components?" SPACE,
        "/api/v1/components?usage=true&spark=9&details=true&" SPACE,
        ("/api/v1/components/acme/shop/c3?" RANGE),
        ("/api/v1/components/acme/shop/c3?heat=true&exemplars=true&spark=9&"
         "endpoint=http&" RANGE),
    };

    bed_init(&bed);
    bed.max_reply = sizeof(bed.text) - 1;
    put_chain();
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
        ask_with_little("GET", paths[i], NULL);
    ask_with_little("POST", "/api/v1alpha1/metrics/runtime-topology",
                    "{\"startTime\":\"2026-08-21T08:00:00Z\","
                    "\"endTime\":\"2026-08-21T08:10:00Z\","
                    "\"includeDeclared\":true,"
                    "\"searchScope\":{\"namespace\":\"acme\",\"project\":"
                    "\"shop\",\"environment\":\"prod\"}}");
    bed_release(&bed);
}
