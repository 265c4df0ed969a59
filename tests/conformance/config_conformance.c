/* config_conformance.c - configurations and rule files of other projects get the verdicts of alertmanager.md 11.4 and
 * rules.md 1.2: good ones load, bad ones are refused and the message names what it should.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include "config/config.h"
#include "lint/render.h"
#include "ruler/rule_file.h"

struct verdict {
    const char *pattern; /* below conformance/ */
    const char *named;   /* NULL: loads; else refused, and some message names this */
};

/* The first pattern that a file matches holds. */
static const struct verdict configs[] = {
    {"alertmanager/config-testdata/conf.opsgenie-default-apikey-old-team.yml", "\"teams\""},
    {"alertmanager/config-testdata/conf.slack-both-url-and-token.yml", "slack_app_token"},
    {"alertmanager/config-testdata/conf.slack-both-file-and-token.yml", "at most one"},
    {"alertmanager/config-testdata/conf.*-both-*.yml", "at most one of"},
    {"alertmanager/config-testdata/conf.smtp-no-*.yml", NULL},
    {"alertmanager/config-testdata/conf.opsgenie-no-*.yml", "\"opsgenie_api_key\" in global"},
    {"alertmanager/config-testdata/conf.victorops-no-*.yml", "\"victorops_api_key\" in global"},
    {"alertmanager/config-testdata/conf.wechat-no-*.yml", "\"wechat_api_secret\" in global"},
    {"alertmanager/config-testdata/conf.rocketchat-no-*.yml", "\"rocketchat_token\" in global"},
    {"alertmanager/config-testdata/conf.slack-no-*.yml", "\"slack_api_url\""},
    {"alertmanager/config-testdata/conf.telegram-no-*.yml", "bot_token"},
    {"alertmanager/config-testdata/conf.mattermost-no-*.yml", "webhook_url"},
    {"alertmanager/config-testdata/conf.nil-match_re-route.yml", "invalid_label"},
    {"alertmanager/config-testdata/conf.nil-source_match_re-inhibition.yml",
     "invalid_source_label"},
    {"alertmanager/config-testdata/conf.nil-target_match_re-inhibition.yml",
     "invalid_target_label"},
    {"alertmanager/config-testdata/conf.slack-update-message-and-webhook.yml", "chat.postMessage"},
    {"alertmanager/config-testdata/conf.sns-invalid.yml", "\"phone_number\""},
    {"alertmanager/config-testdata/conf.*.yml", NULL},
    {"alertmanager/cli-testdata/conf.bad.yml", "mapping"},
    {"alertmanager/cli-testdata/*.yml", NULL},
    {"alertmanager/doc-examples/*.yml", NULL},
    {"seeds/*alertmanager.yml", NULL},
    {"rules/prometheus/examples/prometheus*.yml", NULL},
    {"compliance/prometheus-test-data.yml", NULL},
};

static const struct verdict rules[] = {
    {"rules/prometheus/rulefmt-testdata/bad_expr.bad.yaml", "range vector"},
    /* This one waits for the legacy scheme of names. */
    {"rules/prometheus/rulefmt-testdata/legacy_validation_annotation.bad.yaml", NULL},
    {"rules/prometheus/rulefmt-testdata/noexpr.bad.yaml", "\"expr\""},
    {"rules/prometheus/rulefmt-testdata/bad_field.bad.yaml", "\"annotation\""},
    {"rules/prometheus/rulefmt-testdata/duplicate_grp.bad.yaml", "stands twice"},
    {"rules/prometheus/rulefmt-testdata/record_and_alert.bad.yaml", "both"},
    {"rules/prometheus/rulefmt-testdata/record_and_for.bad.yaml", "\"for\""},
    {"rules/prometheus/rulefmt-testdata/record_and_keep_firing_for.bad.yaml",
     "\"keep_firing_for\""},
    {"rules/prometheus/rulefmt-testdata/no_rec_alert.bad.yaml", "neither"},
    {"rules/prometheus/rulefmt-testdata/invalid_record_name.bad.yaml", "braces"},
    {"rules/prometheus/rulefmt-testdata/invalid_label_name.bad.yaml", "__name__"},
    {"rules/prometheus/rulefmt-testdata/*.yaml", NULL},
    {"rules/prometheus/rules-fixtures/invalid_rules.yaml", "unexpected_field"},
    {"rules/prometheus/rules-fixtures/*.yaml", NULL},
    {"rules/gpu/*.rules.y*ml", NULL},
    {"compliance/alert_generator-rules.yaml", NULL},
    {"seeds/*alert_rules.yml", NULL},
};

struct run {
    struct buf seen; /* paths, each between newlines */
    unsigned checked, failed;
};

static bool names(const struct diags *d, const char *word)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->v[i].severity == DIAG_ERROR && (str_find_str(d->v[i].message, str_of(word)) >= 0 ||
                                               str_find_str(d->v[i].help, str_of(word)) >= 0))
            return true;
    return false;
}

static void judge(struct run *r, const char *path, bool loaded, const struct diags *d,
                  const struct verdict *v)
{
    struct buf why = BUF_INIT;
    bool right = v->named == NULL ? loaded : !loaded && names(d, v->named);

    r->checked++;
    if (right)
        return;
    r->failed++;
    diags_render_plain(&why, d);
    printf("%s: %s, wanted %s%s\n%s", path, loaded ? "loads" : "refused",
           v->named != NULL ? "refused with " : "loads", v->named != NULL ? v->named : "",
           buf_z(&why));
    buf_release(&why);
}

static void check_config(struct run *r, const char *path, const struct verdict *v)
{
    str p = str_of(path);
    struct config_options o = {.paths = &p, .n_paths = 1, .without_rules = true};
    struct diags d;
    struct config *c;

    diags_init(&d);
    c = config_load(&o, &d);
    judge(r, path, c != NULL, &d, v);
    if (c != NULL && c->route != NULL) { /* what the status page shows must load as well */
        struct config_text again = {p, c->original};
        struct config *c2;

        diags_release(&d);
        diags_init(&d);
        c2 = config_load_texts(&again, 1, &o, &d);
        judge(r, path, c2 != NULL && str_eq(c2->original, c->original), &d,
              &(struct verdict){path, NULL});
        config_unref(c2);
    }
    config_unref(c);
    diags_release(&d);
}

static void check_rules(struct run *r, const char *path, const struct verdict *v)
{
    struct rule_file file;
    struct arena a;
    struct diags d;

    arena_init(&a, 0);
    diags_init(&d);
    judge(r, path, rule_file_load(str_of(path), &(struct rule_file_options){0}, &a, &file, &d), &d,
          v);
    diags_release(&d);
    arena_release(&a);
}

static void run_table(struct run *r, const struct verdict *table, size_t n,
                      void (*check)(struct run *, const char *, const struct verdict *))
{
    for (size_t i = 0; i < n; i++) {
        struct buf pattern = BUF_INIT;
        glob_t found;

        buf_addf(&pattern, "%s/conformance/%s", TOCSIN_SHARED, table[i].pattern);
        if (glob(buf_z(&pattern), 0, NULL, &found) == 0) {
            for (size_t j = 0; j < found.gl_pathc; j++) {
                struct buf line = BUF_INIT;

                buf_addf(&line, "\n%s\n", found.gl_pathv[j]);
                if (str_find_str(buf_str(&r->seen), buf_str(&line)) < 0) {
                    buf_add(&r->seen, buf_str(&line));
                    check(r, found.gl_pathv[j], &table[i]);
                }
                buf_release(&line);
            }
            globfree(&found);
        }
        buf_release(&pattern);
    }
}

int main(void)
{
    struct run r = {0};
    FILE *probe = fopen(TOCSIN_SHARED "/conformance/INDEX.md", "r");

    if (probe == NULL) {
        printf("no conformance data in %s\n", TOCSIN_SHARED);
        return getenv("CI") != NULL && strcmp(getenv("CI"), "true") == 0 ? 1 : 77;
    }
    fclose(probe);
    run_table(&r, configs, ARRAY_LEN(configs), check_config);
    run_table(&r, rules, ARRAY_LEN(rules), check_rules);
    printf("%u checks, %u wrong\n", r.checked, r.failed);
    buf_release(&r.seen);
    return r.failed != 0 || r.checked < 60;
}
