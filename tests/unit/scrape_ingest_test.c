/* What a scrape leaves in the store does not depend on how it got there: one ingest knows the lines of the scrape before and
 * gets its body in random pieces, another forgets all before each scrape and gets it whole; the stores are equal. */
#include "tsdb_fixture.h"

#include "scrape/ingest.h"

enum { ROUNDS = 100, SCRAPES = 12, LINES = 40, SCRAPE_MS = 5000 };

static uint64_t seed;

static uint32_t dice(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

/* What a line may be, of which most stay from one scrape to the next. */
struct line_model {
    uint32_t series, form;
    double value;
};

static const char *const names[] = {"a", "ab", "a_total", "b:c", "h_bucket"};
static const char *const forms[] = {"%s%s %.17g\n", "%s%s %.3f\n",     "%s%s %e\n",
                                    "%s%s %a\n",    "  %s%s  %.0f \n", "%s%s\t%g\n",
                                    "%s %s %.6g\n", "%s%s +%.2f\n"};
static const char *const odd_values[] = {"NaN",
                                         "+Inf",
                                         "-Inf",
                                         "0x10",
                                         "1e400",
                                         "1e5",
                                         "-0",
                                         "1.5.5",
                                         "",
                                         "12 7",
                                         "-",
                                         "1e",
                                         "00012345678901234567890",
                                         ".5",
                                         "5."};

static void labels_of(struct buf *b, uint32_t series)
{
    if (series % 7 == 0)
        return;
    buf_addf(b, "{i=\"%u\"", series);
    if (series % 3 == 0)
        buf_adds(b, ",text=\"} \\\"x\\\" {\"");
    if (series % 5 == 0)
        buf_adds(b, ",le=\"1\"");
    buf_adds(b, "}");
}

static void put_line(struct buf *b, const struct line_model *l, enum expo_format format)
{
    struct buf labels = BUF_INIT;
    const char *name = names[l->series % ARRAY_LEN(names)];
    uint32_t odd = dice(1000);

    labels_of(&labels, l->series);
    if (format == EXPO_OPENMETRICS || (l->series % 7 == 0 && l->form == 6))
        buf_addf(b, "%s%s %.9g\n", name, buf_z(&labels), l->value);
    else
        buf_addf(b, forms[l->form], name, buf_z(&labels), l->value);
    if (odd < 12) { /* a time of its own, an exemplar, another value */
        b->n--;
        if (odd < 4)
            buf_addf(b, format == EXPO_OPENMETRICS ? " 1000.%u" : " 1000%u", odd);
        else if (odd < 6)
            buf_adds(b, " # {id=\"x\"} 1");
        else
            buf_addf(b, "%s", odd_values[dice(ARRAY_LEN(odd_values))]);
        buf_adds(b, "\n");
    }
    if (dice(100) == 0)
        buf_add(b, dice(2) != 0 ? S("# TYPE a gauge\n") : S("# HELP a text\n"));
    buf_release(&labels);
}

/* From one scrape to the next: mostly values. */
static void change(struct line_model *v, size_t *n)
{
    for (size_t i = 0; i < *n; i++)
        v[i].value += dice(3) == 0 ? dice(1000) / 8.0 : 0;
    if (dice(3) == 0)
        v[dice((uint32_t)*n)] = (struct line_model){dice(LINES), dice(ARRAY_LEN(forms)), dice(100)};
    if (dice(4) == 0) { /* two change places */
        uint32_t i = dice((uint32_t)*n), j = dice((uint32_t)*n);
        struct line_model x = v[i];

        v[i] = v[j];
        v[j] = x;
    }
    if (dice(6) == 0 && *n > 1)
        v[dice((uint32_t)*n)] = v[*n - 1], --*n;
    if (dice(6) == 0 && *n < LINES)
        v[(*n)++] = (struct line_model){dice(LINES), dice(ARRAY_LEN(forms)), dice(100)};
}

static void write_body(struct buf *b, const struct line_model *v, size_t n, enum expo_format format)
{
    buf_clear(b);
    for (size_t i = 0; i < n; i++)
        put_line(b, &v[i], format);
    if (format == EXPO_OPENMETRICS)
        buf_adds(b, "# EOF\n");
    if (dice(30) == 0 && b->n != 0)
        b->n--; /* without its last byte */
    if (dice(60) == 0 && b->n != 0)
        b->p[dice((uint32_t)b->n)] = (char)dice(256);
}

struct side {
    struct tsdb *db;
    struct ingest g;
    struct ingest_result r;
};

static void open_side(struct side *s)
{
    *s = (struct side){.db = tsdb_new(&(struct tsdb_options){.keep_all = true})};
    s->g.db = s->db;
    s->g.stream =
        tsdb_stream_open(s->db, &(struct tsdb_stream_conf){S("scrape/x"), SCRAPE_MS, true}, NULL);
}

static void close_side(struct side *s)
{
    ingest_release(&s->g);
    tsdb_free(s->db);
}

static void scrape_side(struct side *s, const struct ingest_input *in, str body, bool in_pieces)
{
    ingest_begin(&s->g, in, &s->r);
    while (body.n != 0) {
        str piece = str_sub(body, 0, in_pieces ? 1 + dice(300) : body.n);

        ingest_feed(&s->g, piece);
        body = str_sub(body, piece.n, body.n);
    }
    ingest_end(&s->g);
    metadata_release(&s->g.metadata);
}

/* The number of new lines differs, of course. */
static str dump_of(const struct side *s)
{
    db = s->db;
    return str_of(dump("{__name__!=\"scrape_series_added\"}"));
}

static void compare_sides(struct side *knows, struct side *forgets, str body)
{
    str a, b;

    assert_int_equal(knows->r.is_up, forgets->r.is_up);
    assert_int_equal(knows->r.scraped, forgets->r.scraped);
    assert_int_equal(knows->r.kept, forgets->r.kept);
    if (knows->r.is_up) /* else it was not read to its end */
        assert_int_equal(knows->r.bytes, forgets->r.bytes);
    assert_string_equal(knows->r.why.msg, forgets->r.why.msg);
    a = dump_of(knows);
    b = dump_of(forgets);
    if (!str_eq(a, b))
        fail_msg("of\n%.*sone knows\n%.*sand one\n%.*s", STR(body), STR(a), STR(b));
}

static void a_target(enum expo_format format, uint32_t *up, uint32_t *down)
{
    struct scrape_conf conf = {.honor_timestamps = true};
    struct label target = {S("instance"), S("h")};
    struct line_model v[LINES];
    struct side knows, forgets;
    struct buf body = BUF_INIT;
    size_t n = 1 + dice(LINES);

    for (size_t i = 0; i < n; i++)
        v[i] = (struct line_model){(uint32_t)i, dice(ARRAY_LEN(forms)), dice(1000)};
    open_side(&knows);
    open_side(&forgets);
    for (int t = 1; t <= SCRAPES; t++) {
        struct ingest_input in = {
            .conf = &conf, .labels = {&target, 1}, .t = 1000000 + t * SCRAPE_MS, .format = format};

        write_body(&body, v, n, format);
        scrape_side(&knows, &in, buf_str(&body), true);
        ingest_forget(&forgets.g);
        scrape_side(&forgets, &in, buf_str(&body), false);
        compare_sides(&knows, &forgets, buf_str(&body));
        *(knows.r.is_up ? up : down) += 1;
        change(v, &n);
    }
    close_side(&knows);
    close_side(&forgets);
    buf_release(&body);
}

static void what_is_known_changes_nothing(void **state)
{
    uint32_t up = 0, down = 0;

    (void)state;
    arena_init(&arena, 0);
    for (int i = 0; i < ROUNDS; i++) {
        seed = (uint64_t)i;
        a_target(i % 2 == 0 ? EXPO_TEXT : EXPO_OPENMETRICS, &up, &down);
        arena_reset(&arena);
    }
    arena_release(&arena);
    assert_true(up > ROUNDS * SCRAPES / 4 && down > ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
