/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Muon's update. All that costs is products, which are the library's own (or BLAS's), 15 of them a matrix. Those of a
 * large matrix are cut for all threads, one matrix after the other; of the others each thread takes whole matrices,
 * since cutting a product of some microseconds costs as much as the product. No sum depends on which way was gone.
 *
 * X stands in the gradient's place to begin with and alternates with a buffer. Where it is higher than wide it is X
 * of the formulas transposed, A is X' X, and the polynomial in A, which is symmetric, is multiplied from the right.
 */
#include "backend/cpu/cpu.h"
#include "base/error.h"

#include <math.h>

enum { SPAN = 16384 };
static const double shared_work = 2.5e8; /* FLOP of a product from which threads share it: some milliseconds */

/* What one matrix goes through. */
struct work {
    struct mdm_cpu *cpu; /* without a pool where one thread has it all */
    const struct mdm_muon *job;
    int64_t rows, columns, side; /* side: the smaller */
    size_t n;
    float *w, *g, *m, *x, *y; /* x: X as it is now; y: the other of its two places */
    float *gram, *polynomial; /* A, and a I + b A + c A A */
    double keep, rate;
    double *part; /* of the sum of squares, one for each span */
    float scale;
};

static size_t round_up(size_t floats)
{
    return (floats + 15) & ~(size_t)15;
}

static int64_t side_of(const struct mdm_muon_matrix *m)
{
    return m->rows < m->columns ? m->rows : m->columns;
}

static size_t spans_of(size_t n)
{
    return (n + SPAN - 1) / SPAN;
}

/* Of one matrix, in floats: X's second place, both m x m factors, and the parts of a sum. */
static size_t floats_of(const struct mdm_muon_matrix *m)
{
    const size_t n = (size_t)(m->rows * m->columns), square = (size_t)(side_of(m) * side_of(m));

    return round_up(n) + 2 * round_up(square) + round_up(2 * spans_of(n));
}

static int is_shared(const struct mdm_cpu *cpu, const struct mdm_muon_matrix *m)
{
    const double side = (double)side_of(m);

    return cpu->workers == 1 || 2 * side * (double)m->rows * (double)m->columns >= shared_work;
}

static size_t workspace_of(const struct mdm_cpu *cpu)
{
    return cpu->f32.gemm_workspace ? round_up(cpu->f32.gemm_workspace(1) / sizeof(float)) : 0;
}

/* Floats of the largest matrix of those that are shared, or of those that are not. */
static size_t most_floats(const struct mdm_cpu *cpu, const struct mdm_muon *j, int shared)
{
    size_t most = 0;

    for (int64_t i = 0; i < j->count; i++)
        if (is_shared(cpu, &j->matrix[i]) == shared && floats_of(&j->matrix[i]) > most)
            most = floats_of(&j->matrix[i]);
    return most;
}

size_t mdm_cpu_muon_scratch(const struct mdm_backend *b, const struct mdm_muon *j)
{
    const struct mdm_cpu *cpu = mdm_cpu_of((struct mdm_backend *)b);
    const size_t shared = most_floats(cpu, j, 1), own = most_floats(cpu, j, 0);
    const size_t all = own ? (size_t)cpu->workers * (own + workspace_of(cpu)) : 0;

    return (all > shared ? all : shared) * sizeof(float);
}

/* ---- over the elements ---- */

static void move_moment(void *arg, int64_t i, int worker)
{
    const struct work *k = arg;
    const struct mdm_muon *j = k->job;
    const size_t from = (size_t)i * SPAN, to = from + SPAN < k->n ? from + SPAN : k->n;
    const float scale = (float)j->grad_scale, b = (float)j->momentum, c = (float)(1 - j->momentum);
    double sum = 0;

    (void)worker;
    for (size_t e = from; e < to; e++) {
        const float g = k->g[e] * scale, m = b * k->m[e] + c * g, u = j->nesterov ? b * m + c * g : m;

        k->m[e] = m;
        k->g[e] = u;
        sum += (double)u * (double)u;
    }
    k->part[i] = sum;
}

static void scale_span(void *arg, int64_t i, int worker)
{
    const struct work *k = arg;
    const size_t from = (size_t)i * SPAN, to = from + SPAN < k->n ? from + SPAN : k->n;

    (void)worker;
    for (size_t e = from; e < to; e++)
        k->x[e] *= k->scale;
}

static void move_weights(void *arg, int64_t i, int worker)
{
    const struct work *k = arg;
    const size_t from = (size_t)i * SPAN, to = from + SPAN < k->n ? from + SPAN : k->n;
    const float keep = (float)k->keep, rate = (float)k->rate;

    (void)worker;
    for (size_t e = from; e < to; e++) {
        k->w[e] = keep * k->w[e] - rate * k->x[e];
        k->g[e] = 0;
    }
}

static int over_spans(struct work *k, mdm_body body)
{
    return mdm_pool_run(k->cpu->pool, (int64_t)spans_of(k->n), body, k);
}

static int normalize(struct work *k)
{
    double norm = 0;

    for (size_t i = 0; i < spans_of(k->n); i++)
        norm += k->part[i];
    norm = sqrt(norm);
    if (k->job->adds)
        norm += k->job->floor;
    else if (norm < k->job->floor)
        norm = k->job->floor;
    k->scale = (float)(1 / norm);
    return over_spans(k, scale_span);
}

/* ---- products ---- */

static int multiply_gram(const struct work *k)
{
    const int tall = k->rows > k->columns;
    struct mdm_gemm g = {.ta = tall, .tb = !tall, .m = k->side, .n = k->side, .k = tall ? k->rows : k->columns};

    g.a = g.b = k->x;
    g.lda = g.ldb = k->columns;
    g.c = k->gram;
    g.ldc = k->side;
    return k->cpu->f32.gemm(k->cpu, &g);
}

/* A tile of A A becomes one of the polynomial. */
static void finish_tile(void *arg, int64_t row, int64_t rows, int64_t column, int64_t columns)
{
    const struct work *k = arg;
    const float a = (float)k->job->a, b = (float)k->job->b, c = (float)k->job->c;

    for (int64_t r = row; r < row + rows; r++) {
        float *p = k->polynomial + r * k->side;
        const float *gram = k->gram + r * k->side;

        for (int64_t e = column; e < column + columns; e++)
            p[e] = c * p[e] + b * gram[e];
        if (r >= column && r < column + columns)
            p[r] += a;
    }
}

static int multiply_polynomial(struct work *k)
{
    struct mdm_gemm g = {.m = k->side, .n = k->side, .k = k->side};

    g.a = g.b = k->gram;
    g.c = k->polynomial;
    g.lda = g.ldb = g.ldc = k->side;
    g.epilogue = finish_tile;
    g.arg = k;
    return k->cpu->f32.gemm(k->cpu, &g);
}

static int multiply_x(struct work *k)
{
    const int tall = k->rows > k->columns;
    struct mdm_gemm g = {.m = k->rows, .n = k->columns, .k = k->side};
    float *made = k->y;

    g.a = tall ? k->x : k->polynomial;
    g.b = tall ? k->polynomial : k->x;
    g.lda = k->side;
    g.ldb = g.ldc = k->columns;
    g.c = made;
    MDM_TRY(k->cpu->f32.gemm(k->cpu, &g));
    k->y = k->x;
    k->x = made;
    return MASKDM_OK;
}

static int update(struct mdm_cpu *cpu, const struct mdm_muon *j, const struct mdm_muon_matrix *m, float *scratch)
{
    struct work k = {.cpu = cpu, .job = j, .rows = m->rows, .columns = m->columns, .side = side_of(m)};
    const size_t square = round_up((size_t)(k.side * k.side));

    k.n = (size_t)(m->rows * m->columns);
    k.w = j->w + m->at;
    k.x = k.g = j->g + m->at;
    k.m = j->m + m->at;
    k.y = scratch;
    k.gram = k.y + round_up(k.n);
    k.polynomial = k.gram + square;
    k.part = (double *)(void *)(k.polynomial + square);
    k.keep = m->keep;
    k.rate = m->rate;
    MDM_TRY(over_spans(&k, move_moment));
    MDM_TRY(normalize(&k));
    for (int i = 0; i < j->steps; i++) {
        MDM_TRY(multiply_gram(&k));
        MDM_TRY(multiply_polynomial(&k));
        MDM_TRY(multiply_x(&k));
    }
    return over_spans(&k, move_weights);
}

/* ---- matrices that a thread has to itself ---- */

struct shares {
    struct mdm_cpu *cpu;
    const struct mdm_muon *job;
    size_t own, workspace; /* floats of one worker */
};

static int update_own(void *arg, int64_t i, int worker)
{
    const struct shares *s = arg;
    const struct mdm_muon_matrix *m = &s->job->matrix[i];
    float *scratch = (float *)s->job->scratch + (size_t)worker * (s->own + s->workspace);
    struct mdm_cpu alone = *s->cpu;

    if (is_shared(s->cpu, m))
        return MASKDM_OK;
    alone.pool = NULL;
    alone.workspace = scratch + s->own;
    return update(&alone, s->job, m, scratch);
}

int mdm_cpu_muon(struct mdm_backend *b, const struct mdm_muon *j)
{
    struct shares s = {.cpu = mdm_cpu_of(b), .job = j};

    s.own = most_floats(s.cpu, j, 0);
    s.workspace = workspace_of(s.cpu);
    for (int64_t i = 0; i < j->count; i++)
        if (is_shared(s.cpu, &j->matrix[i]))
            MDM_TRY(update(s.cpu, j, &j->matrix[i], j->scratch));
    return s.own ? mdm_pool_try(s.cpu->pool, j->count, update_own, &s) : MASKDM_OK;
}
