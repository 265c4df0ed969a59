#include "cli/serve_flags.h"

#include <stdio.h>
#include <unistd.h>
#include "os/log.h"
#include "base/mem.h"
#include "cli/say.h"
#include "cli/web_url.h"

#define F struct serve_flags

const struct flag serve_flag_table[] = {
    FLAG(F, config_files, "config.file", FLAG_LIST, "alertmanager.yml", "FILE",
         "configuration; several files are merged, also those of TOCSIN_CONFIG_FILES=FILE:FILE"),
    FLAG(F, auto_reload, "config.auto-reload-interval", FLAG_DURATION, "0s", "D",
         "how often the files are looked at: what has changed and stands still for two looks is "
         "loaded; 0 = never"),
    FLAG(F, keep_last_good, "config.keep-last-good", FLAG_TEXT, "", "DIR",
         "keep a copy of the files that were accepted (mode 0600), and start with it when they are "
         "refused; default: not kept"),
    FLAG(F, storage_path, "storage.path", FLAG_TEXT, "data/", "DIR", "where state is kept"),
    FLAG(F, retention, "data.retention", FLAG_DURATION, "120h", "D",
         "how long the notification log and ended silences are kept"),
    FLAG(F, maintenance_interval, "data.maintenance-interval", FLAG_DURATION, "15m", "D",
         "state is written at once instead", .accepted_only = true),
    FLAG(F, max_silences, "silences.max-silences", FLAG_INT, "0", "N",
         "limit on stored silences, 0 = none"),
    FLAG(F, max_silence_size, "silences.max-silence-size-bytes", FLAG_INT, "0", "BYTES",
         "limit on one silence, 0 = none"),
    FLAG(F, max_silence_size, "silences.max-per-silence-bytes", FLAG_INT, "0", "BYTES",
         "the same, as some operators call it"),
    FLAG(F, log_silences, "log.silences", FLAG_BOOL, NULL, NULL, "log changes of silences"),
    FLAG(F, gc_interval, "alerts.gc-interval", FLAG_DURATION, "30m", "D",
         "resolved alerts are removed half an hour after their end", .accepted_only = true),
    FLAG(F, per_alertname_limit, "alerts.per-alertname-limit", FLAG_INT, "0", "N",
         "limit on alerts of one name, 0 = none"),
    FLAG(F, max_alerts, "alerts.max", FLAG_INT, "0", "N",
         "limit on alerts: new ones beyond it are dropped, 0 = none"),
    FLAG(F, max_groups, "dispatch.max-groups", FLAG_INT, "0", "N",
         "limit on groups: alerts that need a new one beyond it are not notified, 0 = none"),
    FLAG_ACCEPTED("dispatch.maintenance-interval", FLAG_DURATION, "D",
                  "empty groups are removed at once"),
    FLAG(F, shadow, "notify.shadow", FLAG_BOOL, NULL, NULL,
         "do everything but send: 'tocsin notification list' shows what would have gone out"),
    FLAG(F, start_delay, "dispatch.start-delay", FLAG_DURATION, "0s", "D",
         "no notification before this long after the start"),
    FLAG(F, systemd_socket, "web.systemd-socket", FLAG_BOOL, NULL, NULL,
         "listen on the sockets that systemd passes"),
    FLAG(F, listen, "web.listen-address", FLAG_LIST, ":9093", "ADDRESS",
         "host:port, :port or unix:/path"),
    FLAG(F, web_config, "web.config.file", FLAG_TEXT, "", "FILE",
         "TLS, users, headers and rate of the server; read again when it changes"),
    FLAG(F, external_url, "web.external-url", FLAG_TEXT, "", "URL",
         "what links in messages point to"),
    FLAG(F, route_prefix, "web.route-prefix", FLAG_TEXT, "", "PATH",
         "prefix of all routes; default: the path of the external URL"),
    FLAG(F, max_body, "web.max-body-bytes", FLAG_INT, "67108864", "BYTES",
         "largest body of a POST of alerts, unpacked"),
    FLAG(F, max_gets, "web.get-concurrency", FLAG_INT, "0", "N",
         "GETs under way, one more gets 503; 0 = no limit, for a GET holds no thread"),
    FLAG(F, max_queries, "query.max-concurrency", FLAG_INT, "20", "N",
         "queries of our own samples under way or waiting, one more gets 503; 0 = no limit"),
    FLAG(F, answer_timeout, "web.timeout", FLAG_DURATION, "0s", "D",
         "how long an answer may take to begin, then 503; 0 = as long as it takes"),
    FLAG(
        F, memory, "memory.max-bytes", FLAG_INT, "0", "BYTES",
        "what the program may have, if less than the machine and its control group: request bodies "
        "under way get an eighth, scrapes a quarter; 0 = as much as those"),
    FLAG_ACCEPTED("web.ui-path", FLAG_TEXT, "DIR", "the page is built in; Debian's Alertmanager"),
    FLAG_ACCEPTED("auto-gomemlimit.ratio", FLAG_TEXT, "RATIO", "Go's memory limit"),
    FLAG(F, cluster_listen, "cluster.listen-address", FLAG_TEXT, "0.0.0.0:9094", "ADDRESS",
         "gossip is not spoken; empty: peers are no reason not to start"),
    FLAG(F, cluster_peers, "cluster.peer", FLAG_LIST, NULL, "ADDRESS",
         "refused when it is another than this one: replicas would send everything several times"),
    FLAG(F, cluster_ignore, "cluster.ignore", FLAG_BOOL, NULL, NULL,
         "start although --cluster.peer is given"),
    FLAG(F, cluster_advertise, "cluster.advertise-address", FLAG_TEXT, "", "ADDRESS",
         "gossip is not spoken"),
    FLAG_ACCEPTED("cluster.peer-name", FLAG_TEXT, "NAME", "gossip is not spoken"),
    FLAG_ACCEPTED("cluster.peer-timeout", FLAG_DURATION, "D", "gossip is not spoken"),
    FLAG_ACCEPTED("cluster.peers-resolve-timeout", FLAG_DURATION, "D", "gossip is not spoken"),
    FLAG_ACCEPTED("cluster.gossip-interval", FLAG_DURATION, "D", "gossip is not spoken"),
    FLAG_ACCEPTED("cluster.pushpull-interval", FLAG_DURATION, "D", "gossip is not spoken"),
    FLAG_ACCEPTED("cluster.tcp-timeout", FLAG_DURATION, "D", "gossip is not spoken"),
    FLAG_ACCEPTED("cluster.probe-timeout", FLAG_DURATION, "D", "gossip is not spoken"),
    FLAG_ACCEPTED("cluster.probe-interval", FLAG_DURATION, "D", "gossip is not spoken"),
    FLAG_ACCEPTED("cluster.settle-timeout", FLAG_DURATION, "D", "gossip is not spoken"),
    FLAG_ACCEPTED("cluster.reconnect-interval", FLAG_DURATION, "D", "gossip is not spoken"),
    FLAG_ACCEPTED("cluster.reconnect-timeout", FLAG_DURATION, "D", "gossip is not spoken"),
    FLAG_ACCEPTED("cluster.tls-config", FLAG_TEXT, "FILE", "gossip is not spoken"),
    FLAG_ACCEPTED("cluster.allow-insecure-public-advertise-address-discovery", FLAG_BOOL, NULL,
                  "gossip is not spoken"),
    FLAG_ACCEPTED("cluster.label", FLAG_TEXT, "LABEL", "gossip is not spoken"),
    FLAG(F, allow_no_route, "allow-no-route", FLAG_BOOL, NULL, NULL,
         "a reload may take the route away; otherwise one that does is refused"),
    FLAG(
        F, tolerate_rules, "rules.tolerate-errors", FLAG_BOOL, NULL, NULL,
        "leave out rules and rule files with errors instead of refusing all; a reload never leaves "
        "out a rule that runs"),
    FLAG(F, features, "enable-feature", FLAG_TEXT, "", "LIST",
         "classic-mode, utf8-strict-mode, receiver-name-in-metrics, alert-names-in-metrics, "
         "group-key-in-metrics, event-recorder; auto-gomemlimit is accepted without effect"),
    FLAG(
        F, sandbox, "sandbox", FLAG_TEXT, "on", "on|off",
        "files outside of the configuration's and the storage's folders, and system calls that are "
        "not needed, are given up at the start, as far as the kernel can"),
    FLAG(F, log_level, "log.level", FLAG_TEXT, "info", "LEVEL", "debug, info, warn or error"),
    FLAG(F, log_format, "log.format", FLAG_TEXT, "logfmt", "FORMAT", "logfmt or json"),
    FLAGS_END,
};
#undef F

static bool parse_features(const char *list, struct serve_features *out)
{
    bool classic = false, strict = false, nothing;
    const struct {
        const char *name;
        bool *on;
    } known[] = {{"classic-mode", &classic},
                 {"utf8-strict-mode", &strict},
                 {"receiver-name-in-metrics", &out->receiver_names},
                 {"alert-names-in-metrics", &out->alert_names},
                 {"group-key-in-metrics", &out->group_keys},
                 {"auto-gomemlimit", &nothing},
                 {"event-recorder", &out->event_recorder}};
    str rest = str_of(list);

    while (rest.p != NULL && rest.n != 0) {
        str f = str_cut(&rest, ',');
        size_t i = 0;

        while (i < ARRAY_LEN(known) && !str_is(f, known[i].name))
            i++;
        if (i == ARRAY_LEN(known)) {
            say(stderr, "tocsin: --enable-feature: unknown feature '%.*s'\n", STR(f));
            return false;
        }
        *known[i].on = true;
    }
    if (classic && strict) {
        say(stderr,
            "tocsin: --enable-feature: classic-mode and utf8-strict-mode exclude each other\n");
        return false;
    }
    out->mode = classic ? MATCHER_CLASSIC : strict ? MATCHER_UTF8 : MATCHER_FALLBACK;
    return true;
}

struct address {
    str host, port;
};

/* host:port, [host]:port, :port or host. */
static struct address serve_flags_address_of(const char *text)
{
    str s = str_of(text);
    size_t at = s.n;

    while (at != 0 && s.p[at - 1] != ':' && s.p[at - 1] != ']')
        at--;
    if (at == 0 || s.p[at - 1] == ']')
        return (struct address){s, STR_NONE};
    s = str_sub(s, 0, at - 1);
    if (s.n >= 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
        s = str_sub(s, 1, s.n - 1);
    return (struct address){s, str_of(text + at)};
}

/* The name of this host, which is a pod's, also with its domain behind it. */
static bool is_this_host(str host)
{
    char name[256] = "";
    str own;

    gethostname(name, sizeof(name) - 1);
    own = str_of(name);
    return str_is(host, "localhost") || str_is(host, "127.0.0.1") || str_is(host, "::1") ||
           (own.n != 0 && str_starts_with(host, own) && (host.n == own.n || host.p[own.n] == '.'));
}

static bool is_this_one(const struct serve_flags *f, const char *peer)
{
    struct address p = serve_flags_address_of(peer),
                   own[] = {serve_flags_address_of(f->cluster_listen),
                            serve_flags_address_of(f->cluster_advertise)};

    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if ((p.port.n == 0 || str_eq(p.port, own[i].port)) &&
            (is_this_host(p.host) || (p.host.n != 0 && str_eq(p.host, own[i].host))))
            return true;
    return false;
}

/* Replicas that do not gossip would send everything several times. Without an address to listen on there is no cluster,
 * whatever peers are named. */
static bool check_peers(const struct serve_flags *f)
{
    if (f->cluster_ignore || f->cluster_listen[0] == '\0')
        return true;
    for (size_t i = 0; i < f->cluster_peers.n; i++) {
        const char *peer = f->cluster_peers.v[i];

        if (*peer == '\0' || is_this_one(f, peer))
            continue;
        say(stderr,
            "tocsin: --cluster.peer: '%s' is another replica, and tocsin does not gossip: each "
            "would send every notification.\n"
            "        Run one instance, or add --cluster.ignore to start all the same.\n",
            peer);
        return false;
    }
    return true;
}

bool serve_flags_check(const struct serve_flags *f, struct serve_features *features)
{
    enum log_level level;
    enum log_format format;

    if (!log_level_parse(str_of(f->log_level), &level)) {
        say(stderr, "tocsin: --log.level: '%s' is none of debug, info, warn, error\n",
            f->log_level);
        return false;
    }
    if (strcmp(f->sandbox, "on") != 0 && strcmp(f->sandbox, "off") != 0) {
        say(stderr, "tocsin: --sandbox: '%s' is neither on nor off\n", f->sandbox);
        return false;
    }
    if (!log_format_parse(str_of(f->log_format), &format)) {
        say(stderr, "tocsin: --log.format: '%s' is neither logfmt nor json\n", f->log_format);
        return false;
    }
    if (f->retention <= 0) {
        say(stderr, "tocsin: --data.retention must be positive\n");
        return false;
    }
    if (f->max_silences < 0 || f->max_silence_size < 0 || f->per_alertname_limit < 0 ||
        f->max_alerts < 0 || f->max_groups < 0 || f->memory < 0) {
        say(stderr, "tocsin: limits on silences, alerts, groups and memory must not be negative\n");
        return false;
    }
    if (f->auto_reload < 0) {
        say(stderr, "tocsin: --config.auto-reload-interval must not be negative\n");
        return false;
    }
    if (f->max_body <= 0) {
        say(stderr, "tocsin: --web.max-body-bytes must be positive\n");
        return false;
    }
    log_setup(level, format, STDERR_FILENO);
    return check_peers(f) && parse_features(f->features, features);
}

str serve_own_url(str address)
{
    char host[256] = "localhost", made[512];
    ptrdiff_t at = (ptrdiff_t)address.n - 1;

    while (at >= 0 && address.p[at] != ':')
        at--;
    gethostname(host, sizeof(host) - 1);
    snprintf(made, sizeof(made), "http://%s%.*s", host,
             STR(str_sub(address, at < 0 ? address.n : (size_t)at, address.n)));
    return mem_str_dup(str_of(made));
}

bool serve_flags_urls(const struct serve_flags *f, str *external_url, str *prefix)
{
    const char *flag = "web.external-url";
    struct err e = ERR_INIT;
    str url = STR_NONE, path = STR_NONE;
    struct arena a;
    bool ok = true;

    arena_init(&a, 0);
    if (f->external_url[0] != '\0')
        ok = web_url_parse(str_of(f->external_url), &a, &url, &path, &e);
    if (ok && f->route_prefix[0] != '\0') {
        flag = "web.route-prefix";
        ok = web_prefix_parse(str_of(f->route_prefix), &a, &path, &e);
    }
    if (ok) {
        *prefix = mem_str_dup(path);
        *external_url = url.n != 0
                            ? mem_str_dup(url)
                            : serve_own_url(str_of(f->listen.n != 0 ? f->listen.v[0] : NULL));
    } else {
        say(stderr, "tocsin: --%s: %s\n", flag, e.msg);
    }
    arena_release(&a);
    return ok;
}
