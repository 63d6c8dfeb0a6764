/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The guarded device itself: that it computes as the CPU does, and that each of the faults it is there for ends the
 * process that commits it, in a child.
 */
#include "guard.h"

#include "backend/cpu/cpu.h"
#include "backend/device.h"
#include "model/model.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N = 100 };

static maskdm_device *device;
static float *memory; /* N floats of the device's */
static float here[N];
static volatile float sink;

static void set_up(void)
{
    maskdm_options *o;
    void *taken;

    ck_assert_int_eq(maskdm_options_create(&o, "device"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_set(o, "threads", "2"), MASKDM_OK);
    ck_assert_int_eq(maskdm_device_open(&device, "cpu", o), MASKDM_OK);
    ck_assert_int_eq(mdm_device_alloc(device, &taken, sizeof here, 0, "a test"), MASKDM_OK);
    maskdm_options_release(&o);
    memory = taken;
    for (int i = 0; i < N; i++)
        here[i] = (float)i;
}

static void tear_down(void)
{
    mdm_device_free(device, memory, sizeof here);
    maskdm_device_release(&device);
}

/* ---- what a host may not do ---- */

static void read_it(void)
{
    sink = memory[3];
}

static void write_it(void)
{
    memory[3] = sink;
}

static void copy_out_of_it(void)
{
    memcpy(here, memory, sizeof here);
}

/* What maskdm_model_get_parameter() did before every transfer was a call. */
static void read_a_weight(void)
{
    maskdm_options *o;
    maskdm_model *model;

    if (maskdm_options_create(&o, "uvit") ||
        maskdm_options_parse(o, "image_size=8 patch_size=2 dim=16 depth=1 heads=2") ||
        maskdm_model_create(&model, device, "uvit", o, NULL, 1))
        _exit(2);
    sink = *mdm_model_block(model, MASKDM_WEIGHTS_EMA);
}

static void hand_over_memory_of_the_host(void)
{
    struct mdm_backend *b = mdm_device_backend(device);
    double squares;

    (void)b->v->sum_squares(b, &squares, here, N);
}

static void upload_into_memory_of_the_host(void)
{
    (void)mdm_device_upload(device, here, here, sizeof here);
}

static void upload_from_the_device(void)
{
    (void)mdm_device_upload(device, memory, memory, sizeof here);
}

static void run_over_the_end(void)
{
    (void)mdm_device_fill(device, memory + 1, 0, sizeof here);
}

static void touch_what_was_given_back(void)
{
    void *taken;

    if (mdm_device_alloc(device, &taken, sizeof here, 1, "a test"))
        _exit(2);
    mdm_device_free(device, taken, sizeof here);
    (void)mdm_device_fill(device, taken, 0, sizeof here);
}

/* A kernel that runs over the end, by what the guard led it to. */
static int spoil(struct mdm_backend *b, void *device_memory, int byte, size_t bytes)
{
    (void)b;
    memset(device_memory, byte, bytes + 1);
    return MASKDM_OK;
}

static void let_a_kernel_run_over_the_end(void)
{
    struct mdm_backend_vtbl spoilt = mdm_cpu_vtbl;
    struct wrapped {
        struct mdm_backend base, *cpu;
    } *g = (struct wrapped *)mdm_device_backend(device);

    spoilt.fill = spoil;
    g->cpu->v = &spoilt;
    (void)mdm_device_fill(device, memory, 0, sizeof here);
    mdm_device_free(device, memory, sizeof here);
}

static const struct {
    void (*act)(void);
    int signal;
} faults[] = {
    {read_it, SIGSEGV},
    {write_it, SIGSEGV},
    {copy_out_of_it, SIGSEGV},
    {read_a_weight, SIGSEGV},
    {upload_from_the_device, SIGSEGV},
    {hand_over_memory_of_the_host, SIGABRT},
    {upload_into_memory_of_the_host, SIGABRT},
    {run_over_the_end, SIGABRT},
    {touch_what_was_given_back, SIGABRT},
    {let_a_kernel_run_over_the_end, SIGABRT},
};

/* The child opens the device itself: a parent's cannot be used there. */
START_TEST(faults_are_caught)
{
    int status;
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        signal(SIGABRT, SIG_DFL);
        set_up();
        faults[_i].act();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == faults[_i].signal, "fault %d ended with status %#x", _i,
                  status);
}
END_TEST

/* ---- what it may ---- */

START_TEST(transfers_reach_the_memory)
{
    float back[N] = {0};

    set_up();
    ck_assert_int_eq(mdm_device_upload(device, memory, here, sizeof here), MASKDM_OK);
    ck_assert_int_eq(mdm_device_copy(device, memory + 60, memory + 10, 20 * sizeof *here), MASKDM_OK);
    ck_assert_int_eq(mdm_device_fill(device, memory + 90, 0, 10 * sizeof *here), MASKDM_OK);
    ck_assert_int_eq(mdm_device_download(device, back, memory, sizeof back), MASKDM_OK);
    for (int i = 0; i < N; i++)
        ck_assert_float_eq(back[i], (float)(i < 60 ? i : i < 80 ? i - 50 : i < 90 ? i : 0));
    tear_down();
}
END_TEST

START_TEST(fresh_memory_is_no_number)
{
    float back[N] = {0};

    set_up();
    ck_assert_int_eq(mdm_device_download(device, back, memory, sizeof back), MASKDM_OK);
    for (int i = 0; i < N; i++)
        ck_assert(back[i] != back[i]);
    tear_down();
}
END_TEST

/* A job that the contract gains and the guard has not heard of would be called through NULL. What the CPU has not,
 * because its work is done on return, the guard may have. */
START_TEST(the_guard_has_what_the_cpu_has)
{
    const unsigned char *cpu = (const unsigned char *)&mdm_cpu_vtbl, *guard = (const unsigned char *)guard_module.v;
    static const unsigned char none[sizeof(void (*)(void))];

    ck_assert_uint_eq(guard_module.v->size, mdm_cpu_vtbl.size);
    for (size_t at = offsetof(struct mdm_backend_vtbl, name); at < mdm_cpu_vtbl.size; at += sizeof none)
        ck_assert_msg(!memcmp(cpu + at, none, sizeof none) || memcmp(guard + at, none, sizeof none),
                      "the function at byte %zu of the table", at);
}
END_TEST

/* The host's loop goes through the module too. */
START_TEST(a_model_predicts_what_it_does_on_the_cpu)
{
    static float x[8 * 8 * 3], seen[2][8 * 8 * 3];
    const double time = 3;
    maskdm_options *o;

    for (int i = 0; i < 8 * 8 * 3; i++)
        x[i] = (float)(i % 11) / 11;
    ck_assert_int_eq(maskdm_options_create(&o, "uvit"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, "image_size=8 patch_size=2 dim=16 depth=3 heads=2"), MASKDM_OK);
    for (int i = 0; i < 2; i++) {
        maskdm_device *d;
        maskdm_model *m;

        mdm_registry_add(i ? &guard_module : NULL);
        ck_assert_int_eq(maskdm_device_open(&d, "cpu", NULL), MASKDM_OK);
        ck_assert_int_eq(maskdm_model_create(&m, d, "uvit", o, NULL, 7), MASKDM_OK);
        ck_assert_int_eq(maskdm_model_predict(m, MASKDM_WEIGHTS_EMA, 1, x, &time, NULL, NULL, 0, seen[i]), MASKDM_OK);
        maskdm_model_release(&m);
        maskdm_device_release(&d);
    }
    ck_assert_mem_eq(seen[0], seen[1], sizeof seen[0]);
    maskdm_options_release(&o);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("guarded device");
    TCase *c = tcase_create("guarded device");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_loop_test(c, faults_are_caught, 0, (int)MDM_LENGTH(faults));
    tcase_add_test(c, transfers_reach_the_memory);
    tcase_add_test(c, fresh_memory_is_no_number);
    tcase_add_test(c, the_guard_has_what_the_cpu_has);
    tcase_add_test(c, a_model_predicts_what_it_does_on_the_cpu);
    suite_add_tcase(s, c);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
