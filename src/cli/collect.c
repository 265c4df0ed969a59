/* Configuration of file and flags, clock and loop, collector, addresses, ready; on a signal the end. It starts programs and
 * reads what the serving unit may not see, so it is a program of its own, with a unit of its own. */
#include "cli/collect.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include "cli/say.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "collect/collector.h"
#include "lint/render.h"
#include "net/libraries.h"
#include "net/sd_notify.h"
#include "os/file.h"
#include "os/log.h"
#include "os/loop.h"
#include "os/pool.h"
#include "os/signals.h"

#define F struct collect_flags
const struct flag collect_flag_table[] = {
    FLAG(F, config_file, "config.file", FLAG_TEXT, "", "FILE",
         "what to collect: 'tocsin schema collect'; default: this host"),
    FLAG(F, listen, "web.listen-address", FLAG_LIST, ":9190", "ADDRESS",
         "host:port, :port or unix:/path"),
    FLAG(F, web_config, "web.config.file", FLAG_TEXT, "", "FILE",
         "TLS, users, headers and rate of the server; read again when it changes"),
    FLAG(F, host, "host", FLAG_BOOL, "true", NULL, "collect what the kernel says of this host"),
    FLAG(F, nvidia, "nvidia", FLAG_BOOL, NULL, NULL, "collect NVIDIA's cards by nvidia-smi"),
    FLAG(F, nvidia_command, "nvidia.command", FLAG_LIST, NULL, "WORD",
         "in place of nvidia-smi; given again: its first arguments"),
    FLAG(F, probes, "probe", FLAG_LIST, NULL, "NAME=URL", "ask an HTTP server for a 2xx"),
    FLAG(F, processes, "process", FLAG_LIST, NULL, "NAME",
         "count processes with these words in their command line"),
    FLAG(F, text_folder, "text.folder", FLAG_TEXT, "", "DIR", "export files *.prom of a folder"),
    FLAG(F, timeout, "timeout", FLAG_DURATION, "0s", "D",
         "how long a part may take; 0 = what the file says, or 5s"),
    FLAG(F, scrape_timeout, "web.scrape-timeout", FLAG_DURATION, "9s", "D",
         "how long a scrape waits for parts at most"),
    FLAG(F, log_level, "log.level", FLAG_TEXT, "info", "LEVEL", "debug, info, warn or error",
         .words = "debug info warn error"),
    FLAG(F, log_format, "log.format", FLAG_TEXT, "logfmt", "FORMAT", "logfmt or json",
         .words = "logfmt json"),
    FLAGS_END,
};
#undef F

struct collecting {
    const struct collect_flags *flags;
    struct collect_conf conf;
    struct arena arena;
    struct clock clock;
    struct loop *loop;
    struct pool *pool;
    struct signals *signals;
    struct exporter *collector;
    struct timer tick;
};

/* -- what to collect -- */

static bool collect_flags_check(const struct collect_flags *f)
{
    enum log_level level;
    enum log_format format;

    if (!log_level_parse(str_of(f->log_level), &level))
        say(stderr, "tocsin: --log.level: '%s' is none of debug, info, warn, error\n",
            f->log_level);
    else if (!log_format_parse(str_of(f->log_format), &format))
        say(stderr, "tocsin: --log.format: '%s' is neither logfmt nor json\n", f->log_format);
    else if (f->timeout < 0 || f->scrape_timeout <= 0)
        say(stderr, "tocsin: --timeout and --web.scrape-timeout must be positive\n");
    else {
        log_setup(level, format, STDERR_FILENO);
        return true;
    }
    return false;
}

static void put_nvidia(const struct collect_flags *f, struct json_writer *w)
{
    json_key(w, S("nvidia"));
    json_open(w, '{');
    if (f->nvidia_command.n != 0) {
        json_key(w, S("command"));
        json_open(w, '[');
        for (size_t i = 0; i < f->nvidia_command.n; i++)
            json_put_str(w, str_of(f->nvidia_command.v[i]));
        json_close(w, ']');
    }
    json_close(w, '}');
}

/* NAME=URL; without a name the URL is one. */
static void put_probes(const struct collect_flags *f, struct json_writer *w)
{
    json_key(w, S("probes"));
    json_open(w, '[');
    for (size_t i = 0; i < f->probes.n; i++) {
        str url = str_of(f->probes.v[i]), name = url;

        if (!str_starts_with(url, S("http://")) && !str_starts_with(url, S("https://")))
            name = str_cut(&url, '=');
        json_open(w, '{');
        json_put_text(w, "name", name);
        json_put_text(w, "url", url);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_processes(const struct collect_flags *f, struct json_writer *w)
{
    json_key(w, S("processes"));
    json_open(w, '[');
    for (size_t i = 0; i < f->processes.n; i++) {
        json_open(w, '{');
        json_put_text(w, "name", str_of(f->processes.v[i]));
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* Flags as a document: so they have the defaults and checks of a file, and add to its lists. */
static void flags_as_document(const struct collect_flags *f, struct buf *out)
{
    char timeout[32];
    struct json_writer w;

    json_writer_init(&w, out, false);
    json_open(&w, '{');
    if (f->timeout > 0) {
        snprintf(timeout, sizeof(timeout), "%lldms", (long long)(f->timeout / NS_PER_MS));
        json_put_text(&w, "timeout", str_of(timeout));
    }
    if (!f->host) {
        json_key(&w, S("host"));
        json_put_raw(&w, S("{\"enabled\": false}"));
    }
    if (f->nvidia || f->nvidia_command.n != 0)
        put_nvidia(f, &w);
    if (f->probes.n != 0)
        put_probes(f, &w);
    if (f->processes.n != 0)
        put_processes(f, &w);
    if (f->text_folder[0] != '\0') {
        json_key(&w, S("text"));
        json_open(&w, '{');
        json_put_text(&w, "folder", str_of(f->text_folder));
        json_close(&w, '}');
    }
    json_close(&w, '}');
}

static bool load_collected(struct collecting *s, struct diags *d)
{
    str path = str_of(s->flags->config_file);
    struct buf file = BUF_INIT, flags = BUF_INIT;
    struct collect_source sources[2];
    struct err e = ERR_INIT;
    size_t n = 0;
    bool ok = path.n == 0 || file_read(path, FILE_OR_PIPE, YAML_MAX, &file, &e);

    if (!ok)
        log_error("cannot read the configuration", LOG_ERR(&e));
    flags_as_document(s->flags, &flags);
    if (path.n != 0)
        sources[n++] = (struct collect_source){buf_str(&file), path};
    sources[n++] = (struct collect_source){buf_str(&flags), S("command line")};
    ok = ok && collect_conf_parse(sources, n, &s->arena, &s->conf, d);
    buf_release(&file);
    buf_release(&flags);
    return ok;
}

/* -- running -- */

static void on_collect_signal(int signo, void *arg)
{
    struct collecting *s = arg;

    if (signo == SIGHUP) {
        log_warn("the configuration is read at the start only: restart to have another");
        return;
    }
    log_info("shutting down");
    sd_notify_stopping();
    loop_stop(s->loop);
}

static void collect_tick(struct timer *t, struct now now)
{
    struct collecting *s = container_of(t, struct collecting, tick);

    sd_notify_watchdog();
    log_close_windows(false);
    timer_arm(&s->clock, t, ts_add(now.mono, NS_PER_S));
}

static bool use_web(struct collecting *s)
{
    struct err e = ERR_INIT;
    struct diags d;
    bool ok;

    if (s->flags->web_config[0] == '\0')
        return true;
    diags_init(&d);
    s->pool = pool_new(loop_base(s->loop), 1);
    ok = collector_use_web(s->collector, str_of(s->flags->web_config), s->pool, &d, &e);
    if (!ok && e.code != ERR_NONE)
        log_error("cannot read the web configuration", LOG_ERR(&e));
    if (d.n != 0)
        diags_print(stderr, &d);
    diags_release(&d);
    return ok;
}

static bool listen_to_scrapes(struct collecting *s)
{
    for (size_t i = 0; i < s->flags->listen.n; i++) {
        struct buf bound = BUF_INIT;
        struct err e = ERR_INIT;
        bool ok = http_server_listen(collector_server(s->collector), str_of(s->flags->listen.v[i]),
                                     &bound, &e);

        if (ok)
            log_info("Listening on", LOG_STR("address", buf_str(&bound)));
        else
            log_error("cannot listen", LOG_Z("address", s->flags->listen.v[i]), LOG_ERR(&e));
        buf_release(&bound);
        if (!ok)
            return false;
    }
    return true;
}

static bool collect_serve(struct collecting *s)
{
    bool ok = use_web(s) && listen_to_scrapes(s);

    if (!ok)
        return false;
    s->signals = signals_new(loop_base(s->loop), on_collect_signal, s);
    s->tick.fire = collect_tick;
    timer_arm(&s->clock, &s->tick, s->clock.now.mono);
    sd_notify_ready(S("collecting"));
    loop_run(s->loop);
    signals_free(s->signals);
    timer_cancel(&s->clock, &s->tick);
    return true;
}

static int collect_all(struct collecting *s)
{
    bool ok;

    clock_init(&s->clock);
    s->loop = loop_new(&s->clock);
    s->collector = collector_new(&s->conf, s->loop, s->flags->scrape_timeout);
    ok = collect_serve(s);
    if (s->pool != NULL)
        pool_settle(s->pool);
    if (!collector_free(s->collector)) {
        log_warn("a part does not end: it is left behind");
        log_close_windows(true);
        _exit(ok ? EXIT_OK : EXIT_FAILED);
    }
    pool_free(s->pool);
    loop_free(s->loop);
    clock_release(&s->clock);
    log_close_windows(true);
    return ok ? EXIT_OK : EXIT_FAILED;
}

int collect_run(const void *flags, char **args, int n_args)
{
    struct collecting s = {.flags = flags};
    struct diags d;
    int code = EXIT_FAILED;

    if (n_args != 0) {
        say(stderr, "tocsin: collect takes no argument, got '%s'\n", args[0]);
        return EXIT_USAGE;
    }
    if (!collect_flags_check(s.flags))
        return EXIT_USAGE;
    libraries_set_up();
    signal(SIGPIPE, SIG_IGN);
    diags_init(&d);
    arena_init(&s.arena, 0);
    log_info("starting tocsin collect", LOG_Z("version", TOCSIN_VERSION));
    if (load_collected(&s, &d))
        code = collect_all(&s);
    else if (d.n != 0)
        diags_print(stderr, &d);
    diags_release(&d);
    arena_release(&s.arena);
    curl_global_cleanup();
    return code;
}
