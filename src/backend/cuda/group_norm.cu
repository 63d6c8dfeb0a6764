/* SPDX-License-Identifier: BSD-2-Clause
 *
 * group_norm and group_norm_silu: each channel of an image less its group's mean, over its deviation, times a scale
 * plus a shift, which an image may have of its own. Of each strip come the mean of a channel and the squares about it
 * (Chan, Golub and LeVeque 1983); a thread keeps what it has read, so that values are read once and nothing cancels.
 */
#include "backend/cuda/group_norm.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = MDM_COLUMNS_BLOCK, TEAM = 128, MANY = 4 };

/* A strip's mean of each channel and the squares about it. */
template <class T, int V> static __global__ void __launch_bounds__(BLOCK) measure(const struct mdm_group j)
{
    typedef mdm_few<T, V> F;
    __shared__ float room[BLOCK * V], mean[BLOCK];
    const struct mdm_seat s = mdm_columns_seat<V>(j.columns);
    const int step = j.columns.walkers, first = threadIdx.x % j.columns.many * V;
    F x[MDM_GROUP_ROWS] = {};
    float sum[V] = {}, square[V] = {}, all;
    int64_t from, to, column;

    mdm_group_strip(j, blockIdx.x, &from, &to);
#pragma unroll
    for (int k = 0; k < MDM_GROUP_ROWS; k++)
        if (s.works && from + s.walker + k * step < to)
            x[k] = *(const F *)((const T *)j.x + (from + s.walker + k * step) * j.channels + s.column);
#pragma unroll
    for (int k = 0; k < MDM_GROUP_ROWS; k++)
#pragma unroll
        for (int i = 0; i < V; i++)
            sum[i] += mdm_float(x[k].v[i]);
    all = mdm_columns_meet<V>(sum, j.columns, room, &column) / (float)(to - from);
    mean[threadIdx.x] = all;
    __syncthreads();
#pragma unroll
    for (int k = 0; k < MDM_GROUP_ROWS; k++)
#pragma unroll
        for (int i = 0; i < V; i++) {
            const float away = mdm_float(x[k].v[i]) - mean[first + i];
            if (from + s.walker + k * step < to)
                square[i] += away * away;
        }
    square[0] = mdm_columns_meet<V>(square, j.columns, room, &column);
    if (column < 0)
        return;
    j.part[(int64_t)blockIdx.x * 2 * j.channels + column] = all;
    j.part[((int64_t)blockIdx.x * 2 + 1) * j.channels + column] = square[0];
}

/* One group of one image: the mean first, and then the squares about that. */
static __global__ void __launch_bounds__(TEAM) meet_strips(const struct mdm_group j)
{
    __shared__ double room[MDM_WARP];
    const int64_t group = blockIdx.x, image = group / j.groups, items = j.strips * j.wide;
    const float *part = j.part + image * j.strips * 2 * j.channels + group % j.groups * j.wide;
    const double n = (double)(j.pixels * j.wide);
    double mean = 0, square = 0;

    for (int64_t k = threadIdx.x; k < items; k += TEAM) {
        const int64_t p = k / j.wide, left = j.pixels - p * j.strip;
        mean += (double)part[p * 2 * j.channels + k % j.wide] * (double)(left < j.strip ? left : j.strip);
    }
    mean = mdm_group_sum(mean, room) / n;
    for (int64_t k = threadIdx.x; k < items; k += TEAM) {
        const int64_t p = k / j.wide, left = j.pixels - p * j.strip;
        const double away = (double)part[p * 2 * j.channels + k % j.wide] - mean;
        square += (double)part[(p * 2 + 1) * j.channels + k % j.wide] +
                  away * away * (double)(left < j.strip ? left : j.strip);
    }
    square = mdm_group_sum(square, room);
    if (threadIdx.x > 0)
        return;
    j.stats[group * 2] = (float)mean;
    j.stats[group * 2 + 1] = (float)(1 / sqrt(square / n + (double)j.epsilon));
}

template <class T, int V> static __global__ void __launch_bounds__(BLOCK) apply(const struct mdm_group j)
{
    typedef mdm_few<T, V> F;
    const struct mdm_seat s = mdm_columns_seat<V>(j.columns);
    const int step = j.columns.walkers;
    mdm_group_affine<V> a;
    int64_t from, to, image;

    if (!s.works)
        return;
    image = mdm_group_strip(j, mdm_group_again(), &from, &to);
    mdm_group_load<T, V>(&a, j, image, s.column);
    for (int64_t row = from + s.walker; row < to; row += MANY * step) {
        F x[MANY];

#pragma unroll
        for (int k = 0; k < MANY; k++)
            if (row + k * step < to)
                x[k] = *(const F *)((const T *)j.x + (row + k * step) * j.channels + s.column);
#pragma unroll
        for (int k = 0; k < MANY; k++) {
            if (row + k * step >= to)
                break;
#pragma unroll
            for (int i = 0; i < V; i++) {
                const float z = fmaf(mdm_float(x[k].v[i]) - a.mean[i], a.scale[i], a.shift[i]);
                x[k].v[i] = mdm_round<T>(j.silu ? mdm_silu::value(z) : z);
            }
            *(F *)((T *)j.y + (row + k * step) * j.channels + s.column) = x[k];
        }
    }
}

template <class T> static int measure_all(struct mdm_cuda *d, const struct mdm_group *j)
{
    MDM_CUDA_TRY(
        mdm_group_launch(d, "a group's statistics", measure<T, mdm_pack<T>::N>, measure<T, 1>, j, mdm_pack<T>::N));
    return mdm_cuda_launch(d, "a group's statistics", meet_strips, dim3((unsigned)(j->images * j->groups)), TEAM, 0,
                           *j);
}

template <class T> static int apply_all(struct mdm_cuda *d, const struct mdm_group *j)
{
    return mdm_group_launch(d, "group_norm", apply<T, mdm_pack<T>::N>, apply<T, 1>, j, mdm_pack<T>::N);
}

template <int SILU> static int remake(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const struct mdm_group j = mdm_group_read(c, SILU);

    return c->dtype == MDM_BF16 ? apply_all<mdm_bf16>(d, &j) : apply_all<float>(d, &j);
}

template <int SILU> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    struct mdm_group j = mdm_group_read(c, SILU);

    if (!j.stats)
        j.stats = j.coefficients;
    if (c->dtype == MDM_BF16) {
        MDM_CUDA_TRY(measure_all<mdm_bf16>(d, &j));
        return apply_all<mdm_bf16>(d, &j);
    }
    MDM_CUDA_TRY(measure_all<float>(d, &j));
    return apply_all<float>(d, &j);
}

template <int SILU> static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return mdm_cuda_group_norm_backward(b, c, SILU);
}

static size_t scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    const struct mdm_group j = mdm_group_read(c, 0);

    (void)b;
    return (size_t)(j.images * (j.strips * 2 * j.channels + j.groups * 2 + (train ? 2 * j.channels : 0))) *
           sizeof(float);
}

template <int SILU> static void add_kernel(struct mdm_kernel *k)
{
    k->forward = forward<SILU>;
    k->backward = backward<SILU>;
    k->scratch = scratch;
    k->remake = remake<SILU>;
}

int mdm_cuda_add_group_norm(struct mdm_cuda *d)
{
    for (int i = 0; i < 2; i++) {
        add_kernel<0>(&d->kernel[i][MDM_OP_GROUP_NORM]);
        add_kernel<1>(&d->kernel[i][MDM_OP_GROUP_NORM_SILU]);
    }
    return MASKDM_OK;
}
