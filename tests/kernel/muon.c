/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Muon's update against its formulas in double: matrices of every form, of full rank and of less, alone and among
 * others; to the bit on any number of threads, whether they share a product or not. In all places (jobs.h).
 */
#include "jobs.h"

/* c[m,n] = a[m,k] b[k,n], each read along the strides of its rows and columns. */
static void multiply(double *c, int64_t m, int64_t n, int64_t k, const double *a, int64_t ar, int64_t ac,
                     const double *b, int64_t br, int64_t bc)
{
    for (int64_t i = 0; i < m * n; i++)
        c[i] = 0;
    for (int64_t i = 0; i < m; i++)
        for (int64_t e = 0; e < k; e++)
            for (int64_t j = 0; j < n; j++)
                c[i * n + j] += a[i * ar + e * ac] * b[e * br + j * bc];
}

/* The formulas of struct mdm_muon on one matrix, its transpose where that is wider. */
static void expect_matrix(const struct mdm_muon *j, const struct mdm_muon_matrix *x, double *w, const double *g,
                          double *m)
{
    const int tall = x->rows > x->columns;
    const int64_t rows = tall ? x->columns : x->rows, columns = tall ? x->rows : x->columns;
    double *u = malloc((size_t)(rows * columns) * sizeof *u), *y = malloc((size_t)(rows * columns) * sizeof *y);
    double *a = malloc((size_t)(rows * rows) * sizeof *a), *aa = malloc((size_t)(rows * rows) * sizeof *aa);
    double norm = 0;

    for (int64_t i = 0; i < x->rows; i++)
        for (int64_t k = 0; k < x->columns; k++) {
            const int64_t at = i * x->columns + k;
            const double s = j->grad_scale * g[at];

            m[at] = j->momentum * m[at] + (1 - j->momentum) * s;
            u[tall ? k * columns + i : at] = j->nesterov ? j->momentum * m[at] + (1 - j->momentum) * s : m[at];
            norm += pow(u[tall ? k * columns + i : at], 2);
        }
    norm = j->adds ? sqrt(norm) + j->floor : fmax(sqrt(norm), j->floor);
    for (int64_t i = 0; i < rows * columns; i++)
        u[i] /= norm;
    for (int s = 0; s < j->steps; s++) {
        multiply(a, rows, rows, columns, u, columns, 1, u, 1, columns);
        multiply(aa, rows, rows, rows, a, rows, 1, a, rows, 1);
        for (int64_t i = 0; i < rows * rows; i++)
            aa[i] = j->b * a[i] + j->c * aa[i];
        multiply(y, rows, columns, rows, aa, rows, 1, u, columns, 1);
        for (int64_t i = 0; i < rows * columns; i++)
            u[i] = j->a * u[i] + y[i];
    }
    for (int64_t i = 0; i < x->rows; i++)
        for (int64_t k = 0; k < x->columns; k++)
            w[i * x->columns + k] =
                x->keep * w[i * x->columns + k] - x->rate * u[tall ? k * columns + i : i * x->columns + k];
    free(u);
    free(y);
    free(a);
    free(aa);
}

/* Blocks of `n` elements, w, g and m. */
struct blocks {
    float *part[3];
};

static struct blocks copy_blocks(const struct blocks *from, size_t n)
{
    struct blocks b;

    for (int i = 0; i < 3; i++) {
        b.part[i] = malloc(n * sizeof(float));
        memcpy(b.part[i], from->part[i], n * sizeof(float));
    }
    return b;
}

static void drop_blocks(struct blocks *b)
{
    for (int i = 0; i < 3; i++)
        free(b->part[i]);
}

enum { GAP = 48 }; /* between matrices: what lies there must stay */

static struct blocks draw_blocks(struct mdm_muon_matrix *x, int64_t count, size_t *n)
{
    struct blocks b;

    *n = GAP;
    for (int64_t i = 0; i < count; i++) {
        x[i].at = *n;
        *n += (size_t)(x[i].rows * x[i].columns) + GAP;
    }
    for (int i = 0; i < 3; i++) {
        b.part[i] = malloc(*n * sizeof(float));
        for (size_t e = 0; e < *n; e++)
            b.part[i][e] = (float)draw();
    }
    return b;
}

static void run(int place, struct mdm_muon *j, const struct blocks *b, size_t n)
{
    struct mdm_backend *backend = enter_place(place);
    float **block[] = {&j->w, &j->g, &j->m};

    shift = 0; /* scratch is aligned, and so are blocks */
    for (int i = 0; i < 3; i++)
        *block[i] = lend(backend, b->part[i], (int64_t)n);
    j->scratch = lend(backend, NULL, (int64_t)((backend->v->muon_scratch(backend, j) + 3) / 4));
    ck_assert_msg(backend->v->muon(backend, j) == MASKDM_OK, "%s", maskdm_last_error());
    for (int i = 0; i < 3; i++)
        fetch(backend, b->part[i], *block[i], (int64_t)n);
    leave_place(backend);
}

/* What the formulas make of the blocks, and which of their elements are a matrix's. */
struct wanted {
    double *part[3];
    char *inside;
};

static struct wanted make_wanted(const struct mdm_muon *j, const struct blocks *start, size_t n)
{
    struct wanted want = {.inside = calloc(n, 1)};

    for (int i = 0; i < 3; i++) {
        want.part[i] = malloc(n * sizeof(double));
        for (size_t e = 0; e < n; e++)
            want.part[i][e] = start->part[i][e];
    }
    for (int64_t i = 0; i < j->count; i++) {
        const size_t at = j->matrix[i].at, size = (size_t)(j->matrix[i].rows * j->matrix[i].columns);

        expect_matrix(j, &j->matrix[i], want.part[0] + at, want.part[1] + at, want.part[2] + at);
        memset(want.part[1] + at, 0, size * sizeof(double));
        memset(want.inside + at, 1, size);
    }
    return want;
}

static void drop_wanted(struct wanted *want)
{
    for (int i = 0; i < 3; i++)
        free(want->part[i]);
    free(want->inside);
}

static void expect_update(const struct wanted *want, const struct blocks *b, size_t n, double bound)
{
    const double bounds[3] = {bound, 0, 2e-7};

    for (int i = 0; i < 3; i++)
        for (size_t e = 0; e < n; e++) {
            const double off = fabs(want->part[i][e] - b->part[i][e]);

            ck_assert_msg(off <= (want->inside[e] ? bounds[i] : 0), "block %d, element %zu is off by %g", i, e, off);
        }
}

static const struct mdm_muon plain = {
    .grad_scale = 0.5, .momentum = 0.9, .floor = 1e-7, .a = 3.4445, .b = -4.7750, .c = 2.0315, .steps = 5};

/* On w, of products in float, and in bfloat16, where X, whose elements are at most 1.2, is rounded in every step. */
struct bounds {
    double wide, narrow;
};

/* On the places from `first` on, of which pairs have the same bits. */
static void expect_places(int first, struct mdm_muon *j, const struct blocks *start, size_t n,
                          const struct wanted *want, double bound)
{
    struct blocks kept = {{NULL}};

    for (int i = first; i < place_count; i++) {
        struct blocks b = copy_blocks(start, n);

        run(i, j, &b, n);
        expect_update(want, &b, n, bound);
        for (int k = 0; i % 2 && k < 3; k++)
            ck_assert_mem_eq(b.part[k], kept.part[k], n * sizeof(float));
        if (i % 2) {
            drop_blocks(&kept);
            drop_blocks(&b);
        } else {
            kept = b;
        }
    }
}

static void expect_job(struct mdm_muon_matrix *x, int64_t count, int nesterov, int adds, struct bounds bounds,
                       void (*change)(struct blocks *b, const struct mdm_muon_matrix *x))
{
    size_t n;
    struct blocks start = draw_blocks(x, count, &n);
    struct mdm_muon j = plain;
    struct wanted want;

    if (change)
        change(&start, x);
    j.count = count;
    j.matrix = x;
    j.nesterov = nesterov;
    j.adds = adds;
    want = make_wanted(&j, &start, n);
    place_compute = MDM_COMPUTE_FLOAT32;
    expect_places(0, &j, &start, n, &want, bounds.wide);
    place_compute = MDM_COMPUTE_BFLOAT16;
    if (device_asked())
        expect_places(place_count - 2, &j, &start, n, &want, bounds.narrow);
    drop_wanted(&want);
    drop_blocks(&start);
}

START_TEST(matrices_of_every_form)
{
    const struct bounds near = {2e-6, 6e-4}; /* a fiftieth of the largest rate */
    struct mdm_muon_matrix x[] = {{.rows = 40, .columns = 130, .keep = 0.99, .rate = 0.02},
                                  {.rows = 130, .columns = 40, .keep = 1, .rate = 0.03},
                                  {.rows = 64, .columns = 64, .keep = 0.9, .rate = 0.02},
                                  {.rows = 17, .columns = 9, .keep = 0.9, .rate = 0.02},
                                  {.rows = 9, .columns = 17, .keep = 0.9, .rate = 0.02},
                                  {.rows = 1, .columns = 7, .keep = 0.9, .rate = 0.02},
                                  {.rows = 7, .columns = 1, .keep = 0.9, .rate = 0.02},
                                  {.rows = 1, .columns = 1, .keep = 0.9, .rate = 0.02}};

    for (int i = 0; i < 4; i++)
        expect_job(x, MDM_LENGTH(x), i % 2, i / 2, near, NULL);
}
END_TEST

/* Rank 2, where what is amplified is rounding, and the gradient of a matrix that nothing reached. */
static void make_poor(struct blocks *b, const struct mdm_muon_matrix *x)
{
    for (int64_t i = 0; i < x[0].rows; i++)
        for (int64_t k = 0; k < x[0].columns; k++) {
            const size_t at = x[0].at + (size_t)(i * x[0].columns + k);

            b->part[1][at] = (float)(sin((double)i) * cos(0.3 * (double)k) + 0.1 * (double)(i % 3) * (double)(k % 5));
            b->part[2][at] = 0;
        }
    for (size_t e = 0; e < (size_t)(x[1].rows * x[1].columns); e++)
        b->part[1][x[1].at + e] = b->part[2][x[1].at + e] = 0;
}

START_TEST(matrices_of_low_rank)
{
    const struct bounds near = {2e-5, 1e-2}; /* five steps make 2^-9 up to 3.4445^5 2^-9, nearly 1: half the rate */
    struct mdm_muon_matrix x[] = {{.rows = 30, .columns = 20, .keep = 1, .rate = 0.02},
                                  {.rows = 20, .columns = 30, .keep = 0.5, .rate = 0.02}};

    for (int adds = 0; adds < 2; adds++)
        expect_job(x, MDM_LENGTH(x), 1, adds, near, make_poor);
}
END_TEST

/* Large enough that threads share each of its products, beside one that is not. */
START_TEST(products_that_threads_share)
{
    const struct bounds near = {2e-6, 6e-4};
    struct mdm_muon_matrix x[] = {{.rows = 400, .columns = 800, .keep = 0.9, .rate = 0.02},
                                  {.rows = 50, .columns = 30, .keep = 0.9, .rate = 0.02},
                                  {.rows = 50, .columns = 30, .keep = 0.9, .rate = 0.02}};

    expect_job(x, MDM_LENGTH(x), 1, 0, near, NULL);
}
END_TEST

/* What comes of five steps: singular values that were not all but 0 lie between 0.7 and 1.2. */
START_TEST(nearly_orthogonal)
{
    enum { N = 24 };
    struct mdm_muon_matrix x = {.rows = N, .columns = 3 * N, .keep = 0, .rate = -1};
    struct mdm_muon j = plain;
    size_t n;
    struct blocks b = draw_blocks(&x, 1, &n);
    double traces = 0;

    j.count = 1;
    j.matrix = &x;
    place_compute = MDM_COMPUTE_BFLOAT16;
    run(place_count - 1, &j, &b, n);
    for (int64_t i = 0; i < N; i++)
        for (int64_t k = 0; k < N; k++) {
            double product = 0;

            for (int64_t e = 0; e < 3 * N; e++)
                product +=
                    (double)b.part[0][x.at + (size_t)(i * 3 * N + e)] * b.part[0][x.at + (size_t)(k * 3 * N + e)];
            ck_assert_double_lt(fabs(product - (i == k)), 0.6);
            traces += i == k ? product : 0;
        }
    ck_assert_double_eq_tol(traces / N, 0.85, 0.3);
    drop_blocks(&b);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, matrices_of_every_form);
    tcase_add_test(c, matrices_of_low_rank);
    tcase_add_test(c, products_that_threads_share);
    tcase_add_test(c, nearly_orthogonal);
}

int main(void)
{
    return run_places("muon", add_tests);
}
