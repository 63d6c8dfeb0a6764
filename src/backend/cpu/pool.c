/* SPDX-License-Identifier: BSD-2-Clause
 *
 * max_pool and average_pool: what lies outside of the image is in no window. Of equal values the first is the
 * largest, and has the whole gradient.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

struct pool {
    const real *x, *y, *dy;
    real *out; /* y, or dx */
    int64_t height, width, channels, down, across;
    int64_t stride, before, side;
    int largest, add;
};

/* The part of a window that lies in the image: rows [top, bottom), columns [left, right). */
struct part {
    int64_t top, bottom, left, right;
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct part part_of(const struct pool *p, int64_t i, int64_t j)
{
    const int64_t y = i * p->stride - p->before, x = j * p->stride - p->before;

    return (struct part){y < 0 ? 0 : y, least(y + p->side, p->height), x < 0 ? 0 : x, least(x + p->side, p->width)};
}

static real share_of(const struct part *w)
{
    return (real)1 / (real)((w->bottom - w->top) * (w->right - w->left));
}

static void take_largest(real *out, const real *x, int64_t n)
{
    for (int64_t k = 0; k < n; k++)
        out[k] = x[k] > out[k] ? x[k] : out[k];
}

static void take_sum(real *out, const real *x, int64_t n)
{
    for (int64_t k = 0; k < n; k++)
        out[k] += x[k];
}

static void make_pixel(const struct pool *p, real *out, const real *image, const struct part *w)
{
    const int64_t c = p->channels;
    const real share = share_of(w);

    memcpy(out, image + (w->top * p->width + w->left) * c, (size_t)c * sizeof *out);
    for (int64_t y = w->top; y < w->bottom; y++)
        for (int64_t x = w->left + (y == w->top); x < w->right; x++)
            (p->largest ? take_largest : take_sum)(out, image + (y * p->width + x) * c, c);
    for (int64_t k = 0; k < c && !p->largest; k++)
        out[k] *= share;
}

static void make_row(void *arg, int64_t row, int worker)
{
    const struct pool *p = arg;
    const int64_t b = row / p->down, i = row % p->down;

    (void)worker;
    for (int64_t j = 0; j < p->across; j++) {
        const struct part w = part_of(p, i, j);

        make_pixel(p, p->out + (row * p->across + j) * p->channels, p->x + b * p->height * p->width * p->channels,
                   &w);
    }
}

/* One channel of one window's gradient goes to the first pixel that has its value. */
static void give_largest(const struct pool *p, real *dx, const real *x, const struct part *w, real value, real dy)
{
    for (int64_t i = w->top; i < w->bottom; i++)
        for (int64_t j = w->left; j < w->right; j++)
            if (x[(i * p->width + j) * p->channels] == value) {
                dx[(i * p->width + j) * p->channels] += dy;
                return;
            }
}

static void give_share(const struct pool *p, real *dx, const struct part *w, real dy)
{
    for (int64_t i = w->top; i < w->bottom; i++)
        for (int64_t j = w->left; j < w->right; j++)
            dx[(i * p->width + j) * p->channels] += dy * share_of(w);
}

/* Windows overlap, so that an image is one piece of work. */
static void spread_image(void *arg, int64_t b, int worker)
{
    const struct pool *p = arg;
    const int64_t n = p->height * p->width * p->channels;
    real *dx = p->out + b * n;

    (void)worker;
    if (!p->add)
        memset(dx, 0, (size_t)n * sizeof *dx);
    for (int64_t i = 0; i < p->down; i++)
        for (int64_t j = 0; j < p->across; j++) {
            const struct part w = part_of(p, i, j);
            const int64_t at = ((b * p->down + i) * p->across + j) * p->channels;

            for (int64_t k = 0; k < p->channels; k++)
                if (p->largest)
                    give_largest(p, dx + k, p->x + b * n + k, &w, p->y[at + k], p->dy[at + k]);
                else
                    give_share(p, dx + k, &w, p->dy[at + k]);
        }
}

static struct pool read_call(const struct mdm_call *c, int largest)
{
    const struct mdm_shape *x = c->in_shape[0], *y = c->out_shape[0];

    return (struct pool){.height = x->d[1],
                         .width = x->d[2],
                         .channels = x->d[3],
                         .down = y->d[1],
                         .across = y->d[2],
                         .stride = c->attr[0],
                         .before = c->attr[1],
                         .side = c->attr[3],
                         .largest = largest};
}

static int forward(struct mdm_backend *b, const struct mdm_call *c, int largest)
{
    struct pool p = read_call(c, largest);

    p.x = c->in[0];
    p.out = c->out[0];
    return mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0] * p.down, make_row, &p);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c, int largest)
{
    struct pool p = read_call(c, largest);

    if (!c->din[0])
        return MASKDM_OK;
    if (!c->dout[0]) {
        if (!c->add[0])
            memset(c->din[0], 0, (size_t)mdm_shape_numel(c->in_shape[0]) * sizeof(real));
        return MASKDM_OK;
    }
    p.x = c->in[0];
    p.y = c->out[0];
    p.dy = c->dout[0];
    p.out = c->din[0];
    p.add = c->add[0];
    return mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0], spread_image, &p);
}

static int max_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return forward(b, c, 1);
}

static int max_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return backward(b, c, 1);
}

static int average_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return forward(b, c, 0);
}

static int average_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return backward(b, c, 0);
}

const struct mdm_kernel REAL(mdm_cpu_max_pool) = {.forward = max_forward, .backward = max_backward};
const struct mdm_kernel REAL(mdm_cpu_average_pool) = {.forward = average_forward, .backward = average_backward};
