#include "transfers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>

#include "clock.h"
#include "curl_api.h"
#include "mem.h"
#include "queue.h"

enum { MAX_PARALLEL = 32 };

struct transfers {
    const struct curl_api *curl; /* NULL: only ticks */
    CURLM *multi;
    void (*tick)(void *arg);
    void *arg;
    pthread_t thread;
    bool started;
    atomic_bool stopping, woken;
    pthread_mutex_t lock;
    struct transfer *submitted; /* the newest first */
    struct transfer *running;   /* the thread's */
    struct queue *wake;         /* without curl */
};

/* ---- one transfer ---- */

/* Less than was given ends the transfer. */
static size_t take_bytes(char *bytes, size_t one, size_t count, void *arg)
{
    struct transfer *transfer = arg;

    buf_add(&transfer->body, (struct slice){bytes, one * count});
    return transfer->body.status == OK ? one * count : 0;
}

static bool is_header(struct slice *line, const char *name)
{
    size_t len = strlen(name);

    if (line->len < len || strncasecmp(line->ptr, name, len) != 0)
        return false;
    *line = slice_trim(slice_from(*line, len), " \t\r\n");
    return true;
}

static uint64_t read_max_age(struct slice directives)
{
    uint64_t seconds = 0;

    while (directives.len > 0) {
        struct slice one = slice_trim(slice_split(&directives, ','), " \t");

        if (!is_header(&one, "max-age="))
            continue;
        for (size_t i = 0; i < one.len && one.ptr[i] >= '0' &&
                           one.ptr[i] <= '9' && seconds < UINT32_MAX;
             i++)
            seconds = seconds * 10 + (uint64_t)(one.ptr[i] - '0');
        return seconds;
    }
    return 0;
}

static size_t take_header(char *bytes, size_t one, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    struct slice line = {bytes, one * count};

    if (is_header(&line, "cache-control:"))
        transfer->max_age_s = read_max_age(line);
    return one * count;
}

static void set_options(const struct curl_api *curl, CURL *handle,
                        struct transfer *transfer)
{
    curl->easy_setopt(handle, CURLOPT_URL, transfer->url);
    curl->easy_setopt(handle, CURLOPT_PRIVATE, transfer);
    curl->easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl->easy_setopt(handle, CURLOPT_PROXY, "");
    curl->easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(handle, CURLOPT_TIMEOUT_MS, transfer->timeout_ms);
    curl->easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    curl->easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    curl->easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_bytes);
    curl->easy_setopt(handle, CURLOPT_WRITEDATA, transfer);
    curl->easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
    curl->easy_setopt(handle, CURLOPT_HEADERDATA, transfer);
    if (transfer->ca_file)
        curl->easy_setopt(handle, CURLOPT_CAINFO, transfer->ca_file);
    if (transfer->post.ptr) {
        curl->easy_setopt(handle, CURLOPT_POSTFIELDSIZE,
                          (long)transfer->post.len);
        curl->easy_setopt(handle, CURLOPT_POSTFIELDS, transfer->post.ptr);
    }
    curl->easy_setopt(handle, CURLOPT_HTTPHEADER, transfer->lines);
}

static void add_line(const struct curl_api *curl, struct transfer *transfer,
                     const char *line)
{
    if (line)
        transfer->lines = curl->slist_append(transfer->lines, line);
}

static void finish(struct transfers *transfers, struct transfer *transfer)
{
    const struct curl_api *curl = transfers->curl;
    struct transfer **at = &transfers->running;
    struct buf body;

    while (*at != transfer)
        at = &(*at)->next;
    *at = transfer->next;
    if (transfer->handle) {
        curl->multi_remove_handle(transfers->multi, transfer->handle);
        curl->easy_cleanup(transfer->handle);
    }
    curl->slist_free_all(transfer->lines);
    body = transfer->body;
    transfer->done(transfer); /* may free it, or submit it again */
    buf_release(&body);
}

static void begin(struct transfers *transfers, struct transfer *transfer)
{
    const struct curl_api *curl = transfers->curl;

    buf_init(&transfer->body, transfer->max_bytes);
    transfer->code = 0;
    transfer->max_age_s = 0;
    transfer->error = "libcurl failed";
    transfer->lines = NULL;
    transfer->handle = curl->easy_init();
    transfer->next = transfers->running;
    transfers->running = transfer;
    if (!transfer->handle) {
        finish(transfers, transfer);
        return;
    }
    add_line(curl, transfer, "Accept: application/json");
    add_line(curl, transfer, "Expect:"); /* no 100-continue */
    if (transfer->post.ptr)
        add_line(curl, transfer, "Content-Type: application/json");
    add_line(curl, transfer, transfer->authorization);
    set_options(curl, transfer->handle, transfer);
    curl->multi_add_handle(transfers->multi, transfer->handle);
}

static void set_result(const struct curl_api *curl, struct transfer *transfer,
                       CURLcode code)
{
    if (code == CURLE_OK)
        curl->easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE,
                           &transfer->code);
    else
        transfer->error = transfer->body.status != OK
                              ? "the answer is larger than the limit"
                              : curl->easy_strerror(code);
}

/* ---- the thread ---- */

static void begin_submitted(struct transfers *transfers)
{
    struct transfer *list;

    pthread_mutex_lock(&transfers->lock);
    list = transfers->submitted;
    transfers->submitted = NULL;
    pthread_mutex_unlock(&transfers->lock);
    while (list) {
        struct transfer *transfer = list;

        list = list->next;
        begin(transfers, transfer);
    }
}

static void run_transfers(struct transfers *transfers)
{
    const struct curl_api *curl = transfers->curl;
    CURLMsg *message;
    int running, left;

    begin_submitted(transfers);
    (void)curl->multi_perform(transfers->multi, &running);
    while ((message = curl->multi_info_read(transfers->multi, &left))) {
        CURLcode code = message->data.result;
        struct transfer *transfer;

        curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        set_result(curl, transfer, code);
        finish(transfers, transfer);
    }
}

static void wait_until(struct transfers *transfers, uint64_t tick_ns)
{
    uint64_t now = clock_monotonic_ns();
    uint64_t pause = tick_ns > now ? tick_ns - now : 0;

    if (transfers->curl)
        (void)transfers->curl->multi_poll(transfers->multi, NULL, 0,
                                          (int)(pause / NS_PER_MS) + 1, NULL);
    else
        (void)queue_pop(transfers->wake, pause);
}

static void *transfers_main(void *arg)
{
    struct transfers *transfers = arg;
    uint64_t tick_ns = 0;

    while (!atomic_load(&transfers->stopping)) {
        if (atomic_exchange(&transfers->woken, false) ||
            clock_monotonic_ns() >= tick_ns) {
            transfers->tick(transfers->arg);
            tick_ns = clock_monotonic_ns() + NS_PER_S;
        }
        if (transfers->curl)
            run_transfers(transfers);
        if (!atomic_load(&transfers->woken))
            wait_until(transfers, tick_ns);
    }
    begin_submitted(transfers);
    while (transfers->running) {
        transfers->running->code = 0;
        transfers->running->error = "shutting down";
        finish(transfers, transfers->running);
    }
    return NULL;
}

/* ---- start, stop ---- */

static bool open_curl(struct transfers *transfers)
{
    transfers->curl = curl_api();
    if (!transfers->curl)
        return false;
    transfers->multi = transfers->curl->multi_init();
    if (!transfers->multi)
        return false;
    transfers->curl->multi_setopt(
        transfers->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)MAX_PARALLEL);
    return true;
}

enum status transfers_start(struct transfers **out, bool with_curl,
                            void (*tick)(void *arg), void *arg)
{
    struct transfers *transfers = mem_zero(1, sizeof(*transfers));

    *out = transfers;
    transfers->tick = tick;
    transfers->arg = arg;
    transfers->wake = queue_new(1);
    pthread_mutex_init(&transfers->lock, NULL);
    if (with_curl && !open_curl(transfers))
        return ERR_NOT_FOUND;
    if (pthread_create(&transfers->thread, NULL, transfers_main, transfers) !=
        0)
        return ERR_INTERNAL;
    transfers->started = true;
    return OK;
}

void transfers_wake(struct transfers *transfers)
{
    atomic_store(&transfers->woken, true);
    if (transfers->curl)
        (void)transfers->curl->multi_wakeup(transfers->multi);
    else
        (void)queue_push(transfers->wake, transfers); /* full: it is awake */
}

void transfers_submit(struct transfers *transfers, struct transfer *transfer)
{
    pthread_mutex_lock(&transfers->lock);
    transfer->next = transfers->submitted;
    transfers->submitted = transfer;
    pthread_mutex_unlock(&transfers->lock);
    (void)transfers->curl->multi_wakeup(transfers->multi);
}

void transfers_stop(struct transfers *transfers)
{
    if (!transfers)
        return;
    atomic_store(&transfers->stopping, true);
    if (transfers->started) {
        transfers_wake(transfers);
        pthread_join(transfers->thread, NULL);
    }
    if (transfers->multi)
        (void)transfers->curl->multi_cleanup(transfers->multi);
    queue_close(transfers->wake);
    (void)queue_pop(transfers->wake, 0);
    queue_free(transfers->wake);
    pthread_mutex_destroy(&transfers->lock);
    free(transfers);
}
