/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The optimizer's spans on eight floats. What is left at the end of a span goes the portable way.
 */
#include "backend/cpu/avx2/lanes.h"
#include "backend/cpu/avx2/rows.h"

double mdm_sum_squares_avx2(const float *x, size_t n)
{
    __m256d s[4];
    double part[4];
    size_t i = 0;

    for (int k = 0; k < 4; k++)
        s[k] = _mm256_setzero_pd();
    for (; i + 16 <= n; i += 16)
        for (int k = 0; k < 4; k++) {
            __m256d v = _mm256_cvtps_pd(_mm_loadu_ps(x + i + 4 * k));
            s[k] = _mm256_fmadd_pd(v, v, s[k]);
        }
    _mm256_storeu_pd(part, _mm256_add_pd(_mm256_add_pd(s[0], s[1]), _mm256_add_pd(s[2], s[3])));
    return part[0] + part[1] + part[2] + part[3] + mdm_cpu_sum_squares_c(x + i, n - i);
}

void mdm_optimizer_avx2(const struct mdm_optimizer *a, size_t from, size_t to)
{
    const __m256 scale = _mm256_set1_ps((float)a->grad_scale), step = _mm256_set1_ps((float)(a->lr / a->bias1));
    const __m256 keep = _mm256_set1_ps((float)(1 - a->lr * a->weight_decay)), eps = _mm256_set1_ps((float)a->eps);
    const __m256 b1 = _mm256_set1_ps((float)a->beta1), c1 = _mm256_set1_ps((float)(1 - a->beta1));
    const __m256 b2 = _mm256_set1_ps((float)a->beta2), c2 = _mm256_set1_ps((float)(1 - a->beta2));
    const __m256 root = _mm256_set1_ps((float)(1 / sqrt(a->bias2)));
    const __m256 pull = _mm256_set1_ps((float)(1 - a->ema_decay));
    size_t i = from;

    for (; i + 8 <= to; i += 8) {
        __m256 g = _mm256_mul_ps(_mm256_loadu_ps(a->g + i), scale), w = _mm256_loadu_ps(a->w + i);
        __m256 m = _mm256_fmadd_ps(b1, _mm256_loadu_ps(a->m + i), _mm256_mul_ps(c1, g));
        __m256 v = _mm256_fmadd_ps(b2, _mm256_loadu_ps(a->v + i), _mm256_mul_ps(_mm256_mul_ps(c2, g), g));
        __m256 below = _mm256_fmadd_ps(_mm256_sqrt_ps(v), root, eps);
        w = _mm256_sub_ps(_mm256_mul_ps(w, keep), _mm256_div_ps(_mm256_mul_ps(step, m), below));
        _mm256_storeu_ps(a->m + i, m);
        _mm256_storeu_ps(a->v + i, v);
        _mm256_storeu_ps(a->w + i, w);
        _mm256_storeu_ps(a->g + i, _mm256_setzero_ps());
        if (a->ema && a->ema_mode == 1) {
            _mm256_storeu_ps(a->ema + i, w);
        } else if (a->ema && a->ema_mode == 2) {
            __m256 e = _mm256_loadu_ps(a->ema + i);
            /* rounded twice, as the average alone (mdm_cpu_ema) rounds: one pass or two, the bits are the same */
            _mm256_storeu_ps(a->ema + i, _mm256_add_ps(e, _mm256_mul_ps(pull, _mm256_sub_ps(w, e))));
        }
    }
    mdm_cpu_adamw_c(a, i, to);
}
