/* main.c - sim FILE.scn...: plays scenario files and holds what arrived against what they expect.
 *          sim --language FILE.scn...: the same, and which decisions and reasons none of them has.
 *          sim --explain FIRST COUNT HOURS: scenarios from seeds, and what explain foresees in them.
 *          sim --random FIRST COUNT: scenarios from seeds in which everything happens that can.
 *          sim --find FIRST COUNT: the same until one fails.
 *          sim --coverage COUNT: the same from seed 1, and which states its faults have hit. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "os/log.h"
#include "core/engine.h"
#include "live/shell.h"
#include "seeds.h"
#include "sim.h"

/* What the journal of some scenario tells. */
static struct {
    bool kinds[DECISION_RESOLVED_UNSENT + 1], reasons[REASON_UNKNOWN];
} told;

static bool mark_told(void *arg, const struct decision *d)
{
    (void)arg;
    told.kinds[d->kind] = true;
    for (size_t i = 0; d->kind == DECISION_NOTIFY && i < ARRAY_LEN(told.reasons); i++)
        told.reasons[i] |= str_is(d->why, notify_reason_text((enum notify_reason)i));
    return true;
}

/* The journal has no GROUPED and no NOTHING: explain works both out. */
static int lacking(void)
{
    int n = 0;

    for (size_t i = 0; i < ARRAY_LEN(told.kinds); i++)
        if (!told.kinds[i] && i != DECISION_GROUPED && i != DECISION_NOTHING) {
            printf("no scenario has the decision \"%s\"\n",
                   decision_kind_text((enum decision_kind)i));
            n++;
        }
    for (size_t i = REASON_NONE + 1; i < ARRAY_LEN(told.reasons); i++)
        if (!told.reasons[i]) {
            printf("no scenario notifies for \"%s\"\n", notify_reason_text((enum notify_reason)i));
            n++;
        }
    return n;
}

static bool run(const char *path)
{
    struct scenario scn;
    struct sim s;
    struct err e = ERR_INIT;
    bool ok;

    if (!scenario_read(path, &scn, &e)) {
        fprintf(stderr, "%s\n", e.msg);
        return false;
    }
    sim_open(&s, path, &scn, &(struct sim_options){0});
    ok = inbox_judge(&s.inbox, &scn, path) && s.oracle.wrong == 0 && s.wrong == 0;
    journal_scan(&shell_engine(s.it.shell)->journal, mark_told, NULL);
    printf("%s: %zu answers of explain held\n", path, s.oracle.checked);
    sim_close(&s);
    unlink("rules.yml");
    scenario_release(&scn);
    return ok;
}

static int run_files(char **v, int n)
{
    int failed = 0;

    for (int i = 0; i < n; i++)
        failed += v[i] == NULL || !run(v[i]);
    printf("%d passed, %d failed\n", n - failed, failed);
    return failed != 0;
}

static uint64_t number(const char *text)
{
    return strtoull(text, NULL, 10);
}

static int run_all(int n, char **v)
{
    if (n > 1 && strcmp(v[0], "--language") == 0)
        return run_files(v + 1, n - 1) + lacking() != 0;
    if (n == 4 && strcmp(v[0], "--explain") == 0)
        return seeds_explain(number(v[1]), number(v[2]), number(v[3]));
    if (n == 3 && strcmp(v[0], "--random") == 0)
        return seeds_wild(number(v[1]), number(v[2]));
    if (n == 3 && strcmp(v[0], "--find") == 0)
        return seeds_find(number(v[1]), number(v[2]));
    if (n == 2 && strcmp(v[0], "--coverage") == 0)
        return seeds_cover(number(v[1]));
    return run_files(v, n);
}

/* Rule files and samples are written to a folder of our own, in memory where there is such a place. */
int main(int argc, char **argv)
{
    char memory[] = "/dev/shm/sim-XXXXXX", disk[] = "/tmp/sim-XXXXXX", *dir = memory;
    int code;

    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-' && (argv[1][0] != '-' || strcmp(argv[1], "--language") == 0))
            argv[i] = realpath(argv[i], NULL);
    if (mkdtemp(memory) == NULL)
        dir = mkdtemp(disk);
    if (dir == NULL || chdir(dir) != 0)
        return 1;
    log_setup(LOG_ERROR, LOG_LOGFMT, open("/dev/null", O_WRONLY));
    code = run_all(argc - 1, argv + 1);
    remove_folder(dir);
    return code;
}
