/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Products on a GPU, cuBLASLt's and those of the kernel without wishes, against sums in double: every combination of
 * types, turns, what is added, batches and strides, at sizes that are odd and that are not. Then bits: of an image
 * with and without its batch, and of the same product asked for again by another process's plans.
 *
 *     nvcc -std=c++17 -arch=sm_90 -I src -I include tests/cuda/products.cu src/backend/cuda/product*.cu -lcublasLt
 */
#include "products.cuh"

#include <math.h>
#include <vector>

static int failures, checks;

/* ---- matrices: float on the host, either type on the device ---- */

static uint64_t state = 88172645463325252u;

static float draw(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (float)(state >> 40) / (1 << 23) - 1;
}

/* Device memory from one piece, which begins anew with every product. */
enum { ARENA = 1 << 30 };
static char *arena;
static size_t used;

static void *take(size_t bytes)
{
    void *p = arena + used;

    used += (bytes + 255) / 256 * 256;
    must(used <= ARENA, "the arena");
    return p;
}

struct block {
    enum mdm_dtype type;
    std::vector<float> host; /* of the type's values */
    void *device;
};

static size_t size_of(enum mdm_dtype type)
{
    return type == MDM_BF16 ? sizeof(mdm_bf16) : sizeof(float);
}

/* Up to 64 KiB of pageable memory have left the host on return but may not have come to the device, whose stream does
 * not wait for the default one. */
static void upload(struct block *b)
{
    std::vector<mdm_bf16> narrow(b->type == MDM_BF16 ? b->host.size() : 0);

    for (size_t i = 0; i < narrow.size(); i++) {
        narrow[i] = __float2bfloat16_rn(b->host[i]);
        b->host[i] = __bfloat162float(narrow[i]);
    }
    must(cudaMemcpy(b->device, b->type == MDM_BF16 ? (void *)narrow.data() : (void *)b->host.data(),
                    b->host.size() * size_of(b->type), cudaMemcpyHostToDevice) == cudaSuccess &&
             cudaStreamSynchronize(cudaStreamLegacy) == cudaSuccess,
         "upload");
}

static struct block make_block(enum mdm_dtype type, size_t n)
{
    struct block b;

    b.type = type;
    b.host.resize(n);
    for (float &x : b.host)
        x = draw();
    b.device = take(n * size_of(type));
    upload(&b);
    return b;
}

static std::vector<float> download(struct mdm_cuda *d, const struct block *b)
{
    std::vector<float> out(b->host.size());
    std::vector<mdm_bf16> narrow(b->type == MDM_BF16 ? out.size() : 0);

    must(cudaStreamSynchronize(d->stream) == cudaSuccess, "a product");
    must(cudaMemcpy(b->type == MDM_BF16 ? (void *)narrow.data() : (void *)out.data(), b->device,
                    out.size() * size_of(b->type), cudaMemcpyDeviceToHost) == cudaSuccess,
         "download");
    for (size_t i = 0; i < narrow.size(); i++)
        out[i] = __bfloat162float(narrow[i]);
    return out;
}

/* ---- one product ---- */

struct form {
    enum mdm_dtype in, out;
    int turn_a, turn_b, adds, biased, scaled; /* adds: 1: onto c, 2: another matrix */
    int64_t m, n, k, pad, count;
};

static const char *name_of(const struct form *f, const char *by)
{
    static char text[256];

    snprintf(text, sizeof text, "%s: %s -> %s, %lld x %lld x %lld%s%s%s%s%s, pad %lld, count %lld", by,
             f->in == MDM_BF16 ? "bf16" : "float", f->out == MDM_BF16 ? "bf16" : "float", (long long)f->m,
             (long long)f->n, (long long)f->k, f->turn_a ? ", a'" : "", f->turn_b ? ", b'" : "",
             f->adds == 1 ? ", added"
             : f->adds    ? ", plus"
                          : "",
             f->biased ? ", bias" : "", f->scaled ? ", scaled" : "", (long long)f->pad, (long long)f->count);
    return text;
}

struct operands {
    struct block a, b, c, bias, plus;
    struct mdm_cuda_product p;
};

static struct operands make_operands(const struct form *f)
{
    const int64_t ra = f->turn_a ? f->k : f->m, ca = f->turn_a ? f->m : f->k;
    const int64_t rb = f->turn_b ? f->n : f->k, cb = f->turn_b ? f->k : f->n;
    struct operands o = {};
    struct mdm_cuda_product *p = &o.p;

    used = 0;
    p->m = f->m;
    p->n = f->n;
    p->k = f->k;
    p->turn_a = f->turn_a;
    p->turn_b = f->turn_b;
    p->add = f->adds == 1;
    p->in = f->in;
    p->out = f->out;
    p->lda = ca + f->pad;
    p->ldb = cb + f->pad;
    p->ldc = f->n + f->pad;
    p->count = f->count;
    p->step_a = ra * p->lda;
    p->step_b = rb * p->ldb;
    p->step_c = f->m * p->ldc;
    p->scaled = f->scaled;
    p->scale = -0.75f;
    p->factor = 1.5f;
    o.a = make_block(f->in, (size_t)(f->count * p->step_a));
    o.b = make_block(f->in, (size_t)(f->count * p->step_b));
    o.c = make_block(f->out, (size_t)(f->count * p->step_c));
    o.plus = make_block(f->out, (size_t)(f->count * p->step_c));
    o.bias = make_block(f->in, (size_t)f->n);
    p->a = o.a.device;
    p->b = o.b.device;
    p->c = o.c.device;
    p->bias = f->biased ? o.bias.device : NULL;
    p->plus = f->adds == 2 ? o.plus.device : NULL;
    return o;
}

/* Roundings to bf16 on the way, each by up to 2^-8 of what there is then: once; before a bias that goes on
 * afterwards; and before c, to which some algorithms add what they store. */
static double rounded(const struct form *f, double product, double bias, double added)
{
    double sum = fabs(product + bias + added);

    if (f->out != MDM_BF16)
        return 0;
    if (f->biased)
        sum += fabs(product + added);
    if (f->adds == 1)
        sum += fmax(fabs(product), fabs(product + bias));
    return 0x1p-8 * sum;
}

/* What element j of row i is off by, over what it may be off by; what lies between rows must stay. */
static double off_by(const struct form *f, const struct operands *o, int64_t z, int64_t i, int64_t j, float got)
{
    const struct mdm_cuda_product *p = &o->p;
    const size_t at = (size_t)(z * p->step_c + i * p->ldc + j);
    const double bias = f->biased && j < f->n ? o->bias.host[j] : 0;
    const double added = f->adds == 1 ? o->c.host[at] : f->adds ? p->factor * (double)o->plus.host[at] : 0;
    double sum = 0, size = 0;

    if (j >= f->n)
        return got == o->c.host[at] ? 0 : INFINITY;
    for (int64_t k = 0; k < f->k; k++) {
        const double x = (double)o->a.host[z * p->step_a + (f->turn_a ? k * p->lda + i : i * p->lda + k)] *
                         o->b.host[z * p->step_b + (f->turn_b ? j * p->ldb + k : k * p->ldb + j)];

        sum += x;
        size += fabs(x);
    }
    sum *= f->scaled ? (double)p->scale : 1;
    return isfinite(got) ? fabs(got - (sum + bias + added)) / (1e-6 * (size + 2) + rounded(f, sum, bias, added))
                         : INFINITY;
}

/* The worst of all. */
static double compare(const struct form *f, const struct operands *o, const std::vector<float> &got)
{
    const struct mdm_cuda_product *p = &o->p;
    double worst = 0;

    for (int64_t z = 0; z < f->count; z++)
        for (int64_t i = 0; i < f->m; i++)
            for (int64_t j = 0; j < p->ldc; j++)
                worst = fmax(worst, off_by(f, o, z, i, j, got[z * p->step_c + i * p->ldc + j]));
    return worst;
}

static void check_form(struct mdm_cuda *d, const struct form *f)
{
    struct operands o = make_operands(f);

    for (int plain = 0; plain <= 1; plain++) {
        double off;

        upload(&o.c);
        checks++;
        if ((plain ? mdm_cuda_product_plain(d, &o.p) : mdm_cuda_product(d, &o.p)) < 0) {
            failures++;
            printf("%s: an error\n", name_of(f, plain ? "plain" : "cuBLASLt"));
            continue;
        }
        off = compare(f, &o, download(d, &o.c));
        if (!(off <= 1)) {
            failures++;
            printf("%s: off by %.3g times what it may\n", name_of(f, plain ? "plain" : "cuBLASLt"), off);
        }
    }
}

static void check_all(struct mdm_cuda *d)
{
    static const enum mdm_dtype types[][2] = {{MDM_F32, MDM_F32}, {MDM_BF16, MDM_BF16}, {MDM_BF16, MDM_F32}};
    static const int64_t sizes[][4] = {{1, 1, 1, 0},    {1, 48, 32, 0},   {37, 1, 19, 0},  {3, 5, 7, 1},
                                       {64, 48, 32, 0}, {65, 33, 129, 3}, {130, 96, 4, 8}, {17, 200, 515, 0}};

    for (const enum mdm_dtype *type : types)
        for (const int64_t *s : sizes)
            for (int bits = 0; bits < 3 * 32; bits++) {
                struct form f = {};

                f.in = type[0];
                f.out = type[1];
                f.turn_a = bits & 1;
                f.turn_b = bits >> 1 & 1;
                f.biased = bits >> 2 & 1;
                f.scaled = bits >> 3 & 1;
                f.count = bits >> 4 & 1 ? 3 : 1;
                f.adds = bits >> 5;
                f.m = s[0];
                f.n = s[1];
                f.k = s[2];
                f.pad = s[3];
                check_form(d, &f);
            }
}

/* Sums over k that we cut, whatever cuBLASLt would do. */
static void check_parts(struct mdm_cuda *d)
{
    static const int64_t sizes[][3] = {{64, 48, 4096}, {37, 19, 5001}, {256, 128, 130}};

    mdm_cuda_blas_close(d);
    must(mdm_cuda_blas_open(d) == MASKDM_OK, "mdm_cuda_blas_open");
    d->blas->splits = 1;
    for (const int64_t *s : sizes)
        for (int bits = 0; bits < 3 * 16; bits++) {
            struct form f = {};

            f.in = bits & 1 ? MDM_BF16 : MDM_F32;
            f.out = MDM_F32;
            f.turn_a = bits >> 1 & 1;
            f.turn_b = bits >> 2 & 1;
            f.scaled = bits >> 3 & 1;
            f.adds = bits >> 4;
            f.m = s[0];
            f.n = s[1];
            f.k = s[2];
            f.pad = bits & 4;
            f.count = 1;
            check_form(d, &f);
        }
    mdm_cuda_blas_close(d);
    must(mdm_cuda_blas_open(d) == MASKDM_OK, "mdm_cuda_blas_open");
}

/* ---- bits ---- */

static void expect_bits(const char *what, const struct form *f, const float *a, const float *b, size_t n)
{
    checks++;
    if (memcmp(a, b, n * sizeof *a) == 0)
        return;
    failures++;
    printf("%s: other bits\n", name_of(f, what));
}

static void check_groups(struct mdm_cuda *d)
{
    static const int64_t groups[] = {1, 7, 27, 64, 257, 1024}, batches[] = {2, 8, 33};

    for (int64_t group : groups)
        for (int64_t batch : batches)
            for (int bits = 0; bits < 8; bits++) {
                struct form f = {};
                struct operands o;
                std::vector<float> all;

                f.in = f.out = bits & 1 ? MDM_BF16 : MDM_F32;
                f.turn_b = bits >> 1 & 1;
                f.biased = 1;
                f.count = 1;
                f.m = group * batch;
                f.n = bits >> 2 & 1 ? 300 : 512;
                f.k = bits >> 2 & 1 ? 130 : 512;
                o = make_operands(&f);
                o.p.group = group;
                must(mdm_cuda_product(d, &o.p) == MASKDM_OK, "a product of images");
                all = download(d, &o.c);
                for (int64_t i = 0; i < batch; i += batch - 1) {
                    struct operands one = o;

                    one.p.m = group;
                    one.p.a = (char *)o.p.a + i * group * o.p.lda * (int64_t)size_of(f.in);
                    must(mdm_cuda_product(d, &one.p) == MASKDM_OK, "an image's product");
                    expect_bits("an image", &f, download(d, &o.c).data(), all.data() + i * group * o.p.ldc,
                                (size_t)(group * o.p.ldc));
                }
            }
}

/* With plans made anew and no timing, which is what another process might come to. */
static void check_again(struct mdm_cuda *d)
{
    static const int64_t sizes[][3] = {{4096, 512, 512}, {512, 512, 65792}, {13824, 2048, 512}, {512, 2048, 13824}};

    for (const int64_t *s : sizes)
        for (int type = 0; type < 3; type++) {
            struct form f = {};
            struct operands o;
            std::vector<float> first;

            f.in = type ? MDM_BF16 : MDM_F32;
            f.out = type == 1 ? MDM_BF16 : MDM_F32;
            f.turn_a = s[2] > 2048;
            f.count = 1;
            f.m = s[0];
            f.n = s[1];
            f.k = s[2];
            o = make_operands(&f);
            for (int i = 0; i < 3; i++) {
                must(mdm_cuda_product(d, &o.p) == MASKDM_OK, "a large product");
                if (i == 0)
                    first = download(d, &o.c);
                else
                    expect_bits("again", &f, download(d, &o.c).data(), first.data(), first.size());
                if (i == 1) {
                    mdm_cuda_blas_close(d);
                    must(mdm_cuda_blas_open(d) == MASKDM_OK, "mdm_cuda_blas_open");
                    d->blas->tuned = 0;
                }
            }
            d->blas->tuned = 1;
        }
}

int main(void)
{
    struct mdm_cuda d;

    want_device();
    open_device(&d);
    must(cudaMalloc((void **)&arena, ARENA) == cudaSuccess, "cudaMalloc");
    check_all(&d);
    check_parts(&d);
    check_groups(&d);
    check_again(&d);
    mdm_cuda_blas_close(&d);
    printf("%d of %d checks failed\n", failures, checks);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
