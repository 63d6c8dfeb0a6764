/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The inner loops of the CPU kernels, in the type `real`: what an instruction set replaces. A row function knows
 * pointers and a length, neither shapes nor threads, so that each has one portable twin and one small test.
 * Lengths may be 0; pointers need the alignment of `real` only.
 */
#ifndef MASKDM_BACKEND_CPU_ROWS_H
#define MASKDM_BACKEND_CPU_ROWS_H

#include "backend/cpu/cpu.h"
#include "backend/cpu/real.h"

struct REAL(mdm_rows) {
    /* y = f(x); y may be x. gelu is the erf form. */
    void (*gelu)(real *y, const real *x, int64_t n);
    void (*gelu_tanh)(real *y, const real *x, int64_t n);
    void (*silu)(real *y, const real *x, int64_t n);
    /* dx = dy f'(x) */
    void (*gelu_backward)(real *dx, const real *x, const real *dy, int64_t n);
    void (*gelu_tanh_backward)(real *dx, const real *x, const real *dy, int64_t n);
    void (*silu_backward)(real *dx, const real *x, const real *dy, int64_t n);
    /* y = silu(a) b, and da, db from dy */
    void (*silu_mul)(real *y, const real *a, const real *b, int64_t n);
    void (*silu_mul_backward)(real *da, real *db, const real *a, const real *b, const real *dy, int64_t n);
    /* y = a + b; y may be a */
    void (*add)(real *y, const real *a, const real *b, int64_t n);
    /* y = a + b c; y may be any of them. a NULL: zeros */
    void (*mul_add)(real *y, const real *a, const real *b, const real *c, int64_t n);
    /* y = (x - mean) scale + shift; y may be x */
    void (*affine)(real *y, const real *x, const real *mean, const real *scale, const real *shift, int64_t n);
    /* y += a (x - mean); a NULL: (x - mean)^2 */
    void (*moment)(real *y, const real *a, const real *x, const real *mean, int64_t n);
    /* y = x (1 + scale) + shift; y may be x */
    void (*modulate)(real *y, const real *x, const real *scale, const real *shift, int64_t n);
    /* stats = mean, 1/sqrt(var + epsilon) of x[n]; y = (x - mean) rstd w + b. w NULL: ones, b NULL: zeros */
    void (*norm)(real *y, real stats[2], const real *x, const real *w, const real *b, double epsilon, int64_t n);
    /* With h = (x - mean) rstd and g = w dy: dx = rstd (g - avg g - h avg(g h)) + more, dw += dy h, db += dy.
     * `more` may be NULL, and w where its values are ones; dw and db are rows in any case. */
    void (*norm_backward)(real *dx, real *dw, real *db, const real *dy, const real *x, const real *w,
                          const real stats[2], const real *more, int64_t n);
    /* y = x r w with r = 1/sqrt(avg x^2 + epsilon), which is returned; y may be x */
    real (*rms_norm)(real *y, const real *x, const real *w, double epsilon, int64_t n);
    /* With h = x r and g = w dy: dx = r (g - h avg(g h)), dw += dy h */
    void (*rms_norm_backward)(real *dx, real *dw, const real *dy, const real *x, const real *w, real r, int64_t n);
    /* n pairs x[2i], x[2i+1] turned by the angle whose cosine and sine are c[i] and way s[i]; y may be x */
    void (*turn)(real *y, const real *x, const real *c, const real *s, real way, int64_t n);
};

extern const struct REAL(mdm_rows) REAL(mdm_rows_c);

static inline const struct REAL(mdm_rows) * REAL(mdm_rows_of)(struct mdm_backend *b)
{
    return mdm_cpu_of(b)->real_table.REAL(rows);
}

/* Rows that one piece of work takes, and that are summed before parts meet in double. */
enum { MDM_ROWS = 64 };

/* dst[n] (+)= the sum of `count` parts, `stride` apart, in their order, in double. */
int REAL(mdm_cpu_combine)(struct mdm_cpu *cpu, real *dst, int add, const real *part, int64_t count,
                              int64_t stride, int64_t n);
/* The same for the rows of `images`: dst of one lies `pitch` behind the last one's, and each has `count` parts. */
int REAL(mdm_cpu_combine_images)(struct mdm_cpu *cpu, real *dst, int64_t pitch, int add, const real *part,
                                 int64_t count, int64_t stride, int64_t n, int64_t images);
/* dst (+)= src */
int REAL(mdm_cpu_accumulate)(struct mdm_backend *b, real *dst, int add, const real *src, int64_t n);

extern const struct mdm_kernel REAL(mdm_cpu_linear), REAL(mdm_cpu_linear_silu), REAL(mdm_cpu_linear2),
    REAL(mdm_cpu_lowrank), REAL(mdm_cpu_gelu), REAL(mdm_cpu_gelu_tanh), REAL(mdm_cpu_silu), REAL(mdm_cpu_layernorm),
    REAL(mdm_cpu_add_norm),
    REAL(mdm_cpu_modulate), REAL(mdm_cpu_gate_add), REAL(mdm_cpu_add), REAL(mdm_cpu_qkv_bias),
    REAL(mdm_cpu_patchify), REAL(mdm_cpu_timestep), REAL(mdm_cpu_embed), REAL(mdm_cpu_tokens), REAL(mdm_cpu_trim),
    REAL(mdm_cpu_route), REAL(mdm_cpu_unroute), REAL(mdm_cpu_conv), REAL(mdm_cpu_group_norm),
    REAL(mdm_cpu_group_norm_silu), REAL(mdm_cpu_upsample), REAL(mdm_cpu_downsample), REAL(mdm_cpu_concat),
    REAL(mdm_cpu_hide), REAL(mdm_cpu_cut), REAL(mdm_cpu_paste),
    REAL(mdm_cpu_swiglu), REAL(mdm_cpu_rms_modulate), REAL(mdm_cpu_angles), REAL(mdm_cpu_qk_rotate),
    REAL(mdm_cpu_context), REAL(mdm_cpu_fill), REAL(mdm_cpu_transpose), REAL(mdm_cpu_relu),
    REAL(mdm_cpu_max_pool), REAL(mdm_cpu_average_pool), REAL(mdm_cpu_narrow), REAL(mdm_cpu_widen);

#endif
