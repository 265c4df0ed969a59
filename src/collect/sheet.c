#include "collect/sheet.h"

#include <math.h>
#include "codec/float.h"

void sheet_init(struct sheet *s)
{
    *s = (struct sheet){0};
    arena_init(&s->a, 0);
}

void sheet_release(struct sheet *s)
{
    VEC_EACH (struct sheet_family **, f, &s->families)
        buf_release(&(*f)->lines);
    vec_release(&s->families);
    str_map_release(&s->by_name);
    arena_release(&s->a);
}

const struct sheet_family *sheet_find(const struct sheet *s, str name)
{
    void **hit = str_map_get(&s->by_name, name);

    return hit != NULL ? *hit : NULL;
}

void sheet_begin(struct sheet *s, str name, enum expo_type type, str help)
{
    void **hit = str_map_get(&s->by_name, name);

    if (hit != NULL) {
        s->now = *hit;
        return;
    }
    s->now = arena_new(&s->a, struct sheet_family);
    *s->now = (struct sheet_family){
        .name = arena_str(&s->a, name), .help = arena_str(&s->a, help), .type = type};
    (void)str_map_put(&s->by_name, s->now->name, s->now);
    vec_push(&s->families, s->now);
}

static struct expo sheet_writer(struct sheet *s)
{
    return (struct expo){.out = &s->now->lines, .format = EXPO_TEXT, .name = s->now->name};
}

void sheet_put(struct sheet *s, const struct expo_label *labels, size_t n, double v)
{
    struct expo x = sheet_writer(s);

    expo_value(&x, labels, n, v);
}

void sheet_put_u64(struct sheet *s, const struct expo_label *labels, size_t n, uint64_t v)
{
    struct expo x = sheet_writer(s);

    expo_u64(&x, labels, n, v);
}

static void sheet_add_float(struct buf *out, double v)
{
    if (isnan(v))
        buf_adds(out, "NaN");
    else if (isinf(v))
        buf_add(out, v > 0 ? S("+Inf") : S("-Inf"));
    else
        float_print_g(out, v);
}

void sheet_put_named(struct sheet *s, str name, struct labels ls, double v)
{
    struct buf *out = &s->now->lines;
    bool any = expo_open_series(out, name, "");

    LABELS_EACH (l, ls)
        if (!str_is(l->name, "__name__"))
            expo_put_label(out, &any, l->name, l->value);
    buf_adds(out, "} ");
    sheet_add_float(out, v);
    buf_addc(out, '\n');
}

void sheet_one(struct sheet *s, str name, enum expo_type type, str help, double v)
{
    sheet_begin(s, name, type, help);
    sheet_put(s, NULL, 0, v);
}

/* The first sheet that has a family prints it, with what later ones have of it. */
void sheets_print(const struct sheet *const *v, size_t n, struct buf *out)
{
    struct str_map seen = {0};

    for (size_t i = 0; i < n; i++) {
        if (v[i] == NULL)
            continue;
        for (size_t k = 0; k < v[i]->families.n; k++) {
            const struct sheet_family *f = v[i]->families.v[k];
            struct expo x;
            bool is_new;

            (void)str_map_add(&seen, f->name, NULL, &is_new);
            if (!is_new)
                continue;
            expo_init(&x, out, EXPO_TEXT);
            expo_family(&x, f->name, f->type, f->help);
            for (size_t j = i; j < n; j++) {
                const struct sheet_family *more = v[j] != NULL ? sheet_find(v[j], f->name) : NULL;

                if (more != NULL && (j == i || !v[j]->yields))
                    buf_add(out, buf_str(&more->lines));
            }
        }
    }
    str_map_release(&seen);
}
