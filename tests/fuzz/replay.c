/* replay.c - runs a fuzz target over the files of its corpus, once each, so that every finding stays a unit test. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include "tests_fuzz.h"

static unsigned char *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    unsigned char *p;
    long size;

    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0)
        exit(1);
    rewind(f);
    p = malloc((size_t)size + 1); /* exact size for ASan's sake when not empty */
    *n = fread(p, 1, (size_t)size, f);
    fclose(f);
    return p;
}

int main(int argc, char **argv)
{
    DIR *dir = opendir(argc > 1 ? argv[1] : ".");
    struct dirent *d;
    unsigned runs = 0;

    LLVMFuzzerTestOneInput((const unsigned char *)"", 0);
    while (dir != NULL && (d = readdir(dir)) != NULL) {
        char path[4096];
        unsigned char *p;
        size_t n;

        if (d->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", argv[1], d->d_name);
        p = slurp(path, &n);
        LLVMFuzzerTestOneInput(p, n);
        free(p);
        runs++;
    }
    if (dir != NULL)
        closedir(dir);
    printf("%u inputs\n", runs);
    return 0;
}
