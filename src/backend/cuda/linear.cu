/* SPDX-License-Identifier: BSD-2-Clause
 *
 * linear, linear_silu, linear2: y = f([x|s] w' + b), where s is the second operand of linear2 and f is SiLU in
 * linear_silu, else the identity. Two operands are two products over the two column blocks of w, so nothing is
 * concatenated; in bf16 the first of them is rounded before the second is added to it.
 */
#include "backend/cuda/kernel.cuh"
#include "backend/cuda/layer.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 256 };

/* Operands are inputs 0 .. operands-1, then w, then b. */
struct linear {
    int operands, w, b;
    int64_t rows, width[2], column[2], in, out; /* column: where an operand's block begins in a row of w */
};

static struct linear read_shapes(const struct mdm_call *c, int operands)
{
    struct linear l = {};

    l.operands = operands;
    l.w = operands;
    l.b = operands + 1;
    for (int k = 0; k < operands; k++) {
        l.width[k] = mdm_cuda_last(c->in_shape[k]);
        l.column[k] = l.in;
        l.in += l.width[k];
    }
    l.rows = mdm_cuda_rows(c->out_shape[0]);
    l.out = mdm_cuda_last(c->out_shape[0]);
    return l;
}

/* ---- forward ---- */

static struct mdm_cuda_layer layer_of(const struct linear *l, int operand, enum mdm_dtype type, int64_t group)
{
    return {l->rows, l->width[operand], l->out, l->in, group, type};
}

template <class T>
static int multiply(struct mdm_cuda *d, const struct mdm_call *c, const struct linear *l, void *y, enum mdm_dtype out,
                    const void *bias)
{
    for (int k = 0; k < l->operands; k++) {
        const struct mdm_cuda_layer layer = layer_of(l, k, mdm_type_of<T>(), c->row_group);

        MDM_CUDA_TRY(mdm_cuda_layer_forward(d, &layer, y, out, c->in[k], (const T *)c->in[l->w] + l->column[k],
                                            k == 0 ? bias : NULL, k > 0));
    }
    return MASKDM_OK;
}

template <class T, int OPERANDS> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const struct linear l = read_shapes(c, OPERANDS);

    return multiply<T>(mdm_cuda_of(b), c, &l, c->out[0], mdm_type_of<T>(), c->in[l.b]);
}

/* pre is float whatever T is. */
template <class T>
static __global__ void activate(T *y, float *pre, const T *bias, int64_t n, int64_t columns, int keep)
{
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x) {
        const float x = pre[i] + (bias ? mdm_float(bias[i % columns]) : 0.0f);

        if (keep)
            pre[i] = x;
        y[i] = mdm_round<T>(x / (1 + expf(-x)));
    }
}

template <class T> static int silu_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const struct linear l = read_shapes(c, 1);
    float *pre = (float *)(c->out[1] ? c->out[1] : c->scratch);
    const int64_t n = l.rows * l.out;

    MDM_CUDA_TRY(multiply<T>(d, c, &l, pre, MDM_F32, NULL));
    return mdm_cuda_launch(d, "linear_silu", activate<T>, mdm_cuda_grid(d, n, BLOCK), BLOCK, 0, (T *)c->out[0], pre,
                           (const T *)c->in[l.b], n, l.out, c->out[1] != NULL);
}

/* ---- backward: dpre = dy f'(pre), dx = dpre w, dw += dpre' x, db += the column sums of dpre ---- */

template <class T> static __global__ void deactivate(T *dpre, const float *pre, const T *dy, int64_t n)
{
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x) {
        const float s = 1 / (1 + expf(-pre[i]));

        dpre[i] = mdm_round<T>(mdm_float(dy[i]) * s * (1 + pre[i] * (1 - s)));
    }
}

/* A gradient of zero of every input that is written. */
template <class T> static int clear(struct mdm_cuda *d, const struct mdm_call *c, const struct linear *l)
{
    for (int i = 0; i <= l->b; i++)
        if (c->din[i] && !c->add[i]) {
            const size_t size = i < l->operands ? sizeof(T) : sizeof(float);

            MDM_CUDA_TRY(mdm_cuda_check(
                d, cudaMemsetAsync(c->din[i], 0, (size_t)mdm_cuda_numel(c->in_shape[i]) * size, d->stream),
                "gradients of zero"));
        }
    return MASKDM_OK;
}

template <class T, int OPERANDS, int ACTIVATED> static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const struct linear l = read_shapes(c, OPERANDS);
    const int64_t n = l.rows * l.out;
    const T *dpre = (const T *)c->dout[0];
    unsigned char *parts = (unsigned char *)c->scratch;

    if (!dpre)
        return clear<T>(d, c, &l);
    if (ACTIVATED) {
        MDM_CUDA_TRY(mdm_cuda_launch(d, "linear_silu", deactivate<T>, mdm_cuda_grid(d, n, BLOCK), BLOCK, 0,
                                     (T *)c->scratch, (const float *)c->out[1], dpre, n));
        dpre = (const T *)c->scratch;
        parts += mdm_cuda_align((size_t)n * sizeof(T));
    }
    for (int k = 0; k < OPERANDS; k++) {
        const struct mdm_cuda_layer layer = layer_of(&l, k, mdm_type_of<T>(), c->row_group);
        float *const dw = (float *)c->din[l.w];

        if (k == 0)
            MDM_CUDA_TRY(mdm_cuda_layer_bias(d, &layer, c->din[l.b], dpre, c->add[l.b], parts));
        MDM_CUDA_TRY(
            mdm_cuda_layer_input(d, &layer, c->din[k], dpre, (const T *)c->in[l.w] + l.column[k], c->add[k]));
        MDM_CUDA_TRY(mdm_cuda_layer_weight(d, &layer, dw ? dw + l.column[k] : NULL, dpre, c->in[k], c->add[l.w]));
    }
    return MASKDM_OK;
}

template <class T, int OPERANDS, int ACTIVATED>
static size_t scratch(const struct mdm_backend *, const struct mdm_call *c, int train)
{
    const struct linear l = read_shapes(c, OPERANDS);
    const size_t n = (size_t)(l.rows * l.out), pre = ACTIVATED ? n * sizeof(float) : 0;
    size_t bytes = 0;

    if (!train)
        return pre;
    if (ACTIVATED)
        bytes += mdm_cuda_align(n * sizeof(T));
    if (c->in_shape[l.b])
        bytes += mdm_cuda_sums_scratch(1, l.rows, l.out);
    return bytes > pre ? bytes : pre;
}

template <class T> static void add_kernels(struct mdm_kernel *k)
{
    k[MDM_OP_LINEAR].forward = forward<T, 1>;
    k[MDM_OP_LINEAR].backward = backward<T, 1, 0>;
    k[MDM_OP_LINEAR].scratch = scratch<T, 1, 0>;
    k[MDM_OP_LINEAR_SILU].forward = silu_forward<T>;
    k[MDM_OP_LINEAR_SILU].backward = backward<T, 1, 1>;
    k[MDM_OP_LINEAR_SILU].scratch = scratch<T, 1, 1>;
    k[MDM_OP_LINEAR2].forward = forward<T, 2>;
    k[MDM_OP_LINEAR2].backward = backward<T, 2, 0>;
    k[MDM_OP_LINEAR2].scratch = scratch<T, 2, 0>;
}

int mdm_cuda_add_linear(struct mdm_cuda *d)
{
    add_kernels<float>(d->kernel[0]);
    add_kernels<mdm_bf16>(d->kernel[1]);
    return MASKDM_OK;
}
