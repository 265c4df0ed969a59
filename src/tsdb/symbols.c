#include "tsdb/symbols.h"

MAP_DEFINE(symbol_map, str, uint32_t, hash_str, str_eq);

enum { COST = sizeof(struct symbol) + sizeof(struct symbol_map_entry) + 2 * sizeof(uint32_t) };

void symbols_release(struct symbols *sy)
{
    for (size_t i = 0; i < sy->v.n; i++)
        mem_str_free(sy->v.v[i].text);
    symbol_map_release(&sy->by_text);
    vec_release(&sy->v);
    vec_release(&sy->unused);
}

uint32_t symbols_find(const struct symbols *sy, str text)
{
    uint32_t *at = text.n != 0 ? symbol_map_get(&sy->by_text, text) : NULL;

    return at != NULL ? *at : SYMBOL_NONE;
}

uint32_t symbols_ref(struct symbols *sy, str text)
{
    uint32_t id = symbols_find(sy, text);

    if (text.n == 0)
        return SYMBOL_NONE;
    if (id == SYMBOL_NONE) {
        if (sy->unused.n == 0)
            vec_push(&sy->v, (struct symbol){0});
        id = sy->unused.n != 0 ? vec_pop(&sy->unused) : (uint32_t)sy->v.n - 1;
        sy->v.v[id] = (struct symbol){.text = mem_str_dup(text)};
        symbol_map_put(&sy->by_text, sy->v.v[id].text, id);
        sy->bytes += COST + text.n;
    }
    sy->v.v[id].refs++;
    return id;
}

void symbols_hold(struct symbols *sy, uint32_t id)
{
    sy->v.v[id].refs++;
}

bool symbols_unref(struct symbols *sy, uint32_t id)
{
    struct symbol *s;

    if (id == SYMBOL_NONE)
        return false;
    s = &sy->v.v[id];
    if (--s->refs != 0)
        return false;
    symbol_map_del(&sy->by_text, s->text);
    sy->bytes -= COST + s->text.n;
    mem_str_free(s->text);
    s->text = STR_NONE;
    vec_push(&sy->unused, id);
    return true;
}
