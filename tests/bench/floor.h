/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The GEMM floor: the time of the matrix products that a step needs, each as one whole-batch SGEMM (attention per
 * head, no recomputation), on the same threads, by the fastest way at hand.
 */
#ifndef MASKDM_BENCH_FLOOR_H
#define MASKDM_BENCH_FLOOR_H

#include <stdint.h>

struct network {
    int64_t dim, blocks, skips, heads, tokens, visible, patch_values, batch;
};

double clock_seconds(void);
/* Seconds of the products of one training step (train) or one forward pass; *flops (may be NULL) their operations.
 * Negative when out of memory. */
double floor_seconds(const struct network *n, int train, int threads, double *flops);
/* What the machine gives right now: FMA rate in GFLOP/s over `threads` threads, memory bandwidth in GB/s (triad). */
double machine_fma(int threads);
double machine_bandwidth(int threads);

#endif
