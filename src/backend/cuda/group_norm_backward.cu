/* SPDX-License-Identifier: BSD-2-Clause
 *
 * group_norm backward. With dz the gradient before silu, h = (x - mean) rstd and g = dz w factor, as of every norm
 * dx = rstd (g - avg g - h avg(g h)), the averages over a group.
 */
#include "backend/cuda/group_norm.cuh"

enum { BLOCK = MDM_COLUMNS_BLOCK, TEAM = 128, MANY = 2 };

template <class T, int V> struct rows {
    mdm_few<T, V> x[MANY], dy[MANY], old[MANY];
};

/* Rows from `row` on of the block's strip, those behind `to` excepted; what stands in dx where it is wanted. */
template <class T, int V>
static __device__ __forceinline__ void load_rows(struct rows<T, V> *r, const struct mdm_group &j,
                                                 const struct mdm_seat &s, int64_t row, int64_t to, int add)
{
    typedef mdm_few<T, V> F;

#pragma unroll
    for (int k = 0; k < MANY; k++) {
        const int64_t at = (row + k * j.columns.walkers) * j.channels + s.column;
        if (row + k * j.columns.walkers >= to)
            break;
        r->x[k] = *(const F *)((const T *)j.x + at);
        r->dy[k] = *(const F *)((const T *)j.dy + at);
        if (add)
            r->old[k] = *(const F *)((const T *)j.dx + at);
    }
}

/* dz of a value, of which x is less its mean. */
template <int V>
static __device__ __forceinline__ float unsilu(const struct mdm_group &j, const mdm_group_affine<V> &a, int i,
                                               float x, float dy)
{
    return j.silu ? dy * mdm_silu::slope(fmaf(x, a.scale[i], a.shift[i])) : dy;
}

/* A strip's sums of dz and of dz (x - mean). */
template <class T, int V> static __global__ void __launch_bounds__(BLOCK) sum_strip(const struct mdm_group j)
{
    __shared__ float room[BLOCK * V];
    const struct mdm_seat s = mdm_columns_seat<V>(j.columns);
    const int step = j.columns.walkers;
    float plain[V] = {}, moment[V] = {};
    mdm_group_affine<V> a;
    int64_t from, to, column, image = mdm_group_strip(j, blockIdx.x, &from, &to);

    if (s.works)
        mdm_group_load<T, V>(&a, j, image, s.column);
    for (int64_t row = from + s.walker; s.works && row < to; row += MANY * step) {
        struct rows<T, V> r;

        load_rows(&r, j, s, row, to, 0);
#pragma unroll
        for (int k = 0; k < MANY; k++) {
            if (row + k * step >= to)
                break;
#pragma unroll
            for (int i = 0; i < V; i++) {
                const float x = mdm_float(r.x[k].v[i]) - a.mean[i];
                const float dz = unsilu<V>(j, a, i, x, mdm_float(r.dy[k].v[i]));
                plain[i] += dz;
                moment[i] += dz * x;
            }
        }
    }
    plain[0] = mdm_columns_meet<V>(plain, j.columns, room, &column);
    moment[0] = mdm_columns_meet<V>(moment, j.columns, room, &column);
    if (column < 0)
        return;
    j.part[(int64_t)blockIdx.x * 2 * j.channels + column] = plain[0];
    j.part[((int64_t)blockIdx.x * 2 + 1) * j.channels + column] = moment[0];
}

/* Of a group its channels' sums, the second one times rstd, and what stands in
 * dx = dz w factor rstd + (x - mean) at + by. */
template <class T> static __global__ void __launch_bounds__(TEAM) meet_sums(const struct mdm_group j)
{
    __shared__ double room[MDM_WARP];
    const int64_t group = blockIdx.x, image = group / j.groups, first = group % j.groups * j.wide;
    const float *part = j.part + image * j.strips * 2 * j.channels;
    const double rstd = (double)j.stats[group * 2 + 1], n = (double)(j.wide * j.pixels);
    double g = 0, gh = 0;

    for (int64_t c = first + threadIdx.x; c < first + j.wide; c += TEAM) {
        const double w = (double)(mdm_group_weight<T>(j, c) * mdm_group_factor<T>(j, image, c));
        double plain = 0, moment = 0;

#pragma unroll 4
        for (int64_t p = 0; p < j.strips; p++) {
            plain += (double)part[p * 2 * j.channels + c];
            moment += (double)part[(p * 2 + 1) * j.channels + c];
        }
        j.sums[image * 2 * j.channels + c] = (float)plain;
        j.sums[(image * 2 + 1) * j.channels + c] = (float)(moment * rstd);
        g += w * plain;
        gh += w * moment * rstd;
    }
    g = mdm_group_sum(g, room);
    gh = mdm_group_sum(gh, room);
    if (threadIdx.x > 0)
        return;
    j.coefficients[group * 2] = (float)(-rstd * rstd * gh / n);
    j.coefficients[group * 2 + 1] = (float)(-rstd * g / n);
}

template <class T, int V> static __global__ void __launch_bounds__(BLOCK) spread(const struct mdm_group j)
{
    const struct mdm_seat s = mdm_columns_seat<V>(j.columns);
    const int step = j.columns.walkers;
    mdm_group_affine<V> a;
    float at[V], by[V];
    int64_t from, to, image;

    if (!s.works)
        return;
    image = mdm_group_strip(j, mdm_group_again(), &from, &to);
    mdm_group_load<T, V>(&a, j, image, s.column);
#pragma unroll
    for (int i = 0; i < V; i++) {
        const float *k = j.coefficients + (image * j.groups + (s.column + i) / j.wide) * 2;
        at[i] = k[0];
        by[i] = k[1];
    }
    for (int64_t row = from + s.walker; row < to; row += MANY * step) {
        struct rows<T, V> r;

        load_rows(&r, j, s, row, to, j.add);
#pragma unroll
        for (int k = 0; k < MANY; k++) {
            if (row + k * step >= to)
                break;
#pragma unroll
            for (int i = 0; i < V; i++) {
                const float x = mdm_float(r.x[k].v[i]) - a.mean[i];
                const float dz = unsilu<V>(j, a, i, x, mdm_float(r.dy[k].v[i]));
                const float d = fmaf(dz, a.scale[i], fmaf(x, at[i], by[i]));
                r.dy[k].v[i] = mdm_round<T>(j.add ? mdm_float(r.old[k].v[i]) + d : d);
            }
            *(mdm_few<T, V> *)((T *)j.dx + (row + k * step) * j.channels + s.column) = r.dy[k];
        }
    }
}

/* Gradients of the channels' own numbers, from the images' sums; any may be NULL. Rows of threads share the images,
 * and meet in order. */
struct affine {
    struct mdm_group j;
    float *dw, *db;
    void *dm;
    int add_w, add_b, add_m;
};

template <class T> static __global__ void __launch_bounds__(BLOCK) affine_gradient(const struct affine a)
{
    __shared__ double room[2][BLOCK / MDM_WARP][MDM_WARP];
    const struct mdm_group &j = a.j;
    const int lane = threadIdx.x % MDM_WARP, team = threadIdx.x / MDM_WARP;
    const int64_t c = (int64_t)blockIdx.x * MDM_WARP + lane;
    double dw = 0, db = 0;

    for (int64_t b = team; c < j.channels && b < j.images; b += BLOCK / MDM_WARP) {
        const float plain = j.sums[b * 2 * j.channels + c], moment = j.sums[(b * 2 + 1) * j.channels + c];
        const double factor = (double)mdm_group_factor<T>(j, b, c);
        T *dm = (T *)a.dm + b * 2 * j.channels + c;

        dw += factor * (double)moment;
        db += factor * (double)plain;
        if (!a.dm)
            continue;
        mdm_put(dm, fmaf(moment, mdm_group_weight<T>(j, c), j.b ? plain * mdm_float(((const T *)j.b)[c]) : 0.0f),
                a.add_m);
        mdm_put(dm + j.channels, plain, a.add_m);
    }
    room[0][team][lane] = dw;
    room[1][team][lane] = db;
    __syncthreads();
    if (team > 0 || c >= j.channels)
        return;
    for (int i = 1; i < BLOCK / MDM_WARP; i++) {
        dw += room[0][i][lane];
        db += room[1][i][lane];
    }
    if (a.dw)
        mdm_put(a.dw + c, (float)dw, a.add_w);
    if (a.db)
        mdm_put(a.db + c, (float)db, a.add_b);
}

template <class T> static int backward(struct mdm_cuda *d, const struct affine *a)
{
    const char *what = "group_norm's gradient";
    const struct mdm_group *j = &a->j;
    const int pack = mdm_pack<T>::N;

    MDM_CUDA_TRY(mdm_group_launch(d, what, sum_strip<T, mdm_pack<T>::N>, sum_strip<T, 1>, j, pack));
    MDM_CUDA_TRY(mdm_cuda_launch(d, what, meet_sums<T>, dim3((unsigned)(j->images * j->groups)), TEAM, 0, *j));
    if (j->dx)
        MDM_CUDA_TRY(mdm_group_launch(d, what, spread<T, mdm_pack<T>::N>, spread<T, 1>, j, pack));
    if (!a->dw && !a->db && !a->dm)
        return MASKDM_OK;
    return mdm_cuda_launch(d, what, affine_gradient<T>, dim3((unsigned)mdm_cuda_pieces(j->channels, MDM_WARP)), BLOCK,
                           0, *a);
}

int mdm_cuda_group_norm_backward(struct mdm_backend *b, const struct mdm_call *c, int silu)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    struct affine a = {};

    if (!c->dout[0])
        return mdm_cuda_clear_gradients(d, c, MDM_GROUP_X, MDM_GROUP_M, 1u << MDM_GROUP_W | 1u << MDM_GROUP_B);
    a.j = mdm_group_read(c, silu);
    a.dw = (float *)c->din[MDM_GROUP_W];
    a.db = (float *)c->din[MDM_GROUP_B];
    a.dm = c->din[MDM_GROUP_M];
    a.add_w = c->add[MDM_GROUP_W];
    a.add_b = c->add[MDM_GROUP_B];
    a.add_m = c->add[MDM_GROUP_M];
    return c->dtype == MDM_BF16 ? backward<mdm_bf16>(d, &a) : backward<float>(d, &a);
}
