/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Row functions and spans for AVX2; their contracts stand in backend/cpu/rows.h and backend/cpu/cpu.h.
 */
#ifndef MASKDM_BACKEND_CPU_AVX2_ROWS_H
#define MASKDM_BACKEND_CPU_AVX2_ROWS_H

#include "backend/cpu/rows.h"

void maskdm_gelu_avx2(float *y, const float *x, int64_t n);
void maskdm_silu_avx2(float *y, const float *x, int64_t n);
void maskdm_gelu_backward_avx2(float *dx, const float *x, const float *dy, int64_t n);
void maskdm_silu_backward_avx2(float *dx, const float *x, const float *dy, int64_t n);
void maskdm_norm_avx2(float *y, float stats[2], const float *x, const float *w, const float *b, int64_t n);
void maskdm_norm_backward_avx2(float *dx, float *dw, float *db, const float *dy, const float *x, const float *w,
                               const float stats[2], const float *more, int64_t n);
void maskdm_add_avx2(float *y, const float *a, const float *b, int64_t n);
void maskdm_adamw_avx2(const struct maskdm_adamw *a, size_t from, size_t to);
double maskdm_sum_squares_avx2(const float *x, size_t n);

#endif
