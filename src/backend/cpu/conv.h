/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of conv share: its windows, and weights by pixel, as windows have their values, where w has them by
 * channel.
 */
#ifndef MASKDM_BACKEND_CPU_CONV_H
#define MASKDM_BACKEND_CPU_CONV_H

#include "backend/conv.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/window.h"

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
    const void *w; /* of type `real`, or as it is stored */
    enum mdm_dtype stored;
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
