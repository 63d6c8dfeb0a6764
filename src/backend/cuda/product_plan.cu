/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which of cuBLASLt's algorithms a product takes. An algorithm is a way to cut the sum over k, and with it go the
 * last bits; so it is the first that the heuristic names, which is the same in every process on the same device and
 * release of cuBLAS, or a faster one that gives the same bits (product_tune.cu), and never a matter of timing alone.
 * Where the sum is cut among blocks the parts are float's and met in order (COMPUTE_TYPE), never added up in c as it
 * is rounded (INPLACE, OUTPUT_TYPE of bf16). An image's rows get the algorithm that suits them without their batch.
 */
#include "backend/cuda/product_plan.cuh"

enum { FEW = 16 }; /* rows below which algorithms serve no other number of them */

int mdm_blas_check(struct mdm_cuda *d, cublasStatus_t e, const struct mdm_plan_key *k)
{
    if (e == CUBLAS_STATUS_SUCCESS)
        return MASKDM_OK;
    return d->host->record(MASKDM_EDEVICE, "cuBLASLt: product of %lld x %lld by %lld x %lld: %s", (long long)k->m,
                           (long long)k->k, (long long)k->k, (long long)k->n, cublasLtGetStatusString(e));
}

/* ---- descriptors ---- */

static cudaDataType_t type_of(int32_t type)
{
    return type == MDM_BF16 ? CUDA_R_16BF : CUDA_R_32F;
}

template <class V>
static void set_how(cublasStatus_t *e, struct mdm_plan *plan, cublasLtMatmulDescAttributes_t name, V value)
{
    if (*e == CUBLAS_STATUS_SUCCESS)
        *e = cublasLtMatmulDescSetAttribute(&plan->how, name, &value, sizeof value);
}

/* A row-major matrix of `rows` rows is cuBLASLt's of so many columns. */
static void lay_out(cublasStatus_t *e, cublasLtMatrixLayoutOpaque_t *at, int32_t type, int64_t rows, int64_t columns,
                    int64_t apart, const struct mdm_plan_key *k, int64_t step)
{
    const int32_t count = (int32_t)k->count;

    if (*e == CUBLAS_STATUS_SUCCESS)
        *e = cublasLtMatrixLayoutInit(at, type_of(type), (uint64_t)columns, (uint64_t)rows, apart);
    if (*e == CUBLAS_STATUS_SUCCESS && count > 1)
        *e = cublasLtMatrixLayoutSetAttribute(at, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count);
    if (*e == CUBLAS_STATUS_SUCCESS && count > 1)
        *e = cublasLtMatrixLayoutSetAttribute(at, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &step, sizeof step);
}

/* c' = op(b)' op(a)': cuBLASLt, which is column-major, has c' as a matrix of n rows, and op() where we have it. */
int mdm_plan_describe(struct mdm_cuda *d, struct mdm_plan *plan, int64_t m, const void *bias)
{
    const struct mdm_plan_key *k = &plan->key;
    cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
    cublasStatus_t e;

    if (k->in == MDM_F32 && d->tf32)
        compute = CUBLAS_COMPUTE_32F_FAST_TF32;
    e = cublasLtMatmulDescInit(&plan->how, compute, CUDA_R_32F);
    set_how<int32_t>(&e, plan, CUBLASLT_MATMUL_DESC_TRANSA, k->turn_b ? CUBLAS_OP_T : CUBLAS_OP_N);
    set_how<int32_t>(&e, plan, CUBLASLT_MATMUL_DESC_TRANSB, k->turn_a ? CUBLAS_OP_T : CUBLAS_OP_N);
    if (k->biased && !plan->bias_after) {
        set_how<uint32_t>(&e, plan, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
        set_how<int32_t>(&e, plan, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, type_of(k->in));
        set_how<const void *>(&e, plan, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    }
    lay_out(&e, &plan->a, k->in, k->turn_b ? k->n : k->k, k->turn_b ? k->k : k->n, k->ldb, k, k->step_b);
    lay_out(&e, &plan->b, k->in, k->turn_a ? k->k : m, k->turn_a ? m : k->k, k->lda, k, k->step_a);
    lay_out(&e, &plan->c, k->out, m, k->n, k->ldc, k, k->step_c);
    return mdm_blas_check(d, e, k);
}

/* ---- the choice ---- */

template <class V>
static void prefer(cublasStatus_t *e, cublasLtMatmulPreference_t of, cublasLtMatmulPreferenceAttributes_t name,
                   V value)
{
    if (*e == CUBLAS_STATUS_SUCCESS)
        *e = cublasLtMatmulPreferenceSetAttribute(of, name, &value, sizeof value);
}

int mdm_plan_ask(struct mdm_cuda *d, struct mdm_plan *plan, cublasLtMatmulHeuristicResult_t *at)
{
    const struct mdm_plan_key *k = &plan->key;
    cublasLtMatmulPreferenceOpaque_t want;
    uint32_t cuts = CUBLASLT_REDUCTION_SCHEME_NONE;
    cublasStatus_t e = cublasLtMatmulPreferenceInit(&want);
    int found = 0, good = 0;

    if (!k->group) /* into how many parts would be a matter of how many rows there are */
        cuts |= CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
    if (!k->group && k->out == MDM_F32)
        cuts |= CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE;
    prefer<uint64_t>(&e, &want, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, MDM_PLAN_WORKSPACE);
    prefer<uint32_t>(&e, &want, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, cuts);
    prefer<uint32_t>(&e, &want, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, (uint32_t)k->align_b);
    prefer<uint32_t>(&e, &want, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, (uint32_t)k->align_a);
    prefer<uint32_t>(&e, &want, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, (uint32_t)k->align_c);
    prefer<uint32_t>(&e, &want, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, (uint32_t)k->align_c);
    if (e == CUBLAS_STATUS_SUCCESS)
        e = cublasLtMatmulAlgoGetHeuristic(d->blas->handle, &plan->how, &plan->a, &plan->b, &plan->c, &plan->c, &want,
                                           MDM_PLAN_CANDIDATES, at, &found);
    for (int i = 0; e == CUBLAS_STATUS_SUCCESS && i < found; i++)
        if (at[i].state == CUBLAS_STATUS_SUCCESS && at[i].workspaceSize <= MDM_PLAN_WORKSPACE)
            at[good++] = at[i];
    return good;
}

int mdm_plan_serves(struct mdm_cuda *d, struct mdm_plan *plan, const cublasLtMatmulAlgo_t *algorithm)
{
    cublasLtMatmulHeuristicResult_t r;
    const cublasStatus_t e =
        cublasLtMatmulAlgoCheck(d->blas->handle, &plan->how, &plan->a, &plan->b, &plan->c, &plan->c, algorithm, &r);

    return e == CUBLAS_STATUS_SUCCESS && r.workspaceSize <= MDM_PLAN_WORKSPACE;
}

/* The first algorithm that the heuristic names for `asked` rows of c and that serves `served`: whether there is one.
 */
static int choose(struct mdm_cuda *d, struct mdm_plan *plan, int64_t asked, int64_t served, const void *bias)
{
    cublasLtMatmulHeuristicResult_t at[MDM_PLAN_CANDIDATES];
    int n;

    MDM_CUDA_TRY(mdm_plan_describe(d, plan, asked, bias));
    n = mdm_plan_ask(d, plan, at);
    MDM_CUDA_TRY(mdm_plan_describe(d, plan, served, bias));
    for (int i = 0; i < n; i++)
        if (asked == served || mdm_plan_serves(d, plan, &at[i].algo)) {
            plan->algorithm = at[i].algo;
            plan->workspace = at[i].workspaceSize;
            return 1;
        }
    return 0;
}

/* The algorithm of one image's rows, which all of them get. Of few rows it is what serves more of them too; that of a
 * single one would be a product with a vector. */
static int choose_for_one(struct mdm_cuda *d, struct mdm_plan *plan, const void *bias)
{
    const int64_t group = plan->key.group;
    int found = 0;

    if (group < FEW)
        MDM_CUDA_TRY(found = choose(d, plan, FEW, group, bias));
    return found ? found : choose(d, plan, group, group, bias);
}

int mdm_plan_make(struct mdm_cuda *d, struct mdm_plan *plan, const struct mdm_cuda_product *p)
{
    const struct mdm_plan_key *k = &plan->key;
    int found = 0;

    for (int after = 0; !found && after <= k->biased; after++) {
        plan->bias_after = after;
        MDM_CUDA_TRY(found = k->group ? choose_for_one(d, plan, p->bias) : choose(d, plan, k->m, k->m, p->bias));
    }
    plan->plain = !found;
    if (!found)
        return MASKDM_OK;
    MDM_CUDA_TRY(mdm_plan_describe(d, plan, k->m, p->bias));
    plan->parts = mdm_plan_parts(d, plan);
    if (plan->parts)
        return MASKDM_OK;
    plan->each = k->group && k->group < k->m && !mdm_plan_serves(d, plan, &plan->algorithm);
    return d->blas->tuned && !plan->each ? mdm_plan_tune(d, plan, p) : MASKDM_OK;
}

cublasStatus_t mdm_plan_run(struct mdm_cuda *d, struct mdm_plan *plan, const cublasLtMatmulAlgo_t *algorithm,
                            const struct mdm_cuda_product *p)
{
    const float scale = p->scaled ? p->scale : 1, factor = p->plus ? p->factor : p->add ? 1 : 0;

    return cublasLtMatmul(d->blas->handle, &plan->how, &scale, p->b, &plan->a, p->a, &plan->b, &factor,
                          p->plus ? p->plus : p->c, &plan->c, p->c, &plan->c, algorithm, d->blas->workspace,
                          MDM_PLAN_WORKSPACE, d->stream);
}
