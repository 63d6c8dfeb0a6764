/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mlp_product on the host: what is taken, and the maps by which tiles are found.
 */
#include "backend/cuda/mlp_product.cuh"
#include "backend/cuda/product.cuh"

#ifndef MDM_CUDA_EMULATED
#    include "backend/cuda/mlp_product_tile.cuh"

#    include <cudaTypedefs.h>

enum { VERSION = 12000, LEAST_PROCESSORS = 2, ROOM_ROWS = MDM_ROWS };

/* ---- maps ---- */

/* The driver's function, which only the runtime knows: nothing links the driver. Who comes first looks for it; that
 * others may do so too makes no difference. NULL: there is none. */
static PFN_cuTensorMapEncodeTiled_v12000 encoder(void)
{
    static void *known;
    void *f = __atomic_load_n(&known, __ATOMIC_ACQUIRE);
    enum cudaDriverEntryPointQueryResult found;

    if (f)
        return (PFN_cuTensorMapEncodeTiled_v12000)f;
    if (cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &f, VERSION, cudaEnableDefault, &found) !=
            cudaSuccess ||
        found != cudaDriverEntryPointSuccess) {
        (void)cudaGetLastError();
        return NULL;
    }
    __atomic_store_n(&known, f, __ATOMIC_RELEASE);
    return (PFN_cuTensorMapEncodeTiled_v12000)f;
}

/* Tiles of `tall` rows and 64 columns of a matrix. */
static int make_map(struct mdm_cuda *d, CUtensorMap *map, const void *p, int64_t rows, int64_t columns, int64_t step,
                    int tall)
{
    const cuuint64_t size[2] = {(cuuint64_t)columns, (cuuint64_t)rows}, apart[1] = {(cuuint64_t)step * 2};
    const cuuint32_t box[2] = {64, (cuuint32_t)tall}, each[2] = {1, 1};
    const PFN_cuTensorMapEncodeTiled_v12000 encode = encoder();
    CUresult e;

    if (!encode)
        return d->host->record(MASKDM_ENOTSUP, "cuda:%d: the driver has no maps of tiles", d->unit);
    e = encode(map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, (void *)p, size, apart, box, each,
               CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
               CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    if (e == CUDA_SUCCESS)
        return MASKDM_OK;
    return d->host->record(MASKDM_EDEVICE, "cuda:%d: a map of tiles of %lld x %lld: error %d", d->unit,
                           (long long)rows, (long long)columns, (int)e);
}

static int make_job(struct mdm_cuda *d, mdm_mlp_job *job, const struct mdm_mlp_product *p)
{
    job->m = (int)p->m;
    job->n = (int)p->n;
    job->depth = (int)(p->k / MDM_MLP_DEPTH);
    job->across = (int)mdm_cuda_pieces(p->n, MDM_MLP_COLUMNS);
    job->units = job->across * (int)mdm_cuda_pieces(p->m, MDM_MLP_CLUSTER * MDM_MLP_ROWS);
    job->keep = !p->backward && p->pre;
    job->bias = (const mdm_bf16 *)p->bias;
    job->parts = p->sums ? (float *)p->parts : NULL;
    MDM_CUDA_TRY(make_map(d, &job->a, p->a, p->m, p->k, p->lda, MDM_MLP_ROWS));
    if (p->backward)
        MDM_CUDA_TRY(make_map(d, &job->b, p->b, p->k, p->n, p->ldb, MDM_MLP_DEPTH));
    else
        MDM_CUDA_TRY(make_map(d, &job->b, p->b, p->n, p->k, p->ldb, MDM_MLP_COLUMNS / MDM_MLP_CLUSTER));
    if (p->pre)
        MDM_CUDA_TRY(make_map(d, &job->pre, p->pre, p->m, p->n, p->ldc, ROOM_ROWS));
    return make_map(d, &job->y, p->y, p->m, p->n, p->ldc, ROOM_ROWS);
}

/* ---- what is taken ---- */

int mdm_mlp_product_allow(struct mdm_cuda *d)
{
    return mdm_mlp_allow(d);
}

static int is_aligned(const void *p, int64_t step)
{
    return (uintptr_t)p % 16 == 0 && step % 8 == 0;
}

int mdm_mlp_product_takes(struct mdm_cuda *d, const struct mdm_mlp_product *p)
{
    const int64_t most = (int64_t)1 << 30; /* of what the kernel counts in an int */
    int groups;

    if (p->m < 1 || p->n < 64 || p->k < 64 || p->n % 64 || p->k % 64 || p->m > most || p->n > most || p->k > most ||
        mdm_cuda_pieces(p->m, MDM_MLP_ROWS) * mdm_cuda_pieces(p->n, MDM_MLP_COLUMNS) > most)
        return 0;
    if (!is_aligned(p->a, p->lda) || !is_aligned(p->b, p->ldb) || !is_aligned(p->y, p->ldc) ||
        !is_aligned(p->pre, p->ldc) || (uintptr_t)p->bias % 4 || (p->backward && !p->pre))
        return 0;
    if (d->most_shared < MDM_MLP_BYTES || d->processors < LEAST_PROCESSORS)
        return 0;
    MDM_CUDA_TRY(groups = mdm_attention_group_here(d));
    return groups && encoder() != NULL;
}

/* ---- the product ---- */

/* Parts of 64 rows. */
static size_t parts_bytes(int64_t m, int64_t n)
{
    return ((size_t)(mdm_cuda_pieces(m, MDM_GROUP_ROWS) * n) * sizeof(float) + 255) & ~(size_t)255;
}

size_t mdm_mlp_product_scratch(int64_t m, int64_t n)
{
    return parts_bytes(m, n) + mdm_cuda_sums_scratch(1, mdm_cuda_pieces(m, MDM_GROUP_ROWS), n);
}

static int meet_parts(struct mdm_cuda *d, const struct mdm_mlp_product *p)
{
    struct mdm_cuda_sums s = {};

    s.images = 1;
    s.rows = mdm_cuda_pieces(p->m, MDM_GROUP_ROWS);
    s.columns = p->n;
    s.type = MDM_F32;
    s.x = p->parts;
    s.all = p->sums;
    s.add_all = p->add_sums;
    s.parts = (float *)((char *)p->parts + parts_bytes(p->m, p->n));
    return mdm_cuda_sums(d, &s);
}

int mdm_mlp_product(struct mdm_cuda *d, const struct mdm_mlp_product *p)
{
    mdm_mlp_job job = {};

    MDM_CUDA_TRY(make_job(d, &job, p));
    MDM_CUDA_TRY(mdm_mlp_launch(d, &job, p->backward));
    return p->backward && p->sums ? meet_parts(d, p) : MASKDM_OK;
}

#else

int mdm_mlp_product_allow(struct mdm_cuda *)
{
    return MASKDM_OK;
}

int mdm_mlp_product_takes(struct mdm_cuda *, const struct mdm_mlp_product *)
{
    return 0;
}

size_t mdm_mlp_product_scratch(int64_t, int64_t)
{
    return 0;
}

int mdm_mlp_product(struct mdm_cuda *d, const struct mdm_mlp_product *)
{
    return d->host->record(MASKDM_ENOTSUP, "no tiles come by themselves here");
}

#endif
