/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows are taken relative to the mean of the first set, which takes nothing from a distance and much from the
 * products, and rounded to float32. What that and a sum of D products in any order can lose is bounded as by Higham
 * (Accuracy and Stability of Numerical Algorithms, 2002, section 3.1): of |x| |y| no more than D units of rounding
 * for the sum, and two for either factor.
 */
#include "metric/screen.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "graph/graph.h"
#include "ops/ops.h"

#include <float.h>
#include <math.h>

enum { ROWS = 1024, COLUMNS = 2048, MOST = 1 << 22 }; /* at once; numbers of a factor at once */

/* A set, and what stands for its rows. */
struct side {
    const maskdm_features *f;
    double *square, *slack; /* [count] */
    int64_t at_once;
    mdm_val value;
    float *staged;        /* [at_once,D], host memory */
    int64_t first, count; /* of those that are staged */
};

struct screen {
    maskdm_device *device;
    int64_t width;
    double *mean;          /* [D] */
    double relative, wide; /* what is lost of (|x| + |y|)^2, by float32 and by double */
    struct side a, b;
    struct mdm_params layout;
    struct mdm_graph graph;
    mdm_val product;
    void *arena;
    size_t arena_bytes;
    float *products; /* [a.at_once,b.at_once], host memory */
    void (*body)(void *arg, const struct mdm_screen_row *row);
    void *arg;
};

static int64_t at_once(int64_t wanted, int64_t width, int64_t count)
{
    int64_t n = MOST / width < wanted ? MOST / width : wanted;

    if (n < 64)
        n = 64;
    return n < count ? n : count;
}

struct staging {
    const struct screen *s;
    struct side *x;
};

/* Term k of row i as it is multiplied. */
static inline float staged(const struct staging *t, int64_t i, int64_t k)
{
    return (float)((double)t->x->f->row[i * t->s->width + k] - t->s->mean[k]);
}

/* Of rows as they are, and as they are staged. */
static int measure_row(void *arg, int64_t i, int worker)
{
    const struct staging *t = arg;
    const struct screen *s = t->s;
    const float *row = t->x->f->row + i * s->width;
    double near = 0, far = 0;

    (void)worker;
    for (int64_t k = 0; k < s->width; k++) {
        const double x = (double)staged(t, i, k);

        near += x * x;
        far += (double)row[k] * (double)row[k];
    }
    t->x->square[i] = near;
    t->x->slack[i] = sqrt(s->relative * near) + sqrt(s->wide * far) + sqrt((double)s->width * (double)FLT_MIN);
    return MASKDM_OK;
}

static void find_mean(struct screen *s)
{
    const maskdm_features *f = s->a.f;

    for (int64_t i = 0; i < f->count; i++)
        for (int64_t k = 0; k < s->width; k++)
            s->mean[k] += (double)f->row[i * s->width + k] / (double)f->count;
}

/* (|x| + |y|)^2 is at least 4 |x| |y| and bounds all that is lost: half of what a product loses, twice, and what the
 * rounding of either row moves the distance by. */
static void find_bounds(struct screen *s)
{
    const double unit = (double)FLT_EPSILON / 2, terms = (double)s->width + 4;

    s->relative = 1.01 * (0.5 * terms + 4) * unit;
    if (mdm_device_rounds(s->device))
        s->relative += 1.01 * ldexp(1, -11);
    s->wide = 4 * (terms + 4) * DBL_EPSILON;
}

static int make_side(struct side *x, const maskdm_features *f, int64_t wanted)
{
    x->f = f;
    x->at_once = at_once(wanted, f->width, f->count);
    x->square = mdm_need((size_t)f->count, sizeof *x->square, "squares of features");
    x->slack = mdm_need((size_t)f->count, sizeof *x->slack, "squares of features");
    x->staged = mdm_need_aligned((size_t)(x->at_once * f->width) * sizeof *x->staged, "rows of features");
    return x->square && x->slack && x->staged ? MASKDM_OK : MASKDM_ENOMEM;
}

static int make_program(struct screen *s)
{
    struct mdm_graph *g = &s->graph;

    mdm_graph_init(g, mdm_device_backend(s->device), &s->layout, MDM_F32);
    s->a.value = mdm_graph_input(g, MDM_F32, mdm_shape2(s->a.at_once, s->width));
    s->b.value = mdm_graph_input(g, MDM_F32, mdm_shape2(s->b.at_once, s->width));
    s->product = mdm_linear(g, s->a.value, s->b.value, MDM_NONE);
    mdm_graph_output(g, s->product);
    MDM_TRY(mdm_graph_plan(g, 0));
    MDM_TRY(mdm_device_alloc(s->device, &s->arena, g->arena_bytes, 1, "products of features"));
    s->arena_bytes = g->arena_bytes;
    mdm_graph_bind(g, s->arena);
    s->products =
        mdm_need_aligned((size_t)(s->a.at_once * s->b.at_once) * sizeof *s->products, "products of features");
    return s->products ? MASKDM_OK : MASKDM_ENOMEM;
}

static int begin(struct screen *s, maskdm_control *control)
{
    struct staging a = {s, &s->a}, b = {s, &s->b};

    s->mean = mdm_need((size_t)s->width, sizeof *s->mean, "the mean of features");
    if (!s->mean)
        return MASKDM_ENOMEM;
    find_mean(s);
    find_bounds(s);
    MDM_TRY(mdm_metric_loop(s->device, control, "measuring features", s->a.f->count, measure_row, &a));
    MDM_TRY(mdm_metric_loop(s->device, control, "measuring features", s->b.f->count, measure_row, &b));
    return make_program(s);
}

static void finish(struct screen *s)
{
    if (s->arena)
        mdm_device_free(s->device, s->arena, s->arena_bytes);
    mdm_graph_free(&s->graph);
    mdm_params_free(&s->layout);
    mdm_free(s->mean);
    mdm_free(s->products);
    for (int k = 0; k < 2; k++) {
        struct side *x = k ? &s->b : &s->a;

        mdm_free(x->square);
        mdm_free(x->slack);
        mdm_free(x->staged);
    }
}

/* ---- a span of either ---- */

static int stage_row(void *arg, int64_t i, int worker)
{
    const struct staging *t = arg;
    const int64_t width = t->s->width;
    float *out = t->x->staged + i * width;

    (void)worker;
    for (int64_t k = 0; k < width; k++)
        out[k] = staged(t, t->x->first + i, k);
    return MASKDM_OK;
}

static int stage(struct screen *s, struct side *x, int64_t first)
{
    struct staging t = {s, x};
    const int64_t left = x->f->count - first;

    x->first = first;
    x->count = left < x->at_once ? left : x->at_once;
    MDM_TRY(mdm_device_loop(s->device, x->count, stage_row, &t));
    return mdm_device_upload(s->device, mdm_graph_data(&s->graph, x->value), x->staged,
                             (size_t)(x->count * s->width) * sizeof *x->staged);
}

static int look_at_row(void *arg, int64_t i, int worker)
{
    const struct screen *s = arg;
    const struct mdm_screen_row row = {.i = s->a.first + i,
                                       .first = s->b.first,
                                       .count = s->b.count,
                                       .square = s->a.square[s->a.first + i],
                                       .slack = s->a.slack[s->a.first + i],
                                       .squares = s->b.square + s->b.first,
                                       .slacks = s->b.slack + s->b.first,
                                       .product = s->products + i * s->b.at_once};

    (void)worker;
    s->body(s->arg, &row);
    return MASKDM_OK;
}

static int multiply(struct screen *s, const atomic_int *cancel)
{
    MDM_TRY(mdm_graph_forward(&s->graph, NULL, cancel));
    MDM_TRY(mdm_device_download(s->device, s->products, mdm_graph_data(&s->graph, s->product),
                                (size_t)(s->a.count * s->b.at_once) * sizeof *s->products));
    return mdm_device_loop(s->device, s->a.count, look_at_row, s);
}

static int span(struct screen *s, int64_t row, int64_t column, const atomic_int *cancel)
{
    int status;

    MDM_TRY(mdm_device_enter(s->device));
    status = column ? MASKDM_OK : stage(s, &s->a, row);
    if (status >= 0)
        status = stage(s, &s->b, column);
    if (status >= 0)
        status = multiply(s, cancel);
    mdm_device_leave(s->device);
    return status;
}

static int run(struct screen *s, maskdm_control *control, const char *what)
{
    const int64_t rows = s->a.f->count, columns = s->b.f->count;
    double told = mdm_clock();

    for (int64_t i = 0; i < rows; i += s->a.at_once)
        for (int64_t j = 0; j < columns; j += s->b.at_once) {
            const int status = span(s, i, j, mdm_control_cancel_flag(control));

            if (status == MASKDM_ECANCELED)
                return mdm_control_canceled(control, what);
            MDM_TRY(status);
            mdm_metric_tell(control, &told, i + s->a.count * j / columns, rows);
            MDM_TRY(mdm_control_check(control, what));
        }
    return MASKDM_OK;
}

int mdm_screen(const maskdm_features *a, const maskdm_features *b, maskdm_control *control, const char *what,
               void (*body)(void *arg, const struct mdm_screen_row *row), void *arg)
{
    struct screen s = {.device = a->device, .width = a->width, .body = body, .arg = arg};
    int status = make_side(&s.a, a, ROWS);

    if (status >= 0)
        status = make_side(&s.b, b, COLUMNS);
    if (status >= 0)
        status = begin(&s, control);
    if (status >= 0)
        status = run(&s, control, what);
    finish(&s);
    return status;
}
