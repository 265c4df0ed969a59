/* lint_fuzz.c - any text is checked, the comments in it that switch checks off are read, and what is found is shown in every
 * form: JSON is JSON, all is UTF-8, and nothing of the text gets at a terminal's controls. */
#include "tests_fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/utf8.h"
#include "codec/json.h"
#include "lint/lint.h"
#include "lint/render.h"

/* The text as a file: source lines are read again. */
static str write_text(str text)
{
    static char path[64];
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("lint", 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, text.p, text.n, 0) != (ssize_t)text.n)
        __builtin_trap();
    return str_of(path);
}

static void check_json(str s)
{
    struct json_reader r;
    struct arena a;

    arena_init(&a, 0);
    json_reader_init(&r, s, &a, 200);
    json_skip(&r);
    if (!json_end(&r))
        __builtin_trap();
    arena_release(&a);
}

static void check_text(str s)
{
    if (!utf8_is_valid(s))
        __builtin_trap();
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' && !char_is_space(s.p[i]))
            __builtin_trap();
}

static void show(const struct diags *d)
{
    struct buf out = BUF_INIT;

    for (int f = RENDER_TEXT; f <= RENDER_CHECKSTYLE; f++) {
        const struct render_options o = {.format = (enum render_format)f};

        buf_clear(&out);
        diags_render(&out, d, &o);
        check_text(buf_str(&out));
        if (f == RENDER_JSON || f == RENDER_SARIF)
            check_json(buf_str(&out));
    }
    buf_clear(&out);
    diags_render_plain(&out, d);
    check_text(buf_str(&out));
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    const struct lint_options o = {.now = 1800000000 * NS_PER_S};
    str text = {(const char *)data, size}, name = write_text(text);
    struct diags d;

    /* what a configuration names is read, and that is this machine's */
    if (lint_recognise(text, name) == LINT_CONFIG &&
        (str_find_str(text, S("file")) >= 0 || str_find_str(text, S("templates")) >= 0))
        return 0;
    diags_init(&d);
    (void)lint_text(text, name, &o, &d);
    if ((d.errors != 0) != lint_fails(&d, DIAG_ERROR))
        __builtin_trap();
    show(&d);
    diags_release(&d);
    return 0;
}
