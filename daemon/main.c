/*
 * callboard: see serve.c for how the parts are put together, config.h for the
 * options.
 */
#include <malloc.h>
#include <stdio.h>
#include <sys/stat.h>

#include "client.h"
#include "config.h"
#include "serve.h"

#ifndef CALLBOARD_VERSION
#define CALLBOARD_VERSION "0.1.0"
#endif

/* Batches are a few hundred KiB, made on one thread and freed on another: with
 * glibc's defaults each thread's heap keeps what it once had. Few heaps, and
 * big pieces from the kernel directly, keep resident memory at what is used. */
static void tame_malloc(void)
{
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 8 << 20);
}

static enum status run(const struct config *config, enum config_action action)
{
    switch (action) {
    case CONFIG_HELP:
        config_print_help(stdout);
        return OK;
    case CONFIG_MAN:
        config_print_man(stdout);
        return OK;
    case CONFIG_SAMPLE:
        config_print_sample(stdout);
        return OK;
    case CONFIG_VERSION:
        puts("callboard " CALLBOARD_VERSION);
        return OK;
    case CONFIG_SERVE:
        break;
    }
    return serve(config);
}

int main(int argc, char **argv)
{
    struct config config;
    enum config_action action;

    umask(077); /* files are readable by their owner only */
    if (argc > 1 && client_is_verb(argv[1]))
        return client_run(argc, argv);
    tame_malloc();
    enum status status = config_load(&config, argc, argv, &action);
    if (status == OK)
        status = run(&config, action);
    config_release(&config);
    return status == OK ? 0 : 1;
}
