/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of group_norm share. Pieces of an image's pixels leave sums per channel, which meet in order and in
 * double. A strip is as many pixels of few channels, or channels of one pixel, as make a row worth a call.
 */
#ifndef MASKDM_BACKEND_CPU_GROUP_NORM_H
#define MASKDM_BACKEND_CPU_GROUP_NORM_H

#include "backend/cpu/rows.h"

#include <string.h>

enum { MDM_STRIP = 256 };
enum { MDM_GROUP_X, MDM_GROUP_W, MDM_GROUP_B, MDM_GROUP_M }; /* inputs */

struct mdm_group {
    const struct REAL(mdm_rows) * rows;
    const real *x, *w, *b, *m, *dy;
    real *y, *dx, *stats, *part, *coefficients;
    int silu, add;
    double epsilon;
    int64_t images, pixels, channels, groups, pieces; /* pieces of an image's pixels */
};

static inline struct mdm_group mdm_group_read(struct mdm_backend *b, const struct mdm_call *c, int silu)
{
    struct mdm_group j = {.rows = b ? REAL(mdm_rows_of)(b) : NULL,
                          .x = c->in[MDM_GROUP_X],
                          .w = c->in[MDM_GROUP_W],
                          .b = c->in[MDM_GROUP_B]};
    const struct mdm_shape *s = c->in_shape[MDM_GROUP_X];

    j.m = c->in[MDM_GROUP_M];
    j.y = c->out[0];
    j.stats = c->out[1];
    j.dy = c->dout[0];
    j.dx = c->din[MDM_GROUP_X];
    j.add = c->add[MDM_GROUP_X];
    j.silu = silu;
    j.epsilon = c->constant[0];
    j.images = s->d[0];
    j.channels = mdm_shape_last(s);
    j.pixels = mdm_shape_rows(s) / j.images;
    j.groups = c->attr[0];
    j.pieces = mdm_pieces(j.pixels, MDM_ROWS);
    j.part = c->scratch;
    return j;
}

/* Channels [channel, channel + width) of an image, `repeat` pixels of which lie side by side. */
struct mdm_strip {
    int64_t image, channel, width, repeat;
    real mean[MDM_STRIP], scale[MDM_STRIP], shift[MDM_STRIP];
};

static inline int64_t mdm_strip_count(const struct mdm_group *j)
{
    return mdm_pieces(j->channels, MDM_STRIP);
}

static inline void mdm_strip_cut(struct mdm_strip *s, const struct mdm_group *j, int64_t image, int64_t i)
{
    s->image = image;
    s->channel = i * MDM_STRIP;
    s->width = j->channels - s->channel < MDM_STRIP ? j->channels - s->channel : MDM_STRIP;
    s->repeat = j->channels <= MDM_STRIP ? MDM_STRIP / j->channels : 1;
}

static inline real mdm_group_weight(const struct mdm_group *j, int64_t channel)
{
    return j->w ? j->w[channel] : 1;
}

/* An image's own factor of a channel. */
static inline real mdm_group_factor(const struct mdm_group *j, int64_t image, int64_t channel)
{
    return j->m ? 1 + j->m[image * 2 * j->channels + channel] : 1;
}

static inline const real *stats_of(const struct mdm_group *j, int64_t image, int64_t channel)
{
    return j->stats + (image * j->groups + channel / (j->channels / j->groups)) * 2;
}

static inline void mdm_strip_repeat(const struct mdm_strip *s, real *row)
{
    for (int64_t r = 1; r < s->repeat; r++)
        memcpy(row + r * s->width, row, (size_t)s->width * sizeof(real));
}

/* y = (x - mean) scale + shift */
static inline void mdm_strip_fill(struct mdm_strip *s, const struct mdm_group *j)
{
    for (int64_t i = 0; i < s->width; i++) {
        const int64_t c = s->channel + i;
        const real *stats = stats_of(j, s->image, c), factor = mdm_group_factor(j, s->image, c);

        s->mean[i] = stats[0];
        s->scale[i] = stats[1] * mdm_group_weight(j, c) * factor;
        s->shift[i] = (j->b ? j->b[c] * factor : 0) + (j->m ? j->m[(s->image * 2 + 1) * j->channels + c] : 0);
    }
    mdm_strip_repeat(s, s->mean);
    mdm_strip_repeat(s, s->scale);
    mdm_strip_repeat(s, s->shift);
}

/* Rows of a strip in a piece: where each begins, and how long it is. */
struct mdm_walk {
    int64_t at, n, pixel, end;
};

static inline struct mdm_walk mdm_strip_begin(const struct mdm_group *j, const struct mdm_strip *s, int64_t piece)
{
    const int64_t from = piece % j->pieces * MDM_ROWS, left = j->pixels - from;

    return (struct mdm_walk){.at = (s->image * j->pixels + from) * j->channels + s->channel,
                             .pixel = from,
                             .end = from + (left < MDM_ROWS ? left : MDM_ROWS)};
}

static inline int mdm_strip_next(struct mdm_walk *k, const struct mdm_group *j, const struct mdm_strip *s)
{
    int64_t many = k->end - k->pixel < s->repeat ? k->end - k->pixel : s->repeat;

    if (many <= 0)
        return 0;
    if (k->n)
        k->at += s->repeat * j->channels;
    k->n = many * s->width;
    k->pixel += many;
    return 1;
}

/* The pixels that lie side by side become one. */
static inline void mdm_strip_fold(real *out, const real *sum, const struct mdm_strip *s)
{
    for (int64_t i = 0; i < s->width; i++) {
        double all = 0;

        for (int64_t r = 0; r < s->repeat; r++)
            all += (double)sum[r * s->width + i];
        out[i] = (real)all;
    }
}

/* dx, and the gradients of what a channel is multiplied with and shifted by. */
int REAL(mdm_group_norm_backward)(struct mdm_backend *b, const struct mdm_call *c, int silu);

#endif
