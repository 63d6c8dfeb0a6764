/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The device: names, modules, threads, memory account, turns, and the count of BLAS threads that it leaves to the
 * host.
 */
#include <maskdm/metric.h>

#include "backend/cpu/cpu.h"
#include "backend/device.h"
#include "backend/registry.h"
#include "base/alloc.h"
#include "base/error.h"
#include "run/device.h"

#ifdef HAVE_BLAS
#    include <cblas.h>
#endif
#include <check.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static maskdm_device *open_with(const char *text)
{
    maskdm_options *o;
    maskdm_device *d = NULL;

    ck_assert_int_eq(maskdm_options_create(&o, "device"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, text), MASKDM_OK);
    ck_assert_int_eq(maskdm_device_open(&d, "cpu", o), MASKDM_OK);
    maskdm_options_release(&o);
    return d;
}

static maskdm_device *open_cpu(void)
{
    maskdm_device *d = NULL;

    ck_assert_int_eq(maskdm_device_open(&d, "cpu", NULL), MASKDM_OK);
    ck_assert_ptr_nonnull(d);
    return d;
}

START_TEST(only_known_names_open)
{
    maskdm_device *d = (maskdm_device *)&d;

    ck_assert_int_eq(maskdm_device_open(&d, "cuda:0", NULL), MASKDM_ENOTSUP);
    ck_assert_ptr_null(d);
    ck_assert_ptr_eq(strstr(maskdm_last_error(), "there is no module for the device \"cuda\" here: maskdm-cuda.so "),
                     maskdm_last_error());
    ck_assert_int_eq(maskdm_device_open(&d, "gpu", NULL), MASKDM_ENOTFOUND);
    ck_assert_str_eq(maskdm_last_error(), "there is no device \"gpu\"; known: cpu");
    ck_assert_int_eq(maskdm_device_open(&d, "cp", NULL), MASKDM_ENOTFOUND);
    ck_assert_int_eq(maskdm_device_open(&d, "cpu0", NULL), MASKDM_ENOTFOUND);
    ck_assert_int_eq(maskdm_device_open(&d, "cpu:1", NULL), MASKDM_ENOTFOUND);
    ck_assert_str_eq(maskdm_last_error(), "there is no device \"cpu:1\"; all processors are one device, \"cpu\"");
    ck_assert_int_eq(maskdm_device_open(&d, NULL, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_device_open(NULL, "cpu", NULL), MASKDM_EINVAL);
    maskdm_device_release(&d);
    maskdm_device_release(NULL);
}
END_TEST

/* A module as another party would build it: the CPU under a name of its own, whose table tests may spoil. */
static struct mdm_backend_vtbl foreign_table;
static char foreign_unit[16];
static int foreign_opened;

static int open_foreign(struct mdm_backend **out, const struct mdm_device_host *host,
                        const struct mdm_device_settings *s)
{
    foreign_opened++;
    snprintf(foreign_unit, sizeof foreign_unit, "%s", s->unit);
    ck_assert_int_eq(host->version, MDM_BACKEND_VERSION);
    ck_assert_uint_eq(host->size, sizeof *host);
    if (*s->unit == '9')
        return host->record(MASKDM_EDEVICE, "unit %s has fallen off", s->unit);
    MDM_TRY(mdm_cpu_open(out, s));
    (*out)->v = &foreign_table;
    return MASKDM_OK;
}

static const struct mdm_device_module foreign = {"foreign", &foreign_table, open_foreign};

START_TEST(a_module_is_found_by_its_name)
{
    maskdm_device *d = NULL;
    float two[2] = {3, 4}, back[2] = {0};
    double squares = 0;
    void *memory;

    foreign_table = mdm_cpu_vtbl;
    mdm_registry_add(&foreign);
    foreign_opened = 0;
    ck_assert_int_eq(maskdm_device_open(&d, "foreign:1", NULL), MASKDM_OK);
    ck_assert_int_eq(foreign_opened, 1);
    ck_assert_str_eq(foreign_unit, "1");
    ck_assert_int_eq(mdm_device_alloc(d, &memory, sizeof two, 0, "two"), MASKDM_OK);
    ck_assert_int_eq(mdm_device_upload(d, memory, two, sizeof two), MASKDM_OK);
    ck_assert_int_eq(foreign_table.sum_squares(mdm_device_backend(d), &squares, memory, 2), MASKDM_OK);
    ck_assert_double_eq(squares, 25);
    ck_assert_int_eq(mdm_device_copy(d, (float *)memory + 1, memory, sizeof *two), MASKDM_OK);
    ck_assert_int_eq(mdm_device_fill(d, memory, 0, sizeof *two), MASKDM_OK);
    ck_assert_int_eq(mdm_device_download(d, back, memory, sizeof back), MASKDM_OK);
    ck_assert(back[0] == 0 && back[1] == 3);
    mdm_device_free(d, memory, sizeof two);
    maskdm_device_release(&d);
    ck_assert_int_eq(maskdm_device_open(&d, "foreign", NULL), MASKDM_OK);
    ck_assert_str_eq(foreign_unit, "");
    maskdm_device_release(&d);
    ck_assert_int_eq(maskdm_device_open(&d, "foreign:9", NULL), MASKDM_EDEVICE);
    ck_assert_str_eq(maskdm_last_error(), "unit 9 has fallen off");
    ck_assert_int_eq(maskdm_device_open(&d, "gpu", NULL), MASKDM_ENOTFOUND);
    ck_assert_str_eq(maskdm_last_error(), "there is no device \"gpu\"; known: foreign, cpu");
    mdm_registry_add(NULL);
    ck_assert_int_eq(maskdm_device_open(&d, "foreign", NULL), MASKDM_ENOTFOUND);
}
END_TEST

START_TEST(a_module_of_another_version_is_not_called)
{
    maskdm_device *d = NULL;
    char want[160];

    mdm_registry_add(&foreign);
    foreign_opened = 0;
    foreign_table = mdm_cpu_vtbl;
    foreign_table.version = MDM_BACKEND_VERSION + 1;
    ck_assert_int_eq(maskdm_device_open(&d, "foreign", NULL), MASKDM_EVERSION);
    snprintf(want, sizeof want, "the module of the device \"foreign\" has version %d, the library needs %d",
             MDM_BACKEND_VERSION + 1, MDM_BACKEND_VERSION);
    ck_assert_str_eq(maskdm_last_error(), want);
    foreign_table.version = MDM_BACKEND_VERSION;
    foreign_table.size = sizeof foreign_table - 8;
    ck_assert_int_eq(maskdm_device_open(&d, "foreign", NULL), MASKDM_EVERSION);
    snprintf(want, sizeof want,
             "the module of the device \"foreign\" has a table of %zu bytes, the library needs %zu",
             sizeof foreign_table - 8, sizeof foreign_table);
    ck_assert_str_eq(maskdm_last_error(), want);
    ck_assert_int_eq(foreign_opened, 0);
    foreign_table.size = sizeof foreign_table + 8; /* knows more than we do */
    ck_assert_int_eq(maskdm_device_open(&d, "foreign", NULL), MASKDM_OK);
    maskdm_device_release(&d);
    mdm_registry_add(NULL);
}
END_TEST

/* The sentence with which the file that a variable of the tests names is refused as the module of "cuda". */
static const char *refused(const char *variable, const char *path, int status)
{
    maskdm_options *o;
    maskdm_device *d = NULL;

    if (variable)
        path = getenv(variable);
    if (!path)
        return NULL; /* run by hand */
    ck_assert_int_eq(maskdm_options_create(&o, "device"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_set(o, "module", path), MASKDM_OK);
    ck_assert_int_eq(maskdm_device_open(&d, "cuda:0", o), status);
    ck_assert_ptr_null(d);
    maskdm_options_release(&o);
    return maskdm_last_error();
}

START_TEST(a_module_is_loaded_from_the_file_that_is_named)
{
    const char *other = getenv("MASKDM_TEST_OTHER"), *said;
    char want[600];

    said = refused(NULL, "/nowhere/module.so", MASKDM_ENOTFOUND);
    ck_assert_ptr_eq(strstr(said, "cannot load /nowhere/module.so: "), said);
    ck_assert_ptr_null(strstr(said + 16, "/nowhere/module.so"));
    said = refused("MASKDM_TEST_LATER", NULL, MASKDM_EVERSION);
    snprintf(want, sizeof want, "the module of the device \"cuda\" has version %d, the library needs %d",
             MDM_BACKEND_VERSION + 1, MDM_BACKEND_VERSION);
    if (said)
        ck_assert_str_eq(said, want);
    said = refused("MASKDM_TEST_OTHER", NULL, MASKDM_ENOTSUP);
    snprintf(want, sizeof want, "%s is a module for the device \"abacus\", not \"cuda\"", other ? other : "");
    if (said)
        ck_assert_str_eq(said, want);
    said = refused(NULL, "libz.so.1", MASKDM_ENOTSUP);
    ck_assert_str_eq(said, "libz.so.1 is no module for devices: it has no mdm_device_module()");
}
END_TEST

static int open_nothing(struct mdm_backend **out, const struct mdm_device_host *host,
                        const struct mdm_device_settings *s)
{
    *out = NULL;
    return host->record(MASKDM_EDEVICE, "the GPU \"%s\" is on fire", s->unit);
}

static const struct mdm_device_module fake_gpu = {"cuda", &foreign_table, open_foreign};
static const struct mdm_device_module no_gpu = {"cuda", &foreign_table, open_nothing};

START_TEST(auto_takes_the_gpu_where_it_opens)
{
    maskdm_options *o;
    maskdm_device *d = NULL;

    foreign_table = mdm_cpu_vtbl;
    mdm_registry_add(&fake_gpu);
    ck_assert_int_eq(maskdm_device_open(&d, "auto", NULL), MASKDM_OK);
    ck_assert_str_eq(foreign_unit, "0");
    ck_assert_ptr_nonnull(strstr(maskdm_device_description(d), " (auto)"));
    ck_assert_ptr_eq(mdm_device_backend(d)->v, &foreign_table);
    maskdm_device_release(&d);
    mdm_registry_add(&no_gpu);
    ck_assert_int_eq(mdm_fail(MASKDM_EIO, "an earlier failure"), MASKDM_EIO);
    ck_assert_int_eq(maskdm_device_open(&d, "auto", NULL), MASKDM_OK);
    ck_assert_ptr_nonnull(strstr(maskdm_device_description(d), " (auto: the GPU \"0\" is on fire)"));
    ck_assert_ptr_eq(mdm_device_backend(d)->v, &mdm_cpu_vtbl);
    ck_assert_str_eq(maskdm_last_error(), "an earlier failure"); /* what it got over is none */
    maskdm_device_release(&d);
    ck_assert_int_eq(maskdm_options_create(&o, "device"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, "compute=tf32"), MASKDM_OK);
    ck_assert_int_eq(maskdm_device_open(&d, "auto", o), MASKDM_ENOTSUP);
    ck_assert_str_eq(maskdm_last_error(),
                     "the device \"cpu\" computes in float32 alone; and of \"cuda:0\": the GPU \"0\" "
                     "is on fire");
    maskdm_options_release(&o);
    mdm_registry_add(NULL);
}
END_TEST

/* Features are compared to many digits. */
START_TEST(no_features_of_rounded_products)
{
    maskdm_options *o;
    maskdm_device *d = NULL;
    maskdm_extractor *e = NULL;

    foreign_table = mdm_cpu_vtbl;
    mdm_registry_add(&foreign);
    ck_assert_int_eq(maskdm_options_create(&o, "device"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, "compute=tf32"), MASKDM_OK);
    ck_assert_int_eq(maskdm_device_open(&d, "foreign", o), MASKDM_OK);
    ck_assert_int_eq(maskdm_extractor_create(&e, d), MASKDM_ENOTSUP);
    ck_assert_ptr_null(e);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "compute tf32 rounds to 10 bits"));
    maskdm_device_release(&d);
    maskdm_options_release(&o);
    mdm_registry_add(NULL);
}
END_TEST

static int count_call(void *arg, int64_t i, int worker)
{
    ck_assert_int_eq(worker, 0);
    ck_assert_int_eq((*(int *)arg)++, i);
    return i == 2 ? MASKDM_EIO : MASKDM_OK;
}

/* A backend that computes elsewhere has no threads to lend. */
START_TEST(without_threads_of_the_backend_the_caller_loops)
{
    maskdm_device *d = NULL;
    int calls = 0;

    foreign_table = mdm_cpu_vtbl;
    foreign_table.loop = NULL;
    mdm_registry_add(&foreign);
    ck_assert_int_eq(maskdm_device_open(&d, "foreign", NULL), MASKDM_OK);
    ck_assert_int_eq(mdm_device_loop(d, 5, count_call, &calls), MASKDM_EIO);
    ck_assert_int_eq(calls, 5);
    maskdm_device_release(&d);
    mdm_registry_add(NULL);
}
END_TEST

START_TEST(references_count)
{
    long before = mdm_alloc_live();
    maskdm_device *d = open_cpu(), *other = d;

    mdm_device_hold(other);
    maskdm_device_release(&d);
    ck_assert_ptr_null(d);
    ck_assert_int_ge(maskdm_device_threads(other), 1);
    ck_assert_ptr_nonnull(strstr(maskdm_device_description(other), "cpu, "));
    maskdm_device_release(&other);
    ck_assert_int_eq(mdm_alloc_live(), before);
}
END_TEST

START_TEST(every_allocation_is_counted_and_given_back)
{
    maskdm_device *d = open_cpu();
    unsigned char read[1000];
    void *a, *b;

    ck_assert_int_eq(mdm_device_alloc(d, &a, 1000, 1, "weights"), MASKDM_OK);
    ck_assert_int_eq(mdm_device_download(d, read, a, sizeof read), MASKDM_OK);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(read[i], 0);
    ck_assert_int_eq(mdm_device_alloc(d, &b, 500, 0, "weights"), MASKDM_OK);
    ck_assert_uint_eq(maskdm_device_memory_used(d), 1500);
    mdm_device_free(d, a, 1000);
    ck_assert_uint_eq(maskdm_device_memory_used(d), 500);
    ck_assert_uint_eq(maskdm_device_memory_peak(d), 1500);
    mdm_device_free(d, b, 500);
    mdm_device_free(d, NULL, 500);
    ck_assert_uint_eq(maskdm_device_memory_used(d), 0);
    ck_assert_uint_eq(maskdm_device_memory_limit(d), 0);
    maskdm_device_release(&d);
}
END_TEST

START_TEST(the_limit_is_kept)
{
    maskdm_device *d = open_with("memory_limit=1000 threads=1");
    void *a, *b = &a;

    ck_assert_uint_eq(maskdm_device_memory_limit(d), 1000);
    ck_assert_int_eq(mdm_device_alloc(d, &a, 600, 0, "weights"), MASKDM_OK);
    ck_assert_int_eq(mdm_device_alloc(d, &b, 401, 0, "activations"), MASKDM_ENOMEM);
    ck_assert_ptr_null(b);
    ck_assert_str_eq(maskdm_last_error(), "401 bytes for activations, but 600 of the 1000 allowed are in use");
    ck_assert_int_eq(mdm_device_take(d, SIZE_MAX, "activations"), MASKDM_ENOMEM);
    ck_assert_int_eq(mdm_device_take(d, 400, "activations"), MASKDM_OK);
    ck_assert_int_eq(mdm_device_take(d, 1, "activations"), MASKDM_ENOMEM);
    mdm_device_give(d, 400);
    mdm_device_free(d, a, 600);
    ck_assert_uint_eq(maskdm_device_memory_used(d), 0);
    ck_assert_uint_eq(maskdm_device_memory_peak(d), 1000);
    maskdm_device_release(&d);
}
END_TEST

/* Threads of this process, or 0 where the system does not list them. */
static int count_threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    int n = 0;

    while (folder && readdir(folder))
        n++;
    if (folder)
        closedir(folder);
    return n;
}

START_TEST(options_choose_threads_and_kernels)
{
    int before;
    maskdm_device *d = open_with("threads=1 instruction_set=c"), *other;

    maskdm_device_release(&d);
    before = count_threads();
    d = open_with("threads=1");
    ck_assert_int_eq(count_threads(), before);
    ck_assert_int_eq(maskdm_device_threads(d), 1);
    ck_assert_ptr_nonnull(strstr(maskdm_device_description(d), "1 thread"));
    maskdm_device_release(&d);
    other = open_with("threads=3 instruction_set=c blas_threads=leave");
    ck_assert_int_eq(maskdm_device_threads(other), 3);
    if (before)
        ck_assert_int_eq(count_threads(), before + 2);
    ck_assert_ptr_nonnull(strstr(maskdm_device_description(other), "cpu, c, "));
    maskdm_device_release(&other);
    ck_assert_int_eq(count_threads(), before);
}
END_TEST

#ifdef HAVE_BLAS
/* What is said of OpenBLAS does not hold where -Dblas_library= is another CBLAS. */
static maskdm_device *open_openblas(const char *text)
{
    maskdm_device *d = open_with(text);

    if (!strstr(maskdm_device_description(d), "OpenBLAS")) {
        ck_assert_ptr_nonnull(strstr(maskdm_device_description(d), "CBLAS"));
        maskdm_device_release(&d);
    }
    return d;
}

/* Once more with OPENBLAS_CORETYPE=Prescott, what it takes where it does not know the processor. */
START_TEST(blas_tells_whose_kernels_it_has)
{
    maskdm_device *d = open_openblas("threads=1 instruction_set=c");
    const char *core = openblas_get_corename(), *at;

    if (!d)
        return;
    at = strstr(maskdm_device_description(d), core);
    ck_assert_msg(at && at[-1] == '(', "%s: no %s", maskdm_device_description(d), core);
#ifdef __x86_64__
    ck_assert_int_eq(strstr(at, "a processor that it does not know") != NULL,
                     strcmp(core, "Prescott") == 0 && __builtin_cpu_supports("avx"));
#endif
    maskdm_device_release(&d);
}
END_TEST

static void count_lines(void *user, int level, const char *line)
{
    ck_assert_int_eq(level, MASKDM_LOG_WARN);
    ck_assert_msg(strstr(line, "does not know this processor") && strstr(line, openblas_get_corename()), "%s", line);
    ++*(int *)user;
}

static int lines_of_a_run(const char *text)
{
    int lines = 0;
    const struct mdm_log log = {count_lines, &lines};
    maskdm_device *d = NULL;
    maskdm_options *o;

    ck_assert_int_eq(maskdm_options_create(&o, "device"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, text), MASKDM_OK);
    ck_assert_int_eq(mdm_run_open_device(&d, "cpu", o, &log), MASKDM_OK);
    maskdm_device_release(&d);
    maskdm_options_release(&o);
    return lines;
}

/* The log has a line of it where its kernels are used, and none where they are not. */
START_TEST(a_run_tells_that_blas_is_lost)
{
    maskdm_device *d = open_with("threads=1 instruction_set=c");
    const int lost = strstr(maskdm_device_description(d), "a processor that it does not know") != NULL;

    maskdm_device_release(&d);
    ck_assert_int_eq(lines_of_a_run("threads=1 instruction_set=c"), lost);
    d = open_with("threads=1");
    if (!strstr(maskdm_device_description(d), "cpu, c, "))
        ck_assert_int_eq(lines_of_a_run("threads=1"), 0);
    maskdm_device_release(&d);
}
END_TEST
#endif

struct visitor {
    maskdm_device *d;
    int *inside, clashes;
};

static void *visit(void *arg)
{
    struct visitor *v = arg;

    for (int i = 0; i < 200; i++) {
        v->clashes += mdm_device_enter(v->d) != MASKDM_OK;
        v->clashes += mdm_device_enter(v->d) != MASKDM_OK;
        v->clashes += ++*v->inside != 1;
        --*v->inside;
        mdm_device_leave(v->d);
        mdm_device_leave(v->d);
    }
    return NULL;
}

START_TEST(threads_take_turns)
{
    maskdm_device *d = open_cpu();
    int inside = 0;
    struct visitor v[3];
    pthread_t t[3];

    for (int i = 0; i < 3; i++) {
        v[i] = (struct visitor){.d = d, .inside = &inside};
        ck_assert_int_eq(pthread_create(&t[i], NULL, visit, &v[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(t[i], NULL);
        ck_assert_int_eq(v[i].clashes, 0);
    }
    maskdm_device_release(&d);
}
END_TEST

#ifdef HAVE_BLAS
START_TEST(the_host_keeps_its_blas_threads)
{
    maskdm_device *d, *other;

    if (openblas_get_parallel() != 1)
        return;
    openblas_set_num_threads(2);
    d = open_openblas("threads=2 instruction_set=c");
    if (!d)
        return;
    other = open_with("threads=2 instruction_set=c");
    ck_assert_int_eq(openblas_get_num_threads(), 2);
    ck_assert_int_eq(mdm_device_enter(d), MASKDM_OK);
    ck_assert_int_eq(mdm_device_enter(other), MASKDM_OK);
    ck_assert_int_eq(openblas_get_num_threads(), 1);
    mdm_device_leave(d);
    ck_assert_int_eq(openblas_get_num_threads(), 1);
    mdm_device_leave(other);
    ck_assert_int_eq(openblas_get_num_threads(), 2);
    maskdm_device_release(&d);
    maskdm_device_release(&other);
}
END_TEST
#endif

struct loop {
    int calls, workers;
};

/* A host's loop that runs its workers one after the other, backwards. */
static void run_backwards(void *user, int64_t n, void (*body)(void *arg, int64_t i, int worker), void *arg)
{
    struct loop *l = user;

    l->calls++;
    for (int64_t i = n; i-- > 0;)
        body(arg, i, (int)(i % l->workers));
}

START_TEST(a_host_lends_its_loop)
{
    struct loop l = {.workers = 3};
    struct mdm_rng stream = mdm_rng_make(7, MDM_DRAW_NOISE, 0, 0);
    maskdm_device *d = NULL, *own = open_cpu();
    enum { N = 10000 };
    float *a = calloc(N, sizeof *a), *b = calloc(N, sizeof *b);

    ck_assert_int_eq(maskdm_device_open_hosted(&d, NULL, NULL, 3, &l), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_device_open_hosted(&d, NULL, run_backwards, 0, &l), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_device_open_hosted(&d, NULL, run_backwards, 3, &l), MASKDM_OK);
    ck_assert_int_eq(maskdm_device_threads(d), 3);
    l.calls = 0;
    ck_assert_int_eq(mdm_device_backend(d)->v->normal(mdm_device_backend(d), a, 1, N, &stream), MASKDM_OK);
    ck_assert_int_gt(l.calls, 0);
    ck_assert_int_eq(mdm_device_backend(own)->v->normal(mdm_device_backend(own), b, 1, N, &stream), MASKDM_OK);
    ck_assert_mem_eq(a, b, N * sizeof *a);
    free(a);
    free(b);
    maskdm_device_release(&d);
    maskdm_device_release(&own);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("device");
    TCase *c = tcase_create("device");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(c, only_known_names_open);
    tcase_add_test(c, a_module_is_found_by_its_name);
    tcase_add_test(c, a_module_of_another_version_is_not_called);
    tcase_add_test(c, a_module_is_loaded_from_the_file_that_is_named);
    tcase_add_test(c, auto_takes_the_gpu_where_it_opens);
    tcase_add_test(c, no_features_of_rounded_products);
    tcase_add_test(c, without_threads_of_the_backend_the_caller_loops);
    tcase_add_test(c, references_count);
    tcase_add_test(c, every_allocation_is_counted_and_given_back);
    tcase_add_test(c, the_limit_is_kept);
    tcase_add_test(c, options_choose_threads_and_kernels);
    tcase_add_test(c, threads_take_turns);
#ifdef HAVE_BLAS
    tcase_add_test(c, blas_tells_whose_kernels_it_has);
    tcase_add_test(c, a_run_tells_that_blas_is_lost);
    tcase_add_test(c, the_host_keeps_its_blas_threads);
#endif
    tcase_add_test(c, a_host_lends_its_loop);
    suite_add_tcase(s, c);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
