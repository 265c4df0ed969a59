/* commands.c - the table of commands, and the ones that are a few lines. */
#include <stdio.h>
#include "cli/alert.h"
#include "cli/bridge.h"
#include "cli/check.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/collect.h"
#include "cli/compare.h"
#include "cli/completion.h"
#include "cli/config.h"
#include "cli/explain.h"
#include "cli/import_dingtalk.h"
#include "cli/lint.h"
#include "cli/query.h"
#include "cli/receipts.h"
#include "cli/receiver.h"
#include "cli/route.h"
#include "cli/say.h"
#include "cli/schema.h"
#include "cli/serve.h"
#include "cli/silence.h"
#include "cli/slo.h"
#include "cli/storage.h"
#include "cli/template.h"
#include "cli/test.h"

struct reload_flags {
    struct client_flags client;
    bool dry_run, allow_no_route, rollback;
};

static const struct flag reload_flag_table[] = {
    CLIENT_ASK_ROWS(struct reload_flags),
    FLAG(struct reload_flags, dry_run, "dry-run", FLAG_BOOL, NULL, NULL,
         "only check what the server would load"),
    FLAG(struct reload_flags, rollback, "rollback", FLAG_BOOL, NULL, NULL,
         "go back to the configuration that ran before, as its files were then"),
    FLAG(struct reload_flags, allow_no_route, "allow-no-route", FLAG_BOOL, NULL, NULL,
         "take a configuration without a route although the running one has one"),
    FLAGS_END,
};

static int reload_run(const void *flags, char **args, int n_args)
{
    const struct reload_flags *f = flags;
    struct buf answer = BUF_INIT;
    char path[64];
    int code;

    (void)args;
    if (n_args != 0) {
        fprintf(stderr, "tocsin: reload takes no argument\n");
        return EXIT_USAGE;
    }
    snprintf(path, sizeof(path), "/-/reload?dry_run=%d&allow_no_route=%d&rollback=%d", f->dry_run,
             f->allow_no_route, f->rollback);
    code = client_call(&f->client, "POST", path, S(""), &answer);
    if (code == EXIT_OK)
        say(stdout, "%.*s%s\n", STR(buf_str(&answer)),
            f->dry_run    ? "the configuration would be accepted"
            : f->rollback ? "the configuration that ran before runs again"
                          : "reloaded");
    buf_release(&answer);
    return code;
}

static int version_run(const void *flags, char **args, int n_args)
{
    (void)flags;
    (void)args;
    (void)n_args;
    printf("tocsin %s (speaks the interface of Alertmanager 0.34.0)\n", TOCSIN_VERSION);
    return EXIT_OK;
}

#define SIZED(type) sizeof(type)
const struct command commands[] = {
    {"serve", NULL, NULL, "Evaluate rules, route alerts and deliver notifications",
     serve_flag_table, SIZED(struct serve_flags), serve_run},
    {"collect", NULL, NULL,
     "Export this host, its GPUs, processes, probes and text files, where no exporter does",
     collect_flag_table, SIZED(struct collect_flags), collect_run},
    {"lint", NULL, "PATH...", "Check rule files and configurations", lint_flag_table,
     SIZED(struct lint_flags), lint_run},
    {"check", "metrics", "[FILE|URL]",
     "Look at a page of metrics: its names, types, help texts, and whether its numbers can be true",
     check_metrics_flags, SIZED(struct check_flags), check_metrics_run},
    {"check", "web-config", "FILE...",
     "Check files of --web.config.file, with the keys and certificates that they name", NULL, 0,
     check_web_config_run},
    {"test", NULL, "PATH...", "Run unit tests of rules and routes (promtool's files)",
     test_flag_table, sizeof(struct test_flags), test_run},
    {"slo", NULL, "FILE",
     "Print rules for service level objectives: multi-window burn rates, from a line each", NULL, 0,
     slo_run},
    {"query", NULL, "EXPR", "Evaluate a PromQL expression over a file or ask a server",
     query_flag_table, SIZED(struct query_flags), query_run},
    {"alert", "add", "[NAME] LABEL=VALUE...", "Post an alert", alert_add_flags,
     SIZED(struct alert_flags), alert_add_run},
    {"alert", "list", "[MATCHER...]", "Show alerts with their state, receiver and next message",
     alert_list_flags, SIZED(struct alert_flags), alert_list_run},
    {"silence", "add", "MATCHER...", "Silence alerts", silence_add_flags,
     SIZED(struct silence_flags), silence_add_run},
    {"silence", "list", "[MATCHER...]", "Show silences", silence_list_flags,
     SIZED(struct silence_flags), silence_list_run},
    {"silence", "update", "ID...", "Change when silences hold, and why", silence_update_flags,
     SIZED(struct silence_flags), silence_update_run},
    {"silence", "import", "[FILE]",
     "Post the silences of a JSON list, as 'silence list -o json' and amtool print it",
     silence_import_flags, SIZED(struct silence_flags), silence_import_run},
    {"silence", "expire", "ID...", "End silences", silence_expire_flags,
     SIZED(struct silence_flags), silence_expire_run},
    {"receiver", "test", "NAME", "Send a made-up alert through a receiver", receiver_test_flags,
     SIZED(struct receiver_flags), receiver_test_run},
    {"receiver", "receipts", "[NAME...]",
     "Show the addresses at which services are to tell how calls went", receipts_flag_table,
     SIZED(struct receipts_flags), receipts_run},
    {"drill", NULL, "ALERTNAME",
     "Try the whole way of a rule's alert, marked as a drill, and say what each channel answered",
     drill_flag_table, SIZED(struct receiver_flags), drill_run},
    {"explain", "alert", "NAME|MATCHER...|FINGERPRINT",
     "Why an alert was or was not sent, to whom, and when it is told next", explain_flag_table,
     SIZED(struct explain_flags), explain_alert_run},
    {"explain", "route", "LABEL=VALUE...", "What would become of an alert with these labels",
     explain_flag_table, SIZED(struct explain_flags), explain_route_run},
    {"explain", "rule", "NAME",
     "Why a rule fires, or not: how many series each part of its expression has, and where none is "
     "left",
     explain_rule_flags, SIZED(struct explain_flags), explain_rule_run},
    {"explain", "silence", "ID", "What a silence keeps quiet, now and before", explain_flag_table,
     SIZED(struct explain_flags), explain_silence_run},
    {"explain", "receiver", "NAME", "How deliveries to a receiver went, and what waits",
     explain_flag_table, SIZED(struct explain_flags), explain_receiver_run},
    {"rule", "list", NULL, "Rules, and which of them match nothing, never end, are slow or fail",
     rule_list_flag_table, SIZED(struct rule_list_flags), rule_list_run},
    {"trial", "report", NULL,
     "Rules on trial (# tocsin: trial): how often and how long they would have told whom, since "
     "the start",
     explain_flag_table, SIZED(struct explain_flags), trial_report_run},
    {"notification", "list", NULL, "What was sent, and what became of it", notification_list_flags,
     SIZED(struct explain_flags), notification_list_run},
    {"import", "alertmanager", "DIR",
     "Take over silences and the notification log of a stopped Alertmanager", bridge_flag_table,
     SIZED(struct bridge_flags), import_alertmanager_run},
    {"import", "dingtalk", "CONFIG.YML",
     "Print the robots of a DingTalk bridge (prometheus-webhook-dingtalk) as receivers",
     import_dingtalk_flag_table, SIZED(struct import_dingtalk_flags), import_dingtalk_run},
    {"export", "alertmanager", "DIR",
     "Write silences and the notification log for an Alertmanager to take over", bridge_flag_table,
     SIZED(struct bridge_flags), export_alertmanager_run},
    {"compare", NULL, NULL, "Show where a running Alertmanager sees alerts and silences otherwise",
     compare_flag_table, SIZED(struct compare_flags), compare_run},
    {"route", "show", NULL, "Draw the routing tree", route_show_flags, SIZED(struct route_flags),
     route_show_run},
    {"route", "test", "LABEL=VALUE...", "Show which routes take an alert, and where it fails",
     route_test_flags, SIZED(struct route_flags), route_test_run},
    {"template", "render", NULL, "Render a template over the data of a notification",
     template_render_flags, SIZED(struct template_flags), template_render_run},
    {"config", "show", NULL, "Show what a server runs or files say, with defaults filled in",
     config_show_flags, SIZED(struct config_flags), config_show_run},
    {"config", "diff", NULL, "Show where files differ from what a server runs", config_diff_flags,
     SIZED(struct config_flags), config_diff_run},
    {"reload", NULL, NULL, "Make a running server read its configuration again", reload_flag_table,
     SIZED(struct reload_flags), reload_run},
    {"schema", NULL, "[config|rules|test|slo|collect]",
     "Print what files may say, as a JSON schema or as documentation", schema_flag_table,
     SIZED(struct schema_flags), schema_run},
    {"version", NULL, NULL, "Print the version", NULL, 0, version_run},
    {"storage", "info", "[FOLDER]", "Show what a server keeps, or what lies in a storage folder",
     storage_ask_flags, SIZED(struct storage_flags), storage_info_run},
    {"storage", "verify", "[FOLDER]",
     "Say what of a storage folder, a backup or a server's state is damaged", storage_ask_flags,
     SIZED(struct storage_flags), storage_verify_run},
    {"storage", "backup", "DIR",
     "Write all that lasts, as of one instant, to a new folder (--timeout: while nothing comes)",
     storage_backup_flags, SIZED(struct storage_flags), storage_backup_run},
    {"storage", "restore", "BACKUP FOLDER", "Make a storage folder of a backup",
     storage_restore_flags, SIZED(struct storage_flags), storage_restore_run},
    {"storage", "downgrade", "FOLDER",
     "Bring the folder of a stopped server back to what 0.1.1 opens", NULL, 0,
     storage_downgrade_run},
    {"completion", NULL, "bash|zsh|fish", "Print a completion script", NULL, 0, completion_run},
    {NULL, NULL, NULL, NULL, NULL, 0, NULL},
};
