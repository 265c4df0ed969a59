/* What is shown of a line that holds a secret. */
#include "unit.h"

#include "config/config_priv.h"
#include "net/http_conf.h"
#include "net/token_conf.h"
#include "schema/redact.h"
#include "schema/schema.h"
#include "tocsin/receiver.h"

/* The last line of text, as it is shown. */
static void shows(const char *text, const char *want)
{
    const char *nl = strrchr(text, '\n');
    str all = str_of(text), line = str_of(nl != NULL ? nl + 1 : text);
    struct redact_ranges r;
    struct buf b = BUF_INIT;

    redact_line(&(struct redact_text){.all = all}, line, &r);
    redact_print(&b, line, &r);
    assert_str(buf_str(&b), want);
    buf_release(&b);
}

static void values_of_secret_names_are_hidden(void **state)
{
    (void)state;
    shows("password: hunter2", "password: <secret>");
    shows("  - auth_password: \"a # b\"  ", "  - auth_password: <secret>  ");
    shows("pasword: hunter2", "pasword: <secret>");
    shows("password:hunter2", "password:<secret>");
    shows("\"bot_token\":\"1:2\"", "\"bot_token\":<secret>");
    shows("X-Api-Key: abc", "X-Api-Key: <secret>");
    shows("- {name: ops, token: s3cret, scope: all}", "- {name: ops, token: <secret>, scope: all}");
    shows("web: {tokens: [{token: a, scope: b}, {token: 'c, d', name: e}]}",
          "web: {tokens: [{token: <secret>, scope: b}, {token: <secret>, name: e}]}");
    shows("http_headers: {X: {secrets: [a, b], values: [c]}}",
          "http_headers: {X: {secrets: <secret>, values: [c]}}");
    shows("authorization: {type: Bearer, credentials: abc}",
          "authorization: {type: Bearer, credentials: <secret>}");
    shows("Authorization: Bearer abc", "Authorization: <secret>");
    shows("basic_auth: u:hunter2", "basic_auth: <secret>");
    shows("web: {tokens: [abc, def]}", "web: {tokens: [<secret>, <secret>]}");
    shows("oauth2: [abc]", "oauth2: [<secret>]");
    shows("basic_auth_users: {me: $2b$06$x}", "basic_auth_users: <secret>");
    shows("a: 1\n    basic_auth: {username: u, password: p",
          "    basic_auth: {username: <secret>, password: <secret>");
}

static void what_lies_below_a_secret_name_is_hidden(void **state)
{
    (void)state;
    shows("tls:\n  key: |\n    -----BEGIN\n\n    AAAA", "    <secret>");
    shows("secrets:\n- abc", "- <secret>");
    shows("tokens:\n- abc", "- <secret>");
    shows("tokens:\n  - name: n\n    matchers: ['a=b']\n    scope: reed", "    scope: reed");
    shows("x:\n  - name: n\n    password: >-\n      one\n      two", "      <secret>");
    shows("basic_auth_users:\n  # us\n  me: $2b", "  <secret>");
    shows("web:\n  tokens:\n    - name: n\n      scope: reed", "      scope: reed");
    shows("password: x\nname: n", "name: n");
    shows("- password: x\n  name: n", "  name: n");
}

static void a_url_keeps_its_host(void **state)
{
    (void)state;
    shows("api_url: https://hooks.example/T0/B0/x", "api_url: https://hooks.example<secret>");
    shows("url: hooks.example/T0", "url: <secret>");
    shows("  proxy_url: http://u:p@proxy:3128", "  proxy_url: http://<secret>@proxy:3128");
    shows("- webhook_configs: [{url: 'http://h/x?a=b', max_alert: 1}]",
          "- webhook_configs: [{url: 'http://h<secret>', max_alert: 1}]");
    shows("token_url: http://auth/", "token_url: http://auth/");
    shows("x-hook: &h https://h/secret", "x-hook: &h https://h<secret>");
}

static void what_is_no_secret_is_shown(void **state)
{
    (void)state;
    shows("group_wiat: 30s", "group_wiat: 30s");
    shows("password_file: /run/x", "password_file: /run/x");
    shows("  - {alert: A, exp: up, labels: {token: x}}",
          "  - {alert: A, exp: up, labels: {token: x}}");
    shows("  annotations: {runbook_url: 'https://wiki/a/{{ $labels.token }'}",
          "  annotations: {runbook_url: 'https://wiki/a/{{ $labels.token }'}");
    shows("  annotations:\n    runbook_url: https://wiki/a", "    runbook_url: https://wiki/a");
    shows("- record: job:tokens:rate5m", "- record: job:tokens:rate5m");
    shows("expr: sum by (token) (rate(tokens[5m]))", "expr: sum by (token) (rate(tokens[5m]))");
    shows("title: 'token: {{ .x }'", "title: 'token: {{ .x }'");
    shows("group_by: [cluster, team]", "group_by: [cluster, team]");
    shows("", "");
}

static void messages(void **state)
{
    struct buf b = BUF_INIT;

    (void)state;
    redact_message(&b, S("unknown key \"password:hunter2\", not \"ftp://u:p@host/x\" or \"a:b\""));
    assert_str(buf_str(&b),
               "unknown key \"password:<secret>\", not \"ftp://<secret>@host/x\" or \"a:b\"");
    buf_release(&b);
}

static void places_move_with_what_is_hidden(void **state)
{
    str line = S("{token: s3cret, scope: all}");
    struct redact_ranges r;

    (void)state;
    redact_line(&(struct redact_text){.all = line}, line, &r);
    assert_int_equal(redact_moved(&r, 1), 1);
    assert_int_equal(redact_moved(&r, 8), 8);
    assert_int_equal(redact_moved(&r, 10), 8);  /* inside */
    assert_int_equal(redact_moved(&r, 14), 16); /* its end */
    assert_int_equal(redact_moved(&r, 16), 18); /* "scope" */
}

/* Whatever a line is, the ranges lie in it, one behind the other. */
static void any_text(void **state)
{
    static const char letters[] = "token: {}[],\"'#-|&/@\n\n  passwordurl://\t";
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[48];
        struct redact_ranges r;
        str all = {text, sizeof(text)}, rest = all, line;
        size_t at = 0;

        for (size_t i = 0; i < sizeof(text); i++) {
            seed = seed * 1664525 + 1013904223;
            text[i] = letters[(seed >> 16) % sizeof(letters)]; /* its NUL, too */
        }
        do
            line = str_cut(&rest, '\n');
        while (rest.n > 16);
        redact_line(&(struct redact_text){.all = all}, line, &r);
        for (size_t i = 0; i < r.n; i++) {
            assert_true(r.v[i].from >= at && r.v[i].from < r.v[i].to && r.v[i].to <= line.n);
            at = r.v[i].to;
        }
    }
}

/* A text of lines drawn from these. v: each of them. */
static void draw_lines(uint32_t *seed, struct buf *text, str *v, size_t n)
{
    static const char *const lines[] = {"tokens:\n", "- a: x\n",    "  b: x\n",  "- y\n",
                                        "\n",        "# tokens:\n", "labels:\n", "password: |\n",
                                        "other: z\n"};
    str rest;

    for (size_t i = 0; i < n; i++) {
        *seed = *seed * 1664525 + 1013904223;
        buf_add(text, str_of(lines[(*seed >> 16) % ARRAY_LEN(lines)]));
    }
    rest = buf_str(text);
    for (size_t i = 0; i < n; i++)
        v[i] = str_cut(&rest, '\n');
}

/* Of a text with lists at the left margin: what was found for one line says nothing wrong of another. */
static void lines_in_any_order(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 5000; round++) {
        struct buf text = BUF_INIT;
        struct redact_text of = {.margin = STR_NONE};
        str v[14];

        draw_lines(&seed, &text, v, ARRAY_LEN(v));
        of.all = buf_str(&text);
        for (size_t i = 0; i < 2 * ARRAY_LEN(v); i++) {
            struct redact_ranges r, fresh;
            str line;

            seed = seed * 1664525 + 1013904223;
            line = v[(seed >> 16) % ARRAY_LEN(v)];
            redact_line(&of, line, &r);
            redact_line(&(struct redact_text){.all = of.all}, line, &fresh);
            assert_int_equal(r.n, fresh.n);
            for (size_t k = 0; k < r.n; k++)
                assert_true(r.v[k].from == fresh.v[k].from && r.v[k].to == fresh.v[k].to);
        }
        buf_release(&text);
    }
}

/* A table's secret whose name the lines do not know would be shown. */
static size_t check_keys(const struct conf_type *t, unsigned depth)
{
    size_t n = 0;

    for (const struct conf_key *k = t->keys; k->name != NULL; k++) {
        bool is_url = k->kind == CONF_SECRET_URL;

        if (k->sub != NULL && depth < 12)
            n += check_keys(k->sub, depth + 1);
        if (k->kind != CONF_SECRET && !is_url && (k->flags & CONF_HIDDEN) == 0)
            continue;
        n++;
        if (is_url ? !str_ends_with(str_of(k->name), S("url"))
                   : !redact_is_secret_name(str_of(k->name)))
            fail_msg("the secret \"%s\" of %s is shown", k->name, t->name);
    }
    return n;
}

static void every_secret_of_the_tables_is_known(void **state)
{
    size_t n = 0;

    (void)state;
    n += check_keys(&config_top_type, 0) + check_keys(&heartbeat_conf_type, 0) +
         check_keys(&web_tokens_type, 0) + check_keys(&http_conf_type, 0);
    for (const struct receiver_type *const *r = receiver_types; *r != NULL; r++)
        n += check_keys((*r)->conf, 0);
    assert_true(n > 40);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(values_of_secret_names_are_hidden),
        T(what_lies_below_a_secret_name_is_hidden),
        T(a_url_keeps_its_host),
        T(what_is_no_secret_is_shown),
        T(messages),
        T(places_move_with_what_is_hidden),
        T(any_text),
        T(lines_in_any_order),
        T(every_secret_of_the_tables_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
