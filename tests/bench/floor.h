/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The GEMM floor: the time of the matrix products that a step needs, each as one whole-batch SGEMM (attention per
 * head, no recomputation), on the same threads, by the fastest way at hand. Tiles of the step's own do not enter it.
 */
#ifndef MASKDM_BENCH_FLOOR_H
#define MASKDM_BENCH_FLOOR_H

#include "bench.h"

enum { MAX_PRODUCTS = 256 };

/* c[m,n] = op(a) op(b); ta: a is stored [k,m]; tb: b is stored [n,k] */
struct product {
    int ta, tb;
    int64_t m, n, k, times;
    int per_head; /* independent small products, one a head and image */
};

struct products {
    struct product p[MAX_PRODUCTS];
    int count, whole; /* whole: none is missing */
};

/* Of one training step, or one forward pass, over `visible` patches of each of w->batch images. */
void list_products(struct products *l, const struct workload *w, int64_t visible, int train);
/* The same of any network's program of linear layers, attention and convolutions: -1 where it has other products, or
 * too many. */
struct mdm_graph;
int list_program(struct products *l, const struct mdm_graph *g);
double products_flops(const struct products *l);

struct floor;
int floor_open(struct floor **out, const struct settings *s);
void floor_close(struct floor **f);
/* Negative when out of memory. */
double floor_seconds(struct floor *f, const struct products *l);

#endif
