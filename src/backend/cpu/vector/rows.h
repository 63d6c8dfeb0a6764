/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Row functions and spans on vectors; their contracts stand in backend/cpu/rows.h and backend/cpu/cpu.h, those of the
 * micro-kernel in backend/cpu/tile/tile.h.
 */
#ifndef MASKDM_BACKEND_CPU_VECTOR_ROWS_H
#define MASKDM_BACKEND_CPU_VECTOR_ROWS_H

#include "backend/cpu/rows.h"
#include "backend/cpu/tile/tile.h"
#include "backend/cpu/vector/vector.h"

void SET(mdm_gelu)(float *y, const float *x, int64_t n);
void SET(mdm_gelu_tanh)(float *y, const float *x, int64_t n);
void SET(mdm_silu)(float *y, const float *x, int64_t n);
void SET(mdm_gelu_backward)(float *dx, const float *x, const float *dy, int64_t n);
void SET(mdm_gelu_tanh_backward)(float *dx, const float *x, const float *dy, int64_t n);
void SET(mdm_silu_backward)(float *dx, const float *x, const float *dy, int64_t n);
void SET(mdm_silu_mul)(float *y, const float *a, const float *b, int64_t n);
void SET(mdm_silu_mul_backward)(float *da, float *db, const float *a, const float *b, const float *dy, int64_t n);
float SET(mdm_rms_norm)(float *y, const float *x, const float *w, double epsilon, int64_t n);
void SET(mdm_rms_norm_backward)(float *dx, float *dw, const float *dy, const float *x, const float *w, float r,
                                int64_t n);
void SET(mdm_turn)(float *y, const float *x, const float *c, const float *s, float way, int64_t n);
void SET(mdm_mul_add)(float *y, const float *a, const float *b, const float *c, int64_t n);
void SET(mdm_affine)(float *y, const float *x, const float *mean, const float *scale, const float *shift, int64_t n);
void SET(mdm_moment)(float *y, const float *a, const float *x, const float *mean, int64_t n);
void SET(mdm_modulate)(float *y, const float *x, const float *scale, const float *shift, int64_t n);
void SET(mdm_norm)(float *y, float stats[2], const float *x, const float *w, const float *b, double epsilon,
                   int64_t n);
void SET(mdm_norm_backward)(float *dx, float *dw, float *db, const float *dy, const float *x, const float *w,
                            const float stats[2], const float *more, int64_t n);
void SET(mdm_add)(float *y, const float *a, const float *b, int64_t n);
void SET(mdm_optimizer)(const struct mdm_optimizer *a, size_t from, size_t to);
double SET(mdm_sum_squares)(const float *x, size_t n);
extern const mdm_loss_run SET(mdm_loss_runs)[MDM_LOSSES];

void SET(mdm_product)(int64_t m, int64_t n, int64_t k, struct mdm_left a, struct mdm_right b, float *c, int64_t ldc,
                      int add);
void SET(mdm_pack_rows)(float *out, const float *x, int64_t stride, int64_t rows, int64_t width, float factor);
void SET(mdm_pack_transposed)(float *out, int64_t panel, const float *x, int64_t stride, int64_t rows, int64_t width);
void SET(mdm_pack_panels)(float *out, int64_t panel, const float *x, int64_t stride, int64_t depth, int64_t width);
void SET(mdm_pack_groups)(float *out, int64_t group, const float *x, int64_t stride, int64_t depth, int64_t width);
void SET(mdm_widen)(float *out, const uint16_t *x, enum mdm_dtype type, int64_t n);
void SET(mdm_soften)(float *s, int64_t keys, float *top, float *total, float *o, int64_t width);
void SET(mdm_weigh)(float *s, int64_t keys, float lse);
void SET(mdm_slope)(float *ds, const float *p, int64_t keys, float delta);
float SET(mdm_dot)(const float *a, const float *b, int64_t n);
void SET(mdm_scale)(float *out, const float *x, int64_t n, float factor, int add);
void SET(mdm_sum)(float *out, const float *part, int64_t stride, int64_t count, int64_t n, int add);

#endif
