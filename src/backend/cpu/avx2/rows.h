/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Row functions and spans for AVX2; their contracts stand in backend/cpu/rows.h and backend/cpu/cpu.h.
 */
#ifndef MASKDM_BACKEND_CPU_AVX2_ROWS_H
#define MASKDM_BACKEND_CPU_AVX2_ROWS_H

#include "backend/cpu/rows.h"

void mdm_gelu_avx2(float *y, const float *x, int64_t n);
void mdm_gelu_tanh_avx2(float *y, const float *x, int64_t n);
void mdm_silu_avx2(float *y, const float *x, int64_t n);
void mdm_gelu_backward_avx2(float *dx, const float *x, const float *dy, int64_t n);
void mdm_gelu_tanh_backward_avx2(float *dx, const float *x, const float *dy, int64_t n);
void mdm_silu_backward_avx2(float *dx, const float *x, const float *dy, int64_t n);
void mdm_silu_mul_avx2(float *y, const float *a, const float *b, int64_t n);
void mdm_silu_mul_backward_avx2(float *da, float *db, const float *a, const float *b, const float *dy, int64_t n);
float mdm_rms_norm_avx2(float *y, const float *x, const float *w, double epsilon, int64_t n);
void mdm_rms_norm_backward_avx2(float *dx, float *dw, const float *dy, const float *x, const float *w, float r,
                                int64_t n);
void mdm_turn_avx2(float *y, const float *x, const float *c, const float *s, float way, int64_t n);
void mdm_mul_add_avx2(float *y, const float *a, const float *b, const float *c, int64_t n);
void mdm_affine_avx2(float *y, const float *x, const float *mean, const float *scale, const float *shift, int64_t n);
void mdm_moment_avx2(float *y, const float *a, const float *x, const float *mean, int64_t n);
void mdm_modulate_avx2(float *y, const float *x, const float *scale, const float *shift, int64_t n);
void mdm_norm_avx2(float *y, float stats[2], const float *x, const float *w, const float *b, double epsilon,
                   int64_t n);
void mdm_norm_backward_avx2(float *dx, float *dw, float *db, const float *dy, const float *x, const float *w,
                            const float stats[2], const float *more, int64_t n);
void mdm_add_avx2(float *y, const float *a, const float *b, int64_t n);
void mdm_optimizer_avx2(const struct mdm_optimizer *a, size_t from, size_t to);
double mdm_sum_squares_avx2(const float *x, size_t n);

#endif
