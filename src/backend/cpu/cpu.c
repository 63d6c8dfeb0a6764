/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Opening the CPU: its threads, the tables of the best instruction set, and BLAS where their products are its.
 */
#include "backend/cpu/blas.h"
#include "backend/cpu/cpu.h"
#include "base/alloc.h"
#include "base/error.h"
#include "text/text.h"

#include <string.h>
#include <time.h>

static int take_memory(struct mdm_backend *b, void **out, size_t bytes, const char *what)
{
    (void)b;
    *out = mdm_need_aligned(bytes ? bytes : 1, what);
    return *out ? MASKDM_OK : MASKDM_ENOMEM;
}

static void give_memory(struct mdm_backend *b, void *memory)
{
    (void)b;
    mdm_free(memory);
}

static int copy(struct mdm_backend *b, void *to, const void *from, size_t bytes)
{
    (void)b;
    if (bytes)
        memcpy(to, from, bytes);
    return MASKDM_OK;
}

static int fill(struct mdm_backend *b, void *memory, int byte, size_t bytes)
{
    (void)b;
    if (bytes)
        memset(memory, byte, bytes);
    return MASKDM_OK;
}

static int wait_for_all(struct mdm_backend *b)
{
    (void)b;
    return MASKDM_OK;
}

static const struct mdm_kernel *find_kernel(struct mdm_backend *b, enum mdm_op_id op, enum mdm_dtype dtype)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    const struct mdm_kernel *k;

    if (dtype != MDM_F32 && dtype != MDM_F64)
        return NULL;
    k = dtype == MDM_F32 ? &cpu->f32.kernel[op] : &cpu->f64.kernel[op];
    return k->forward ? k : NULL;
}

static void enter(struct mdm_backend *b)
{
    if (mdm_cpu_of(b)->guard)
        mdm_blas_guard();
}

static void leave(struct mdm_backend *b)
{
    if (mdm_cpu_of(b)->guard)
        mdm_blas_unguard();
}

static int loop(struct mdm_backend *b, int64_t n, mdm_try_body body, void *arg)
{
    return mdm_pool_try(mdm_cpu_of(b)->pool, n, body, arg);
}

static void close_cpu(struct mdm_backend *b)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);

    mdm_pool_release(&cpu->pool);
    mdm_free(cpu->workspace);
    mdm_free(cpu);
}

static const char *describe(struct mdm_backend *b)
{
    return mdm_cpu_of(b)->text;
}

static const char *warning(struct mdm_backend *b)
{
    return *mdm_cpu_of(b)->warning ? mdm_cpu_of(b)->warning : NULL;
}

const struct mdm_backend_vtbl mdm_cpu_vtbl = {
    .version = MDM_BACKEND_VERSION,
    .size = sizeof mdm_cpu_vtbl,
    .name = "cpu",
    .describe = describe,
    .warning = warning,
    .alloc = take_memory,
    .release = give_memory,
    .upload = copy,
    .download = copy,
    .copy = copy,
    .fill = fill,
    .wait = wait_for_all,
    .normal = mdm_cpu_normal,
    .noising = mdm_cpu_noising,
    .mix = mdm_cpu_mix,
    .solve = mdm_cpu_solve,
    .quantile = mdm_cpu_quantile,
    .loss = mdm_cpu_loss,
    .sum_squares = mdm_cpu_sum_squares,
    .adamw = mdm_cpu_adamw,
    .ema = mdm_cpu_ema,
    .unpatchify = mdm_cpu_unpatchify,
    .kernel = find_kernel,
    .loop = loop,
    .enter = enter,
    .leave = leave,
    .close = close_cpu,
    .muon = mdm_cpu_muon,
    .muon_scratch = mdm_cpu_muon_scratch,
    .reads_stored = 1,
};

/* `slower`: a wider set that was passed over; NULL: none. */
static int fill_tables(struct mdm_cpu *cpu, const char *wanted, const char **got, const char **slower)
{
    const struct mdm_cpu_set *set, *other;

    MDM_TRY(mdm_cpu_find(&set, &other, wanted));
    mdm_cpu_table_c_f64(&cpu->f64);
    set->fill(&cpu->f32);
    *got = set->name;
    *slower = other ? other->name : NULL;
    return MASKDM_OK;
}

static int uses_blas(const struct mdm_cpu *cpu)
{
    return cpu->f32.gemm == mdm_cpu_gemm_blas;
}

struct prime {
    int workers, own, guard;
    atomic_int arrived, status;
};

/* BLAS maps memory for each thread at its first call. With our own threads each waits for the others and so gets one
 * index; a host's loop runs its workers as it likes. */
static void prime_worker(void *arg, int64_t i, int worker)
{
    struct prime *p = arg;
    const float a[64] = {0};
    float c[64];
    struct timespec pause = {.tv_nsec = 50000};
    int status = mdm_blas_sgemm(0, 0, 8, 8, 8, a, 8, a, 8, 0, c, 8, p->guard);

    (void)i;
    (void)worker;
    if (status)
        atomic_store(&p->status, status);
    atomic_fetch_add(&p->arrived, 1);
    while (p->own && atomic_load(&p->arrived) < p->workers)
        (void)nanosleep(&pause, NULL);
}

static int prime_blas(struct mdm_cpu *cpu, int own)
{
    struct prime p = {.workers = cpu->workers, .own = own, .guard = cpu->guard};
    int status;

    atomic_init(&p.arrived, 0);
    atomic_init(&p.status, MASKDM_OK);
    enter(&cpu->base);
    status = mdm_pool_run(cpu->pool, p.workers, prime_worker, &p);
    leave(&cpu->base);
    MDM_TRY(status);
    return atomic_load(&p.status) ? mdm_blas_fail(atomic_load(&p.status)) : MASKDM_OK;
}

/* BLAS for the product, or the portable kernel where that is faster. */
static int open_blas(struct mdm_cpu *cpu, int guard)
{
    int pays;

    MDM_TRY(mdm_blas_open());
    pays = mdm_cpu_blas_pays(guard);
    MDM_TRY(pays);
    cpu->guard = pays && guard;
    if (!pays) {
        cpu->f32.gemm = mdm_cpu_gemm_c_f32;
        cpu->f32.gemm_workspace = NULL;
    } else if (mdm_blas_is_lost())
        mdm_format(cpu->warning, sizeof cpu->warning,
                   "%s does not know this processor and multiplies with its slow kernels, those for %s: a newer one "
                   "may know it, or OPENBLAS_CORETYPE in the environment name a processor that is like it",
                   mdm_blas_name(), mdm_blas_core());
    return MASKDM_OK;
}

static void add_blas(struct mdm_text *t)
{
    mdm_text_add(t, mdm_blas_name());
    if (mdm_blas_core())
        mdm_text_addf(t, " (%s%s)", mdm_blas_core(),
                      mdm_blas_is_lost() ? ": slow kernels for a processor that it does not know" : "");
    mdm_text_add(t, ", ");
}

static int write_text(struct mdm_cpu *cpu, const char *instruction_set, const char *slower)
{
    struct mdm_text t = {0};
    int status;

    mdm_text_addf(&t, "cpu, %s", instruction_set);
    if (slower)
        mdm_text_addf(&t, " (%s is slower on this processor)", slower);
    mdm_text_add(&t, ", ");
    if (uses_blas(cpu))
        add_blas(&t);
    else if (!cpu->f32.tile && mdm_blas_is_built())
        mdm_text_addf(&t, "portable products (%s was measured slower), ", mdm_blas_name());
    mdm_text_addf(&t, "%d thread%s", cpu->workers, cpu->workers == 1 ? "" : "s");
    status = mdm_text_ok(&t);
    if (!status && t.length < sizeof cpu->text)
        memcpy(cpu->text, t.data, t.length + 1);
    mdm_text_free(&t);
    return status;
}

int mdm_cpu_open(struct mdm_backend **out, const struct mdm_device_settings *s)
{
    struct mdm_cpu *cpu = mdm_need(1, sizeof *cpu, "the device");
    const char *instruction_set = "", *slower = NULL;
    int status;

    *out = NULL;
    if (!cpu)
        return MASKDM_ENOMEM;
    cpu->base.v = &mdm_cpu_vtbl;
    cpu->workers = s->workers;
    status = fill_tables(cpu, s->instruction_set, &instruction_set, &slower);
    if (!status && uses_blas(cpu))
        status = open_blas(cpu, s->guard);
    if (!status)
        status = write_text(cpu, instruction_set, slower);
    if (!status)
        status = mdm_pool_create(&cpu->pool, s->workers, s->host, s->host_user);
    if (!status && cpu->f32.gemm_workspace) {
        cpu->workspace = mdm_need_aligned(cpu->f32.gemm_workspace(s->workers), "the matrix product");
        status = cpu->workspace ? MASKDM_OK : MASKDM_ENOMEM;
    }
    if (!status && uses_blas(cpu))
        status = prime_blas(cpu, !s->host);
    if (status) {
        close_cpu(&cpu->base);
        return status;
    }
    *out = &cpu->base;
    return MASKDM_OK;
}
