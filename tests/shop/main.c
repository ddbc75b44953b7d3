/*
 * shopgen - plays the shop into an OTLP/HTTP port.
 *
 *   shopgen --otlp 127.0.0.1:4318 --history 30m --rate 20      a demo
 *   shopgen --otlp ... --requests 100000 --shops 84 --no-pace  a load
 *
 * Simulated time starts --history before now and runs as fast as the server
 * takes it until it reaches the present; then it is paced, unless --no-pace.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "shop.h"

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
    (void)signal;
    stopped = 1;
}

static void usage(void)
{
    fputs(
        "Usage: shopgen [OPTION VALUE]...\n"
        "  --otlp HOST:PORT    OTLP/HTTP receiver (127.0.0.1:4318); or\n"
        "                      file:PATH, or zstd:LEVEL (only compress)\n"
        "  --seed N            seed of the random numbers (1)\n"
        "  --shops N           copies of the shop of 12 components (1)\n"
        "  --pods N            pods per component (2)\n"
        "  --rate R            user requests per second (20)\n"
        "  --swing S           the rate goes up and down by this part of it "
        "within\n"
        "                      an hour, 0 to 0.95 (0)\n"
        "  --requests N        stop after N requests; 0: no limit (0)\n"
        "  --history T         start T before now (30m)\n"
        "  --start TIME        start at TIME (RFC 3339) instead\n"
        "  --duration T        simulated time; 0: no limit (0)\n"
        "  --rollout T         new version of checkout after T (0: none)\n"
        "  --fault T           a fault begins after T (0: none)\n"
        "  --kind NAME         kind of fault: cpu, leak, disk-full, ... (cpu)\n"
        "  --fault-end T       the fault ends after T (0: never)\n"
        "  --scrape T          interval of the metrics of a pod (15s)\n"
        "  --batch N           records per export request (500)\n"
        "  --connections N     connections to the receiver (4)\n"
        "  --encoding NAME     identity, gzip or zstd\n"
        "  --signals LIST      any of traces,logs,metrics (all)\n"
        "  --wild              spans with unique URLs, sessions and client\n"
        "                      addresses; half of the calls go to hosts\n"
        "                      that send no spans\n"
        "  --no-pace           as fast as the server accepts\n"
        "  --quiet             print no progress\n",
        stderr);
    exit(2);
}

static uint64_t duration(const char *text)
{
    uint64_t ns;

    if (strcmp(text, "0") == 0)
        return 0;
    if (!clock_parse_duration(slice_of(text), &ns))
        usage();
    return ns;
}

static void choose_signals(struct shop_options *o, const char *list)
{
    o->spans = strstr(list, "traces") != NULL;
    o->logs = strstr(list, "logs") != NULL;
    o->metrics = strstr(list, "metrics") != NULL;
}

static int encoding(const char *name)
{
    return strcmp(name, "gzip") == 0 ? 1 : strcmp(name, "zstd") == 0 ? 2 : 0;
}

/* Times are parsed in the order given; --duration counts from the start. */
static bool take_time(struct shop_options *o, const char *name,
                      const char *value, uint64_t *length_ns)
{
    if (strcmp(name, "--history") == 0)
        o->start_ns = clock_wall_ns() - duration(value);
    else if (strcmp(name, "--duration") == 0)
        *length_ns = duration(value);
    else if (strcmp(name, "--rollout") == 0)
        o->rollout_ns = duration(value);
    else if (strcmp(name, "--fault") == 0)
        o->fault_ns = duration(value);
    else if (strcmp(name, "--fault-end") == 0)
        o->fault_end_ns = duration(value);
    else if (strcmp(name, "--scrape") == 0)
        o->scrape_ns = duration(value);
    else if (strcmp(name, "--start") == 0) {
        if (!clock_parse_rfc3339(slice_of(value), &o->start_ns))
            usage();
    } else
        return false;
    return true;
}

static bool take_number(struct shop_options *o, const char *name,
                        const char *value)
{
    int n = atoi(value);

    if (strcmp(name, "--seed") == 0)
        o->seed = strtoull(value, NULL, 10);
    else if (strcmp(name, "--requests") == 0)
        o->requests = strtoull(value, NULL, 10);
    else if (strcmp(name, "--rate") == 0)
        o->rate = atof(value);
    else if (strcmp(name, "--swing") == 0)
        o->swing = atof(value);
    else if (strcmp(name, "--shops") == 0)
        o->shops = n;
    else if (strcmp(name, "--pods") == 0)
        o->pods = n;
    else if (strcmp(name, "--batch") == 0)
        o->batch = n;
    else if (strcmp(name, "--connections") == 0)
        o->connections = n;
    else
        return false;
    return true;
}

static void parse(struct shop_options *o, int argc, char **argv)
{
    uint64_t length_ns = 0;

    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--no-pace") == 0)
            o->pace = false;
        else if (strcmp(argv[i], "--quiet") == 0)
            o->quiet = true;
        else if (strcmp(argv[i], "--wild") == 0)
            o->wild = true;
        else if (!value)
            usage();
        else {
            if (strcmp(argv[i], "--otlp") == 0)
                o->otlp = value;
            else if (strcmp(argv[i], "--signals") == 0)
                choose_signals(o, value);
            else if (strcmp(argv[i], "--kind") == 0)
                o->kind = fault_named(value);
            else if (strcmp(argv[i], "--encoding") == 0)
                o->encoding = encoding(value);
            else if (!take_time(o, argv[i], value, &length_ns) &&
                     !take_number(o, argv[i], value))
                usage();
            i++;
        }
    }
    if (!o->kind || o->shops < 1 || o->pods < 1 || o->pods > MAX_PODS ||
        o->rate <= 0 || o->swing < 0 || o->swing > 0.95 || o->batch < 1 ||
        o->connections < 1 || o->connections > 64)
        usage();
    o->end_ns = length_ns ? o->start_ns + length_ns : 0;
}

int main(int argc, char **argv)
{
    struct shop_options options = shop_defaults;
    struct world world;

    options.start_ns = clock_wall_ns() - 30 * NS_PER_MIN;
    parse(&options, argc, argv);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    struct sender *sender =
        sender_open(options.otlp, options.connections, options.encoding);
    if (!sender)
        usage();
    uint64_t begin = clock_monotonic_ns();
    world_init(&world, &options, sender);
    world_play(&world, &stopped);
    sender_drain(sender);
    double seconds = (double)(clock_monotonic_ns() - begin) / 1e9;
    if (!options.quiet)
        printf("spans=%llu logs=%llu points=%llu bytes=%llu failed=%llu "
               "seconds=%.3f zstd_seconds=%.3f\n",
               (unsigned long long)(options.spans ? world.spans_made : 0),
               (unsigned long long)world.logs_made,
               (unsigned long long)world.points_made,
               (unsigned long long)sender_bytes(sender),
               (unsigned long long)sender_failed(sender), seconds,
               sender_zstd_seconds(sender));
    int failed = sender_failed(sender) > 0;
    world_free(&world);
    sender_close(sender);
    return failed;
}
