#include "push/push_path.h"

#include "base/utf8.h"
#include "codec/base64.h"
#include "model/labels.h"

static bool push_path_decode_value(str name, str text, struct arena *a, str *out, struct err *e)
{
    struct buf b = BUF_INIT;
    bool ok = str_is(text, "=") || /* an empty value: a path cannot hold one otherwise */
              base64_decode(&b, text, BASE64_URL);

    *out = arena_str(a, buf_str(&b));
    buf_release(&b);
    return ok || err_set(e, ERR_INVALID, "\"%.*s\" of label \"%.*s\" is not base64", STR(text),
                         STR(name));
}

static bool read_pair(str name, str text, struct arena *a, struct label *out, struct err *e)
{
    bool is_base64 = str_ends_with(name, S("@base64"));

    out->name = is_base64 ? str_sub(name, 0, name.n - 7) : name;
    out->value = text;
    if (!label_name_is_legacy(out->name) || str_starts_with(out->name, S("__")))
        return err_set(e, ERR_INVALID, "\"%.*s\" cannot be the name of a label", STR(out->name));
    if (is_base64 && !push_path_decode_value(out->name, text, a, &out->value, e))
        return false;
    return utf8_is_valid(out->value) ||
           err_set(e, ERR_INVALID, "label \"%.*s\" is not UTF-8", STR(out->name));
}

static size_t count_segments(str path)
{
    size_t n = 1;

    for (size_t i = 0; i < path.n; i++)
        n += path.p[i] == '/';
    return n;
}

bool push_path_parse(str path, struct arena *a, struct labels *out, struct err *e)
{
    size_t segments = count_segments(path), n = 0;
    struct label *v = arena_array(a, segments / 2 + 1, sizeof(*v));
    str rest = path, dup;

    if (segments == 3 && str_ends_with(path, S("/"))) { /* a slash behind the job is let pass */
        rest.n--;
        segments--;
    }
    if (segments % 2 != 0)
        return err_set(e, ERR_INVALID, "the path ends with a label that has no value");
    for (; n < segments / 2; n++) {
        str name = str_cut(&rest, '/'), value = str_cut(&rest, '/');

        if (!read_pair(name, value, a, &v[n], e))
            return false;
    }
    if (!str_is(v[0].name, "job") || v[0].value.n == 0)
        return err_set(e, ERR_INVALID, "the path names no job");
    n = labels_sort_keep(v, n, &dup);
    if (n == SIZE_MAX)
        return err_set(e, ERR_INVALID, "label \"%.*s\" stands twice in the path", STR(dup));
    *out = (struct labels){v, n};
    return true;
}

static void push_path_put(struct buf *b, const struct label *l)
{
    bool is_plain = l->value.n != 0;

    for (size_t i = 0; i < l->value.n; i++)
        is_plain &= str_find(S("/%?#"), l->value.p[i]) < 0 && (unsigned char)l->value.p[i] > ' ';
    buf_addf(b, "/%.*s%s/", STR(l->name), is_plain ? "" : "@base64");
    if (is_plain)
        buf_add(b, l->value);
    else if (l->value.n == 0)
        buf_addc(b, '=');
    else
        base64_encode_raw(b, l->value, BASE64_URL);
}

str push_path_print(struct labels key, struct arena *a)
{
    struct buf b = BUF_INIT;
    str out;

    buf_adds(&b, "/metrics");
    LABELS_EACH (l, key)
        if (str_is(l->name, "job"))
            push_path_put(&b, l);
    LABELS_EACH (l, key)
        if (!str_is(l->name, "job"))
            push_path_put(&b, l);
    out = arena_str(a, buf_str(&b));
    buf_release(&b);
    return out;
}
