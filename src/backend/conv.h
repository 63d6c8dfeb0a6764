/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a call of conv says of its shapes, to every backend.
 */
#ifndef MASKDM_BACKEND_CONV_H
#define MASKDM_BACKEND_CONV_H

#include "backend/backend.h"

enum { MDM_CONV_X, MDM_CONV_W, MDM_CONV_B, MDM_CONV_R }; /* inputs */

struct mdm_conv {
    int64_t images, height, width, in; /* of x */
    int64_t down, across, out;         /* of y */
    int64_t tall, wide, taps;          /* of w */
    int64_t stride, before, left;      /* zeros above and beside x */
    int plain;                         /* a window is a row of x */
};

static inline struct mdm_conv mdm_conv_read(const struct mdm_call *c)
{
    const struct mdm_shape *x = c->in_shape[MDM_CONV_X], *w = c->in_shape[MDM_CONV_W], *y = c->out_shape[0];
    struct mdm_conv v;

    v.images = x->d[0];
    v.height = x->d[1];
    v.width = x->d[2];
    v.in = x->d[3];
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

#endif
