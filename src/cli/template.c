#include "cli/template.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "os/file.h"
#include "base/mem.h"
#include "cli/say.h"
#include "notify/messages.h"
#include "notify/template_data.h"
#include "template/template.h"
#include "os/zones.h"

#define F struct template_flags
const struct flag template_render_flags[] = {
    FLAG(F, globs, "template.glob", FLAG_LIST, NULL, "GLOB", "template files; may be repeated"),
    FLAG(F, text, "template.text", FLAG_TEXT, NULL, "TEXT", "the template that is rendered"),
    FLAG(F, data, "template.data", FLAG_TEXT, NULL, "FILE",
         "the notification as JSON; a made-up one when left out"),
    FLAG(F, language, "language", FLAG_TEXT, "en", "LANGUAGE",
         "of the built-in messages, as notifications.language", .words = "en zh"),
    FLAG(F, style, "style", FLAG_TEXT, "alertmanager", "STYLE",
         "of Alertmanager's kinds of receivers, as notifications.style",
         .words = "alertmanager readable"),
    FLAG(F, timezone, "timezone", FLAG_TEXT, "", "ZONE",
         "in which times are shown, as global.timezone"),
    FLAG(F, type, "template.type", FLAG_TEXT, "text", "TYPE", "text or html", .words = "text html"),
    FLAGS_END,
};
#undef F

static bool template_load_file(struct template_set *set, const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    struct buf text = BUF_INIT;
    bool ok = file_read(str_of(path), FILE_REGULAR, SIZE_MAX, &text, e) &&
              template_set_parse(set, str_of(slash != NULL ? slash + 1 : path), buf_str(&text), e);

    buf_release(&text);
    return ok;
}

static bool load_globs(struct template_set *set, const struct flag_list *globs, struct err *e)
{
    bool ok = true;

    for (size_t i = 0; i < globs->n && ok; i++) {
        glob_t g;

        if (glob(globs->v[i], 0, NULL, &g) != 0)
            continue;
        for (size_t j = 0; j < g.gl_pathc && ok; j++)
            ok = template_load_file(set, g.gl_pathv[j], e);
        globfree(&g);
    }
    return ok;
}

static bool load_data(const char *path, struct arena *a, struct template_data *out, struct err *e)
{
    struct buf text = BUF_INIT;
    bool ok;

    if (path == NULL || path[0] == '\0') {
        *out = template_data_example(a);
        return true;
    }
    ok = file_read(str_of(path), FILE_OR_PIPE, SIZE_MAX, &text, e) &&
         (template_data_from_json(a, arena_str(a, buf_str(&text)), out, e) ||
          err_wrap(e, "%s", path));
    buf_release(&text);
    return ok;
}

int template_render_run(const void *flags, char **args, int n_args)
{
    const struct template_flags *f = flags;
    struct template_run run = {.mode = strcmp(f->type, "html") == 0 ? TEMPLATE_HTML : TEMPLATE_TEXT,
                               .load_zone = zone_load};
    struct messages *messages = NULL;
    struct template_data data;
    struct buf out = BUF_INIT;
    struct err e = ERR_INIT;
    struct timespec now;
    struct arena a;
    bool ok;

    (void)args;
    if (n_args != 0 || f->text == NULL ||
        (run.mode == TEMPLATE_TEXT && strcmp(f->type, "text") != 0)) {
        say(stderr, "tocsin: template render needs --template.text, and --template.type is "
                    "text or html\n");
        return EXIT_USAGE;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    run.now = now.tv_sec * NS_PER_S + now.tv_nsec;
    arena_init(&a, 0);
    messages = messages_new(str_of(f->language), str_of(f->timezone),
                            strcmp(f->style, "readable") == 0, &e);
    ok = messages != NULL && load_globs(messages->set, &f->globs, &e) &&
         load_data(f->data, &a, &data, &e);
    if (ok) {
        data.is_chinese = messages->is_chinese;
        run.zone = messages->zone;
        run.local = messages->local;
        run.data = template_data_value(&data);
        ok = template_exec_text(messages->set, str_of(f->text), &run, &out, &e);
    }
    if (ok && out.n != 0)
        say_exactly(stdout, buf_str(&out));
    if (!ok)
        say(stderr, "tocsin: %s\n", e.msg);
    buf_release(&out);
    arena_release(&a);
    messages_free(messages);
    return ok ? EXIT_OK : EXIT_FAILED;
}
