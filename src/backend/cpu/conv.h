/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of conv share: its shapes, and weights by pixel, as windows have their values, where w has them by
 * channel.
 */
#ifndef MASKDM_BACKEND_CPU_CONV_H
#define MASKDM_BACKEND_CPU_CONV_H

#include "backend/cpu/rows.h"
#include "backend/cpu/window.h"

enum { MDM_CONV_X, MDM_CONV_W, MDM_CONV_B, MDM_CONV_R }; /* inputs */

struct mdm_conv {
    int64_t images, height, width, in; /* of x */
    int64_t down, across, out;         /* of y */
    int64_t tall, wide, taps;          /* of w */
    int64_t stride, before, left; /* zeros above and beside x */
    int plain; /* a window is a row of x */
};

static inline struct mdm_conv mdm_conv_read(const struct mdm_call *c)
{
    const struct mdm_shape *x = c->in_shape[MDM_CONV_X], *w = c->in_shape[MDM_CONV_W], *y = c->out_shape[0];
    struct mdm_conv v = {.images = x->d[0], .height = x->d[1], .width = x->d[2], .in = x->d[3]};

    v.down = y->d[1];
    v.across = y->d[2];
    v.out = y->d[3];
    v.tall = w->d[2];
    v.wide = w->d[3];
    v.taps = v.tall * v.wide;
    v.stride = c->attr[0];
    v.before = c->attr[1];
    v.left = c->attr[1] + c->attr[3];
    v.plain = v.taps == 1 && v.stride == 1 && v.down == v.height && v.across == v.width && !v.before && !v.left;
    return v;
}

static inline struct mdm_window mdm_conv_windows(const struct mdm_conv *v, const void *x)
{
    return (struct mdm_window){.x = x,
                               .height = v->height,
                               .width = v->width,
                               .channels = v->in,
                               .down = v->down,
                               .across = v->across,
                               .stride = v->stride,
                               .top = v->before,
                               .left = v->left,
                               .tall = v->tall,
                               .wide = v->wide};
}

/* Which pixels of w are taken: tall x wide of them, the first at `first`, the others `down` and `right` further. */
struct mdm_taps {
    int64_t tall, wide, first, down, right;
};

/* w[O,I,pixels] and what is made of it: element (o, tap, i) at o * by_out + tap * by_tap + i. */
struct mdm_turn {
    const real *w;
    real *turned, *dw; /* dw: takes the turned values back */
    int add;
    int64_t out, in, pixels, by_out, by_tap;
    struct mdm_taps taps;
};

static inline struct mdm_turn mdm_conv_by_rows(const struct mdm_conv *v)
{
    return (struct mdm_turn){.out = v->out,
                             .in = v->in,
                             .pixels = v->taps,
                             .by_out = v->taps * v->in,
                             .by_tap = v->in,
                             .taps = {v->tall, v->wide, 0, v->wide, 1}};
}

static inline size_t mdm_conv_align(size_t elements)
{
    return (elements + 15) & ~(size_t)15;
}

int REAL(mdm_conv_turn)(struct mdm_cpu *cpu, struct mdm_turn *t);
int REAL(mdm_conv_backward)(struct mdm_backend *b, const struct mdm_call *c);

#endif
