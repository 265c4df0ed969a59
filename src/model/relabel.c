#include "model/relabel.h"

#include <openssl/evp.h>
#include <stdio.h>
#include "base/buf.h"
#include "base/mem.h"
#include "base/strcase.h"
#include "base/vec.h"
#include "model/labels.h"

const char *const relabel_action_names[RELABEL_ACTIONS] = {
    [RELABEL_REPLACE] = "replace",
    [RELABEL_KEEP] = "keep",
    [RELABEL_DROP] = "drop",
    [RELABEL_KEEP_EQUAL] = "keepequal",
    [RELABEL_DROP_EQUAL] = "dropequal",
    [RELABEL_HASHMOD] = "hashmod",
    [RELABEL_LABELMAP] = "labelmap",
    [RELABEL_LABELDROP] = "labeldrop",
    [RELABEL_LABELKEEP] = "labelkeep",
    [RELABEL_LOWERCASE] = "lowercase",
    [RELABEL_UPPERCASE] = "uppercase",
};

static const char default_regex[] = "(.*)";

bool relabel_action_parse(str name, enum relabel_action *out)
{
    for (int i = 0; i < RELABEL_ACTIONS; i++)
        if (str_eq_nocase(name, str_of(relabel_action_names[i]))) {
            *out = (enum relabel_action)i;
            return true;
        }
    return false;
}

struct regex *relabel_regex(str pattern, struct err *e)
{
    return regex_compile(pattern, REGEX_ANCHORED | REGEX_DOTALL, e);
}

void relabel_rules_release(struct relabel_rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        if (rules->v[i].regex != NULL)
            regex_unref(rules->v[i].regex);
    *rules = (struct relabel_rules){0};
}

/* -- whether a rule makes sense -- */

static bool has_default_regex(const struct relabel_rule *r)
{
    return r->regex == NULL || str_is(regex_pattern(r->regex), default_regex);
}

static bool relabel_is_template(str s)
{
    return str_find(s, '$') >= 0;
}

/* The checks of actions that ignore fields: one that is set would mislead its reader. */
static bool check_ignored(const struct relabel_rule *r, const char *name, struct err *e)
{
    bool others = r->modulus != 0 || !str_is(r->separator, ";") || !str_is(r->replacement, "$1");

    switch (r->action) {
    case RELABEL_LOWERCASE:
    case RELABEL_UPPERCASE:
        if (!str_is(r->replacement, "$1"))
            return err_set(e, ERR_INVALID, "action %s takes no \"replacement\"", name);
        return true;
    case RELABEL_KEEP_EQUAL:
    case RELABEL_DROP_EQUAL:
        if (others || !has_default_regex(r))
            return err_set(e, ERR_INVALID,
                           "action %s takes only \"source_labels\" and \"target_label\"", name);
        return true;
    case RELABEL_LABELDROP:
    case RELABEL_LABELKEEP:
        if (others || r->source_labels.n != 0 || r->target_label.n != 0)
            return err_set(e, ERR_INVALID, "action %s takes only \"regex\"", name);
        return true;
    default: return true;
    }
}

bool relabel_rule_check(const struct relabel_rule *r, struct err *e)
{
    const char *name = relabel_action_names[r->action];
    bool writes = r->action == RELABEL_REPLACE || r->action == RELABEL_HASHMOD ||
                  r->action == RELABEL_LOWERCASE || r->action == RELABEL_UPPERCASE;
    bool compares = r->action == RELABEL_KEEP_EQUAL || r->action == RELABEL_DROP_EQUAL;

    if (r->modulus < 0)
        return err_set(e, ERR_INVALID, "\"modulus\" must not be negative");
    if (r->action == RELABEL_HASHMOD && r->modulus == 0)
        return err_set(e, ERR_INVALID, "action hashmod needs a \"modulus\" that is not 0");
    if ((writes || compares) && r->target_label.n == 0)
        return err_set(e, ERR_INVALID, "action %s needs a \"target_label\"", name);
    if (writes && !(r->action == RELABEL_REPLACE && relabel_is_template(r->target_label)) &&
        !label_name_is_utf8(r->target_label))
        return err_set(e, ERR_INVALID, "\"%.*s\" is not a label name", STR(r->target_label));
    if (r->action == RELABEL_LABELMAP && !label_name_is_utf8(r->replacement))
        return err_set(e, ERR_INVALID, "action labelmap needs a \"replacement\"");
    return check_ignored(r, name, e);
}

bool relabel_names_nothing(const struct relabel_rule *r)
{
    str name = r->action == RELABEL_LABELMAP  ? r->replacement
               : r->action == RELABEL_REPLACE ? r->target_label
                                              : STR_NONE;
    size_t n = r->regex != NULL ? regex_group_count(r->regex) : 0, *groups;
    struct buf b = BUF_INIT;
    bool nothing;

    if (n == 0 || !relabel_is_template(name))
        return false;
    groups = mem_array(2 * n, sizeof(*groups));
    for (size_t i = 0; i < n; i++)
        groups[2 * i + 1] = 1;
    regex_expand(r->regex, &b, name, S("x"), groups);
    nothing = b.n == 0;
    buf_release(&b);
    mem_free(groups);
    return nothing;
}

/* -- applying -- */

struct editor {
    struct arena *a;
    VEC(struct label) v;
    struct buf joined, text;
};

static str relabel_get(const struct editor *ed, str name)
{
    VEC_EACH (const struct label *, l, &ed->v)
        if (str_eq(l->name, name))
            return l->value;
    return STR_NONE;
}

/* An empty value stays until the end, where sorting drops it: names keep their places while a rule walks over them. */
static void set(struct editor *ed, str name, str value)
{
    VEC_EACH (struct label *, l, &ed->v)
        if (str_eq(l->name, name)) {
            l->value = value;
            return;
        }
    vec_push(&ed->v, (struct label){name, value});
}

static str join_sources(struct editor *ed, const struct relabel_rule *r)
{
    if (r->source_labels.n == 1)
        return relabel_get(ed, r->source_labels.v[0]);
    buf_clear(&ed->joined);
    for (size_t i = 0; i < r->source_labels.n; i++) {
        if (i != 0)
            buf_add(&ed->joined, r->separator);
        buf_add(&ed->joined, relabel_get(ed, r->source_labels.v[i]));
    }
    return buf_str(&ed->joined);
}

static str keep_text(struct editor *ed)
{
    return arena_str(ed->a, buf_str(&ed->text));
}

static void relabel_replace(struct editor *ed, const struct relabel_rule *r, str subject)
{
    size_t n = regex_group_count(r->regex), *groups = arena_array(ed->a, 2 * n, sizeof(*groups));
    str target = r->target_label;

    if (!regex_captures(r->regex, subject, 0, groups, n))
        return;
    if (relabel_is_template(target)) {
        buf_clear(&ed->text);
        regex_expand(r->regex, &ed->text, target, subject, groups);
        target = keep_text(ed);
    }
    if (!label_name_is_utf8(target))
        return;
    buf_clear(&ed->text);
    regex_expand(r->regex, &ed->text, r->replacement, subject, groups);
    set(ed, target, keep_text(ed));
}

/* Go takes the last eight bytes of the MD5 as a big-endian number. */
static str hash_mod(struct editor *ed, str subject, uint64_t modulus)
{
    unsigned char md[EVP_MAX_MD_SIZE] = {0};
    uint64_t h = 0;

    EVP_Digest(subject.p != NULL ? subject.p : "", subject.n, md, NULL, EVP_md5(), NULL);
    for (int i = 8; i < 16; i++)
        h = h << 8 | md[i];
    return arena_printf(ed->a, "%llu", (unsigned long long)(h % modulus));
}

static str change_case(struct editor *ed, str s, void (*change)(struct buf *out, str s))
{
    buf_clear(&ed->text);
    change(&ed->text, s);
    return keep_text(ed);
}

/* A name that the pattern makes none is left alone: "$1" of a pattern without a group. */
static void map_names(struct editor *ed, const struct relabel_rule *r)
{
    size_t n = ed->v.n; /* what the rule adds is not mapped again */

    for (size_t i = 0; i < n; i++) {
        struct label l = ed->v.v[i];

        if (l.value.n == 0 || !regex_matches(r->regex, l.name))
            continue;
        buf_clear(&ed->text);
        (void)regex_replace_all(r->regex, &ed->text, l.name, r->replacement, NULL);
        if (label_name_is_utf8(buf_str(&ed->text)))
            set(ed, keep_text(ed), l.value);
    }
}

static void relabel_drop_names(struct editor *ed, const struct relabel_rule *r, bool matching)
{
    VEC_EACH (struct label *, l, &ed->v)
        if (regex_matches(r->regex, l->name) == matching)
            l->value = STR_NONE;
}

/* False: the set is dropped. */
static bool relabel_apply(struct editor *ed, const struct relabel_rule *r)
{
    str subject = join_sources(ed, r);

    switch (r->action) {
    case RELABEL_KEEP: return regex_matches(r->regex, subject);
    case RELABEL_DROP: return !regex_matches(r->regex, subject);
    case RELABEL_KEEP_EQUAL: return str_eq(relabel_get(ed, r->target_label), subject);
    case RELABEL_DROP_EQUAL: return !str_eq(relabel_get(ed, r->target_label), subject);
    case RELABEL_REPLACE: relabel_replace(ed, r, subject); break;
    case RELABEL_HASHMOD:
        set(ed, r->target_label, hash_mod(ed, subject, (uint64_t)r->modulus));
        break;
    case RELABEL_LABELMAP: map_names(ed, r); break;
    case RELABEL_LABELDROP: relabel_drop_names(ed, r, true); break;
    case RELABEL_LABELKEEP: relabel_drop_names(ed, r, false); break;
    case RELABEL_LOWERCASE: set(ed, r->target_label, change_case(ed, subject, str_lower)); break;
    case RELABEL_UPPERCASE: set(ed, r->target_label, change_case(ed, subject, str_upper)); break;
    case RELABEL_ACTIONS: break;
    }
    return true;
}

bool relabel(const struct relabel_rules *rules, struct labels in, struct arena *a,
             struct labels *out)
{
    struct editor ed = {.a = a};
    bool keeps = true;

    if (rules->n == 0) {
        *out = in;
        return true;
    }
    vec_reserve(&ed.v, in.n + 1);
    LABELS_EACH (l, in)
        vec_push(&ed.v, *l);
    for (size_t i = 0; i < rules->n && keeps; i++)
        keeps = relabel_apply(&ed, &rules->v[i]);
    if (keeps) {
        struct label *v = arena_copy(a, ed.v.v, ed.v.n, ed.v.n, sizeof(*v));
        str dup;

        *out = (struct labels){v, labels_sort(v, ed.v.n, &dup)}; /* set() adds no name twice */
    }
    vec_release(&ed.v);
    buf_release(&ed.joined);
    buf_release(&ed.text);
    return keeps;
}
