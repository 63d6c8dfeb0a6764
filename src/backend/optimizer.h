/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a backend does for optimizers (backend/backend.h).
 */
#ifndef MASKDM_BACKEND_OPTIMIZER_H
#define MASKDM_BACKEND_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>

/* One pass over n elements: g' = grad_scale g; AdamW with decoupled decay as PyTorch does it:
 * w -= lr wd w; m = b1 m + (1-b1) g'; v = b2 v + (1-b2) g'^2; w -= lr/bias1 m / (sqrt(v)/sqrt(bias2) + eps);
 * then ema: none (NULL), copy (ema_mode 1) or ema += (1-ema_decay)(w - ema) (mode 2). Zeroes g afterwards. All device
 * memory. */
struct mdm_optimizer {
    size_t n;
    float *w, *g, *m, *v, *ema;
    double grad_scale, lr, beta1, beta2, eps, weight_decay, bias1, bias2, ema_decay;
    int ema_mode;
};

/* Muon (Jordan et al. 2024) on hidden matrices, whose weights, gradients and moments are blocks of one layout:
 *
 *     g' = grad_scale g; m = b m + (1 - b) g' with b = momentum; u = m, or with `nesterov` b m + (1 - b) g'
 *     X = u / max(|u|, floor), or with `adds` u / (|u| + floor), |u| being the root of the sum of its squares
 *     `steps` times, on X, or its transpose where it is higher than wide: A = X X', X = (a I + b A + c A A) X
 *     w = keep w - rate X
 *
 * and g is zero afterwards. Blocks and scratch are device memory. Matrices of one shape stand together, the largest
 * first, so that a device can take several at once. */
struct mdm_muon_matrix {
    size_t at; /* in elements, in every block */
    int64_t rows, columns;
    double keep, rate;
};
struct mdm_muon {
    int64_t count;
    const struct mdm_muon_matrix *matrix; /* host memory */
    float *w, *g, *m;
    void *scratch; /* 64-byte aligned, as many bytes as muon_scratch() says */
    double grad_scale, momentum, floor, a, b, c;
    int nesterov, adds, steps;
};

#endif
