/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The product of each instruction set that has one against the portable one: every transpose, ragged edges, strides,
 * several blocks of k and of columns; and its promise that an element's bits depend on nothing but its own row and
 * column.
 */
#include "quiet.h"
#include "sets.h"

#include "base/error.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

enum { PAD = 3, MOST_THREADS = 3 }; /* PAD: floats between rows that no product may touch */

static struct mdm_cpu_table own; /* of the set that is tested */

struct problem {
    int ta, tb, add;
    int64_t m, n, k;
    float *a, *b;
};

static uint64_t state = 7;

static float draw(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (float)(state >> 40) / (1 << 23) - 1;
}

static float *draw_many(int64_t n)
{
    float *p = malloc((size_t)n * sizeof *p);

    ck_assert_ptr_nonnull(p);
    for (int64_t i = 0; i < n; i++)
        p[i] = draw();
    return p;
}

static struct problem make(int ta, int tb, int add, int64_t m, int64_t n, int64_t k)
{
    struct problem p = {ta, tb, add, m, n, k, NULL, NULL};

    p.a = draw_many((ta ? k : m) * ((ta ? m : k) + PAD));
    p.b = draw_many((tb ? n : k) * ((tb ? k : n) + PAD));
    return p;
}

static void drop(struct problem *p)
{
    free(p->a);
    free(p->b);
}

/* How often each element was in a finished tile. */
struct count {
    unsigned char *times;
    int64_t n;
};

static void count_tile(void *arg, int64_t row, int64_t rows, int64_t column, int64_t columns)
{
    const struct count *c = arg;

    for (int64_t i = row; i < row + rows; i++)
        for (int64_t j = column; j < column + columns; j++)
            c->times[i * c->n + j]++;
}

/* NaN at first; later also what other products left. */
static void *find_workspace(void)
{
    static void *memory;
    const size_t bytes = (own.gemm_workspace(MOST_THREADS) + 63) / 64 * 64;

    if (!memory) {
        memory = aligned_alloc(64, bytes);
        ck_assert_ptr_nonnull(memory);
        memset(memory, 0xff, bytes);
    }
    return memory;
}

/* c[m, n + PAD]: what is added to is drawn from the position; else NaN, as the padding always is. */
static float *run(int (*gemm)(struct mdm_cpu *, const struct mdm_gemm *), const struct problem *p, int threads)
{
    struct mdm_cpu cpu = {.workers = threads, .f32 = own, .workspace = find_workspace()};
    struct mdm_gemm g = {.ta = p->ta, .tb = p->tb, .add = p->add, .m = p->m, .n = p->n, .k = p->k};
    struct count count = {calloc((size_t)(p->m * p->n), 1), p->n};
    size_t bytes = (size_t)(p->m * (p->n + PAD)) * sizeof(float);
    float *c = malloc(bytes);

    ck_assert(c && count.times);
    memset(c, 0xff, bytes);
    for (int64_t i = 0; p->add && i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++)
            c[i * (p->n + PAD) + j] = (float)((i * 7 + j * 13) % 29) / 29;
    ck_assert_int_eq(mdm_pool_create(&cpu.pool, threads, NULL, NULL), MASKDM_OK);
    g.a = p->a;
    g.b = p->b;
    g.c = c;
    g.lda = (p->ta ? p->m : p->k) + PAD;
    g.ldb = (p->tb ? p->k : p->n) + PAD;
    g.ldc = p->n + PAD;
    g.epilogue = count_tile;
    g.arg = &count;
    begin_quiet();
    ck_assert_int_eq(gemm(&cpu, &g), MASKDM_OK);
    expect_quiet("the product");
    for (int64_t i = 0; i < p->m * p->n; i++)
        if (count.times[i] != 1)
            ck_abort_msg("element %d was finished %d times", (int)i, count.times[i]);
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = p->n; j < p->n + PAD; j++)
            if (!isnan(c[i * (p->n + PAD) + j]))
                ck_abort_msg("row %d: the padding was written", (int)i);
    mdm_pool_release(&cpu.pool);
    free(count.times);
    return c;
}

/* The portable product sums in double; a float sum of k products of numbers below 1 strays by at most about
 * k units of rounding of its largest partial sum. */
static void check_product(struct problem p)
{
    float *want = run(mdm_cpu_gemm_c_f32, &p, 1), *got = run(own.gemm, &p, 1);
    double bound = 6e-8 * (4 + 3 * sqrt((double)p.k)) * (1 + sqrt((double)p.k));

    for (int64_t i = 0; i < p.m; i++)
        for (int64_t j = 0; j < p.n; j++) {
            float x = got[i * (p.n + PAD) + j], y = want[i * (p.n + PAD) + j];
            if (!(fabs((double)x - (double)y) <= bound))
                ck_abort_msg("ta %d tb %d add %d, %d x %d x %d: (%d, %d) %g, not %g",
                             p.ta, p.tb, p.add, (int)p.m, (int)p.n, (int)p.k, (int)i, (int)j, (double)x, (double)y);
        }
    free(want);
    free(got);
    drop(&p);
}

START_TEST(ragged_shapes_match)
{
    static const int64_t rows[] = {1, 5, 6, 13, 97, 103}, columns[] = {1, 7, 8, 9, 16, 17, 24, 31, 75, 130};
    static const int64_t depths[] = {1, 3, 8, 13, 256, 257, 300};

    for (size_t i = 0; i < MDM_LENGTH(rows); i++)
        for (size_t j = 0; j < MDM_LENGTH(columns); j++) {
            int64_t k = depths[(i * 3 + j) % MDM_LENGTH(depths)];
            check_product(make(_i & 1, _i >> 1 & 1, _i >> 2, rows[i], columns[j], k));
        }
}
END_TEST

START_TEST(many_blocks_match)
{
    check_product(make(_i & 1, _i >> 1 & 1, _i >> 2, 7, 2100, 600));
    check_product(make(_i & 1, _i >> 1 & 1, _i >> 2, 3, 2048, 1100));
    check_product(make(_i & 1, _i >> 1 & 1, _i >> 2, 201, 40, 1030));
}
END_TEST

static void expect_equal(const struct problem *p, const float *a, int64_t lda, const float *b, int64_t ldb)
{
    for (int64_t i = 0; i < p->m; i++)
        ck_assert_int_eq(memcmp(a + i * lda, b + i * ldb, (size_t)p->n * sizeof(float)), 0);
}

START_TEST(threads_change_no_bit)
{
    struct problem p = make(_i & 1, _i >> 1 & 1, 1, 205, 330, 700);
    float *one = run(own.gemm, &p, 1);

    for (int threads = 2; threads <= MOST_THREADS; threads++) {
        float *more = run(own.gemm, &p, threads);
        expect_equal(&p, one, p.n + PAD, more, p.n + PAD);
        free(more);
    }
    free(one);
    drop(&p);
}
END_TEST

/* Rows alone, columns alone: the same bits as in the whole product. */
START_TEST(neighbours_change_no_bit)
{
    struct problem p = make(0, _i, 0, 205, 330, 700), part = p;
    const int64_t row = 101, column = 19;
    float *all = run(own.gemm, &p, 2), *some;

    part.m = 29;
    part.a = p.a + row * (p.k + PAD);
    some = run(own.gemm, &part, 2);
    expect_equal(&part, all + row * (p.n + PAD), p.n + PAD, some, part.n + PAD);
    free(some);
    if (p.tb) {
        part = p;
        part.n = 53;
        part.b = p.b + column * (p.k + PAD);
        some = run(own.gemm, &part, 2);
        expect_equal(&part, all + column, p.n + PAD, some, part.n + PAD);
        free(some);
    }
    free(all);
    drop(&p);
}
END_TEST

START_TEST(a_wish_to_stop_is_a_status)
{
    struct problem p = make(0, 0, 0, 4, 4, 4);
    struct mdm_cpu cpu = {.workers = 1, .f32 = own, .workspace = find_workspace()};
    atomic_int stop = 1;
    float c[16];
    struct mdm_gemm g = {.m = 4, .n = 4, .k = 4, .a = p.a, .b = p.b, .c = c, .lda = 7, .ldb = 7, .ldc = 4};

    g.cancel = &stop;
    ck_assert_int_eq(own.gemm(&cpu, &g), MASKDM_ECANCELED);
    drop(&p);
}
END_TEST

static int run_suite(const char *name)
{
    Suite *s = suite_create(name);
    TCase *t = tcase_create("product");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, ragged_shapes_match, 0, 8);
    tcase_add_loop_test(t, many_blocks_match, 0, 8);
    tcase_add_loop_test(t, threads_change_no_bit, 0, 4);
    tcase_add_loop_test(t, neighbours_change_no_bit, 0, 2);
    tcase_add_test(t, a_wish_to_stop_is_a_status);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed;
}

int main(void)
{
    struct table t[MOST_TABLES];
    const int tables = fill_tables(t);
    int failed = 0, tested = 0;

    tell_tables();
    for (int i = 0; i < tables; i++)
        if (t[i].rows.gemm != mdm_cpu_gemm_blas && t[i].rows.gemm != mdm_cpu_gemm_c_f32) {
            own = t[i].rows;
            failed += run_suite(t[i].name);
            tested++;
        }
    return failed ? EXIT_FAILURE : tested ? EXIT_SUCCESS : 77;
}
