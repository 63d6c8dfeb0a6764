/* SPDX-License-Identifier: BSD-2-Clause
 *
 * qkv_bias: y = x + [q|0|v], whose biases get the sums of the query and value thirds of each row.
 */
#include "backend/cuda/columns.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = MDM_COLUMNS_BLOCK, MANY = 4 };

struct bias {
    const void *x, *q, *v; /* backward: x is what came back */
    void *y;               /* or dx, to which it goes; may be NULL then */
    int add;
    float *part; /* [parts,2,d]; NULL: not wanted */
    int64_t d;
    struct mdm_cuda_parts parts;
    struct mdm_columns columns;
};

/* The bias of a seat's columns: NULL for keys and where there are none. V columns are all of one third. */
template <class T, int V>
static __device__ __forceinline__ void load_bias(float *bias, const struct bias &j, const struct mdm_seat &s)
{
    const T *from = (const T *)(s.column < j.d ? j.q : s.column < 2 * j.d ? NULL : j.v);
    mdm_few<T, V> few = {};

    if (from && s.works)
        few = *(const mdm_few<T, V> *)(from + s.column % j.d);
#pragma unroll
    for (int i = 0; i < V; i++)
        bias[i] = mdm_float(few.v[i]);
}

/* y (+)= x + bias, and the sums of x. */
template <class T, int V> static __global__ void __launch_bounds__(BLOCK) bias_rows(const struct bias j)
{
    typedef mdm_few<T, V> F;
    __shared__ float room[BLOCK * V];
    const struct mdm_seat s = mdm_columns_seat<V>(j.columns);
    const int step = j.columns.walkers;
    int64_t from, to, column;
    float bias[V], sum[V] = {};

    load_bias<T, V>(bias, j, s);
    mdm_part_rows(j.parts, blockIdx.x, &from, &to);
    for (int64_t row = from + s.walker; s.works && row < to; row += MANY * step) {
        F x[MANY], old[MANY];

#pragma unroll
        for (int k = 0; k < MANY; k++) {
            const int64_t at = (row + k * step) * j.columns.width + s.column;
            if (row + k * step >= to)
                break;
            x[k] = *(const F *)((const T *)j.x + at);
            if (j.add)
                old[k] = *(const F *)((const T *)j.y + at);
        }
#pragma unroll
        for (int k = 0; k < MANY; k++) {
            F out;
            if (row + k * step >= to)
                break;
#pragma unroll
            for (int i = 0; i < V; i++) {
                const float x1 = mdm_float(x[k].v[i]);
                sum[i] += x1;
                out.v[i] = mdm_round<T>(j.add ? mdm_float(old[k].v[i]) + x1 : x1 + bias[i]);
            }
            if (j.y)
                *(F *)((T *)j.y + (row + k * step) * j.columns.width + s.column) = out;
        }
    }
    if (!j.part)
        return;
    sum[0] = mdm_columns_meet<V>(sum, j.columns, room, &column);
    if (column >= 0 && column / j.d != 1)
        j.part[(2 * blockIdx.x + column / (2 * j.d)) * j.d + column % j.d] = sum[0];
}

template <class T> static int run(struct mdm_cuda *d, struct bias *j)
{
    typedef void (*kernel)(const struct bias);
    enum { N = mdm_pack<T>::N };
    const uintptr_t at = (uintptr_t)j->q | (uintptr_t)j->v;
    const int packs = j->d % N == 0 && at % 16 == 0, v = packs ? N : 1;
    const kernel row = packs ? (kernel)bias_rows<T, N> : (kernel)bias_rows<T, 1>;

    j->columns = mdm_columns_cut(3 * j->d, v);
    return mdm_cuda_launch(d, "qkv_bias", row, mdm_columns_grid(&j->columns, j->parts.each, v), BLOCK, 0, *j);
}

static struct bias read_call(const struct mdm_call *c)
{
    struct bias j = {};

    j.d = mdm_cuda_last(c->in_shape[0]) / 3;
    j.parts = mdm_cuda_cut(1, mdm_cuda_rows(c->in_shape[0]));
    return j;
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct bias j = read_call(c);

    j.x = c->in[0];
    j.q = c->in[1];
    j.v = c->in[2];
    j.y = c->out[0];
    return c->dtype == MDM_BF16 ? run<mdm_bf16>(mdm_cuda_of(b), &j) : run<float>(mdm_cuda_of(b), &j);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    struct bias j = read_call(c);
    struct mdm_cuda_meet meet = {};

    if (!c->dout[0])
        return mdm_cuda_clear_gradients(d, c, 0, 2, 3u << 1);
    j.x = c->dout[0];
    j.y = c->din[0];
    j.add = j.y && c->add[0];
    meet.part = j.part = c->din[1] || c->din[2] ? (float *)c->scratch : NULL;
    if (j.y || j.part)
        MDM_CUDA_TRY(c->dtype == MDM_BF16 ? run<mdm_bf16>(d, &j) : run<float>(d, &j));
    meet.parts = j.parts;
    meet.d = j.d;
    meet.sums = 2;
    for (int k = 0; k < 2; k++) {
        meet.dst[k] = (float *)c->din[1 + k];
        meet.add[k] = c->add[1 + k];
    }
    return j.part ? mdm_cuda_meet(d, c->dtype, &meet) : MASKDM_OK;
}

static size_t scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    const struct bias j = read_call(c);

    (void)b;
    return train ? mdm_cuda_parts_bytes(&j.parts, 2, j.d) : 0;
}

int mdm_cuda_add_qkv_bias(struct mdm_cuda *d)
{
    for (int i = 0; i < 2; i++) {
        d->kernel[i][MDM_OP_QKV_BIAS].forward = forward;
        d->kernel[i][MDM_OP_QKV_BIAS].backward = backward;
        d->kernel[i][MDM_OP_QKV_BIAS].scratch = scratch;
    }
    return MASKDM_OK;
}
