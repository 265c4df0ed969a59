/* main.c - sim FILE.scn...: plays scenario files and holds what arrived against what they expect.
 *          sim --random FIRST COUNT HOURS: the same with scenarios from seeds. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "os/log.h"
#include "seeds.h"
#include "sim.h"

static bool run(const char *path)
{
    struct scenario scn;
    struct sim s;
    struct err e = ERR_INIT;
    bool ok;
    FILE *f;

    if (!scenario_read(path, &scn, &e)) {
        fprintf(stderr, "%s\n", e.msg);
        return false;
    }
    f = fopen("rules.yml", "w"); /* a constant name: the slots of a group follow from it */
    if (f == NULL || fwrite(scn.rules.p, 1, scn.rules.n, f) != scn.rules.n || fclose(f) != 0)
        return false;
    sim_open(&s, path, &scn, 0);
    ok = inbox_judge(&s.inbox, &scn, path) && s.oracle.wrong == 0 && s.wrong == 0;
    printf("%s: %zu answers of explain held\n", path, s.oracle.checked);
    sim_close(&s);
    unlink("rules.yml");
    scenario_release(&scn);
    return ok;
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/sim-XXXXXX";
    int passed = 0, failed = 0;

    log_setup(LOG_ERROR, LOG_LOGFMT, 2);
    if (argc == 5 && strcmp(argv[1], "--random") == 0)
        return seeds_run(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10),
                         strtoull(argv[4], NULL, 10));
    for (int i = 1; i < argc; i++)
        argv[i] = realpath(argv[i], NULL);
    if (mkdtemp(dir) == NULL || chdir(dir) != 0)
        return 1;
    for (int i = 1; i < argc; i++) {
        if (argv[i] != NULL && run(argv[i]))
            passed++;
        else
            failed++;
        free(argv[i]);
    }
    rmdir(dir);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
