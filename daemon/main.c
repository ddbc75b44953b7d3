/*
 * callboard: the daemon (serve.c), the verbs of the command line (cli.c, and
 * local_verbs.c), and the options as text (config_help.c).
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "config.h"
#include "local_verbs.h"
#include "serve.h"

static void print_version(FILE *out)
{
    fputs("callboard " CALLBOARD_VERSION "\n", out);
}

/* Arguments that only print something: options wherever they stand, words as
 * the first argument. */
static const struct {
    const char *argument;
    void (*print)(FILE *out);
} prints[] = {{"--help", config_print_help},
              {"-h", config_print_usage},
              {"help", config_print_usage},
              {"--help-man", config_print_man},
              {"--help-config", config_print_sample},
              {"--version", print_version},
              {"-V", print_version},
              {"version", print_version}};

static bool print_only(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        for (size_t k = 0; k < sizeof(prints) / sizeof(prints[0]); k++)
            if (strcmp(argv[i], prints[k].argument) == 0 &&
                (i == 1 || argv[i][0] == '-')) {
                if (prints[k].print == config_print_usage && argc > 2)
                    config_print_help(stdout); /* callboard serve -h */
                else
                    prints[k].print(stdout);
                return true;
            }
    return false;
}

/* Batches are a few hundred KiB, allocated on one thread and freed on another.
 * By default, glibc keeps their memory in the heap of each thread. With few
 * heaps, and large allocations from the kernel, resident memory is what is in
 * use. */
static void limit_malloc(void)
{
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 8 << 20);
}

int main(int argc, char **argv)
{
    struct config config;
    enum status status;
    int code;

    umask(077); /* files are readable by their owner only */
    if (argc == 3 && strcmp(argv[1], "help") == 0 && cli_is_verb(argv[2])) {
        char *help[] = {argv[0], argv[2], (char[]){"--help"}, NULL};

        return cli_run(3, help);
    }
    if (argc == 3 && strcmp(argv[1], "help") == 0 &&
        strcmp(argv[2], "serve") != 0) {
        cli_unknown(argv[2]);
        return 1;
    }
    code = local_verb_run(argc, argv);
    if (code >= 0)
        return code;
    if (argc > 1 && cli_is_verb(argv[1]))
        return cli_run(argc, argv);
    if (print_only(argc, argv))
        return 0;
    limit_malloc();
    status = config_load(&config, argc, argv);
    if (status == OK)
        status = serve(&config);
    config_release(&config);
    return status == OK ? 0 : 1;
}
