/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Norms of rows, backward. With h what was normed and g = dy w (1 + scale): dx = rstd (g - avg g - h avg(g h)), where
 * avg g is 0 with rms. A block walks a part of the rows with the sums of dy h and of dy in registers, and leaves
 * them.
 */
#include "backend/cuda/norm.cuh"

enum { BLOCK = MDM_NORM_WARPS * MDM_WARP, ANY = 256 };

/* What a column's dy counts. */
template <class T, class S>
static __device__ __forceinline__ void load_weights(float *w, const struct mdm_cuda_norm &j, int64_t image)
{
    const T *m = j.m ? (const T *)j.m + image * j.width + j.scale : NULL;

#pragma unroll
    for (int p = 0; p < S::PACKS; p++) {
        float scale[S::N];
#pragma unroll
        for (int i = 0; i < S::N; i++)
            w[p * S::N + i] = 0.0f;
        if (!S::has(j, p))
            continue;
        mdm_load_or(w + p * S::N, (const T *)j.w, S::column(p), 1.0f);
        mdm_load_or(scale, m, S::column(p), 0.0f);
#pragma unroll
        for (int i = 0; i < S::N; i++)
            w[p * S::N + i] *= 1.0f + scale[i];
    }
}

/* A gradient to be written: rstd (g - avg - h avg_h), and `more` where that comes from the sum. */
template <class T, class S> struct row_gradient {
    mdm_pack<T> x[S::PACKS], dy[S::PACKS], early[S::PACKS];
    float mean, rstd, avg, avg_h;
};

/* `early` is the gradient that joins: the sum's own, or else what stands in dx. It is asked for with the rest. */
template <class T, class S>
static __device__ __forceinline__ void load_gradient(struct row_gradient<T, S> *r, const struct mdm_cuda_norm &j,
                                                     int64_t row)
{
    const T *x = (const T *)(j.sum ? j.sum : j.x), *early = (const T *)(j.more ? j.more : j.add_x ? j.dx : NULL);
    const int64_t begin = row * S::width(j);

#pragma unroll
    for (int p = 0; p < S::PACKS; p++) {
        r->x[p] = mdm_pack_or_zeros(x, begin + S::column(p), S::has(j, p));
        r->dy[p] = mdm_pack_or_zeros((const T *)j.dy, begin + S::column(p), S::has(j, p));
        r->early[p] = mdm_pack_or_zeros(early, begin + S::column(p), early && S::has(j, p));
    }
    r->mean = j.rms ? 0.0f : j.stats[2 * row];
    r->rstd = j.rms ? j.stats[row] : j.stats[2 * row + 1];
}

template <class T>
static __device__ __forceinline__ void store_gradient(void *to, int64_t at, const float *g, int add)
{
    float old[mdm_pack<T>::N], out[mdm_pack<T>::N];

    mdm_load_or(old, add ? (const T *)to : NULL, at, 0.0f);
#pragma unroll
    for (int i = 0; i < mdm_pack<T>::N; i++)
        out[i] = g[i] + old[i];
    mdm_store((T *)to + at, out);
}

template <class T, class S>
static __device__ __forceinline__ void write_gradient(const struct row_gradient<T, S> &r, const float *w,
                                                      const struct mdm_cuda_norm &j, int64_t row)
{
    const int joins = j.more != NULL;

#pragma unroll
    for (int p = 0; p < S::PACKS; p++) {
        const int64_t at = row * S::width(j) + S::column(p);
        float g[S::N], both[S::N];
        if (!S::has(j, p))
            break;
#pragma unroll
        for (int i = 0; i < S::N; i++) {
            const float h = (mdm_float(r.x[p].v[i]) - r.mean) * r.rstd, early = mdm_float(r.early[p].v[i]);
            const float d = r.rstd * (w[p * S::N + i] * mdm_float(r.dy[p].v[i]) - r.avg - h * r.avg_h);
            both[i] = d + early;
            g[i] = joins ? both[i] : d;
        }
        if (j.dx)
            store_gradient<T>(j.dx, at, both, joins && j.add_x);
        if (j.dr)
            store_gradient<T>(j.dr, at, g, j.add_r);
    }
}

/* Sums of two values over a row. Of a warp both at once, so that neither waits for the other. */
template <int WARPS> static __device__ __forceinline__ void row_sums(float *a, float *b, float *room)
{
    *a = mdm_block_sum(*a, room);
    *b = mdm_block_sum(*b, room);
}
template <> __device__ __forceinline__ void row_sums<1>(float *a, float *b, float *)
{
#pragma unroll
    for (int i = MDM_WARP / 2; i > 0; i /= 2) {
        const float more_a = __shfl_xor_sync(0xffffffffu, *a, i), more_b = __shfl_xor_sync(0xffffffffu, *b, i);

        *a += more_a;
        *b += more_b;
    }
}

/* The warps of a block have summed rows of their own: their sums in order. */
template <class S>
static __device__ __forceinline__ void leave_sums(const float *sum, float *part, const struct mdm_cuda_norm &j,
                                                  float *room)
{
    const int warp = threadIdx.x / S::TEAM, width = S::PACKS * S::STEP;

#pragma unroll
    for (int k = 0; k < S::VALUES; k++)
        room[warp * width + S::column(k / S::N) + k % S::N] = sum[k];
    __syncthreads();
    for (int c = threadIdx.x; c < S::width(j); c += BLOCK) {
        float all = room[c];
#pragma unroll
        for (int k = 1; k < BLOCK / S::TEAM; k++)
            all += room[k * width + c];
        part[c] = all;
    }
    __syncthreads();
}

template <class T, int Q, int WARPS, int FULL>
static __global__ void __launch_bounds__(BLOCK, Q <= 2                     ? 4
                                                : Q == 3 && sizeof(T) == 2 ? 3
                                                                           : 2)
    unnorm_rows(const struct mdm_cuda_norm j)
{
    typedef mdm_norm_shape<T, Q, WARPS, FULL> S;
    __shared__ float room[BLOCK / S::TEAM * S::PACKS * S::STEP], few[MDM_WARP];
    float w[S::VALUES], dw[S::VALUES], db[S::VALUES];
    int64_t from, to;

    mdm_part_rows(j.parts, blockIdx.x, &from, &to);
    load_weights<T, S>(w, j, blockIdx.x / j.parts.each);
#pragma unroll
    for (int k = 0; k < S::VALUES; k++)
        dw[k] = db[k] = 0.0f;
    for (int64_t i = from + threadIdx.x / S::TEAM; i < to; i += BLOCK / S::TEAM) {
        struct row_gradient<T, S> r;
        float avg = 0.0f, avg_h = 0.0f;

        load_gradient(&r, j, i);
#pragma unroll
        for (int k = 0; k < S::VALUES; k++) {
            const float dy = mdm_float(r.dy[k / S::N].v[k % S::N]), g = w[k] * dy;
            const float h = (mdm_float(r.x[k / S::N].v[k % S::N]) - r.mean) * r.rstd;
            avg += g;
            avg_h += g * h;
            dw[k] += dy * h;
            db[k] += dy;
        }
        row_sums<WARPS>(&avg, &avg_h, few);
        r.avg = j.rms ? 0.0f : avg * j.over;
        r.avg_h = avg_h * j.over;
        write_gradient(r, w, j, i);
    }
    if (!j.part)
        return;
    leave_sums<S>(dw, j.part + 2 * blockIdx.x * j.d, j, room);
    leave_sums<S>(db, j.part + (2 * blockIdx.x + 1) * j.d, j, room);
}

/* ---- rows of any length: a warp reads one again, and columns are summed on their own ---- */

template <class T> static __device__ float weight(const struct mdm_cuda_norm &j, int64_t image, int64_t column)
{
    const float w = j.w ? mdm_float(((const T *)j.w)[column]) : 1.0f;

    return j.m ? w * (1.0f + mdm_float(((const T *)j.m)[image * j.width + j.scale + column])) : w;
}

template <class T> static __device__ float normed(const struct mdm_cuda_norm &j, int64_t row, int64_t column)
{
    const float x = mdm_float(((const T *)(j.sum ? j.sum : j.x))[row * j.d + column]);

    return j.rms ? x * j.stats[row] : (x - j.stats[2 * row]) * j.stats[2 * row + 1];
}

template <class T> static __global__ void __launch_bounds__(ANY) unnorm_any(const struct mdm_cuda_norm j)
{
    const int64_t rows = j.images * j.tokens, step = (int64_t)gridDim.x * (ANY / MDM_WARP);
    const int lane = threadIdx.x % MDM_WARP;

    for (int64_t i = (int64_t)blockIdx.x * (ANY / MDM_WARP) + threadIdx.x / MDM_WARP; i < rows; i += step) {
        const int64_t image = i / j.tokens, begin = i * j.d;
        const float rstd = j.stats[j.rms ? i : 2 * i + 1];
        float avg = 0.0f, avg_h = 0.0f;

        for (int64_t k = lane; k < j.d; k += MDM_WARP) {
            const float g = weight<T>(j, image, k) * mdm_float(((const T *)j.dy)[begin + k]);
            avg += g;
            avg_h += g * normed<T>(j, i, k);
        }
        avg = j.rms ? 0.0f : mdm_warp_sum(avg) * j.over;
        avg_h = mdm_warp_sum(avg_h) * j.over;
        for (int64_t k = lane; k < j.d; k += MDM_WARP) {
            float g = weight<T>(j, image, k) * mdm_float(((const T *)j.dy)[begin + k]);
            g = rstd * (g - avg - normed<T>(j, i, k) * avg_h);
            if (j.more)
                g += mdm_float(((const T *)j.more)[begin + k]);
            if (j.dx)
                mdm_put((T *)j.dx + begin + k, g, j.add_x);
            if (j.dr)
                mdm_put((T *)j.dr + begin + k, g, j.add_r);
        }
    }
}

template <class T> static __global__ void __launch_bounds__(ANY) sum_any(const struct mdm_cuda_norm j)
{
    __shared__ float room[2][ANY];
    const int64_t part = blockIdx.x, column = (int64_t)blockIdx.y * MDM_WARP + threadIdx.x % MDM_WARP;
    float dw = 0.0f, db = 0.0f;
    int64_t from, to;

    mdm_part_rows(j.parts, part, &from, &to);
    for (int64_t i = from + threadIdx.x / MDM_WARP; column < j.d && i < to; i += ANY / MDM_WARP) {
        const float dy = mdm_float(((const T *)j.dy)[i * j.d + column]);
        dw += dy * normed<T>(j, i, column);
        db += dy;
    }
    room[0][threadIdx.x] = dw;
    room[1][threadIdx.x] = db;
    __syncthreads();
    if (threadIdx.x >= MDM_WARP || column >= j.d)
        return;
    for (int k = MDM_WARP; k < ANY; k += MDM_WARP) {
        dw += room[0][threadIdx.x + k];
        db += room[1][threadIdx.x + k];
    }
    j.part[2 * part * j.d + column] = dw;
    j.part[(2 * part + 1) * j.d + column] = db;
}

template <class T> static int backward_any(struct mdm_cuda *d, const struct mdm_cuda_norm *j)
{
    const dim3 rows = mdm_cuda_grid(d, j->images * j->tokens * MDM_WARP, ANY);
    const dim3 parts((unsigned)(j->images * j->parts.each), (unsigned)mdm_cuda_pieces(j->d, MDM_WARP));

    MDM_CUDA_TRY(mdm_cuda_launch(d, "a norm's gradient", unnorm_any<T>, rows, ANY, 0, *j));
    return j->part ? mdm_cuda_launch(d, "a norm's gradient", sum_any<T>, parts, ANY, 0, *j) : MASKDM_OK;
}

template <class T> static int backward(struct mdm_cuda *d, const struct mdm_cuda_norm *j)
{
    typedef void (*kernel)(const struct mdm_cuda_norm);
    static const kernel any[] = {NULL, unnorm_rows<T, 1, 1, 0>, unnorm_rows<T, 2, 1, 0>, unnorm_rows<T, 3, 1, 0>,
                                 unnorm_rows<T, 4, 1, 0>};
    static const kernel full[] = {NULL, unnorm_rows<T, 1, 1, 1>, unnorm_rows<T, 2, 1, 1>, unnorm_rows<T, 3, 1, 1>,
                                  unnorm_rows<T, 4, 1, 1>};
    static const kernel wide[] = {NULL, NULL, unnorm_rows<T, 2, MDM_NORM_WARPS, 0>,
                                  unnorm_rows<T, 4, MDM_NORM_WARPS, 0>, unnorm_rows<T, 4, MDM_NORM_WARPS, 0>};
    const int64_t most = j->d > MDM_NORM_WARP_ROW ? MDM_NORM_BLOCK_ROW : MDM_NORM_WARP_ROW;
    const uintptr_t at =
        (uintptr_t)j->sum | (uintptr_t)j->dy | (uintptr_t)j->more | (uintptr_t)j->dx | (uintptr_t)j->dr;
    const int quarters = at % 16 ? 0 : mdm_cuda_norm_quarters(j, sizeof(T), most);
    const kernel *const row = most == MDM_NORM_BLOCK_ROW ? wide : j->d % (most / 4) ? any : full;

    if (!quarters)
        return backward_any<T>(d, j);
    return mdm_cuda_launch(d, "a norm's gradient", row[quarters], dim3((unsigned)(j->images * j->parts.each)), BLOCK,
                           0, *j);
}

int mdm_cuda_norm_backward(struct mdm_cuda *d, enum mdm_dtype type, const struct mdm_cuda_norm *j)
{
    return type == MDM_BF16 ? backward<mdm_bf16>(d, j) : backward<float>(d, j);
}
