/* SPDX-License-Identifier: BSD-2-Clause
 *
 * group_norm and group_norm_silu: each channel of an image less its group's mean, over its deviation, times a scale
 * plus a shift, which an image may have of its own. Of each piece come the mean and the squares about it (Chan, Golub
 * and LeVeque 1983), so that the values are read once and nothing cancels.
 */
#include "backend/cpu/group_norm.h"
#include "base/error.h"

/* A piece's mean of each channel and the squares about it. */
static void measure_piece(void *arg, int64_t piece, int worker)
{
    const struct mdm_group *j = arg;
    real *mean = j->part + piece * 2 * j->channels, *square = mean + j->channels, sum[MDM_STRIP];
    struct mdm_strip s;

    (void)worker;
    for (int64_t i = 0; i < mdm_strip_count(j); i++) {
        struct mdm_walk k;

        mdm_strip_cut(&s, j, piece / j->pieces, i);
        memset(sum, 0, sizeof sum);
        for (k = mdm_strip_begin(j, &s, piece); mdm_strip_next(&k, j, &s);)
            j->rows->add(sum, sum, j->x + k.at, k.n);
        mdm_strip_fold(s.mean, sum, &s);
        for (int64_t c = 0; c < s.width; c++)
            s.mean[c] /= (real)(k.end - mdm_strip_begin(j, &s, piece).pixel);
        mdm_strip_repeat(&s, s.mean);
        memset(sum, 0, sizeof sum);
        for (k = mdm_strip_begin(j, &s, piece); mdm_strip_next(&k, j, &s);)
            j->rows->moment(sum, NULL, j->x + k.at, s.mean, k.n);
        memcpy(mean + s.channel, s.mean, (size_t)s.width * sizeof(real));
        mdm_strip_fold(square + s.channel, sum, &s);
    }
}

/* One group of one image. */
static void meet_pieces(void *arg, int64_t group, int worker)
{
    const struct mdm_group *j = arg;
    const int64_t wide = j->channels / j->groups, image = group / j->groups, first = group % j->groups * wide;
    const real *part = j->part + image * j->pieces * 2 * j->channels + first;
    double mean = 0, square = 0, n = 0;

    (void)worker;
    for (int64_t p = 0; p < j->pieces; p++) {
        const int64_t left = j->pixels - p * MDM_ROWS;
        const double count = (double)(left < MDM_ROWS ? left : MDM_ROWS);

        for (int64_t c = 0; c < wide; c++) {
            const double away = (double)part[p * 2 * j->channels + c] - mean;

            n += count;
            mean += away * count / n;
            square += (double)part[(p * 2 + 1) * j->channels + c] + away * away * count * (n - count) / n;
        }
    }
    j->stats[group * 2] = (real)mean;
    j->stats[group * 2 + 1] = (real)(1 / sqrt(square / n + j->epsilon));
}

static void apply_piece(void *arg, int64_t piece, int worker)
{
    const struct mdm_group *j = arg;
    struct mdm_strip s;

    (void)worker;
    for (int64_t i = 0; i < mdm_strip_count(j); i++) {
        struct mdm_walk k;

        mdm_strip_cut(&s, j, piece / j->pieces, i);
        mdm_strip_fill(&s, j);
        for (k = mdm_strip_begin(j, &s, piece); mdm_strip_next(&k, j, &s);) {
            j->rows->affine(j->y + k.at, j->x + k.at, s.mean, s.scale, s.shift, k.n);
            if (j->silu)
                j->rows->silu(j->y + k.at, j->y + k.at, k.n);
        }
    }
}

static int apply(struct mdm_backend *b, struct mdm_group *j)
{
    return mdm_pool_run(mdm_cpu_of(b)->pool, j->images * j->pieces, apply_piece, j);
}

static int forward(struct mdm_backend *b, const struct mdm_call *c, int silu)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    struct mdm_group j = mdm_group_read(b, c, silu);

    if (!j.stats)
        j.stats = j.part + j.images * j.pieces * 2 * j.channels;
    MDM_TRY(mdm_pool_run(cpu->pool, j.images * j.pieces, measure_piece, &j));
    MDM_TRY(mdm_pool_run(cpu->pool, j.images * j.groups, meet_pieces, &j));
    return apply(b, &j);
}

static int remake(struct mdm_backend *b, const struct mdm_call *c, int silu)
{
    struct mdm_group j = mdm_group_read(b, c, silu);

    return apply(b, &j);
}

/* The pieces' sums, and two numbers per group: stats that nobody keeps, or the gradient's. */
static size_t scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    const struct mdm_group j = mdm_group_read(NULL, c, 0);

    (void)b;
    (void)train;
    return (size_t)(j.images * (j.pieces * 2 * j.channels + j.groups * 2)) * sizeof(real);
}

static int plain_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return forward(b, c, 0);
}

static int plain_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return REAL(mdm_group_norm_backward)(b, c, 0);
}

static int plain_remake(struct mdm_backend *b, const struct mdm_call *c)
{
    return remake(b, c, 0);
}

static int silu_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return forward(b, c, 1);
}

static int silu_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return REAL(mdm_group_norm_backward)(b, c, 1);
}

static int silu_remake(struct mdm_backend *b, const struct mdm_call *c)
{
    return remake(b, c, 1);
}

const struct mdm_kernel REAL(mdm_cpu_group_norm) = {
    .forward = plain_forward, .backward = plain_backward, .scratch = scratch, .remake = plain_remake};
const struct mdm_kernel REAL(mdm_cpu_group_norm_silu) = {
    .forward = silu_forward, .backward = silu_backward, .scratch = scratch, .remake = silu_remake};
