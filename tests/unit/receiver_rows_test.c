/* receiver_rows_test.c - docs/receivers.md shows of each kind what its row says that the service takes and can; each folder has
 * what it needs. */
#include "unit.h"

#include <unistd.h>

#include "base/buf.h"
#include "notify/messages.h"
#include "os/file.h"
#include "tocsin/receiver.h"

static void add_thousands(struct buf *b, size_t n)
{
    if (n >= 1000) {
        add_thousands(b, n / 1000);
        buf_addf(b, ",%03zu", n % 1000);
    } else {
        buf_addf(b, "%zu", n);
    }
}

static void add_limits(struct buf *b, const struct receiver_pace *p)
{
    static const struct {
        dur_ns per;
        const char *text;
    } units[] = {{NS_PER_S, "a second"},
                 {NS_PER_M, "a minute"},
                 {NS_PER_H, "an hour"},
                 {24 * NS_PER_H, "a day"}};

    for (size_t i = 0; i < PACE_LIMITS && p->limits[i].messages != 0; i++) {
        const struct pace_limit *l = &p->limits[i];
        size_t u = 0;

        while (u < ARRAY_LEN(units) && units[u].per != l->per)
            u++;
        buf_addf(b, "%s%u ", i != 0 ? ", " : "", l->messages);
        if (u < ARRAY_LEN(units))
            buf_addf(b, "%s", units[u].text);
        else
            buf_addf(b, "in %lld s", (long long)(l->per / NS_PER_S));
        if (l->burst != 0)
            buf_addf(b, ", %u at once", l->burst);
    }
}

static void add_size(struct buf *b, const struct receiver_pace *p)
{
    if (p->bytes != 0 || p->runes != 0) {
        add_thousands(b, p->bytes != 0 ? p->bytes : p->runes);
        buf_addf(b, "%s", p->bytes != 0 ? " bytes" : " characters");
    }
}

static void add_can(struct buf *b, unsigned can)
{
    static const char *const words[] = {"edit", "thread", "ack", "digest", "split", "person"};
    const char *before = "";

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if ((can & 1U << i) != 0) {
            buf_addf(b, "%s%s", before, words[i]);
            before = ", ";
        }
    assert_int_equal(can >> ARRAY_LEN(words), 0);
}

static void the_document_has_the_rows(void **state)
{
    struct buf want = BUF_INIT, got = BUF_INIT;
    struct err e = ERR_INIT;

    (void)state;
    buf_adds(&want, "| key | service | messages, at most | one of them, at most | can |\n"
                    "|---|---|---|---|---|\n");
    for (const struct receiver_type *const *t = receiver_types; *t != NULL; t++) {
        buf_addf(&want, "| `%s` | %s | ", (*t)->config_key, (*t)->doc);
        add_limits(&want, &(*t)->pace);
        buf_adds(&want, " | ");
        add_size(&want, &(*t)->pace);
        buf_adds(&want, " | ");
        add_can(&want, (*t)->can);
        buf_adds(&want, " |\n");
    }
    if (!file_read(S(TOCSIN_SOURCE "/docs/receivers.md"), FILE_REGULAR, 1 << 20, &got, &e))
        fail_msg("%s", e.msg);
    if (str_find_str(buf_str(&got), buf_str(&want)) < 0) {
        printf("%.*s", STR(buf_str(&want))); /* more than cmocka prints */
        fail_msg("docs/receivers.md needs the table above");
    }
    buf_release(&want);
    buf_release(&got);
}

/* What a row says a kind does for a person or an ack is what a case of it shows. */
static void what_a_row_says_has_a_case(void **state)
{
    static const struct {
        unsigned can;
        const char *file;
    } cases[] = {{CAN_PERSON, "person.yml"}, {CAN_ACK, "acked.yml"}};
    char path[256];

    (void)state;
    for (const struct receiver_type *const *t = receiver_types; *t != NULL; t++)
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            snprintf(path, sizeof(path), TOCSIN_SOURCE "/receivers/%s/cases/%s", (*t)->name,
                     cases[i].file);
            if ((access(path, F_OK) == 0) != (((*t)->can & cases[i].can) != 0))
                fail_msg("%s: the row and cases/%s do not say the same", (*t)->name, cases[i].file);
        }
}

/* Joined, only the first fault would show, and not in which file. */
static void templates_can_be_read(void **state)
{
    static const char *const endings[] = {".tmpl", ".zh.tmpl"};
    size_t read = 0;
    char path[256];

    (void)state;
    for (const struct receiver_type *const *t = receiver_types; *t != NULL; t++)
        for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
            struct buf text = BUF_INIT;
            struct err e = ERR_INIT;

            snprintf(path, sizeof(path), TOCSIN_SOURCE "/receivers/%s/%s%s", (*t)->name, (*t)->name,
                     endings[i]);
            if (!file_read(str_of(path), FILE_REGULAR, 1 << 20, &text, &e))
                continue; /* it has none */
            if (!messages_reads(buf_str(&text), &e))
                fail_msg("%s: %s", path, e.msg);
            buf_release(&text);
            read++;
        }
    assert_true(read >= 23);
}

/* A limit says over which time; a burst is more than what goes in that time anyway. */
static void paces_make_sense(void **state)
{
    (void)state;
    for (const struct receiver_type *const *t = receiver_types; *t != NULL; t++)
        for (size_t i = 0; i < PACE_LIMITS && (*t)->pace.limits[i].messages != 0; i++) {
            const struct pace_limit *l = &(*t)->pace.limits[i];

            assert_true(l->per > 0);
            assert_true(l->burst == 0 || l->burst > l->messages);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_has_the_rows),
        cmocka_unit_test(what_a_row_says_has_a_case),
        cmocka_unit_test(templates_can_be_read),
        cmocka_unit_test(paces_make_sense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
