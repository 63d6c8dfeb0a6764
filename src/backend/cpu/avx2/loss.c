/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The loss's runs on four doubles. What is left at the end of a run goes the portable way.
 */
#include "backend/cpu/loss.h"

#include <immintrin.h>

typedef __m256d (*cost)(__m256d d, __m256d delta, __m256d *slope);

static inline __m256d magnitude(__m256d d)
{
    return _mm256_andnot_pd(_mm256_set1_pd(-0.0), d);
}

static inline __m256d square(__m256d d, __m256d delta, __m256d *slope)
{
    (void)delta;
    *slope = _mm256_add_pd(d, d);
    return _mm256_mul_pd(d, d);
}

/* Both bounds keep what is NaN, which stands second. */
static inline __m256d bound(__m256d d, __m256d most)
{
    return _mm256_min_pd(most, _mm256_max_pd(_mm256_sub_pd(_mm256_setzero_pd(), most), d));
}

static inline __m256d absolute(__m256d d, __m256d delta, __m256d *slope)
{
    const __m256d zero = _mm256_setzero_pd(), one = _mm256_set1_pd(1);
    const __m256d above = _mm256_and_pd(_mm256_cmp_pd(d, zero, _CMP_GT_OQ), one);
    const __m256d below = _mm256_and_pd(_mm256_cmp_pd(d, zero, _CMP_LT_OQ), one);

    (void)delta;
    *slope = _mm256_add_pd(_mm256_sub_pd(above, below), _mm256_mul_pd(zero, d));
    return magnitude(d);
}

static inline __m256d huber(__m256d d, __m256d delta, __m256d *slope)
{
    const __m256d half = _mm256_set1_pd(0.5), a = magnitude(d);
    const __m256d far = _mm256_mul_pd(delta, _mm256_sub_pd(a, _mm256_mul_pd(half, delta)));
    const __m256d near = _mm256_mul_pd(half, _mm256_mul_pd(d, d));

    *slope = bound(d, delta);
    return _mm256_blendv_pd(far, near, _mm256_cmp_pd(a, delta, _CMP_LE_OQ));
}

static inline __m256d smooth_absolute(__m256d d, __m256d delta, __m256d *slope)
{
    const __m256d sum = huber(d, delta, slope);

    *slope = _mm256_div_pd(*slope, delta);
    return _mm256_div_pd(sum, delta);
}

static inline __m256d pseudo_huber(__m256d d, __m256d delta, __m256d *slope)
{
    const __m256d squares = _mm256_mul_pd(d, d);
    const __m256d root = _mm256_sqrt_pd(_mm256_add_pd(squares, _mm256_mul_pd(delta, delta)));

    *slope = _mm256_div_pd(d, root);
    return _mm256_div_pd(squares, _mm256_add_pd(root, delta));
}

static inline __attribute__((always_inline)) int64_t compare(double *sum, float *dpred, const float *pred,
                                                             const float *target, int64_t n, double delta,
                                                             double scale, cost of)
{
    const __m256d wide = _mm256_set1_pd(delta), factor = _mm256_set1_pd(scale);
    __m256d total = _mm256_setzero_pd(), slope;
    double part[4];
    int64_t i = 0;

    for (; i + 4 <= n; i += 4) {
        const __m256d d = _mm256_sub_pd(_mm256_cvtps_pd(_mm_loadu_ps(pred + i)),
                                        _mm256_cvtps_pd(_mm_loadu_ps(target + i)));

        total = _mm256_add_pd(total, of(d, wide, &slope));
        if (dpred)
            _mm_storeu_ps(dpred + i, _mm256_cvtpd_ps(_mm256_mul_pd(factor, slope)));
    }
    _mm256_storeu_pd(part, total);
    *sum += part[0] + part[1] + part[2] + part[3];
    return i;
}

#define RUN(name, of, kind)                                                                                          \
    static void name(double *sum, float *dpred, const float *pred, const float *target, int64_t n, double delta,     \
                     double scale)                                                                                   \
    {                                                                                                                \
        const int64_t i = compare(sum, dpred, pred, target, n, delta, scale, of);                                    \
                                                                                                                     \
        mdm_loss_runs_c[kind](sum, dpred ? dpred + i : NULL, pred + i, target + i, n - i, delta, scale);             \
    }
RUN(run_l2, square, MDM_LOSS_L2)
RUN(run_l1, absolute, MDM_LOSS_L1)
RUN(run_huber, huber, MDM_LOSS_HUBER)
RUN(run_smooth_l1, smooth_absolute, MDM_LOSS_SMOOTH_L1)
RUN(run_pseudo_huber, pseudo_huber, MDM_LOSS_PSEUDO_HUBER)

const mdm_loss_run mdm_loss_runs_avx2[MDM_LOSSES] = {
    [MDM_LOSS_L2] = run_l2,
    [MDM_LOSS_L1] = run_l1,
    [MDM_LOSS_HUBER] = run_huber,
    [MDM_LOSS_SMOOTH_L1] = run_smooth_l1,
    [MDM_LOSS_PSEUDO_HUBER] = run_pseudo_huber,
    [MDM_LOSS_PSEUDO_HUBER_IMAGE] = run_l2,
};
