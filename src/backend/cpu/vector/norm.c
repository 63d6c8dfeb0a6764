/* SPDX-License-Identifier: BSD-2-Clause
 *
 * LayerNorm's rows on vectors: a row is in the first cache, so it is read once per sum. Sums run in float over the
 * lanes of two vectors, which keeps a sum of n terms within some n / (2 MDM_LANES) roundings.
 */
#include "backend/cpu/vector/rows.h"

static float sum_row(const float *x, int64_t n)
{
    mdm_vec s = mdm_v_set(0), u = s;
    int64_t i = 0;

    for (; i + 2 * MDM_LANES <= n; i += 2 * MDM_LANES) {
        s = s + mdm_v_load(x + i);
        u = u + mdm_v_load(x + i + MDM_LANES);
    }
    for (; i < n; i += MDM_LANES)
        s = s + (i + MDM_LANES <= n ? mdm_v_load(x + i) : mdm_v_load_some(x + i, mdm_v_first(n - i)));
    return mdm_v_sum(s + u);
}

static float sum_deviations(const float *x, float mean, int64_t n)
{
    mdm_vec s = mdm_v_set(0), u = s, m = mdm_v_set(mean);
    int64_t i = 0;

    for (; i + 2 * MDM_LANES <= n; i += 2 * MDM_LANES) {
        mdm_vec a = mdm_v_load(x + i) - m, b = mdm_v_load(x + i + MDM_LANES) - m;
        s = mdm_v_fma(a, a, s);
        u = mdm_v_fma(b, b, u);
    }
    for (; i < n; i += MDM_LANES) {
        mdm_some mask = mdm_v_first(n - i);
        mdm_vec a = mdm_v_keep(mask, mdm_v_load_some(x + i, mask) - m);
        s = mdm_v_fma(a, a, s);
    }
    return mdm_v_sum(s + u);
}

/* Of a row, or `other` where there is none. */
static inline mdm_vec load_vec(const float *row, int64_t i, float other)
{
    return row ? mdm_v_load(row + i) : mdm_v_set(other);
}

static inline mdm_vec load_some(const float *row, int64_t i, mdm_some k, float other)
{
    return row ? mdm_v_load_some(row + i, k) : mdm_v_set(other);
}

void SET(mdm_norm)(float *y, float stats[2], const float *x, const float *w, const float *b, double epsilon,
                   int64_t n)
{
    float mean = sum_row(x, n) / (float)n;
    float rstd = (float)(1 / sqrt((double)sum_deviations(x, mean, n) / (double)n + epsilon));
    mdm_vec m = mdm_v_set(mean), r = mdm_v_set(rstd);
    int64_t i = 0;

    stats[0] = mean;
    stats[1] = rstd;
    for (; i + MDM_LANES <= n; i += MDM_LANES) {
        mdm_vec h = (mdm_v_load(x + i) - m) * r;
        mdm_v_store(y + i, mdm_v_fma(h, load_vec(w, i, 1), load_vec(b, i, 0)));
    }
    if (i < n) {
        mdm_some k = mdm_v_first(n - i);
        mdm_vec h = (mdm_v_load_some(x + i, k) - m) * r;
        mdm_v_store_some(y + i, k, mdm_v_fma(h, load_some(w, i, k, 1), load_some(b, i, k, 0)));
    }
}

/* avg g and avg(g h) */
static void gradient_averages(float *g_avg, float *gh_avg, const float *dy, const float *x, const float *w,
                              const float stats[2], int64_t n)
{
    mdm_vec m = mdm_v_set(stats[0]), r = mdm_v_set(stats[1]);
    mdm_vec s[2] = {mdm_v_set(0), mdm_v_set(0)}, t[2] = {mdm_v_set(0), mdm_v_set(0)};

    for (int64_t i = 0, odd = 0; i < n; i += MDM_LANES, odd ^= 1) {
        mdm_some k = mdm_v_first(n - i);
        mdm_vec g = load_some(w, i, k, 1) * mdm_v_load_some(dy + i, k);
        mdm_vec h = (mdm_v_load_some(x + i, k) - m) * r;
        s[odd] = s[odd] + g;
        t[odd] = mdm_v_fma(g, h, t[odd]);
    }
    *g_avg = mdm_v_sum(s[0] + s[1]) / (float)n;
    *gh_avg = mdm_v_sum(t[0] + t[1]) / (float)n;
}

struct gradient {
    mdm_vec mean, rstd, g_avg, gh_avg;
};

/* dx without `more`; dw and db in and out */
static inline mdm_vec gradient_vec(const struct gradient *j, mdm_vec *dw, mdm_vec *db, mdm_vec dy, mdm_vec x,
                                   mdm_vec w)
{
    mdm_vec h = (x - j->mean) * j->rstd;
    mdm_vec d = w * dy - mdm_v_fma(h, j->gh_avg, j->g_avg);

    *dw = mdm_v_fma(dy, h, *dw);
    *db = *db + dy;
    return d * j->rstd;
}

void SET(mdm_norm_backward)(float *dx, float *dw, float *db, const float *dy, const float *x, const float *w,
                            const float stats[2], const float *more, int64_t n)
{
    float g_avg, gh_avg;
    struct gradient j = {.mean = mdm_v_set(stats[0]), .rstd = mdm_v_set(stats[1])};
    int64_t i = 0;

    gradient_averages(&g_avg, &gh_avg, dy, x, w, stats, n);
    j.g_avg = mdm_v_set(g_avg);
    j.gh_avg = mdm_v_set(gh_avg);
    for (; i + MDM_LANES <= n; i += MDM_LANES) {
        mdm_vec u = mdm_v_load(dw + i), v = mdm_v_load(db + i);
        mdm_vec d = gradient_vec(&j, &u, &v, mdm_v_load(dy + i), mdm_v_load(x + i), load_vec(w, i, 1));
        mdm_v_store(dw + i, u);
        mdm_v_store(db + i, v);
        mdm_v_store(dx + i, more ? mdm_v_plus(d, mdm_v_load(more + i)) : d);
    }
    if (i < n) {
        mdm_some k = mdm_v_first(n - i);
        mdm_vec u = mdm_v_load_some(dw + i, k), v = mdm_v_load_some(db + i, k);
        mdm_vec d =
            gradient_vec(&j, &u, &v, mdm_v_load_some(dy + i, k), mdm_v_load_some(x + i, k), load_some(w, i, k, 1));
        mdm_v_store_some(dw + i, k, u);
        mdm_v_store_some(db + i, k, v);
        mdm_v_store_some(dx + i, k, more ? mdm_v_plus(d, mdm_v_load_some(more + i, k)) : d);
    }
}
