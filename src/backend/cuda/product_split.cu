/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sums over k in parts. The gradient of a weight is a small matrix of very long sums, whose tiles are fewer than the
 * device's processors. cuBLASLt's algorithms cut such sums themselves; should the heuristic name one that does not,
 * the parts are a batch of products here and are met in their order.
 */
#include "backend/cuda/kernel.cuh"
#include "backend/cuda/product_plan.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 256, TILE = 128, LEAST = 1024, ROUND = 64, MOST = 64 };

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t mdm_plan_parts(const struct mdm_cuda *d, const struct mdm_plan *plan)
{
    const struct mdm_plan_key *k = &plan->key;
    const int64_t tiles = mdm_cuda_pieces(k->m, TILE) * mdm_cuda_pieces(k->n, TILE);
    const int forced = d->blas->splits > 0;
    int64_t parts = d->processors / tiles;
    int32_t cuts = 0;
    size_t got;

    if (d->blas->splits < 0 || k->out != MDM_F32 || k->group || k->count > 1 || k->biased || k->whole)
        return 0;
    if (!forced && (cublasLtMatmulAlgoConfigGetAttribute(&plan->algorithm, CUBLASLT_ALGO_CONFIG_SPLITK_NUM, &cuts,
                                                         sizeof cuts, &got) != CUBLAS_STATUS_SUCCESS ||
                    cuts > 1 || plan->workspace > 0))
        return 0;
    parts = lesser(lesser(parts, MOST), k->k / (forced ? (int64_t)ROUND : (int64_t)LEAST));
    parts = lesser(parts, (int64_t)(MDM_PLAN_PARTS / sizeof(float)) / (k->m * k->n));
    return parts > 1 ? parts : 0;
}

static __global__ void meet(float *c, const float *part, const float *plus, float factor, float scale, int64_t parts,
                            int64_t n, int64_t all, int64_t ldc)
{
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < all; i += (int64_t)gridDim.x * blockDim.x) {
        const int64_t at = i / n * ldc + i % n;
        float sum = 0;

#pragma unroll 8
        for (int64_t k = 0; k < parts; k++)
            sum += part[k * all + i];
        c[at] = plus ? scale * sum + factor * plus[at] : scale * sum;
    }
}

/* Parts of one length are a batch, the last is what is left. */
int mdm_plan_run_parts(struct mdm_cuda *d, const struct mdm_plan *plan, const struct mdm_cuda_product *p)
{
    const int64_t step = mdm_cuda_pieces(mdm_cuda_pieces(p->k, plan->parts), ROUND) * ROUND, batch = p->k / step;
    const int64_t size = p->in == MDM_BF16 ? 2 : 4, all = p->m * p->n, left = p->k - batch * step;
    struct mdm_cuda_product part = {};

    if (!d->blas->parts)
        MDM_CUDA_TRY(mdm_cuda_alloc(&d->base, (void **)&d->blas->parts, MDM_PLAN_PARTS, "sums of products"));
    part.m = p->m;
    part.n = part.ldc = p->n;
    part.k = step;
    part.turn_a = p->turn_a;
    part.turn_b = p->turn_b;
    part.in = p->in;
    part.out = MDM_F32;
    part.a = p->a;
    part.lda = p->lda;
    part.b = p->b;
    part.ldb = p->ldb;
    part.c = d->blas->parts;
    part.count = batch;
    part.step_a = p->turn_a ? step * p->lda : step;
    part.step_b = p->turn_b ? step : step * p->ldb;
    part.step_c = all;
    part.whole = 1;
    MDM_CUDA_TRY(mdm_cuda_product(d, &part));
    part.a = (const char *)p->a + batch * part.step_a * size;
    part.b = (const char *)p->b + batch * part.step_b * size;
    part.c = d->blas->parts + batch * all;
    part.k = left;
    part.count = 1;
    if (left > 0)
        MDM_CUDA_TRY(mdm_cuda_product(d, &part));
    return mdm_cuda_launch(
        d, "product", meet, mdm_cuda_grid(d, all, BLOCK), BLOCK, 0, (float *)p->c, (const float *)d->blas->parts,
        (const float *)(p->plus  ? p->plus
                        : p->add ? p->c
                                 : NULL),
        p->plus ? p->factor : 1.0f, p->scaled ? p->scale : 1.0f, batch + (left > 0), p->n, all, p->ldc);
}
