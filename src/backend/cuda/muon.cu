/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Muon's update. Matrices of one shape stand together and are taken as one batch, as many as fit: their products are
 * batched ones, of the type that the device computes in, and the moments and weights around them are float.
 *
 * X = a X + (b A + c A A) X, so that every product adds to what it has at hand and nothing else goes through memory.
 * Where X is higher than wide it is X of the formulas transposed, A is X' X, and the polynomial in A, which is
 * symmetric, is multiplied from the right.
 */
#include "backend/cuda/kernel.cuh"
#include "backend/cuda/product.cuh"
#include "backend/cuda/table.cuh"

#ifdef MDM_CUDA_EMULATED
enum { SPAN = 1024, BATCH = 64 << 10 }; /* so that tests have several of them */
#else
enum { SPAN = 16384, BATCH = 256 << 20 };
#endif
enum { BLOCK = 256, MOST_MATRICES = 32768 };

/* One batch: matrices first .. first + count - 1, one shape; scratch has for all of them X, its second place, both
 * square factors, and the parts of their norms. */
struct batch {
    int64_t first, count, rows, columns, side; /* side: the smaller */
    int64_t n, spans;                          /* elements, and blocks that sum their squares */
    const struct mdm_muon_matrix *matrix;      /* the batch's, device memory */
};

static size_t round_up(size_t bytes)
{
    return (bytes + 255) & ~(size_t)255;
}

static struct batch batch_of(const struct mdm_muon_matrix *m)
{
    struct batch k = {};

    k.rows = m->rows;
    k.columns = m->columns;
    k.side = m->rows < m->columns ? m->rows : m->columns;
    k.n = m->rows * m->columns;
    k.spans = mdm_cuda_pieces(k.n, SPAN);
    return k;
}

static size_t bytes_of(const struct batch *k, size_t size)
{
    const size_t count = (size_t)k->count, n = (size_t)k->n, square = (size_t)(k->side * k->side);

    return 2 * round_up(count * n * size) + 2 * round_up(count * square * size) +
           round_up(count * (size_t)k->spans * sizeof(double));
}

/* The batch that begins with matrix i. */
static struct batch batch_from(const struct mdm_muon *j, int64_t i, size_t size)
{
    struct batch k = batch_of(&j->matrix[i]);
    int64_t most;

    k.first = i;
    k.count = 1;
    most = (int64_t)(BATCH / bytes_of(&k, size));
    most = most < MOST_MATRICES ? most : (int64_t)MOST_MATRICES;
    while (k.count < most && i + k.count < j->count && j->matrix[i + k.count].rows == k.rows &&
           j->matrix[i + k.count].columns == k.columns)
        k.count++;
    return k;
}

static size_t size_of(const struct mdm_cuda *d)
{
    return d->compute == MDM_BF16 ? sizeof(mdm_bf16) : sizeof(float);
}

size_t mdm_cuda_muon_scratch(const struct mdm_backend *b, const struct mdm_muon *j)
{
    const size_t size = size_of((const struct mdm_cuda *)b);
    size_t most = 0;

    for (int64_t i = 0; i < j->count;) {
        const struct batch k = batch_from(j, i, size);

        most = bytes_of(&k, size) > most ? bytes_of(&k, size) : most;
        i += k.count;
    }
    return most;
}

/* ---- over the elements: block (span, matrix of the batch) ---- */

struct moment {
    float scale, b, c;
    int nesterov;
};

/* In every thread; all come. */
static __device__ double sum_of_block(double x)
{
    __shared__ double room[BLOCK];

    room[threadIdx.x] = x;
    __syncthreads();
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        if ((int)threadIdx.x < half)
            room[threadIdx.x] += room[threadIdx.x + half];
        __syncthreads();
    }
    return room[0];
}

/* m and, in g's place, u; the sum of u's squares over the span. */
static __global__ void move_moment(double *part, float *g, float *m, struct batch k, struct moment c)
{
    const int64_t from = (int64_t)blockIdx.x * SPAN, to = from + SPAN < k.n ? from + SPAN : k.n;
    const size_t at = k.matrix[blockIdx.y].at;
    double sum = 0;

    for (int64_t i = from + threadIdx.x; i < to; i += BLOCK) {
        const float x = g[at + i] * c.scale, moved = c.b * m[at + i] + c.c * x;
        const float u = c.nesterov ? c.b * moved + c.c * x : moved;

        m[at + i] = moved;
        g[at + i] = u;
        sum += (double)u * u;
    }
    sum = sum_of_block(sum);
    if (threadIdx.x == 0)
        part[blockIdx.y * k.spans + blockIdx.x] = sum;
}

/* X = u over its norm; g is zero from here on. */
template <class T>
static __global__ void normalize(T *x, float *g, const double *part, struct batch k, double floor, int adds)
{
    const int64_t from = (int64_t)blockIdx.x * SPAN, to = from + SPAN < k.n ? from + SPAN : k.n;
    const size_t at = k.matrix[blockIdx.y].at;
    double norm = 0;
    float scale;

    for (int64_t i = threadIdx.x; i < k.spans; i += BLOCK)
        norm += part[blockIdx.y * k.spans + i];
    norm = sqrt(sum_of_block(norm));
    norm = adds ? norm + floor : norm < floor ? floor : norm;
    scale = (float)(1 / norm);
    x += blockIdx.y * k.n;
    for (int64_t i = from + threadIdx.x; i < to; i += BLOCK) {
        x[i] = mdm_round<T>(g[at + i] * scale);
        g[at + i] = 0;
    }
}

template <class T> static __global__ void move_weights(float *w, const T *x, struct batch k)
{
    const int64_t from = (int64_t)blockIdx.x * SPAN, to = from + SPAN < k.n ? from + SPAN : k.n;
    const struct mdm_muon_matrix m = k.matrix[blockIdx.y];
    const float keep = (float)m.keep, rate = (float)m.rate;

    x += blockIdx.y * k.n;
    for (int64_t i = from + threadIdx.x; i < to; i += BLOCK)
        w[m.at + i] = keep * w[m.at + i] - rate * mdm_float(x[i]);
}

/* ---- products ---- */

/* c = scale a op(b) + factor plus of the batch's matrices, of which each stands behind the one before. */
struct factor {
    const void *at;
    int64_t rows, columns;
    int turn;
};

static int multiply(struct mdm_cuda *d, int64_t count, void *c, struct factor a, struct factor b, float scale,
                    const void *plus, double factor)
{
    struct mdm_cuda_product p = {};

    p.m = a.turn ? a.columns : a.rows;
    p.k = a.turn ? a.rows : a.columns;
    p.n = b.turn ? b.rows : b.columns;
    p.turn_a = a.turn;
    p.turn_b = b.turn;
    p.in = p.out = d->compute == MDM_BF16 ? MDM_BF16 : MDM_F32;
    p.a = a.at;
    p.b = b.at;
    p.lda = a.columns;
    p.ldb = b.columns;
    p.c = c;
    p.ldc = p.n;
    p.count = count;
    p.step_a = a.rows * a.columns;
    p.step_b = b.rows * b.columns;
    p.step_c = p.m * p.n;
    p.scaled = 1;
    p.scale = scale;
    p.plus = plus;
    p.factor = (float)factor;
    return mdm_cuda_product(d, &p);
}

template <class T>
static int iterate(struct mdm_cuda *d, const struct mdm_muon *j, const struct batch *k, T **x, T *other, T *gram,
                   T *polynomial)
{
    const int tall = k->rows > k->columns;

    for (int i = 0; i < j->steps; i++) {
        const struct factor left = {*x, k->rows, k->columns, tall}, right = {*x, k->rows, k->columns, !tall};
        const struct factor whole = {*x, k->rows, k->columns, 0}, a = {gram, k->side, k->side, 0};
        const struct factor p = {polynomial, k->side, k->side, 0};
        T *const made = other;

        MDM_CUDA_TRY(multiply(d, k->count, gram, left, right, 1, NULL, 0));
        MDM_CUDA_TRY(multiply(d, k->count, polynomial, a, a, (float)j->c, gram, j->b));
        MDM_CUDA_TRY(multiply(d, k->count, made, tall ? whole : p, tall ? p : whole, 1, *x, j->a));
        other = *x;
        *x = made;
    }
    return MASKDM_OK;
}

/* ---- a batch ---- */

template <class T> static int update(struct mdm_cuda *d, const struct mdm_muon *j, const struct batch *k)
{
    const size_t n = round_up((size_t)(k->count * k->n) * sizeof(T));
    const size_t square = round_up((size_t)(k->count * k->side * k->side) * sizeof(T));
    const dim3 grid((unsigned)k->spans, (unsigned)k->count);
    unsigned char *at = (unsigned char *)j->scratch;
    T *x = (T *)at, *other = (T *)(at + n), *gram = (T *)(at + 2 * n), *polynomial = (T *)(at + 2 * n + square);
    double *part = (double *)(at + 2 * n + 2 * square);
    const struct moment c = {(float)j->grad_scale, (float)j->momentum, (float)(1 - j->momentum), j->nesterov};

    MDM_CUDA_TRY(mdm_cuda_launch(d, "muon", move_moment, grid, BLOCK, 0, part, j->g, j->m, *k, c));
    MDM_CUDA_TRY(mdm_cuda_launch(d, "muon", normalize<T>, grid, BLOCK, 0, x, j->g, (const double *)part, *k, j->floor,
                                 j->adds));
    MDM_CUDA_TRY(iterate(d, j, k, &x, other, gram, polynomial));
    return mdm_cuda_launch(d, "muon", move_weights<T>, grid, BLOCK, 0, j->w, (const T *)x, *k);
}

int mdm_cuda_muon(struct mdm_backend *b, const struct mdm_muon *j)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    void *matrix;

    if (j->count < 1)
        return MASKDM_OK;
    MDM_CUDA_TRY(mdm_cuda_give(d, 0, j->matrix, (size_t)j->count * sizeof *j->matrix, &matrix));
    for (int64_t i = 0; i < j->count;) {
        struct batch k = batch_from(j, i, size_of(d));

        k.matrix = (const struct mdm_muon_matrix *)matrix + i;
        MDM_CUDA_TRY(d->compute == MDM_BF16 ? update<mdm_bf16>(d, j, &k) : update<float>(d, j, &k));
        i += k.count;
    }
    return MASKDM_OK;
}
