/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Products by cuBLASLt: a plan per shape, kept for as long as the device is open.
 */
#include "backend/cuda/kernel.cuh"
#include "backend/cuda/product_plan.cuh"
#include "backend/cuda/table.cuh"

#include <string.h>

enum { BLOCK = 256, FIRST_ROOM = 256, MOST_ALIGNED = 64 };

/* ---- plans ---- */

/* Bytes that the address, and the distances of what is in it, are a multiple of; beyond 64, which is what memory of
 * the library has, that would be a matter of chance, and with it the algorithm. */
static int32_t alignment(const void *p, int64_t count, int64_t step, int32_t type)
{
    const uint64_t size = type == MDM_BF16 ? sizeof(mdm_bf16) : sizeof(float);
    const uint64_t bits = (uint64_t)(uintptr_t)p | (count > 1 ? (uint64_t)step * size : 0) | MOST_ALIGNED;

    return (int32_t)(bits & (~bits + 1));
}

/* The same where images follow each other, whether there is more than one or not. */
static int32_t alignment_of(const void *p, const struct mdm_plan_key *k, int64_t step, int64_t row, int32_t type)
{
    return k->group ? alignment(p, 2, k->group * row, type) : alignment(p, k->count, step, type);
}

static struct mdm_plan_key key_of(const struct mdm_cuda_product *p)
{
    struct mdm_plan_key k = {};

    k.m = p->m;
    k.n = p->n;
    k.k = p->k;
    k.lda = p->lda;
    k.ldb = p->ldb;
    k.ldc = p->ldc;
    k.count = p->count > 1 ? p->count : 1;
    if (k.count > 1) {
        k.step_a = p->step_a;
        k.step_b = p->step_b;
        k.step_c = p->step_c;
    } else if (p->group) {
        k.group = p->group < p->m ? p->group : p->m;
    }
    k.in = p->in;
    k.out = p->out;
    k.turn_a = p->turn_a != 0;
    k.turn_b = p->turn_b != 0;
    k.biased = p->bias != NULL;
    k.apart = p->plus && p->plus != p->c;
    k.whole = p->whole != 0;
    k.align_a = alignment_of(p->a, &k, p->step_a, p->turn_a ? 1 : p->lda, k.in);
    k.align_b = alignment(p->b, k.count, p->step_b, k.in);
    k.align_c = alignment_of(p->c, &k, p->step_c, p->ldc, k.out);
    if (k.apart) {
        const int32_t plus = alignment_of(p->plus, &k, p->step_c, p->ldc, k.out);

        k.align_c = plus < k.align_c ? plus : k.align_c;
    }
    k.align_bias = p->bias ? alignment(p->bias, 1, 0, k.in) : 0;
    return k;
}

static size_t place_of(const struct mdm_plan_key *k, size_t room)
{
    uint32_t word[sizeof *k / sizeof(uint32_t)];
    uint64_t h = 14695981039346656037u;

    memcpy(word, k, sizeof *k);
    for (size_t i = 0; i < sizeof *k / sizeof *word; i++)
        h = (h ^ word[i]) * 1099511628211u;
    return (size_t)(h ^ h >> 32) & (room - 1);
}

static int grow(struct mdm_cuda *d)
{
    struct mdm_cuda_blas *blas = d->blas;
    const size_t room = blas->room ? 2 * blas->room : (size_t)FIRST_ROOM;
    struct mdm_plan **plan = (struct mdm_plan **)d->host->need(room, sizeof *plan, "plans of products");

    if (!plan)
        return MASKDM_ENOMEM;
    memset(plan, 0, room * sizeof *plan);
    for (size_t i = 0; i < blas->room; i++)
        if (blas->plan[i]) {
            size_t at = place_of(&blas->plan[i]->key, room);

            while (plan[at])
                at = (at + 1) & (room - 1);
            plan[at] = blas->plan[i];
        }
    d->host->free(blas->plan);
    blas->plan = plan;
    blas->room = room;
    return MASKDM_OK;
}

static int make(struct mdm_cuda *d, struct mdm_plan **out, const struct mdm_plan_key *k,
                const struct mdm_cuda_product *p)
{
    struct mdm_plan *plan;
    int status = MASKDM_OK;

    if (!d->blas->workspace)
        MDM_CUDA_TRY(mdm_cuda_alloc(&d->base, &d->blas->workspace, MDM_PLAN_WORKSPACE, "products"));
    plan = (struct mdm_plan *)d->host->need(1, sizeof *plan, "a product's plan");
    if (!plan)
        return MASKDM_ENOMEM;
    memset(plan, 0, sizeof *plan);
    plan->key = *k;
    status = mdm_plan_make(d, plan, p);
    if (status < 0) {
        d->host->free(plan);
        return status;
    }
    *out = plan;
    return MASKDM_OK;
}

static int find(struct mdm_cuda *d, struct mdm_plan **out, const struct mdm_cuda_product *p)
{
    struct mdm_cuda_blas *blas = d->blas;
    const struct mdm_plan_key k = key_of(p);
    size_t at;

    if (2 * blas->held >= blas->room)
        MDM_CUDA_TRY(grow(d));
    for (at = place_of(&k, blas->room); blas->plan[at]; at = (at + 1) & (blas->room - 1))
        if (memcmp(&blas->plan[at]->key, &k, sizeof k) == 0) {
            *out = blas->plan[at];
            return MASKDM_OK;
        }
    MDM_CUDA_TRY(make(d, out, &k, p));
    blas->plan[at] = *out;
    blas->held++;
    return MASKDM_OK;
}

/* ---- products ---- */

template <class I, class O> static __global__ void add_bias(O *c, const I *bias, int64_t n, int64_t all, int64_t ldc)
{
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < all; i += (int64_t)gridDim.x * blockDim.x) {
        O *at = c + i / n * ldc + i % n;

        *at = mdm_round<O>(mdm_float(*at) + mdm_float(bias[i % n]));
    }
}

template <class I, class O> static int launch_bias(struct mdm_cuda *d, const struct mdm_cuda_product *p)
{
    const int64_t count = p->count > 1 ? p->count : 1;

    for (int64_t i = 0; i < count; i++)
        MDM_CUDA_TRY(mdm_cuda_launch(d, "bias", add_bias<I, O>, mdm_cuda_grid(d, p->m * p->n, BLOCK), BLOCK, 0,
                                     (O *)p->c + i * p->step_c, (const I *)p->bias, p->n, p->m * p->n, p->ldc));
    return MASKDM_OK;
}

static int bias_after(struct mdm_cuda *d, const struct mdm_cuda_product *p)
{
    if (p->in == MDM_BF16)
        return p->out == MDM_BF16 ? launch_bias<mdm_bf16, mdm_bf16>(d, p) : launch_bias<mdm_bf16, float>(d, p);
    return p->out == MDM_BF16 ? launch_bias<float, mdm_bf16>(d, p) : launch_bias<float, float>(d, p);
}

/* One image after the other. */
static int each_group(struct mdm_cuda *d, const struct mdm_cuda_product *p)
{
    const int64_t in = p->in == MDM_BF16 ? 2 : 4, out = p->out == MDM_BF16 ? 2 : 4;
    struct mdm_cuda_product one = *p;

    for (int64_t row = 0; row < p->m; row += p->group) {
        one.m = p->m - row < p->group ? p->m - row : p->group;
        one.a = (const char *)p->a + row * (p->turn_a ? 1 : p->lda) * in;
        one.c = (char *)p->c + row * p->ldc * out;
        one.plus = p->plus ? (const char *)p->plus + row * p->ldc * out : NULL;
        MDM_CUDA_TRY(mdm_cuda_product(d, &one));
    }
    return MASKDM_OK;
}

int mdm_cuda_product(struct mdm_cuda *d, const struct mdm_cuda_product *p)
{
    struct mdm_plan *plan;
    cublasStatus_t e = CUBLAS_STATUS_SUCCESS;

    if (p->m < 1 || p->n < 1 || p->k < 1)
        return MASKDM_OK;
    MDM_CUDA_TRY(find(d, &plan, p));
    if (plan->each)
        return each_group(d, p);
    if (plan->plain)
        return mdm_cuda_product_plain(d, p);
    if (plan->parts)
        return mdm_plan_run_parts(d, plan, p);
    if (p->bias && !plan->bias_after)
        e = cublasLtMatmulDescSetAttribute(&plan->how, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &p->bias, sizeof p->bias);
    if (e == CUBLAS_STATUS_SUCCESS)
        e = mdm_plan_run(d, plan, &plan->algorithm, p);
    MDM_CUDA_TRY(mdm_blas_check(d, e, &plan->key));
    return p->bias && plan->bias_after ? bias_after(d, p) : MASKDM_OK;
}

int mdm_cuda_blas_open(struct mdm_cuda *d)
{
    const struct mdm_plan_key none = {};

    d->blas = (struct mdm_cuda_blas *)d->host->need(1, sizeof *d->blas, "products");
    if (!d->blas)
        return MASKDM_ENOMEM;
    memset(d->blas, 0, sizeof *d->blas);
    d->blas->tuned = 1;
    return mdm_blas_check(d, cublasLtCreate(&d->blas->handle), &none);
}

void mdm_cuda_blas_close(struct mdm_cuda *d)
{
    struct mdm_cuda_blas *blas = d->blas;

    if (!blas)
        return;
    for (size_t i = 0; i < blas->room; i++)
        d->host->free(blas->plan[i]);
    d->host->free(blas->plan);
    if (blas->parts)
        mdm_cuda_release(&d->base, blas->parts);
    if (blas->workspace)
        mdm_cuda_release(&d->base, blas->workspace);
    if (blas->handle)
        cublasLtDestroy(blas->handle);
    d->host->free(blas);
    d->blas = NULL;
}
