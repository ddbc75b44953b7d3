/*
 * Runs a fuzz target over each file of a folder, without libFuzzer, so that
 * what fuzzing found stays found. Each file is replayed whole and cut short at
 * a few places; each input is a malloc of its exact size, so that ASan sees a
 * read beyond it. The name of a file is printed before its run: the last one
 * printed is the one that crashed.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CUTS = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        abort();
    if (size)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0, room = 0;

    if (!file)
        return -1;
    do {
        room = room ? 2 * room : 4096;
        data = realloc(data, room);
        if (!data)
            abort();
        size += fread(data + size, 1, room - size, file);
    } while (size == room);
    fclose(file);
    run(data, size);
    for (size_t i = 1; i <= CUTS && size > CUTS; i++)
        run(data, size * i / (CUTS + 1));
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    const char *slash = strrchr(argv[0], '/');
    struct dirent *entry;
    DIR *dir = opendir(folder);
    int files = 0, unread = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    while (dir && (entry = readdir(dir))) {
        char path[4096];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        printf("# %s\n", path);
        files++;
        unread += replay(path) != 0;
    }
    if (dir)
        closedir(dir);
    /* A corpus that is missing or empty proves nothing: that is a failure. */
    printf("%sok 1 - %s: %d inputs, %d unreadable\n",
           files == 0 || unread > 0 ? "not " : "", slash ? slash + 1 : argv[0],
           files, unread);
    return files == 0 || unread > 0;
}
