/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a product needs of cuBLASLt, made once per shape: descriptors and an algorithm.
 */
#ifndef MASKDM_BACKEND_CUDA_PRODUCT_PLAN_CUH
#define MASKDM_BACKEND_CUDA_PRODUCT_PLAN_CUH

#include "backend/cuda/product.cuh"

#include <cublasLt.h>

enum { MDM_PLAN_WORKSPACE = 64 << 20, MDM_PLAN_PARTS = 64 << 20, MDM_PLAN_CANDIDATES = 8 };

/* All that an algorithm may depend on; compared as bytes, so that there is no padding. */
struct mdm_plan_key {
    int64_t m, n, k, lda, ldb, ldc, count, step_a, step_b, step_c, group;
    int32_t in, out, turn_a, turn_b, biased, apart, whole; /* apart: what is added is not c itself */
    int32_t align_a, align_b, align_c, align_bias, none;   /* bytes */
};

static_assert(sizeof(struct mdm_plan_key) == 11 * sizeof(int64_t) + 12 * sizeof(int32_t), "a key has padding");

struct mdm_plan {
    struct mdm_plan_key key;
    cublasLtMatmulDescOpaque_t how;
    cublasLtMatrixLayoutOpaque_t a, b, c; /* as cuBLASLt has them: a is the product's b, and b its a */
    cublasLtMatmulAlgo_t algorithm;
    size_t workspace; /* that it wants */
    int64_t parts;    /* into which we cut the sum over k; 0: into none */
    int plain;        /* there is no algorithm */
    int each;         /* none that serves all groups at once */
    int bias_after;   /* none that adds the bias */
};

struct mdm_cuda_blas {
    cublasLtHandle_t handle;
    void *workspace;
    struct mdm_plan **plan; /* a hash table of `room` places, which is 0 or a power of two */
    size_t room, held;
    float *parts; /* of sums over k */
    int tuned;    /* products are timed once */
    int splits;   /* sums are cut: where cuBLASLt should but does not; 1: wherever it can be; -1: never */
};

/* key is filled in, all else zero. `p`: the product that it is needed for. */
int mdm_plan_make(struct mdm_cuda *d, struct mdm_plan *plan, const struct mdm_cuda_product *p);

/* Descriptors of the key's product with m rows of c. */
int mdm_plan_describe(struct mdm_cuda *d, struct mdm_plan *plan, int64_t m, const void *bias);

/* The heuristic's algorithms, the best first, into at[MDM_PLAN_CANDIDATES]: how many. */
int mdm_plan_ask(struct mdm_cuda *d, struct mdm_plan *plan, cublasLtMatmulHeuristicResult_t *at);

/* Whether the algorithm serves the descriptors as they are. */
int mdm_plan_serves(struct mdm_cuda *d, struct mdm_plan *plan, const cublasLtMatmulAlgo_t *algorithm);

/* Run the plan as it is described, with this algorithm; cuBLASLt's own answer. */
cublasStatus_t mdm_plan_run(struct mdm_cuda *d, struct mdm_plan *plan, const cublasLtMatmulAlgo_t *algorithm,
                            const struct mdm_cuda_product *p);

/* product_split.cu: how many parts a plan's sum over k is to have, and the product in so many. */
int64_t mdm_plan_parts(const struct mdm_cuda *d, const struct mdm_plan *plan);
int mdm_plan_run_parts(struct mdm_cuda *d, const struct mdm_plan *plan, const struct mdm_cuda_product *p);

/* product_tune.cu: put an algorithm that is faster than plan->algorithm, and gives the same bits, in its place. */
int mdm_plan_tune(struct mdm_cuda *d, struct mdm_plan *plan, const struct mdm_cuda_product *p);

/* Record what cuBLASLt says: MASKDM_EDEVICE, or MASKDM_OK where it says nothing. */
int mdm_blas_check(struct mdm_cuda *d, cublasStatus_t e, const struct mdm_plan_key *k);

#endif
