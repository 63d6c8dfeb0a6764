/* SPDX-License-Identifier: BSD-2-Clause
 *
 * group_norm backward. With dz the gradient before silu, h = (x - mean) rstd and g = dz w factor, as of every norm
 * dx = rstd (g - avg g - h avg(g h)), the averages over a group.
 */
#include "backend/cpu/group_norm.h"
#include "base/error.h"

/* dz of a row; z: room for one. */
static const real *unsilu(const struct mdm_group *j, const struct mdm_strip *s, const struct mdm_walk *k, real *z)
{
    if (!j->silu)
        return j->dy + k->at;
    j->rows->affine(z, j->x + k->at, s->mean, s->scale, s->shift, k->n);
    j->rows->silu_backward(z, z, j->dy + k->at, k->n);
    return z;
}

/* A piece's sums of dz and of dz (x - mean). */
static void sum_piece(void *arg, int64_t piece, int worker)
{
    const struct mdm_group *j = arg;
    real *plain = j->part + piece * 2 * j->channels, *moment = plain + j->channels;
    real z[MDM_STRIP], sum[MDM_STRIP], sum_moment[MDM_STRIP];
    struct mdm_strip s;

    (void)worker;
    for (int64_t i = 0; i < mdm_strip_count(j); i++) {
        struct mdm_walk k;

        mdm_strip_cut(&s, j, piece / j->pieces, i);
        mdm_strip_fill(&s, j);
        memset(sum, 0, sizeof sum);
        memset(sum_moment, 0, sizeof sum_moment);
        for (k = mdm_strip_begin(j, &s, piece); mdm_strip_next(&k, j, &s);) {
            const real *dz = unsilu(j, &s, &k, z);
            j->rows->add(sum, sum, dz, k.n);
            j->rows->moment(sum_moment, dz, j->x + k.at, s.mean, k.n);
        }
        mdm_strip_fold(plain + s.channel, sum, &s);
        mdm_strip_fold(moment + s.channel, sum_moment, &s);
    }
}

/* Per image and channel: the pieces' sums, the second one times rstd, in place of the first piece's; per group: what
 * stands in dx = dz w factor rstd + (x - mean) at + by. */
static void meet_sums(void *arg, int64_t group, int worker)
{
    const struct mdm_group *j = arg;
    const int64_t wide = j->channels / j->groups, image = group / j->groups, first = group % j->groups * wide;
    real *part = j->part + image * j->pieces * 2 * j->channels + first;
    const double rstd = (double)j->stats[group * 2 + 1], n = (double)(wide * j->pixels);
    double g = 0, gh = 0;

    (void)worker;
    for (int64_t c = 0; c < wide; c++) {
        const double w = (double)(mdm_group_weight(j, first + c) * mdm_group_factor(j, image, first + c));
        double plain = 0, moment = 0;

        for (int64_t p = 0; p < j->pieces; p++) {
            plain += (double)part[p * 2 * j->channels + c];
            moment += (double)part[(p * 2 + 1) * j->channels + c];
        }
        part[c] = (real)plain;
        part[j->channels + c] = (real)(moment * rstd);
        g += w * plain;
        gh += w * moment * rstd;
    }
    j->coefficients[group * 2] = (real)(-rstd * rstd * gh / n);
    j->coefficients[group * 2 + 1] = (real)(-rstd * g / n);
}

/* The rows of dx = dz scale + (x - mean) at + by. */
static void fill_gradient(const struct mdm_group *j, const struct mdm_strip *s, real *at, real *by)
{
    for (int64_t i = 0; i < s->width; i++) {
        const int64_t group = (s->channel + i) / (j->channels / j->groups);
        const real *k = j->coefficients + (s->image * j->groups + group) * 2;

        at[i] = k[0];
        by[i] = k[1];
    }
    mdm_strip_repeat(s, at);
    mdm_strip_repeat(s, by);
}

static void spread_piece(void *arg, int64_t piece, int worker)
{
    const struct mdm_group *j = arg;
    real z[MDM_STRIP], d[MDM_STRIP], at[MDM_STRIP], by[MDM_STRIP];
    struct mdm_strip s;

    (void)worker;
    for (int64_t i = 0; i < mdm_strip_count(j); i++) {
        struct mdm_walk k;

        mdm_strip_cut(&s, j, piece / j->pieces, i);
        mdm_strip_fill(&s, j);
        fill_gradient(j, &s, at, by);
        for (k = mdm_strip_begin(j, &s, piece); mdm_strip_next(&k, j, &s);) {
            const real *dz = unsilu(j, &s, &k, z);
            real *dx = j->dx + k.at, *to = j->add ? d : dx;
            j->rows->affine(to, j->x + k.at, s.mean, at, by, k.n);
            j->rows->mul_add(to, to, dz, s.scale, k.n);
            if (j->add)
                j->rows->add(dx, dx, d, k.n);
        }
    }
}

/* Gradients of the channels' own numbers, from the images' sums in order. */
struct affine {
    const struct mdm_group *j;
    real *dw, *db, *dm; /* may be NULL */
    int add_w, add_b, add_m;
};

static void put(real *at, int add, double x)
{
    *at = (real)(add ? (double)*at + x : x);
}

static void affine_gradient(const struct affine *a)
{
    const struct mdm_group *j = a->j;

    for (int64_t c = 0; c < j->channels; c++) {
        double dw = 0, db = 0;

        for (int64_t b = 0; b < j->images; b++) {
            const real *part = j->part + b * j->pieces * 2 * j->channels + c;
            const double plain = (double)part[0], moment = (double)part[j->channels];
            const double factor = (double)mdm_group_factor(j, b, c);

            dw += factor * moment;
            db += factor * plain;
            if (!a->dm)
                continue;
            put(a->dm + b * 2 * j->channels + c, a->add_m,
                moment * (double)mdm_group_weight(j, c) + (j->b ? plain * (double)j->b[c] : 0));
            put(a->dm + (b * 2 + 1) * j->channels + c, a->add_m, plain);
        }
        if (a->dw)
            put(a->dw + c, a->add_w, dw);
        if (a->db)
            put(a->db + c, a->add_b, db);
    }
}

int REAL(mdm_group_norm_backward)(struct mdm_backend *b, const struct mdm_call *c, int silu)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    struct mdm_group j = mdm_group_read(b, c, silu);
    struct affine a = {&j,
                       c->din[MDM_GROUP_W],
                       c->din[MDM_GROUP_B],
                       c->din[MDM_GROUP_M],
                       c->add[MDM_GROUP_W],
                       c->add[MDM_GROUP_B],
                       c->add[MDM_GROUP_M]};

    if (!j.dy) {
        for (int i = MDM_GROUP_X; i <= MDM_GROUP_M; i++)
            if (c->din[i] && !c->add[i])
                memset(c->din[i], 0, (size_t)mdm_shape_numel(c->in_shape[i]) * sizeof(real));
        return MASKDM_OK;
    }
    j.coefficients = j.part + j.images * j.pieces * 2 * j.channels;
    MDM_TRY(mdm_pool_run(cpu->pool, j.images * j.pieces, sum_piece, &j));
    MDM_TRY(mdm_pool_run(cpu->pool, j.images * j.groups, meet_sums, &j));
    if (j.dx)
        MDM_TRY(mdm_pool_run(cpu->pool, j.images * j.pieces, spread_piece, &j));
    affine_gradient(&a);
    return MASKDM_OK;
}
