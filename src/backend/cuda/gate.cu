/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gate_add: y = x + gate r, where gate is columns of the image's row of m.
 */
#include "backend/cuda/columns.cuh"
#include "backend/cuda/table.cuh"

/* Rows whose packs are asked for together. */
enum { BLOCK = MDM_COLUMNS_BLOCK, MANY = 4, FEW = 2 };

struct gate {
    const void *x, *r, *m, *dy;
    void *y, *dx, *dr;
    int add_x, add_r;
    float *part;           /* [parts,d] */
    int64_t width, column; /* of m */
    struct mdm_cuda_parts parts;
    struct mdm_columns columns;
};

static struct gate read_call(const struct mdm_call *c)
{
    const int64_t *d = c->in_shape[0]->d;
    struct gate j = {};

    j.x = c->in[0];
    j.r = c->in[1];
    j.m = c->in[2];
    j.y = c->out[0];
    j.dy = c->dout[0];
    j.dx = c->din[0];
    j.dr = c->din[1];
    j.add_x = c->add[0];
    j.add_r = c->add[1];
    j.part = (float *)c->scratch;
    j.width = c->in_shape[2]->d[1];
    j.column = c->attr[0];
    j.parts = mdm_cuda_cut(d[0], d[1]);
    j.columns.width = d[2];
    return j;
}

template <class T, int V>
static __device__ __forceinline__ void load_gate(float *gate, const struct gate &j, const struct mdm_seat &s)
{
    const int64_t image = blockIdx.x / j.parts.each;
    mdm_few<T, V> few = {};

    if (s.works)
        few = *(const mdm_few<T, V> *)((const T *)j.m + image * j.width + j.column + s.column);
#pragma unroll
    for (int i = 0; i < V; i++)
        gate[i] = mdm_float(few.v[i]);
}

template <class T, int V> static __global__ void __launch_bounds__(BLOCK) gate_rows(const struct gate j)
{
    typedef mdm_few<T, V> F;
    const struct mdm_seat s = mdm_columns_seat<V>(j.columns);
    const int step = j.columns.walkers;
    int64_t from, to;
    float gate[V];

    load_gate<T, V>(gate, j, s);
    mdm_part_rows(j.parts, blockIdx.x, &from, &to);
    for (int64_t row = from + s.walker; s.works && row < to; row += MANY * step) {
        F x[MANY], r[MANY];

#pragma unroll
        for (int k = 0; k < MANY; k++) {
            const int64_t at = (row + k * step) * j.columns.width + s.column;
            if (row + k * step >= to)
                break;
            x[k] = *(const F *)((const T *)j.x + at);
            r[k] = *(const F *)((const T *)j.r + at);
        }
#pragma unroll
        for (int k = 0; k < MANY; k++) {
            F y;
            if (row + k * step >= to)
                break;
#pragma unroll
            for (int i = 0; i < V; i++)
                y.v[i] = mdm_round<T>(fmaf(gate[i], mdm_float(r[k].v[i]), mdm_float(x[k].v[i])));
            *(F *)((T *)j.y + (row + k * step) * j.columns.width + s.column) = y;
        }
    }
}

template <class T, int V>
static __device__ __forceinline__ void put(void *to, int64_t at, const float *g, int add, const mdm_few<T, V> &old)
{
    mdm_few<T, V> out;

#pragma unroll
    for (int i = 0; i < V; i++)
        out.v[i] = mdm_round<T>(add ? g[i] + mdm_float(old.v[i]) : g[i]);
    *(mdm_few<T, V> *)((T *)to + at) = out;
}

template <class T, int V> static __global__ void __launch_bounds__(BLOCK) ungate_rows(const struct gate j)
{
    typedef mdm_few<T, V> F;
    __shared__ float room[BLOCK * V];
    const struct mdm_seat s = mdm_columns_seat<V>(j.columns);
    const int step = j.columns.walkers;
    int64_t from, to, column;
    float gate[V], sum[V] = {};

    load_gate<T, V>(gate, j, s);
    mdm_part_rows(j.parts, blockIdx.x, &from, &to);
    for (int64_t row = from + s.walker; s.works && row < to; row += FEW * step) {
        F dy[FEW], r[FEW], dx[FEW], dr[FEW];

#pragma unroll
        for (int k = 0; k < FEW; k++) {
            const int64_t at = (row + k * step) * j.columns.width + s.column;
            if (row + k * step >= to)
                break;
            dy[k] = *(const F *)((const T *)j.dy + at);
            r[k] = *(const F *)((const T *)j.r + at);
            if (j.dx && j.add_x)
                dx[k] = *(const F *)((const T *)j.dx + at);
            if (j.dr && j.add_r)
                dr[k] = *(const F *)((const T *)j.dr + at);
        }
#pragma unroll
        for (int k = 0; k < FEW; k++) {
            const int64_t at = (row + k * step) * j.columns.width + s.column;
            float g[V], gated[V];
            if (row + k * step >= to)
                break;
#pragma unroll
            for (int i = 0; i < V; i++) {
                g[i] = mdm_float(dy[k].v[i]);
                gated[i] = g[i] * gate[i];
                sum[i] = fmaf(g[i], mdm_float(r[k].v[i]), sum[i]);
            }
            if (j.dx)
                put<T, V>(j.dx, at, g, j.add_x, dx[k]);
            if (j.dr)
                put<T, V>(j.dr, at, gated, j.add_r, dr[k]);
        }
    }
    sum[0] = mdm_columns_meet<V>(sum, j.columns, room, &column);
    if (column >= 0)
        j.part[blockIdx.x * j.columns.width + column] = sum[0];
}

/* Packs, where rows and what is read of m come in them. */
template <class T> static int in_packs(const struct gate *j)
{
    const int64_t n = mdm_pack<T>::N;

    return j->columns.width % n == 0 && j->width % n == 0 && j->column % n == 0;
}

template <class T> static int launch(struct mdm_cuda *d, struct gate *j, int back)
{
    typedef void (*kernel)(const struct gate);
    enum { N = mdm_pack<T>::N };
    static const kernel row[2][2] = {{gate_rows<T, 1>, gate_rows<T, N>}, {ungate_rows<T, 1>, ungate_rows<T, N>}};
    const int packs = in_packs<T>(j), v = packs ? N : 1;

    j->columns = mdm_columns_cut(j->columns.width, v);
    return mdm_cuda_launch(d, back ? "a gate's gradient" : "a gate", row[back][packs],
                           mdm_columns_grid(&j->columns, j->parts.images * j->parts.each, v), BLOCK, 0, *j);
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct gate j = read_call(c);

    return c->dtype == MDM_BF16 ? launch<mdm_bf16>(mdm_cuda_of(b), &j, 0) : launch<float>(mdm_cuda_of(b), &j, 0);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    struct gate j = read_call(c);
    struct mdm_cuda_meet_images rows = {};

    if (!j.dy)
        return mdm_cuda_clear_gradients(d, c, 0, 2, 0);
    MDM_CUDA_TRY(c->dtype == MDM_BF16 ? launch<mdm_bf16>(d, &j, 1) : launch<float>(d, &j, 1));
    rows.part = j.part;
    rows.parts = j.parts;
    rows.d = j.columns.width;
    rows.width = j.width;
    rows.column[0] = j.column;
    rows.sums = 1;
    rows.dm = c->din[2];
    rows.add = c->add[2];
    return c->din[2] ? mdm_cuda_meet_images(d, c->dtype, &rows) : MASKDM_OK;
}

static size_t scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    const struct gate j = read_call(c);

    (void)b;
    return train ? mdm_cuda_parts_bytes(&j.parts, 1, j.columns.width) : 0;
}

int mdm_cuda_add_gate(struct mdm_cuda *d)
{
    for (int i = 0; i < 2; i++) {
        d->kernel[i][MDM_OP_GATE_ADD].forward = forward;
        d->kernel[i][MDM_OP_GATE_ADD].backward = backward;
        d->kernel[i][MDM_OP_GATE_ADD].scratch = scratch;
    }
    return MASKDM_OK;
}
