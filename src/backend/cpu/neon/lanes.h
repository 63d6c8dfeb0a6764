/* SPDX-License-Identifier: BSD-2-Clause
 *
 * NEON of aarch64 for backend/cpu/vector/vector.h: four floats. The tile of 8 x 8 takes 16 of 32 registers. Its
 * multiply-adds are by a lane of a register (steps.h), so that four steps cost 16 vectors loaded and 64
 * multiply-adds, and nothing is broadcast.
 */
#ifndef MASKDM_BACKEND_CPU_NEON_LANES_H
#define MASKDM_BACKEND_CPU_NEON_LANES_H

#include <arm_neon.h>
#include <stdint.h>

enum { MDM_LANES = 4, MDM_WIDE_LANES = 2, MDM_TILE_ROWS = 8 };

typedef float32x4_t mdm_vec;
typedef int mdm_some; /* how many: there are no masks */
typedef float64x2_t mdm_wide;

static inline mdm_vec mdm_v_set(float x)
{
    return vdupq_n_f32(x);
}

static inline mdm_vec mdm_v_load(const float *p)
{
    return vld1q_f32(p);
}

static inline void mdm_v_store(float *p, mdm_vec x)
{
    vst1q_f32(p, x);
}

static inline mdm_some mdm_v_first(int64_t n)
{
    return n < MDM_LANES ? (mdm_some)n : MDM_LANES;
}

static inline mdm_vec mdm_v_load_some(const float *p, mdm_some k)
{
    mdm_vec x = vdupq_n_f32(0);

    if (k == MDM_LANES)
        return vld1q_f32(p);
    x = vld1q_lane_f32(p, x, 0);
    if (k > 1)
        x = vld1q_lane_f32(p + 1, x, 1);
    return k > 2 ? vld1q_lane_f32(p + 2, x, 2) : x;
}

static inline void mdm_v_store_some(float *p, mdm_some k, mdm_vec x)
{
    if (k == MDM_LANES) {
        vst1q_f32(p, x);
        return;
    }
    vst1q_lane_f32(p, x, 0);
    if (k > 1)
        vst1q_lane_f32(p + 1, x, 1);
    if (k > 2)
        vst1q_lane_f32(p + 2, x, 2);
}

static inline mdm_vec mdm_v_keep(mdm_some k, mdm_vec x)
{
    static const int32_t at[MDM_LANES] = {0, 1, 2, 3};

    return vbslq_f32(vcltq_s32(vld1q_s32(at), vdupq_n_s32(k)), x, vdupq_n_f32(0));
}

static inline mdm_vec mdm_v_fma(mdm_vec a, mdm_vec b, mdm_vec c)
{
    return vfmaq_f32(c, a, b);
}

static inline mdm_vec mdm_v_fms(mdm_vec a, mdm_vec b, mdm_vec c)
{
    return vfmaq_f32(vnegq_f32(c), a, b);
}

static inline mdm_vec mdm_v_max(mdm_vec a, mdm_vec b)
{
    return vmaxq_f32(a, b);
}

static inline mdm_vec mdm_v_min(mdm_vec a, mdm_vec b)
{
    return vminq_f32(a, b);
}

static inline mdm_vec mdm_v_sqrt(mdm_vec a)
{
    return vsqrtq_f32(a);
}

static inline mdm_vec mdm_v_abs(mdm_vec a)
{
    return vabsq_f32(a);
}

static inline mdm_vec mdm_v_by_sign(mdm_vec x, mdm_vec a, mdm_vec b)
{
    return vbslq_f32(vreinterpretq_u32_s32(vshrq_n_s32(vreinterpretq_s32_f32(x), 31)), b, a);
}

static inline mdm_vec mdm_v_unless_below(mdm_vec x, mdm_vec bound, mdm_vec y)
{
    return vbslq_f32(vcltq_f32(x, bound), vdupq_n_f32(0), y);
}

static inline mdm_vec mdm_v_raise(mdm_vec y, mdm_vec n)
{
    return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(y), vshlq_n_s32(vreinterpretq_s32_f32(n), 23)));
}

static inline float mdm_v_sum(mdm_vec x)
{
    return vaddvq_f32(x);
}

static inline float mdm_v_top(mdm_vec x)
{
    return vmaxvq_f32(x);
}

static inline mdm_vec mdm_v_load4(const float *p, int64_t stride)
{
    (void)stride;
    return vld1q_f32(p);
}

static inline void mdm_v_transpose4(mdm_vec r[4])
{
    const mdm_vec a = vtrn1q_f32(r[0], r[1]), b = vtrn2q_f32(r[0], r[1]);
    const mdm_vec c = vtrn1q_f32(r[2], r[3]), d = vtrn2q_f32(r[2], r[3]);

    r[0] = vcombine_f32(vget_low_f32(a), vget_low_f32(c));
    r[1] = vcombine_f32(vget_low_f32(b), vget_low_f32(d));
    r[2] = vcombine_f32(vget_high_f32(a), vget_high_f32(c));
    r[3] = vcombine_f32(vget_high_f32(b), vget_high_f32(d));
}

static inline mdm_vec mdm_v_twice(const float *p)
{
    const float32x2_t x = vld1_f32(p);

    return vcombine_f32(vdup_lane_f32(x, 0), vdup_lane_f32(x, 1));
}

static inline mdm_vec mdm_v_turn(mdm_vec x, mdm_vec c, mdm_vec s)
{
    static const float way[MDM_LANES] = {-1, 1, -1, 1};

    return vfmaq_f32(vrev64q_f32(x) * (s * vld1q_f32(way)), x, c);
}

static inline mdm_wide mdm_w_set(double x)
{
    return vdupq_n_f64(x);
}

static inline mdm_wide mdm_w_load(const float *p)
{
    return vcvt_f64_f32(vld1_f32(p));
}

static inline void mdm_w_store(float *p, mdm_wide x)
{
    vst1_f32(p, vcvt_f32_f64(x));
}

static inline mdm_wide mdm_w_fma(mdm_wide a, mdm_wide b, mdm_wide c)
{
    return vfmaq_f64(c, a, b);
}

static inline mdm_wide mdm_w_max(mdm_wide a, mdm_wide b)
{
    return vmaxq_f64(a, b);
}

static inline mdm_wide mdm_w_min(mdm_wide a, mdm_wide b)
{
    return vminq_f64(a, b);
}

static inline mdm_wide mdm_w_sqrt(mdm_wide a)
{
    return vsqrtq_f64(a);
}

static inline mdm_wide mdm_w_abs(mdm_wide a)
{
    return vabsq_f64(a);
}

static inline mdm_wide mdm_w_pick(mdm_wide a, mdm_wide b, mdm_wide x, mdm_wide y)
{
    return vbslq_f64(vcleq_f64(a, b), x, y);
}

static inline double mdm_w_sum(mdm_wide x)
{
    return vaddvq_f64(x);
}

#endif
