/* libyaml's events become a tree. Depth, nodes and aliases are counted while the events come in,
 * before libyaml looks further: a run of '[' keeps its scanner busy for quadratic time, and an
 * alias bomb is a few events whose blow-up is ours to refuse.
 *
 * libyaml's marks count characters; places are bytes here. A cursor walks the source along with the
 * events (they come nearly in order, so it seldom steps back) and knows line, line start and byte
 * of the character it stands on.
 *
 * An alias yields the very node of its anchor, so a place inside it is where the anchor's text
 * stands. What an alias adds to the count of nodes and to the depth is remembered with the anchor.
 */
#include "codec/yaml_priv.h"

#include <stdio.h>
#include <yaml.h>
#include "base/buf.h"
#include "base/map.h"
#include "base/utf8.h"
#include "base/vec.h"

enum { MAX_DEPTH = 256, MAX_NODES = 1000000, LINEAR_MAX = 16 };

struct anchor {
    str name;
    struct yaml_node *node;
    size_t weight, height;
    bool open; /* its node is still being read */
};

struct yaml_builder {
    yaml_parser_t parser;
    struct arena *a;
    struct yaml_doc *doc;
    struct diags *d;
    size_t nodes, depth;
    VEC(struct anchor) anchors;
    VEC(struct yaml_node *) stack; /* children of the nodes that are open */
    /* the cursor */
    size_t at_char;
    struct yaml_mark here;
    size_t line_start;
};

/* -- places -- */

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* To the character of this number: all of a document goes through here. */
static void cursor_forward(struct yaml_builder *b, size_t index)
{
    str s = b->doc->source;
    size_t at = b->here.at, n = b->at_char;

    for (; n < index && at < s.n; n++) {
        if (s.p[at] == '\n') {
            b->here.line++;
            b->line_start = at + 1;
        }
        do
            at++;
        while (at < s.n && is_continuation(s.p[at]));
    }
    b->here.at = at;
    b->at_char = n;
}

static void cursor_back(struct yaml_builder *b)
{
    str s = b->doc->source;
    const char *hit;

    do
        b->here.at--;
    while (b->here.at != 0 && is_continuation(s.p[b->here.at]));
    b->at_char--;
    if (s.p[b->here.at] != '\n')
        return;
    b->here.line--;
    hit = memrchr(s.p, '\n', b->here.at);
    b->line_start = hit != NULL ? (size_t)(hit - s.p) + 1 : 0;
}

static struct yaml_mark yaml_mark_of(struct yaml_builder *b, const yaml_mark_t *m)
{
    cursor_forward(b, m->index);
    while (b->at_char > m->index && b->here.at != 0)
        cursor_back(b);
    b->here.col = (int)(b->here.at - b->line_start) + 1;
    return b->here;
}

/* -- faults -- */

static struct yaml_node *fault(struct yaml_builder *b, const char *id, struct yaml_mark m,
                               const char *text)
{
    diags_add(b->d, DIAG_ERROR, id, yaml_place_at(b->doc, m, 0), "%s", text);
    return NULL;
}

/* Of a character that may not be there libyaml tells the byte alone. */
static struct yaml_mark place_of_problem(struct yaml_builder *b)
{
    yaml_mark_t m = b->parser.problem_mark;
    str before;

    if (b->parser.error == YAML_READER_ERROR && b->parser.problem_offset <= b->doc->source.n) {
        before = str_sub(b->doc->source, 0, b->parser.problem_offset);
        m.index = utf8_count(before);
    }
    return yaml_mark_of(b, &m);
}

static bool next_event(struct yaml_builder *b, yaml_event_t *ev)
{
    const yaml_parser_t *p = &b->parser;
    struct diag *g;

    if (yaml_parser_parse(&b->parser, ev))
        return true;
    g = diags_add(b->d, DIAG_ERROR, "Y001", yaml_place_at(b->doc, place_of_problem(b), 0),
                  "yaml: %s%s%s", p->problem != NULL ? p->problem : "unreadable",
                  p->context != NULL ? ", " : "", p->context != NULL ? p->context : "");
    if (p->context != NULL && p->context_mark.line != p->problem_mark.line)
        diag_second(b->d, g, yaml_place_at(b->doc, yaml_mark_of(b, &p->context_mark), 0));
    return false;
}

/* -- scalars -- */

/* Steps over "&anchor " and "!tag ", which libyaml counts to the node. */
static void skip_properties(const struct yaml_doc *doc, struct yaml_node *n)
{
    str s = doc->source;
    size_t at = n->start.at;

    while (at < s.n && (s.p[at] == '&' || s.p[at] == '!')) {
        while (at < s.n && s.p[at] != ' ' && s.p[at] != '\t' && s.p[at] != '\n' && s.p[at] != '\r')
            at++;
        while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\t'))
            at++;
    }
    if (at >= s.n || s.p[at] == '\n' || s.p[at] == '\r')
        return;
    n->start.col += (int)(at - n->start.at);
    n->start.at = at;
}

static size_t count_blanks(str s, size_t at)
{
    size_t n = 0;

    while (at + n < s.n && s.p[at + n] == ' ')
        n++;
    return n;
}

/* The column of a block scalar's text: what the first line with text has more blanks in the file
 * than in the value. */
static void find_block_text(const struct yaml_doc *doc, struct yaml_node *n)
{
    size_t file_at = yaml_next_line(doc->source, n->start.at), at = 0;

    n->text_line = n->start.line + 1;
    n->text_col = 1;
    while (at < n->text.n && n->text.p[at] == '\n') {
        at++;
        file_at = yaml_next_line(doc->source, file_at);
    }
    if (at < n->text.n) {
        size_t in_file = count_blanks(doc->source, file_at), in_text = count_blanks(n->text, at);

        n->text_col = (int)(in_file >= in_text ? in_file - in_text : 0) + 1;
    }
}

static bool is_known_tag(const yaml_char_t *tag, enum yaml_kind kind)
{
    static const char *const scalar_tags[] = {"str", "int", "float", "bool", "null", "timestamp"};
    static const str prefix = S_INIT("tag:yaml.org,2002:");
    str t = str_of((const char *)tag);

    if (str_is(t, "!"))
        return true;
    if (!str_starts_with(t, prefix))
        return false;
    t = str_sub(t, prefix.n, t.n);
    if (kind != YAML_SCALAR)
        return str_is(t, kind == YAML_LIST ? "seq" : "map");
    for (size_t i = 0; i < ARRAY_LEN(scalar_tags); i++)
        if (str_is(t, scalar_tags[i]))
            return true;
    return false;
}

static void fill_scalar(struct yaml_builder *b, struct yaml_node *n, const yaml_event_t *ev)
{
    const char *tag = (const char *)ev->data.scalar.tag;

    n->text = arena_str(b->a, (str){(const char *)ev->data.scalar.value, ev->data.scalar.length});
    switch (ev->data.scalar.style) {
    case YAML_LITERAL_SCALAR_STYLE: n->style = YAML_LITERAL; break;
    case YAML_FOLDED_SCALAR_STYLE: n->style = YAML_FOLDED; break;
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: n->style = YAML_QUOTED; break;
    default: n->style = YAML_PLAIN;
    }
    n->text_line = n->start.line;
    n->text_col = n->start.col + (n->style == YAML_QUOTED);
    if (n->style == YAML_LITERAL || n->style == YAML_FOLDED)
        find_block_text(b->doc, n);
    if (n->style == YAML_PLAIN && tag != NULL &&
        (str_ends_with(str_of(tag), S(":str")) || str_is(str_of(tag), "!")))
        n->style = YAML_QUOTED; /* said to be a string */
}

/* -- maps -- */

static ptrdiff_t find_key(const struct yaml_pair *pairs, size_t n, const struct str_map *index,
                          str key)
{
    if (index->n != 0) {
        void **hit = str_map_get(index, key);

        return hit != NULL ? (ptrdiff_t)(uintptr_t)*hit - 1 : -1;
    }
    for (size_t i = 0; i < n; i++)
        if (str_eq(pairs[i].key->text, key))
            return (ptrdiff_t)i;
    return -1;
}

/* Appends one pair and keeps the index of a large map. */
static void yaml_add_pair(struct yaml_node *map, struct yaml_pair pair, struct str_map *index)
{
    map->pairs[map->n++] = pair;
    if (map->n < LINEAR_MAX)
        return;
    for (size_t i = index->n; i < map->n; i++)
        str_map_put(index, map->pairs[i].key->text, (void *)(uintptr_t)(i + 1));
}

static bool is_merge_key(const struct yaml_node *key)
{
    return key->style == YAML_PLAIN && str_is(key->text, "<<");
}

static size_t count_merged(const struct yaml_node *value)
{
    size_t n = value->kind == YAML_MAP ? value->n : 0;

    if (value->kind == YAML_LIST)
        for (size_t i = 0; i < value->n; i++)
            n += value->items[i]->kind == YAML_MAP ? value->items[i]->n : 0;
    return n;
}

/* One mapping while merge keys add to it. */
struct merging {
    struct yaml_node *map;
    struct str_map *index;
    const struct yaml_node *key; /* the merge key */
    size_t own, before; /* pairs that are the mapping's own; that were there before this key */
};

static bool yaml_stands_before(const struct yaml_node *a, const struct yaml_node *b)
{
    return a->start.line != b->start.line ? a->start.line < b->start.line
                                          : a->start.col < b->start.col;
}

static void note_clash(struct yaml_builder *b, const struct merging *m, size_t hit)
{
    const struct yaml_node *key = m->map->pairs[hit].key;
    struct yaml_doc *doc = b->doc;

    if (doc->n_clashes < YAML_CLASHES_MAX && hit < m->before &&
        (hit >= m->own || yaml_stands_before(key, m->key)))
        doc->clashes[doc->n_clashes++] = (struct yaml_clash){m->key, key};
}

static bool merge_map(struct yaml_builder *b, const struct merging *m, const struct yaml_node *from)
{
    if (from->kind != YAML_MAP)
        return fault(b, "Y001", from->start,
                     "yaml: a merge key wants a mapping or a list of mappings") != NULL;
    for (size_t i = 0; i < from->n; i++) {
        ptrdiff_t hit = find_key(m->map->pairs, m->map->n, m->index, from->pairs[i].key->text);

        if (hit < 0)
            yaml_add_pair(m->map, from->pairs[i], m->index);
        else
            note_clash(b, m, (size_t)hit);
    }
    return true;
}

static bool merge_value(struct yaml_builder *b, const struct merging *m,
                        const struct yaml_node *value)
{
    if (value->kind != YAML_LIST)
        return merge_map(b, m, value);
    for (size_t i = 0; i < value->n; i++)
        if (!merge_map(b, m, value->items[i]))
            return false;
    return true;
}

static bool yaml_duplicate(struct yaml_builder *b, const struct yaml_node *key,
                           const struct yaml_node *first)
{
    struct diag *g = diags_add(b->d, DIAG_ERROR, "Y002", yaml_place(b->doc, key),
                               "key \"%.*s\" stands twice", STR(key->text));

    diag_second(b->d, g, yaml_place(b->doc, first));
    return false;
}

/* Makes the pairs out of keys and values in turn; own keys come first, then what merge keys add. */
static bool fill_map(struct yaml_builder *b, struct yaml_node *map, struct yaml_node **kids,
                     size_t n)
{
    struct str_map index = {0};
    struct merging m = {.map = map, .index = &index};
    size_t room = n / 2;
    bool ok = true;

    for (size_t i = 0; i < n; i += 2)
        if (is_merge_key(kids[i]))
            room += count_merged(kids[i + 1]);
    b->nodes += room;
    if (b->nodes > MAX_NODES)
        return fault(b, "Y003", map->start, "yaml: too many nodes") != NULL;
    map->pairs = arena_array(b->a, room, sizeof(map->pairs[0]));
    for (size_t i = 0; i < n; i += 2) {
        ptrdiff_t first;

        if (is_merge_key(kids[i]))
            continue;
        first = find_key(map->pairs, map->n, &index, kids[i]->text);
        if (first < 0)
            yaml_add_pair(map, (struct yaml_pair){kids[i], kids[i + 1]}, &index);
        else
            ok = yaml_duplicate(b, kids[i], map->pairs[first].key);
    }
    m.own = map->n;
    for (size_t i = 0; i < n && ok; i += 2)
        if (is_merge_key(kids[i])) {
            m.key = kids[i];
            m.before = map->n;
            ok = merge_value(b, &m, kids[i + 1]);
        }
    str_map_release(&index);
    return ok;
}

/* -- nodes -- */

static struct yaml_node *read_node(struct yaml_builder *b, yaml_event_t *ev, size_t *height);

/* Reads children up to the end event; they stay on the stack, the caller pops them. */
static bool read_children(struct yaml_builder *b, yaml_event_type_t end, struct yaml_node *n,
                          size_t *height)
{
    for (;;) {
        struct yaml_node *kid = NULL;
        yaml_event_t ev;
        bool done;
        size_t below = 0;

        if (!next_event(b, &ev))
            return false;
        done = ev.type == end;
        if (done)
            n->end = yaml_mark_of(b, &ev.end_mark);
        else
            kid = read_node(b, &ev, &below);
        yaml_event_delete(&ev);
        if (done)
            return true;
        if (kid == NULL)
            return false;
        if (below + 1 > *height)
            *height = below + 1;
        vec_push(&b->stack, kid);
    }
}

static bool read_collection(struct yaml_builder *b, struct yaml_node *n, size_t *height)
{
    size_t base = b->stack.n, count;
    struct yaml_node **kids;
    bool ok;

    if (++b->depth > MAX_DEPTH)
        return fault(b, "Y003", n->start, "yaml: nested deeper than 256 levels") != NULL;
    ok = read_children(b, n->kind == YAML_LIST ? YAML_SEQUENCE_END_EVENT : YAML_MAPPING_END_EVENT,
                       n, height);
    b->depth--;
    if (!ok)
        return false;
    count = b->stack.n - base;
    kids = count != 0 ? b->stack.v + base : NULL;
    b->stack.n = base;
    if (n->kind == YAML_MAP) {
        for (size_t i = 0; i < count; i += 2)
            if (kids[i]->kind != YAML_SCALAR)
                return fault(b, "Y001", kids[i]->start, "yaml: a key must be a scalar") != NULL;
        return fill_map(b, n, kids, count);
    }
    n->n = count;
    n->items = arena_copy(b->a, kids, count, count, sizeof(n->items[0]));
    return true;
}

static struct yaml_node *read_alias(struct yaml_builder *b, const yaml_event_t *ev, size_t *height)
{
    str name = str_of((const char *)ev->data.alias.anchor);
    struct yaml_mark m = yaml_mark_of(b, &ev->start_mark);

    for (size_t i = b->anchors.n; i > 0; i--) { /* the latest of a name holds */
        const struct anchor *an = &b->anchors.v[i - 1];

        if (!str_eq(an->name, name))
            continue;
        if (an->open)
            return fault(b, "Y003", m, "yaml: an alias stands inside of what it refers to");
        b->nodes += an->weight;
        if (b->nodes > MAX_NODES)
            return fault(b, "Y003", m, "yaml: too many nodes, counting what aliases repeat");
        if (b->depth + an->height > MAX_DEPTH)
            return fault(b, "Y003", m, "yaml: nested deeper than 256 levels");
        *height = an->height;
        return an->node;
    }
    return fault(b, "Y001", m, "yaml: unknown alias");
}

static bool take_properties(struct yaml_builder *b, struct yaml_node *n, const yaml_char_t *tag,
                            const yaml_char_t *anchor)
{
    if (tag != NULL && !is_known_tag(tag, n->kind)) {
        diags_add(b->d, DIAG_ERROR, "Y004", yaml_place(b->doc, n), "tag \"%s\" is not known",
                  (const char *)tag);
        return false;
    }
    if (anchor != NULL)
        vec_push(&b->anchors, (struct anchor){.name = arena_str(b->a, str_of((const char *)anchor)),
                                              .node = n,
                                              .weight = b->nodes,
                                              .open = true});
    if (tag != NULL || anchor != NULL)
        skip_properties(b->doc, n);
    return true;
}

static struct yaml_node *read_node(struct yaml_builder *b, yaml_event_t *ev, size_t *height)
{
    struct yaml_node *n;
    size_t anchor = b->anchors.n;
    bool ok;

    *height = 0;
    if (ev->type == YAML_ALIAS_EVENT)
        return read_alias(b, ev, height);
    n = arena_new(b->a, struct yaml_node);
    n->start = yaml_mark_of(b, &ev->start_mark);
    n->end = yaml_mark_of(b, &ev->end_mark);
    if (++b->nodes > MAX_NODES)
        return fault(b, "Y003", n->start, "yaml: too many nodes");
    if (ev->type == YAML_SCALAR_EVENT) {
        n->kind = YAML_SCALAR;
        ok = take_properties(b, n, ev->data.scalar.tag, ev->data.scalar.anchor);
        if (ok)
            fill_scalar(b, n, ev);
    } else if (ev->type == YAML_SEQUENCE_START_EVENT) {
        n->kind = YAML_LIST;
        ok = take_properties(b, n, ev->data.sequence_start.tag, ev->data.sequence_start.anchor) &&
             read_collection(b, n, height);
    } else {
        n->kind = YAML_MAP;
        ok = take_properties(b, n, ev->data.mapping_start.tag, ev->data.mapping_start.anchor) &&
             read_collection(b, n, height);
    }
    if (ok && b->anchors.n > anchor && b->anchors.v[anchor].node == n) {
        b->anchors.v[anchor].weight = b->nodes - b->anchors.v[anchor].weight + 1;
        b->anchors.v[anchor].height = *height;
        b->anchors.v[anchor].open = false;
    }
    return ok ? n : NULL;
}

/* -- documents -- */

/* The next document; *is_at_end: there was none any more. */
static bool read_stream(struct yaml_builder *b, bool *is_at_end)
{
    bool in_document = false;

    for (;;) {
        yaml_event_t ev;
        yaml_event_type_t type;
        struct yaml_node *root = NULL;
        size_t height;

        if (!next_event(b, &ev))
            return false;
        type = ev.type;
        if (in_document && type != YAML_DOCUMENT_END_EVENT)
            root = read_node(b, &ev, &height);
        yaml_event_delete(&ev);
        if (type == YAML_STREAM_END_EVENT) {
            *is_at_end = true;
            return true;
        }
        if (type == YAML_DOCUMENT_START_EVENT)
            in_document = true;
        else if (type == YAML_DOCUMENT_END_EVENT)
            return true;
        else if (in_document) {
            if (root == NULL)
                return false;
            b->doc->root = yaml_is_null(root) ? NULL : root;
        }
    }
}

/* Whether another document follows; its faults are its own. */
static bool has_more(struct yaml_builder *b)
{
    yaml_event_t ev;
    bool more;

    if (!yaml_parser_parse(&b->parser, &ev))
        return true;
    more = ev.type == YAML_DOCUMENT_START_EVENT;
    yaml_event_delete(&ev);
    return more;
}

static bool yaml_check_text(const struct yaml_doc *doc, struct diags *d)
{
    struct diag_place place = {.file = doc->file, .line = 1, .col = 1};
    str s = doc->source;

    if (s.n > YAML_MAX) {
        diags_add(d, DIAG_ERROR, "Y003", place, "yaml: larger than 10 MB");
        return false;
    }
    if (utf8_is_valid(s))
        return true;
    while (s.n != 0) {
        uint32_t rune;
        size_t k = utf8_decode(s, &rune);

        if (k == 1 && (unsigned char)s.p[0] >= 0x80)
            break;
        place.at += k;
        place.col += (int)k;
        if (s.p[0] == '\n') {
            place.line++;
            place.col = 1;
        }
        s = str_sub(s, k, s.n);
    }
    diags_add(d, DIAG_ERROR, "Y005", place, "yaml: not valid UTF-8");
    return false;
}

static bool yaml_begin(struct yaml_builder *b)
{
    str source = b->doc->source;

    if (!yaml_check_text(b->doc, b->d))
        return false;
    BUG_ON(!yaml_parser_initialize(&b->parser));
    if (str_starts_with(source, S("\xef\xbb\xbf")))
        b->here.at = b->line_start = 3; /* libyaml does not count the byte order mark */
    yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b->parser, (const unsigned char *)source.p + b->here.at,
                                 source.n - b->here.at);
    return true;
}

static void yaml_end(struct yaml_builder *b)
{
    yaml_parser_delete(&b->parser);
    vec_release(&b->anchors);
    vec_release(&b->stack);
}

bool yaml_parse(str text, str file, struct arena *a, struct yaml_doc *out, struct diags *d)
{
    struct yaml_doc doc = {.file = arena_str(a, file), .source = arena_str(a, text)};
    struct yaml_builder b = {.a = a, .doc = &doc, .d = d, .here = {1, 1, 0}};
    size_t errors = d->errors;
    bool ok;

    if (!yaml_begin(&b))
        return false;
    ok = read_stream(&b, &(bool){false}) && d->errors == errors;
    if (ok)
        doc.more = doc.root != NULL && has_more(&b);
    yaml_end(&b);
    if (ok)
        *out = doc;
    return ok;
}

bool yaml_parse_all(str text, str file, struct arena *a, struct yaml_docs *out, struct diags *d)
{
    struct yaml_doc doc = {.file = arena_str(a, file), .source = arena_str(a, text)};
    struct yaml_builder b = {.a = a, .doc = &doc, .d = d, .here = {1, 1, 0}};
    VEC(struct yaml_doc) docs = VEC_INIT;
    size_t errors = d->errors;
    bool ok, is_at_end = false;

    if (!yaml_begin(&b))
        return false;
    do {
        vec_clear(&b.anchors); /* names hold within a document */
        doc = (struct yaml_doc){.file = doc.file, .source = doc.source};
        ok = read_stream(&b, &is_at_end) && d->errors == errors;
        if (ok && doc.root != NULL)
            vec_push(&docs, doc);
    } while (ok && !is_at_end);
    yaml_end(&b);
    if (ok)
        *out = (struct yaml_docs){arena_copy(a, docs.v, docs.n, docs.n, sizeof(doc)), docs.n};
    vec_release(&docs);
    return ok;
}
