/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Products on BLAS against the portable one: every transposition, tiles of every kind, the callback on each tile
 * once, the same bits on any number of threads, rows of an image apart from their batch, cancelling; and that of the
 * two the slower one is not taken.
 */
#include "twin.h"

#include "base/clock.h"

struct shape {
    int64_t m, n, k;
};

static const struct shape shapes[] = {{1, 1, 1},       {1, 700, 3},      {700, 1, 5},     {16, 16, 16}, {33, 257, 65},
                                      {300, 520, 200}, {1030, 300, 300}, {70, 1100, 500}, {260, 255, 1}};

static float *draw_floats(int64_t n)
{
    float *p = malloc((size_t)(n + 1) * sizeof *p);

    ck_assert_ptr_nonnull(p);
    for (int64_t i = 0; i < n; i++)
        p[i] = (float)draw();
    return p;
}

struct tally {
    unsigned char *seen; /* [M,N]: how often a result was finished */
    int64_t n;
};

static void count_tile(void *arg, int64_t row, int64_t rows, int64_t column, int64_t columns)
{
    struct tally *t = arg;

    for (int64_t r = row; r < row + rows; r++)
        for (int64_t c = column; c < column + columns; c++)
            t->seen[r * t->n + c]++;
}

typedef int (*product)(struct mdm_cpu *, const struct mdm_gemm *);

/* Into fresh memory that starts from `start`, whose rows are ldc apart. */
static float *multiply(product f, const struct mdm_gemm *gemm, const float *start, int workers)
{
    struct mdm_gemm g = *gemm;
    struct mdm_cpu cpu = {.workers = workers, .guard = 1};
    struct tally t = {.n = g.n};
    int wrong = 0;
    float *c = malloc((size_t)(g.m * g.ldc) * sizeof *c);

    ck_assert_ptr_nonnull(c);
    memcpy(c, start, (size_t)(g.m * g.ldc) * sizeof *c);
    t.seen = calloc((size_t)(g.m * g.n), 1);
    ck_assert_ptr_nonnull(t.seen);
    ck_assert_int_eq(mdm_pool_create(&cpu.pool, workers, NULL, NULL), MASKDM_OK);
    g.c = c;
    g.epilogue = count_tile;
    g.arg = &t;
    begin_quiet();
    ck_assert_int_eq(f(&cpu, &g), MASKDM_OK);
    expect_quiet("the product");
    mdm_pool_release(&cpu.pool);
    for (int64_t i = 0; i < g.m * g.n; i++)
        wrong += t.seen[i] != 1;
    ck_assert_int_eq(wrong, 0);
    free(t.seen);
    return c;
}

static void check_shape(const struct shape *s, int ta, int tb, int add)
{
    struct mdm_gemm g = {.ta = ta, .tb = tb, .add = add, .m = s->m, .n = s->n, .k = s->k, .ldc = s->n + 3};
    float *a, *b, *start, *want, *one, *two;
    int wrong = 0;

    g.lda = (ta ? g.m : g.k) + 1;
    g.ldb = (tb ? g.k : g.n) + 2;
    g.a = a = draw_floats((ta ? g.k : g.m) * g.lda);
    g.b = b = draw_floats((tb ? g.n : g.k) * g.ldb);
    start = draw_floats(g.m * g.ldc);
    want = multiply(mdm_cpu_gemm_c_f32, &g, start, 1);
    one = multiply(mdm_cpu_gemm_blas, &g, start, 1);
    for (int64_t i = 0; i < g.m * g.ldc; i++)
        wrong += !(fabs((double)one[i] - (double)want[i]) <= (i % g.ldc < g.n ? 3e-7 * (double)(g.k + 2) : 0));
    ck_assert_msg(wrong == 0, "%ld x %ld x %ld, %d%d%d: %d are wrong", (long)g.m, (long)g.n, (long)g.k, ta, tb, add,
                  wrong);
    for (int workers = 2; workers <= 3; workers++) {
        two = multiply(mdm_cpu_gemm_blas, &g, start, workers);
        ck_assert_mem_eq(two, one, (size_t)(g.m * g.ldc) * sizeof *one);
        free(two);
    }
    free(a);
    free(b);
    free(start);
    free(want);
    free(one);
}

START_TEST(every_shape_and_transposition)
{
    for (size_t i = 0; i < MDM_LENGTH(shapes); i++)
        for (int way = 0; way < 8; way++)
            check_shape(&shapes[i], way & 1, way >> 1 & 1, way >> 2);
}
END_TEST

START_TEST(rows_of_an_image_are_cut_alike)
{
    enum { K = 400, N = 300, BATCH = 3 };
    static const int64_t rows[] = {1, 31, 129, 520};

    for (size_t i = 0; i < MDM_LENGTH(rows); i++) {
        struct mdm_gemm g = {.tb = 1, .m = rows[i] * BATCH, .n = N, .k = K, .lda = K, .ldb = K, .ldc = N};
        float *a = draw_floats(g.m * K), *b = draw_floats(N * K), *start = draw_floats(g.m * N), *all;
        g.row_group = rows[i];
        g.a = a;
        g.b = b;
        all = multiply(mdm_cpu_gemm_blas, &g, start, 2);
        g.m = rows[i];
        for (int image = 0; image < BATCH; image++) {
            float *one;
            g.a = a + image * rows[i] * K;
            one = multiply(mdm_cpu_gemm_blas, &g, start, 1);
            ck_assert_mem_eq(one, all + image * rows[i] * N, (size_t)(rows[i] * N) * sizeof *one);
            free(one);
        }
        free(a);
        free(b);
        free(start);
        free(all);
    }
}
END_TEST

START_TEST(cancelled_before_the_first_tile)
{
    static const product products[] = {mdm_cpu_gemm_blas, mdm_cpu_gemm_c_f32};

    for (int i = 0; i < 2; i++) {
        atomic_int cancel = 1;
        float a[64] = {0}, c[64];
        struct mdm_cpu cpu = {.workers = 1, .guard = 1};
        struct mdm_gemm g = {.m = 8, .n = 8, .k = 8, .a = a, .b = a, .c = c, .lda = 8, .ldb = 8, .ldc = 8};
        g.cancel = &cancel;
        for (int k = 0; k < 64; k++)
            c[k] = 5;
        ck_assert_int_eq(products[i](&cpu, &g), MASKDM_ECANCELED);
        for (int k = 0; k < 64; k++)
            ck_assert(c[k] == 5);
    }
}
END_TEST

static int multiply_late(struct mdm_cpu *cpu, const struct mdm_gemm *g)
{
    mdm_clock_sleep(0.02);
    return mdm_cpu_gemm_c_f32(cpu, g);
}

START_TEST(the_slower_one_is_not_taken)
{
    ck_assert_int_eq(mdm_cpu_prefers_product(multiply_late, mdm_cpu_gemm_c_f32, 1), 0);
    ck_assert_int_eq(mdm_cpu_prefers_product(mdm_cpu_gemm_c_f32, multiply_late, 1), 1);
}
END_TEST

/* What one device took the next one takes as well, and says so. */
START_TEST(devices_say_who_multiplies)
{
    const struct mdm_device_settings s = {.workers = 2, .guard = 1, .instruction_set = "c"};
    char begin[96];

    for (int i = 0; i < 2; i++) {
        struct mdm_backend *b;
        int pays;

        ck_assert_int_eq(mdm_cpu_open(&b, &s), MASKDM_OK);
        pays = mdm_cpu_blas_pays(1);
        ck_assert_int_eq(pays, mdm_cpu_of(b)->f32.gemm == mdm_cpu_gemm_blas);
        snprintf(begin, sizeof begin, pays ? "cpu, c, %s" : "cpu, c, portable products (%s was measured slower)",
                 mdm_blas_name());
        ck_assert_msg(strncmp(b->v->describe(b), begin, strlen(begin)) == 0, "%s does not begin with %s",
                      b->v->describe(b), begin);
        b->v->close(b);
    }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, the_slower_one_is_not_taken);
    tcase_add_test(c, devices_say_who_multiplies);
    tcase_add_test(c, every_shape_and_transposition);
    tcase_add_test(c, rows_of_an_image_are_cut_alike);
    tcase_add_test(c, cancelled_before_the_first_tile);
}

int main(void)
{
    return run_suite("gemm", add_tests);
}
